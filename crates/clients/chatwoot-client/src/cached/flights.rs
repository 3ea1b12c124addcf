//! One request for all who ask for the same at once.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::{BoxFuture, FutureExt, Shared};

use super::{Entry, Key};
use crate::ChatwootError;

type Landing = Result<Arc<Entry>, ChatwootError>;
type SharedFlight = Shared<BoxFuture<'static, Landing>>;
type UnderWay = HashMap<Key, (u64, SharedFlight)>;

/// A request under way; all who hold it get its outcome.
#[must_use = "a flight goes on by itself; drop it on purpose"]
pub(super) struct Flight(SharedFlight);

impl Future for Flight {
    type Output = Landing;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Landing> {
        self.0.poll_unpin(cx)
    }
}

/// Requests under way, each with the count of invalidations at its beginning.
#[derive(Default)]
pub(super) struct Flights {
    under_way: Mutex<UnderWay>,
}

impl Flights {
    /// Joins the request for `key` unless what it brings no longer `holds`, else begins one with `make`.
    pub fn join<F>(
        &self,
        key: &Key,
        now: u64,
        holds: impl Fn(u64) -> bool,
        make: impl FnOnce() -> F,
    ) -> Flight
    where
        F: Future<Output = Landing> + Send + 'static,
    {
        let mut under_way = self.lock();
        if let Some((began, flight)) = under_way.get(key)
            && holds(*began)
            // One that ended without landing panicked.
            && flight.peek().is_none()
        {
            return Flight(flight.clone());
        }
        // A task of its own: that one caller goes away takes nothing from the others.
        let task = tokio::spawn(make());
        let landing = async move {
            task.await.unwrap_or_else(|_| Err(ChatwootError::unexpected("the request was given up")))
        };
        let flight = landing.boxed().shared();
        under_way.insert(key.clone(), (now, flight.clone()));
        Flight(flight)
    }

    /// The request that began at `began` has ended.
    pub fn land(&self, key: &Key, began: u64) {
        let mut under_way = self.lock();
        if under_way.get(key).is_some_and(|(current, _)| *current == began) {
            under_way.remove(key);
        }
    }

    /// No code here can panic while it holds the lock, so a poisoned one still guards good data.
    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
