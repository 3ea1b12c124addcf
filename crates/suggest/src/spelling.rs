//! Words that customers of this account use, for reading those that are mistyped.

use rustc_hash::FxHashMap;

use crate::table::{Known, Table};

/// Shorter words have too many neighbours.
const SHORTEST: usize = 4;

/// How often each word came.
#[derive(Debug, Default)]
pub(crate) struct Spelling {
    times: FxHashMap<Box<str>, u32>,
}

impl Spelling {
    pub(crate) fn add(&mut self, words: &[String]) {
        for word in words {
            *self.times.entry(word.as_str().into()).or_default() += 1;
        }
    }

    pub(crate) fn remove(&mut self, words: &[String]) {
        for word in words {
            if let Some(times) = self.times.get_mut(word.as_str()) {
                *times -= 1;
                if *times == 0 {
                    self.times.remove(word.as_str());
                }
            }
        }
    }

    /// The words with each that nobody knows replaced by the commonest that is one slip away, if there is one.
    pub(crate) fn corrected(&self, mut words: Vec<String>, table: Option<&Table>) -> Vec<String> {
        for word in &mut words {
            let is_known = word.len() < SHORTEST
                || word.starts_with('<')
                || self.times.contains_key(word.as_str())
                || table.is_some_and(|table| table.known(word) != Known::Unknown);
            if is_known {
                continue;
            }
            let nearest = self
                .times
                .iter()
                .filter(|(other, _)| one_slip(word.as_bytes(), other.as_bytes()))
                .max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
            if let Some((nearest, _)) = nearest {
                *word = nearest.to_string();
            }
        }
        words
    }
}

/// Whether one letter more, less or other, or two that changed places, make one word of the other.
fn one_slip(a: &[u8], b: &[u8]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let from = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let (short, long) = (&short[from..], &long[from..]);
    if short.len() < long.len() {
        return *short == long[1..];
    }
    match (short, long) {
        ([], []) => true,
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([w, x, a @ ..], [y, z, b @ ..]) => w == z && x == y && a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words;

    #[test]
    fn one_slip_of_each_kind_is_known() {
        for mistyped in ["refnd", "refuund", "refumd", "refnud", "efund"] {
            assert!(one_slip(mistyped.as_bytes(), b"refund"), "{mistyped}");
        }
        for other in ["refuse", "fund", "rfeudn"] {
            assert!(!one_slip(other.as_bytes(), b"refund"), "{other}");
        }
    }

    #[test]
    fn a_mistyped_word_is_read_as_the_commonest_near_it() {
        let mut spelling = Spelling::default();
        spelling.add(&words("refund my parcel"));
        spelling.add(&words("refund refunds"));
        let corrected = |text| spelling.corrected(words(text), Table::built_in().as_ref());
        assert_eq!(corrected("refnud my pracel"), words("refund my parcel"));
        assert_eq!(corrected("breakfast"), words("breakfast"));
        spelling.remove(&words("refund my parcel"));
        assert_eq!(spelling.corrected(words("pracel"), None), words("pracel"));
    }
}
