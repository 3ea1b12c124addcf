//! What this node sees of one inbox: slots of ten seconds in memory, written to the database by [`super::slots`].
//!
//! Noting something is a short lock of the inbox's own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frontdesk_model::{AccountId, InboxId, SharedClock, Timestamp};
use frontdesk_provider_http::{CallRecord, CallRecorder, Outcome};
use frontdesk_store::metric_slots::MetricSlot;

use super::figures::{ByWord, Figures, count};

/// The length of a slot, in seconds.
pub const SLOT_SECS: i64 = 10;
pub(super) const SLOT_MS: i64 = SLOT_SECS * 1000;
/// So many slots wait for a database that does not answer: ten minutes.
const MAX_SLOTS: usize = 60;

/// When the slot of a moment begins.
pub(super) fn slot_start(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis() - at.as_millis() % SLOT_MS)
}

/// The meter of one inbox.
pub(crate) struct Meter {
    pub(super) account: AccountId,
    pub(super) inbox: InboxId,
    /// The label of its figures at `/metrics`.
    label: String,
    slots: Mutex<VecDeque<OpenSlot>>,
}

struct OpenSlot {
    at: Timestamp,
    figures: Figures,
    changes: u64,
    written: u64,
}

/// A slot to be written, and how much of it that is.
pub(super) struct Unwritten {
    pub(super) meter: Arc<Meter>,
    pub(super) row: MetricSlot,
    changes: u64,
}

impl Meter {
    pub(super) fn new(account: AccountId, inbox: InboxId) -> Self {
        let label = if inbox == super::CHATWOOT { "chatwoot".to_owned() } else { inbox.to_string() };
        let meter = Self { account, inbox, label, slots: Mutex::default() };
        meter.begin_counting();
        meter
    }

