//! How fast an inbox may send: waiting, not failing.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::DefaultDirectRateLimiter;
use governor::Quota;
use tokio::time::Instant;

/// A limit in sends per second, with a burst of one second.
pub struct Pace {
    limiter: DefaultDirectRateLimiter,
}

impl Pace {
    /// At most `per_second` sends a second; 0 counts as 1.
    pub fn per_second(per_second: u32) -> Self {
        let per_second = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        Self { limiter: DefaultDirectRateLimiter::direct(Quota::per_second(per_second)) }
    }

    /// Waits for the next place; tells how long.
    pub async fn wait(&self) -> Duration {
        if self.limiter.check().is_ok() {
            return Duration::ZERO;
        }
        let began = Instant::now();
        self.limiter.until_ready().await;
        began.elapsed()
    }
}
