//! Words that customers of this account use: each is kept once, has a number, and serves for reading those that are mistyped.
//!
//! A word that nobody here has used before is read as the one a slip or two away that is used most. That the table knows it
//! says little: with 60,292 words of many languages a slip often hits one. So where another word of a question is mistyped,
//! one that only the table knows is read as one that is used often here too.

use crate::register::{Named, Register};
use crate::table::{Known, Table};

/// Shorter words are not looked at: they say little, and are a slip away from each other.
const SHORTEST: usize = 3;
/// Words of so many letters are read with two slips in them too.
const SHORTEST_OF_TWO_SLIPS: usize = 5;
/// Longer words are not looked at.
const LONGEST: usize = 32;
/// Two words with the space between them forgotten have so many letters.
const SHORTEST_OF_TWO_WORDS: usize = 6;
/// Words of one question that are looked up; where more are strange, it is not written in this account's languages.
const LOOKED_UP: usize = 24;
/// What the table knows is read as a word of this account that came so often.
const OFTEN: u32 = 5;
/// A word that the table does not know, and that came before, is read as one that came so many times as often.
const FAR_OFTENER: u32 = 100;
/// How many times as often a word must have come to be worth one slip more, as a logarithm.
const SLIP: f32 = 4.0;

/// How often each word came.
#[derive(Debug, Default)]
pub(crate) struct Spelling {
    words: Register<Used>,
}

/// A word of this account.
#[derive(Debug)]
struct Used {
    word: Box<str>,
    times: u32,
    outline: Outline,
    /// The row of the table that stands for it.
    row: Option<u32>,
}

impl Named for Used {
    type Name = str;
    fn name(&self) -> &str {
        &self.word
    }
}

/// What is compared before a word itself is: how many letters it has, and which.
#[derive(Debug, Default, Clone, Copy)]
struct Outline {
    length: u32,
    letters: u32,
}

impl Outline {
    fn of(word: &str) -> Self {
        word.chars().fold(Self::default(), |outline, c| Self {
            length: outline.length + 1,
            letters: outline.letters | 1 << (u32::from(c) % 32),
        })
    }

    /// Whether two words may be so many slips apart: each changes the length by one at most, and the letters by two.
    fn is_near(self, other: Self, slips: u32) -> bool {
        self.length.abs_diff(other.length) <= slips
            && (self.letters ^ other.letters).count_ones() <= 2 * slips
    }
}

impl Spelling {
    /// Takes up the words of a text and says their numbers.
    pub(crate) fn add(&mut self, words: &[String], table: Option<&Table>) -> Vec<u32> {
        words.iter().map(|word| self.add_word(word, table)).collect()
    }

    fn add_word(&mut self, word: &str, table: Option<&Table>) -> u32 {
        let new = || Used {
            word: word.into(),
            times: 0,
            outline: Outline::of(word),
            row: table.and_then(|table| table.nearest_row(word)),
        };
        let at = self.words.find_or_insert(word, new);
        self.words[at].iter_mut().for_each(|used| used.times += 1);
        at
    }

    /// Takes the words of these numbers away again.
    pub(crate) fn remove(&mut self, numbers: impl Iterator<Item = u32>) {
        for at in numbers {
            let Some(used) = &mut self.words[at] else { continue };
            used.times -= 1;
            if used.times == 0 {
                self.words.remove(at);
            }
        }
    }

    /// The word of a number.
    pub(crate) fn word(&self, number: u32) -> &str {
        self.words[number].as_ref().map_or("", |used| &used.word)
    }

    /// The row of the table that stands for the word of a number.
    pub(crate) fn row(&self, number: u32) -> Option<u32> {
        self.words[number].as_ref()?.row
    }

    fn times(&self, word: &str) -> u32 {
        self.words.find(word).and_then(|at| self.words[at].as_ref()).map_or(0, |used| used.times)
    }

