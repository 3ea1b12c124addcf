//! From pairs to answers: what says the same is one answer, and its pairs vote for it.

use rustc_hash::FxHashMap;

use crate::rank::{Ranked, Ranking};
use crate::table::{self, DIMENSIONS, Sum};

/// Pairs of one answer that may vote.
const VOTES: usize = 5;
/// Pairs of one answer that say how near it is.
const NEAREST: usize = 3;
/// How much more a near pair counts than one half as near.
const POWER: i32 = 4;
/// How much what lies between its pairs counts: an answer whose pairs lie all around the question counts e² times more
/// than one with as many votes whose middle lies athwart.
const MIDDLE: f32 = 2.0;

/// One answer and what its pairs say for it.
#[derive(Debug, Clone)]
pub(crate) struct Answer<G> {
    pub group: G,
    /// Its pairs' votes together; only for comparing answers to one question.
    pub votes: f32,
    /// How sure it is, 0 to 1: how near its nearest pairs are, and what part of all votes it has.
    pub sure: f32,
}

/// What the pairs of one answer say.
struct Pairs {
    voted: usize,
    votes: f32,
    near: Vec<f32>,
    /// Where they lie, added up.
    towards: Sum,
}

impl Default for Pairs {
    fn default() -> Self {
        Self { voted: 0, votes: 0.0, near: Vec::new(), towards: [0.0; DIMENSIONS] }
    }
}

/// Has pairs vote for the groups they belong to, if to any; best first.
pub(crate) fn vote<G: Copy + Eq + std::hash::Hash + Ord>(
    ranking: &Ranking,
    group_of: impl Fn(&Ranked) -> Option<G>,
) -> Vec<Answer<G>> {
    let Some(best) = ranking.pairs.first() else { return Vec::new() };
    let span = (best.together - ranking.worst).max(1e-9);
    let mut groups: FxHashMap<G, Pairs> = FxHashMap::default();
    for pair in &ranking.pairs {
        let Some(group) = group_of(pair) else { continue };
        let group = groups.entry(group).or_default();
        if group.voted < VOTES {
            group.voted += 1;
            group.votes += ((pair.together - ranking.worst) / span).powi(POWER);
        }
        group.near.push(pair.near);
        group.towards = table::together(&group.towards, &pair.towards);
    }
    let mut answers: Vec<Answer<G>> = groups
        .into_iter()
        .map(|(group, mut pairs)| {
            pairs.near.sort_unstable_by(|a, b| b.total_cmp(a));
            pairs.near.truncate(NEAREST);
            let votes = pairs.votes * (MIDDLE * cosine(&ranking.towards, &pairs.towards)).exp();
            Answer { group, votes, sure: mean(&pairs.near) }
        })
        .collect();
    answers.sort_unstable_by(|a, b| b.votes.total_cmp(&a.votes).then(a.group.cmp(&b.group)));
    let all: f32 = answers.iter().map(|answer| answer.votes).sum::<f32>().max(1e-9);
    for answer in &mut answers {
        answer.sure = (2.0 * answer.sure + answer.votes / all) / 3.0;
    }
    answers
}

/// The cosine of two directions of any length; none of what has no direction.
fn cosine(a: &Sum, b: &Sum) -> f32 {
    table::dot(a, b) / (table::length(a) * table::length(b)).max(1e-6)
}

#[expect(clippy::cast_precision_loss, reason = "three numbers")]
fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(id: i64, together: f32) -> Ranked {
        Ranked { place: 0, id, together, near: together / 4.0, towards: towards(1.0, 0.0) }
    }

    fn towards(first: f32, second: f32) -> Sum {
        let mut sum = [0.0; DIMENSIONS];
        (sum[0], sum[1]) = (first, second);
        sum
    }

    fn ranking(pairs: Vec<Ranked>) -> Ranking {
        Ranking { pairs, worst: 0.0, towards: towards(1.0, 0.0) }
    }

    #[test]
    fn several_near_pairs_outvote_one_that_is_a_little_nearer() {
        let ranking = ranking(vec![pair(1, 4.0), pair(2, 3.9), pair(3, 3.9), pair(4, 0.0)]);
        let answers = vote(&ranking, |pair| Some(if pair.id == 1 { 'a' } else { 'b' }));
        assert_eq!(answers.iter().map(|answer| answer.group).collect::<Vec<_>>(), ['b', 'a']);
    }

    #[test]
    fn more_than_five_votes_count_no_more() {
        let mut pairs = vec![pair(100, 4.0)];
        pairs.extend((0..50).map(|id| pair(id, 2.0)));
        pairs.push(pair(200, 0.0));
        let answers = vote(&ranking(pairs), |pair| Some(i64::from(pair.id >= 100)));
        assert_eq!(answers[0].group, 1);
    }

    #[test]
    fn an_answer_whose_pairs_lie_around_the_question_outvotes_one_whose_pairs_lie_beside_it() {
        let mut pairs = vec![pair(1, 4.0), pair(2, 4.0), pair(3, 3.9), pair(4, 3.9)];
        for (pair, second) in pairs.iter_mut().zip([0.8, 0.8, 0.8, -0.8]) {
            pair.towards = towards(0.6, second);
        }
        let answers = vote(&ranking(pairs), |pair| Some(if pair.id < 3 { 'a' } else { 'b' }));
        assert_eq!(answers.iter().map(|answer| answer.group).collect::<Vec<_>>(), ['b', 'a']);
    }

    #[test]
    fn pairs_that_lie_nowhere_vote_all_the_same() {
        let mut pairs = vec![pair(1, 4.0), pair(2, 1.0)];
        pairs.iter_mut().for_each(|pair| pair.towards = [0.0; DIMENSIONS]);
        let answers = vote(&ranking(pairs), |pair| Some(pair.id));
        assert!(answers.iter().all(|answer| answer.votes.is_finite() && answer.sure.is_finite()));
        assert_eq!(answers[0].group, 1);
    }
}
