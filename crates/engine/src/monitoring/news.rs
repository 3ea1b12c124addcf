//! What is told about an alert: the same to programs, pages and readers of letters.

use frontdesk_model::alert::{AlertMetric, AlertOperator, AlertSeverity, AlertState};
use frontdesk_model::{InboxId, Timestamp};
use frontdesk_store::alerts::AlertRow;
use serde::Serialize;
use serde_json::{Value, json};

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertEvent {
    /// It began.
    Fired,
    /// It is over.
    Resolved,
    /// Nothing: somebody tries whether news arrives.
    Test,
}

impl AlertEvent {
    /// The type of the webhook.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "alert.fired",
            Self::Resolved => "alert.resolved",
            Self::Test => "alert.test",
        }
    }

    /// The name of the realtime event.
    pub(super) const fn wire_word(self) -> &'static str {
        match self {
            Self::Fired => "AlertFired",
            Self::Resolved => "AlertResolved",
            Self::Test => "AlertTest",
        }
    }
}

/// An alert as it is shown and told.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AlertView {
    /// Its id.
    pub id: i64,
    /// The rule's name in addresses.
    pub rule: String,
    /// The rule's name for people.
    pub title: String,
    /// One sentence for people.
    pub summary: String,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// Whether it stands.
    pub state: AlertState,
    /// Which inbox; null for webhooks that were nobody's.
    #[schema(required = true)]
    pub inbox_id: Option<i64>,
    /// What the inbox was called.
    pub inbox_name: String,
    /// What is watched; null for an alert that no rule made: then `reason` tells what is the matter, and the comparison
    /// says nothing.
    #[schema(required = true)]
    pub metric: Option<AlertMetric>,
    /// What is the matter with the inbox, in the words of its state; null for an alert of a rule.
    #[schema(required = true)]
    pub reason: Option<String>,
    /// How it is compared.
    pub operator: AlertOperator,
    /// With what.
    pub threshold: f64,
    /// For how long it had to be so.
    pub duration_secs: i64,
    /// The figure when it fired.
    pub value: f64,
    /// The figure when it was last looked at; null when nothing happens any more.
    #[schema(required = true)]
    pub last_value: Option<f64>,
    /// When it fired.
    #[schema(value_type = String, format = DateTime)]
    pub fired_at: Timestamp,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub resolved_at: Option<Timestamp>,
}

impl From<AlertRow> for AlertView {
    fn from(row: AlertRow) -> Self {
        Self {
            id: row.id.0,
            summary: summary(&row),
            rule: row.rule_name,
            title: row.rule_title,
            severity: row.severity,
            state: row.state,
            inbox_id: (row.inbox_id != InboxId(0)).then_some(row.inbox_id.0),
            inbox_name: row.inbox_name,
            metric: row.reason.is_none().then_some(row.metric),
            reason: row.reason,
            operator: row.operator,
            threshold: row.threshold,
            duration_secs: row.duration_secs,
            value: row.value,
            last_value: row.last_value,
            fired_at: row.fired_at,
            resolved_at: row.resolved_at,
        }
    }
}

/// The body of a webhook, and what the page gets.
pub(super) fn body(event: AlertEvent, alert: &AlertView, now: Timestamp) -> Value {
    json!({ "type": event.as_str(), "timestamp": now, "data": alert })
}

fn summary(row: &AlertRow) -> String {
    let place = if row.inbox_name.is_empty() { "Webhooks for no inbox" } else { &row.inbox_name };
    if let Some(reason) = &row.reason {
        return format!("{}: {place}: {reason}", row.rule_title);
    }
    let figure = shown(row.metric, row.value);
    let limit = shown(row.metric, row.threshold);
    let what = about(row.metric);
    let time = span(row.duration_secs);
    format!("{}: {place}: {what} {figure} ({} {limit} for {time})", row.rule_title, row.operator)
}

fn about(metric: AlertMetric) -> &'static str {
    match metric {
        AlertMetric::ErrorRate => "error rate",
        AlertMetric::ResponseTimeAvg => "average response time",
        AlertMetric::ResponseTimeP50 => "median response time",
        AlertMetric::ResponseTimeP95 => "95th percentile of response times",
        AlertMetric::ResponseTimeP99 => "99th percentile of response times",
        AlertMetric::WebhookFailureRate => "webhook failure rate",
        AlertMetric::MessageFailureRate => "message failure rate",
        AlertMetric::RateLimitHits => "rate limit hits",
        AlertMetric::Errors => "failed requests",
        AlertMetric::Requests => "requests",
        AlertMetric::MessagesFailed => "failed messages",
        AlertMetric::WebhookErrors => "failed webhooks",
        AlertMetric::QueueDepth => "messages waiting",
        AlertMetric::QueueAge => "longest wait",
        AlertMetric::BreakerOpen => "time left alone",
    }
}

fn shown(metric: AlertMetric, value: f64) -> String {
    let places = |text: String| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    match metric {
        metric if metric.is_share() => format!("{} %", places(format!("{:.1}", value * 100.0))),
        AlertMetric::ResponseTimeAvg
        | AlertMetric::ResponseTimeP50
        | AlertMetric::ResponseTimeP95
        | AlertMetric::ResponseTimeP99
        | AlertMetric::QueueAge => format!("{} s", places(format!("{value:.2}"))),
        _ => places(format!("{value:.1}")),
    }
}

fn span(secs: i64) -> String {
    if secs % 60 == 0 { format!("{} min", secs / 60) } else { format!("{secs} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_as_people_say_them() {
        assert_eq!(shown(AlertMetric::ErrorRate, 0.1), "10 %");
        assert_eq!(shown(AlertMetric::ErrorRate, 0.4567), "45.7 %");
        assert_eq!(shown(AlertMetric::ResponseTimeAvg, 5.0), "5 s");
        assert_eq!(shown(AlertMetric::ResponseTimeP99, 12.345), "12.35 s");
        assert_eq!(shown(AlertMetric::RateLimitHits, 50.0), "50");
        assert_eq!((span(300), span(90)), ("5 min".to_owned(), "90 s".to_owned()));
    }
}
