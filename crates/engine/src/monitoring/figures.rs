//! What happened in an inbox during some time: counts, and how long requests took. Figures of several nodes and of
//! neighbouring times are put together without loss.

use std::borrow::Cow;
use std::collections::BTreeMap;

use frontdesk_model::alert::AlertMetric;
use frontdesk_model::{InboxId, Timestamp};
use frontdesk_store::metric_slots::MetricSlot;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use serde::{Deserialize, Serialize};

/// Two digits that are right: percentiles are within 1 % of the exact ones.
const DIGITS: u8 = 2;
/// The longest time told apart, in microseconds: an hour.
const LONGEST_US: u64 = 3_600_000_000;

/// Numbers by word.
pub type ByWord = BTreeMap<Cow<'static, str>, u64>;

/// Counts of one inbox. In the database as JSON without zeros; fields that a program does not know are passed over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Requests that left, by how they ended: `ok`, `rejected`, `throttled`…
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub outcomes: ByWord,
    /// Requests that our breaker held back.
    #[serde(skip_serializing_if = "is_zero")]
    pub held: u64,
    /// Microseconds of all requests that were answered or waited for in vain.
    #[serde(skip_serializing_if = "is_zero")]
    pub duration_us: u64,
    /// How often a limit, ours or the provider's, made a request wait or refused it.
    #[serde(skip_serializing_if = "is_zero")]
    pub limit_hits: u64,
    /// How often ours made one wait.
    #[serde(skip_serializing_if = "is_zero")]
    pub limit_waits: u64,
    /// Microseconds of these waits.
    #[serde(skip_serializing_if = "is_zero")]
    pub limit_wait_us: u64,
    /// Messages that the provider took.
    #[serde(skip_serializing_if = "is_zero")]
    pub sent: u64,
    /// Messages that customers wrote.
    #[serde(skip_serializing_if = "is_zero")]
    pub received: u64,
    /// Messages that failed for good.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed: u64,
    /// Attempts to send that are made again later.
    #[serde(skip_serializing_if = "is_zero")]
    pub retried: u64,
    /// Messages of which nobody knows whether they arrived.
    #[serde(skip_serializing_if = "is_zero")]
    pub unknown: u64,
    /// Webhooks.
    #[serde(skip_serializing_if = "is_zero")]
    pub webhooks: u64,
    /// Webhooks whose bytes or messages were here before.
    #[serde(skip_serializing_if = "is_zero")]
    pub webhooks_repeated: u64,
    /// Webhooks that were refused, unreadable or could not be applied.
    #[serde(skip_serializing_if = "is_zero")]
    pub webhook_errors: u64,
    /// What webhooks told, by kind: `message`, `status`…
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub webhook_types: ByWord,
    /// Webhooks by the provider's own word for them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub webhook_provider_types: ByWord,
    /// While the breaker of the node is open: until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker_until: Option<i64>,
    /// The most that waited to be sent.
    #[serde(skip_serializing_if = "is_zero")]
    pub queue_depth: u64,
    /// How long the oldest of it had waited, in seconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub queue_age_secs: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Adds one to a word's number.
pub(super) fn count(words: &mut ByWord, word: &'static str) {
    match words.get_mut(word) {
        Some(number) => *number += 1,
        None => drop(words.insert(Cow::Borrowed(word), 1)),
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.outcomes, &other.outcomes),
            (&mut self.webhook_types, &other.webhook_types),
            (&mut self.webhook_provider_types, &other.webhook_provider_types),
        ] {
            for (word, number) in theirs {
                *mine.entry(word.clone()).or_default() += number;
            }
        }
        for (mine, theirs) in [
            (&mut self.held, other.held),
            (&mut self.duration_us, other.duration_us),
            (&mut self.limit_hits, other.limit_hits),
            (&mut self.limit_waits, other.limit_waits),
            (&mut self.limit_wait_us, other.limit_wait_us),
            (&mut self.sent, other.sent),
            (&mut self.received, other.received),
            (&mut self.failed, other.failed),
            (&mut self.retried, other.retried),
            (&mut self.unknown, other.unknown),
            (&mut self.webhooks, other.webhooks),
            (&mut self.webhooks_repeated, other.webhooks_repeated),
            (&mut self.webhook_errors, other.webhook_errors),
        ] {
            *mine = mine.saturating_add(theirs);
        }
        self.breaker_until = self.breaker_until.max(other.breaker_until);
        self.queue_depth = self.queue_depth.max(other.queue_depth);
        self.queue_age_secs = self.queue_age_secs.max(other.queue_age_secs);
    }
}

