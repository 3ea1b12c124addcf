//! Calls per second and per minute, per key, waiting for a turn.

use std::{num::NonZeroU32, time::Duration};

use governor::{RateLimiter, clock::Clock, middleware::NoOpMiddleware, state::keyed::DefaultKeyedStateStore};

use crate::clock::TokioClock;

/// How many calls a key may make. `None` = no limit.
///
/// Counted in this process: a product that runs on many nodes divides the figures or keeps an
/// account's calls on one node.
#[derive(Debug, Clone)]
pub struct RateLimits {
    /// Calls per second; a burst of one second's worth is allowed.
    pub per_second: Option<NonZeroU32>,
    /// Calls per minute; a burst of one minute's worth is allowed.
    pub per_minute: Option<NonZeroU32>,
    /// A call that would wait longer than this for its turn is refused instead.
    pub longest_wait: Duration,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { per_second: None, per_minute: None, longest_wait: Duration::from_secs(30) }
    }
}

type Limiter = RateLimiter<String, DefaultKeyedStateStore<String>, TokioClock, NoOpMiddleware<Duration>>;

/// The limiters of one provider.
pub(crate) struct KeyedLimits {
    clock: TokioClock,
    /// Per second first: the shorter period decides the pace, the longer one the sum.
    limiters: Vec<Limiter>,
    longest_wait: Duration,
}

impl KeyedLimits {
    pub(crate) fn new(limits: &RateLimits) -> Self {
        let clock = TokioClock::start();
        let quotas = [
            limits.per_second.map(governor::Quota::per_second),
            limits.per_minute.map(governor::Quota::per_minute),
        ];
        let limiters = quotas
            .into_iter()
            .flatten()
            .map(|quota| RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock))
            .collect();
        Self { clock, limiters, longest_wait: limits.longest_wait }
    }

    /// Waits for the key's turn; `Err` holds the time after which it is worth trying again.
    pub(crate) async fn wait(&self, key: &str) -> Result<(), Duration> {
        let key = key.to_owned();
        let mut left = self.longest_wait;
        for limiter in &self.limiters {
            while let Err(not_until) = limiter.check_key(&key) {
                let wait = not_until.wait_time_from(self.clock.now());
                left = left.checked_sub(wait).ok_or(wait)?;
                // tokio sleeps in whole milliseconds, rounded up: never too short.
                tokio::time::sleep(wait).await;
            }
        }
        Ok(())
    }

    /// Drops the memory of keys that are at rest.
    pub(crate) fn forget_resting(&self) {
        for limiter in &self.limiters {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    fn limits(per_second: u32, per_minute: u32) -> RateLimits {
        RateLimits {
            per_second: NonZeroU32::new(per_second),
            per_minute: NonZeroU32::new(per_minute),
            longest_wait: Duration::from_secs(30),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_sixth_call_waits_until_the_second_is_over() {
        let limits = KeyedLimits::new(&limits(2, 0));
        let start = Instant::now();
        for _ in 0..6 {
            limits.wait("a").await.unwrap();
        }
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(1990) && took < Duration::from_millis(2100), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn keys_do_not_share_their_limits() {
        let limits = KeyedLimits::new(&limits(1, 0));
        let start = Instant::now();
        for key in ["a", "b", "c"] {
            limits.wait(key).await.unwrap();
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_longest_is_refused_with_its_length() {
        let mut settings = limits(0, 2);
        settings.longest_wait = Duration::from_secs(10);
        let limits = KeyedLimits::new(&settings);
        limits.wait("a").await.unwrap();
        limits.wait("a").await.unwrap();
        let wait = limits.wait("a").await.unwrap_err();
        assert!(wait > Duration::from_secs(25) && wait <= Duration::from_secs(30), "{wait:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn per_minute_bounds_the_sum_of_many_seconds() {
        let mut settings = limits(10, 20);
        settings.longest_wait = Duration::from_secs(300);
        let limits = KeyedLimits::new(&settings);
        let start = Instant::now();
        for _ in 0..40 {
            limits.wait("a").await.unwrap();
        }
        assert!(start.elapsed() >= Duration::from_secs(59), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn resting_keys_are_forgotten() {
        let limits = KeyedLimits::new(&limits(1, 0));
        limits.wait("a").await.unwrap();
        assert_eq!(limits.limiters[0].len(), 1);
        tokio::time::sleep(Duration::from_secs(5)).await;
        limits.forget_resting();
        assert_eq!(limits.limiters[0].len(), 0);
    }
}
