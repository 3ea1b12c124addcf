//! What monitoring hears of the calls to Chatwoot: as much as of those of an inbox.

use std::sync::{Arc, OnceLock};

use frontdesk_model::SharedClock;
use frontdesk_provider_http::{CallRecord, CallRecorder};

use crate::monitoring::meter::Meter;

/// An open breaker is said to be open this much longer whenever it is looked at, which is more often.
pub(super) const OPEN_MS: i64 = 10_000;

/// Hears of every call; counts them once it is known whose they are.
pub(crate) struct ChatwootCalls {
    meter: OnceLock<Arc<Meter>>,
    clock: SharedClock,
    next: Arc<dyn CallRecorder>,
}

impl ChatwootCalls {
    pub(super) fn new(clock: SharedClock, next: Arc<dyn CallRecorder>) -> Self {
        Self { meter: OnceLock::new(), clock, next }
    }

    /// From now on they are counted here.
    pub(super) fn count_into(&self, meter: Arc<Meter>) {
        // Two who asked at once found the same meter.
        let _known = self.meter.set(meter);
    }

    pub(super) fn meter(&self) -> Option<Arc<Meter>> {
        self.meter.get().cloned()
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