    /// The words, with each that is mistyped replaced by the one that was meant, as far as anybody can say.
    pub(crate) fn corrected(&self, words: Vec<String>, table: Option<&Table>) -> Vec<String> {
        let in_table = |word: &str| table.is_some_and(|table| table.known(word) != Known::Unknown);
        let is_plain = |word: &str| word.starts_with('<') || word.len() < SHORTEST || word.len() > LONGEST;
        let is_strange = |word: &str| self.times(word) == 0 && !in_table(word);
        // Who mistyped one word has mistyped others, and some became words of other languages.
        let is_hasty = words.iter().any(|word| {
            !is_plain(word)
                && is_strange(word)
                && (self.meant(word, 2, 1).is_some() || self.two_words(word).is_some())
        });
        let mut looked_up = 0;
        let mut read = Vec::with_capacity(words.len());
        for word in words {
            let (times, in_table) = (self.times(&word), in_table(&word));
            if is_plain(&word) || (in_table && (times > 0 || !is_hasty)) || looked_up == LOOKED_UP {
                read.push(word);
                continue;
            }
            looked_up += 1;
            let (least, slips) = match times {
                0 if in_table => (OFTEN, 1),
                0 => (1, 2),
                times => (times.saturating_mul(FAR_OFTENER), 1),
            };
            let meant = self.meant(&word, slips, least);
            let two = match meant {
                Some((_, 1)) => None,
                _ if slips == 2 => self.two_words(&word),
                _ => None,
            };
            match (two, meant) {
                (Some((first, second)), _) => read.extend([first.to_owned(), second.to_owned()]),
                (None, Some((meant, slips))) => {
                    read.push(meant.to_owned());
                    // Two slips are a guess: it may be a word of its own all the same.
                    if slips > 1 {
                        read.push(word);
                    }
                }
                (None, None) => read.push(word),
            }
        }
        read
    }

    /// The likeliest word that came at least so often and is at most so many slips away, one where `word` is short; and how
    /// many slips.
    fn meant(&self, word: &str, most: u32, least: u32) -> Option<(&str, u32)> {
        let letters: Vec<char> = word.chars().collect();
        let outline = Outline::of(word);
        let most = if letters.len() < SHORTEST_OF_TWO_SLIPS { 1 } else { most };
        let mut best: Option<(f32, &str, u32)> = None;
        for used in self.words.iter().flatten() {
            if used.times < least || !outline.is_near(used.outline, most) || used.word.starts_with('<') {
                continue;
            }
            let Some(slips @ 1..) = slips_between(&letters, &used.word, most) else { continue };
            let likely = weight(used.times).ln() - SLIP * weight(slips);
            // Of equals the first in the alphabet: the order of places is that of learning.
            let is_better = best.is_none_or(|(other, word, _)| match likely.total_cmp(&other) {
                std::cmp::Ordering::Equal => *used.word < *word,
                order => order.is_gt(),
            });
            if is_better {
                best = Some((likely, &used.word, slips));
            }
        }
        best.map(|(_, word, slips)| (word, slips))
    }

