//! Webhooks on their way out: once each, in any order, never again whatever becomes of them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use axum::http::header::{ACCEPT, CONTENT_TYPE};

use super::messages;
use super::signature::{escape_rails, sign};
use super::turn::Told;
use super::within;
use crate::channel::Channel;
use crate::faults::{FaultScope, FaultStage};
use crate::sandbox::Sandbox;
use crate::webhooks::WebhookDelivery;

/// A held-back event goes out after this long.
const REORDER_DELAY: Duration = Duration::from_millis(750);
/// Longer bodies are sent, but not recorded.
const RECORDED_BODY_MAX_BYTES: usize = 64 * 1024;

/// One POST to be made.
struct Parcel {
    account_id: i64,
    url: String,
    secret: String,
    /// Where it fails, the message is marked as failed.
    of_inbox: Option<i64>,
    delivery_id: String,
    told: Told,
}

/// Sends events to whoever subscribed to them, through the webhook faults.
pub(crate) fn tell(sandbox: &Sandbox, account_id: i64, told: Vec<Told>) {
    for told in told {
        let draw = |stage| sandbox.draw_fault(Channel::Chatwoot, stage, FaultScope::All).is_some();
        if draw(FaultStage::Drop) {
            continue;
        }
        let copies = 1 + usize::from(draw(FaultStage::Duplicate));
        let delay = if draw(FaultStage::Reorder) { REORDER_DELAY } else { Duration::ZERO };
        for parcel in parcels(sandbox, account_id, &told) {
            let (sandbox, pending) = (sandbox.clone(), sandbox.webhooks().pending());
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                for _ in 0..copies {
                    post(&sandbox, &parcel).await;
                }
                drop(pending);
            });
        }
    }
}

/// One for each subscription, and one for the inbox where it happened.
fn parcels(sandbox: &Sandbox, account_id: i64, told: &Told) -> Vec<Parcel> {
    let mut world = sandbox.world();
    let Some(account) = world.chatwoot.accounts.get(&account_id) else { return Vec::new() };
    let wanted = |events: &BTreeSet<String>| events.contains(told.event);
    let subscribed = account.webhooks.values().filter(|webhook| wanted(&webhook.subscriptions));
    let mut targets: Vec<(String, String, Option<i64>)> =
        subscribed.map(|webhook| (webhook.url.clone(), webhook.secret.clone(), None)).collect();
    if let Some(inbox) = told.inbox_id.and_then(|id| account.inboxes.get(&id))
        && let Some(url) = &inbox.webhook_url
    {
        targets.push((url.clone(), inbox.secret.clone(), Some(inbox.id)));
    }
    let parcel = |(url, secret, of_inbox)| {
        let delivery_id = world.ids.uuid();
        Parcel { account_id, url, secret, of_inbox, delivery_id, told: told.clone() }
    };
    targets.into_iter().map(parcel).collect()
}

async fn post(sandbox: &Sandbox, parcel: &Parcel) {
    let settings = sandbox.world().chatwoot.settings.clone();
    let body = escape_rails(&parcel.told.body.to_string());
    let timestamp_s = sandbox.clock().now().div_euclid(1_000);
    let signature = settings.signs.then(|| sign(&parcel.secret, timestamp_s, body.as_bytes()));
    let seq = sandbox.world().webhooks.push(WebhookDelivery {
        at_ms: sandbox.clock().now(),
        channel: Channel::Chatwoot,
        inbox_ids: parcel.told.inbox_id.map(|id| format!("chatwoot-{id}")).into_iter().collect(),
        message_ids: parcel.told.message.map(|(_, id)| id.to_string()).into_iter().collect(),
        url: parcel.url.clone(),
        attempt: 1,
        signature: signature.clone(),
        body: (body.len() <= RECORDED_BODY_MAX_BYTES).then(|| body.clone()),
        http_status: None,
        error: None,
        duration_ms: None,
        will_retry: false,
    });
    let mut request = sandbox
        .http()
        .post(&parcel.url)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .header("x-chatwoot-delivery", &parcel.delivery_id)
        .timeout(Duration::from_millis(settings.webhook_timeout_ms));
    if let Some(signature) = signature {
        request = request
            .header("x-chatwoot-signature", signature)
            .header("x-chatwoot-timestamp", timestamp_s.to_string());
    }
    let started = Instant::now();
    let answer = request.body(body).send().await;
    let taken = answer.as_ref().is_ok_and(|response| response.status().is_success());
    let error = match &answer {
        Ok(response) => format!("{} {}", response.status().as_u16(), response.status()),
        Err(error) => error.to_string(),
    };
    if let Some(record) = sandbox.world().webhooks.find_mut(seq) {
        record.http_status = answer.as_ref().ok().map(|response| response.status().as_u16());
        record.error = answer.err().map(|error| error.to_string());
        record.duration_ms = Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    }
    sandbox.changed("webhook", None, None);
    let is_message = ["message_created", "message_updated"].contains(&parcel.told.event);
    if let (false, true, Some(_), Some((conversation, id))) =
        (taken, is_message, parcel.of_inbox, parcel.told.message)
    {
        // Telling of that would fail the same way, for ever.
        drop(within(sandbox, parcel.account_id, None, |turn, _| {
            messages::set_status(turn, conversation, id, "failed", Some(error))?;
            turn.told.clear();
            Ok(())
        }));
    }
}
