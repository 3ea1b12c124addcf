//! Every recorded body is read whole; what it reads as is a snapshot to review.

#![expect(clippy::expect_used, reason = "a test")]

use std::{fs, path::Path};

use frontdesk_meta_graph_client::webhook::{self, route::RouteKey};

/// Name (`whatsapp_01_text`) and bytes of every fixture, in order.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found = Vec::new();
    for platform in ["whatsapp", "messenger", "instagram"] {
        for file in fs::read_dir(root.join(platform)).expect("fixture folder") {
            let path = file.expect("fixture").path();
            let name = path.file_stem().expect("name").to_string_lossy().into_owned();
            found.push((format!("{platform}_{name}"), fs::read(path).expect("fixture body")));
        }
    }
    found.sort();
    found
}

#[test]
fn every_fixture_is_read_whole() {
    let fixtures = fixtures();
    assert_eq!(fixtures.len(), 40);
    for (name, body) in fixtures {
        let webhook = webhook::parse(&body).expect("a webhook");
        assert!(webhook.problems().is_empty(), "{name}: {:?}", webhook.problems());
        insta::assert_debug_snapshot!(name, webhook);
    }
}

#[test]
fn every_fixture_names_its_accounts() {
    let number = |id: &str| RouteKey::PhoneNumber(id.to_owned());
    for (name, body) in fixtures() {
        let routes = webhook::route::routes(&body).expect("a webhook");
        let expected = match name.as_str() {
            "whatsapp_24_batch_two_numbers_and_account_fields" => vec![
                number("108144372211905"),
                number("110987654321012"),
                RouteKey::BusinessAccount("215589313241560883".to_owned()),
            ],
            "messenger_09_batch_two_pages_standby_feed" => vec![
                RouteKey::Page("104266588011223".to_owned()),
                RouteKey::Page("104266588019999".to_owned()),
            ],
            "instagram_07_dashboard_test_changes_form" => vec![RouteKey::Instagram("0".to_owned())],
            name if name.starts_with("whatsapp") => vec![number("108144372211905")],
            name if name.starts_with("messenger") => vec![RouteKey::Page("104266588011223".to_owned())],
            _ => vec![RouteKey::Instagram("17841400112233445".to_owned())],
        };
        assert_eq!(routes, expected, "{name}");
    }
}

/// Ends of paths that are not read on purpose; the raw text keeps them.
const NOT_READ: [&str; 17] = [
    // constants, and words that became a variant
    "/messaging_product",
    "/object",
    "/statuses/status",
    "/reaction/action",
    // comments of the feed: a field without a reader
    "/value/item",
    "/value/verb",
    "/value/comment_id",
    "/value/post_id",
    "/value/from/name",
    "/value/message",
    // marketing consent, which the inbox has no use for
    "/optin/notification_messages_frequency",
    "/optin/notification_messages_token",
    "/optin/token_expiry_timestamp",
    "/optin/user_token_status",
    // the greeting our own ad showed; the context of what an edit replaces
    "/referral/welcome_message/text",
    "/edit/message/context/id",
    "/value/something_new/x",
];

/// Tolerance must not hide a loss: every string and number of a fixture is found in what was read.
#[test]
fn nothing_in_a_fixture_is_dropped() {
    for (name, body) in fixtures() {
        let webhook = webhook::parse(&body).expect("a webhook");
        let shown = format!("{webhook:?}");
        let whole: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let mut missing = Vec::new();
        collect_missing(&whole, "", &shown, &mut missing);
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

fn collect_missing(value: &serde_json::Value, path: &str, shown: &str, missing: &mut Vec<String>) {
    use serde_json::Value;
    let text = match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                collect_missing(value, &format!("{path}/{key}"), shown, missing);
            }
            return;
        }
        Value::Array(items) => {
            for item in items {
                collect_missing(item, path, shown, missing);
            }
            return;
        }
        // Times are shown as milliseconds: the seconds, and three zeros.
        Value::String(text) if !path.ends_with("timestamp") => format!("{text:?}"),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(_) | Value::Null => return,
    };
    if !shown.contains(&text) && !NOT_READ.iter().any(|end| path.ends_with(end)) {
        missing.push(format!("{path} = {text}"));
    }
}
