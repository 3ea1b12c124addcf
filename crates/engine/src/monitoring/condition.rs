//! Whether a rule holds: a pure function of the slots of one inbox and the moment.
//!
//! "For five minutes" is read off the slots themselves, not off what an evaluator remembers, so that any node says the
//! same at any time, and a pause of all of them hides nothing.
//!
//! - A **ratio** (error rate, response time) holds when it is beyond the threshold over the whole time, and also in
//!   each third of it in which anything happened; something must have happened in the first and in the last third, so
//!   that one bad moment is no bad five minutes.
//! - A **count** (rate limit hits) holds when it is beyond the threshold within the time.
//! - A **level** (queue depth) holds when its average is beyond the threshold in each third; nothing known is zero.
//!
//! What fires ends when the last third (at least a minute) is clear of the threshold by a tenth of it, or when nothing
//! happened any more for the whole time (at least five minutes). So a figure that dances on the threshold makes one
//! alert, not twenty.

use frontdesk_model::Timestamp;
use frontdesk_model::alert::{AlertMetric, AlertMetricKind};
use frontdesk_store::alert_rules::AlertRule;

use super::figures::{Figures, float};
use super::meter::{SLOT_MS, slot_start};

/// How far from the threshold a figure must be for an alert to end, as a share of it.
const CLEARANCE: f64 = 0.1;
/// The shortest look back for an end.
const MIN_CLEAR_MS: i64 = 60_000;
/// How long nothing must have happened at least.
const MIN_SILENCE_MS: i64 = 300_000;
/// The most that a rule, or the end of its alert, looks back.
pub const LONGEST_MS: i64 = 3_600_000;

/// The slots of one inbox, in order.
pub type Series = [(Timestamp, Figures)];

/// The figure with which the rule holds at `now`; `None` when it does not.
pub fn holds(rule: &AlertRule, series: &Series, now: Timestamp) -> Option<f64> {
    let duration = rule.duration_secs.saturating_mul(1000).min(LONGEST_MS);
    let beyond = |value: f64| rule.operator.is_beyond(value, rule.threshold);
    match rule.metric.kind() {
        AlertMetricKind::Count => Some(number(rule.metric, series, now, duration)).filter(|v| beyond(*v)),
        AlertMetricKind::Ratio => {
            let value = value_within(rule.metric, series, now, duration).filter(|v| beyond(*v))?;
            let thirds = thirds(rule.metric, series, now, duration);
            let all_beyond = thirds.iter().flatten().all(|v| beyond(*v));
            (all_beyond && thirds[0].is_some() && thirds[2].is_some()).then_some(value)
        }
        AlertMetricKind::Level => {
            let part = third_of(duration);
            let levels = [0, 1, 2].map(|n| level(rule.metric, series, now, n * part, (n + 1) * part));
            levels.iter().all(|v| beyond(*v)).then_some(levels[0])
        }
    }
}

/// True when the rule's alert is over at `now`.
pub fn is_over(rule: &AlertRule, series: &Series, now: Timestamp) -> bool {
    let duration = rule.duration_secs.saturating_mul(1000).min(LONGEST_MS);
    let margin = rule.threshold.abs() * CLEARANCE;
    let clear = |value: f64| {
        let limit = if rule.operator.is_upward() { rule.threshold - margin } else { rule.threshold + margin };
        !rule.operator.is_beyond(value, limit)
    };
    let recent = third_of(duration).max(MIN_CLEAR_MS);
    match rule.metric.kind() {
        AlertMetricKind::Count => clear(number(rule.metric, series, now, duration)),
        AlertMetricKind::Ratio => match value_within(rule.metric, series, now, recent) {
            Some(value) => clear(value),
            None => value_within(rule.metric, series, now, duration.max(MIN_SILENCE_MS)).is_none(),
        },
        AlertMetricKind::Level => clear(level(rule.metric, series, now, 0, recent)),
    }
}

/// The figure of a rule at `now`, to be shown.
pub fn value_now(rule: &AlertRule, series: &Series, now: Timestamp) -> Option<f64> {
    let duration = rule.duration_secs.saturating_mul(1000).min(LONGEST_MS);
    match rule.metric.kind() {
        AlertMetricKind::Count => Some(number(rule.metric, series, now, duration)),
        AlertMetricKind::Ratio => {
            value_within(rule.metric, series, now, third_of(duration).max(MIN_CLEAR_MS))
        }
        AlertMetricKind::Level => Some(level(rule.metric, series, now, 0, SLOT_MS)),
    }
}