/// Counts and times of one inbox, or of several together.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// The counts.
    pub counts: Counts,
    /// How long requests took, in microseconds; `None` while there were none.
    durations: Option<Histogram<u32>>,
    /// When the last request ended.
    pub last_request_at: Option<Timestamp>,
}

impl Figures {
    /// A request took this long.
    pub(super) fn time(&mut self, us: u64) {
        let us = us.clamp(1, LONGEST_US);
        self.counts.duration_us = self.counts.duration_us.saturating_add(us);
        if self.durations.is_none() {
            self.durations = empty_histogram();
        }
        if let Some(durations) = &mut self.durations {
            // It grows as needed, and nothing is beyond the longest: this cannot fail.
            let _ = durations.record(us);
        }
    }

    /// Adds what others saw, or what happened at another time.
    pub fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        self.last_request_at = self.last_request_at.max(other.last_request_at);
        match (&mut self.durations, &other.durations) {
            (Some(mine), Some(theirs)) => {
                // Both grow as needed and have the same digits: nothing is left out.
                let _ = mine.add(theirs);
            }
            (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
            (_, None) => {}
        }
    }

    /// Requests that left.
    pub fn requests(&self) -> u64 {
        self.counts.outcomes.values().sum()
    }

    /// Those that were not answered with success.
    pub fn errors(&self) -> u64 {
        self.requests() - self.counts.outcomes.get("ok").copied().unwrap_or(0)
    }

    /// Share of requests that failed; `None` without requests.
    pub fn error_rate(&self) -> Option<f64> {
        share(self.errors(), self.requests())
    }

    /// Average response time in seconds.
    pub fn average(&self) -> Option<f64> {
        share(self.counts.duration_us, self.durations.as_ref()?.len()).map(|us| us / 1e6)
    }

    /// The response time in seconds that a share of the requests keeps, 0.95 for 95 of 100.
    pub fn percentile(&self, share: f64) -> Option<f64> {
        let durations = self.durations.as_ref().filter(|d| !d.is_empty())?;
        Some(float(durations.value_at_quantile(share)) / 1e6)
    }

    /// Average wait for a limit of ours, in seconds.
    pub fn average_wait(&self) -> Option<f64> {
        share(self.counts.limit_wait_us, self.counts.limit_waits).map(|us| us / 1e6)
    }

    /// Share of webhooks that failed.
    pub fn webhook_failure_rate(&self) -> Option<f64> {
        share(self.counts.webhook_errors, self.counts.webhooks)
    }

    /// Share of attempts to send a message that did not succeed.
    pub fn message_failure_rate(&self) -> Option<f64> {
        let counts = &self.counts;
        let bad = counts.failed + counts.retried + counts.unknown;
        share(bad, bad + counts.sent)
    }

    /// The figure of a rule. A level is that of the moment, a count is of the whole time.
    pub fn value(&self, metric: AlertMetric) -> Option<f64> {
        match metric {
            AlertMetric::ErrorRate => self.error_rate(),
            AlertMetric::ResponseTimeAvg => self.average(),
            AlertMetric::ResponseTimeP50 => self.percentile(0.5),
            AlertMetric::ResponseTimeP95 => self.percentile(0.95),
            AlertMetric::ResponseTimeP99 => self.percentile(0.99),
            AlertMetric::WebhookFailureRate => self.webhook_failure_rate(),
            AlertMetric::MessageFailureRate => self.message_failure_rate(),
            AlertMetric::RateLimitHits => Some(float(self.counts.limit_hits)),
            AlertMetric::Errors => Some(float(self.errors())),
            AlertMetric::Requests => Some(float(self.requests())),
            AlertMetric::MessagesFailed => Some(float(self.counts.failed)),
            AlertMetric::WebhookErrors => Some(float(self.counts.webhook_errors)),
            AlertMetric::QueueDepth => Some(float(self.counts.queue_depth)),
            AlertMetric::QueueAge => Some(float(self.counts.queue_age_secs)),
            AlertMetric::BreakerOpen => Some(if self.counts.breaker_until.is_some() { 1.0 } else { 0.0 }),
        }
    }

    /// As a row of the database: what and whose it is comes from `slot`.
    pub(super) fn write(&self, slot: MetricSlot) -> MetricSlot {
        let mut durations = Vec::new();
        if let Some(histogram) = &self.durations
            && let Err(error) = V2Serializer::new().serialize(histogram, &mut durations)
        {
            tracing::warn!(%error, "response times could not be written");
        }
        MetricSlot {
            counts: serde_json::json!(self.counts).to_string(),
            durations: (!durations.is_empty()).then_some(durations),
            last_request_at: self.last_request_at,
            ..slot
        }
    }

