//! How many requests a user may make per minute, counted across all nodes.

use std::collections::BTreeMap;

use frontdesk_model::{Timestamp, UserId};
use frontdesk_store::rate_limits::Used;
use frontdesk_store::{StoreError, Tx, rate_limits};
use tokio::sync::{mpsc, oneshot};

use crate::Engine;

const WINDOW_MS: i64 = 60_000;
/// So many requests are counted in one transaction.
const MOST_AT_ONCE: usize = 256;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `POST /admin/inbox/{id}/messages`.
    SendMessage,
    /// `GET /admin/inbox`.
    ListConversations,
    /// `GET /admin/inbox/{id}/suggest-ai`, and the same as a stream.
    Suggest,
}

impl Endpoint {
    fn name(self) -> &'static str {
        match self {
            Self::SendMessage => "send_message",
            Self::ListConversations => "list_conversations",
            Self::Suggest => "suggest",
        }
    }

    /// A read goes through uncounted when the counter cannot be written: looking is better than nothing.
    fn is_read(self) -> bool {
        matches!(self, Self::ListConversations)
    }
}

/// What is left of a limit after this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Whether this request may go on.
    pub allowed: bool,
    /// Requests per minute.
    pub limit: u32,
    /// How many more may follow in this window.
    pub remaining: u32,
    /// When the window ends.
    pub resets_at: Timestamp,
}

impl Allowance {
    /// Seconds until the window ends, at least 1.
    pub fn retry_after_secs(&self, now: Timestamp) -> u64 {
        secs_until(self.resets_at, now)
    }
}

/// Whole seconds from `now` to `at`, rounded up, at least 1.
pub(crate) fn secs_until(at: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(at.millis_since(now)).unwrap_or(0).div_ceil(1000).max(1)
}

/// Counts one request of a user.
pub async fn check(engine: &Engine, user: UserId, endpoint: Endpoint) -> Result<Allowance, StoreError> {
    let limit = match endpoint {
        Endpoint::SendMessage => engine.settings.limits.send_per_minute,
        Endpoint::ListConversations => engine.settings.limits.list_per_minute,
        Endpoint::Suggest => engine.settings.limits.suggest_per_minute,
    };
    match engine.request_counter().count(format!("api:{}:{user}", endpoint.name())).await {
        Ok(used) => {
            let count = u32::try_from(used.count).unwrap_or(u32::MAX);
            let remaining = limit.saturating_sub(count);
            Ok(Allowance { allowed: count <= limit, limit, remaining, resets_at: used.resets_at })
        }
        Err(error) if endpoint.is_read() => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a request was not counted");
            let resets_at = engine.clock.now().plus_ms(WINDOW_MS);
            Ok(Allowance { allowed: true, limit, remaining: limit, resets_at })
        }
        Err(error) => Err(error),
    }
}

/// Counts requests: those that come while others are being written down are written down together.
pub(crate) struct RequestCounter(mpsc::Sender<Request>);

/// The receiving end, to be handed to [`spawn`].
pub(crate) struct Requests(mpsc::Receiver<Request>);

struct Request {
    name: String,
    answer: oneshot::Sender<Result<Used, StoreError>>,
}

impl RequestCounter {
    pub(crate) fn new() -> (Self, Requests) {
        let (sender, receiver) = mpsc::channel(MOST_AT_ONCE);
        (Self(sender), Requests(receiver))
    }

    async fn count(&self, name: String) -> Result<Used, StoreError> {
        let (answer, used) = oneshot::channel();
        self.0.send(Request { name, answer }).await.map_err(|_| StoreError::Closed)?;
        used.await.map_err(|_| StoreError::Closed)?
    }
}

/// Starts counting. It goes on as long as the process: requests being drained are counted too.
pub(crate) fn spawn(engine: &Engine, mut requests: Requests) {
    let engine = engine.clone();
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(MOST_AT_ONCE);
        while requests.0.recv_many(&mut batch, MOST_AT_ONCE).await > 0 {
            answer(&engine, std::mem::take(&mut batch), &mut requests.0).await;
        }
    });
}

async fn answer(engine: &Engine, mut requests: Vec<Request>, behind: &mut mpsc::Receiver<Request>) {
    let mut times = BTreeMap::<String, i64>::new();
    for request in &requests {
        *times.entry(request.name.clone()).or_default() += 1;
    }
    let now = engine.clock.now();
    let counted = times.clone();
    let take = move |tx: &mut Tx<'_>| {
        tx.need_not_last()?; // nobody waits for a sync to be counted
        let counted = counted.iter().map(|(name, times)| (name.as_str(), *times)).collect();
        rate_limits::take_many(tx, &counted, WINDOW_MS, now)
    };
    match engine.store.write(take).await {
        Ok(used) => {
            for request in requests {
                // The first who came has used the least.
                let after = times.get_mut(&request.name).map_or(0, |left| {
                    *left -= 1;
                    *left
                });
                let used = used.get(&request.name).ok_or(StoreError::Closed);
                let used = used.map(|used| Used { count: used.count - after, ..*used });
                let _ = request.answer.send(used); // the request may have been given up
            }
        }
        Err(error) => {
            // Whoever waited behind them waited for the same database: a turn of their own would take as long again.
            while let Ok(request) = behind.try_recv() {
                requests.push(request);
            }
            for request in requests {
                let _ = request.answer.send(Err(StoreError::Unavailable(error.to_string())));
            }
        }
    }
}
