//! What endpoints were told, every try of it, and telling it once more.

use frontdesk_model::{AccountId, Timestamp, WebhookEndpointId, WebhookSendId};
use frontdesk_store::StoreError;
use frontdesk_store::webhook_sends::{self, Attempt, SendFilter, WebhookSendRow};

use super::call;
use super::endpoints::{self, WebhookError};
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;

/// Tries shown of a delivery.
const TRIES: i64 = 50;
/// Deliveries replayed by one request.
const MAX_REPLAYED: i64 = 10_000;

/// How an endpoint does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Deliveries that wait.
    pub waiting: i64,
    /// Since when the oldest of them does.
    pub oldest_at: Option<Timestamp>,
    /// Deliveries that were given up, counted up to 1000.
    pub failed: i64,
}

/// How much waits for endpoints, in their order.
pub async fn depths(
    engine: &Engine,
    account: AccountId,
    ids: Vec<WebhookEndpointId>,
) -> Result<Vec<Depth>, StoreError> {
    engine
        .store
        .read(move |tx| {
            ids.iter()
                .map(|id| {
                    let (waiting, oldest_at, failed) = webhook_sends::depth(tx, account, *id)?;
                    Ok(Depth { waiting, oldest_at, failed })
                })
                .collect()
        })
        .await
}

/// The deliveries of an endpoint before an id, the newest first.
pub async fn list(
    engine: &Engine,
    account: AccountId,
    endpoint: WebhookEndpointId,
    filter: SendFilter,
    before: WebhookSendId,
    limit: i64,
) -> Result<Vec<WebhookSendRow>, WebhookError> {
    engine
        .store
        .read(move |tx| {
            endpoints::find_in(tx, account, endpoint)?;
            Ok(webhook_sends::list(tx, (account, endpoint), &filter, before, limit)?)
        })
        .await
}

/// A delivery and its tries, the newest first.
pub async fn get(
    engine: &Engine,
    account: AccountId,
    endpoint: WebhookEndpointId,
    id: WebhookSendId,
) -> Result<(WebhookSendRow, Vec<Attempt>), WebhookError> {
    engine
        .store
        .read(move |tx| {
            let row = webhook_sends::find(tx, account, endpoint, id)?;
            let row = row.ok_or(WebhookError::NotFound("delivery"))?;
            Ok((row, webhook_sends::attempts(tx, account, id, TRIES)?))
        })
        .await
}

/// The id by which the receiver knows a delivery.
pub fn id_of(row: &WebhookSendRow) -> String {
    call::id_of(row)
}

/// Tells something once more, with the same id.
pub async fn replay(
    engine: &Engine,
    actor: Actor,
    endpoint: WebhookEndpointId,
    id: WebhookSendId,
) -> Result<WebhookSendRow, WebhookError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    let give_up_at = now.plus_ms(engine.settings.webhooks.give_up_ms);
    let row = engine
        .store
        .write(move |tx| {
            let find = |tx: &mut _| {
                let row = webhook_sends::find(tx, account, endpoint, id)?;
                row.ok_or(WebhookError::NotFound("delivery"))
            };
            let row = find(tx)?;
            if !webhook_sends::replay(tx, &row, now, give_up_at)? {
                let sentence = "This delivery is still on its way.";
                return Err(WebhookError::Conflict(sentence.to_owned()));
            }
            find(tx)
        })
        .await?;
    engine.webhooks().work.notify_one();
    Ok(row)
}

/// Tells what was given up once more, of what happened at `since` or later; tells how much that is. The oldest 10,000 at once.
pub async fn replay_failed(
    engine: &Engine,
    actor: Actor,
    endpoint: WebhookEndpointId,
    since: Timestamp,
) -> Result<u64, WebhookError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    let give_up_at = now.plus_ms(engine.settings.webhooks.give_up_ms);
    let count = engine
        .store
        .write(move |tx| {
            endpoints::find_in(tx, account, endpoint)?;
            let of = (account, endpoint);
            let count = webhook_sends::replay_failed(tx, of, since, now, give_up_at, MAX_REPLAYED)?;
            let deed = Deed { action: "webhook.replayed", subject_type: "webhook", subject_id: endpoint.0 };
            let details = serde_json::json!({ "since": since, "count": count });
            audit::record(tx, actor, deed, Some(&details), now)?;
            Ok::<_, WebhookError>(count)
        })
        .await?;
    engine.webhooks().work.notify_one();
    Ok(count)
}
