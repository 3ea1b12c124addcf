//! Bodies that nobody should send. A bad part costs no other part, and nothing panics.

#![expect(clippy::expect_used, reason = "a test")]

use frontdesk_meta_graph_client::webhook::{
    self, ChangeValue, ReadErrorKind, Webhook,
    messaging::EventContent,
    route,
    whatsapp::{Content, Value},
};
use proptest::prelude::*;

fn whatsapp_body(value: &str) -> String {
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{{"field":"messages","value":{value}}}]}}]}}"#
    )
}

fn whatsapp(messages: &str) -> String {
    whatsapp_body(&format!(
        r#"{{"metadata":{{"phone_number_id":"9"}},"messages":{messages},"statuses":[{{"id":"s","status":"sent"}}]}}"#
    ))
}

fn page(events: &str) -> String {
    format!(r#"{{"object":"page","entry":[{{"id":"1","time":1,"messaging":{events}}}]}}"#)
}

fn value<'w, 'a>(webhook: &'w Webhook<'a>) -> &'w Value<'a> {
    let entry = webhook.entries[0].read.as_ref().expect("entry");
    match &entry.changes[0].read.as_ref().expect("change").value {
        ChangeValue::WhatsApp(value) => value,
        other => panic!("not a messages value: {other:?}"),
    }
}

const GOOD: &str = r#"{"id":"m1","from":"62","timestamp":"1","type":"text","text":{"body":"hi"}}"#;

#[test]
fn a_bad_message_costs_no_other() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for bad in [
        "7",
        "null",
        "[]",
        r#""text""#,
        "{}",
        r#"{"type":"text"}"#,
        r#"{"id":null,"type":"text"}"#,
        r#"{"id":{"a":1},"type":"text"}"#,
        r#"{"id":"a","id":"b","type":"text"}"#,
        r#"{"id":"\ud800","type":"text"}"#,
        &format!(r#"{{"id":{deep}}}"#),
    ] {
        let body = whatsapp(&format!("[{GOOD},{bad},{GOOD}]"));
        let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
        let value = value(&webhook);
        let good: Vec<bool> = value.messages.iter().map(|item| item.read.is_ok()).collect();
        assert_eq!(good, [true, false, true], "{bad:.60}");
        assert_eq!(value.messages[1].raw.get(), bad, "kept as it came");
        assert!(value.statuses[0].read.is_ok());
        assert_eq!(webhook.problems().len(), 1);
        assert_eq!(route::routes(body.as_bytes()).expect("routes").len(), 1);
    }
}

#[test]
fn a_bad_content_leaves_id_and_sender() {
    let deep = format!("{}{}", r#"{"body":"#.repeat(10_000), "}".repeat(10_000));
    for text in [
        r#"{"body":7}"#,
        "{}",
        "[]",
        r#"{"body":"\ud83d"}"#,
        r#"{"body":"\udc4d\ud83d"}"#,
        r#"{"body":"a","body":"b"}"#,
        &format!(r#"{{"body":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000)),
        &deep.replacen("}", "1}", 1),
    ] {
        let body = whatsapp(&format!(r#"[{{"id":"m","from":"62","type":"text","text":{text}}}]"#));
        let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
        let message = value(&webhook).messages[0].read.as_ref().expect("the head is good");
        assert_eq!((message.id.as_str(), message.from.as_deref()), ("m", Some("62")));
        assert!(matches!(message.content, Content::Unreadable(_)), "{text:.60}: {:?}", message.content);
        assert_eq!(webhook.problems().len(), 1, "{text:.60}");
    }
}

#[test]
fn side_information_never_spoils_a_message() {
    let body = whatsapp(
        r#"[{"id":1844674407370955161,"from":62813,"timestamp":"soon","type":"text","text":{"body":"hi"},
             "context":7,"referral":"x","errors":{"code":1},"group_id":[],"new":{"x":null}}]"#,
    );
    let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
    let message = value(&webhook).messages[0].read.as_ref().expect("readable");
    assert_eq!(message.id, "1844674407370955161");
    assert_eq!(message.from.as_deref(), Some("62813"));
    assert_eq!((message.timestamp, &message.context, &message.referral), (None, &None, &None));
    assert!(matches!(&message.content, Content::Text(text) if text.body == "hi"));
}

#[test]
fn a_list_that_is_none_costs_no_other_list() {
    let body = whatsapp(r#""m""#);
    let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
    let value = value(&webhook);
    assert!(value.messages[0].read.is_err() && value.statuses[0].read.is_ok());
}

#[test]
fn an_object_in_place_of_a_list_is_its_only_item() {
    let body = whatsapp(GOOD);
    let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
    assert_eq!(value(&webhook).messages[0].read.as_ref().expect("readable").id, "m1");
    let event = r#"{"sender":{"id":"7"},"message":{"mid":"m","attachments":{"type":"like_heart"}}}"#;
    let body = page(event);
    let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
    let entry = webhook.entries[0].read.as_ref().expect("entry");
    let EventContent::Message(message) = &entry.messaging[0].read.as_ref().expect("event").content else {
        panic!("not a message: {entry:?}");
    };
    assert_eq!(message.attachments[0].as_ref().expect("an attachment").kind, "like_heart");
}

#[test]
fn a_message_that_says_something_needs_neither_id_nor_type() {
    let read = |message: &str| {
        let body = whatsapp(&format!("[{message}]"));
        let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
        value(&webhook).messages[0].read.clone()
    };
    for (message, kind) in [
        (r#"{"id":"m","from":"62","text":{"body":"hi"}}"#, "text"),
        (r#"{"id":"m","from":"62","type":null,"location":{"latitude":1,"longitude":2}}"#, "location"),
        (r#"{"id":"m","from":"62","type":"","contacts":[{"vcard":"x"}]}"#, "contacts"),
        (r#"{"id":"m","from":"62","hologram":{}}"#, ""),
    ] {
        assert_eq!(read(message).expect("readable").kind, kind, "{message}");
    }
    let hi = r#"{"from":"62","timestamp":"1","text":{"body":"hi"}}"#;
    let id = read(hi).expect("readable").id;
    assert!(id.starts_with("unnamed:"), "{id}");
    assert_eq!(read(hi).expect("readable").id, id, "the same again is the same");
    for other in [
        r#"{"from":"62","timestamp":"2","text":{"body":"hi"}}"#,
        r#"{"id":"","from":"62","timestamp":"1","text":{"body":"hi"}}"#,
        r#"{"id":null,"from":"62","timestamp":"1","text":{"body":"hi"}}"#,
    ] {
        assert_ne!(read(other).expect("readable").id, id, "{other}");
    }
}

#[test]
fn a_change_without_a_field_is_read_by_what_it_holds() {
    let body = whatsapp(&format!("[{GOOD}]")).replace(r#""field":"messages","#, "");
    let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
    assert_eq!(value(&webhook).messages[0].read.as_ref().expect("readable").id, "m1");
}

#[test]
fn a_voice_message_of_the_old_api_is_one() {
    let body =
        whatsapp(r#"[{"id":"m","from":"62","type":"voice","voice":{"id":"9","mime_type":"audio/ogg"}}]"#);
    let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
    match &value(&webhook).messages[0].read.as_ref().expect("readable").content {
        Content::Audio(media) => assert_eq!((media.id.as_deref(), media.voice), (Some("9"), Some(true))),
        other => panic!("not audio: {other:?}"),
    }
}

#[test]
fn no_line_of_an_order_is_left_out() {
    let body = whatsapp(
        r#"[{"id":"m","from":"62","type":"order","order":{"product_items":[{"product_retailer_id":"A","quantity":"2"},
             {"product_retailer_id":"B","quantity":"some","item_price":"9.5","currency":"EUR"},{}]}}]"#,
    );
    let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
    let Content::Order(order) = &value(&webhook).messages[0].read.as_ref().expect("readable").content else {
        panic!("not an order");
    };
    let items: Vec<_> = order
        .product_items
        .iter()
        .map(|i| (i.product_retailer_id.as_deref(), i.quantity, i.item_price))
        .collect();
    assert_eq!(items, [(Some("A"), Some(2.0), None), (Some("B"), None, Some(9.5)), (None, None, None)]);
}

#[test]
fn absent_parts_and_unknown_types_are_told_apart() {
    let body = whatsapp(
        r#"[{"id":"a","type":"interactive"},{"id":"b","type":"interactive","interactive":{}},
            {"id":"c","type":"hologram","hologram":{"x":1}},{"id":"d"},{"id":"e","type":"unsupported"},
            {"id":"f","type":"edit","edit":{"original_message_id":"m","message":{"type":"edit"}}},
            {"id":"g","type":"edit","edit":{"original_message_id":"m"}}]"#,
    );
    let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
    assert!(webhook.problems().is_empty());
    let contents: Vec<String> = value(&webhook)
        .messages
        .iter()
        .map(|item| format!("{:?}", item.read.as_ref().expect("readable").content))
        .collect();
    assert_eq!(contents[0], "Missing");
    assert!(contents[1].starts_with("Interactive"));
    assert_eq!(contents[2], "Other");
    assert_eq!(contents[3], "Other");
    assert_eq!(contents[4], "Unsupported(Unsupported { kind: None })");
    assert!(contents[5].ends_with("content: Other })"));
    assert!(contents[6].ends_with("content: Missing })"));
}

#[test]
fn statuses_of_tomorrow_are_kept_by_name() {
    let body = whatsapp_body(r#"{"statuses":[{"id":"s","status":"beamed"},{"id":"s","status":7}]}"#);
    let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
    let statuses = &value(&webhook).statuses;
    assert_eq!(format!("{:?}", statuses[0].read.as_ref().expect("readable").status), r#"Other("beamed")"#);
    assert!(statuses[1].read.is_err());
}

#[test]
fn a_bad_event_costs_no_other_and_names_its_message() {
    let body = page(
        r#"[{"sender":{"id":"1"},"message":{"mid":"m_1","text":7}},
            {"sender":7,"timestamp":[],"message":{"mid":"m_2","text":"hi"}},
            {"sender":{"user_ref":"r"},"optin":{"type":"t"}},
            {"sender":{"id":"1"},"reaction":{"mid":"m_3","action":"juggle"}},
            {"sender":{"id":"1"},"message":{"mid":"m_4","attachments":[{"type":"image"},{"type":7}]}},
            7, {"sender":{"id":"1"},"brand_new":{}}]"#,
    );
    let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
    let entry = webhook.entries[0].read.as_ref().expect("entry");
    let event = |n: usize| entry.messaging[n].read.as_ref().expect("event");
    assert!(matches!(&event(0).content, EventContent::Unreadable { mid: Some(mid), .. } if mid == "m_1"));
    assert!(matches!(&event(1).content, EventContent::Message(message) if message.mid == "m_2"));
    assert_eq!((&event(1).sender, event(1).timestamp), (&None, None));
    assert_eq!(event(2).sender_user_ref.as_deref(), Some("r"));
    assert!(matches!(&event(3).content, EventContent::Unreadable { mid: Some(mid), .. } if mid == "m_3"));
    let EventContent::Message(message) = &event(4).content else { panic!("no message") };
    assert!(message.attachments[0].is_ok() && message.attachments[1].is_err());
    assert!(entry.messaging[5].read.is_err());
    assert_eq!(event(6).content, EventContent::Other);
    assert_eq!(webhook.problems().len(), 4);
}

#[test]
fn what_is_no_webhook_is_an_error() {
    let bom = "\u{feff}{\"object\":\"page\",\"entry\":[]}";
    let utf16: Vec<u8> =
        "{\"object\":\"page\",\"entry\":[]}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let deep = "[".repeat(100_000);
    let bodies: [&[u8]; 16] = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"hub.mode=subscribe",
        br#"{"object":"page"}"#,
        br#"{"entry":[]}"#,
        br#"{"object":"page","entry":{}}"#,
        br#"{"object":7,"entry":[]}"#,
        br#"{"object":"page","entry":[NaN]}"#,
        br#"{"object":"page","object":"page","entry":[]}"#,
        br#"{"object":"page","entry":[]} {}"#,
        b"{\"object\":\"page\",\"entry\":[\"\0\"]}",
        bom.as_bytes(),
        &utf16,
        deep.as_bytes(),
    ];
    for body in bodies {
        assert!(webhook::parse(body).is_err(), "{:?}", String::from_utf8_lossy(body).get(..60));
        assert!(route::routes(body).is_err());
    }
    let latin1 = webhook::parse(b"{\"object\":\"caf\xe9\",\"entry\":[]}").unwrap_err();
    assert_eq!(latin1.to_string(), "the body is not a Graph webhook: not UTF-8 at line 0, column 15");
}

#[test]
fn errors_never_show_the_text() {
    let body =
        whatsapp(r#"[{"id":"m","type":"text","text":{"body":["PLANTED"]}},{"id":["PLANTED"]},"PLANTED"]"#);
    let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
    let problems = webhook.problems();
    assert_eq!(problems.len(), 3);
    for problem in problems {
        let shown = format!("{} {:?}", problem.error, problem.error);
        assert!(!shown.contains("PLANTED"), "{shown}");
        assert_eq!(problem.error.kind, ReadErrorKind::Shape);
    }
}

#[test]
fn deep_nesting_in_unread_parts_passes_over() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let body = whatsapp(&format!(r#"[{{"id":"m","type":"text","text":{{"body":"hi"}},"new":{deep}}}]"#));
    let webhook = webhook::parse(body.as_bytes()).expect("the envelope is good");
    assert!(webhook.problems().is_empty());
}

proptest! {
    #[test]
    fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = webhook::parse(&body);
        let _ = route::routes(&body);
    }

    /// Cutting, doubling or overwriting pieces of a real body.
    #[test]
    fn no_mutation_panics(
        which in 0usize..4,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6),
    ) {
        let mut body = [
            include_bytes!("../fixtures/whatsapp/24_batch_two_numbers_and_account_fields.json").to_vec(),
            include_bytes!("../fixtures/whatsapp/02_text_wire_escaped.json").to_vec(),
            include_bytes!("../fixtures/messenger/09_batch_two_pages_standby_feed.json").to_vec(),
            include_bytes!("../fixtures/instagram/03_share_post_reel.json").to_vec(),
        ][which].clone();
        for (at, byte, how) in changes {
            let at = at.index(body.len());
            match how {
                0 => body[at] = byte,
                1 => { body.remove(at); }
                2 => body.insert(at, byte),
                _ => { let tail = body[at..].to_vec(); body.extend(tail); }
            }
            if body.is_empty() { break; }
        }
        if let Ok(webhook) = webhook::parse(&body) {
            let _ = webhook.problems();
            prop_assert!(route::routes(&body).is_ok());
        }
    }
}
