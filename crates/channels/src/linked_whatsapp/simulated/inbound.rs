//! What phones of the sandbox say, in our words. Pure: the same event gives the same.

use frontdesk_model::contact::ContactHint;
use frontdesk_model::content::{ContactCard, Content, Location, MediaKind, MediaRef, Payload};
use frontdesk_model::inbound::{
    DeleteNews, Echo, EditNews, InboundEvent, InboundMessage, ReactionNews, StatusNews, TypingNews,
};
use frontdesk_model::message::{MessageKind, MessageStatus, StatusError};
use frontdesk_model::{RemoteId, Timestamp};
use serde_json::Value;

use crate::contract::SessionEvent;
use crate::linked_whatsapp::address;

/// Reads an event; `now` stands in for a time that is missing.
pub(super) fn read(event: &Value, now: Timestamp) -> SessionEvent {
    let at = event["at_ms"].as_i64().map_or(now, Timestamp::from_millis);
    let target = || text(event, "target").map(RemoteId);
    let told = match event["kind"].as_str().unwrap_or_default() {
        "message" => match message(event, at) {
            Some(message) => InboundEvent::Message(Box::new(message)),
            None => unreadable("message"),
        },
        "receipt" => {
            return SessionEvent::Inbound(receipts(event, at));
        }
        "typing" => {
            InboundEvent::Typing(TypingNews { contact: person(event), is_typing: event["state"] != "paused" })
        }
        "edit" => match target() {
            Some(target) => InboundEvent::Edit(EditNews {
                target,
                text: text(event, "text"),
                version: event["version"].as_i64().unwrap_or_default(),
                at,
            }),
            None => unreadable("edit"),
        },
        "revoke" => match target() {
            Some(target) => InboundEvent::Delete(DeleteNews { target, at }),
            None => unreadable("revoke"),
        },
        "reaction" => match target() {
            Some(target) => InboundEvent::Reaction(ReactionNews {
                target,
                contact: person(event),
                by_us: event["from_me"].as_bool().unwrap_or_default(),
                emoji: text(event, "emoji"),
                at,
            }),
            None => unreadable("reaction"),
        },
        "mapping" => {
            let phone = text(event, "phone").and_then(|phone| address::identities(Some(&phone), None).pop());
            match (text(event, "lid"), phone) {
                (Some(lid), Some(phone)) => return SessionEvent::Mapping { lid, phone: phone.value },
                _ => unreadable("mapping"),
            }
        }
        other => InboundEvent::Ignored { what: other.chars().take(60).collect() },
    };
    SessionEvent::Inbound(vec![told])
}

