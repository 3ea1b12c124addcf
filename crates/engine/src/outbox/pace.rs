//! How fast an inbox may send: waiting, not failing.
//!
//! Exact in every window, wherever it begins: a token bucket lets through up to twice as many in an unlucky one, and
//! WhatsApp bans numbers for that. What has to wait long waits in the queue and not with a request half begun.
//!
//! Each node paces itself; where the network has a pace of its own, the turn that counts is then taken from the database
//! ([`frontdesk_store::send_turns`]), in the transaction that marks the send as begun: all nodes together keep to it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use frontdesk_channels::contract::SendPace;
use frontdesk_store::send_turns::Window;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Requests reach the provider closer together than they left.
const MARGIN: Duration = Duration::from_millis(100);

/// How many sends any second and any minute may hold.
pub struct Pace {
    windows: Vec<(usize, Duration)>,
    /// The connection's own, which hold for all nodes together.
    shared: Vec<Window>,
    /// When the last turns were given, oldest first.
    given: Mutex<VecDeque<Instant>>,
}

impl Pace {
    /// At most `per_second` sends a second (0 counts as 1), and no more than the connection's own pace.
    pub fn new(per_second: u32, own: Option<SendPace>) -> Self {
        let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let mut windows = vec![(count(per_second.max(1)), SECOND)];
        let mut shared = Vec::new();
        if let Some(own) = own {
            let limited = [(own.per_second, SECOND + MARGIN), (own.per_minute, MINUTE + MARGIN)];
            for (n, period) in limited.into_iter().filter(|(n, _)| *n > 0) {
                windows.push((count(n), period));
                let period_ms = i64::try_from(period.as_millis()).unwrap_or(i64::MAX);
                shared.push(Window { count: count(n), period_ms });
            }
        }
        Self { windows, shared, given: Mutex::default() }
    }

    /// What all nodes together keep to; empty where each may send as fast as the settings allow.
    pub fn shared(&self) -> &[Window] {
        &self.shared
    }

    /// Gives a turn now, or says how long until there is one.
    pub fn take(&self) -> Result<(), Duration> {
        let now = Instant::now();
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let next = self
            .windows
            .iter()
            .filter_map(|(count, period)| Some(*given.get(given.len().checked_sub(*count)?)? + *period))
            .fold(now, Instant::max);
        if next > now {
            return Err(next - now);
        }
        given.push_back(now);
        let most = self.windows.iter().map(|(count, _)| *count).max().unwrap_or(1);
        while given.len() > most {
            given.pop_front();
        }
        Ok(())
    }

    /// Waits for a turn, at most `longest`; `Err` says how long it would take.
    pub async fn wait(&self, longest: Duration) -> Result<(), Duration> {
        let until = Instant::now() + longest;
        loop {
            let Err(wait) = self.take() else { return Ok(()) };
            if Instant::now() + wait > until {
                return Err(wait);
            }
            tokio::time::sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes turns as fast as they are given; returns when each was.
    async fn take_all(pace: &Pace, count: usize) -> Vec<Duration> {
        let start = Instant::now();
        let mut times = Vec::new();
        for _ in 0..count {
            pace.wait(Duration::from_secs(600)).await.unwrap();
            times.push(start.elapsed());
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_and_no_minute_holds_more_than_allowed() {
        let pace = Pace::new(80, Some(SendPace { per_second: 2, per_minute: 60 }));
        let times = take_all(&pace, 130).await;
        for (allowed, period) in [(2, SECOND), (60, MINUTE)] {
            for (index, later) in times.iter().enumerate().skip(allowed) {
                assert!(*later >= times[index - allowed] + period, "{allowed} in {period:?}: {later:?}");
            }
        }
        assert!(times[129] < Duration::from_secs(130), "and no slower than needed: {:?}", times[129]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_long_is_told_how_long() {
        let pace = Pace::new(80, Some(SendPace { per_second: 0, per_minute: 1 }));
        assert_eq!(pace.wait(SECOND).await, Ok(()));
        assert_eq!(pace.wait(SECOND).await, Err(MINUTE + MARGIN));
    }
}
