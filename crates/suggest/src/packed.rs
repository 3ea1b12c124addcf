//! What there is much of, in little memory: rows of numbers by small steps, and lists that grow without being copied.

use std::ops::{Index, IndexMut};

/// Numbers in a row, seven bits to a byte: small ones, as those of frequent words, take one.
#[derive(Debug, Default)]
pub(crate) struct Numbers(Box<[u8]>);

impl Numbers {
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let mut rest = self.0.iter();
        std::iter::from_fn(move || {
            let (mut number, mut shift) = (0_u32, 0);
            loop {
                let byte = *rest.next()?;
                number |= u32::from(byte & 0x7f) << shift;
                if byte & 0x80 == 0 {
                    return Some(number);
                }
                shift += 7;
            }
        })
    }
}

impl FromIterator<u32> for Numbers {
    fn from_iter<T: IntoIterator<Item = u32>>(numbers: T) -> Self {
        let mut bytes = Vec::new();
        for mut number in numbers {
            while number >= 0x80 {
                bytes.push(number.to_le_bytes()[0] | 0x80);
                number >>= 7;
            }
            bytes.push(number.to_le_bytes()[0]);
        }
        Self(bytes.into())
    }
}

/// Things of one block.
const BLOCK: usize = 512;

/// A list in blocks of one size: what it holds is never moved, and little is kept for what may come.
#[derive(Debug)]
pub(crate) struct Blocks<T>(Vec<Vec<T>>);

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Blocks<T> {
    pub(crate) fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * BLOCK + last.len())
    }

    pub(crate) fn push(&mut self, thing: T) {
        match self.0.last_mut().filter(|last| last.len() < BLOCK) {
            Some(last) => last.push(thing),
            None => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(thing);
                self.0.push(block);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

impl<T> Index<u32> for Blocks<T> {
    type Output = T;

    fn index(&self, at: u32) -> &T {
        &self.0[at as usize / BLOCK][at as usize % BLOCK]
    }
}

impl<T> IndexMut<u32> for Blocks<T> {
    fn index_mut(&mut self, at: u32) -> &mut T {
        &mut self.0[at as usize / BLOCK][at as usize % BLOCK]
    }
}

/// Makes room for one thing more in a list that grows seldom and is kept long: for a fourth more, not for twice as many.
pub(crate) fn push_sparingly<T>(list: &mut Vec<T>, thing: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 4 + 1);
    }
    list.push(thing);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_as_they_went_in() {
        let numbers = [0, 1, 127, 128, 16_383, 16_384, u32::MAX, 5];
        let packed: Numbers = numbers.into_iter().collect();
        assert_eq!(packed.iter().collect::<Vec<_>>(), numbers);
        assert_eq!(packed.0.len(), 3 + 2 + 2 + 3 + 5 + 1);
        assert_eq!(Numbers::default().iter().count(), 0);
    }

    #[test]
    fn a_list_in_blocks_is_a_list() {
        let mut list = Blocks::default();
        assert_eq!(list.len(), 0);
        (0..2 * BLOCK + 1).for_each(|n| list.push(n));
        assert_eq!(list.len(), 2 * BLOCK + 1);
        list[513] = 7;
        assert_eq!((list[0], list[512], list[513], list[1024]), (0, 512, 7, 1024));
        assert_eq!(list.iter().count(), 2 * BLOCK + 1);
    }
}
