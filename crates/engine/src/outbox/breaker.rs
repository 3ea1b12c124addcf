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

/// Leave to send once. Tell how it went with [`Pass::succeeded`] or [`Pass::failed`]; a pass that is only dropped (the
/// send did not happen after all) gives its place back.
#[must_use]
pub struct Pass<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    /// Opens after `failures_to_open` failures in a row, for `open_ms` milliseconds.
    pub fn new(failures_to_open: u32, open_ms: u64) -> Self {
        let open_ms = i64::try_from(open_ms).unwrap_or(i64::MAX);
        Self { failures_to_open: failures_to_open.max(1), open_ms, state: Mutex::default() }
    }

    /// Asks whether a send may go now; if not, says when to ask again. After an outage only one at a time may.
    pub fn admit(&self, now: Timestamp) -> Result<Pass<'_>, Timestamp> {
        let mut state = self.lock();
        match state.open_until {
            None => Ok(Pass { breaker: self, is_probe: false }),
            Some(until) if until > now => Err(until),
            Some(_) if state.probing => Err(now.plus_ms(1_000)),
            Some(_) => {
                state.probing = true;
                Ok(Pass { breaker: self, is_probe: true })
            }
        }
    }

    /// Until when it is open; past that moment it tries one send at a time. `None` while it is closed.
    pub fn open_until(&self) -> Option<Timestamp> {
        self.lock().open_until
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The provider answered. True when the breaker was open until now.
    pub fn succeeded(self) -> bool {
        let mut state = self.breaker.lock();
        let was_open = state.open_until.is_some();
        *state = State::default();
        was_open
    }

    /// The provider failed as a whole (not one message). Returns until when the inbox is left alone, once it opens.
    pub fn failed(self, now: Timestamp) -> Option<Timestamp> {
        let mut state = self.breaker.lock();
        state.failures = state.failures.saturating_add(1);
        if state.failures < self.breaker.failures_to_open {
            return None;
        }
        let until = now.plus_ms(self.breaker.open_ms);
        state.open_until = Some(until);
        Some(until)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.lock().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_000 + secs)
    }

    fn fail(breaker: &Breaker, secs: i64) -> Option<Timestamp> {
        breaker.admit(at(secs)).ok().unwrap().failed(at(secs))
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_tries_one_at_a_time() {
        let breaker = Breaker::new(3, 30_000);
        assert_eq!((fail(&breaker, 0), fail(&breaker, 0)), (None, None));
        assert!(!breaker.admit(at(0)).ok().unwrap().succeeded());
        assert_eq!((fail(&breaker, 1), fail(&breaker, 1)), (None, None));
        assert_eq!(fail(&breaker, 1), Some(at(31)));
        assert_eq!(breaker.admit(at(2)).err(), Some(at(31)));
        let probe = breaker.admit(at(31)).ok().unwrap();
        assert!(breaker.admit(at(31)).is_err(), "one probe at a time");
        assert_eq!(probe.failed(at(32)), Some(at(62)));
        let probe = breaker.admit(at(62)).ok().unwrap();
        assert!(probe.succeeded());
        let (one, two) = (breaker.admit(at(62)), breaker.admit(at(62)));
        assert!(one.is_ok() && two.is_ok());
    }

    #[test]
    fn a_probe_that_never_happened_does_not_keep_others_away() {
        let breaker = Breaker::new(1, 30_000);
        fail(&breaker, 0);
        let probe = breaker.admit(at(31)).ok().unwrap();
        drop(probe); // the database failed before the request left
        assert!(breaker.admit(at(31)).is_ok());
    }

    #[test]
    fn a_send_from_before_the_outage_leaves_the_probe_its_place() {
        let breaker = Breaker::new(1, 30_000);
        let early = breaker.admit(at(0)).ok().unwrap();
        fail(&breaker, 0);
        let _probe = breaker.admit(at(31)).ok().unwrap();
        drop(early);
        assert!(breaker.admit(at(31)).is_err());
    }
}
