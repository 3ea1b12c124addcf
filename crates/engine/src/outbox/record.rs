//! Writes down what came of a send: status, attempt, queue and news for the browsers, in one transaction.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_channels::contract::{Retry, RetryPlan, Scope, SendError};
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_model::message::{MessageStatus, StatusError};
use frontdesk_model::{RemoteId, Timestamp};
use frontdesk_store::deliveries::{self, DeliveryEnd, DeliveryKey};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::message_status::{self, Step};
use frontdesk_store::outbox::{self, OutboxKind, OutboxRow};
use frontdesk_store::{StoreError, Tx, conversations, inboxes as stored_inboxes, messages};

use super::{reaction, schedule};
use crate::intake::News;
use crate::intake::status;
use crate::{Engine, inboxes, monitoring};

/// A dead token is tried again this often, in case the provider was wrong.
const RECONNECT_MS: i64 = 300_000;
/// Waits while the database does not take what came of a send: what the provider said must not be lost.
const WRITE_PAUSES_MS: [u64; 6] = [100, 300, 1_000, 3_000, 5_000, 10_000];

/// What came of a send.
#[derive(Debug)]
pub(super) enum Fate {
    /// The provider accepted it.
    Sent(RemoteId),
    /// It will not work.
    Failed(Problem),
    /// Again later.
    Retry {
        /// When.
        at: Timestamp,
        /// What has to wait with it.
        hold: Hold,
        /// Why.
        problem: Problem,
        /// What the inbox is to be told, when its credentials do not work.
        reconnect: Option<ConnectionState>,
    },
    /// The outcome was lost.
    Unknown(Problem),
}

/// What went wrong.
#[derive(Debug)]
pub(super) struct Problem {
    /// For people.
    pub(super) shown: StatusError,
    /// For the attempt, when there was an answer.
    pub(super) http_status: Option<u16>,
    /// What the provider allows the inbox is used up.
    pub(super) used_up: bool,
}

/// What waits with a message that is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Only what stands behind it in its conversation.
    Nothing,
    /// The conversation, until this moment.
    Conversation(Timestamp),
    /// The inbox, until this moment.
    Inbox(Timestamp),
}

/// How often a message was tried: in all, and with an answer that was a failure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tries {
    pub(super) all: i64,
    pub(super) failed: i64,
}

/// What a failed send means.
pub(super) fn fate_of(engine: &Engine, plan: &RetryPlan, tries: Tries, error: SendError) -> Fate {
    let settings = &engine.settings.outbox;
    let now = engine.clock.now();
    let shown = StatusError {
        code: error.code.clone(),
        message: error.shown.clone(),
        action: error.action.map(str::to_owned),
    };
    let problem = Problem { shown, http_status: error.http_status, used_up: error.used_up };
    if !error.certain {
        return Fate::Unknown(problem);
    }
    if error.reconnect {
        let at = now.plus_ms(RECONNECT_MS);
        return Fate::Retry { at, hold: Hold::Inbox(at), problem, reconnect: Some(reconnect_state(&error)) };
    }
    let at = match error.retry {
        Retry::Never => return Fate::Failed(problem),
        Retry::AfterMs(ms) => schedule::next_try(settings, tries.all, ms, rand::random(), now),
        // Nobody answers: that is no fault of the message, which waits as long as any.
        Retry::OnSchedule if error.http_status.is_none() => {
            schedule::next_try(settings, tries.all, 0, rand::random(), now)
        }
        Retry::OnSchedule => match schedule::next_try_by(plan, settings, tries.failed, rand::random(), now) {
            Some(at) => at,
            None => return Fate::Failed(given_up(problem, tries.failed)),
        },
    };
    let hold = match error.scope {
        Scope::Message => Hold::Nothing,
        Scope::Conversation => Hold::Conversation(at),
        Scope::Inbox => rest_of_inbox(engine, &error, now).map_or(Hold::Nothing, Hold::Inbox),
    };
    Fate::Retry { at, hold, problem, reconnect: None }
}

/// A message that was tried as often as its inbox allows. People are told, and may send it again.
fn given_up(problem: Problem, tries: i64) -> Problem {
    let StatusError { code, message, .. } = problem.shown;
    let message = format!("{message} It was tried {tries} times and is not tried again by itself.");
    Problem { shown: StatusError { code, message, action: Some("retry".to_owned()) }, ..problem }
}

/// Until when the provider wants to hear nothing from the inbox. `None` when it only failed: one message that keeps
/// failing must not hold back the others, and when all fail the breaker opens.
pub(super) fn rest_of_inbox(engine: &Engine, error: &SendError, now: Timestamp) -> Option<Timestamp> {
    let throttled = error.http_status.is_some_and(|status| (400..500).contains(&status));
    match (error.scope, error.retry) {
        (Scope::Inbox, Retry::AfterMs(ms)) => Some(now.plus_ms(i64::try_from(ms).unwrap_or(i64::MAX))),
        (Scope::Inbox, Retry::OnSchedule) if throttled && !error.reconnect => {
            Some(schedule::next_try(&engine.settings.outbox, 1, 0, rand::random(), now))
        }
        _ => None,
    }
}

