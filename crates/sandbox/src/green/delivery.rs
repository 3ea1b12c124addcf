//! Notifications on their way out: kept in the instance's queue, posted to its URL one after the other, or polled.
//!
//! As the real one: only 200 takes a notification out of the queue; after anything else the same one is posted again
//! (after `retry.base_ms` of the settings; really 60 s), and blocks all behind it, for a day.

use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};

use super::instance::Notification;
use crate::channel::Channel;
use crate::sandbox::{Sandbox, WeakSandbox};
use crate::webhooks::signature::sign;
use crate::webhooks::{Event, WebhookDelivery};

/// Longer bodies are sent, but not recorded.
const RECORDED_BODY_MAX_BYTES: usize = 64 * 1024;

/// Queues an event if the instance's settings want it.
pub(crate) fn queue(sandbox: &Sandbox, event: Event) {
    if sandbox.green(&event.inbox_id, |instance| instance.wants(&event.content)) {
        queue_as_is(sandbox, event);
    }
}

/// Queues an event whatever the settings say.
pub(crate) fn queue_as_is(sandbox: &Sandbox, event: Event) {
    let now = sandbox.clock().now();
    sandbox.green(&event.inbox_id, |instance| {
        instance.forget_expired(now);
        instance.last_receipt_id += 1;
        instance.notifications.push_back(Notification {
            receipt_id: instance.last_receipt_id,
            body: event.content,
            message_ids: event.message_ids,
            at_ms: now,
        });
        instance.arrived.notify_waiters();
    });
    start(sandbox, &event.inbox_id);
}

/// Begins to deliver what waits, if there is a URL and nobody does so yet.
pub(crate) fn start(sandbox: &Sandbox, inbox_id: &str) {
    let has_url = target(sandbox, inbox_id).is_some();
    let begin = sandbox.green(inbox_id, |instance| {
        let begin = has_url && !instance.delivering && !instance.notifications.is_empty();
        instance.delivering |= begin;
        begin
    });
    if begin {
        let (weak, inbox_id, pending) =
            (sandbox.downgrade(), inbox_id.to_owned(), sandbox.webhooks().pending());
        tokio::spawn(async move {
            run(weak, &inbox_id).await;
            drop(pending);
        });
    }
}

/// Where an instance's webhooks go.
struct Target {
    url: String,
    authorization: Option<String>,
    secret: Option<String>,
}

/// The URL of the settings, else the inbox's own.
fn target(sandbox: &Sandbox, inbox_id: &str) -> Option<Target> {
    let webhook = sandbox.world().inboxes.get(inbox_id)?.webhook.clone();
    let (url, token) = sandbox.green(inbox_id, |instance| {
        (instance.setting("webhookUrl").to_owned(), instance.setting("webhookUrlToken").to_owned())
    });
    let url = Some(url).filter(|url| !url.is_empty()).or(webhook.url)?;
    // A token that names its scheme is sent as it stands.
    let authorization = match token.split_once(' ') {
        _ if token.is_empty() => None,
        Some(_) => Some(token),
        None => Some(format!("Bearer {token}")),
    };
    Some(Target { url, authorization, secret: webhook.app_secret })
}

/// The URL that webhooks go to, if any: polling is then refused.
pub(super) fn is_pushed(sandbox: &Sandbox, inbox_id: &str) -> bool {
    target(sandbox, inbox_id).is_some()
}

async fn run(weak: WeakSandbox, inbox_id: &str) {
    let mut attempt = 0;
    loop {
        let Some(sandbox) = weak.upgrade() else { return };
        let now = sandbox.clock().now();
        let target = target(&sandbox, inbox_id);
        let next = sandbox.green(inbox_id, |instance| {
            instance.forget_expired(now);
            let next = instance.notifications.front().cloned().zip(target);
            instance.delivering = next.is_some();
            next
        });
        let Some((notification, target)) = next else { return };
        attempt += 1;
        if post(&sandbox, inbox_id, &notification, target, attempt).await {
            attempt = 0;
            sandbox.green(inbox_id, |instance| {
                instance.notifications.retain(|kept| kept.receipt_id != notification.receipt_id);
            });
            continue;
        }
        let pause = Duration::from_millis(sandbox.world().settings.retry.base_ms);
        drop(sandbox);
        tokio::time::sleep(pause).await;
    }
}

/// One POST, recorded before and after. True when it was answered with 200.
async fn post(
    sandbox: &Sandbox,
    inbox_id: &str,
    notification: &Notification,
    target: Target,
    attempt: u32,
) -> bool {
    let body = notification.body.to_string();
    let signature = target.secret.as_deref().map(|secret| sign(secret, body.as_bytes()));
    let seq = sandbox.world().webhooks.push(WebhookDelivery {
        at_ms: sandbox.clock().now(),
        channel: Channel::GreenApi,
        inbox_ids: vec![inbox_id.to_owned()],
        message_ids: notification.message_ids.clone(),
        url: target.url.clone(),
        attempt,
        signature: signature.clone(),
        body: (body.len() <= RECORDED_BODY_MAX_BYTES).then(|| body.clone()),
        http_status: None,
        error: None,
        duration_ms: None,
        will_retry: false,
    });
    let timeout = Duration::from_millis(sandbox.world().settings.retry.timeout_ms);
    let mut request =
        sandbox.http().post(&target.url).header(CONTENT_TYPE, "application/json").timeout(timeout);
    if let Some(authorization) = target.authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    if let Some(signature) = signature {
        request = request.header("x-hub-signature-256", signature);
    }
    let started = Instant::now();
    let answer = request.body(body).send().await;
    let taken = answer.as_ref().is_ok_and(|response| response.status() == 200);
    if let Some(record) = sandbox.world().webhooks.find_mut(seq) {
        record.http_status = answer.as_ref().ok().map(|response| response.status().as_u16());
        record.error = answer.err().map(|error| error.to_string());
        record.duration_ms = Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
        record.will_retry = !taken;
    }
    sandbox.changed("webhook", None, Some(inbox_id));
    taken
}
