//! Meta's door: who may come in, and who may not.

use bytes::Bytes;
use frontdesk_channels::contract::{
    Door, DoorKeys, DoorSecret, ParseError, Refusal, VerifiedBy, WebhookRequest,
};
use frontdesk_channels::meta::DOOR;
use frontdesk_meta_graph_client::signature::sign;
use frontdesk_model::inbound::InboundEvent;
use frontdesk_model::{InboxId, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

const WHATSAPP: &[u8] =
    include_bytes!("../../clients/meta-graph-client/fixtures/whatsapp/02_text_wire_escaped.json");
const PAGE: &[u8] =
    include_bytes!("../../clients/meta-graph-client/fixtures/messenger/01_text_quick_reply.json");
const GOOD: &str = "sha256=50af553e0be229d3a563f85b50b2456aad817f4a693a97fc84458b09548c19a0";
const SIGNATURE: &str = "x-hub-signature-256";

fn keys() -> DoorKeys {
    DoorKeys {
        secrets: vec![
            DoorSecret::of_server("old-app-secret"),
            DoorSecret::of_server("fixture-app-secret"),
            DoorSecret::of_inbox("own-app-secret", InboxId(5), ""),
        ],
        verify_tokens: vec!["first".to_owned(), "second".to_owned()],
        bearer: Some("relay-token".to_owned()),
        ..DoorKeys::default()
    }
}

fn verify(headers: &[(&str, &str)], body: &[u8], keys: &DoorKeys) -> Result<VerifiedBy, Refusal> {
    let headers: Vec<(String, String)> =
        headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let body = Bytes::copy_from_slice(body);
    DOOR.verify(&WebhookRequest { headers: &headers, body: &body, now: Timestamp::default() }, keys)
}

#[test]
fn a_signature_tells_whose_secret_made_it() {
    assert_eq!(verify(&[(SIGNATURE, GOOD)], WHATSAPP, &keys()), Ok(VerifiedBy::Settings));
    let own = sign(PAGE, &"own-app-secret".into());
    assert_eq!(verify(&[(SIGNATURE, &own)], PAGE, &keys()), Ok(VerifiedBy::Inbox(InboxId(5))));
    let old = sign(PAGE, &"old-app-secret".into());
    assert_eq!(verify(&[(SIGNATURE, &old)], PAGE, &keys()), Ok(VerifiedBy::Settings));
}

#[test]
fn an_inbox_that_repeats_the_servers_secret_is_named_first() {
    let mut keys = keys();
    keys.secrets.push(DoorSecret::of_inbox("fixture-app-secret", InboxId(8), ""));
    assert_eq!(verify(&[(SIGNATURE, GOOD)], WHATSAPP, &keys), Ok(VerifiedBy::Inbox(InboxId(8))));
}

#[test]
fn a_signature_alone_decides_when_there_is_one() {
    let bearer = ("authorization", "Bearer relay-token");
    for wrong in ["", "sha256=", "sha256=00", &GOOD.to_uppercase(), &GOOD.replace("50af", "50ae"), &GOOD[7..]]
    {
        let headers = [(SIGNATURE, wrong), bearer];
        assert_eq!(verify(&headers, WHATSAPP, &keys()), Err(Refusal::BadSignature), "{wrong}");
    }
    assert!(verify(&[(SIGNATURE, GOOD), ("authorization", "Bearer wrong")], WHATSAPP, &keys()).is_ok());
}

#[test]
fn a_repeated_signature_is_refused_even_when_both_are_right() {
    let headers = [(SIGNATURE, GOOD), (SIGNATURE, GOOD)];
    assert_eq!(verify(&headers, WHATSAPP, &keys()), Err(Refusal::BadSignature));
}

#[test]
fn the_old_sha1_signature_counts_for_nothing() {
    let headers = [("x-hub-signature", GOOD)];
    assert_eq!(verify(&headers, WHATSAPP, &keys()), Err(Refusal::BadSignature));
}

#[test]
fn a_relay_may_bring_whatsapp_with_the_bearer_token_and_nothing_else() {
    let with = |header: &str, body: &[u8]| verify(&[("authorization", header)], body, &keys());
    assert_eq!(with("Bearer relay-token", WHATSAPP), Ok(VerifiedBy::Settings));
    assert_eq!(with("bearer relay-token", WHATSAPP), Ok(VerifiedBy::Settings));
    for header in [
        "relay-token",
        "Bearer relay-toke",
        "Bearer relay-token ",
        "Basic relay-token",
        "Bearer  relay-token",
    ] {
        assert_eq!(with(header, WHATSAPP), Err(Refusal::BadSignature), "{header}");
    }
    let instagram = br#"{"object":"instagram","entry":[]}"#;
    let twice = br#"{"object":"whatsapp_business_account","object":"page","entry":[]}"#;
    for body in [PAGE, instagram, twice, b"{}", b"", b"whatsapp_business_account"] {
        assert_eq!(with("Bearer relay-token", body), Err(Refusal::BadSignature));
    }
    let off = DoorKeys { bearer: None, ..keys() };
    assert_eq!(
        verify(&[("authorization", "Bearer relay-token")], WHATSAPP, &off),
        Err(Refusal::BadSignature)
    );
    let twice = [("authorization", "Bearer relay-token"), ("authorization", "Bearer relay-token")];
    assert_eq!(verify(&twice, WHATSAPP, &keys()), Err(Refusal::BadSignature));
}

fn challenge(query: &[(&str, &str)]) -> Result<String, Refusal> {
    let query: Vec<(String, String)> =
        query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    DOOR.challenge(&query, &keys())
}

#[test]
fn the_challenge_is_echoed_to_who_knows_a_token() {
    let asked = |mode, challenge_text, token| {
        challenge(&[("hub.mode", mode), ("hub.challenge", challenge_text), ("hub.verify_token", token)])
    };
    assert_eq!(asked("subscribe", "abc123", "first"), Ok("abc123".to_owned()));
    assert_eq!(asked("subscribe", "1158201444", "second"), Ok("1158201444".to_owned()));
    assert_eq!(asked("subscribe", "abc123", "third"), Err(Refusal::BadVerifyToken));
    assert_eq!(asked("subscribe", "abc123", ""), Err(Refusal::BadVerifyToken));
    assert_eq!(asked("unsubscribe", "abc123", "first"), Err(Refusal::BadChallenge));
    assert_eq!(asked("subscribe", "", "first"), Err(Refusal::BadChallenge));
    assert_eq!(asked("subscribe", &"1".repeat(257), "first"), Err(Refusal::BadChallenge));
}

#[test]
fn a_malformed_challenge_is_refused() {
    let good = [("hub.mode", "subscribe"), ("hub.challenge", "1"), ("hub.verify_token", "first")];
    assert_eq!(challenge(&[]), Err(Refusal::BadChallenge));
    assert_eq!(challenge(&good[..2]), Err(Refusal::BadVerifyToken));
    assert_eq!(challenge(&good[1..]), Err(Refusal::BadChallenge));
    assert_eq!(challenge(&[&good[..], &[("hub.challenge", "2")]].concat()), Err(Refusal::BadChallenge));
    assert_eq!(challenge(&[&good[..], &[("hub.verify_token", "x")]].concat()), Err(Refusal::BadVerifyToken));
}

#[test]
fn an_unknown_object_is_one_ignored_event_of_no_channel() {
    let events =
        DOOR.parse(br#"{"object":"permissions","entry":[{"id":"1"},{"id":"2"}]}"#).expect("a webhook");
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].channel, events[0].route.as_str()), ("", ""));
    assert!(matches!(&events[0].event, InboundEvent::Ignored { what } if what.contains("permissions")));
}

