//! How well each pair answers a question.

use std::cmp::Ordering;

use crate::index::{Index, question_words};
use crate::pair::Ask;
use crate::table;
use crate::text::stems;

/// Pairs that each of the two quick looks puts forward. All looks are taken at what either put forward.
const PUT_FORWARD: usize = 400;
/// Up to so many pairs all are looked at.
const SMALL: usize = 2_000;

/// What the looks say of one pair.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranked {
    pub place: u32,
    pub id: i64,
    /// Stems, runs of letters and meaning together: only for comparing pairs for one question.
    pub together: f32,
    /// How near it is by letters and meaning, 0 to 1: comparable between questions.
    pub near: f32,
}

/// The pairs that may answer, best first.
pub(crate) fn rank(index: &Index, ask: &Ask<'_>) -> Vec<Ranked> {
    let question = index.spelling.corrected(question_words(ask.question), index.table.as_ref());
    if question.is_empty() || index.is_empty() {
        return Vec::new();
    }
    let mut stem_scores = vec![0.0; index.places.len()];
    index.postings.score(&stems(&question), &mut stem_scores);
    let (point, context_point) = index.points_of(&question, ask.before);
    let mut meanings: Vec<f32> = index.points.iter().map(|other| table::cosine(&point, other)).collect();
    if ask.before.is_some() {
        // Half and half: one text of both would drown the question in what was said before.
        for (meaning, other) in meanings.iter_mut().zip(&index.context_points) {
            *meaning = 0.5 * *meaning + 0.5 * table::cosine(&context_point, other);
        }
    }
    let places = candidates(index, &stem_scores, &meanings);

    let profile = index.letters.profile(&question);
    let mut stem_column = Vec::with_capacity(places.len());
    let mut letter_column = Vec::with_capacity(places.len());
    let mut meaning_column = Vec::with_capacity(places.len());
    for (place, _) in &places {
        let at = *place as usize;
        let words = index.places[at].as_ref().map_or("", |place| &place.question).split(' ');
        stem_column.push(stem_scores[at]);
        letter_column.push(index.letters.cosine(&profile, words));
        meaning_column.push(meanings[at]);
    }
    let near: Vec<f32> = letter_column
        .iter()
        .zip(&meaning_column)
        .map(|(letters, meaning)| 0.5 * letters + 0.5 * meaning)
        .collect();
    for column in [&mut stem_column, &mut letter_column, &mut meaning_column] {
        standardise(column);
    }
    let mut ranked: Vec<Ranked> = (0..places.len())
        .map(|row| Ranked {
            place: places[row].0,
            id: places[row].1,
            together: 0.5 * stem_column[row] + 0.5 * letter_column[row] + meaning_column[row],
            near: near[row].clamp(0.0, 1.0),
        })
        .collect();
    ranked.sort_unstable_by(|a, b| b.together.total_cmp(&a.together).then(a.id.cmp(&b.id)));
    ranked
}

/// Place and id of the pairs worth a closer look, by id: what is summed over them comes out the same every time.
fn candidates(index: &Index, stem_scores: &[f32], meanings: &[f32]) -> Vec<(u32, i64)> {
    let mut all: Vec<(u32, i64)> =
        (0_u32..).zip(&index.places).filter_map(|(at, place)| Some((at, place.as_ref()?.id))).collect();
    if all.len() > SMALL {
        let mut chosen = Vec::with_capacity(2 * PUT_FORWARD);
        for scores in [stem_scores, meanings] {
            let best = |a: &(u32, i64), b: &(u32, i64)| -> Ordering {
                scores[b.0 as usize].total_cmp(&scores[a.0 as usize]).then(a.1.cmp(&b.1))
            };
            all.select_nth_unstable_by(PUT_FORWARD, best);
            chosen.extend_from_slice(&all[..PUT_FORWARD]);
        }
        all = chosen;
    }
    all.sort_unstable_by_key(|(_, id)| *id);
    all.dedup();
    all
}

/// Brings a column to mean 0 and spread 1, so that looks of different scales can be added.
#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn standardise(column: &mut [f32]) {
    let rows = column.len().max(1) as f32;
    let mean = column.iter().sum::<f32>() / rows;
    let spread = (column.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / rows).sqrt() + 1e-9;
    column.iter_mut().for_each(|x| *x = (*x - mean) / spread);
}
