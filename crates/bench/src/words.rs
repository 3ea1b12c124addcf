//! Texts such as customers write, as to length and to how often words come again: searching among equal texts, or among
//! random ones, would say nothing about searching a real inbox.

/// Words there are.
const VOCABULARY: u64 = 8_000;
const SYLLABLES: [&str; 20] = [
    "ba", "ri", "to", "men", "sa", "lu", "ka", "den", "po", "mi", "ter", "ga", "no", "les", "wi", "har",
    "ju", "ven", "so", "cal",
];

/// The word of a rank; 0 is the most frequent one.
pub fn word(rank: u64) -> String {
    let mut rest = rank % VOCABULARY;
    let mut word = String::with_capacity(12);
    for _ in 0..3 {
        word.push_str(SYLLABLES[usize::try_from(rest % 20).unwrap_or(0)]);
        rest /= 20;
    }
    word
}

/// Twelve words and the number: always the same for the same number.
pub fn text(number: u64) -> String {
    let mut text = String::with_capacity(110);
    let mut chance = Chance(number);
    for _ in 0..12 {
        text.push_str(&word(chance.rank()));
        text.push(' ');
    }
    text.push_str("no ");
    text.push_str(&number.to_string());
    text
}

/// Two words that stand together in some messages: `number` picks them.
pub fn searched(number: u64) -> [String; 2] {
    let mut chance = Chance(number);
    [word(chance.rank()), word(chance.rank())]
}

/// Numbers that look like chance and are the same in every run (splitmix64).
pub struct Chance(pub u64);

impl Chance {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// Low ranks often, high ones seldom: the share of words up to a rank grows with the logarithm of it.
    fn rank(&mut self) -> u64 {
        let part = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let rank = (VOCABULARY as f64).powf(part) as u64;
        rank.saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn some_words_are_frequent_and_most_are_rare() {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for number in 0..2_000 {
            for word in text(number).split(' ').take(12) {
                *counts.entry(word.to_owned()).or_default() += 1;
            }
        }
        let rare = counts.values().filter(|count| **count < 10).count();
        assert!(counts[&word(0)] > 1_000 && rare > counts.len() / 2, "{} words, {rare} rare", counts.len());
    }

    #[test]
    fn a_text_is_its_numbers_and_no_other_has_it() {
        assert_eq!(text(7), text(7));
        assert_ne!(text(7), text(8));
    }

    #[test]
    fn every_word_is_one_of_a_kind() {
        let words: std::collections::HashSet<String> = (0..VOCABULARY).map(word).collect();
        assert_eq!(words.len() as u64, VOCABULARY);
    }
}