#[test]
fn what_is_no_webhook_is_malformed() {
    for body in [r#"{"object":"page"}"#, r#"{"entry":[]}"#, r#"{"object":7,"entry":[]}"#, "not json"] {
        assert!(matches!(DOOR.parse(body.as_bytes()), Err(ParseError::Malformed(_))), "{body}");
    }
    assert_eq!(DOOR.parse(br#"{"object":"page","entry":[]}"#), Ok(Vec::new()));
}

#[test]
fn a_large_batch_is_read_whole() {
    let one = r#"{"from":"6281390045512","id":"wamid.N","timestamp":"1","type":"text","text":{"body":"hi"}}"#;
    let messages =
        (0..1000).map(|n| one.replace("wamid.N", &format!("wamid.{n}"))).collect::<Vec<_>>().join(",");
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{{"field":"messages","value":{{"metadata":{{"phone_number_id":"9"}},"messages":[{messages}]}}}}]}}]}}"#
    );
    let events = DOOR.parse(body.as_bytes()).expect("a webhook");
    assert_eq!(events.len(), 1000);
    assert!(events.iter().all(|e| matches!(e.event, InboundEvent::Message(_)) && e.route == "9"));
}

proptest! {
    // More with PROPTEST_CASES=50000.
    #[test]
    fn no_changed_body_passes(at in any::<prop::sample::Index>(), change in 1u8..=255, how in 0u8..4) {
        let mut body = WHATSAPP.to_vec();
        let at = at.index(body.len());
        match how {
            0 => body[at] ^= change,
            1 => body.truncate(at),
            2 => body.insert(at, change),
            _ => body.push(change),
        }
        prop_assert_eq!(verify(&[(SIGNATURE, GOOD)], &body, &keys()), Err(Refusal::BadSignature));
    }

    #[test]
    fn no_changed_signature_passes(at in any::<prop::sample::Index>(), with in "[ -~]", how in 0u8..3) {
        let at = at.index(GOOD.len());
        let mut header = GOOD.to_owned();
        match how {
            0 => header.replace_range(at..=at, &with),
            1 => header.truncate(at),
            _ => header.insert_str(at, &with),
        }
        prop_assume!(header != GOOD);
        prop_assert_eq!(verify(&[(SIGNATURE, &header)], WHATSAPP, &keys()), Err(Refusal::BadSignature));
    }

    #[test]
    fn no_other_secret_passes(secret in ".{0,64}") {
        prop_assume!(!["old-app-secret", "fixture-app-secret", "own-app-secret"].contains(&secret.as_str()));
        let header = sign(WHATSAPP, &secret.as_str().into());
        prop_assert_eq!(verify(&[(SIGNATURE, &header)], WHATSAPP, &keys()), Err(Refusal::BadSignature));
    }
}

