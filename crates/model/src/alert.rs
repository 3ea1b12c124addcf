//! Alerts: what is watched, when it is too much, and how bad that is.

crate::words! {
    /// A figure that a rule watches, of each inbox by itself.
    pub enum AlertMetric {
        /// Share of the requests to the provider that failed, from 0 to 1.
        ErrorRate = "error_rate",
        /// Average response time in seconds.
        ResponseTimeAvg = "response_time_avg",
        /// Median response time in seconds.
        ResponseTimeP50 = "response_time_p50",
        /// Response time in seconds that 95 of 100 requests keep.
        ResponseTimeP95 = "response_time_p95",
        /// Response time in seconds that 99 of 100 requests keep.
        ResponseTimeP99 = "response_time_p99",
        /// Share of the webhooks that were refused, unreadable or could not be applied, from 0 to 1.
        WebhookFailureRate = "webhook_failure_rate",
        /// Share of the attempts to send a message that did not succeed, from 0 to 1.
        MessageFailureRate = "message_failure_rate",
        /// How often a limit, ours or the provider's, made a request wait or refused it, within the rule's time.
        RateLimitHits = "rate_limit_hits",
        /// Failed requests within the rule's time.
        Errors = "errors",
        /// Requests within the rule's time.
        Requests = "requests",
        /// Messages that failed for good within the rule's time.
        MessagesFailed = "messages_failed",
        /// Webhooks that failed within the rule's time.
        WebhookErrors = "webhook_errors",
        /// How much waits to be sent.
        QueueDepth = "queue_depth",
        /// How long the oldest of it has been waiting, in seconds.
        QueueAge = "queue_age",
        /// Share of the time that the breaker was open, from 0 to 1.
        BreakerOpen = "breaker_open",
    }
}

crate::words! {
    /// How a figure is compared with the rule's threshold.
    pub enum AlertOperator {
        /// Above the threshold.
        Above = ">",
        /// At the threshold or above it.
        AtLeast = ">=",
        /// Below the threshold.
        Below = "<",
        /// At the threshold or below it.
        AtMost = "<=",
    }
}

crate::words! {
    /// How bad it is.
    pub enum AlertSeverity {
        /// Worth knowing.
        Info = "info",
        /// Somebody should look today.
        Warning = "warning",
        /// Somebody should look now.
        Critical = "critical",
    }
}

crate::words! {
    /// Whether an alert stands.
    pub enum AlertState {
        /// What the rule watches for is so.
        Firing = "firing",
        /// It is over.
        Resolved = "resolved",
    }
}

/// What a figure of an [`AlertMetric`] is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertMetricKind {
    /// A share or a time: undefined while nothing happens.
    Ratio,
    /// A number of events within the rule's time.
    Count,
    /// A level: nothing known means zero.
    Level,
}

impl AlertMetric {
    /// What its figures are made from.
    pub const fn kind(self) -> AlertMetricKind {
        match self {
            Self::ErrorRate
            | Self::ResponseTimeAvg
            | Self::ResponseTimeP50
            | Self::ResponseTimeP95
            | Self::ResponseTimeP99
            | Self::WebhookFailureRate
            | Self::MessageFailureRate => AlertMetricKind::Ratio,
            Self::RateLimitHits
            | Self::Errors
            | Self::Requests
            | Self::MessagesFailed
            | Self::WebhookErrors => AlertMetricKind::Count,
            Self::QueueDepth | Self::QueueAge | Self::BreakerOpen => AlertMetricKind::Level,
        }
    }

    /// True for shares, which lie between 0 and 1.
    pub const fn is_share(self) -> bool {
        matches!(
            self,
            Self::ErrorRate | Self::WebhookFailureRate | Self::MessageFailureRate | Self::BreakerOpen
        )
    }
}

impl AlertOperator {
    /// True when `value` is beyond `threshold`.
    pub fn is_beyond(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Above => value > threshold,
            Self::AtLeast => value >= threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
        }
    }

    /// True when more is worse.
    pub const fn is_upward(self) -> bool {
        matches!(self, Self::Above | Self::AtLeast)
    }
}

