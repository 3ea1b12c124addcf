//! How well it answers, measured on labelled questions: anybody's own.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::index::Index;
use crate::pair::{Ask, Pair};
use crate::rank::rank;
use crate::suggest::SILENT_BELOW;
use crate::vote::vote;

/// One labelled question: a line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Labelled {
    /// What a customer wrote.
    pub text: String,
    /// What it is about: two with the same intent have the same answer.
    #[serde(default)]
    pub intent: Option<String>,
    /// `train` is learned, `test` is asked; what has another word is left out.
    pub split: String,
}

impl Labelled {
    fn is_learned(&self) -> bool {
        matches!(self.split.as_str(), "train" | "index" | "learn")
    }

    fn is_asked(&self) -> bool {
        matches!(self.split.as_str(), "test" | "query" | "ask")
    }
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Questions learned.
    pub learned: usize,
    /// Different intents among them.
    pub intents: usize,
    /// Questions asked whose intent was learned.
    pub asked: usize,
    /// Questions asked whose intent was not: the right answer is silence.
    pub strange: usize,
    /// Of those asked, the part (0 to 1) whose first answer is right.
    pub hit_at_1: f64,
    /// The part with the right one among three.
    pub hit_at_3: f64,
    /// How well it knows what it cannot answer: the chance that it is surer of a question it knows than of a strange one.
    /// `None` without strange questions.
    pub auroc: Option<f64>,
    /// The part of known questions that it answers at all.
    pub answered: f64,
    /// The part of strange ones that it answers all the same. `None` without any.
    pub answered_strange: Option<f64>,
    /// Of the known ones that it answers, the part with the right one among three.
    pub hit_at_3_answered: f64,
}

/// Why there is nothing to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// No line to learn.
    #[error("no line has the split \"train\" and an intent: there is nothing to learn from")]
    NothingLearned,
    /// No line to ask.
    #[error("no line has the split \"test\" and an intent that was learned: there is nothing to ask")]
    NothingAsked,
}

/// Learns the lines of `train` and asks those of `test`. An intent nobody learned, or none, asks for silence.
pub fn evaluate(lines: &[Labelled]) -> Result<Report, EvaluateError> {
    let mut index = Index::new();
    let mut intents: FxHashMap<&str, usize> = FxHashMap::default();
    let mut intent_of: FxHashMap<i64, usize> = FxHashMap::default();
    let learned = lines.iter().filter(|line| line.is_learned());
    for (id, (line, intent)) in (1..).zip(learned.filter_map(|line| Some((line, line.intent.as_deref()?)))) {
        let next = intents.len();
        intent_of.insert(id, *intents.entry(intent).or_insert(next));
        index.add(&pair(id, &line.text));
    }
    if index.is_empty() {
        return Err(EvaluateError::NothingLearned);
    }
    let (mut known, mut strange) = (Vec::new(), Vec::new());
    let (mut first, mut among, mut among_answered) = (0, 0, 0);
    for line in lines.iter().filter(|line| line.is_asked()) {
        let ranking = rank(&index, &Ask { question: &line.text, ..Ask::default() });
        let answers = vote(&ranking, |pair| intent_of.get(&pair.id).copied());
        let sure = answers.first().map_or(0.0, |answer| answer.sure);
        let Some(intent) = line.intent.as_deref().and_then(|intent| intents.get(intent)) else {
            strange.push(sure);
            continue;
        };
        known.push(sure);
        let place = answers.iter().position(|answer| answer.group == *intent);
        first += usize::from(place == Some(0));
        let is_among = place.is_some_and(|place| place < 3);
        among += usize::from(is_among);
        among_answered += usize::from(is_among && sure >= SILENT_BELOW);
    }
    if known.is_empty() {
        return Err(EvaluateError::NothingAsked);
    }
    let answered = |sure: &[f32]| sure.iter().filter(|sure| **sure >= SILENT_BELOW).count();
    Ok(Report {
        learned: index.len(),
        intents: intents.len(),
        asked: known.len(),
        strange: strange.len(),
        hit_at_1: part(first, known.len()),
        hit_at_3: part(among, known.len()),
        auroc: (!strange.is_empty()).then(|| auroc(&known, &strange)),
        answered: part(answered(&known), known.len()),
        answered_strange: (!strange.is_empty()).then(|| part(answered(&strange), strange.len())),
        hit_at_3_answered: part(among_answered, answered(&known)),
    })
}

fn pair(id: i64, question: &str) -> Pair {
    Pair { id, contact: id, question: question.to_owned(), ..Pair::default() }
}

#[expect(clippy::cast_precision_loss, reason = "counts of lines in a file")]
fn part(some: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { some as f64 / of as f64 }
}

/// The part of all pairs of a known and a strange question in which the known one has more; equal counts half.
fn auroc(known: &[f32], strange: &[f32]) -> f64 {
    let mut sorted = strange.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let halves: usize = known
        .iter()
        .map(|sure| {
            sorted.partition_point(|other| other < sure) + sorted.partition_point(|other| other <= sure)
        })
        .sum();
    part(halves, 2 * known.len() * strange.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, intent: Option<&str>, split: &str) -> Labelled {
        Labelled { text: text.to_owned(), intent: intent.map(str::to_owned), split: split.to_owned() }
    }

    #[test]
    fn hits_and_silence_are_counted() {
        let lines = [
            line("where is my parcel", Some("tracking"), "train"),
            line("how do I track my order", Some("tracking"), "train"),
            line("I want my money back", Some("refund"), "train"),
            line("can I get a refund", Some("refund"), "train"),
            line("my parcel, where is it", Some("tracking"), "test"),
            line("refund please", Some("refund"), "test"),
            line("sing me a song about cats", None, "test"),
            line("never looked at", Some("refund"), "dev"),
        ];
        let report = evaluate(&lines).unwrap();
        assert_eq!((report.learned, report.intents, report.asked, report.strange), (4, 2, 2, 1));
        assert!((report.hit_at_1 - 1.0).abs() < 1e-9 && (report.hit_at_3 - 1.0).abs() < 1e-9);
        assert_eq!(report.auroc, Some(1.0));
    }

    #[test]
    fn a_file_with_nothing_to_learn_or_to_ask_says_so() {
        assert_eq!(evaluate(&[line("a", Some("b"), "test")]), Err(EvaluateError::NothingLearned));
        assert_eq!(evaluate(&[line("a word", Some("b"), "train")]), Err(EvaluateError::NothingAsked));
    }

    #[test]
    fn equal_certainty_is_worth_a_half() {
        assert!((auroc(&[0.5, 0.9], &[0.5, 0.1]) - 0.875).abs() < 1e-9);
    }
}