/// Writes the fate of a send. When the claim was lost meanwhile, only the truth about a sent message is written.
pub(super) async fn record(
    engine: &Engine,
    row: &OutboxRow,
    token: &str,
    key: Option<DeliveryKey>,
    fate: Fate,
) -> Result<(), StoreError> {
    let outcome = match &fate {
        Fate::Sent(_) => "sent",
        Fate::Failed(_) => "failed",
        Fate::Retry { .. } => "retry",
        Fate::Unknown(_) => "unknown",
    };
    metrics::counter!("frontdesk_sends_total", "outcome" => outcome).increment(1);
    tell(row, key, &fate);
    tracing::debug!(outcome, attempt = key.map(|key| key.attempt), "a send ended");
    if row.kind == OutboxKind::Message {
        monitoring::note_send(engine, row.account_id, row.inbox_id, outcome);
    }
    let (now, settle_ms) = (engine.clock.now(), engine.settings.outbox.unknown_settle_ms);
    let settle_at = now.plus_ms(settle_ms);
    let outcome = Arc::new(Outcome { row: row.clone(), token: token.to_owned(), key, word: outcome, fate });
    let mut pauses = WRITE_PAUSES_MS.into_iter();
    loop {
        let written = outcome.clone();
        let Err(error) = engine.store.write(move |tx| written.write(tx, settle_at, now)).await else {
            return Ok(());
        };
        let Some(pause) = pauses.next() else { return Err(error) };
        tracing::warn!(
            outbox.id = row.id.0,
            error = &error as &dyn std::error::Error,
            "the outcome of a send could not be written yet"
        );
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

/// The log line of a send that did not succeed. The span of the send says of which inbox and channel.
fn tell(row: &OutboxRow, key: Option<DeliveryKey>, fate: &Fate) {
    let attempt = key.map(|key| key.attempt);
    match fate {
        Fate::Sent(_) => {}
        Fate::Failed(problem) => tracing::error!(
            inbox.id = row.inbox_id.0,
            outbox.id = row.id.0,
            attempt,
            code = problem.shown.code,
            "a send failed for good"
        ),
        Fate::Retry { problem, .. } | Fate::Unknown(problem) => tracing::warn!(
            inbox.id = row.inbox_id.0,
            outbox.id = row.id.0,
            attempt,
            code = problem.shown.code,
            certain = !matches!(fate, Fate::Unknown(_)),
            "a send did not succeed"
        ),
    }
}

/// What is to be written down, as often as it takes.
struct Outcome {
    row: OutboxRow,
    token: String,
    key: Option<DeliveryKey>,
    word: &'static str,
    fate: Fate,
}

impl Outcome {
    fn write(&self, tx: &mut Tx<'_>, settle_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let (row, token) = (&self.row, &self.token);
        if let Some(key) = self.key {
            deliveries::end(tx, key, self.attempt_end(), now)?;
        }
        match &self.fate {
            Fate::Sent(remote_id) => record_sent(tx, row, token, remote_id, now),
            Fate::Failed(problem) => {
                if problem.used_up {
                    let message = &problem.shown.message;
                    stored_inboxes::set_used_up(tx, row.account_id, row.inbox_id, message, now)?;
                }
                record_failed(tx, row, token, &problem.shown, now)
            }
            Fate::Retry { at, hold, reconnect, .. } => {
                if !outbox::requeue(tx, row, token, *at, now)? {
                    return Ok(());
                }
                match *hold {
                    Hold::Nothing => {}
                    Hold::Conversation(until) => {
                        conversations::set_next_send(tx, row.account_id, row.conversation_id, until)?;
                    }
                    Hold::Inbox(until) => outbox::hold_inbox(tx, row.inbox_id, until)?,
                }
                if let Some(state) = reconnect {
                    inboxes::store_state(tx, row.account_id, row.inbox_id, state, now)?;
                }
                Ok(())
            }
            Fate::Unknown(problem) => {
                if outbox::set_unknown(tx, row, token, settle_at, now)? {
                    raise(tx, row, MessageStatus::Unknown, Some(&problem.shown), now)?;
                }
                Ok(())
            }
        }
    }

    fn attempt_end(&self) -> DeliveryEnd<'_> {
        let ended = DeliveryEnd { outcome: self.word, ..DeliveryEnd::default() };
        match &self.fate {
            Fate::Sent(remote_id) => {
                DeliveryEnd { http_status: Some(200), remote_id: Some(remote_id), ..ended }
            }
            Fate::Failed(problem) | Fate::Unknown(problem) | Fate::Retry { problem, .. } => DeliveryEnd {
                http_status: problem.http_status.map(i64::from),
                provider_code: Some(&problem.shown.code),
                error: Some(&problem.shown.message),
                ..ended
            },
        }
    }
}

fn record_sent(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    token: &str,
    remote_id: &RemoteId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_ours = outbox::finish(tx, row, token)?;
    if !is_ours {
        // The lease ran out and the send became unknown; now we know after all.
        metrics::counter!("frontdesk_leases_lost_total").increment(1);
        tracing::warn!(outbox.id = row.id.0, "a send was answered after its lease had run out");
    }
    if row.kind == OutboxKind::Reaction {
        return reaction::record_sent(tx, row, remote_id, now);
    }
    let Some(message_id) = row.message_id else { return Ok(()) };
    let Some(message) = messages::find(tx, row.account_id, message_id)? else { return Ok(()) };
    let news = News { account: row.account_id, inbox: row.inbox_id, now };
    if is_ours {
        status::note_sent(tx, news, &message, remote_id)
    } else {
        status::adopt(tx, news, &message, remote_id)
    }
}

fn record_failed(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    token: &str,
    error: &StatusError,
    now: Timestamp,
) -> Result<(), StoreError> {
    if outbox::finish(tx, row, token)? {
        raise(tx, row, MessageStatus::Failed, Some(error), now)?;
    }
    Ok(())
}

/// Raises the message or reaction of a row and tells the browsers.
pub(super) fn raise(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    status: MessageStatus,
    error: Option<&StatusError>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if row.kind == OutboxKind::Reaction {
        return reaction::raise_of_row(tx, row, status, error, now);
    }
    let Some(message_id) = row.message_id else { return Ok(()) };
    let step = Step { account: row.account_id, message: message_id, status, error, at: now };
    if message_status::raise(tx, step, now)? {
        tx.emit(NewEvent {
            account_id: row.account_id,
            kind: EventKind::MessageStatusUpdated,
            conversation_id: Some(row.conversation_id),
            message_id: Some(message_id),
            data: None,
        });
    }
    Ok(())
}

/// Nothing is left to do.
pub(super) async fn drop_work(engine: &Engine, row: &OutboxRow, token: &str) -> Result<(), StoreError> {
    let (row, token) = (row.clone(), token.to_owned());
    engine.store.write(move |tx| outbox::finish(tx, &row, &token).map(drop)).await
}

/// This row alone waits until `until`.
pub(super) async fn put_back(
    engine: &Engine,
    row: &OutboxRow,
    token: &str,
    until: Timestamp,
) -> Result<(), StoreError> {
    let (row, token, now) = (row.clone(), token.to_owned(), engine.clock.now());
    engine.store.write(move |tx| outbox::requeue(tx, &row, &token, until, now).map(drop)).await
}

/// The inbox rests: this row and everything queued behind it waits until `until`.
pub(super) async fn hold(
    engine: &Engine,
    row: &OutboxRow,
    token: &str,
    until: Timestamp,
) -> Result<(), StoreError> {
    let (row, token, now) = (row.clone(), token.to_owned(), engine.clock.now());
    engine
        .store
        .write(move |tx| {
            outbox::requeue(tx, &row, &token, until, now)?;
            outbox::hold_inbox(tx, row.inbox_id, until)
        })
        .await
}

/// A read mark is tried again soon.
pub(super) async fn try_read_again(engine: &Engine, row: &OutboxRow, token: &str) -> Result<(), StoreError> {
    let (row, token, now) = (row.clone(), token.to_owned(), engine.clock.now());
    let at = schedule::next_try(&engine.settings.outbox, row.attempts + 1, 0, rand::random(), now);
    engine
        .store
        .write(move |tx| {
            outbox::start(tx, &row, &token, at, now)?; // counts the try
            outbox::requeue(tx, &row, &token, at, now).map(drop)
        })
        .await
}

/// The credentials do not work.
pub(super) fn reconnect_state(error: &SendError) -> ConnectionState {
    let action = match error.action {
        Some("scan") => {
            "Open this inbox and scan the code with its phone. Queued messages wait and are sent then."
        }
        _ => "Enter a new access token for this inbox. Queued messages wait and are sent then.",
    };
    ConnectionState::new(ConnectionCode::Reconnect, error.shown.clone()).with_action(action)
}

/// The provider does not answer.
pub(super) fn unreachable_state(error: &SendError) -> ConnectionState {
    ConnectionState::new(ConnectionCode::Unreachable, error.shown.clone())
        .with_action("Nothing to do: queued messages wait and are sent when the provider answers again.")
}

/// All is well again.
pub(super) fn connected_state() -> ConnectionState {
    ConnectionState::new(ConnectionCode::Connected, "Connected.")
}
