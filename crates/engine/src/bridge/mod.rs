//! Bridges: an inbox of ours and an API inbox of a connected Chatwoot that show the same, so that it can be answered there.
//!
//! Out: [`tail`] turns the events of the inbox into jobs, in the transaction that moves the bridge's place in the event log;
//! [`mirror`] shows them there. In: [`door`] keeps what Chatwoot delivers as jobs before it answers, [`pull`] fetches what was
//! never delivered, [`answer`] puts it into our outbox, [`retry`] sends again what did not arrive. [`worker`] carries the jobs
//! out, one after the other for each conversation, until they are done. [`setup`] makes bridges and ends them; [`import`]
//! queues what was here before.
//!
//! Nothing loops: what we write there has a `source_id`, what was written there has a client key of the bridge, and both are
//! linked ([`frontdesk_store::bridge_links`]).

mod answer;
pub mod door;
pub mod import;
mod jobs;
mod line;
mod markup;
mod mirror;
mod people;
mod pull;
mod retry;
mod settings;
pub mod setup;
mod tail;
mod trouble;
mod wording;
mod worker;

use tokio::sync::Notify;

pub use settings::{BeginAs, BridgeSettings, ConversationPolicy};

use crate::Engine;

/// What this node keeps of its bridges.
#[derive(Default)]
pub(crate) struct Bridges {
    /// Rung when this node has queued a job, or has ended one.
    work: Notify,
}

/// Works until the engine stops, then finishes what it holds.
pub(crate) async fn run(engine: Engine) {
    worker::take_over(&engine).await;
    tokio::join!(tail::run(&engine), worker::run(&engine), pull::run(&engine));
}
