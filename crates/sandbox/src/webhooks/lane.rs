//! One lane: takes events in order, gathers batches, sends them.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::event::{Event, envelope};
use super::post::{PreparedPost, post};
use super::{Pending, WebhookDelivery};
use crate::sandbox::{Sandbox, WeakSandbox};

/// Waits between attempts never exceed this.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Runs until the sandbox is gone.
pub(super) async fn run(sandbox: WeakSandbox, mut events: mpsc::Receiver<Event>) {
    while let Some(first) = events.recv().await {
        let Some(sandbox) = sandbox.upgrade() else { return };
        let batch = gather(&sandbox, first, &mut events).await;
        for group in by_target(&sandbox, batch) {
            send(&sandbox, group).await;
        }
    }
}

/// Events that go into one POST, where it goes, and their place in the count of pending ones.
struct Group {
    url: String,
    app_secret: Option<String>,
    events: Vec<Event>,
    pending: Vec<Pending>,
}

async fn gather(sandbox: &Sandbox, first: Event, events: &mut mpsc::Receiver<Event>) -> Vec<Event> {
    let settings = sandbox.world().settings.batch.clone();
    let mut batch = vec![first];
    let deadline = Instant::now() + Duration::from_millis(settings.window_ms);
    while batch.len() < settings.max_events {
        match timeout_at(deadline, events.recv()).await {
            Ok(Some(event)) => batch.push(event),
            Ok(None) | Err(_) => break,
        }
    }
    batch
}

/// Splits a batch by channel and target; events without a target are dropped here.
fn by_target(sandbox: &Sandbox, batch: Vec<Event>) -> Vec<Group> {
    let world = sandbox.world();
    let mut groups: Vec<Group> = Vec::new();
    for event in batch {
        let pending = sandbox.webhooks().taken();
        let Some(inbox) = world.inboxes.get(&event.inbox_id).filter(|inbox| inbox.subscribed) else {
            continue;
        };
        let target = inbox.webhook_target(&world.settings.webhook);
        let Some(url) = target.url else { continue };
        let fits = |group: &&mut Group| {
            group.url == url
                && group.app_secret == target.app_secret
                && group.events.first().is_some_and(|first| first.channel == event.channel)
        };
        match groups.iter_mut().find(fits) {
            Some(group) => {
                group.events.push(event);
                group.pending.push(pending);
            }
            None => groups.push(Group {
                url,
                app_secret: target.app_secret,
                events: vec![event],
                pending: vec![pending],
            }),
        }
    }
    groups
}

/// Sends a group; later attempts run beside the lane, as Meta's do.
async fn send(sandbox: &Sandbox, group: Group) {
    let Some(channel) = group.events.first().map(|event| event.channel) else { return };
    let body = envelope(channel, &group.events, sandbox.clock().now());
    let prepared = PreparedPost::new(group.url, group.app_secret.as_deref(), &body);
    let mut inbox_ids: Vec<String> = group.events.iter().map(|event| event.inbox_id.clone()).collect();
    inbox_ids.dedup();
    let record = WebhookDelivery {
        at_ms: 0,
        channel,
        inbox_ids,
        message_ids: group.events.into_iter().flat_map(|event| event.message_ids).collect(),
        url: prepared.url.clone(),
        attempt: 0,
        signature: prepared.signature.clone(),
        body: prepared.body_to_record(),
        http_status: None,
        error: None,
        duration_ms: None,
        will_retry: false,
    };
    if attempt(sandbox, &prepared, &record, 1).await {
        return;
    }
    let weak = sandbox.downgrade();
    let pending = group.pending;
    tokio::spawn(async move {
        retry(weak, prepared, record).await;
        drop(pending);
    });
}

async fn retry(sandbox: WeakSandbox, prepared: PreparedPost, record: WebhookDelivery) {
    let mut number = 1;
    loop {
        let Some(settings) = sandbox.upgrade().map(|sandbox| sandbox.world().settings.retry.clone()) else {
            return;
        };
        if number >= settings.max_attempts {
            return;
        }
        let doubled = settings.base_ms.saturating_mul(1_u64 << (number - 1).min(16));
        tokio::time::sleep(Duration::from_millis(doubled).min(LONGEST_WAIT)).await;
        number += 1;
        let Some(sandbox) = sandbox.upgrade() else { return };
        if attempt(&sandbox, &prepared, &record, number).await {
            return;
        }
    }
}

/// One POST, recorded before and after. True when it was answered with 2xx.
async fn attempt(sandbox: &Sandbox, prepared: &PreparedPost, record: &WebhookDelivery, number: u32) -> bool {
    let retry = sandbox.world().settings.retry.clone();
    let mut record = record.clone();
    record.at_ms = sandbox.clock().now();
    record.attempt = number;
    let seq = sandbox.world().webhooks.push(record);
    let answer = post(sandbox.http(), prepared, Duration::from_millis(retry.timeout_ms)).await;
    let done = answer.is_success();
    if let Some(entry) = sandbox.world().webhooks.find_mut(seq) {
        entry.http_status = answer.http_status;
        entry.error.clone_from(&answer.error);
        entry.duration_ms = Some(answer.duration_ms);
        entry.will_retry = !done && number < retry.max_attempts;
    }
    sandbox.changed("webhook", None, None);
    done
}