/// A third of the time in whole slots, one at least.
fn third_of(duration: i64) -> i64 {
    ((duration + 3 * SLOT_MS - 1) / (3 * SLOT_MS)).max(1) * SLOT_MS
}

/// The figure of the slots that began at most `back` before the slot of `now`.
fn value_within(metric: AlertMetric, series: &Series, now: Timestamp, back: i64) -> Option<f64> {
    together(series, now, 0, back.max(0) + 1).and_then(|figures| figures.value(metric))
}

/// What was counted within the time: nothing is zero.
fn number(metric: AlertMetric, series: &Series, now: Timestamp, duration: i64) -> f64 {
    value_within(metric, series, now, duration - SLOT_MS).unwrap_or(0.0)
}

/// The figures of the last, the middle and the first third. The slot that began exactly `duration` ago still counts.
fn thirds(metric: AlertMetric, series: &Series, now: Timestamp, duration: i64) -> [Option<f64>; 3] {
    let part = third_of(duration);
    [(0, part), (part, 2 * part), (2 * part, duration.max(2 * part) + 1)]
        .map(|(from, to)| together(series, now, from, to).and_then(|figures| figures.value(metric)))
}

/// The slots that began `from` to (not including) `to` milliseconds before the slot of `now`, together.
fn together(series: &Series, now: Timestamp, from: i64, to: i64) -> Option<Figures> {
    let end = slot_start(now);
    let wanted = series.iter().filter(|(at, _)| (from..to).contains(&end.millis_since(*at)));
    wanted.fold(None, |sum: Option<Figures>, (_, figures)| {
        let mut sum = sum.unwrap_or_default();
        sum.add(figures);
        Some(sum)
    })
}

/// The average of a level. The slot of `now` may not have been sampled yet: then the one before speaks for it.
fn level(metric: AlertMetric, series: &Series, now: Timestamp, from: i64, to: i64) -> f64 {
    let end = slot_start(now);
    let newest = series.last().map_or(0, |(at, _)| end.millis_since(*at));
    let shift = if newest == SLOT_MS { SLOT_MS } else { 0 };
    let wanted = series.iter().filter(|(at, _)| (from + shift..to + shift).contains(&end.millis_since(*at)));
    let sum: f64 = wanted.filter_map(|(_, figures)| figures.value(metric)).sum();
    let slots = u64::try_from((to - from) / SLOT_MS).unwrap_or(1).max(1);
    sum / float(slots)
}

#[cfg(test)]
mod tests {
    use frontdesk_model::AccountId;
    use frontdesk_model::alert::{AlertOperator, AlertSeverity, DEFAULT_RULES};

    use super::super::figures::count;
    use super::*;

