//! From pairs to answers: what says the same is one answer, and its pairs vote for it.

use rustc_hash::FxHashMap;

use crate::rank::Ranked;

/// Pairs of one answer that may vote.
const VOTES: usize = 5;
/// Pairs of one answer that say how near it is.
const NEAREST: usize = 3;
/// How much more a near pair counts than one half as near.
const POWER: i32 = 4;

/// One answer and what its pairs say for it.
#[derive(Debug, Clone)]
pub(crate) struct Answer<G> {
    pub group: G,
    /// Its pairs' votes together; only for comparing answers to one question.
    pub votes: f32,
    /// How sure it is, 0 to 1: how near its nearest pairs are, and what part of all votes it has.
    pub sure: f32,
}

/// Has pairs vote for the groups they belong to; best first. `ranked` is sorted, best first; `worst` is the least that any
/// pair of the index has.
pub(crate) fn vote<G: Copy + Eq + std::hash::Hash + Ord>(
    ranked: &[Ranked],
    worst: f32,
    group_of: impl Fn(&Ranked) -> G,
) -> Vec<Answer<G>> {
    let Some(best) = ranked.first() else { return Vec::new() };
    let span = (best.together - worst).max(1e-9);
    let mut groups: FxHashMap<G, (usize, f32, Vec<f32>)> = FxHashMap::default();
    for pair in ranked {
        let (voted, votes, near) = groups.entry(group_of(pair)).or_default();
        if *voted < VOTES {
            *voted += 1;
            *votes += ((pair.together - worst) / span).powi(POWER);
        }
        near.push(pair.near);
    }
    let mut answers: Vec<Answer<G>> = groups
        .into_iter()
        .map(|(group, (_, votes, mut near))| {
            near.sort_unstable_by(|a, b| b.total_cmp(a));
            near.truncate(NEAREST);
            Answer { group, votes, sure: mean(&near) }
        })
        .collect();
    answers.sort_unstable_by(|a, b| b.votes.total_cmp(&a.votes).then(a.group.cmp(&b.group)));
    let all: f32 = answers.iter().map(|answer| answer.votes).sum::<f32>().max(1e-9);
    for answer in &mut answers {
        answer.sure = (2.0 * answer.sure + answer.votes / all) / 3.0;
    }
    answers
}

#[expect(clippy::cast_precision_loss, reason = "three numbers")]
fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(id: i64, together: f32) -> Ranked {
        Ranked { place: 0, id, together, near: together / 4.0 }
    }

    #[test]
    fn several_near_pairs_outvote_one_that_is_a_little_nearer() {
        let ranked = [pair(1, 4.0), pair(2, 3.9), pair(3, 3.9), pair(4, 0.0)];
        let answers = vote(&ranked, 0.0, |pair| if pair.id == 1 { 'a' } else { 'b' });
        assert_eq!(answers.iter().map(|answer| answer.group).collect::<Vec<_>>(), ['b', 'a']);
    }

    #[test]
    fn more_than_five_votes_count_no_more() {
        let many: Vec<Ranked> = (0..50).map(|id| pair(id, 2.0)).collect();
        let mut ranked = vec![pair(100, 4.0)];
        ranked.extend(many);
        ranked.push(pair(200, 0.0));
        let answers = vote(&ranked, 0.0, |pair| i64::from(pair.id >= 100));
        assert_eq!(answers[0].group, 1);
    }
}
