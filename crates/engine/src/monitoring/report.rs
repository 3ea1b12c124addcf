//! What goes on, put together for people and programs: the figures of all nodes, of each inbox and in total. How that is
//! going is said in [`super::health`].

use std::collections::BTreeMap;

use frontdesk_model::sync::SyncProvider;
use frontdesk_model::{AccountId, InboxId, Timestamp};
use frontdesk_store::alerts::AlertRow;
use frontdesk_store::inboxes::InboxRow;
use frontdesk_store::metric_slots::{self, MetricSlot};
use frontdesk_store::{StoreError, alerts, outbox, sync_connections};
use serde::Serialize;

use super::CHATWOOT;
use super::figures::Figures;
use super::meter::{SLOT_MS, slot_start};
use super::slots::{self, LONG_SLOT_SECS};
use crate::{Engine, chatwoot, inboxes};

/// The name of the integration.
pub(super) const CHATWOOT_WORD: &str = "chatwoot";
/// Inboxes of one account that are reported on.
const MAX_INBOXES: i64 = 10_000;
/// What a node said of its breaker this long ago still holds.
const BREAKER_MS: i64 = 2 * SLOT_MS;

frontdesk_model::words! {
    /// How far back figures look.
    pub enum Window {
        /// The last five minutes.
        FiveMinutes = "5m",
        /// The last quarter of an hour.
        Quarter = "15m",
        /// The last hour.
        Hour = "1h",
        /// The last six hours.
        SixHours = "6h",
        /// The last day.
        Day = "24h",
        /// The last week.
        Week = "7d",
    }
}

impl Window {
    /// Its length in seconds.
    pub const fn secs(self) -> i64 {
        match self {
            Self::FiveMinutes => 300,
            Self::Quarter => 900,
            Self::Hour => 3_600,
            Self::SixHours => 21_600,
            Self::Day => 86_400,
            Self::Week => 604_800,
        }
    }

    /// The length of a part of its trend: whole slots, of the kind kept for that long.
    const fn step_secs(self) -> i64 {
        match self {
            Self::FiveMinutes => 10,
            Self::Quarter => 20,
            Self::Hour => 60,
            Self::SixHours => 2 * LONG_SLOT_SECS,
            Self::Day => 6 * LONG_SLOT_SECS,
            Self::Week => 36 * LONG_SLOT_SECS,
        }
    }
}

frontdesk_model::words! {
    /// What a breaker does with the next message.
    pub enum BreakerWord {
        /// It lets it go.
        Closed = "closed",
        /// It tries one at a time.
        HalfOpen = "half_open",
        /// It leaves the provider alone.
        Open = "open",
    }
}

/// Calls to the provider.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RequestFigures {
    /// Requests that left, retries included.
    pub total: u64,
    /// Those not answered with success.
    pub errors: u64,
    /// Share that failed, 0 to 1; null without requests.
    #[schema(required = true)]
    pub error_rate: Option<f64>,
    /// Share that succeeded, 0 to 1; null without requests.
    #[schema(required = true)]
    pub success_rate: Option<f64>,
    /// By how they ended: `ok`, `rejected` (4xx), `throttled` (429), `provider_fault` (5xx), `bad_answer`, `unreachable`,
    /// `ambiguous` (no whole answer came).
    pub by_outcome: BTreeMap<String, u64>,
    /// Requests that never left: held back by our own limit or breaker.
    pub held: u64,
}

/// How long the provider took to answer, in milliseconds; null while nothing was answered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ResponseTimes {
    /// Average.
    #[schema(required = true)]
    pub avg: Option<f64>,
    /// Half of the requests keep it.
    #[schema(required = true)]
    pub p50: Option<f64>,
    /// 95 of 100 keep it.
    #[schema(required = true)]
    pub p95: Option<f64>,
    /// 99 of 100 keep it.
    #[schema(required = true)]
    pub p99: Option<f64>,
}

/// Limits on requests.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RateLimitFigures {
    /// How often a limit, ours or the provider's, made a request wait or refused it.
    pub hits: u64,
    /// How often ours made one wait.
    pub waits: u64,
    /// How long such a wait was on average; null without any.
    #[schema(required = true)]
    pub avg_wait_ms: Option<f64>,
}

/// Messages.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MessageFigures {
    /// The provider took them.
    pub sent: u64,
    /// Customers wrote them.
    pub received: u64,
    /// They failed for good.
    pub failed: u64,
    /// Attempts that did not succeed and are made again.
    pub retried: u64,
    /// Nobody knows whether they arrived.
    pub unknown: u64,
    /// Share of the attempts that did not succeed, 0 to 1; null without attempts.
    #[schema(required = true)]
    pub failure_rate: Option<f64>,
}