fn unreadable(what: &str) -> InboundEvent {
    InboundEvent::Unreadable { what: what.to_owned() }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Whom an event is about.
fn person(event: &Value) -> ContactHint {
    let chat = text(event, "chat").unwrap_or_default();
    let by_chat = address::phone_of(&chat).map(str::to_owned);
    let lid =
        text(event, "lid").or_else(|| (chat.ends_with("@lid") || address::is_group(&chat)).then_some(chat));
    let phone = text(event, "phone").or(by_chat);
    ContactHint {
        identities: address::identities(phone.as_deref(), lid.as_deref()),
        name: text(event, "name"),
    }
}

fn message(event: &Value, at: Timestamp) -> Option<InboundMessage> {
    let (id, chat) = (text(event, "id")?, text(event, "chat")?);
    let echo = event["from_me"]
        .as_bool()
        .unwrap_or_default()
        .then(|| Echo { client_ref: text(event, "reference"), via: Some("WhatsApp".to_owned()) });
    Some(InboundMessage {
        remote_id: RemoteId(id),
        contact: person(event),
        author: text(event, "author"),
        thread: chat,
        echo,
        sent_at: at,
        content: content(&event["content"]),
        reply_to: text(event, "reply_to").map(RemoteId),
        forwarded: event["forwarded"].as_bool().unwrap_or_default(),
    })
}

fn content(content: &Value) -> Content {
    let kind = content["type"].as_str().unwrap_or_default();
    if let Some(media) = MediaKind::parse(kind) {
        return Content {
            kind: media.message_kind(),
            text: text(content, "caption"),
            payload: Payload::default(),
            media: vec![MediaRef {
                kind: media,
                remote_id: text(content, "media_id"),
                url: None,
                mime_type: text(content, "mime_type"),
                file_name: text(content, "file_name"),
                sha256: text(content, "sha256"),
            }],
        };
    }
    match kind {
        "text" => Content::text(text(content, "text").unwrap_or_default()),
        "location" => match serde_json::from_value::<Location>(content["location"].clone()) {
            Ok(place) => {
                let words = place.name.clone().or_else(|| place.address.clone());
                let payload = Payload { location: Some(place), ..Payload::default() };
                Content::of(MessageKind::Location, words, payload)
            }
            Err(error) => Content::unsupported(kind, Some(error.to_string())),
        },
        "contacts" => match serde_json::from_value::<Vec<ContactCard>>(content["contacts"].clone()) {
            Ok(contacts) => {
                let names: Vec<&str> = contacts.iter().map(|card| card.name.as_str()).collect();
                let words = Some(names.join(", ")).filter(|words| !words.is_empty());
                Content::of(MessageKind::Contacts, words, Payload { contacts, ..Payload::default() })
            }
            Err(error) => Content::unsupported(kind, Some(error.to_string())),
        },
        other => Content::unsupported(if other.is_empty() { "unknown" } else { other }, None),
    }
}

/// One receipt may be about many messages.
fn receipts(event: &Value, at: Timestamp) -> Vec<InboundEvent> {
    let Some(status) = event["status"].as_str().and_then(MessageStatus::parse) else {
        return vec![unreadable("receipt")];
    };
    let error = event["error"].as_object().map(|error| StatusError {
        code: error.get("code").and_then(Value::as_str).unwrap_or("FAILED").to_owned(),
        message: error
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or("WhatsApp did not deliver it.")
            .to_owned(),
        action: None,
    });
    let ids = event["ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
    ids.map(|id| {
        InboundEvent::Status(StatusNews {
            remote_id: RemoteId(id.to_owned()),
            client_ref: text(event, "reference"),
            status,
            at,
            error: error.clone(),
            recipient: person(event).identities,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn events(event: Value) -> Vec<InboundEvent> {
        match read(&event, Timestamp::from_secs(7)) {
            SessionEvent::Inbound(events) => events,
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_message_names_its_sender_by_number_and_id() {
        let told = events(json!({
            "kind": "message", "id": "3EB0A1", "chat": "98765@lid", "phone": "6281390045512", "lid": "98765@lid",
            "name": "Ayu", "at_ms": 5_000, "content": { "type": "text", "text": "Halo" },
        }));
        let [InboundEvent::Message(message)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(message.contact.identities, address::identities(Some("6281390045512"), Some("98765@lid")));
        assert_eq!((message.sent_at, message.echo.as_ref()), (Timestamp::from_secs(5), None));
        assert_eq!(message.content.text.as_deref(), Some("Halo"));
    }

    #[test]
    fn a_receipt_tells_of_each_message_it_names() {
        let told = events(json!({
            "kind": "receipt", "chat": "6281390045512@s.whatsapp.net", "status": "read", "ids": ["A", "B"],
        }));
        assert_eq!(told.len(), 2);
        assert!(
            matches!(&told[1], InboundEvent::Status(s) if s.status == MessageStatus::Read && s.remote_id.as_str() == "B")
        );
    }

    #[test]
    fn what_is_not_known_is_named_and_nothing_panics() {
        let strange = [
            json!({}),
            json!(null),
            json!([1]),
            json!({ "kind": "message" }),
            json!({ "kind": "poll" }),
            json!({ "kind": "receipt", "status": 7 }),
            json!({ "kind": "message", "id": "x", "chat": "y", "content": { "type": "poll" } }),
        ];
        for event in strange {
            assert_eq!(events(event.clone()).len(), 1, "{event}");
        }
    }
}
