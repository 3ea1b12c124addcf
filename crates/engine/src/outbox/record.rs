//! Writes down what came of a send: status, attempt, queue and news for the browsers, in one transaction.

use frontdesk_channels::contract::{Retry, Scope, SendError};
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_model::message::{MessageStatus, StatusError};
use frontdesk_model::{RemoteId, Timestamp};
use frontdesk_store::deliveries::{self, DeliveryEnd, DeliveryKey};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::outbox::{self, OutboxRow};
use frontdesk_store::{StoreError, Tx, conversations, messages};

use super::schedule;
use crate::intake::News;
use crate::intake::status;
use crate::{Engine, inboxes};

/// What came of a send.
#[derive(Debug)]
pub(super) enum Fate {
    /// The provider accepted it.
    Sent(RemoteId),
    /// It will not work.
    Failed(StatusError),
    /// Again later.
    Retry {
        /// When.
        at: Timestamp,
        /// How much has to wait.
        scope: Scope,
        /// Why.
        error: StatusError,
        /// The HTTP status, for the attempt.
        http_status: Option<u16>,
        /// What the inbox is to be told, when its credentials do not work.
        reconnect: Option<ConnectionState>,
    },
    /// The outcome was lost.
    Unknown(StatusError),
}

/// What a failed send means.
pub(super) fn fate_of(engine: &Engine, row: &OutboxRow, attempts: i64, error: SendError) -> Fate {
    let settings = &engine.settings.outbox;
    let now = engine.clock.now();
    let shown = StatusError {
        code: error.code.clone(),
        message: error.shown.clone(),
        action: error.action.map(str::to_owned),
    };
    tracing::warn!(
        inbox.id = row.inbox_id.0,
        outbox.id = row.id.0,
        code = error.code,
        certain = error.certain,
        "a send did not succeed"
    );
    if !error.certain {
        return Fate::Unknown(shown);
    }
    if error.reconnect {
        let at = now.plus_ms(300_000);
        let reconnect = Some(reconnect_state(&error));
        return Fate::Retry {
            at,
            scope: Scope::Inbox,
            error: shown,
            http_status: error.http_status,
            reconnect,
        };
    }
    let not_before_ms = match error.retry {
        Retry::Never => return Fate::Failed(shown),
        Retry::AfterMs(ms) => ms,
        Retry::OnSchedule => 0,
    };
    let at = schedule::next_try(settings, attempts, not_before_ms, rand::random(), now);
    Fate::Retry { at, scope: error.scope, error: shown, http_status: error.http_status, reconnect: None }
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
    let (row, token, now) = (row.clone(), token.to_owned(), engine.clock.now());
    let settle_ms = engine.settings.outbox.unknown_settle_ms;
    engine
        .store
        .write(move |tx| {
            if let Some(key) = key {
                deliveries::end(tx, key, attempt_end(&fate, outcome), now)?;
            }
            match &fate {
                Fate::Sent(remote_id) => record_sent(tx, &row, &token, remote_id, now),
                Fate::Failed(error) => record_failed(tx, &row, &token, error, now),
                Fate::Retry { at, scope, reconnect, .. } => {
                    if !outbox::requeue(tx, &row, &token, *at, now)? {
                        return Ok(());
                    }
                    match scope {
                        Scope::Message => {}
                        Scope::Conversation => {
                            conversations::set_next_send(tx, row.account_id, row.conversation_id, *at)?;
                        }
                        Scope::Inbox => outbox::hold_inbox(tx, row.inbox_id, *at)?,
                    }
                    if let Some(state) = reconnect {
                        inboxes::store_state(tx, row.account_id, row.inbox_id, state, now)?;
                    }
                    Ok(())
                }
                Fate::Unknown(error) => {
                    if outbox::set_unknown(tx, &row, &token, now.plus_ms(settle_ms), now)? {
                        raise(tx, &row, MessageStatus::Unknown, Some(error), now)?;
                    }
                    Ok(())
                }
            }
        })
        .await
}

fn attempt_end<'a>(fate: &'a Fate, outcome: &'a str) -> DeliveryEnd<'a> {
    match fate {
        Fate::Sent(remote_id) => DeliveryEnd {
            outcome,
            http_status: Some(200),
            remote_id: Some(remote_id),
            ..DeliveryEnd::default()
        },
        Fate::Failed(error) | Fate::Unknown(error) => DeliveryEnd {
            outcome,
            provider_code: Some(&error.code),
            error: Some(&error.message),
            ..DeliveryEnd::default()
        },
        Fate::Retry { error, http_status, .. } => DeliveryEnd {
            outcome,
            http_status: http_status.map(i64::from),
            provider_code: Some(&error.code),
            error: Some(&error.message),
            ..DeliveryEnd::default()
        },
    }
}

fn record_sent(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    token: &str,
    remote_id: &RemoteId,
    now: Timestamp,
) -> Result<(), StoreError> {
    if !outbox::finish(tx, row, token)? {
        // The lease ran out and the send became unknown; now we know after all.
        tracing::warn!(outbox.id = row.id.0, "a send was answered after its lease had run out");
    }
    let Some(message_id) = row.message_id else { return Ok(()) };
    let Some(message) = messages::find(tx, row.account_id, message_id)? else { return Ok(()) };
    let news = News { account: row.account_id, inbox: row.inbox_id, now };
    status::adopt(tx, news, &message, remote_id)
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

/// Raises the message of a row and tells the browsers.
pub(super) fn raise(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    status: MessageStatus,
    error: Option<&StatusError>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(message_id) = row.message_id else { return Ok(()) };
    if messages::raise_status(tx, row.account_id, message_id, status, error, now, now)? {
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
    ConnectionState::new(ConnectionCode::Reconnect, error.shown.clone())
        .with_action("Enter a new access token for this inbox. Queued messages wait and are sent then.")
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