/// Webhooks.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WebhookFigures {
    /// Webhooks that came in.
    pub received: u64,
    /// Those seen before.
    pub repeated: u64,
    /// Those that were refused, unreadable, for no inbox, or could not be applied.
    pub errors: u64,
    /// Share of errors, 0 to 1; null without webhooks.
    #[schema(required = true)]
    pub failure_rate: Option<f64>,
    /// What they told, by kind: `message`, `status`, `reaction`…
    pub by_type: BTreeMap<String, u64>,
    /// The same in the provider's own words, where it has some: `incomingMessageReceived`, `outgoingMessageStatus`…
    pub by_provider_type: BTreeMap<String, u64>,
}

/// What waits to be sent.
#[derive(Debug, Default, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct QueueFigures {
    /// How much.
    pub depth: i64,
    /// How long the oldest of it has waited; null when nothing waits.
    #[schema(required = true)]
    pub oldest_age_secs: Option<i64>,
}

/// What happened within a window.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FiguresView {
    /// Calls to the provider.
    pub requests: RequestFigures,
    /// How long they took.
    pub response_time_ms: ResponseTimes,
    /// Limits on them.
    pub rate_limit: RateLimitFigures,
    /// Messages.
    pub messages: MessageFigures,
    /// Webhooks.
    pub webhooks: WebhookFigures,
    /// What waits to be sent now.
    pub queue: QueueFigures,
    /// When the last request ended; null when that is longer ago than figures are kept.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_request_at: Option<Timestamp>,
}

/// One inbox.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InboxFigures {
    /// Its id.
    pub inbox_id: i64,
    /// Its name.
    pub name: String,
    /// Its channel.
    pub channel: String,
    /// False while it is switched off.
    pub enabled: bool,
    /// What its breaker does: the strictest of all nodes.
    pub breaker: BreakerWord,
    /// What happened.
    #[serde(flatten)]
    pub figures: FiguresView,
}

/// What happened within one part of the window.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TrendPoint {
    /// When the part begins.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Requests that left.
    pub requests: u64,
    /// Those that failed, by how.
    pub errors: BTreeMap<String, u64>,
    /// How long they took.
    pub response_time_ms: ResponseTimes,
    /// Messages that the provider took.
    pub sent: u64,
    /// Messages that customers wrote.
    pub received: u64,
    /// Messages that failed for good.
    pub failed: u64,
    /// Webhooks that came in.
    pub webhooks: u64,
    /// The most that waited to be sent in one inbox.
    pub queue_depth: u64,
}

/// What an account works with besides its inboxes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IntegrationFigures {
    /// `chatwoot`.
    pub name: &'static str,
    /// What its breaker does: the strictest of all nodes.
    pub breaker: BreakerWord,
    /// What happened.
    #[serde(flatten)]
    pub figures: FiguresView,
}

/// The figures of an account.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MetricsReport {
    /// As of when.
    #[schema(value_type = String, format = DateTime)]
    pub generated_at: Timestamp,
    /// How far back.
    pub window: Window,
    /// The same in seconds.
    pub window_secs: i64,
    /// The length of a part of the trend.
    pub step_secs: i64,
    /// All inboxes and integrations together; in the server's first account with webhooks that were nobody's.
    pub total: FiguresView,
    /// Each inbox by itself.
    pub inboxes: Vec<InboxFigures>,
    /// Each integration by itself: Chatwoot, where it is connected.
    pub integrations: Vec<IntegrationFigures>,
    /// How it went, the oldest part first; of the inbox asked for, or of all.
    pub trend: Vec<TrendPoint>,
}

/// What is read for a report.
pub(super) struct Material {
    pub(super) now: Timestamp,
    pub(super) slots: Vec<MetricSlot>,
    pub(super) inboxes: Vec<InboxRow>,
    pub(super) queues: BTreeMap<InboxId, QueueFigures>,
    pub(super) last_requests: BTreeMap<InboxId, Timestamp>,
    pub(super) firing: Vec<AlertRow>,
    pub(super) has_chatwoot: bool,
}

