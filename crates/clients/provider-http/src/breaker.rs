//! The circuit breaker: a key whose calls keep failing is left alone for a while.
//!
//! ```text
//!             too many failures                 open_for has passed
//!   CLOSED ----------------------->  OPEN  ----------------------------> HALF OPEN
//!      ^                              ^  probe failed                       |   |
//!      |                              +-------------------------------------+   |
//!      +------------------------------------------------------------------------+
//!                                 all probes answered
//! ```
//!
//! A state machine of our own rather than a tower layer: it is keyed, runs on tokio's clock, frees
//! its probe when a call is cancelled, and is checked against a model in the tests below.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// When the breaker opens and how it closes again.
#[derive(Debug, Clone)]
pub struct BreakerSettings {
    /// Opens after this many failures in a row.
    pub consecutive_failures: u32,
    /// Opens when at least this share of the last `window` calls failed (0.0 to 1.0).
    pub failure_rate: f64,
    /// How many of the last calls the rate looks at.
    pub window: usize,
    /// The rate counts only when at least this many calls are in the window.
    pub minimum_calls: usize,
    /// How long calls are refused before a probe is let through.
    pub open_for: Duration,
    /// Probes at a time, and successes in a row, that a half-open breaker wants.
    pub probes: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            failure_rate: 0.5,
            window: 20,
            minimum_calls: 10,
            open_for: Duration::from_secs(30),
            probes: 1,
        }
    }
}

/// What a breaker does with the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Lets it through.
    Closed,
    /// Refuses it.
    Open,
    /// Lets a few through, to see whether the provider is back.
    HalfOpen,
}

#[derive(Debug)]
enum State {
    Closed { consecutive: u32, recent: VecDeque<bool> },
    Open { until: Instant },
    HalfOpen { in_flight: u32, successes: u32 },
}

impl State {
    fn closed() -> Self {
        Self::Closed { consecutive: 0, recent: VecDeque::new() }
    }
}

/// One key's breaker. `generation` grows with every change of state, so that a call that began
/// before the change says nothing about the state after it.
#[derive(Debug)]
struct Breaker {
    state: State,
    generation: u64,
}

impl Breaker {
    fn new() -> Self {
        Self { state: State::closed(), generation: 0 }
    }

    fn change(&mut self, state: State) {
        self.state = state;
        self.generation += 1;
    }

    /// Lets a call in, or says how long to stay away.
    fn enter(&mut self, settings: &BreakerSettings, now: Instant) -> Result<u64, Duration> {
        if let State::Open { until } = self.state {
            if now < until {
                return Err(until - now);
            }
            self.change(State::HalfOpen { in_flight: 0, successes: 0 });
        }
        if let State::HalfOpen { in_flight, successes } = &mut self.state {
            if *in_flight + *successes >= settings.probes.max(1) {
                return Err(Duration::from_secs(1));
            }
            *in_flight += 1;
        }
        Ok(self.generation)
    }

    /// Takes in how a call ended. `None` = it says nothing about the provider (cancelled).
    fn leave(&mut self, settings: &BreakerSettings, generation: u64, succeeded: Option<bool>, now: Instant) {
        if generation != self.generation {
            return;
        }
        let opened = State::Open { until: now + settings.open_for };
        match &mut self.state {
            State::Closed { consecutive, recent } => {
                let Some(succeeded) = succeeded else { return };
                *consecutive = if succeeded { 0 } else { *consecutive + 1 };
                recent.push_back(succeeded);
                if recent.len() > settings.window {
                    recent.pop_front();
                }
                if !succeeded && (*consecutive >= settings.consecutive_failures || too_many(recent, settings))
                {
                    self.change(opened);
                }
            }
            State::HalfOpen { in_flight, successes } => {
                *in_flight -= 1;
                match succeeded {
                    Some(true) => {
                        *successes += 1;
                        if *successes >= settings.probes.max(1) {
                            self.change(State::closed());
                        }
                    }
                    Some(false) => self.change(opened),
                    None => {}
                }
            }
            // Only reached with the current generation, and nothing enters while open.
            State::Open { .. } => {}
        }
    }

