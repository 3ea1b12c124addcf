//! A bounded, numbered list: what happened, in order, the oldest entries dropped first.

use std::collections::VecDeque;

use serde::Serialize;
use utoipa::ToSchema;

/// An entry with its place in the order of events. Numbers start at 1 and are never reused, not even after a reset.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Numbered<T> {
    /// Place in the order; ask with `after=seq` for what came later.
    pub seq: u64,
    /// The entry itself.
    #[serde(flatten)]
    pub entry: T,
}

/// A bounded, numbered list.
#[derive(Debug)]
pub struct Ledger<T> {
    last_seq: u64,
    capacity: usize,
    entries: VecDeque<Numbered<T>>,
}

impl<T> Ledger<T> {
    /// An empty ledger that keeps the newest `capacity` entries.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { last_seq: 0, capacity, entries: VecDeque::new() }
    }

    /// Adds an entry and returns its number.
    pub fn push(&mut self, entry: T) -> u64 {
        self.last_seq += 1;
        if self.entries.len() >= self.capacity {
            self.entries.pop_front();
        }
        self.entries.push_back(Numbered { seq: self.last_seq, entry });
        self.last_seq
    }

    /// The entry with this number, if it is still kept.
    pub fn find_mut(&mut self, seq: u64) -> Option<&mut T> {
        let index = self.entries.binary_search_by_key(&seq, |numbered| numbered.seq).ok()?;
        self.entries.get_mut(index).map(|numbered| &mut numbered.entry)
    }

    /// Entries numbered above `after`, oldest first.
    pub fn after(&self, after: u64) -> impl Iterator<Item = &Numbered<T>> {
        let start = self.entries.partition_point(|numbered| numbered.seq <= after);
        self.entries.range(start..)
    }

    /// All entries that are still kept, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Numbered<T>> {
        self.entries.iter()
    }

    /// Forgets the entries; numbering goes on.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;

    #[test]
    fn oldest_entries_go_first_and_numbers_stay() {
        let mut ledger = Ledger::new(2);
        for word in ["one", "two", "three"] {
            ledger.push(word);
        }
        let kept: Vec<_> = ledger.after(0).map(|numbered| (numbered.seq, numbered.entry)).collect();
        assert_eq!(kept, [(2, "two"), (3, "three")]);
        assert_eq!(ledger.after(2).count(), 1);
        ledger.clear();
        assert_eq!(ledger.push("four"), 4);
    }
}
