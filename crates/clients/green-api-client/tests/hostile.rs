//! Bodies that nobody should send. Nothing panics, and a kind of tomorrow is no error.

#![expect(clippy::expect_used, reason = "a test")]

use frontdesk_green_api_client::webhook::{self, Content, Event, ParseError};
use proptest::prelude::*;

fn message(data: &str) -> String {
    format!(
        r#"{{"typeWebhook":"incomingMessageReceived","instanceData":{{"idInstance":"1101000001"}},"timestamp":"1700000000",
            "idMessage":"A","senderData":{{"chatId":"15550100002@c.us"}},"messageData":{data}}}"#
    )
}

fn content(data: &str) -> Content {
    match webhook::parse(message(data).as_bytes()).expect("a webhook").event {
        Event::IncomingMessage(message) => message.content,
        other => panic!("no message: {other:?}"),
    }
}

#[test]
fn kinds_of_tomorrow_are_kept_as_they_came() {
    let body = r#"{"typeWebhook":"moonPhase","instanceData":{"idInstance":7},"moon":{"full":true}}"#;
    let webhook = webhook::parse(body.as_bytes()).expect("a webhook");
    assert_eq!((webhook.kind.as_str(), webhook.instance.id_instance), ("moonPhase", Some(7)));
    let Event::Unknown(raw) = webhook.event else { panic!("{:?}", webhook.event) };
    assert_eq!(raw.get(), body);

    let data = r#"{"typeMessage":"hologramMessage","hologram":{"x":1}}"#;
    let Content::Unknown(raw) = content(data) else { panic!("known?") };
    assert_eq!(raw.get(), data);
}

#[test]
fn a_known_kind_in_a_strange_shape_is_kept_too() {
    for data in [
        r#"{"typeMessage":"textMessage"}"#,
        r#"{"typeMessage":"textMessage","textMessageData":7}"#,
        r#"{"typeMessage":"imageMessage","fileMessageData":[]}"#,
        r#"{"typeMessage":"pollMessage","pollMessageData":null}"#,
    ] {
        assert!(matches!(content(data), Content::Unreadable(_)), "{data}: {:?}", content(data));
    }
    for body in [
        r#"{"typeWebhook":"incomingMessageReceived"}"#,
        r#"{"typeWebhook":"incomingMessageReceived","idMessage":"A","senderData":{},"messageData":"x"}"#,
        r#"{"typeWebhook":"stateInstanceChanged"}"#,
    ] {
        let webhook = webhook::parse(body.as_bytes()).expect("a webhook");
        assert!(matches!(webhook.event, Event::Unreadable(_)), "{body}: {:?}", webhook.event);
    }
}

#[test]
fn a_quota_under_a_wrong_name_is_a_quota() {
    let body = r#"{"typeWebhook":"incomingBlock","instanceData":{},"quotaData":{"method":"correspondents","used":"3","total":3}}"#;
    let webhook = webhook::parse(body.as_bytes()).expect("a webhook");
    let Event::Quota(quota) = webhook.event else { panic!("{:?}", webhook.event) };
    assert_eq!((quota.used, quota.total), (Some(3), Some(3)));
}

#[test]
fn numbers_and_words_are_read_in_any_spelling() {
    let data = r#"{"typeMessage":"imageMessage","fileMessageData":{"downloadUrl":"u","isForwarded":"true","forwardingScore":"5","caption":null,"new":{}}}"#;
    let Content::Image(file) = content(data) else { panic!("no picture") };
    assert_eq!((file.is_forwarded, file.forwarding_score, file.caption), (Some(true), Some(5), None));
    let webhook = webhook::parse(message(data).as_bytes()).expect("a webhook");
    assert_eq!((webhook.timestamp, webhook.instance.id_instance), (Some(1_700_000_000), Some(1_101_000_001)));
    let data = r#"{"typeMessage":"pollUpdateMessage","pollMessageData":{"votes":[{"optionName":"a","optionVoters":["1@c.us",{"wid":"2@c.us"}]}]}}"#;
    let Content::PollUpdate(poll) = content(data) else { panic!("no votes") };
    assert_eq!(poll.votes[0].option_voters, ["1@c.us", "2@c.us"]);
}

#[test]
fn what_is_no_notification_is_an_error_that_quotes_nothing() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "null", "[]", "7", "\"x\"", "{", "SECRET", &deep] {
        let error = webhook::parse(body.as_bytes()).expect_err("no notification");
        assert!(matches!(error, ParseError::Json { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("SECRET"));
    }
    for body in ["{}", r#"{"typeWebhook":null}"#, r#"{"typeWebhook":""}"#] {
        assert_eq!(webhook::parse(body.as_bytes()).expect_err("no kind"), ParseError::NoKind);
    }
    assert_eq!(webhook::parse(b"{\"a\":\"\xff\"}").expect_err("no text"), ParseError::Encoding);
    webhook::parse("\u{feff}{\"typeWebhook\":\"x\"}".as_bytes()).expect("a byte order mark does no harm");
}

proptest! {
    #[test]
    fn no_mutation_panics(at in 0usize..1200, with in proptest::collection::vec(any::<u8>(), 0..6), which in 0usize..3) {
        let fixtures: [&[u8]; 3] = [
            include_bytes!("../fixtures/webhook_incoming_group_invite.json"),
            include_bytes!("../fixtures/webhook_incoming_text_group_lid.json"),
            include_bytes!("../fixtures/webhook_outgoing_call.json"),
        ];
        let mut body = fixtures[which].to_vec();
        let at = at % body.len();
        body.splice(at..(at + with.len()).min(body.len()), with);
        drop(format!("{:?}", webhook::parse(&body)));
        let _instance = webhook::instance_of(&body);
    }
}
