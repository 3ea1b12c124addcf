//! Which texts have which stem, and how well a question's stems match a text (BM25).

use crate::packed::push_sparingly;
use crate::register::{Named, Register};

/// How soon a stem that comes often in one text stops counting.
const SATURATION: f32 = 1.2;
/// How much a long text pays for its length.
const LENGTH: f32 = 0.75;

/// How often a stem comes counts up to here, and stands in so many bits beside the place.
const TIMES: u32 = (1 << TIMES_BITS) - 1;
const TIMES_BITS: u32 = 5;
/// Places beyond are not looked at: an index of so many texts would need more memory than there is.
const PLACES: u32 = 1 << (u32::BITS - TIMES_BITS);

/// A text that has a stem: its place, and how often it has it.
#[derive(Debug, Clone, Copy)]
struct Posting(u32);

impl Posting {
    fn new(place: u32, times: u32) -> Self {
        Self(place << TIMES_BITS | times.min(TIMES))
    }

    fn place(self) -> u32 {
        self.0 >> TIMES_BITS
    }

    fn times(self) -> u32 {
        self.0 & TIMES
    }
}

/// For each stem the texts that have it.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    stems: Register<Stem>,
    lengths: Vec<u16>,
    texts: u32,
    total: u64,
}

/// A stem, and the texts that have it.
#[derive(Debug)]
struct Stem {
    stem: Box<str>,
    texts: Vec<Posting>,
}

impl Named for Stem {
    type Name = str;
    fn name(&self) -> &str {
        &self.stem
    }
}

impl Postings {
    /// Puts the text of `stems` at a place that is free.
    pub(crate) fn add(&mut self, place: u32, stems: &[String]) {
        let at = place as usize;
        if place >= PLACES {
            return;
        }
        if self.lengths.len() <= at {
            self.lengths.resize(at + 1, 0);
        }
        let length = u16::try_from(stems.len()).unwrap_or(u16::MAX);
        self.lengths[at] = length;
        self.texts += 1;
        self.total += u64::from(length);
        for (stem, times) in counted(stems) {
            let new = || Stem { stem: stem.into(), texts: Vec::new() };
            let at = self.stems.find_or_insert(stem, new);
            if let Some(stem) = &mut self.stems[at] {
                push_sparingly(&mut stem.texts, Posting::new(place, times));
            }
        }
    }

    /// Takes it away again; `stems` must be those it was added with.
    pub(crate) fn remove(&mut self, place: u32, stems: &[String]) {
        let Some(length) = self.lengths.get_mut(place as usize) else { return };
        self.texts = self.texts.saturating_sub(1);
        self.total = self.total.saturating_sub(u64::from(std::mem::take(length)));
        for (stem, _) in counted(stems) {
            let Some(at) = self.stems.find(stem) else { continue };
            let Some(Stem { texts, .. }) = &mut self.stems[at] else { continue };
            if let Some(known) = texts.iter().position(|text| text.place() == place) {
                texts.swap_remove(known);
            }
            if texts.is_empty() {
                self.stems.remove(at);
            }
        }
    }

    /// The score of every place for a question's stems; `scores` is as long as there are places.
    #[expect(clippy::cast_precision_loss, reason = "counts of texts; a score needs no more digits")]
    pub(crate) fn score(&self, stems: &[String], scores: &mut [f32]) {
        let mean = self.total as f32 / (self.texts.max(1)) as f32;
        for (stem, _) in counted(stems) {
            let Some(at) = self.stems.find(stem) else { continue };
            let Some(Stem { texts, .. }) = &self.stems[at] else { continue };
            let having = texts.len() as f32;
            let rare = (1.0 + (self.texts as f32 - having + 0.5) / (having + 0.5)).ln();
            for text in texts {
                let place = text.place() as usize;
                let times = text.times() as f32;
                let length = f32::from(self.lengths[place]) / mean;
                let damped = times + SATURATION * (1.0 - LENGTH + LENGTH * length);
                scores[place] += rare * times * (SATURATION + 1.0) / damped;
            }
        }
    }
}

/// The stems of a text with how often each comes, sorted.
fn counted(stems: &[String]) -> Vec<(&str, u32)> {
    let mut sorted: Vec<&str> = stems.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    let mut counted: Vec<(&str, u32)> = Vec::with_capacity(sorted.len());
    for stem in sorted {
        match counted.last_mut() {
            Some((last, times)) if *last == stem => *times += 1,
            _ => counted.push((stem, 1)),
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words;

    fn scores(postings: &Postings, question: &str) -> Vec<f32> {
        let mut scores = vec![0.0; postings.lengths.len()];
        postings.score(&words(question), &mut scores);
        scores
    }

    #[test]
    fn rare_words_count_more_than_common_ones() {
        let mut postings = Postings::default();
        postings.add(0, &words("my card is lost"));
        postings.add(1, &words("my parcel is late"));
        postings.add(2, &words("my room is cold"));
        let scores = scores(&postings, "my parcel");
        assert!(scores[1] > scores[0] && scores[0] > 0.0);
    }

    #[test]
    fn a_removed_text_is_not_found_and_changes_nothing() {
        let mut postings = Postings::default();
        postings.add(0, &words("my card is lost"));
        let before = scores(&postings, "lost card");
        postings.add(1, &words("card card lost"));
        postings.remove(1, &words("card card lost"));
        let after = scores(&postings, "lost card");
        assert_eq!(before, after[..1]);
        assert_eq!(after[1].to_bits(), 0.0_f32.to_bits());
    }
}