    /// Two words of this account without the space between them; of several the pair whose rarer word came most.
    fn two_words<'a>(&self, word: &'a str) -> Option<(&'a str, &'a str)> {
        if word.chars().count() < SHORTEST_OF_TWO_WORDS {
            return None;
        }
        word.char_indices()
            .map(|(at, _)| word.split_at(at))
            .filter(|(first, second)| first.len() > 1 && second.len() > 1)
            .map(|(first, second)| (self.times(first).min(self.times(second)), (first, second)))
            .filter(|(times, _)| *times > 1)
            .max_by_key(|(times, (first, _))| (*times, first.len()))
            .map(|(_, words)| words)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of words; a likelihood needs no more digits")]
fn weight(count: u32) -> f32 {
    count as f32
}

/// How many letters more, less or other, or pairs that changed places, make one word of the other; `None` for more than
/// `most`, or a word of more than [`LONGEST`] letters.
fn slips_between(a: &[char], b: &str, most: u32) -> Option<u32> {
    let mut letters = ['\0'; LONGEST];
    let mut length = 0;
    for c in b.chars() {
        *letters.get_mut(length)? = c;
        length += 1;
    }
    let b = letters.get(..length)?;
    let from = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[from..], &b[from..]);
    if a.len() > LONGEST {
        return None;
    }
    // Three rows of the table of distances: a change of places looks two back.
    let mut two_back = [0_u32; LONGEST + 1];
    let mut back: [u32; LONGEST + 1] = std::array::from_fn(|at| u32::try_from(at).unwrap_or(u32::MAX));
    for (i, x) in a.iter().enumerate() {
        let mut row = [0_u32; LONGEST + 1];
        row[0] = back[0] + 1;
        let mut least = row[0];
        for (j, y) in b.iter().enumerate() {
            let mut slips = (back[j + 1] + 1).min(row[j] + 1).min(back[j] + u32::from(x != y));
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                slips = slips.min(two_back[j - 1] + 1);
            }
            row[j + 1] = slips;
            least = least.min(slips);
        }
        if least > most {
            return None;
        }
        two_back = back;
        back = row;
    }
    Some(back[b.len()]).filter(|slips| *slips <= most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words;

    fn slips(a: &str, b: &str) -> Option<u32> {
        slips_between(&a.chars().collect::<Vec<_>>(), b, 2)
    }

    fn learned(texts: &[&str]) -> Spelling {
        let mut spelling = Spelling::default();
        texts.iter().for_each(|text| learn(&mut spelling, text));
        spelling
    }

    fn learn(spelling: &mut Spelling, text: &str) {
        spelling.add(&words(text), Table::built_in().as_ref());
    }

    fn forget(spelling: &mut Spelling, text: &str) {
        let numbers: Vec<u32> = words(text).iter().filter_map(|word| spelling.words.find(word)).collect();
        spelling.remove(numbers.into_iter());
    }

    fn corrected(spelling: &Spelling, text: &str) -> String {
        spelling.corrected(words(text), Table::built_in().as_ref()).join(" ")
    }

    #[test]
    fn slips_of_each_kind_are_counted() {
        for mistyped in ["refnd", "refuund", "refumd", "refnud", "efund", "refundd"] {
            assert_eq!(slips(mistyped, "refund"), Some(1), "{mistyped}");
        }
        for mistyped in ["rfnd", "refuse", "erfudn", "fund", "xrefundx"] {
            assert_eq!(slips(mistyped, "refund"), Some(2), "{mistyped}");
        }
        assert_eq!(slips("refund", "refund"), Some(0));
        assert_eq!(slips("breakfast", "refund"), None);
        assert_eq!(slips("", "ab"), Some(2));
        assert_eq!(slips(&"a".repeat(50), &"a".repeat(51)), None);
    }

    #[test]
    fn a_mistyped_word_is_read_as_the_commonest_near_it() {
        let mut spelling = learned(&["refund my parcel", "refund refunds"]);
        assert_eq!(corrected(&spelling, "refnud my pracel"), "refund my parcel");
        // Two slips are a guess, and leave what was written.
        assert_eq!(corrected(&spelling, "rfenud my pqrcwl"), "refund rfenud my parcel pqrcwl");
        assert_eq!(corrected(&spelling, "qwrtzp"), "qwrtzp");
        forget(&mut spelling, "refund my parcel");
        assert_eq!(corrected(&spelling, "pracel"), "pracel");
        forget(&mut spelling, "refund refunds");
        assert_eq!(corrected(&spelling, "refnud"), "refnud");
    }

    #[test]
    fn a_word_of_the_table_is_read_as_another_only_where_more_is_mistyped_and_that_one_is_common_here() {
        let table = Table::built_in().unwrap();
        assert_eq!((table.known("car"), table.known("crad")), (Known::Word, Known::Unknown));
        let rarely = learned(&["refund my card"; 4]);
        let often = learned(&["refund my card"; 5]);
        assert_eq!(corrected(&rarely, "refnud my car"), "refund my car");
        assert_eq!(corrected(&often, "refund my car"), "refund my car");
        assert_eq!(corrected(&often, "refnud my car"), "refund my card");
        // A word that this account uses stays what it is, whatever else is common.
        let mut both = learned(&["refund my card"; 50]);
        learn(&mut both, "car");
        assert_eq!(corrected(&both, "refnud my car"), "refund my car");
    }

    #[test]
    fn what_others_mistyped_before_is_not_taken_for_a_word() {
        let mut spelling = learned(&["transfer"; 99]);
        learn(&mut spelling, "tranxfer");
        assert_eq!(corrected(&spelling, "tranxfer"), "tranxfer");
        learn(&mut spelling, "transfer");
        assert_eq!(corrected(&spelling, "tranxfer"), "transfer");
    }

    #[test]
    fn a_forgotten_space_is_put_back() {
        let spelling = learned(&["my card", "other bank", "my card", "other bank"]);
        assert_eq!(corrected(&spelling, "mycard otherbank"), "my card other bank");
        assert_eq!(corrected(&learned(&["other bank"]), "otherbank"), "otherbank");
    }

    #[test]
    fn what_a_word_is_read_as_does_not_depend_on_the_order_of_learning() {
        let forwards = learned(&["boat", "coat", "goat"]);
        let backwards = learned(&["goat", "coat", "boat"]);
        assert_eq!(corrected(&forwards, "xoat"), "boat");
        assert_eq!(corrected(&backwards, "xoat"), "boat");
    }

    #[test]
    fn nothing_long_or_strange_breaks_it() {
        let spelling = learned(&["refund", &"x".repeat(500), "не пришла посылка"]);
        assert_eq!(corrected(&spelling, &"x".repeat(499)), "x".repeat(499));
        assert_eq!(corrected(&spelling, "посыка"), "посылка");
        let many = "qqqq wwww ".repeat(100);
        assert_eq!(corrected(&spelling, &many).split(' ').count(), 200);
    }
}
