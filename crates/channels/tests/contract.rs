//! What every channel has to keep, checked for each line of the registry.

#![expect(clippy::expect_used, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use frontdesk_channels::contract::{
    Channel, ChannelContext, Connection, Door, DoorKeys, DoorSecret, DoorSettings, GreenApiSettings,
    LinkedSettings, NoSessions, ProviderSettings, Refusal, VerifiedBy, WebhookRequest,
};
use frontdesk_channels::registry::{CHANNELS, doors, find_channel};
use frontdesk_model::clock::ManualClock;
use frontdesk_model::inbox::{InboxConfig, InboxSettings};
use frontdesk_model::{AccountId, InboxId, Timestamp};
use frontdesk_provider_http::{CallRecord, CallRecorder};
use proptest::prelude::*;

struct NobodyListens;

impl CallRecorder for NobodyListens {
    fn record(&self, _record: &CallRecord<'_>) {}
}

fn context() -> ChannelContext {
    frontdesk_provider_http::install_crypto();
    ChannelContext {
        clock: Arc::new(ManualClock::default()),
        providers: Arc::new(ProviderSettings {
            meta_graph_url: "https://graph.facebook.com".to_owned(),
            meta_instagram_url: "https://graph.instagram.com".to_owned(),
            meta_graph_version: "v26.0".to_owned(),
            green_api: GreenApiSettings::default(),
            linked: LinkedSettings::default(),
            allow_private_hosts: Vec::new(),
            timeout_ms: 1000,
            breaker_open_ms: 30_000,
        }),
        recorder: Arc::new(NobodyListens),
        stacks: Arc::default(),
        sessions: Arc::new(NoSessions),
    }
}

/// Settings that any channel takes: digits where an id is asked for.
fn filled(channel: &dyn Channel) -> InboxSettings {
    let value = |key: &str| match key {
        "api_url" => "https://gateway.example/api/v1".to_owned(),
        _ => "1234567890".to_owned(),
    };
    let fields = channel.info().fields.iter().filter(|f| f.required);
    let mut settings: InboxSettings = fields.map(|f| (f.key.to_owned(), value(f.key))).collect();
    // Where one of several fields is needed, the channel names the first of them.
    for lacking in channel.check_settings(&settings).err().into_iter().flatten() {
        let value = value(&lacking.key);
        settings.insert(lacking.key, value);
    }
    settings
}

fn opened(channel: &dyn Channel) -> Arc<dyn Connection> {
    let inbox = InboxConfig {
        id: InboxId(7),
        account_id: AccountId(1),
        channel: channel.info().name.to_owned(),
        settings: filled(channel),
    };
    channel.open(&context(), &inbox).expect("filled settings open")
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every recorded or composed body, by path.
fn fixtures() -> Vec<(PathBuf, Vec<u8>)> {
    // What has no door is delivered nothing.
    let delivered = CHANNELS.iter().filter(|channel| channel.door().is_some());
    let mut folders: Vec<PathBuf> =
        delivered.map(|c| here().join("src").join(c.info().name).join("fixtures")).collect();
    let recorded = here().join("../clients/meta-graph-client/fixtures");
    folders.extend(["whatsapp", "messenger", "instagram"].map(|folder| recorded.join(folder)));
    for client in ["green-api-client", "whatsapp-gateway-client"] {
        folders.push(here().join("../clients").join(client).join("fixtures"));
    }
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("every channel has fixtures"));
    let paths = files.map(|file| file.expect("a file").path());
    let mut bodies: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| {
            let body = fs::read(&path).expect("readable");
            (path, body)
        })
        .collect();
    bodies.sort();
    bodies
}

