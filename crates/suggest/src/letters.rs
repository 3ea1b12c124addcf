//! Runs of two to five letters, weighted by how rare they are: what two texts share in spite of typos and endings.
//!
//! No list of the texts that have a run is kept, only how many have it; few candidates are compared, by their texts.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::spelling::Spelling;

/// Places for counts. Runs that share one are counted together, which changes a weight by little.
const PLACES: usize = 1 << 18;

/// How many texts have each run.
#[derive(Debug)]
pub(crate) struct Letters {
    texts: u32,
    having: Vec<u32>,
}

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

    fn rareness(&self, place: u32) -> f32 {
        ((1.0 + count(self.texts)) / (1.0 + count(self.having[place as usize]))).ln() + 1.0
    }

    /// What the texts of this account are compared with one question by.
    pub(crate) fn look<'a>(
        &'a self,
        question: &[String],
        spelling: &'a Spelling,
        room: &'a mut Runs,
    ) -> Look<'a> {
        room.clear();
        let mut look = Look { letters: self, spelling, room };
        for (place, times) in counted(question.iter().map(String::as_str)) {
            let at = look.run(place);
            let run = &mut look.room.runs[at as usize];
            run.asked = weight(times) * run.rare;
        }
        let length = look.room.runs.iter().map(|run| run.asked * run.asked).sum::<f32>().sqrt().max(1e-9);
        look.room.runs.iter_mut().for_each(|run| run.asked /= length);
        look
    }
}

/// One question beside many texts: what the runs of a word weigh is found out once, however many texts have the word.
pub(crate) struct Look<'a> {
    letters: &'a Letters,
    spelling: &'a Spelling,
    room: &'a mut Runs,
}

/// The runs met while one question is looked at; the room for them serves for the next.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// By their places.
    at: FxHashMap<u32, u32>,
    runs: Vec<Run>,
    /// Which of the pool are the runs of a word, by its number.
    words: FxHashMap<u32, Range<usize>>,
    pool: Vec<u32>,
    /// The runs of the text that is looked at.
    touched: Vec<u32>,
}

impl Runs {
    fn clear(&mut self) {
        self.at.clear();
        self.runs.clear();
        self.words.clear();
        self.pool.clear();
        self.touched.clear();
    }
}

/// A run, as far as one question is concerned.
#[derive(Debug)]
struct Run {
    rare: f32,
    /// What it weighs in the question.
    asked: f32,
    /// How often the text that is looked at has it.
    times: u32,
}

impl Look<'_> {
    /// How much of the question the text of these words shares, 0 to 1.
    pub(crate) fn cosine(&mut self, words: impl Iterator<Item = u32>) -> f32 {
        for word in words {
            for at in self.runs_of(word) {
                let at = self.room.pool[at];
                let run = &mut self.room.runs[at as usize];
                if run.times == 0 {
                    self.room.touched.push(at);
                }
                run.times += 1;
            }
        }
        let (mut dot, mut square) = (0.0_f32, 0.0_f32);
        for at in self.room.touched.drain(..) {
            let run = &mut self.room.runs[at as usize];
            let weight = weight(std::mem::take(&mut run.times)) * run.rare;
            square += weight * weight;
            dot += weight * run.asked;
        }
        if square > 0.0 { dot / square.sqrt() } else { 0.0 }
    }

    fn runs_of(&mut self, word: u32) -> Range<usize> {
        if let Some(known) = self.room.words.get(&word) {
            return known.clone();
        }
        let from = self.room.pool.len();
        each_place(self.spelling.word(word), |place| {
            let at = self.run(place);
            self.room.pool.push(at);
        });
        self.room.words.insert(word, from..self.room.pool.len());
        from..self.room.pool.len()
    }

    fn run(&mut self, place: u32) -> u32 {
        *self.room.at.entry(place).or_insert_with(|| {
            self.room.runs.push(Run { rare: self.letters.rareness(place), asked: 0.0, times: 0 });
            u32::try_from(self.room.runs.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

/// What a run weighs that comes so often in one text, before it is said how rare it is.
fn weight(times: u32) -> f32 {
    if times == 1 { 1.0 } else { 1.0 + count(times).ln() }
}

#[expect(clippy::cast_precision_loss, reason = "counts of texts; a weight needs no more digits")]
fn count(texts: u32) -> f32 {
    texts as f32
}

/// The places of a text's runs with how often each comes, sorted so that sums come out the same every time.
fn counted<'a>(words: impl Iterator<Item = &'a str>) -> Vec<(u32, u32)> {
    let mut places = Vec::new();
    for word in words {
        each_place(word, |place| places.push(place));
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

/// The places of a word's runs.
fn each_place(word: &str, mut found: impl FnMut(u32)) {
    let letters: Vec<char> = std::iter::once(' ').chain(word.chars()).chain([' ']).collect();
    for length in 2..=5 {
        letters.windows(length).map(place).for_each(&mut found);
    }
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
        let mut spelling = Spelling::default();
        let mut look = |text: &str| {
            let ids = spelling.add(&words(text), None);
            letters.look(&words("refund my order"), &spelling, &mut Runs::default()).cosine(ids.into_iter())
        };
        assert!((look("refund my order") - 1.0).abs() < 1e-4);
        let typo = look("refnud my order");
        assert!(typo > 0.5 && typo < 1.0, "{typo}");
        assert!(look("breakfast") < 0.1);
    }

    #[test]
    fn what_was_looked_at_before_changes_nothing() {
        let mut letters = Letters::new();
        letters.add(&words("refund my order"));
        let mut spelling = Spelling::default();
        let ids = spelling.add(&words("my order my parcel"), None);
        let question = words("my parcel");
        let mut room = Runs::default();
        let alone = letters.look(&question, &spelling, &mut room).cosine(ids.iter().copied());
        let mut look = letters.look(&question, &spelling, &mut room);
        look.cosine(ids.iter().rev().copied());
        assert_eq!(look.cosine(ids.into_iter()).to_bits(), alone.to_bits());
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