    /// Counters begin at zero, so that the first thing that happens is a rise.
    fn begin_counting(&self) {
        let label = || self.label.clone();
        metrics::counter!("frontdesk_inbox_rate_limit_hits_total", "inbox" => label()).increment(0);
        metrics::counter!("frontdesk_inbox_webhook_errors_total", "inbox" => label()).increment(0);
        for outcome in ["sent", "received", "failed", "retry", "unknown"] {
            metrics::counter!("frontdesk_inbox_messages_total", "inbox" => label(), "outcome" => outcome)
                .increment(0);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<OpenSlot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what happened at `now`.
    pub(super) fn note(&self, now: Timestamp, what: impl FnOnce(&mut Figures)) {
        let at = slot_start(now);
        let mut slots = self.lock();
        if slots.back().is_none_or(|slot| slot.at < at) {
            if slots.len() >= MAX_SLOTS {
                slots.pop_front();
            }
            slots.push_back(OpenSlot { at, figures: Figures::default(), changes: 0, written: 0 });
        }
        if let Some(slot) = slots.back_mut() {
            what(&mut slot.figures);
            slot.changes += 1;
        }
    }

    /// The breaker of the inbox on this node is open until then, or closed.
    pub(super) fn note_breaker(&self, now: Timestamp, until: Option<Timestamp>) {
        let until = until.map(Timestamp::as_millis);
        let noted = self
            .lock()
            .back()
            .filter(|s| s.at == slot_start(now))
            .and_then(|s| s.figures.counts.breaker_until);
        if noted != until {
            self.note(now, |figures| figures.counts.breaker_until = until);
        }
        metrics::gauge!("frontdesk_inbox_breaker_open", "inbox" => self.label.clone())
            .set(if until.is_some() { 1.0 } else { 0.0 });
    }

    /// So much waits to be sent.
    pub(super) fn note_queue(&self, now: Timestamp, depth: u64, age_secs: u64) {
        if depth > 0 {
            self.note(now, |figures| {
                figures.counts.queue_depth = figures.counts.queue_depth.max(depth);
                figures.counts.queue_age_secs = figures.counts.queue_age_secs.max(age_secs);
            });
        }
        let label = || self.label.clone();
        metrics::gauge!("frontdesk_inbox_queue_depth", "inbox" => label()).set(super::figures::float(depth));
        metrics::gauge!("frontdesk_inbox_queue_age_seconds", "inbox" => label())
            .set(super::figures::float(age_secs));
    }

    /// An attempt to send a message ended.
    pub(super) fn note_send(&self, now: Timestamp, outcome: &'static str) {
        self.note(now, |figures| match outcome {
            "sent" => figures.counts.sent += 1,
            "failed" => figures.counts.failed += 1,
            "retry" => figures.counts.retried += 1,
            _ => figures.counts.unknown += 1,
        });
        self.count_messages(outcome, 1);
    }

    /// Messages by what became of them, for `/metrics`.
    pub(super) fn count_messages(&self, outcome: &'static str, number: u64) {
        if number > 0 {
            metrics::counter!("frontdesk_inbox_messages_total", "inbox" => self.label.clone(), "outcome" => outcome)
                .increment(number);
        }
    }

    /// What webhooks told, for `/metrics`.
    pub(super) fn count_webhooks(&self, types: &ByWord) {
        for (kind, number) in types {
            let (label, kind) = (self.label.clone(), kind.to_string());
            metrics::counter!("frontdesk_inbox_webhooks_total", "inbox" => label, "type" => kind)
                .increment(*number);
        }
    }

    /// A webhook by the provider's own word for it, for `/metrics`.
    pub(super) fn count_webhook_of_type(&self, kind: &'static str) {
        metrics::counter!("frontdesk_inbox_webhooks_by_provider_type_total", "inbox" => self.label.clone(), "type" => kind)
            .increment(1);
    }

    /// Webhooks that failed, for `/metrics`.
    pub(super) fn count_webhook_error(&self) {
        metrics::counter!("frontdesk_inbox_webhook_errors_total", "inbox" => self.label.clone()).increment(1);
    }

    /// Our limit made something of the inbox wait.
    pub(super) fn note_wait(&self, now: Timestamp, waited: std::time::Duration) {
        let us = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        self.note(now, |figures| {
            figures.counts.limit_hits += 1;
            figures.counts.limit_waits += 1;
            figures.counts.limit_wait_us = figures.counts.limit_wait_us.saturating_add(us);
        });
        self.count_limit(waited);
    }

    fn count_limit(&self, waited: std::time::Duration) {
        metrics::counter!("frontdesk_inbox_rate_limit_hits_total", "inbox" => self.label.clone())
            .increment(1);
        if !waited.is_zero() {
            metrics::histogram!("frontdesk_inbox_rate_limit_wait_seconds", "inbox" => self.label.clone())
                .record(waited.as_secs_f64());
        }
    }

    pub(crate) fn note_call(&self, now: Timestamp, call: &CallRecord<'_>) {
        let left = call.outcome != Outcome::Held;
        let limited = call.limited || call.outcome == Outcome::Throttled;
        // No connection is no response: it would pass for a quick one.
        let timed = left && call.outcome != Outcome::Unreachable;
        let us = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.note(now, |figures| {
            if left {
                count(&mut figures.counts.outcomes, call.outcome.as_str());
                figures.last_request_at = Some(now);
            } else {
                figures.counts.held += 1;
            }
            if timed {
                figures.time(us(call.duration));
            }
            if limited {
                figures.counts.limit_hits += 1;
            }
            if !call.waited.is_zero() {
                figures.counts.limit_waits += 1;
                figures.counts.limit_wait_us = figures.counts.limit_wait_us.saturating_add(us(call.waited));
            }
        });
        let label = || self.label.clone();
        if left {
            let outcome = call.outcome.as_str();
            metrics::counter!("frontdesk_inbox_requests_total", "inbox" => label(), "outcome" => outcome)
                .increment(1);
            #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
            metrics::gauge!("frontdesk_inbox_last_request_timestamp_seconds", "inbox" => label())
                .set(now.as_secs() as f64);
        }
        if timed {
            metrics::histogram!("frontdesk_inbox_request_seconds", "inbox" => label())
                .record(call.duration.as_secs_f64());
        }
        if limited {
            self.count_limit(call.waited);
        }
    }

    /// The slots that changed since they were written.
    pub(super) fn unwritten(self: &Arc<Self>, node_id: &str) -> Vec<Unwritten> {
        let slots = self.lock();
        let changed = slots.iter().filter(|slot| slot.changes > slot.written);
        changed
            .map(|slot| Unwritten {
                meter: self.clone(),
                row: slot.figures.write(MetricSlot {
                    account_id: self.account,
                    span_secs: SLOT_SECS,
                    slot_at: slot.at,
                    inbox_id: self.inbox,
                    node_id: node_id.to_owned(),
                    counts: String::new(),
                    durations: None,
                    last_request_at: None,
                }),
                changes: slot.changes,
            })
            .collect()
    }
}

impl Unwritten {
    /// It is in the database. A slot that is over and written is not needed any more.
    pub(super) fn is_written(&self, now: Timestamp) {
        let mut slots = self.meter.lock();
        if let Some(slot) = slots.iter_mut().find(|slot| slot.at == self.row.slot_at) {
            slot.written = self.changes;
        }
        slots.retain(|slot| slot.written < slot.changes || slot.at >= slot_start(now));
    }
}

/// Hears of the calls of one inbox, whatever its channel.
pub(super) struct InboxCalls {
    pub(super) meter: Arc<Meter>,
    pub(super) clock: SharedClock,
    /// Who else wants to hear.
    pub(super) next: Arc<dyn CallRecorder>,
}

impl CallRecorder for InboxCalls {
    fn record(&self, call: &CallRecord<'_>) {
        self.meter.note_call(self.clock.now(), call);
        self.next.record(call);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn call(outcome: Outcome, waited_ms: u64) -> CallRecord<'static> {
        CallRecord {
            provider: "x",
            key: "1",
            operation: "send",
            class: "",
            attempt: 1,
            waited: Duration::from_millis(waited_ms),
            limited: waited_ms > 0,
            outcome,
            status: None,
            duration: Duration::from_millis(100),
        }
    }

    #[test]
    fn a_call_counts_by_how_it_ended_and_what_it_waited_for() {
        let meter = Arc::new(Meter::new(AccountId(1), InboxId(2)));
        let now = Timestamp::from_secs(1_000);
        for (outcome, waited_ms) in [
            (Outcome::Ok, 0),
            (Outcome::Ok, 500),
            (Outcome::Throttled, 0),
            (Outcome::Throttled, 100),
            (Outcome::Unreachable, 0),
            (Outcome::Held, 0),
        ] {
            meter.note_call(now, &call(outcome, waited_ms));
        }
        let unwritten = meter.unwritten("node");
        let figures = Figures::read(&unwritten[0].row);
        assert_eq!(
            (unwritten.len(), figures.requests(), figures.errors(), figures.counts.held),
            (1, 5, 3, 1)
        );
        assert_eq!((figures.counts.limit_hits, figures.counts.limit_waits), (3, 2));
        assert_eq!(figures.average_wait(), Some(0.3));
        assert_eq!(figures.average(), Some(0.1), "what found no connection has no response time");
        assert_eq!(figures.last_request_at, Some(now));
    }

    #[test]
    fn what_changes_while_it_is_written_is_written_again() {
        let meter = Arc::new(Meter::new(AccountId(1), InboxId(2)));
        let now = Timestamp::from_secs(1_000);
        meter.note_send(now, "sent");
        let first = meter.unwritten("node");
        meter.note_send(now, "sent");
        first[0].is_written(now);
        let second = meter.unwritten("node");
        assert_eq!(Figures::read(&second[0].row).counts.sent, 2, "a slot is written as a whole");
        let later = now.plus_ms(SLOT_MS);
        second[0].is_written(later);
        assert!(
            meter.unwritten("node").is_empty() && meter.lock().is_empty(),
            "what is over and written goes"
        );
    }

    #[test]
    fn a_database_that_is_away_for_long_does_not_fill_the_memory() {
        let meter = Arc::new(Meter::new(AccountId(1), InboxId(2)));
        for n in 0..1_000 {
            meter.note_send(Timestamp::from_secs(n * SLOT_SECS), "sent");
        }
        let unwritten = meter.unwritten("node");
        assert_eq!(unwritten.len(), MAX_SLOTS);
        assert_eq!(unwritten[MAX_SLOTS - 1].row.slot_at, Timestamp::from_secs(9_990), "the newest stay");
    }
}
