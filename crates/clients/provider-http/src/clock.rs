//! tokio's clock for `governor`, so that limits, breaker and retries share one notion of time and
//! tests can pause it.

use std::time::Duration;

use tokio::time::Instant;

/// Time since the clock was made, read from [`Instant`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokioClock {
    start: Instant,
}

impl TokioClock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }
}

impl governor::clock::Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}
