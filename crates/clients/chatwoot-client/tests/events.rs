//! Bodies as Chatwoot sends them, and bodies that nobody should send.
#![expect(clippy::expect_used, reason = "a test")]

use frontdesk_chatwoot_client::{
    ConversationStatus, Event, MessageType, Timestamp, WebhookEvent,
    event::{self, EventError},
};
use proptest::prelude::*;
use serde_json::json;

fn fixture(name: &str) -> WebhookEvent {
    let path = format!("{}/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    event::parse(&std::fs::read(path).expect("a fixture")).expect("an event")
}

#[test]
fn a_message_is_the_events_and_not_the_last_of_its_conversation() {
    let event = fixture("message_created");
    assert_eq!(
        (event.account_id, event.conversation_id(), event.contact_id()),
        (Some(1), Some(123), Some(77))
    );
    let Event::MessageCreated(found) = &event.event else { panic!("{event:?}") };
    let message = &found.message;
    assert_eq!((message.id, message.message_type), (9001, Some(MessageType::Incoming)));
    assert_eq!(message.created_at, Some(Timestamp(1_787_048_130_123)));
    assert_eq!((message.conversation_id, message.source_id.as_deref()), (Some(123), Some("wamid.HBgM1")));
    assert!(message.sender.as_ref().expect("a sender").is_contact(), "a contact has no type");
    let conversation = found.conversation.as_ref().expect("a conversation");
    assert_eq!(conversation.updated_at, Some(Timestamp(1_787_048_130_457)));
    assert_eq!(conversation.messages[0].message_type, Some(MessageType::Incoming), "a number there");
    assert!(!event.raw.to_string().contains("REDACT"), "the pubsub token is gone");

    let event = fixture("message_updated");
    let Event::MessageUpdated(found) = &event.event else { panic!("{event:?}") };
    assert_eq!((found.message.in_reply_to(), found.message.status.clone()), (Some(9001), None));
    assert_eq!(found.message.attachments[0].file_size, Some(20_480));
    assert!(!found.message.sender.as_ref().expect("a sender").is_contact());
}

#[test]
fn conversations_contacts_and_typing_are_read() {
    for (name, id) in [("conversation_created", 124), ("conversation_updated", 123)] {
        assert_eq!(fixture(name).conversation_id(), Some(id), "{name}");
    }
    let event = fixture("conversation_updated");
    assert_eq!((event.changes[0].field.as_str(), &event.changes[0].current), ("priority", &json!("high")));
    let event = fixture("conversation_status_changed");
    let Event::ConversationStatusChanged(found) = event.event else { panic!("{event:?}") };
    assert_eq!(found.status, Some(ConversationStatus::Resolved));
    let event = fixture("contact_updated");
    assert_eq!((event.contact_id(), event.changes.len()), (Some(77), 2));
    let Event::ContactCreated(contact) = fixture("contact_created").event else { panic!("none") };
    assert_eq!((contact.identifier.as_deref(), contact.extra.is_empty()), (Some("crm-42"), false));
    let Event::TypingOn(typing) = fixture("conversation_typing_on").event else { panic!("none") };
    assert_eq!(typing.user.as_ref().map(|user| user.is_contact()), Some(false));
    let Event::TypingOff(typing) = fixture("conversation_typing_off").event else { panic!("none") };
    assert!(typing.user.as_ref().is_some_and(|user| user.is_contact()));
}

#[test]
fn the_guides_nested_shape_is_the_same_message() {
    let flat = json!({"event": "message_created", "id": "7", "content": "Hi", "message_type": "incoming",
        "created_at": "2026-08-18T10:15:30.123Z", "conversation": {"id": 3}});
    let nested = json!({"event": "message_created", "conversation": {"id": 3}, "message": {"id": 7, "content": "Hi",
        "message_type": 0, "created_at": 1_787_048_130.123, "sender": {"id": 1, "name": "Ana"}}});
    let read =
        |body: serde_json::Value| match event::parse(body.to_string().as_bytes()).expect("an event").event {
            Event::MessageCreated(found) => found.message,
            other => panic!("{other:?}"),
        };
    let (flat, nested) = (read(flat), read(nested));
    assert_eq!(
        (flat.id, flat.message_type, flat.created_at),
        (nested.id, nested.message_type, nested.created_at)
    );
    assert_eq!((flat.conversation_id, nested.conversation_id), (Some(3), Some(3)));
    assert_eq!(nested.sender.expect("a sender").name, "Ana");
}

#[test]
fn a_channels_row_and_its_tokens_are_not_handed_on() {
    let body = json!({"event": "inbox_updated", "channel": {"id": 31, "provider_config": {"api_key": "k"},
        "page_access_token": "p", "imap_address": "x"}, "account": {"id": 1}});
    let event = event::parse(body.to_string().as_bytes()).expect("an event");
    assert_eq!((event.event, event.raw["channel"].clone()), (Event::Other, json!({"id": 31})));
}

#[test]
fn what_is_no_event_is_refused_and_one_of_tomorrow_is_not() {
    let parse = |body: &str| event::parse(body.as_bytes());
    for body in ["", "7", "[]", "{\"event\":", "null"] {
        assert_eq!(parse(body), Err(EventError::NotAnObject), "{body}");
    }
    assert_eq!(parse("{}"), Err(EventError::NoEvent));
    assert_eq!(parse(r#"{"event":"message_created"}"#), Err(EventError::Incomplete("message_created")));
    assert_eq!(parse(r#"{"event":"moon_phase","id":1}"#).expect("an event").event, Event::Other);
}

proptest! {
    #[test]
    fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(event::parse(&body));
    }

    #[test]
    fn no_strange_part_costs_the_event(part in "[a-z0-9{}\\[\\]\":,.-]{0,20}") {
        let value: serde_json::Value = serde_json::from_str(&part).unwrap_or(json!(part));
        let body = json!({"event": "conversation_updated", "id": 1, "meta": value, "messages": value,
            "labels": value, "created_at": value, "status": "open", "custom_attributes": value});
        prop_assert!(event::parse(body.to_string().as_bytes()).is_ok());
    }
}
