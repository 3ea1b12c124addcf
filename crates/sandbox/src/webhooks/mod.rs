//! The webhook sender that all fakes share: lanes that keep a customer's order, batching, retries, a record of each POST.
//!
//! A fake provider queues [`Event`]s; [`event::envelope`] wraps them as that provider does, [`signature`] signs them.

pub mod event;
mod lane;
mod post;
pub mod signature;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{Notify, mpsc};
use utoipa::ToSchema;

use crate::channel::Channel;
use crate::clock::TimeMs;
use crate::sandbox::Sandbox;

pub use event::{Event, EventClass};
pub use post::{Answer, PreparedPost, post};

/// Events of different customers go out side by side in this many lanes.
const LANES: usize = 16;
/// Events that a lane holds; beyond, new ones are dropped and counted.
const LANE_CAPACITY: usize = 10_000;

/// One POST of one webhook body.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// When it was sent, in milliseconds since 1970.
    pub at_ms: TimeMs,
    /// Kind of network.
    pub channel: Channel,
    /// Inboxes whose events it carries.
    pub inbox_ids: Vec<String>,
    /// Message ids that it names.
    pub message_ids: Vec<String>,
    /// Where it went.
    pub url: String,
    /// 1 for the first try.
    pub attempt: u32,
    /// `X-Hub-Signature-256`, when signed.
    pub signature: Option<String>,
    /// Body as sent, for bodies up to 64 KiB.
    pub body: Option<String>,
    /// Status of the answer; `null`: none came, or it is still waited for.
    pub http_status: Option<u16>,
    /// Why no answer came.
    pub error: Option<String>,
    /// How long the answer took, in milliseconds; `null`: still waited for.
    pub duration_ms: Option<u64>,
    /// True when another attempt follows.
    pub will_retry: bool,
}

/// Counts of the sender.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct WebhookBacklog {
    /// Events queued, under way or waiting for another attempt.
    pub pending: usize,
    /// Events dropped because a lane was full.
    pub dropped: usize,
}

/// The queue side of the sender.
#[derive(Debug)]
pub struct WebhookSender {
    lanes: Mutex<Vec<Option<mpsc::Sender<Event>>>>,
    pending: Arc<AtomicUsize>,
    dropped: AtomicUsize,
    idle: Arc<Notify>,
}

impl Default for WebhookSender {
    fn default() -> Self {
        Self {
            lanes: Mutex::new(vec![None; LANES]),
            pending: Arc::new(AtomicUsize::new(0)),
            dropped: AtomicUsize::new(0),
            idle: Arc::new(Notify::new()),
        }
    }
}

/// Something under way that ends in webhooks; while one exists the sandbox is not idle.
#[derive(Debug)]
pub struct Pending {
    count: Arc<AtomicUsize>,
    idle: Arc<Notify>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.idle.notify_waiters();
        }
    }
}

impl WebhookSender {
    /// Says that something is under way until the guard is dropped.
    #[must_use]
    pub fn pending(&self) -> Pending {
        self.pending.fetch_add(1, Ordering::AcqRel);
        Pending { count: Arc::clone(&self.pending), idle: Arc::clone(&self.idle) }
    }

    /// Queues an event. Lanes start with their first event, so this needs a Tokio runtime.
    pub fn queue(&self, sandbox: &Sandbox, event: Event, batching: bool) {
        let lane = lane_of(&event, batching);
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = lanes[lane].get_or_insert_with(|| {
            let (sender, receiver) = mpsc::channel(LANE_CAPACITY);
            tokio::spawn(lane::run(sandbox.downgrade(), receiver));
            sender
        });
        self.pending.fetch_add(1, Ordering::AcqRel);
        if sender.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            drop(self.taken());
        }
    }

    /// Takes over the count of one queued event.
    fn taken(&self) -> Pending {
        Pending { count: Arc::clone(&self.pending), idle: Arc::clone(&self.idle) }
    }

    /// How much is waiting.
    #[must_use]
    pub fn backlog(&self) -> WebhookBacklog {
        WebhookBacklog {
            pending: self.pending.load(Ordering::Acquire),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }

    /// Waits until nothing is under way; false when that took longer than `limit`.
    pub async fn wait_idle(&self, limit: Duration) -> bool {
        let wait = async {
            loop {
                let notified = self.idle.notified();
                tokio::pin!(notified);
                notified.as_mut().enable();
                if self.pending.load(Ordering::Acquire) == 0 {
                    return;
                }
                notified.await;
            }
        };
        tokio::time::timeout(limit, wait).await.is_ok()
    }
}

/// One lane per customer; with batching one per channel, so that events of many customers meet.
fn lane_of(event: &Event, batching: bool) -> usize {
    let mut hasher = DefaultHasher::new();
    event.channel.hash(&mut hasher);
    if !batching {
        event.customer_id.hash(&mut hasher);
    }
    usize::try_from(hasher.finish() % LANES as u64).unwrap_or(0)
}
