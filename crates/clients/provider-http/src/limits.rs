//! Calls per second and per minute, per key and class, waiting for a turn.
//!
//! Exact: in no second and in no minute, wherever it begins, does the provider see more calls than allowed. A token bucket (what
//! `governor` and the like are) lets through up to twice as many in an unlucky one, and providers ban for that.
//! Turns are given in advance and in order of asking, so who would wait too long is told at once, with the length.

use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::CallLabel;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// A hold without a wish of the provider lasts this long.
const SHORTEST_HOLD: Duration = SECOND;

/// How many calls a key may make. `None` = no limit.
///
/// Counted in this process: a product that runs on many nodes divides the figures or keeps an
/// account's calls on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimits {
    /// Calls in any second.
    pub per_second: Option<NonZeroU32>,
    /// Calls in any minute.
    pub per_minute: Option<NonZeroU32>,
    /// A call that would wait longer than this for its turn is refused instead.
    pub longest_wait: Duration,
    /// Added to both periods, for calls whose answer takes longer than a second.
    pub margin: Duration,
    /// A 429 holds back every call of this key and class, as long as `Retry-After` says (else a second).
    pub hold_after_429: bool,
    /// The provider counts by minutes of the clock: a 429 without `Retry-After` holds until the minute of its `Date` is over.
    pub minutes_of_the_clock: bool,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            per_second: None,
            per_minute: None,
            longest_wait: Duration::from_secs(30),
            margin: Duration::ZERO,
            hold_after_429: false,
            minutes_of_the_clock: false,
        }
    }
}

impl RateLimits {
    /// Both windows; the rest as by default.
    pub fn per_second_and_minute(per_second: u32, per_minute: u32) -> Self {
        Self {
            per_second: NonZeroU32::new(per_second),
            per_minute: NonZeroU32::new(per_minute),
            ..Self::default()
        }
    }

    fn windows(&self) -> impl Iterator<Item = (usize, Duration)> {
        let calls = |allowed: NonZeroU32| usize::try_from(allowed.get()).unwrap_or(usize::MAX);
        let second = self.per_second.map(|allowed| (calls(allowed), SECOND + self.margin));
        let minute = self.per_minute.map(|allowed| (calls(allowed), MINUTE + self.margin));
        [second, minute].into_iter().flatten()
    }
}

/// The calls of one key and class.
#[derive(Debug, Default)]
struct Turns {
    /// When the last calls had their turn, and when those that wait will have it: ascending.
    given: VecDeque<Instant>,
    held_until: Option<Instant>,
}

impl Turns {
    /// The earliest turn for one more call.
    fn next(&self, limits: &RateLimits, now: Instant) -> Instant {
        let in_order = self.given.back().copied();
        let in_windows = limits.windows().filter_map(|(allowed, period)| {
            let index = self.given.len().checked_sub(allowed)?;
            Some(*self.given.get(index)? + period)
        });
        in_windows.chain(in_order).chain(self.held_until).fold(now, Instant::max)
    }

    fn give(&mut self, limits: &RateLimits, turn: Instant, now: Instant) {
        self.given.push_back(turn);
        let longest = limits.windows().map(|(_, period)| period).max().unwrap_or_default();
        while self.given.front().is_some_and(|oldest| *oldest + longest <= now) {
            self.given.pop_front();
        }
    }

    fn take_back(&mut self, turn: Instant) {
        if let Some(index) = self.given.iter().rposition(|given| *given == turn) {
            self.given.remove(index);
        }
    }

    fn put(&mut self, turn: Instant) {
        let index = self.given.partition_point(|given| *given <= turn);
        self.given.insert(index, turn);
    }

