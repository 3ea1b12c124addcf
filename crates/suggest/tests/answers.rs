//! What an index suggests: the team's own replies, each once, nothing of another customer's, or nothing at all.

use frontdesk_suggest::{Ask, Index, Pair};

fn pair(id: i64, question: &str, reply: &str) -> Pair {
    Pair {
        id,
        contact: id,
        contact_names: vec![format!("Zulmira {id}")],
        question: question.to_owned(),
        before: None,
        reply: reply.to_owned(),
        said_at: id * 1_000,
        ..Pair::default()
    }
}

fn pairs() -> Vec<Pair> {
    vec![
        pair(
            1,
            "where is my parcel",
            "Oi Zulmira, your parcel BR-5521X is on its way, call +55 11 98765-4321.",
        ),
        pair(2, "where's the parcel I ordered", "Your parcel is on its way, please wait a little."),
        pair(3, "can I track my parcel", "Your parcel is on its way, please wait a little!"),
        pair(4, "I want a refund", "We refund within some days, please send a photo."),
        pair(5, "can I get my money back, a refund", "We refund within some days, please send a photo."),
        pair(6, "is breakfast included", "Breakfast is included in every room."),
        pair(7, "do you have parking", "There is parking behind the house."),
        pair(8, "may I bring my dog", "Dogs are welcome here."),
    ]
}

fn index(pairs: &[Pair]) -> Index {
    let mut index = Index::new();
    pairs.iter().for_each(|pair| index.add(pair));
    index
}

fn texts(index: &Index, question: &str) -> Vec<String> {
    let ask = Ask { question, before: None, first_name: Some("Ana"), count: 3 };
    index.suggest(&ask).into_iter().map(|suggestion| suggestion.text).collect()
}

#[test]
fn what_was_replied_to_a_like_question_comes_first_and_once() {
    let index = index(&pairs());
    let ask = Ask { question: "track the parcel I ordered", before: None, first_name: None, count: 3 };
    let suggestions = index.suggest(&ask);
    let best = &suggestions[0];
    assert!(best.text.starts_with("Your parcel is on its way"), "{suggestions:?}");
    assert_eq!(
        (best.source, best.said_at, best.alike),
        (3, 3_000, 2),
        "the newest of those that say the same"
    );
    let alike = suggestions.iter().filter(|s| s.text.contains("please wait a little")).count();
    assert_eq!(alike, 1, "{suggestions:?}");
    assert!(texts(&index, "I would like a refund")[0].starts_with("We refund"));
}

#[test]
fn nothing_of_another_customer_is_shown() {
    let index = index(&pairs()[..1]);
    let all: Vec<String> = ["where is my parcel", "parcel", "where is my parcel BR-5521X"]
        .into_iter()
        .flat_map(|question| texts(&index, question))
        .collect();
    assert!(!all.is_empty());
    for text in all {
        assert_eq!(text, "Oi Ana, your parcel {{code}} is on its way, call {{phone}}.");
    }
}

#[test]
fn what_nobody_asked_before_is_met_with_silence() {
    let index = index(&pairs());
    for question in ["who painted the Mona Lisa", "", "???", "qwzx vvkj"] {
        assert_eq!(texts(&index, question), Vec::<String>::new(), "{question}");
    }
    assert_eq!(texts(&Index::new(), "where is my parcel"), Vec::<String>::new());
}

#[test]
fn order_and_what_was_forgotten_change_nothing() {
    let mut backwards = pairs();
    backwards.reverse();
    let mut other = index(&backwards);
    other.add(&pair(99, "where is my parcel", "I have no idea where it is."));
    assert!(other.remove(99));
    assert!(!other.remove(99));
    let first = index(&pairs());
    assert_eq!(first.len(), other.len());
    for question in ["where is my parcel", "refund", "is there parking", "can my dog come"] {
        let ask = Ask { question, before: Some("Hello, how can I help?"), first_name: None, count: 5 };
        assert_eq!(first.suggest(&ask), other.suggest(&ask), "{question}");
    }
}
