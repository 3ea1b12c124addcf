//! The answers to one question, or none.

use rustc_hash::FxHashSet;

use crate::index::{Index, question_words, word_set};
use crate::pair::{Ask, Suggestion};
use crate::private;
use crate::rank::{Ranked, rank};
use crate::table::{self, DIMENSIONS, Point};
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
    words: FxHashSet<String>,
    point: Point,
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
                let place = |row: &usize| self.places[ranked[*row].place as usize].as_ref();
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
            .filter(|suggestion| !word_set(&suggestion.text).is_empty())
            .take(ask.count)
            .collect()
    }

    /// How often the pairs at these places were taken and waved away, together.
    fn heard(&self, places: impl Iterator<Item = u32>) -> (u32, u32) {
        places.filter_map(|at| self.places[at as usize].as_ref()).fold((0, 0), |(taken, waved), place| {
            (taken.saturating_add(place.accepted), waved.saturating_add(place.dismissed))
        })
    }

    fn shown(&self, pair: &Ranked) -> (String, usize) {
        self.places[pair.place as usize]
            .as_ref()
            .map(|place| self.secrets.show(&place.reply))
            .unwrap_or_default()
    }

    /// The group of each reply: that of the first before it which says the same, or its own.
    fn groups(&self, shown: &[(String, usize)]) -> Vec<usize> {
        let mut wordings: Vec<(usize, Wording)> = Vec::new();
        let mut groups: Vec<usize> = Vec::with_capacity(shown.len());
        for (row, (text, _)) in shown.iter().enumerate() {
            if let Some(same) = shown[..row].iter().position(|(other, _)| other == text) {
                groups.push(groups[same]);
                continue;
            }
            let wording = self.wording(text);
            let group =
                wordings.iter().find(|(_, other)| say_the_same(&wording, other)).map(|(group, _)| *group);
            groups.push(group.unwrap_or(row));
            if group.is_none() {
                wordings.push((row, wording));
            }
        }
        groups
    }

    fn wording(&self, text: &str) -> Wording {
        let words = question_words(text);
        let point = self.table.map_or([0; DIMENSIONS], |table| table::direction(&table.sum(&words)));
        Wording { words: words.into_iter().collect(), point }
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
    let common = count(a.words.intersection(&b.words).count());
    let all = count(a.words.union(&b.words).count()).max(1.0);
    let shared = common / all;
    shared >= SAME_WORDS || (shared >= LIKE_WORDS && table::cosine(&a.point, &b.point) >= SAME_MEANING)
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn count(words: usize) -> f32 {
    words as f32
}
