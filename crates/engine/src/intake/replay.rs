//! Applies kept bodies again: after an inbox was added, or after a fault was mended. Applying twice changes nothing.

use frontdesk_channels::contract::VerifiedBy;
use frontdesk_channels::registry;
use frontdesk_model::WebhookLogId;
use frontdesk_store::StoreError;
use frontdesk_store::webhook_logs::{self, Outcome, WebhookState};
use tracing::Span;

use super::queue::error_chain;
use super::{apply, receive};
use crate::Engine;

/// Why a body was not replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// No such entry.
    #[error("there is no webhook log entry with this id")]
    NotFound,
    /// Its door is not part of this build any more.
    #[error("no channel of this server receives webhooks at {0}")]
    NoDoor(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a replay of many went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct ReplayReport {
    /// Applied now.
    pub applied: u64,
    /// Still not.
    pub remaining: u64,
}

/// Applies one kept body again; returns its new state.
pub async fn replay(engine: &Engine, id: WebhookLogId) -> Result<WebhookState, ReplayError> {
    let kept = engine.store.read(move |tx| webhook_logs::body(tx, id)).await?;
    let kept = kept.ok_or(ReplayError::NotFound)?;
    let door = registry::doors().into_iter().find(|d| d.path() == kept.door);
    let door = door.ok_or(ReplayError::NoDoor(kept.door))?;
    let verified_by = kept.verified_by.map_or(VerifiedBy::Settings, VerifiedBy::Inbox);
    let events = match receive::read(door, &kept.body) {
        Ok(events) => events,
        Err(error) => {
            let reason = error.to_string();
            return Ok(note(engine, id, WebhookState::Unreadable, 0, reason).await?);
        }
    };
    let context = apply::Context::new(engine).await?;
    let (count, span) = (events.len() as i64, Span::current());
    let applied = engine
        .store
        .write(move |tx| apply::apply_again(tx, &context, door.path(), verified_by, &events, id, &span))
        .await;
    match applied {
        Ok(state) => Ok(state),
        Err(error) if error.is_unavailable() => Err(error.into()),
        Err(error) => Ok(note(engine, id, WebhookState::Failed, count, error_chain(&error)).await?),
    }
}

async fn note(
    engine: &Engine,
    id: WebhookLogId,
    state: WebhookState,
    events: i64,
    reason: String,
) -> Result<WebhookState, StoreError> {
    let now = engine.clock.now();
    engine
        .store
        .write(move |tx| {
            let outcome = Outcome { state, error: Some(&reason), events, account_id: None, inbox_id: None };
            webhook_logs::set_outcome(tx, id, &outcome, now)
        })
        .await?;
    Ok(state)
}

/// Applies everything again that is kept but not applied.
pub async fn replay_open(engine: &Engine) -> Result<ReplayReport, ReplayError> {
    let mut report = ReplayReport::default();
    for state in
        [WebhookState::Pending, WebhookState::Failed, WebhookState::Unrouted, WebhookState::Unreadable]
    {
        let mut after = WebhookLogId(0);
        loop {
            let ids = engine.store.read(move |tx| webhook_logs::open_of_state(tx, state, after, 500)).await?;
            let Some(last) = ids.last() else { break };
            after = *last;
            for id in ids {
                match replay(engine, id).await? {
                    WebhookState::Applied => report.applied += 1,
                    _ => report.remaining += 1,
                }
            }
        }
    }
    Ok(report)
}