pub(super) async fn gather(
    engine: &Engine,
    account: AccountId,
    window_secs: i64,
) -> Result<Material, StoreError> {
    slots::flush(engine).await?;
    let has_chatwoot = has_chatwoot(engine, account).await?;
    let now = engine.clock.now();
    // Long slots that began before the window reach into it.
    let since = slot_start(now).plus_ms(SLOT_MS - window_secs * 1000);
    let read = engine
        .store
        .read(move |tx| {
            let firing: Vec<_> =
                alerts::firing(tx)?.into_iter().filter(|alert| alert.account_id == account).collect();
            Ok::<_, StoreError>((
                metric_slots::of_account(tx, account, since)?,
                frontdesk_store::inboxes::list(tx, account, InboxId(0), MAX_INBOXES)?,
                outbox::depths_of_account(tx, account)?,
                metric_slots::last_requests(tx, account)?,
                firing,
            ))
        })
        .await?;
    let (slots, inboxes, depths, last_requests, firing) = read;
    let queues = depths.into_iter().map(|(inbox, depth, since)| {
        let oldest_age_secs = Some(now.millis_since(since).max(0) / 1000);
        (inbox, QueueFigures { depth, oldest_age_secs })
    });
    let (queues, last_requests) = (queues.collect(), last_requests.into_iter().collect());
    Ok(Material { now, slots, inboxes, queues, last_requests, firing, has_chatwoot })
}

/// The figures of an account. The trend is that of `inbox`, or of all.
pub async fn metrics(
    engine: &Engine,
    account: AccountId,
    window: Window,
    inbox: Option<InboxId>,
) -> Result<MetricsReport, StoreError> {
    let material = gather(engine, account, window.secs()).await?;
    // Reading thousands of response times takes a while: not on a thread that answers others.
    let report = tokio::task::spawn_blocking(move || put_together(&material, window, inbox)).await;
    report.map_err(|error| StoreError::Unavailable(error.to_string()))
}

fn put_together(material: &Material, window: Window, inbox: Option<InboxId>) -> MetricsReport {
    let step_ms = window.step_secs() * 1000;
    let (now, mut total) = (material.now, Figures::default());
    let mut by_inbox: BTreeMap<InboxId, Figures> = BTreeMap::new();
    let mut by_time: BTreeMap<i64, Figures> = BTreeMap::new();
    for slot in &material.slots {
        let figures = Figures::read(slot);
        if inbox.is_none_or(|wanted| wanted == slot.inbox_id) {
            let at = slot.slot_at.as_millis();
            by_time.entry(at - at % step_ms).or_default().add(&figures);
        }
        by_inbox.entry(slot.inbox_id).or_default().add(&figures);
    }
    for figures in by_inbox.values() {
        total.add(figures);
    }
    let all = QueueFigures {
        depth: material.queues.values().map(|queue| queue.depth).sum(),
        oldest_age_secs: material.queues.values().filter_map(|queue| queue.oldest_age_secs).max(),
    };
    let nothing = Figures::default();
    let inboxes = material.inboxes.iter().map(|row| {
        let id = row.config.id;
        InboxFigures {
            inbox_id: id.0,
            name: row.config.name.clone(),
            channel: row.config.channel.clone(),
            enabled: row.config.enabled,
            breaker: material.breaker(id),
            figures: view(
                by_inbox.get(&id).unwrap_or(&nothing),
                material.queues.get(&id).copied().unwrap_or_default(),
                material.last_requests.get(&id).copied(),
            ),
        }
    });
    let integrations = material.has_chatwoot.then(|| IntegrationFigures {
        name: CHATWOOT_WORD,
        breaker: material.breaker(CHATWOOT),
        figures: view(
            by_inbox.get(&CHATWOOT).unwrap_or(&nothing),
            QueueFigures::default(),
            material.last_requests.get(&CHATWOOT).copied(),
        ),
    });
    MetricsReport {
        generated_at: now,
        window,
        window_secs: window.secs(),
        step_secs: window.step_secs(),
        total: view(&total, all, material.last_requests.values().max().copied()),
        inboxes: inboxes.collect(),
        integrations: integrations.into_iter().collect(),
        trend: trend(by_time, now, window),
    }
}

/// A point for every part of the window, also where nothing happened.
fn trend(mut by_time: BTreeMap<i64, Figures>, now: Timestamp, window: Window) -> Vec<TrendPoint> {
    let step_ms = window.step_secs() * 1000;
    let last = now.as_millis() - now.as_millis() % step_ms;
    let first = last - (window.secs() * 1000 / step_ms - 1) * step_ms;
    let mut points = Vec::new();
    let mut at = first;
    while at <= last {
        let figures = by_time.remove(&at).unwrap_or_default();
        let failed = figures.counts.outcomes.iter().filter(|(outcome, _)| *outcome != "ok");
        points.push(TrendPoint {
            at: Timestamp::from_millis(at),
            requests: figures.requests(),
            errors: failed.map(|(outcome, number)| (outcome.to_string(), *number)).collect(),
            response_time_ms: times(&figures),
            sent: figures.counts.sent,
            received: figures.counts.received,
            failed: figures.counts.failed,
            webhooks: figures.counts.webhooks,
            queue_depth: figures.counts.queue_depth,
        });
        at += step_ms;
    }
    points
}

