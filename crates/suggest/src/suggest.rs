//! The answers to one question, or none.

use rustc_hash::FxHashMap;

use crate::index::{Index, question_words};
use crate::pair::{Ask, Suggestion};
use crate::private;
use crate::rank::{Ranked, rank};
use crate::table::{self, DIMENSIONS, Point, Table};
use crate::text::words;
use crate::vote::{Answer, vote};

/// Below this nothing is said: better silent than beside the point. Measured in docs/suggestions.md.
pub const SILENT_BELOW: f32 = 0.42;
/// A further answer must be at least this part as sure as the first.
const BESIDE_THE_FIRST: f32 = 0.3;
/// Pairs whose replies are looked at.
const LOOKED_AT: usize = 80;
/// Replies that share this part of their words say the same.
const SAME_WORDS: f32 = 0.8;
/// So do those that mean the same and share this part: "we ship abroad" and "we don't" mean almost the same to a table.
const LIKE_WORDS: f32 = 0.5;
const SAME_MEANING: f32 = 0.92;

/// Waved away so often, an answer counts less, by so much.
const WAVED_AWAY: u32 = 2;
const LESS: f32 = 0.6;
/// How much more an answer counts for each e-fold of times it was taken.
const MORE: f32 = 0.15;

/// A reply that others may say the same as.
struct Wording {
    /// Its different words by their numbers, rising.
    words: Vec<u32>,
    point: Point,
}

/// The words of the replies that are compared: each has a number and is looked up in the table once.
#[derive(Default)]
struct Vocabulary {
    numbers: FxHashMap<String, u32>,
    rows: Vec<Option<u32>>,
}

impl Vocabulary {
    fn number(&mut self, word: String, table: Option<&Table>) -> u32 {
        if let Some(number) = self.numbers.get(&word) {
            return *number;
        }
        let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.rows.push(table.and_then(|table| table.nearest_row(&word)));
        self.numbers.insert(word, number);
        number
    }

    fn wording(&mut self, text: &str, table: Option<&Table>) -> Wording {
        let mut words: Vec<u32> =
            question_words(text).into_iter().map(|word| self.number(word, table)).collect();
        let rows = words.iter().filter_map(|number| self.rows[*number as usize]);
        let point = table.map_or([0; DIMENSIONS], |table| table::direction(&table.sum_of_rows(rows)));
        words.sort_unstable();
        words.dedup();
        Wording { words, point }
    }
}

impl Index {
    /// The team's own replies that may fit, best first; none when nothing fits well enough.
    #[must_use]
    pub fn suggest(&self, ask: &Ask<'_>) -> Vec<Suggestion> {
        let ranked = rank(self, ask);
        let worst = ranked.last().map_or(0.0, |pair| pair.together);
        let ranked = &ranked[..ranked.len().min(LOOKED_AT)];
        let shown: Vec<(String, usize)> = ranked.iter().map(|pair| self.shown(pair)).collect();
        let groups = self.groups(&shown);
        let group_of = |pair: &Ranked| {
            let row = ranked.iter().position(|other| other.place == pair.place).unwrap_or_default();
            groups[row]
        };
        let mut answers = vote(ranked, worst, group_of);
        for answer in &mut answers {
            let members = (0..ranked.len()).filter(|row| groups[*row] == answer.group);
            let (accepted, dismissed) = self.heard(members.map(|row| ranked[row].place));
            weigh(answer, accepted, dismissed);
        }
        answers.sort_by(|a, b| b.votes.total_cmp(&a.votes).then(a.group.cmp(&b.group)));
        let Some(first) = answers.first().filter(|first| first.sure >= SILENT_BELOW) else {
            return Vec::new();
        };
        let least = first.sure * BESIDE_THE_FIRST;
        answers
            .iter()
            .filter(|answer| answer.sure >= least)
            .filter_map(|answer| {
                let members: Vec<usize> =
                    (0..ranked.len()).filter(|row| groups[*row] == answer.group).collect();
                let place = |row: &usize| self.places[ranked[*row].place].as_ref();
                // The wording with the least to fill in; of those the newest.
                let best = members.iter().min_by_key(|row| {
                    (shown[**row].1, std::cmp::Reverse(place(row).map(|place| (place.said_at, place.id))))
                })?;
                let text = private::address(&shown[*best].0, ask.first_name);
                let source = place(best)?;
                Some(Suggestion {
                    text,
                    score: answer.sure,
                    source: source.id,
                    said_at: source.said_at,
                    alike: members.len(),
                })
            })
            .filter(|suggestion| !words(&suggestion.text).is_empty())
            .take(ask.count)
            .collect()
    }

    /// How often the pairs at these places were taken and waved away, together.
    fn heard(&self, places: impl Iterator<Item = u32>) -> (u32, u32) {
        places.filter_map(|at| self.places[at].as_ref()).fold((0, 0), |(taken, waved), place| {
            (taken.saturating_add(place.accepted), waved.saturating_add(place.dismissed))
        })
    }

    fn shown(&self, pair: &Ranked) -> (String, usize) {
        self.places[pair.place].as_ref().map(|place| self.replies.show(place.reply)).unwrap_or_default()
    }

    /// The group of each reply: that of the first before it which says the same, or its own.
    fn groups(&self, shown: &[(String, usize)]) -> Vec<usize> {
        let mut vocabulary = Vocabulary::default();
        let mut wordings: Vec<(usize, Wording)> = Vec::new();
        let mut groups: Vec<usize> = Vec::with_capacity(shown.len());
        for (row, (text, _)) in shown.iter().enumerate() {
            if let Some(same) = shown[..row].iter().position(|(other, _)| other == text) {
                groups.push(groups[same]);
                continue;
            }
            let wording = vocabulary.wording(text, self.table.as_ref());
            let group =
                wordings.iter().find(|(_, other)| say_the_same(&wording, other)).map(|(group, _)| *group);
            groups.push(group.unwrap_or(row));
            if group.is_none() {
                wordings.push((row, wording));
            }
        }
        groups
    }
}

/// What people took counts more, what they waved away twice and took less often counts less.
fn weigh(answer: &mut Answer<usize>, accepted: u32, dismissed: u32) {
    if dismissed >= WAVED_AWAY && dismissed > accepted {
        answer.votes *= LESS;
        answer.sure *= LESS;
    } else {
        answer.votes *= 1.0 + MORE * (1.0 + count(accepted as usize)).ln();
    }
}

fn say_the_same(a: &Wording, b: &Wording) -> bool {
    let common = in_both(&a.words, &b.words);
    let shared = count(common) / count(a.words.len() + b.words.len() - common).max(1.0);
    shared >= SAME_WORDS || (shared >= LIKE_WORDS && table::cosine(&a.point, &b.point) >= SAME_MEANING)
}

/// How many numbers two rising lists share.
fn in_both(mut a: &[u32], mut b: &[u32]) -> usize {
    let mut shared = 0;
    while let ([x, rest_of_a @ ..], [y, rest_of_b @ ..]) = (a, b) {
        shared += usize::from(x == y);
        if x <= y {
            a = rest_of_a;
        }
        if y <= x {
            b = rest_of_b;
        }
    }
    shared
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn count(words: usize) -> f32 {
    words as f32
}
