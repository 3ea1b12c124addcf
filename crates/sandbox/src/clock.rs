//! What time it is in the fake world: the machine's clock or a test's, plus a shift set by the control API.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::UNIX_EPOCH;

/// Milliseconds since 1970 (UTC).
pub type TimeMs = i64;

/// One second in [`TimeMs`].
pub const SECOND_MS: TimeMs = 1_000;
/// One hour in [`TimeMs`].
pub const HOUR_MS: TimeMs = 3_600_000;
/// One day in [`TimeMs`].
pub const DAY_MS: TimeMs = 86_400_000;

/// The fake world's clock. Clones share the shift.
#[derive(Clone)]
pub struct Clock {
    source: Arc<dyn Fn() -> TimeMs + Send + Sync>,
    shift_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::from_source(system_now)
    }

    /// A clock that asks `source`, for tests.
    pub fn from_source(source: impl Fn() -> TimeMs + Send + Sync + 'static) -> Self {
        Self { source: Arc::new(source), shift_ms: Arc::new(AtomicI64::new(0)) }
    }

    /// Now, in milliseconds since 1970, shift included.
    #[must_use]
    pub fn now(&self) -> TimeMs {
        (self.source)().saturating_add(self.shift_ms())
    }

    /// How far the fake world is ahead of its source, in milliseconds.
    #[must_use]
    pub fn shift_ms(&self) -> TimeMs {
        self.shift_ms.load(Ordering::Relaxed)
    }

    /// Moves the fake world `by_ms` forward (negative: back).
    pub fn shift(&self, by_ms: TimeMs) {
        self.shift_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// Undoes every shift.
    pub fn reset(&self) {
        self.shift_ms.store(0, Ordering::Relaxed);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Clock").field("shift_ms", &self.shift_ms()).finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the sandbox reads the machine's clock")]
fn system_now() -> TimeMs {
    let since_epoch = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