fn view(figures: &Figures, queue: QueueFigures, last_request_at: Option<Timestamp>) -> FiguresView {
    let counts = &figures.counts;
    let words = |words: &super::figures::ByWord| words.iter().map(|(w, n)| (w.to_string(), *n)).collect();
    FiguresView {
        requests: RequestFigures {
            total: figures.requests(),
            errors: figures.errors(),
            error_rate: figures.error_rate().map(share),
            success_rate: figures.error_rate().map(|rate| share(1.0 - rate)),
            by_outcome: words(&counts.outcomes),
            held: counts.held,
        },
        response_time_ms: times(figures),
        rate_limit: RateLimitFigures {
            hits: counts.limit_hits,
            waits: counts.limit_waits,
            avg_wait_ms: figures.average_wait().map(ms),
        },
        messages: MessageFigures {
            sent: counts.sent,
            received: counts.received,
            failed: counts.failed,
            retried: counts.retried,
            unknown: counts.unknown,
            failure_rate: figures.message_failure_rate().map(share),
        },
        webhooks: WebhookFigures {
            received: counts.webhooks,
            repeated: counts.webhooks_repeated,
            errors: counts.webhook_errors,
            failure_rate: figures.webhook_failure_rate().map(share),
            by_type: words(&counts.webhook_types),
            by_provider_type: words(&counts.webhook_provider_types),
        },
        queue,
        last_request_at,
    }
}

fn times(figures: &Figures) -> ResponseTimes {
    ResponseTimes {
        avg: figures.average().map(ms),
        p50: figures.percentile(0.5).map(ms),
        p95: figures.percentile(0.95).map(ms),
        p99: figures.percentile(0.99).map(ms),
    }
}

/// Seconds as milliseconds with two places.
pub(super) fn ms(secs: f64) -> f64 {
    (secs * 100_000.0).round() / 100.0
}

/// A share with five places.
pub(super) fn share(share: f64) -> f64 {
    (share * 100_000.0).round() / 100_000.0
}

impl Material {
    /// What the nodes last said of an inbox's breaker: the strictest.
    pub(super) fn breaker(&self, inbox: InboxId) -> BreakerWord {
        let lately = slot_start(self.now).plus_ms(-BREAKER_MS);
        let recent = self.slots.iter().filter(|slot| slot.inbox_id == inbox && slot.slot_at >= lately);
        let mut newest: BTreeMap<&str, &MetricSlot> = BTreeMap::new();
        for slot in recent {
            newest.insert(&slot.node_id, slot); // they come in order of time
        }
        let until = newest.values().filter_map(|slot| Figures::read(slot).counts.breaker_until).max();
        match until {
            None => BreakerWord::Closed,
            Some(until) if Timestamp::from_millis(until) > self.now => BreakerWord::Open,
            Some(_) => BreakerWord::HalfOpen,
        }
    }
}

/// True when the account has a Chatwoot, by the settings or by a connection of its own.
async fn has_chatwoot(engine: &Engine, account: AccountId) -> Result<bool, StoreError> {
    if chatwoot::is_of(engine, account).await? {
        return Ok(true);
    }
    let connections = engine.store.read(move |tx| sync_connections::list(tx, account)).await?;
    Ok(connections.iter().any(|row| row.provider == SyncProvider::Chatwoot))
}

/// True when the account has an inbox of this id, or a Chatwoot where [`CHATWOOT`] is asked for.
pub async fn has_inbox(engine: &Engine, account: AccountId, inbox: InboxId) -> Result<bool, StoreError> {
    if inbox == CHATWOOT {
        return has_chatwoot(engine, account).await;
    }
    match inboxes::get(engine, account, inbox).await {
        Ok(_) => Ok(true),
        Err(inboxes::InboxError::Store(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_window_has_a_readable_number_of_points_that_fit_into_it() {
        for window in Window::ALL {
            let (secs, step) = (window.secs(), window.step_secs());
            assert!((24..=60).contains(&(secs / step)), "{window}: {step}");
            assert_eq!(secs % step, 0, "{window}: {step}");
        }
    }
}
