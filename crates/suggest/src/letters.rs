//! Runs of two to five letters, weighted by how rare they are: what two texts share in spite of typos and endings.
//!
//! No list of the texts that have a run is kept, only how many have it; few candidates are compared, by their texts.

use rustc_hash::FxHashMap;

/// Places for counts. Runs that share one are counted together, which changes a weight by little.
const PLACES: usize = 1 << 18;

/// How many texts have each run.
#[derive(Debug)]
pub(crate) struct Letters {
    texts: u32,
    having: Vec<u32>,
}

/// A text as runs with their weights, of length one.
pub(crate) struct Profile(FxHashMap<u32, f32>);

impl Letters {
    pub(crate) fn new() -> Self {
        Self { texts: 0, having: vec![0; PLACES] }
    }

    pub(crate) fn add(&mut self, words: &[String]) {
        self.texts += 1;
        for (place, _) in counted(words.iter().map(String::as_str)) {
            self.having[place as usize] += 1;
        }
    }

    pub(crate) fn remove(&mut self, words: &[String]) {
        self.texts = self.texts.saturating_sub(1);
        for (place, _) in counted(words.iter().map(String::as_str)) {
            self.having[place as usize] = self.having[place as usize].saturating_sub(1);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of texts; a weight needs no more digits")]
    fn weight(&self, place: u32, times: u32) -> f32 {
        let rare = ((1.0 + self.texts as f32) / (1.0 + self.having[place as usize] as f32)).ln() + 1.0;
        (1.0 + (times as f32).ln()) * rare
    }

    /// What a question is compared by.
    pub(crate) fn profile(&self, words: &[String]) -> Profile {
        let runs = counted(words.iter().map(String::as_str));
        let mut weights: Vec<(u32, f32)> =
            runs.into_iter().map(|(place, times)| (place, self.weight(place, times))).collect();
        let length = weights.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt().max(1e-9);
        weights.iter_mut().for_each(|(_, weight)| *weight /= length);
        Profile(weights.into_iter().collect())
    }

    /// How much of `profile` the text of `words` shares, 0 to 1.
    pub(crate) fn cosine<'a>(&self, profile: &Profile, words: impl Iterator<Item = &'a str>) -> f32 {
        let (mut dot, mut square) = (0.0_f32, 0.0_f32);
        for (place, times) in counted(words) {
            let weight = self.weight(place, times);
            square += weight * weight;
            if let Some(other) = profile.0.get(&place) {
                dot += weight * other;
            }
        }
        if square > 0.0 { dot / square.sqrt() } else { 0.0 }
    }
}

/// The places of a text's runs with how often each comes, sorted so that sums come out the same every time.
fn counted<'a>(words: impl Iterator<Item = &'a str>) -> Vec<(u32, u32)> {
    let mut places = Vec::new();
    let mut letters: Vec<char> = Vec::new();
    for word in words {
        letters.clear();
        letters.push(' ');
        letters.extend(word.chars());
        letters.push(' ');
        for length in 2..=5 {
            if length > letters.len() {
                break;
            }
            places.extend(letters.windows(length).map(place));
        }
    }
    places.sort_unstable();
    let mut counted: Vec<(u32, u32)> = Vec::with_capacity(places.len());
    for place in places {
        match counted.last_mut() {
            Some((last, times)) if *last == place => *times += 1,
            _ => counted.push((place, 1)),
        }
    }
    counted
}

/// FNV-1a: fixed for ever, unlike the hashes of the standard library.
fn place(letters: &[char]) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    for letter in letters {
        hash = (hash ^ u32::from(*letter)).wrapping_mul(0x0100_0193);
    }
    (hash ^ (hash >> 15)) & (PLACES as u32 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words;

    #[test]
    fn a_typo_costs_little_and_another_word_all() {
        let mut letters = Letters::new();
        for text in ["refund my order", "where is my parcel", "cancel my booking"] {
            letters.add(&words(text));
        }
        let profile = letters.profile(&words("refund my order"));
        assert!((letters.cosine(&profile, "refund my order".split(' ')) - 1.0).abs() < 1e-4);
        let typo = letters.cosine(&profile, "refnud my order".split(' '));
        assert!(typo > 0.5 && typo < 1.0, "{typo}");
        assert!(letters.cosine(&profile, "breakfast".split(' ')) < 0.1);
    }

    #[test]
    fn what_is_removed_leaves_no_trace() {
        let mut letters = Letters::new();
        letters.add(&words("refund my order"));
        letters.add(&words("breakfast"));
        letters.remove(&words("breakfast"));
        let mut fresh = Letters::new();
        fresh.add(&words("refund my order"));
        assert_eq!(letters.having, fresh.having);
    }
}
