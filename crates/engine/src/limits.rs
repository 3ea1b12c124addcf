//! How many requests a user may make per minute, counted across all nodes.

use frontdesk_model::{Timestamp, UserId};
use frontdesk_store::{StoreError, Tx, rate_limits};

use crate::Engine;

const WINDOW_MS: i64 = 60_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `POST /admin/inbox/{id}/messages`.
    SendMessage,
    /// `GET /admin/inbox`.
    ListConversations,
}

impl Endpoint {
    fn name(self) -> &'static str {
        match self {
            Self::SendMessage => "send_message",
            Self::ListConversations => "list_conversations",
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
    };
    let name = format!("api:{}:{user}", endpoint.name());
    let now = engine.clock.now();
    let take = move |tx: &mut Tx<'_>| {
        tx.need_not_last()?; // requests of one user do not wait for each other's sync
        rate_limits::take(tx, &name, WINDOW_MS, now)
    };
    match engine.store.write(take).await {
        Ok(used) => {
            let count = u32::try_from(used.count).unwrap_or(u32::MAX);
            let remaining = limit.saturating_sub(count);
            Ok(Allowance { allowed: count <= limit, limit, remaining, resets_at: used.resets_at })
        }
        Err(error) if endpoint.is_read() => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a request was not counted");
            Ok(Allowance { allowed: true, limit, remaining: limit, resets_at: now.plus_ms(WINDOW_MS) })
        }
        Err(error) => Err(error),
    }
}
