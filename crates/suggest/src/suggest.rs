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
pub const SILENT_BELOW: f32 = 0.44;
/// A further answer must be at least this part as sure as the first.
const BESIDE_THE_FIRST: f32 = 0.3;
/// So many different replies are compared word by word; of further ones those count that say the very same.
const COMPARED: usize = 80;
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

/// The different wordings of some replies.
#[derive(Default)]
struct Wordings {
    wordings: Vec<Wording>,
    numbers: FxHashMap<String, u32>,
    /// Of each word, by its number.
    words: Vec<Word>,
    /// How many words the one that is looked at shares with each.
    shared: Vec<usize>,
}

/// A reply that others may say the same as.
struct Wording {
    group: usize,
    /// How many different words it has.
    words: usize,
    point: Point,
}

/// A word of some of the wordings.
struct Word {
    /// In the table: looked up once.
    row: Option<u32>,
    /// The places of those that have it.
    wordings: Vec<u32>,
}

impl Wordings {
    /// The group of the first wording that says the same as `text`; if none does, `text` is the first of a group.
    fn group(&mut self, text: &str, group: usize, table: Option<&Table>) -> usize {
        let mut words: Vec<u32> =
            question_words(text).into_iter().map(|word| self.number(word, table)).collect();
        let rows = words.iter().filter_map(|number| self.words[*number as usize].row);
        let point = table.map_or([0; DIMENSIONS], |table| table::direction(&table.sum_of_rows(rows)));
        words.sort_unstable();
        words.dedup();
        self.shared.clear();
        self.shared.resize(self.wordings.len(), 0);
        for other in words.iter().flat_map(|number| &self.words[*number as usize].wordings) {
            self.shared[*other as usize] += 1;
        }
        let wording = Wording { group, words: words.len(), point };
        let same =
            self.wordings.iter().zip(&self.shared).find(|(other, shared)| wording.says(other, **shared));
        if let Some((other, _)) = same {
            return other.group;
        }
        let at = u32::try_from(self.wordings.len()).unwrap_or(u32::MAX);
        words.iter().for_each(|number| self.words[*number as usize].wordings.push(at));
        self.wordings.push(wording);
        group
    }

    fn number(&mut self, word: String, table: Option<&Table>) -> u32 {
        if let Some(number) = self.numbers.get(&word) {
            return *number;
        }
        let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        self.words.push(Word { row: table.and_then(|table| table.nearest_row(&word)), wordings: Vec::new() });
        self.numbers.insert(word, number);
        number
    }
}

impl Wording {
    /// Whether it says what another one says that shares so many different words with it.
    fn says(&self, other: &Self, shared: usize) -> bool {
        let part = count(shared) / count(self.words + other.words - shared).max(1.0);
        part >= SAME_WORDS || (part >= LIKE_WORDS && table::cosine(&self.point, &other.point) >= SAME_MEANING)
    }
}

impl Index {
    /// The team's own replies that may fit, best first; none when nothing fits well enough.
    #[must_use]
    pub fn suggest(&self, ask: &Ask<'_>) -> Vec<Suggestion> {
        let ranking = rank(self, ask);
        let ranked = &ranking.pairs;
        let shown: Vec<(String, usize)> = ranked.iter().map(|pair| self.shown(pair)).collect();
        let groups = self.groups(&shown);
        let group_of = |pair: &Ranked| {
            let row = ranked.iter().position(|other| other.place == pair.place).unwrap_or_default();
            groups[row]
        };
        let mut answers = vote(&ranking, group_of);
        for answer in &mut answers {
            let members = (0..ranked.len()).filter(|row| groups[*row] == Some(answer.group));
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
                    (0..ranked.len()).filter(|row| groups[*row] == Some(answer.group)).collect();
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

    /// The group of each reply: that of the first before it which says the same, or its own. None where it was not looked
    /// whether it has one.
    fn groups(&self, shown: &[(String, usize)]) -> Vec<Option<usize>> {
        let mut wordings = Wordings::default();
        let mut of_texts: FxHashMap<&str, usize> = FxHashMap::default();
        let mut groups = Vec::with_capacity(shown.len());
        for (row, (text, _)) in shown.iter().enumerate() {
            let mut group = of_texts.get(text.as_str()).copied();
            if group.is_none() && of_texts.len() < COMPARED {
                group = Some(wordings.group(text, row, self.table.as_ref()));
            }
            of_texts.extend(group.map(|group| (text.as_str(), group)));
            groups.push(group);
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

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn count(words: usize) -> f32 {
    words as f32
}