    const START: i64 = 1_000_000;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(START + secs)
    }

    fn rule(metric: AlertMetric, threshold: f64, duration_secs: i64) -> AlertRule {
        AlertRule {
            account_id: AccountId(1),
            name: "r".to_owned(),
            title: "R".to_owned(),
            metric,
            operator: AlertOperator::AtLeast,
            threshold,
            duration_secs,
            severity: AlertSeverity::Warning,
            inbox_id: None,
            enabled: true,
            created_at: at(0),
            updated_at: at(0),
        }
    }

    fn of_default(name: &str) -> AlertRule {
        let default = DEFAULT_RULES.iter().find(|rule| rule.name == name).unwrap();
        AlertRule {
            operator: default.operator,
            ..rule(default.metric, default.threshold, default.duration_secs)
        }
    }

    /// Ten seconds with so many requests, of which so many failed.
    fn requests(secs: i64, all: u64, failed: u64) -> (Timestamp, Figures) {
        let mut figures = Figures::default();
        for n in 0..all {
            count(&mut figures.counts.outcomes, if n < failed { "provider_fault" } else { "ok" });
        }
        (slot_start(at(secs)), figures)
    }

    fn slow(secs: i64, seconds: u64) -> (Timestamp, Figures) {
        let mut figures = Figures::default();
        figures.time(seconds * 1_000_000);
        (slot_start(at(secs)), figures)
    }

    #[test]
    fn a_rate_has_to_be_too_high_for_the_whole_time() {
        let rule = of_default("high_error_rate");
        let series: Vec<_> = (0..60).map(|n| requests(n * 10, 10, 2)).collect();
        let holds_at = |secs: i64| {
            let seen = series.iter().filter(|(t, _)| *t <= at(secs)).cloned().collect::<Vec<_>>();
            holds(&rule, &seen, at(secs)).is_some()
        };
        let first = (0..600).find(|secs| holds_at(*secs)).unwrap();
        assert!((200..=300).contains(&first), "it fires once the first third has data: {first}");
        assert!(holds_at(400));
    }

    #[test]
    fn one_bad_moment_is_no_bad_five_minutes() {
        let rule = of_default("high_error_rate");
        let mut series: Vec<_> = (0..=30).map(|n| requests(n * 10, 10, 0)).collect();
        series[3] = requests(30, 100, 90);
        assert_eq!(holds(&rule, &series, at(300)), None);
        let lonely = [requests(0, 1, 1)];
        assert!((0..400).all(|secs| holds(&rule, &lonely, at(secs)).is_none()));
    }

    #[test]
    fn requests_far_apart_fire_too_when_they_keep_failing() {
        let rule = of_default("high_error_rate");
        let series = [requests(0, 1, 1), requests(300, 1, 1)];
        assert_eq!(holds(&rule, &series, at(300)), Some(1.0));
        assert_eq!(holds(&rule, &series[..1], at(300)), None);
    }

    #[test]
    fn an_alert_ends_when_the_rate_is_clear_of_the_threshold_and_not_before() {
        let rule = of_default("high_error_rate");
        let just_below = [requests(0, 1000, 95)];
        assert!(!is_over(&rule, &just_below, at(0)), "9.5 % is not clear of 10 %");
        assert!(is_over(&rule, &[requests(0, 1000, 80)], at(0)));
        let failing = [requests(0, 10, 10)];
        assert!(!is_over(&rule, &failing, at(200)), "silence is no proof at once");
        assert!(!is_over(&rule, &failing, at(300)));
        assert!(is_over(&rule, &failing, at(320)));
        assert!(is_over(&rule, &[], at(0)));
    }

    #[test]
    fn hits_are_counted_within_the_time() {
        let rule = of_default("rate_limit_hits");
        let hit = |secs: i64, hits: u64| {
            let mut figures = Figures::default();
            figures.counts.limit_hits = hits;
            (slot_start(at(secs)), figures)
        };
        assert_eq!(holds(&rule, &[hit(0, 4)], at(0)), None);
        let five = [hit(0, 2), hit(100, 3)];
        assert_eq!(holds(&rule, &five, at(100)), Some(5.0));
        assert!(holds(&rule, &five, at(299)).is_some() && holds(&rule, &five, at(300)).is_none());
        assert!(!is_over(&rule, &five, at(299)) && is_over(&rule, &five, at(300)));
    }

    #[test]
    fn slow_answers_fire_above_the_threshold_only() {
        let rule = of_default("slow_response_time");
        let fires = |seconds| {
            let series: Vec<_> = (0..=30).map(|n| slow(n * 10, seconds)).collect();
            holds(&rule, &series, at(300)).is_some()
        };
        assert!(!fires(5) && fires(6), "five seconds are not above five seconds");
    }

    #[test]
    fn a_queue_has_to_be_long_all_the_time() {
        let rule = rule(AlertMetric::QueueDepth, 100.0, 60);
        let depth = |secs: i64, depth: u64| {
            let mut figures = Figures::default();
            figures.counts.queue_depth = depth;
            (slot_start(at(secs)), figures)
        };
        let long: Vec<_> = (0..7).map(|n| depth(n * 10, 150)).collect();
        assert!(holds(&rule, &long, at(60)).is_some());
        assert!(holds(&rule, &long[..6], at(60)).is_some(), "the present slot may not be there yet");
        assert!(holds(&rule, &long[..3], at(30)).is_none(), "not for a minute yet");
        assert!(holds(&rule, &long, at(90)).is_none(), "it emptied");
        assert!(is_over(&rule, &long, at(130)));
    }
}