    /// Calls before this one took longer than was thought when its turn was given, or a hold came: its turn now.
    fn later(&self, limits: &RateLimits, turn: Instant) -> Instant {
        let index = self.given.iter().rposition(|given| *given == turn).unwrap_or(self.given.len());
        let in_windows = limits
            .windows()
            .filter_map(|(allowed, period)| Some(*self.given.get(index.checked_sub(allowed)?)? + period));
        in_windows.chain(self.held_until).fold(turn, Instant::max)
    }

    fn at_rest(&self, now: Instant) -> bool {
        let old = |given: &Instant| *given + 2 * MINUTE < now;
        self.given.back().is_none_or(old) && self.held_until.is_none_or(|until| until <= now)
    }
}

type Key = (String, &'static str);

/// The limits of one provider.
#[derive(Debug, Default)]
pub(crate) struct KeyedLimits {
    keys: Mutex<HashMap<Key, Turns>>,
}

impl KeyedLimits {
    /// Waits for the call's turn; `Err` holds the time after which it is worth trying again.
    pub(crate) async fn wait(&self, label: &CallLabel<'_>, limits: &RateLimits) -> Result<Granted, Duration> {
        let asked = Instant::now();
        if limits.windows().next().is_none() && !limits.hold_after_429 {
            return Ok(Granted { at: asked, waited: Duration::ZERO });
        }
        let mut now = asked;
        let mut turn = self.reserve(label, limits, now)?;
        loop {
            if turn.at > now {
                sleep_until(turn.at).await;
                now = Instant::now();
            }
            if turn.put_off(limits) <= now {
                let at = turn.taken();
                return Ok(Granted { at, waited: now.duration_since(asked) });
            }
            if turn.at.duration_since(asked) > limits.longest_wait {
                return Err(turn.at.duration_since(now));
            }
        }
    }

    fn reserve<'a>(
        &'a self,
        label: &CallLabel<'_>,
        limits: &RateLimits,
        now: Instant,
    ) -> Result<Turn<'a>, Duration> {
        let mut keys = self.lock();
        let turns = keys.entry(key(label)).or_default();
        let at = turns.next(limits, now);
        if at.duration_since(now) > limits.longest_wait {
            return Err(at.duration_since(now));
        }
        turns.give(limits, at, now);
        Ok(Turn { limits: self, key: Some(key(label)), at })
    }

    /// The call ended. It counts from now, not from when it left: how long it travelled before it reached the provider
    /// is not known. At most a second later, so that slow answers do not slow down sending.
    pub(crate) fn ended(&self, label: &CallLabel<'_>, granted: &Granted) {
        if let Some(turns) = self.lock().get_mut(&key(label))
            && turns.given.contains(&granted.at)
        {
            turns.take_back(granted.at);
            turns.put(Instant::now().min(granted.at + SECOND));
        }
    }

    /// The provider answered 429: nothing of this key and class leaves before `asked` has passed.
    pub(crate) fn hold(&self, label: &CallLabel<'_>, asked: Option<Duration>) {
        let until = Instant::now() + asked.unwrap_or_default().max(SHORTEST_HOLD);
        let mut keys = self.lock();
        let held = &mut keys.entry(key(label)).or_default().held_until;
        *held = Some(held.map_or(until, |before| before.max(until)));
    }

    /// Calls that would have their turn at once; `None` = no limit.
    pub(crate) fn remaining(&self, label: &CallLabel<'_>, limits: &RateLimits) -> Option<usize> {
        let now = Instant::now();
        let keys = self.lock();
        let turns = keys.get(&key(label));
        if turns.is_some_and(|turns| turns.held_until.is_some_and(|until| until > now)) {
            return Some(0);
        }
        let used = |period: Duration| {
            turns.map_or(0, |turns| turns.given.iter().filter(|given| **given + period > now).count())
        };
        limits.windows().map(|(allowed, period)| allowed.saturating_sub(used(period))).min()
    }

    /// Drops the memory of keys that are at rest.
    pub(crate) fn forget_resting(&self) {
        let now = Instant::now();
        self.lock().retain(|_, turns| !turns.at_rest(now));
    }

    /// No code here can panic while it holds the lock, so a poisoned one still guards good data.
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Turns>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(label: &CallLabel<'_>) -> Key {
    (label.key.to_owned(), label.class)
}