/// A rule as every account has it from the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DefaultRule {
    /// What it is called in addresses.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What it watches.
    pub metric: AlertMetric,
    /// How it compares.
    pub operator: AlertOperator,
    /// With what.
    pub threshold: f64,
    /// For how long, in seconds.
    pub duration_secs: i64,
    /// How bad it is.
    pub severity: AlertSeverity,
}

const fn rule(
    (name, title): (&'static str, &'static str),
    metric: AlertMetric,
    operator: AlertOperator,
    threshold: f64,
    minutes: i64,
    severity: AlertSeverity,
) -> DefaultRule {
    DefaultRule { name, title, metric, operator, threshold, duration_secs: minutes * 60, severity }
}

/// The rules every account starts with.
pub const DEFAULT_RULES: [DefaultRule; 7] = {
    use AlertMetric::{ErrorRate, MessageFailureRate, RateLimitHits, ResponseTimeAvg, WebhookFailureRate};
    use AlertOperator::{Above, AtLeast};
    use AlertSeverity::{Critical, Warning};
    [
        rule(("high_error_rate", "High Error Rate"), ErrorRate, AtLeast, 0.10, 5, Warning),
        rule(("critical_error_rate", "Critical Error Rate"), ErrorRate, AtLeast, 0.25, 1, Critical),
        rule(("slow_response_time", "Slow Response Time"), ResponseTimeAvg, Above, 5.0, 5, Warning),
        rule(
            ("very_slow_response_time", "Very Slow Response Time"),
            ResponseTimeAvg,
            Above,
            10.0,
            3,
            Critical,
        ),
        rule(("rate_limit_hits", "Rate Limit Hits"), RateLimitHits, AtLeast, 5.0, 5, Warning),
        rule(("webhook_failures", "Webhook Failures"), WebhookFailureRate, AtLeast, 0.20, 5, Warning),
        rule(
            ("message_send_failures", "Message Send Failures"),
            MessageFailureRate,
            AtLeast,
            0.15,
            5,
            Warning,
        ),
    ]
};

/// An alert that every account has without a rule, raised and ended with what an inbox says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltInAlert {
    /// What it is called where rules are. No rule may have this name.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
}

/// An inbox cannot work, or not fully, until somebody does something: nobody is signed in, the number is banned.
pub const NEEDS_ATTENTION: BuiltInAlert =
    BuiltInAlert { name: "inbox_needs_attention", title: "Inbox Needs Attention" };
/// What the provider's tariff allows is used up.
pub const ALLOWANCE_USED_UP: BuiltInAlert =
    BuiltInAlert { name: "allowance_used_up", title: "Allowance Used Up" };
/// A webhook of the account was switched off: nothing was taken for days.
pub const WEBHOOK_DISABLED: BuiltInAlert =
    BuiltInAlert { name: "webhook_disabled", title: "Webhook Disabled" };
/// All of them.
pub const BUILT_IN_ALERTS: [BuiltInAlert; 3] = [NEEDS_ATTENTION, ALLOWANCE_USED_UP, WEBHOOK_DISABLED];

/// The name in addresses that people's title of a rule comes to: `High Error Rate` is `high_error_rate`.
pub fn rule_name(title: &str) -> String {
    let mut name = String::with_capacity(title.len());
    for c in title.trim().chars() {
        if c.is_alphanumeric() {
            name.extend(c.to_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    name.truncate(name.trim_end_matches('_').len());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_rules_are_named_after_their_titles() {
        for rule in DEFAULT_RULES {
            assert_eq!(rule_name(rule.title), rule.name);
        }
        for alert in BUILT_IN_ALERTS {
            assert_eq!(rule_name(alert.title), alert.name, "so that no rule can take the name");
        }
        assert_eq!(rule_name("  Queue > 100 (Lobby) "), "queue_100_lobby");
        assert_eq!(rule_name("__"), "");
    }

    #[test]
    fn operators_say_what_is_beyond() {
        use AlertOperator::{Above, AtLeast, AtMost, Below};
        let beyond = |value| [Above, AtLeast, Below, AtMost].map(|o| o.is_beyond(value, 5.0));
        assert_eq!(beyond(4.0), [false, false, true, true]);
        assert_eq!(beyond(5.0), [false, true, false, true]);
        assert_eq!(beyond(6.0), [true, true, false, false]);
    }
}
