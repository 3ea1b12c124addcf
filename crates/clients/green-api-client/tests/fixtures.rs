//! Every recorded body is read whole; what it reads as is a snapshot to review.

#![expect(clippy::expect_used, reason = "a test")]

use std::{fs, path::Path};

use frontdesk_green_api_client::{
    methods::journals::JournalMessage,
    webhook::{self, Content, Event, KINDS, MESSAGE_KINDS, Webhook},
};
use serde_json::Value;

/// Name and bytes of every fixture, in order.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = fs::read_dir(root).expect("fixture folder").map(|file| file.expect("fixture").path());
    let mut found: Vec<(String, Vec<u8>)> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| {
            let name = path.file_stem().expect("name").to_string_lossy().into_owned();
            (name, fs::read(path).expect("fixture body"))
        })
        .collect();
    found.sort();
    found
}

fn message(webhook: &Webhook) -> Option<&webhook::Message> {
    match &webhook.event {
        Event::IncomingMessage(message) | Event::PhoneMessage(message) | Event::ApiMessage(message) => {
            Some(message)
        }
        _ => None,
    }
}

#[test]
fn every_fixture_is_read_whole() {
    let fixtures = fixtures();
    assert_eq!(fixtures.len(), 39);
    for (name, body) in fixtures {
        let webhook = webhook::parse(&body).expect("a webhook");
        assert!(!matches!(webhook.event, Event::Unknown(_) | Event::Unreadable(_)), "{name}: {webhook:?}");
        if let Some(message) = message(&webhook) {
            let content = &message.content;
            assert!(!matches!(content, Content::Unknown(_) | Content::Unreadable(_)), "{name}: {content:?}");
        }
        let id = u64::try_from(webhook.instance.id_instance.expect("an instance")).expect("a positive id");
        assert_eq!(webhook::instance_of(&body), Some(id), "{name}");
        insta::assert_debug_snapshot!(name, webhook);
    }
}

/// Tolerance must not hide a loss: every string and number of a fixture is found in what was read.
#[test]
fn nothing_in_a_fixture_is_dropped() {
    for (name, body) in fixtures() {
        let shown = format!("{:?}", webhook::parse(&body).expect("a webhook"));
        let whole: Value = serde_json::from_slice(&body).expect("JSON");
        let missing = missing(&whole, &shown);
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

/// States and the expiry of an invitation are shown in our own form.
fn missing(value: &Value, shown: &str) -> Vec<String> {
    match value {
        Value::Object(fields) if fields.contains_key("unsigned") => missing(&fields["low"], shown),
        Value::Object(fields) => {
            let shown_otherwise = |key: &str| key == "stateInstance";
            let fields = fields.iter().filter(|(key, _)| !shown_otherwise(key));
            fields.flat_map(|(_, value)| missing(value, shown)).collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| missing(item, shown)).collect(),
        Value::String(text) => {
            (!shown.contains(&format!("{text:?}"))).then(|| text.clone()).into_iter().collect()
        }
        Value::Number(number) => {
            (!shown.contains(&number.to_string())).then(|| number.to_string()).into_iter().collect()
        }
        Value::Bool(_) | Value::Null => Vec::new(),
    }
}

#[test]
fn the_journals_say_the_same_in_another_form() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/journal/messages.json");
    let messages: Vec<JournalMessage> =
        serde_json::from_slice(&fs::read(path).expect("fixture")).expect("messages");
    for message in &messages {
        let content = &message.content;
        assert!(
            !matches!(content, Content::Unknown(_) | Content::Unreadable(_)),
            "{}: {content:?}",
            message.kind
        );
    }
    insta::assert_debug_snapshot!("journal_messages", messages);
}

#[test]
fn twelve_notifications_and_twenty_two_messages_have_a_place_of_their_own() {
    assert_eq!(KINDS.len(), 12);
    // 22 that come in, and one that only goes out.
    assert_eq!(MESSAGE_KINDS.iter().filter(|kind| **kind != "interactiveButtonsReply").count(), 22);
}