    fn state(&self, now: Instant) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until } if now < until => BreakerState::Open,
            State::Open { .. } | State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    fn at_rest(&self) -> bool {
        matches!(&self.state, State::Closed { recent, .. } if recent.iter().all(|succeeded| *succeeded))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a window is a few dozen calls")]
fn too_many(recent: &VecDeque<bool>, settings: &BreakerSettings) -> bool {
    let failed = recent.iter().filter(|succeeded| !**succeeded).count();
    recent.len() >= settings.minimum_calls.max(1)
        && failed as f64 >= settings.failure_rate * recent.len() as f64
}

/// The breakers of one provider, one per key.
#[derive(Debug)]
pub(crate) struct Breakers {
    settings: BreakerSettings,
    keys: Mutex<HashMap<String, Arc<Mutex<Breaker>>>>,
}

impl Breakers {
    pub(crate) fn new(settings: BreakerSettings) -> Self {
        Self { settings, keys: Mutex::default() }
    }

    /// Asks for leave to call; `Err` holds how long to stay away.
    pub(crate) fn enter(&self, key: &str) -> Result<Permit<'_>, Duration> {
        let breaker = {
            let mut keys = lock(&self.keys);
            match keys.get(key) {
                Some(breaker) => Arc::clone(breaker),
                None => Arc::clone(
                    keys.entry(key.to_owned()).or_insert_with(|| Arc::new(Mutex::new(Breaker::new()))),
                ),
            }
        };
        let generation = lock(&breaker).enter(&self.settings, Instant::now())?;
        Ok(Permit { settings: &self.settings, breaker, generation, succeeded: None })
    }

    pub(crate) fn state(&self, key: &str) -> BreakerState {
        lock(&self.keys).get(key).map_or(BreakerState::Closed, |breaker| lock(breaker).state(Instant::now()))
    }

    /// Failures in a row; of a breaker that opened, as many as it takes to open one.
    pub(crate) fn failures(&self, key: &str) -> u32 {
        lock(&self.keys).get(key).map_or(0, |breaker| match &lock(breaker).state {
            State::Closed { consecutive, .. } => *consecutive,
            State::Open { .. } | State::HalfOpen { .. } => self.settings.consecutive_failures,
        })
    }

    /// Drops the memory of keys that have nothing to remember.
    pub(crate) fn forget_resting(&self) {
        lock(&self.keys).retain(|_, breaker| Arc::strong_count(breaker) > 1 || !lock(breaker).at_rest());
    }
}

/// Leave to make one call. Dropped without [`Permit::finish`] (the call was cancelled) it frees its
/// place and counts as nothing.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    settings: &'a BreakerSettings,
    breaker: Arc<Mutex<Breaker>>,
    generation: u64,
    succeeded: Option<bool>,
}

impl Permit<'_> {
    /// Tells the breaker how the call ended.
    pub(crate) fn finish(mut self, succeeded: Option<bool>) {
        self.succeeded = succeeded;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        lock(&self.breaker).leave(self.settings, self.generation, self.succeeded, Instant::now());
    }
}