    /// From a row of the database. What cannot be read counts as nothing.
    pub(super) fn read(slot: &MetricSlot) -> Self {
        let unreadable = |error: &dyn std::fmt::Display| {
            tracing::warn!(inbox.id = slot.inbox_id.0, slot_at = %slot.slot_at, %error, "figures cannot be read");
        };
        let counts = serde_json::from_str(&slot.counts).inspect_err(|error| unreadable(error));
        let durations = slot.durations.as_deref().and_then(|mut bytes| {
            let read: Result<Histogram<u32>, _> = Deserializer::new().deserialize(&mut bytes);
            let mut histogram = read.inspect_err(|error| unreadable(error)).ok()?;
            histogram.auto(true); // longer times of other nodes are added to it
            Some(histogram)
        });
        Self { counts: counts.unwrap_or_default(), durations, last_request_at: slot.last_request_at }
    }
}

fn empty_histogram() -> Option<Histogram<u32>> {
    Histogram::new_with_bounds(1, 2, DIGITS).ok().map(|mut histogram| {
        histogram.auto(true);
        histogram
    })
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| float(part) / float(whole))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn float(number: u64) -> f64 {
    number as f64
}

/// The figures of each inbox together; what is no inbox's stands under 0.
pub fn by_inbox(slots: &[MetricSlot]) -> BTreeMap<InboxId, Figures> {
    let mut figures: BTreeMap<InboxId, Figures> = BTreeMap::new();
    for slot in slots {
        figures.entry(slot.inbox_id).or_default().add(&Figures::read(slot));
    }
    figures
}

#[cfg(test)]
mod tests {
    use frontdesk_model::AccountId;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn exact(sorted: &[u64], share: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a short list"
        )]
        let place = (share * float(sorted.len() as u64)).ceil() as usize;
        float(sorted[place.max(1) - 1]) / 1e6
    }

    fn slot() -> MetricSlot {
        MetricSlot {
            account_id: AccountId(1),
            span_secs: 10,
            slot_at: Timestamp::default(),
            inbox_id: InboxId(1),
            node_id: "a".to_owned(),
            counts: String::new(),
            durations: None,
            last_request_at: None,
        }
    }

    #[test]
    fn percentiles_of_several_nodes_are_within_two_percent_of_the_exact_ones() {
        let mut chance = StdRng::seed_from_u64(7);
        for round in 0..20 {
            let mut all = Vec::new();
            let mut together = Figures::default();
            for _node in 0..3 {
                let mut figures = Figures::default();
                for _ in 0..chance.random_range(1..2_000) {
                    // From half a millisecond to two minutes, most of them short, as calls are.
                    let us = 10_f64.powf(chance.random_range(2.7..(5.0 + f64::from(round) / 6.4)));
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "up to 10^8")]
                    let us = us as u64;
                    figures.time(us);
                    all.push(us);
                }
                together.add(&Figures::read(&figures.write(slot())));
            }
            all.sort_unstable();
            for share in [0.5, 0.95, 0.99] {
                let (ours, exact) = (together.percentile(share).unwrap(), exact(&all, share));
                assert!((ours / exact - 1.0).abs() < 0.02, "p{share}: {ours} is not {exact}");
            }
            let average = float(all.iter().sum()) / float(all.len() as u64) / 1e6;
            assert!((together.average().unwrap() / average - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn figures_come_back_from_the_database_as_they_were() {
        let mut figures = Figures::default();
        for outcome in ["ok", "ok", "rejected", "throttled"] {
            count(&mut figures.counts.outcomes, outcome);
        }
        figures.time(1_500_000);
        figures.counts.sent = 3;
        figures.counts.retried = 1;
        figures.last_request_at = Some(Timestamp::from_secs(5));
        let read = Figures::read(&figures.write(slot()));
        assert_eq!(read.counts, figures.counts);
        assert_eq!((read.requests(), read.errors(), read.error_rate()), (4, 2, Some(0.5)));
        assert_eq!(read.message_failure_rate(), Some(0.25));
        assert_eq!(read.last_request_at, figures.last_request_at);
        assert_eq!(read.average(), Some(1.5));
    }

    #[test]
    fn nothing_that_happened_is_no_share_of_anything() {
        let figures = Figures::default();
        assert_eq!((figures.error_rate(), figures.average(), figures.percentile(0.5)), (None, None, None));
        assert_eq!(figures.write(slot()).counts, "{}");
        assert_eq!(figures.value(AlertMetric::RateLimitHits), Some(0.0));
    }

    #[test]
    fn counts_of_a_newer_program_are_read_as_far_as_they_are_known() {
        let newer = MetricSlot { counts: r#"{"sent":2,"flown":3}"#.to_owned(), ..slot() };
        assert_eq!(Figures::read(&newer).counts, Counts { sent: 2, ..Counts::default() });
    }
}
