//! `frontdesk suggest-eval`: what it prints, and what it says of a file it cannot use.

use crate::program::Place;

const QUESTIONS: &str = r#"{"text": "where is my parcel", "intent": "tracking", "split": "train"}
{"text": "track my order please", "intent": "tracking", "split": "train"}
{"text": "I want my money back", "intent": "refund", "split": "train"}
{"text": "how do I get a refund", "intent": "refund", "split": "train"}

{"text": "where is my order", "intent": "tracking", "split": "test"}
{"text": "give me a refund", "intent": "refund", "split": "test"}
{"text": "sing a song about cats", "split": "test"}
"#;

#[test]
fn a_file_of_questions_is_measured() {
    let place = Place::new();
    std::fs::write(place.path("questions.jsonl"), QUESTIONS).unwrap();
    let ended = place.run(&["suggest-eval", "questions.jsonl"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for line in ["asked     2 known, 1 strange", "hit@1     100.0 %", "hit@3     100.0 %", "AUROC     1.000"]
    {
        assert!(ended.stdout.contains(line), "{line}: {}", ended.stdout);
    }
    let ended = place.run(&["suggest-eval", "--json", "questions.jsonl"]);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["hit_at_3"], 1.0);
    assert!(!place.data().exists(), "measuring makes no data folder");
}

#[test]
fn a_file_that_cannot_be_used_ends_with_2_and_says_why() {
    let place = Place::new();
    std::fs::write(place.path("wrong.jsonl"), "{\"text\": \"hi\"}\n").unwrap();
    std::fs::write(place.path("empty.jsonl"), "\n").unwrap();
    for (file, said) in [
        ("missing.jsonl", "missing.jsonl cannot be read"),
        ("wrong.jsonl", "line 1 is not of the form"),
        ("empty.jsonl", "there is nothing to learn from"),
    ] {
        let ended = place.run(&["suggest-eval", file]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{file}");
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}