#[test]
fn every_channel_says_what_people_need_to_know() {
    let mut names = BTreeSet::new();
    for channel in CHANNELS {
        let info = channel.info();
        assert!(names.insert(info.name), "{} stands in the registry twice", info.name);
        assert!(info.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", info.name);
        assert!(!info.label.is_empty() && !info.platform.is_empty(), "{}", info.name);
        assert!(here().join("../..").join(info.docs).is_file(), "{} is missing", info.docs);
        assert_eq!(find_channel(info.name).map(|c| c.info().label), Some(info.label));
        let keys: BTreeSet<&str> = info.fields.iter().map(|f| f.key).collect();
        assert_eq!(keys.len(), info.fields.len(), "{}: a field stands twice", info.name);
        for field in info.fields {
            assert!(field.help.ends_with('.') && !field.label.is_empty(), "{}.{}", info.name, field.key);
        }
    }
    assert!(find_channel("carrier_pigeon").is_none());
}

#[test]
fn missing_and_wrong_fields_are_named_in_a_sentence() {
    for channel in CHANNELS {
        let name = channel.info().name;
        let required: Vec<&str> =
            channel.info().fields.iter().filter(|f| f.required).map(|f| f.key).collect();
        let errors = channel.check_settings(&InboxSettings::new()).expect_err("nothing is filled in");
        assert_eq!(errors.iter().map(|e| e.key.as_str()).collect::<Vec<_>>(), required, "{name}");
        assert_eq!(channel.check_settings(&filled(*channel)), Ok(()), "{name}");
        assert_eq!(channel.route_key(&InboxSettings::new()), None, "{name}");
        assert!(channel.route_key(&filled(*channel)).is_some(), "{name}");
        for key in required {
            let mut settings = filled(*channel);
            settings.insert(key.to_owned(), "two words\u{e9}".to_owned());
            let errors = channel.check_settings(&settings).expect_err("no id and no token has a space");
            assert_eq!(errors.len(), 1, "{name}.{key}");
            assert!(errors[0].message.starts_with(&format!("The {key} field")), "{}", errors[0].message);
        }
    }
}

#[test]
fn declared_powers_exist() {
    for channel in CHANNELS {
        let (name, can) = (channel.info().name, channel.capabilities());
        let connection = opened(*channel);
        assert_eq!(connection.receipts().is_some(), can.read_receipts || can.typing, "{name}");
        assert_eq!(connection.linking().is_some(), channel.info().phone, "{name}");
        assert!(can.text_max.count > 0 && !can.attachments.is_empty(), "{name}");
        let kinds: BTreeSet<_> = can.attachments.iter().map(|a| a.kind).collect();
        assert_eq!(kinds.len(), can.attachments.len(), "{name}: a kind of file has two limits");
        if let Some(window) = can.reply_window {
            assert!(window.duration_ms > 0 && window.extended_ms.is_none_or(|e| e > window.duration_ms));
        }
    }
}

#[test]
fn a_body_gives_the_same_events_each_time_and_each_names_its_channel() {
    for (path, body) in fixtures() {
        let mut read_by = 0;
        for door in doors() {
            let Ok(events) = door.parse(&body) else { continue };
            read_by += 1;
            assert!(!events.is_empty(), "{} is met with silence", path.display());
            assert_eq!(door.parse(&body), Ok(events.clone()), "{}", path.display());
            for event in events {
                let channel = find_channel(event.channel).expect("a channel of the registry");
                assert_eq!(channel.door().map(Door::path), Some(door.path()), "{}", path.display());
            }
        }
        assert_eq!(read_by, 1, "{}", path.display());
    }
}

#[test]
fn doors_have_a_path_a_limit_and_no_mercy() {
    let paths: BTreeSet<_> = doors().into_iter().map(Door::path).collect();
    assert_eq!(paths.len(), doors().len());
    for door in doors() {
        assert!(
            door.path().starts_with("/api/") && door.max_body_bytes(&DoorSettings::default()) >= 1024 * 1024
        );
        assert!(door.parse(door.info().example.as_bytes()).is_ok_and(|events| !events.is_empty()));
        let deep = "[".repeat(200_000);
        for body in ["", "null", "{}", "[]", "{\"entry\":", "\u{feff}{}", &deep] {
            let error = door.parse(body.as_bytes()).expect_err("no webhook");
            assert!(error.to_string().starts_with("Invalid webhook format: "), "{error}");
        }
    }
}

#[test]
fn without_keys_every_request_is_refused() {
    for door in doors() {
        for keys in [DoorKeys::default(), empty_keys()] {
            for (path, body) in fixtures() {
                let body = Bytes::from(body);
                for headers in forged_headers(&body) {
                    let request =
                        WebhookRequest { headers: &headers, body: &body, now: Timestamp::default() };
                    let refusal = door.verify(&request, &keys);
                    let not_genuine = [Err(Refusal::BadSignature), Err(Refusal::BadToken)];
                    assert!(not_genuine.contains(&refusal), "{refusal:?}: {}", path.display());
                }
            }
            for token in ["", "x"] {
                let query = [("hub.mode", "subscribe"), ("hub.challenge", "1"), ("hub.verify_token", token)];
                let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
                let refusal = door.challenge(&query, &keys);
                // A provider that asks nothing is not answered whatever is asked.
                let expected = if door.info().question.is_empty() {
                    Refusal::BadChallenge
                } else {
                    Refusal::BadVerifyToken
                };
                assert_eq!(refusal, Err(expected));
            }
        }
    }
}

/// Keys that are set and empty, which must not match what is empty.
fn empty_keys() -> DoorKeys {
    DoorKeys {
        secrets: vec![DoorSecret::of_server(""), DoorSecret::of_inbox("", InboxId(1), "")],
        verify_tokens: vec![String::new()],
        bearer: Some(String::new()),
        ..DoorKeys::default()
    }
}

fn forged_headers(body: &[u8]) -> Vec<Vec<(String, String)>> {
    let by_nothing = frontdesk_meta_graph_client::signature::sign(body, &"".into());
    [
        vec![],
        vec![("x-hub-signature-256", by_nothing.as_str())],
        vec![("x-hub-signature-256", "")],
        vec![("authorization", "Bearer ")],
        vec![("authorization", "Bearer")],
        vec![("authorization", "")],
        vec![("authorization", "Basic Og==")],
        vec![("x-webhook-signature", by_nothing.as_str())],
    ]
    .into_iter()
    .map(|list| list.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect())
    .collect()
}

#[test]
fn a_secret_vouches_for_its_own_inboxes_and_no_other() {
    let secret = |secret: &str, inbox: Option<i64>| DoorSecret {
        secret: secret.to_owned(),
        inbox: inbox.map(InboxId),
        route: String::new(),
    };
    let keys = DoorKeys {
        secrets: vec![
            secret("server", None),
            secret("shop", Some(1)),
            secret("shop", Some(2)),
            secret("server", Some(3)),
        ],
        ..DoorKeys::default()
    };
    let vouched = |by: VerifiedBy| (1..=4).filter(|id| keys.vouch_for(by, InboxId(*id))).collect::<Vec<_>>();
    assert_eq!(vouched(VerifiedBy::Settings), [4], "4 has no secret of its own");
    assert_eq!(vouched(VerifiedBy::Inbox(InboxId(1))), [1, 2], "1 and 2 are on one app");
    assert_eq!(vouched(VerifiedBy::Inbox(InboxId(3))), [3, 4], "3 repeats the server's secret");
    assert_eq!(vouched(VerifiedBy::Inbox(InboxId(9))), Vec::<i64>::new().as_slice(), "9 has none");
}

/// Cutting, doubling, overwriting: what a broken relay or an attacker sends.
fn mutated(mut body: Vec<u8>, changes: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    for (at, byte, how) in changes {
        if body.is_empty() {
            break;
        }
        let at = at.index(body.len());
        match how {
            0 => body[at] = *byte,
            1 => body.truncate(at),
            2 => drop(body.splice(at..at, vec![*byte; 8])),
            3 => drop(body.drain(at..(at + 16).min(body.len()))),
            _ => {
                let piece = body[at..(at + 64).min(body.len())].to_vec();
                body.splice(at..at, piece);
            }
        }
    }
    body
}

proptest! {
    // More with PROPTEST_CASES=50000.
    #[test]
    fn strange_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..600)) {
        for door in doors() {
            let _ = door.parse(&body);
        }
    }

    #[test]
    fn mutated_bodies_never_panic_and_stay_pure(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..5), 1..8),
    ) {
        let fixtures = fixtures();
        let body = mutated(which.get(&fixtures).1.clone(), &changes);
        for door in doors() {
            prop_assert_eq!(door.parse(&body), door.parse(&body));
        }
    }

    #[test]
    fn wrong_types_anywhere_never_panic(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        value in 0usize..8,
    ) {
        let fixtures = fixtures();
        let mut body: serde_json::Value = serde_json::from_slice(&which.get(&fixtures).1).expect("JSON");
        let deep = (0..100).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
        let values = [
            serde_json::json!(null), serde_json::json!(7), serde_json::json!(-1e300), serde_json::json!("x"),
            serde_json::json!([]), serde_json::json!({}), serde_json::json!("\u{0}\u{202e}😀"), deep,
        ];
        let mut count = count_parts(&body);
        let mut left = at.index(count);
        count = left;
        replace(&mut body, &mut left, &values[value]);
        let body = serde_json::to_vec(&body).expect("JSON");
        for door in doors() {
            prop_assert_eq!(door.parse(&body), door.parse(&body), "part {}", count);
        }
    }
}

fn parts_of(value: &mut serde_json::Value) -> Vec<&mut serde_json::Value> {
    match value {
        serde_json::Value::Array(items) => items.iter_mut().collect(),
        serde_json::Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    }
}

fn count_parts(value: &serde_json::Value) -> usize {
    1 + match value {
        serde_json::Value::Array(items) => items.iter().map(count_parts).sum(),
        serde_json::Value::Object(fields) => fields.values().map(count_parts).sum(),
        _ => 0,
    }
}

/// Replaces the part that is `left` steps away, counted depth first.
fn replace(value: &mut serde_json::Value, left: &mut usize, with: &serde_json::Value) -> bool {
    if *left == 0 {
        *value = with.clone();
        return true;
    }
    *left -= 1;
    parts_of(value).into_iter().any(|part| replace(part, left, with))
}
