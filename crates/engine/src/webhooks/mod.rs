//! Outgoing webhooks: other programs are told what happens here.
//!
//! [`tail`] follows the event log from a place that it keeps for each endpoint, and puts what happened on its way in the
//! transaction that moves that place: intake waits for nothing, and what was committed is told, whatever dies when. [`worker`]
//! claims what is due and calls, [`call`] is one call, [`event`] says what is told. What is worth something only at the moment
//! (typing, a code to scan) is no event of the log: [`passing`]. People see and change things through [`endpoints`] and
//! [`log`].
//!
//! Told at least once: a delivery keeps its id through all tries and replays. Told in order about each conversation, as far as
//! that holds nothing up for ever: what was refused a few times steps aside. An endpoint that does not answer is asked with
//! one delivery at a time until it does; one that did not for days is switched off, and an alert says so.

mod call;
pub mod endpoints;
pub mod event;
pub mod log;
pub mod passing;
pub mod settings;
mod tail;
mod worker;

use std::sync::OnceLock;
use std::time::Duration;

use frontdesk_provider_http::ProviderHttp;
use tokio::sync::Notify;

pub use tail::follow;
pub use worker::deliver_due;

use crate::Engine;

/// How often what is remembered of connections at rest is dropped.
const FORGET_EVERY: Duration = Duration::from_secs(300);

/// What this node keeps of outgoing webhooks.
#[derive(Default)]
pub(crate) struct Webhooks {
    /// Rung when this node has put something on its way, or has ended one.
    work: Notify,
    /// One for all endpoints, so that connections are kept.
    http: OnceLock<ProviderHttp>,
}

/// Works until the engine stops, then finishes what it holds.
pub(crate) async fn run(engine: Engine) {
    tokio::join!(tail::run(&engine), worker::run(&engine), forget_resting(&engine));
}

async fn forget_resting(engine: &Engine) {
    while engine.shutdown.run_until_cancelled(tokio::time::sleep(FORGET_EVERY)).await.is_some() {
        if let Some(http) = engine.webhooks().http.get() {
            http.forget_resting();
        }
    }
}
