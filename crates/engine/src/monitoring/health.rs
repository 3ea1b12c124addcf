//! How everything does, in a word each: the inboxes of an account and what it works with besides.

use frontdesk_model::alert::AlertSeverity;
use frontdesk_model::inbox::ConnectionCode;
use frontdesk_model::{AccountId, Timestamp};
use frontdesk_store::StoreError;
use frontdesk_store::alerts::AlertRow;
use frontdesk_store::inboxes::InboxRow;
use serde::Serialize;

use super::CHATWOOT;
use super::figures::{self, Figures};
use super::report::{BreakerWord, CHATWOOT_WORD, Material, QueueFigures, Window, gather, ms, share};
use crate::Engine;

frontdesk_model::words! {
    /// How an inbox, or everything, does.
    pub enum HealthStatus {
        /// All is well.
        Healthy = "healthy",
        /// It works, but something is not right.
        Degraded = "degraded",
        /// It does not work, or something critical is the matter.
        Unhealthy = "unhealthy",
        /// It was switched off.
        Disabled = "disabled",
    }
}

/// How an inbox does.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InboxHealth {
    /// Its id.
    pub inbox_id: i64,
    /// Its name.
    pub name: String,
    /// Its channel.
    pub channel: String,
    /// All in one word.
    pub status: HealthStatus,
    /// Whether its account at the provider works.
    pub connection: ConnectionCode,
    /// The same for people.
    pub message: String,
    /// What helps; null for nothing.
    #[schema(required = true)]
    pub action: Option<String>,
    /// What its breaker does.
    pub breaker: BreakerWord,
    /// What waits to be sent.
    pub queue: QueueFigures,
    /// Share of requests that failed within five minutes.
    #[schema(required = true)]
    pub error_rate: Option<f64>,
    /// 95 of 100 answers came within it, in milliseconds, within five minutes.
    #[schema(required = true)]
    pub p95_ms: Option<f64>,
    /// Names of the rules whose alerts fire.
    pub alerts: Vec<String>,
    /// When its last request ended.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_request_at: Option<Timestamp>,
    /// When its last webhook came in.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_webhook_at: Option<Timestamp>,
}

/// How an integration does.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IntegrationHealth {
    /// `chatwoot`.
    pub name: &'static str,
    /// All in one word.
    pub status: HealthStatus,
    /// What its breaker does.
    pub breaker: BreakerWord,
    /// Share of requests that failed within five minutes.
    #[schema(required = true)]
    pub error_rate: Option<f64>,
    /// 95 of 100 answers came within it, in milliseconds, within five minutes.
    #[schema(required = true)]
    pub p95_ms: Option<f64>,
    /// Names of the rules whose alerts fire.
    pub alerts: Vec<String>,
    /// When its last request ended.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_request_at: Option<Timestamp>,
}

/// How everything does.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct HealthReport {
    /// `healthy` when all inboxes and integrations are, `unhealthy` when all of them are, `degraded` between.
    pub status: HealthStatus,
    /// As of when.
    #[schema(value_type = String, format = DateTime)]
    pub checked_at: Timestamp,
    /// How many alerts fire.
    pub firing_alerts: usize,
    /// Each inbox.
    pub inboxes: Vec<InboxHealth>,
    /// Each integration: Chatwoot, where it is connected.
    pub integrations: Vec<IntegrationHealth>,
}

/// How the inboxes of an account do.
pub async fn of_account(engine: &Engine, account: AccountId) -> Result<HealthReport, StoreError> {
    let material = gather(engine, account, Window::FiveMinutes.secs()).await?;
    let by_inbox = figures::by_inbox(&material.slots);
    let nothing = Figures::default();
    let of_inbox = |row: &InboxRow| {
        let id = row.config.id;
        let figures = by_inbox.get(&id).unwrap_or(&nothing);
        let firing: Vec<&AlertRow> = material.firing.iter().filter(|alert| alert.inbox_id == id).collect();
        let breaker = material.breaker(id);
        InboxHealth {
            inbox_id: id.0,
            name: row.config.name.clone(),
            channel: row.config.channel.clone(),
            status: status(row, breaker, &firing),
            connection: row.state.code,
            message: row.state.message.clone(),
            action: row.state.action.clone(),
            breaker,
            queue: material.queues.get(&id).copied().unwrap_or_default(),
            error_rate: figures.error_rate().map(share),
            p95_ms: figures.percentile(0.95).map(ms),
            alerts: firing.iter().map(|alert| alert.rule_name.clone()).collect(),
            last_request_at: material.last_requests.get(&id).copied(),
            last_webhook_at: row.last_webhook_at,
        }
    };
    let inboxes: Vec<InboxHealth> = material.inboxes.iter().map(of_inbox).collect();
    let integrations: Vec<_> = material
        .has_chatwoot
        .then(|| material.chatwoot_health(by_inbox.get(&CHATWOOT).unwrap_or(&nothing)))
        .into_iter()
        .collect();
    let statuses: Vec<HealthStatus> = inboxes
        .iter()
        .map(|inbox| inbox.status)
        .filter(|s| *s != HealthStatus::Disabled)
        .chain(integrations.iter().map(|integration: &IntegrationHealth| integration.status))
        .collect();
    let all = |wanted| statuses.iter().all(|status| *status == wanted);
    let status = if all(HealthStatus::Healthy) && material.firing.is_empty() {
        HealthStatus::Healthy
    } else if !statuses.is_empty() && all(HealthStatus::Unhealthy) {
        HealthStatus::Unhealthy
    } else {
        HealthStatus::Degraded
    };
    let firing_alerts = material.firing.len();
    Ok(HealthReport { status, checked_at: material.now, firing_alerts, inboxes, integrations })
}

fn status(row: &InboxRow, breaker: BreakerWord, firing: &[&AlertRow]) -> HealthStatus {
    match (row.state.code, status_of_calls(breaker, firing)) {
        _ if !row.config.enabled => HealthStatus::Disabled,
        (ConnectionCode::Reconnect | ConnectionCode::Unreachable, _) | (_, HealthStatus::Unhealthy) => {
            HealthStatus::Unhealthy
        }
        (ConnectionCode::Degraded | ConnectionCode::Paused, _) => HealthStatus::Degraded,
        (ConnectionCode::Connecting | ConnectionCode::Connected, by_calls) => by_calls,
    }
}

/// What breaker and alerts say.
fn status_of_calls(breaker: BreakerWord, firing: &[&AlertRow]) -> HealthStatus {
    let critical = firing.iter().any(|alert| alert.severity == AlertSeverity::Critical);
    if critical || breaker == BreakerWord::Open {
        HealthStatus::Unhealthy
    } else if !firing.is_empty() || breaker == BreakerWord::HalfOpen {
        HealthStatus::Degraded
    } else {
        HealthStatus::Healthy
    }
}

impl Material {
    /// How Chatwoot does, by its figures of the last minutes.
    fn chatwoot_health(&self, figures: &Figures) -> IntegrationHealth {
        let firing: Vec<&AlertRow> = self.firing.iter().filter(|alert| alert.inbox_id == CHATWOOT).collect();
        let breaker = self.breaker(CHATWOOT);
        IntegrationHealth {
            name: CHATWOOT_WORD,
            status: status_of_calls(breaker, &firing),
            breaker,
            error_rate: figures.error_rate().map(share),
            p95_ms: figures.percentile(0.95).map(ms),
            alerts: firing.iter().map(|alert| alert.rule_name.clone()).collect(),
            last_request_at: self.last_requests.get(&CHATWOOT).copied(),
        }
    }
}
