//! Watching: what goes on in every inbox, and who is told when it is too much.
//!
//! In the order of the flow: a [`meter`] per inbox notes calls, sends and webhooks in memory ([`figures`] is what is
//! noted); [`slots`] writes them to the database and ages them; [`report`] puts those of all nodes together for people,
//! [`health`] says in a word how that is; [`rules`] says what is too much, [`condition`] decides it, [`built_in`] decides what
//! needs no rule, [`evaluate`] keeps the alerts, [`targets`] says where their news go and [`delivery`] takes them there. No channel is known here: calls come from the recorder that each
//! inbox's connection is opened with.

pub(crate) mod built_in;
pub mod condition;
pub mod delivery;
pub mod evaluate;
pub mod figures;
pub mod health;
pub mod meter;
pub mod news;
pub mod report;
pub mod rules;
pub mod settings;
pub mod slots;
mod switched_off;
pub mod targets;
pub(crate) mod webhooks;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use frontdesk_channels::contract::ChannelContext;
use frontdesk_model::{AccountId, InboxId};
use frontdesk_store::StoreError;
use tokio::sync::Notify;

use self::meter::{InboxCalls, Meter};
use crate::Engine;
use crate::inboxes::Inbox;

/// How often a node writes what it saw, and looks at its levels.
const FLUSH_EVERY: Duration = Duration::from_secs(2);
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// How often the rules are looked at.
const EVALUATE_EVERY: Duration = Duration::from_secs(5);
/// How often old slots are put together.
const AGE_EVERY: Duration = Duration::from_secs(60);

/// What stands for the Chatwoot of an account where inboxes are counted; no inbox has this id.
pub const CHATWOOT: InboxId = InboxId(-1);
/// Its name among them, for people.
const CHATWOOT_NAME: &str = "Chatwoot";

/// The meters of this node.
#[derive(Default)]
pub struct Monitoring {
    meters: RwLock<HashMap<(AccountId, InboxId), Arc<Meter>>>,
    flushing: tokio::sync::Mutex<()>,
    /// Rung when news of alerts was put on its way.
    news: Notify,
}

impl Monitoring {
    /// The meter of an inbox; account and inbox 0 for what is nobody's.
    pub(crate) fn meter(&self, account: AccountId, inbox: InboxId) -> Arc<Meter> {
        let key = if inbox == CHATWOOT { (account, inbox) } else { of_inbox(inbox) };
        if let Some(meter) = self.find(key) {
            return meter;
        }
        let mut meters = self.meters.write().unwrap_or_else(PoisonError::into_inner);
        meters.entry(key).or_insert_with(|| Arc::new(Meter::new(account, inbox))).clone()
    }

    fn find_meter(&self, inbox: InboxId) -> Option<Arc<Meter>> {
        self.find(of_inbox(inbox))
    }

    fn find(&self, key: (AccountId, InboxId)) -> Option<Arc<Meter>> {
        self.meters.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    fn meters(&self) -> Vec<Arc<Meter>> {
        self.meters.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// The key of an inbox's meter: its id says whose it is, other than that of a Chatwoot, which each account may have.
fn of_inbox(inbox: InboxId) -> (AccountId, InboxId) {
    (AccountId(0), inbox)
}

/// What the channel of an inbox is given: its calls are heard by the inbox's meter.
pub fn context_of(engine: &Engine, inbox: &Inbox) -> ChannelContext {
    let calls = InboxCalls {
        meter: engine.monitoring().meter(inbox.config.account_id, inbox.config.id),
        clock: engine.clock.clone(),
        next: engine.channels.recorder.clone(),
    };
    let sessions = Arc::new(crate::linked::desk::Desk::new(engine));
    ChannelContext { recorder: Arc::new(calls), sessions, ..engine.channels.clone() }
}

/// An attempt to send a message of an inbox ended: `sent`, `failed`, `retry` or `unknown`.
pub fn note_send(engine: &Engine, account: AccountId, inbox: InboxId, outcome: &'static str) {
    engine.monitoring().meter(account, inbox).note_send(engine.clock.now(), outcome);
}

/// The pace of an inbox made a send wait.
pub(crate) fn note_wait(engine: &Engine, account: AccountId, inbox: InboxId, waited: Duration) {
    engine.monitoring().meter(account, inbox).note_wait(engine.clock.now(), waited);
}

/// Watches until the engine stops.
pub(crate) async fn run(engine: Engine) {
    tokio::join!(
        every(&engine, FLUSH_EVERY, "writing figures", || slots::flush(&engine)),
        every(&engine, SAMPLE_EVERY, "looking at the queues", || slots::sample(&engine)),
        every(&engine, EVALUATE_EVERY, "looking at the alert rules", || evaluate::evaluate(&engine)),
        every(&engine, AGE_EVERY, "putting old figures together", || slots::age(&engine)),
        delivery::run(&engine),
    );
}

/// Writes what is left, when everything that could be counted has ended.
pub(crate) async fn finish(engine: &Engine) {
    if let Err(error) = slots::flush(engine).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the last figures could not be written");
    }
}

async fn every<Fut>(engine: &Engine, period: Duration, what: &'static str, task: impl Fn() -> Fut)
where
    Fut: Future<Output = Result<(), StoreError>>,
{
    while engine.shutdown.run_until_cancelled(tokio::time::sleep(period)).await.is_some() {
        if let Err(error) = task().await {
            tracing::warn!(error = &error as &dyn std::error::Error, what, "work in the background failed");
        }
    }
}