/// No code here can panic while it holds the lock, so a poisoned one still guards good data.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settings() -> BreakerSettings {
        BreakerSettings { probes: 2, ..BreakerSettings::default() }
    }

    fn fail(breakers: &Breakers, times: usize) {
        for _ in 0..times {
            breakers.enter("a").unwrap().finish(Some(false));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn five_failures_in_a_row_open_it_and_probes_close_it() {
        let breakers = Breakers::new(settings());
        fail(&breakers, 4);
        assert_eq!(breakers.state("a"), BreakerState::Closed);
        fail(&breakers, 1);
        assert_eq!(breakers.state("a"), BreakerState::Open);
        assert_eq!(breakers.state("b"), BreakerState::Closed);
        let stay_away = breakers.enter("a").unwrap_err();
        assert_eq!(stay_away, Duration::from_secs(30));

        tokio::time::advance(Duration::from_secs(30)).await;
        let first = breakers.enter("a").unwrap();
        let second = breakers.enter("a").unwrap();
        assert!(breakers.enter("a").is_err(), "only two probes at a time");
        first.finish(Some(true));
        assert_eq!(breakers.state("a"), BreakerState::HalfOpen);
        second.finish(Some(true));
        assert_eq!(breakers.state("a"), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_probe_opens_it_again() {
        let breakers = Breakers::new(settings());
        fail(&breakers, 5);
        tokio::time::advance(Duration::from_secs(31)).await;
        breakers.enter("a").unwrap().finish(Some(false));
        assert_eq!(breakers.state("a"), BreakerState::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_probe_frees_its_place() {
        let breakers = Breakers::new(BreakerSettings::default());
        fail(&breakers, 5);
        tokio::time::advance(Duration::from_secs(31)).await;
        let probe = breakers.enter("a").unwrap();
        assert!(breakers.enter("a").is_err());
        drop(probe);
        breakers.enter("a").unwrap().finish(Some(true));
        assert_eq!(breakers.state("a"), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn half_of_the_last_calls_failing_opens_it() {
        let breakers = Breakers::new(settings());
        for _ in 0..4 {
            breakers.enter("a").unwrap().finish(Some(true));
            breakers.enter("a").unwrap().finish(Some(false));
        }
        assert_eq!(breakers.state("a"), BreakerState::Closed, "eight calls are too few to judge");
        breakers.enter("a").unwrap().finish(Some(true));
        breakers.enter("a").unwrap().finish(Some(false));
        assert_eq!(breakers.state("a"), BreakerState::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_from_before_the_outage_says_nothing() {
        let breakers = Breakers::new(settings());
        let slow = breakers.enter("a").unwrap();
        fail(&breakers, 5);
        tokio::time::advance(Duration::from_secs(30)).await;
        let probe = breakers.enter("a").unwrap();
        slow.finish(Some(false));
        assert_eq!(breakers.state("a"), BreakerState::HalfOpen);
        drop(probe);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_without_failures_are_forgotten() {
        let breakers = Breakers::new(settings());
        fail(&breakers, 1);
        breakers.enter("b").unwrap().finish(Some(true));
        breakers.forget_resting();
        let keys = lock(&breakers.keys);
        assert!(keys.contains_key("a") && !keys.contains_key("b"));
    }

    /// One step of the model test: what the caller does next.
    #[derive(Debug, Clone)]
    enum Step {
        Enter,
        Leave { which: usize, succeeded: Option<bool> },
        Wait { seconds: u64 },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Enter),
            4 => (0usize..8, proptest::option::weighted(0.9, any::<bool>()))
                .prop_map(|(which, succeeded)| Step::Leave { which, succeeded }),
            1 => (1u64..40).prop_map(|seconds| Step::Wait { seconds }),
        ]
    }

    proptest! {
        /// The model is the whole history, asked again at every step: when did it open last, and what
        /// happened since then to calls that began since then?
        #[test]
        fn it_does_what_the_history_says(steps in proptest::collection::vec(step(), 1..200)) {
            let settings = settings();
            let start = Instant::now();
            let mut now = start;
            let mut breaker = Breaker::new();
            let mut running: Vec<u64> = Vec::new();
            // Model: opened_at is Some while open or half open; `ended` holds the ends since the last change.
            let mut opened_at: Option<Instant> = None;
            let mut probing = false;
            let mut era = 0u64;
            let mut eras: Vec<u64> = Vec::new();
            let mut ended: Vec<bool> = Vec::new();
            for step in steps {
                match step {
                    Step::Wait { seconds } => now += Duration::from_secs(seconds),
                    Step::Enter => {
                        let allowed = match opened_at {
                            None => true,
                            Some(at) if now < at + settings.open_for => false,
                            Some(_) => {
                                if !probing { probing = true; era += 1; ended.clear(); }
                                let mine = eras.iter().filter(|e| **e == era).count();
                                mine + ended.len() < settings.probes as usize
                            }
                        };
                        let entered = breaker.enter(&settings, now);
                        prop_assert_eq!(entered.is_ok(), allowed);
                        if let Ok(generation) = entered { running.push(generation); eras.push(era); }
                    }
                    Step::Leave { which, succeeded } => {
                        if running.is_empty() { continue; }
                        let index = which % running.len();
                        let generation = running.swap_remove(index);
                        let my_era = eras.swap_remove(index);
                        breaker.leave(&settings, generation, succeeded, now);
                        if my_era != era { continue; }
                        let Some(succeeded) = succeeded else { continue };
                        ended.push(succeeded);
                        if opened_at.is_some() {
                            if !succeeded { opened_at = Some(now); probing = false; era += 1; ended.clear(); }
                            else if ended.len() >= settings.probes as usize { opened_at = None; probing = false; era += 1; ended.clear(); }
                        } else {
                            let in_a_row = ended.iter().rev().take_while(|ok| !**ok).count();
                            let last: Vec<bool> = ended.iter().rev().take(settings.window).copied().collect();
                            let failed = last.iter().filter(|ok| !**ok).count();
                            let rate = last.len() >= settings.minimum_calls && failed * 2 >= last.len();
                            if !succeeded && (in_a_row >= 5 || rate) {
                                opened_at = Some(now); probing = false; era += 1; ended.clear();
                            }
                        }
                    }
                }
            }
        }
    }
}
