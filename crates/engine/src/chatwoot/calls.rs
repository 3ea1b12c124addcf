//! What monitoring hears of the calls to Chatwoot: as much as of those of an inbox.

use std::sync::{Arc, OnceLock};

use frontdesk_model::{SharedClock, Timestamp};
use frontdesk_provider_http::{BreakerState, CallRecord, CallRecorder};

use crate::monitoring::meter::Meter;

/// An open breaker is said to be open this much longer whenever it is looked at, which is more often.
const OPEN_MS: i64 = 10_000;

/// Hears of every call; counts them once it is known whose they are.
pub(crate) struct ChatwootCalls {
    meter: OnceLock<Arc<Meter>>,
    clock: SharedClock,
    next: Arc<dyn CallRecorder>,
}

impl ChatwootCalls {
    pub(crate) fn new(clock: SharedClock, next: Arc<dyn CallRecorder>) -> Self {
        Self { meter: OnceLock::new(), clock, next }
    }

    /// From now on they are counted here.
    pub(crate) fn count_into(&self, meter: Arc<Meter>) {
        // Two who asked at once found the same meter.
        let _known = self.meter.set(meter);
    }

    pub(super) fn meter(&self) -> Option<Arc<Meter>> {
        self.meter.get().cloned()
    }
}

/// Until when a breaker is open, as monitoring notes it.
pub(crate) fn open_until(state: BreakerState, now: Timestamp) -> Option<Timestamp> {
    match state {
        BreakerState::Closed => None,
        BreakerState::HalfOpen => Some(now),
        BreakerState::Open => Some(now.plus_ms(OPEN_MS)),
    }
}

impl CallRecorder for ChatwootCalls {
    fn record(&self, call: &CallRecord<'_>) {
        if let Some(meter) = self.meter.get() {
            meter.note_call(self.clock.now(), call);
        }
        self.next.record(call);
    }
}
