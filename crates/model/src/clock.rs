//! Time is a parameter: everything that needs "now" is handed a [`Clock`].

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: milliseconds since 1970 (UTC). Written as RFC 3339 in JSON, as an integer in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

/// The last moment we accept: the start of the year 9999. Providers (and forgers) send stranger ones.
const MAX_MS: i64 = 253_370_764_800_000;

impl Timestamp {
    /// From milliseconds since 1970; clamped to the years 1970 to 9998.
    pub const fn from_millis(ms: i64) -> Self {
        if ms < 0 {
            Self(0)
        } else if ms > MAX_MS {
            Self(MAX_MS)
        } else {
            Self(ms)
        }
    }

    /// From seconds since 1970; clamped like [`Timestamp::from_millis`].
    pub const fn from_secs(secs: i64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970.
    pub const fn as_secs(self) -> i64 {
        self.0 / 1000
    }

    /// This moment moved by `ms` milliseconds, forwards or back.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self::from_millis(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment; negative when it lies after.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Reads RFC 3339 text.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self::from_millis(t.as_millisecond()))
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => t.fmt(f),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("expected a time like 2024-02-19T10:30:00Z"))
    }
}

/// Tells the time. [`SystemClock`] in the product, [`ManualClock`] in tests and in the sandbox.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A clock that can be handed around.
pub type SharedClock = Arc<dyn Clock>;

/// The clock of the machine, which never goes back while the process lives.
///
/// What waits for a moment (a retry, a lease, a breaker) would wait for an hour longer when somebody sets the clock
/// back by an hour. So this one then goes on from where it was, at half speed, until the machine's has caught up.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        static STEADY: Mutex<Steady> = Mutex::new(Steady { shown: 0, waiting: None });
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        let passed = i64::try_from(START.elapsed().as_millis()).unwrap_or(i64::MAX);
        let wall = jiff::Timestamp::now().as_millisecond();
        let mut steady = STEADY.lock().unwrap_or_else(PoisonError::into_inner);
        Timestamp::from_millis(steady.show(wall, passed))
    }
}

/// What [`SystemClock`] remembers, in milliseconds.
struct Steady {
    /// The latest moment that was shown.
    shown: i64,
    /// While the machine's clock is behind: what was shown when it was set back, and how long the process had lived.
    waiting: Option<(i64, i64)>,
}

impl Steady {
    /// The moment to show when the machine's clock says `wall` and the process has lived for `passed`.
    fn show(&mut self, wall: i64, passed: i64) -> i64 {
        let (from, since) = self.waiting.unwrap_or((self.shown, passed));
        let own = from.saturating_add((passed - since) / 2);
        if wall >= own {
            self.waiting = None;
            self.shown = self.shown.max(wall);
        } else {
            self.waiting = Some((from, since));
            self.shown = self.shown.max(own);
        }
        self.shown
    }
}

/// A clock that moves only when told to.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Starts at `at`.
    pub fn starting_at(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.as_millis()))
    }

    /// Moves the clock by `ms` milliseconds.
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_written_without_a_fraction_when_it_has_none() {
        assert_eq!(Timestamp::from_secs(1_708_338_600).to_string(), "2024-02-19T10:30:00Z");
        assert_eq!(Timestamp::from_millis(1_708_338_600_250).to_string(), "2024-02-19T10:30:00.25Z");
        assert_eq!(Timestamp::parse("2024-02-19T10:30:00Z"), Some(Timestamp::from_secs(1_708_338_600)));
    }

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_clock_that_is_set_back_is_waited_for_at_half_speed() {
        let mut steady = Steady { shown: 0, waiting: None };
        assert_eq!(steady.show(10 * HOUR, 0), 10 * HOUR);
        assert_eq!(steady.show(9 * HOUR, 0), 10 * HOUR); // set back by an hour
        let mut before = 10 * HOUR;
        for second in 1..=3 * 3600 {
            let shown = steady.show(9 * HOUR + second * 1000, second * 1000);
            assert!(shown > before && shown - before <= 1000, "{shown} after {before}");
            before = shown;
        }
        assert_eq!(before, 12 * HOUR, "after two hours it shows what the machine's does");
    }

    #[test]
    fn a_clock_that_is_set_forward_is_followed_at_once() {
        let mut steady = Steady { shown: 0, waiting: None };
        assert_eq!(steady.show(HOUR, 0), HOUR);
        assert_eq!(steady.show(2 * HOUR, 1), 2 * HOUR);
        assert_eq!(steady.show(HOUR, 2), 2 * HOUR, "and back again");
        assert_eq!(steady.show(3 * HOUR, 3), 3 * HOUR);
        assert_eq!(steady.show(3 * HOUR + 1, 4), 3 * HOUR + 1);
    }

    #[test]
    fn asked_every_millisecond_it_goes_on_all_the_same() {
        let mut steady = Steady { shown: 0, waiting: None };
        steady.show(HOUR, 0);
        let shown = (1..=1000).map(|passed| steady.show(passed, passed)).last();
        assert!(shown.is_some_and(|shown| (HOUR + 499..=HOUR + 500).contains(&shown)), "{shown:?}");
    }

    #[test]
    fn the_machines_clock_never_goes_back() {
        let mut before = SystemClock.now();
        for _ in 0..10_000 {
            let now = SystemClock.now();
            assert!(now >= before);
            before = now;
        }
    }

    #[test]
    fn leap_days_and_changes_of_the_season_are_days_like_others() {
        let parse = |text| Timestamp::parse(text).unwrap();
        let day = 24 * HOUR;
        assert_eq!(parse("2028-02-28T12:00:00Z").plus_ms(day), parse("2028-02-29T12:00:00Z"));
        assert_eq!(parse("2028-02-29T12:00:00Z").plus_ms(day), parse("2028-03-01T12:00:00Z"));
        assert_eq!(Timestamp::parse("2027-02-29T12:00:00Z"), None);
        // In Berlin this night has 25 hours and the other 23; ours are counted in UTC.
        assert_eq!(parse("2026-10-25T02:30:00+02:00").plus_ms(HOUR), parse("2026-10-25T02:30:00+01:00"));
        assert_eq!(parse("2026-03-28T12:00:00Z").plus_ms(day), parse("2026-03-29T12:00:00Z"));
    }

    #[test]
    fn absurd_times_are_clamped() {
        assert_eq!(Timestamp::from_secs(i64::MAX).as_millis(), MAX_MS);
        assert_eq!(Timestamp::from_millis(-5).as_millis(), 0);
        assert!(Timestamp::from_secs(i64::MAX).to_string().starts_with("9999-01-01"));
    }
}