/// A body of thousands of small messages beside one huge word must not become thousands of huge words.
#[test]
fn a_long_name_or_id_is_not_kept_again_with_each_message() {
    let long = "7".repeat(200_000);
    let message = |n: usize| {
        json!({ "from": "6281390045512", "id": format!("m{n}"), "timestamp": "1768460000",
        "type": "text", "text": { "body": "x" } })
    };
    let nameless = |n: usize| {
        json!({ "id": format!("m{n}"), "timestamp": "1768460000", "type": "text",
        "text": { "body": "x" } })
    };
    let whatsapp = |number: &str, contact: Value, messages: Vec<Value>| {
        json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{ "field": "messages",
            "value": { "metadata": { "phone_number_id": number }, "contacts": [contact], "messages": messages } }] }] })
    };
    let many = || (0..2_000).map(message).collect::<Vec<_>>();
    let messaging = |object: &str| {
        let items: Vec<Value> = (0..2_000)
            .map(|n| json!({ "sender": { "id": "5" }, "recipient": { "id": "6" }, "timestamp": 1_768_460_000_000_i64,
                "message": { "mid": format!("m{n}"), "text": "x" } }))
            .collect();
        json!({ "object": object, "entry": [{ "id": long, "time": 1, "messaging": items }] })
    };
    let named = json!({ "wa_id": "6281390045512", "profile": { "name": long } });
    for body in [
        whatsapp(&long, json!({}), many()),
        whatsapp("1", named, many()),
        whatsapp("1", json!({ "wa_id": long }), (0..2_000).map(nameless).collect()),
        whatsapp("1", json!({ "user_id": long }), (0..2_000).map(nameless).collect()),
        messaging("page"),
        messaging("instagram"),
    ] {
        let bytes = body.to_string();
        let events = DOOR.parse(bytes.as_bytes()).expect("a webhook");
        assert!(events.len() >= 2_000);
        let kept: usize = events.iter().map(|event| format!("{event:?}").len()).sum();
        assert!(kept < 20 * bytes.len(), "{kept} bytes of {}", bytes.len());
    }
}

#[test]
fn as_many_contacts_as_messages_are_told_apart_at_once() {
    let phone = |n: usize| format!("62813{n:08}");
    let contacts: Vec<Value> =
        (0..20_000).map(|n| json!({ "wa_id": phone(n), "profile": { "name": format!("N{n}") } })).collect();
    let messages: Vec<Value> = (0..20_000)
        .map(|n| {
            json!({ "from": phone(19_999 - n), "id": format!("m{n}"), "timestamp": "1768460000",
            "type": "text", "text": { "body": "x" } })
        })
        .collect();
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{
        "field": "messages", "value": { "metadata": { "phone_number_id": "1" }, "contacts": contacts,
        "messages": messages } }] }] });
    let began = std::time::Instant::now();
    let events = DOOR.parse(body.to_string().as_bytes()).expect("a webhook");
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(format!("{:?}", events[7].event).contains("\"N19992\""), "{:?}", events[7]);
}
