//! When what was invalidated, in a fixed number of places: two tags that share one only cost a request too many.

use std::{
    hash::BuildHasher,
    sync::atomic::{AtomicU64, Ordering},
};

use super::Tag;

/// Places; a power of two.
const PLACES: usize = 4_096;

/// The count of invalidations, and for each place that of its last.
pub(super) struct Stamps {
    count: AtomicU64,
    all: AtomicU64,
    places: Box<[AtomicU64]>,
    hasher: std::hash::RandomState,
}

impl Default for Stamps {
    fn default() -> Self {
        Self {
            count: AtomicU64::new(0),
            all: AtomicU64::new(0),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            hasher: std::hash::RandomState::new(),
        }
    }
}

impl Stamps {
    /// The count so far. What is asked from now on has seen all that was invalidated before.
    pub fn now(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Invalidates.
    pub fn raise(&self, tag: Tag) {
        let stamp = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let place = if tag == Tag::All { &self.all } else { self.place(tag) };
        place.fetch_max(stamp, Ordering::SeqCst);
    }

    /// Was nothing of this invalidated since `began`?
    pub fn hold(&self, tags: &[Tag], began: u64) -> bool {
        self.all.load(Ordering::SeqCst) <= began
            && tags.iter().all(|tag| self.place(*tag).load(Ordering::SeqCst) <= began)
    }

    fn place(&self, tag: Tag) -> &AtomicU64 {
        let hash = usize::try_from(self.hasher.hash_one(tag) % PLACES as u64).unwrap_or(0);
        &self.places[hash]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_began_before_an_invalidation_no_longer_holds() {
        let stamps = Stamps::default();
        let began = stamps.now();
        let tags = [Tag::Conversation(1), Tag::Contact(7)];
        assert!(stamps.hold(&tags, began));
        stamps.raise(Tag::Contact(7));
        assert!(!stamps.hold(&tags, began) && stamps.hold(&tags, stamps.now()));
        let began = stamps.now();
        stamps.raise(Tag::All);
        assert!(!stamps.hold(&tags, began) && !stamps.hold(&[], began) && stamps.hold(&tags, stamps.now()));
    }
}
