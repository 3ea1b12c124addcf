//! How well it answers customers of a shop, a hotel and a charity, in three languages: questions composed for this project
//! (`questions/`), four of each kind learned, two asked, and ten about something else.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use frontdesk_suggest::{Labelled, Report, evaluate};

fn lines(file: &str) -> Vec<Labelled> {
    file.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn report(language: &str) -> Report {
    evaluate(&lines(match language {
        "pt" => include_str!("questions/pt.jsonl"),
        "id" => include_str!("questions/id.jsonl"),
        _ => include_str!("questions/en.jsonl"),
    }))
    .unwrap()
}

#[test]
fn four_of_five_questions_get_the_right_answer_among_three() {
    for (language, intents) in [("pt", 32), ("id", 32), ("en", 23)] {
        let report = report(language);
        assert_eq!(
            (report.intents, report.learned, report.asked, report.strange),
            (intents, intents * 4, intents * 2, 10)
        );
        assert!(report.hit_at_3 >= 0.80, "{language}: {report:?}");
    }
}

#[test]
fn it_is_surer_of_what_it_knows_than_of_idle_talk() {
    for language in ["pt", "id", "en"] {
        let report = report(language);
        assert!(report.auroc.unwrap() >= 0.90, "{language}: {report:?}");
        assert!(report.answered_strange.unwrap() <= 0.12, "{language}: {report:?}");
    }
}

#[test]
fn capitals_and_missing_accents_cost_nothing() {
    let plain = lines(include_str!("questions/pt.jsonl"));
    let bare = |text: &str| -> String {
        let letter = |c| match c {
            'Á' | 'À' | 'Â' | 'Ã' => 'A',
            'É' | 'Ê' => 'E',
            'Í' => 'I',
            'Ó' | 'Ô' | 'Õ' => 'O',
            'Ú' => 'U',
            'Ç' => 'C',
            c => c,
        };
        text.to_uppercase().chars().map(letter).collect()
    };
    let shouted: Vec<Labelled> = plain
        .iter()
        .map(|line| match line.split.as_str() {
            "test" => Labelled { text: bare(&line.text), ..line.clone() },
            _ => line.clone(),
        })
        .collect();
    assert_eq!(evaluate(&plain), evaluate(&shouted));
}

#[test]
fn typos_cost_at_most_six_points() {
    let (mut plain, mut mistyped) = (0.0, 0.0);
    for (language, file) in [
        ("pt", include_str!("questions/pt.jsonl")),
        ("id", include_str!("questions/id.jsonl")),
        ("en", include_str!("questions/en.jsonl")),
    ] {
        let lines = lines(file);
        let before = report(language).hit_at_3;
        // One draw of slips says little of so few questions.
        let after: f64 =
            (1..=5).map(|draw| evaluate(&slipped(&lines, draw)).unwrap().hit_at_3).sum::<f64>() / 5.0;
        assert!(before - after <= 0.08, "{language}: {before} -> {after}");
        plain += before / 3.0;
        mistyped += after / 3.0;
    }
    assert!(plain - mistyped <= 0.06, "{plain} -> {mistyped}");
}

/// The questions asked, each with a slip in every eight letters.
fn slipped(lines: &[Labelled], draw: u64) -> Vec<Labelled> {
    let mut dice = Dice(draw);
    let slip = |line: &Labelled| match line.split.as_str() {
        "test" => Labelled { text: mistype(&line.text, &mut dice), ..line.clone() },
        _ => line.clone(),
    };
    lines.iter().map(slip).collect()
}

/// Letters lost, added, replaced, or two that change places, anywhere: one for each eight characters, and one at least.
fn mistype(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..(letters.len() / 8).max(1) {
        let places: Vec<usize> = (0..letters.len()).filter(|at| letters[*at].is_alphabetic()).collect();
        let Some(at) = places.get(dice.below(places.len().max(1))).copied() else { break };
        let other = char::from(b'a' + u8::try_from(dice.below(26)).unwrap());
        match dice.below(4) {
            0 => drop(letters.remove(at)),
            1 => letters.insert(at, other),
            2 => letters[at] = other,
            _ if letters.get(at + 1).is_some_and(|next| next.is_alphabetic()) => letters.swap(at, at + 1),
            _ => letters.swap(at, at.saturating_sub(1)),
        }
    }
    letters.into_iter().collect()
}

/// The same throws every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}
