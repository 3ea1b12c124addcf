//! Where questions lie together with what was said before them.
//!
//! The same is said before many questions, so where that lies is kept once, and of each pair only how far question and
//! context are from where both lie together: its cosine follows from theirs.

use std::num::NonZeroU32;

use crate::packed::Blocks;
use crate::register::{Named, Register};
use crate::table::{self, Asked, Point, Sum};

/// The contexts of all pairs.
#[derive(Debug, Default)]
pub(crate) struct Contexts {
    of_pairs: Blocks<Parts>,
    befores: Register<Before>,
}

/// What was said before some questions.
#[derive(Debug)]
struct Before {
    point: Point,
    /// Of how many pairs.
    pairs: u32,
}

impl Named for Before {
    type Name = Point;
    fn name(&self) -> &Point {
        &self.point
    }
}

/// What part question and what was said before it have in both together.
#[derive(Debug, Default, Clone, Copy)]
struct Parts {
    question: f32,
    before: f32,
    /// One more than the number of what was said before, if anything was.
    at: Option<NonZeroU32>,
}

impl Contexts {
    /// Puts the context of a question of this sum at a place that is free, or just behind the last.
    pub(crate) fn add(&mut self, place: u32, question: &Sum, before: Option<&Sum>) {
        while self.of_pairs.len() <= place as usize {
            self.of_pairs.push(Parts::default());
        }
        self.of_pairs[place] = match before {
            None => Parts { question: 1.0, before: 0.0, at: None },
            Some(before) => {
                let both = table::length(&table::together(question, before)).max(1e-6);
                Parts {
                    question: table::length(question) / both,
                    before: table::length(before) / both,
                    at: NonZeroU32::new(self.keep(before) + 1),
                }
            }
        };
    }

    fn keep(&mut self, sum: &Sum) -> u32 {
        let point = table::direction(sum);
        let at = self.befores.find_or_insert(&point, || Before { point, pairs: 0 });
        self.befores[at].iter_mut().for_each(|before| before.pairs += 1);
        at
    }

    /// Takes the context at a place away.
    pub(crate) fn remove(&mut self, place: u32) {
        // Without a table there is no context at all.
        if place as usize >= self.of_pairs.len() {
            return;
        }
        let Some(at) = std::mem::take(&mut self.of_pairs[place]).at else { return };
        let at = at.get() - 1;
        let Some(before) = &mut self.befores[at] else { return };
        before.pairs -= 1;
        if before.pairs == 0 {
            self.befores.remove(at);
        }
    }

    /// How near each pair's question and context together are to a point; `alone` says how near each question is to it.
    pub(crate) fn cosines<'a>(
        &'a self,
        point: &Asked,
        befores: &'a mut Vec<f32>,
        alone: impl Iterator<Item = f32> + 'a,
    ) -> impl Iterator<Item = f32> + 'a {
        befores.clear();
        let near = |before: Option<&Before>| before.map_or(0.0, |before| point.cosine(&before.point));
        befores.extend(self.befores.iter().map(near));
        self.of_pairs.iter().zip(alone).map(|(parts, alone)| {
            let before = parts.at.map_or(0.0, |at| befores[at.get() as usize - 1]);
            parts.question * alone + parts.before * before
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;
    use crate::text::words;

    #[test]
    fn together_they_lie_where_one_text_of_both_does() {
        let table = Table::built_in().unwrap();
        let sum = |text| table.sum(&words(text));
        let (question, before) = (sum("yes please the larger one"), sum("which room would you like"));
        let mut contexts = Contexts::default();
        contexts.add(0, &question, Some(&before));
        contexts.add(1, &question, None);
        contexts.add(2, &sum("is it late"), Some(&before));
        assert_eq!(contexts.befores.len(), 1, "the same is kept once");
        let asked = table::direction(&sum("a larger room please"));
        let near = |contexts: &Contexts| -> Vec<f32> {
            let alone = table::cosine(&asked, &table::direction(&question));
            contexts.cosines(&Asked::new(&asked), &mut Vec::new(), std::iter::repeat(alone)).collect()
        };
        let both = table::direction(&table::together(&question, &before));
        let found = near(&contexts);
        assert!((found[0] - table::cosine(&asked, &both)).abs() < 0.01, "{found:?}");
        assert!((found[1] - table::cosine(&asked, &table::direction(&question))).abs() < 1e-6, "{found:?}");
        contexts.remove(0);
        contexts.remove(2);
        assert_eq!((contexts.befores.len(), contexts.befores.free().len()), (0, 1));
        contexts.add(0, &question, Some(&before));
        assert_eq!((near(&contexts)[0].to_bits(), contexts.befores.places()), (found[0].to_bits(), 1));
    }
}
