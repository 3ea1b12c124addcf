//! Things of which each is kept once, by its name, and has a number: a few bytes each beside the thing itself.

use std::hash::{BuildHasher, Hash};
use std::ops::{Index, IndexMut};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::packed::Blocks;

/// What no other of its kind is called.
pub(crate) trait Named {
    type Name: Eq + Hash + ?Sized;
    fn name(&self) -> &Self::Name;
}

/// Numbers begin at 0; one that was given back is given to the next.
#[derive(Debug)]
pub(crate) struct Register<T> {
    numbers: HashTable<u32>,
    things: Blocks<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Register<T> {
    fn default() -> Self {
        Self { numbers: HashTable::new(), things: Blocks::default(), free: Vec::new() }
    }
}

impl<T: Named> Register<T> {
    /// The number of the thing of this name.
    pub(crate) fn find(&self, name: &T::Name) -> Option<u32> {
        self.numbers.find(hash(name), |at| is_called(&self.things[*at], name)).copied()
    }

    /// The number of the thing of this name, which is made where there is none.
    pub(crate) fn find_or_insert(&mut self, name: &T::Name, make: impl FnOnce() -> T) -> u32 {
        self.find(name).unwrap_or_else(|| self.insert(make()))
    }

    /// Keeps a thing; there must be none of its name.
    pub(crate) fn insert(&mut self, thing: T) -> u32 {
        let hashed = hash(thing.name());
        let at = match self.free.pop() {
            Some(at) => {
                self.things[at] = Some(thing);
                at
            }
            None => {
                self.things.push(Some(thing));
                u32::try_from(self.things.len() - 1).unwrap_or(u32::MAX)
            }
        };
        let things = &self.things;
        let hash_of = |at: &u32| things[*at].as_ref().map_or(0, |thing| hash(thing.name()));
        self.numbers.insert_unique(hashed, at, hash_of);
        at
    }

    /// Gives a number back.
    pub(crate) fn remove(&mut self, at: u32) -> Option<T> {
        let thing = self.things[at].take()?;
        if let Ok(known) = self.numbers.find_entry(hash(thing.name()), |known| *known == at) {
            known.remove();
        }
        self.free.push(at);
        Some(thing)
    }

    /// How many things there are.
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// How many numbers were given, also those that were given back.
    pub(crate) fn places(&self) -> usize {
        self.things.len()
    }

    /// Numbers that were given back.
    pub(crate) fn free(&self) -> &[u32] {
        &self.free
    }

    /// By their numbers; `None` where one was given back.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<&T>> {
        self.things.iter().map(Option::as_ref)
    }
}

impl<T> Index<u32> for Register<T> {
    type Output = Option<T>;

    fn index(&self, at: u32) -> &Option<T> {
        &self.things[at]
    }
}

impl<T> IndexMut<u32> for Register<T> {
    /// The name must stay what it is.
    fn index_mut(&mut self, at: u32) -> &mut Option<T> {
        &mut self.things[at]
    }
}

fn is_called<T: Named>(thing: &Option<T>, name: &T::Name) -> bool {
    thing.as_ref().is_some_and(|thing| thing.name() == name)
}

fn hash(name: &(impl Hash + ?Sized)) -> u64 {
    FxBuildHasher.hash_one(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Named for Box<str> {
        type Name = str;
        fn name(&self) -> &str {
            self
        }
    }

    #[test]
    fn each_name_has_one_number_while_it_is_kept() {
        let mut register = Register::<Box<str>>::default();
        let names: Vec<String> = (0..2_000).map(|n| format!("name {n}")).collect();
        for (number, name) in (0..).zip(&names) {
            assert_eq!(register.find_or_insert(name, || name.as_str().into()), number);
        }
        assert_eq!(register.find_or_insert("name 7", || unreachable!()), 7);
        assert_eq!((register.find("name 1999"), register.find("nobody")), (Some(1_999), None));
        assert_eq!(register.remove(7).as_deref(), Some("name 7"));
        assert_eq!(
            (register.remove(7), register.find("name 7"), register.free()),
            (None, None, [7].as_slice())
        );
        assert_eq!((register.len(), register.places()), (1_999, 2_000));
        assert_eq!(register.find_or_insert("another", || "another".into()), 7);
        assert_eq!((register.places(), register.iter().flatten().count()), (2_000, 2_000));
    }
}
