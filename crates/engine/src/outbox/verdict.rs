//! What the outcome of a request says about its inbox: breaker, rest and state.

use frontdesk_channels::contract::{STOOD_STILL, Scope, SendError};
use frontdesk_model::Timestamp;
use frontdesk_model::inbox::ConnectionCode;
use frontdesk_store::StoreError;
use frontdesk_store::outbox::{self, OutboxRow};

use super::breaker::Pass;
use super::record;
use crate::connections::Line;
use crate::{Engine, inboxes};

/// The state of an inbox that works is looked at this often, in milliseconds.
const CONFIRM_MS: i64 = 60_000;

/// Tells the breaker of the inbox, and everyone when the inbox's state changes by it.
pub(super) async fn note(
    engine: &Engine,
    row: &OutboxRow,
    line: &Line,
    pass: Pass<'_>,
    error: Option<&SendError>,
) {
    let now = engine.clock.now();
    let noted = match error {
        Some(error) if error.reconnect => {
            drop(pass);
            line.doubt();
            inboxes::set_state(engine, row.account_id, row.inbox_id, record::reconnect_state(error)).await
        }
        Some(error) if error.code == STOOD_STILL => {
            drop(pass);
            Ok(())
        }
        Some(error) if is_outage(error) => match pass.failed(now) {
            Some(until) => {
                metrics::counter!("frontdesk_breakers_opened_total").increment(1);
                tracing::warn!(inbox.id = row.inbox_id.0, %until, "a provider keeps failing: its inbox waits");
                line.doubt();
                hold_for_outage(engine, row, error, until).await
            }
            None => Ok(()),
        },
        error => {
            if let Some(until) = error.and_then(|error| record::rest_of_inbox(engine, error, now)) {
                line.rest_until(until);
            }
            let was_open = pass.succeeded();
            // A refusal proves that the provider is there; only a message that went proves that all is well.
            if was_open || (error.is_none() && line.is_confirmation_due(now, CONFIRM_MS)) {
                confirm(engine, row, line).await
            } else {
                Ok(())
            }
        }
    };
    if let Err(error) = noted {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the state of an inbox could not be written"
        );
    }
}

/// True when the provider as a whole failed, not this message.
fn is_outage(error: &SendError) -> bool {
    let answered = error.http_status.is_some_and(|status| status < 500);
    !error.certain || error.code == "UNREACHABLE" || (error.scope == Scope::Inbox && !answered)
}

async fn hold_for_outage(
    engine: &Engine,
    row: &OutboxRow,
    error: &SendError,
    until: Timestamp,
) -> Result<(), StoreError> {
    let (account, inbox, now) = (row.account_id, row.inbox_id, engine.clock.now());
    let state = record::unreachable_state(error);
    engine
        .store
        .write(move |tx| {
            outbox::hold_inbox(tx, inbox, until)?;
            inboxes::store_state(tx, account, inbox, &state, now)
        })
        .await
}

/// Says that an inbox works when it is known as one that does not, or of which it was not known. What the provider
/// itself told (restricted, paused) stands.
async fn confirm(engine: &Engine, row: &OutboxRow, line: &Line) -> Result<(), StoreError> {
    let is_linked = line.connection.as_ref().is_ok_and(|connection| connection.linking().is_some());
    let code = match inboxes::get(engine, row.account_id, row.inbox_id).await {
        Ok(inbox) => inbox.state.code,
        Err(inboxes::InboxError::Store(error)) => return Err(error),
        Err(_) => return Ok(()),
    };
    match code {
        // A message taken by the provider of a linked phone does not show that the phone is linked.
        ConnectionCode::Reconnect if is_linked => Ok(()),
        ConnectionCode::Connecting | ConnectionCode::Reconnect | ConnectionCode::Unreachable => {
            inboxes::set_state(engine, row.account_id, row.inbox_id, record::connected_state()).await
        }
        ConnectionCode::Connected | ConnectionCode::Degraded | ConnectionCode::Paused => Ok(()),
    }
}
