//! How well each pair answers a question.

use std::sync::{Mutex, PoisonError};

use crate::index::{Index, question_words};
use crate::letters::Runs;
use crate::pair::Ask;
use crate::table::{self, Asked, DIMENSIONS, Sum};
use crate::text::stems;

/// Pairs that each of the two quick looks puts forward. All looks are taken at what either put forward.
const PUT_FORWARD: usize = 400;
/// Up to so many pairs all are looked at.
const SMALL: usize = 2_000;
/// Pairs that may vote.
const RANKED: usize = 400;
/// What was said before a question counts for so much of the look at the meaning.
const BEFORE: f32 = 0.5;

/// Room for a number for each pair, kept from question to question: threads take turns with it instead of each having its own.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    stem_scores: Vec<f32>,
    meanings: Vec<f32>,
    sorted: Vec<f32>,
    befores: Vec<f32>,
    runs: Runs,
}

/// The room that nobody uses now; who asks beside others makes some more.
#[derive(Debug, Default)]
pub(crate) struct Spare(Mutex<Option<Box<Scratch>>>);

impl Spare {
    fn take(&self) -> Box<Scratch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }

    fn give_back(&self, scratch: Box<Scratch>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(scratch);
    }
}

/// What the looks say of one pair.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranked {
    pub place: u32,
    pub id: i64,
    /// Stems, runs of letters and meaning together: only for comparing pairs for one question.
    pub together: f32,
    /// How near it is by letters and meaning, 0 to 1: comparable between questions.
    pub near: f32,
    /// Where its question lies, seen from the middle of all.
    pub towards: Sum,
}

/// What may answer a question.
#[derive(Debug)]
pub(crate) struct Ranking {
    /// The best, best first.
    pub pairs: Vec<Ranked>,
    /// The least that any pair has together.
    pub worst: f32,
    /// Where the question lies, seen from the middle of all.
    pub towards: Sum,
}

impl Default for Ranking {
    fn default() -> Self {
        Self { pairs: Vec::new(), worst: 0.0, towards: [0.0; DIMENSIONS] }
    }
}

/// The pairs that may answer.
pub(crate) fn rank(index: &Index, ask: &Ask<'_>) -> Ranking {
    let question = index.spelling.corrected(question_words(ask.question), index.table.as_ref());
    if question.is_empty() || index.is_empty() {
        return Ranking::default();
    }
    let mut scratch = index.spare.take();
    let Scratch { stem_scores, meanings, sorted, befores, runs } = &mut *scratch;
    stem_scores.clear();
    stem_scores.resize(index.places.places(), 0.0);
    index.postings.score(&stems(&question), stem_scores);
    let (point, context_point) = index.points_of(&question, ask.before);
    meanings.clear();
    meanings.reserve_exact(index.places.places());
    let asked = Asked::new(&point);
    meanings.extend(index.points.iter().map(|other| asked.cosine(other)));
    if ask.before.is_some() {
        // Half and half: one text of both would drown the question in what was said before.
        let asked = Asked::new(&context_point);
        let alone = index.points.iter().map(|other| asked.cosine(other));
        for (meaning, both) in meanings.iter_mut().zip(index.contexts.cosines(&asked, befores, alone)) {
            *meaning = (1.0 - BEFORE) * *meaning + BEFORE * both;
        }
    }
    // Where nothing is kept nothing is found, not even by chance.
    for at in index.places.free() {
        stem_scores[*at as usize] = f32::NEG_INFINITY;
        meanings[*at as usize] = f32::NEG_INFINITY;
    }
    let places = candidates(index, stem_scores, meanings, sorted);

    let mut letters = index.letters.look(&question, &index.spelling, runs);
    let mut stem_column = Vec::with_capacity(places.len());
    let mut letter_column = Vec::with_capacity(places.len());
    let mut meaning_column = Vec::with_capacity(places.len());
    for (_, at) in &places {
        let words = index.places[*at].iter().flat_map(|place| place.question.iter());
        stem_column.push(stem_scores[*at as usize]);
        letter_column.push(letters.cosine(words));
        meaning_column.push(meanings[*at as usize]);
    }
    index.spare.give_back(scratch);
    let near: Vec<f32> = letter_column
        .iter()
        .zip(&meaning_column)
        .map(|(letters, meaning)| 0.5 * letters + 0.5 * meaning)
        .collect();
    // The question itself is compared as seen from the middle: only here, where few are compared, for it takes longer.
    let towards = index.centre.direction(&point);
    let weight = if ask.before.is_some() { 1.0 - BEFORE } else { 1.0 };
    for ((_, at), meaning) in places.iter().zip(&mut meaning_column) {
        let other = &index.points[*at];
        let apart = table::dot(&towards, &index.centre.direction(other)) - asked.cosine(other);
        *meaning += weight * apart;
    }
    for column in [&mut stem_column, &mut letter_column, &mut meaning_column] {
        standardise(column);
    }
    let mut rows: Vec<(f32, i64, usize)> = (0..places.len())
        .map(|row| {
            let together = 0.5 * stem_column[row] + 0.5 * letter_column[row] + meaning_column[row];
            (together, places[row].0, row)
        })
        .collect();
    rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let worst = rows.last().map_or(0.0, |row| row.0);
    rows.truncate(RANKED);
    let ranked = |(together, id, row): (f32, i64, usize)| Ranked {
        place: places[row].1,
        id,
        together,
        near: near[row].clamp(0.0, 1.0),
        towards: index.centre.direction(&index.points[places[row].1]),
    };
    Ranking { pairs: rows.into_iter().map(ranked).collect(), worst, towards }
}

/// Id and place of the pairs worth a closer look, by id: what is summed over them comes out the same every time.
fn candidates(
    index: &Index,
    stem_scores: &[f32],
    meanings: &[f32],
    sorted: &mut Vec<f32>,
) -> Vec<(i64, u32)> {
    let mut chosen = if index.len() > SMALL {
        let mut both = put_forward(index, stem_scores, sorted);
        both.extend(put_forward(index, meanings, sorted));
        both
    } else {
        (0..).zip(index.places.iter()).filter_map(|(at, place)| Some((place?.id, at))).collect()
    };
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

/// Those with the highest scores; of equal ones the lowest ids.
fn put_forward(index: &Index, scores: &[f32], sorted: &mut Vec<f32>) -> Vec<(i64, u32)> {
    // The least score first, over the plain numbers: few of many pairs are then looked at one by one.
    sorted.clear();
    sorted.extend_from_slice(scores);
    let (_, least, _) = sorted.select_nth_unstable_by(PUT_FORWARD - 1, |a, b| b.total_cmp(a));
    let least = *least;
    let (mut better, mut equal) = (Vec::with_capacity(PUT_FORWARD), Vec::new());
    for (at, score) in (0..).zip(scores) {
        let order = score.total_cmp(&least);
        if order.is_ge()
            && let Some(place) = &index.places[at]
        {
            if order.is_gt() { &mut better } else { &mut equal }.push((place.id, at));
        }
    }
    let missing = PUT_FORWARD.saturating_sub(better.len());
    if equal.len() > missing {
        equal.select_nth_unstable(missing);
        equal.truncate(missing);
    }
    better.extend(equal);
    better
}

/// Brings a column to mean 0 and spread 1, so that looks of different scales can be added.
#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn standardise(column: &mut [f32]) {
    let rows = column.len().max(1) as f32;
    let mean = column.iter().sum::<f32>() / rows;
    let spread = (column.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / rows).sqrt() + 1e-9;
    column.iter_mut().for_each(|x| *x = (*x - mean) / spread);
}
