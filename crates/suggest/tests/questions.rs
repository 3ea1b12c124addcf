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
    let plain = lines(include_str!("questions/en.jsonl"));
    let mistyped: Vec<Labelled> = plain
        .iter()
        .map(|line| match line.split.as_str() {
            "test" => Labelled { text: mistype(&line.text), ..line.clone() },
            _ => line.clone(),
        })
        .collect();
    let (before, after) = (evaluate(&plain).unwrap(), evaluate(&mistyped).unwrap());
    assert!(before.hit_at_3 - after.hit_at_3 <= 0.06, "{} -> {}", before.hit_at_3, after.hit_at_3);
}

/// In every second word of five letters or more, two letters inside change places: about one slip in eight letters.
fn mistype(text: &str) -> String {
    let mut slip = false;
    let mistyped = text.split(' ').map(|word| {
        let mut letters: Vec<char> = word.chars().collect();
        if letters.len() >= 5 {
            slip = !slip;
            if slip {
                letters.swap(2, 3);
            }
        }
        letters.into_iter().collect::<String>()
    });
    mistyped.collect::<Vec<_>>().join(" ")
}
