//! Leaves the provider of one inbox alone after it failed several times in a row, and tries one send at a time until
//! it answers again. Other inboxes are not affected.

use std::sync::{Mutex, MutexGuard, PoisonError};

use frontdesk_model::Timestamp;

/// The breaker of one inbox on this node.
pub struct Breaker {
    failures_to_open: u32,
    open_ms: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Timestamp>,
    probing: bool,
}

/// Whether a send may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Go.
    Go,
    /// Not before this moment.
    HoldUntil(Timestamp),
}

impl Breaker {
    /// Opens after `failures_to_open` failures in a row, for `open_ms` milliseconds.
    pub fn new(failures_to_open: u32, open_ms: u64) -> Self {
        let open_ms = i64::try_from(open_ms).unwrap_or(i64::MAX);
        Self { failures_to_open: failures_to_open.max(1), open_ms, state: Mutex::default() }
    }

    /// Asks whether a send may go now. After an outage only one at a time may: whoever gets `Go` must report back
    /// with [`Breaker::succeeded`] or [`Breaker::failed`], or give its place back with [`Breaker::abandoned`].
    pub fn admit(&self, now: Timestamp) -> Admission {
        let mut state = self.lock();
        match state.open_until {
            None => Admission::Go,
            Some(until) if until > now => Admission::HoldUntil(until),
            Some(_) if state.probing => Admission::HoldUntil(now.plus_ms(1_000)),
            Some(_) => {
                state.probing = true;
                Admission::Go
            }
        }
    }

    /// The provider answered. True when the breaker was open until now.
    pub fn succeeded(&self) -> bool {
        let mut state = self.lock();
        let was_open = state.open_until.is_some();
        *state = State::default();
        was_open
    }

    /// The provider failed as a whole (not one message). Returns until when the inbox is left alone, once it opens.
    pub fn failed(&self, now: Timestamp) -> Option<Timestamp> {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        state.probing = false;
        if state.failures < self.failures_to_open {
            return None;
        }
        let until = now.plus_ms(self.open_ms);
        state.open_until = Some(until);
        Some(until)
    }

    /// A send that was admitted did not happen after all.
    pub fn abandoned(&self) {
        self.lock().probing = false;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_tries_one_at_a_time() {
        let at = |secs: i64| Timestamp::from_secs(1_000 + secs);
        let breaker = Breaker::new(3, 30_000);
        assert_eq!((breaker.failed(at(0)), breaker.failed(at(0))), (None, None));
        breaker.succeeded();
        assert_eq!((breaker.failed(at(1)), breaker.failed(at(1))), (None, None));
        assert_eq!(breaker.failed(at(1)), Some(at(31)));
        assert_eq!(breaker.admit(at(2)), Admission::HoldUntil(at(31)));
        assert_eq!(breaker.admit(at(31)), Admission::Go);
        assert!(matches!(breaker.admit(at(31)), Admission::HoldUntil(_)), "one probe at a time");
        assert_eq!(breaker.failed(at(32)), Some(at(62)));
        assert_eq!(breaker.admit(at(62)), Admission::Go);
        assert!(breaker.succeeded());
        assert_eq!(breaker.admit(at(62)), Admission::Go);
        assert_eq!(breaker.admit(at(62)), Admission::Go);
    }
}