/// A turn that has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Granted {
    at: Instant,
    /// How long it was waited for.
    pub(crate) waited: Duration,
}

/// A turn to come. Dropped without [`Turn::taken`] (the call was cancelled) it is given back.
struct Turn<'a> {
    limits: &'a KeyedLimits,
    key: Option<Key>,
    at: Instant,
}

impl Turn<'_> {
    /// Moves the turn if it can no longer be when it was to be; returns when it is.
    fn put_off(&mut self, limits: &RateLimits) -> Instant {
        let mut keys = self.limits.lock();
        if let Some(turns) = self.key.as_ref().and_then(|key| keys.get_mut(key)) {
            let later = turns.later(limits, self.at);
            turns.take_back(self.at);
            turns.put(later);
            self.at = later;
        }
        self.at
    }

    fn taken(mut self) -> Instant {
        self.key = None;
        self.at
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take()
            && let Some(turns) = self.limits.lock().get_mut(&key)
        {
            turns.take_back(self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn limits(per_second: u32, per_minute: u32) -> RateLimits {
        RateLimits::per_second_and_minute(per_second, per_minute)
    }

    fn label(key: &str) -> CallLabel<'_> {
        CallLabel::new(key, "test")
    }

    #[tokio::test(start_paused = true)]
    async fn the_sixth_call_waits_until_the_second_is_over() {
        let (keyed, limits) = (KeyedLimits::default(), limits(2, 0));
        let start = Instant::now();
        for _ in 0..6 {
            keyed.wait(&label("a"), &limits).await.unwrap();
        }
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(1990) && took < Duration::from_millis(2100), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn keys_and_classes_do_not_share_their_limits() {
        let (keyed, limits) = (KeyedLimits::default(), limits(1, 0));
        let start = Instant::now();
        for key in ["a", "b", "c"] {
            keyed.wait(&label(key), &limits).await.unwrap();
            keyed.wait(&label(key).class("sends"), &limits).await.unwrap();
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_longest_is_refused_with_its_length() {
        let keyed = KeyedLimits::default();
        let limits = RateLimits { longest_wait: Duration::from_secs(10), ..limits(0, 2) };
        keyed.wait(&label("a"), &limits).await.unwrap();
        keyed.wait(&label("a"), &limits).await.unwrap();
        assert_eq!(keyed.wait(&label("a"), &limits).await.unwrap_err(), MINUTE);
    }

    #[tokio::test(start_paused = true)]
    async fn twenty_senders_never_exceed_either_window_and_wait_no_longer_than_needed() {
        let keyed = Arc::new(KeyedLimits::default());
        let limits = RateLimits { longest_wait: 10 * MINUTE, ..limits(2, 60) };
        let start = Instant::now();
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (keyed, limits) = (Arc::clone(&keyed), limits.clone());
            senders.spawn(async move {
                let mut at = Vec::new();
                for _ in 0..10 {
                    keyed.wait(&label("a"), &limits).await.unwrap();
                    at.push(start.elapsed());
                }
                at
            });
        }
        let mut times: Vec<Duration> = senders.join_all().await.into_iter().flatten().collect();
        times.sort();
        for (allowed, period) in [(2, SECOND), (60, MINUTE)] {
            for (index, later) in times.iter().enumerate().skip(allowed) {
                assert!(*later >= times[index - allowed] + period, "{allowed} in {period:?}: {later:?}");
            }
        }
        // 60 in the first half minute, 60 from each minute on; the last 20 from the third.
        assert!(times[199] <= 3 * MINUTE + Duration::from_secs(11), "{:?}", times[199]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_was_given_up_frees_its_turn() {
        let (keyed, limits) = (KeyedLimits::default(), limits(1, 0));
        keyed.wait(&label("a"), &limits).await.unwrap();
        let given_up =
            tokio::time::timeout(Duration::from_millis(10), keyed.wait(&label("a"), &limits)).await;
        given_up.unwrap_err();
        let waited = keyed.wait(&label("a"), &limits).await.unwrap().waited;
        assert!(waited <= SECOND, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_stops_those_who_wait_already_and_keeps_the_pace_afterwards() {
        let keyed = Arc::new(KeyedLimits::default());
        let limits = limits(1, 0);
        keyed.wait(&label("a"), &limits).await.unwrap();
        let start = Instant::now();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let (keyed, limits) = (Arc::clone(&keyed), limits.clone());
            waiting.spawn(async move {
                keyed.wait(&label("a"), &limits).await.unwrap();
                start.elapsed().as_secs()
            });
        }
        tokio::task::yield_now().await;
        keyed.hold(&label("a"), Some(Duration::from_secs(10)));
        let mut seconds = waiting.join_all().await;
        seconds.sort_unstable();
        assert_eq!(seconds, [10, 11, 12]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_counts_from_its_answer_for_those_who_wait_already_too() {
        let keyed = KeyedLimits::default();
        let limits = limits(1, 0);
        let (start, label) = (Instant::now(), label("a"));
        let first = keyed.wait(&label, &limits).await.unwrap();
        let (second, ()) = tokio::join!(keyed.wait(&label, &limits), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            keyed.ended(&label, &first);
        });
        assert_eq!(start.elapsed(), Duration::from_millis(1_300));
        tokio::time::sleep(Duration::from_secs(20)).await;
        keyed.ended(&label, &second.unwrap());
        let third = keyed.wait(&label, &limits).await.unwrap();
        assert_eq!(third.waited, Duration::ZERO, "a slow answer holds up nobody");
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_wait_for_a_small_allowance_all_get_their_turn() {
        let keyed = Arc::new(KeyedLimits::default());
        let limits = RateLimits { longest_wait: MINUTE, ..limits(1, 0) };
        let start = Instant::now();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..30 {
            let (keyed, limits) = (Arc::clone(&keyed), limits.clone());
            waiting.spawn(async move {
                let granted = keyed.wait(&label("a"), &limits).await.unwrap();
                tokio::time::sleep(Duration::from_millis(100)).await;
                keyed.ended(&label("a"), &granted);
                start.elapsed()
            });
        }
        let mut ends = waiting.join_all().await;
        ends.sort();
        assert!(ends.windows(2).all(|two| two[1] - two[0] >= SECOND), "{ends:?}");
        assert!(ends[29] <= Duration::from_secs(33), "no turn is wasted: {:?}", ends[29]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_remains_is_known_without_asking_for_a_turn() {
        let (keyed, limits) = (KeyedLimits::default(), limits(0, 3));
        assert_eq!(keyed.remaining(&label("a"), &RateLimits::default()), None);
        assert_eq!(keyed.remaining(&label("a"), &limits), Some(3));
        keyed.wait(&label("a"), &limits).await.unwrap();
        assert_eq!(keyed.remaining(&label("a"), &limits), Some(2));
        tokio::time::sleep(MINUTE).await;
        assert_eq!(keyed.remaining(&label("a"), &limits), Some(3));
        keyed.hold(&label("a"), Some(SECOND));
        assert_eq!(keyed.remaining(&label("a"), &limits), Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn resting_keys_are_forgotten() {
        let (keyed, limits) = (KeyedLimits::default(), limits(1, 0));
        keyed.wait(&label("a"), &limits).await.unwrap();
        keyed.forget_resting();
        assert_eq!(keyed.lock().len(), 1);
        tokio::time::sleep(3 * MINUTE).await;
        keyed.forget_resting();
        assert_eq!(keyed.lock().len(), 0);
    }
}
