//! A message of Chatwoot in our words. Pure: the same message gives the same events.

use frontdesk_chatwoot_client::{Message, MessageStatus as TheirStatus, MessageType};
use frontdesk_model::Timestamp;
use frontdesk_model::contact::{ContactHint, Identity};
use frontdesk_model::inbound::{DeleteNews, Echo, InboundEvent, InboundMessage, StatusNews};
use frontdesk_model::message::{MessageStatus, StatusError};

use super::{content, names};

/// Whoever wrote it has no name there.
const NAMELESS: &str = "Chatwoot";

/// What a message of a conversation says: the message itself, and what became of it.
///
/// Nothing for private notes and for what Chatwoot notes itself ("Rui resolved the conversation"): here everything in a
/// thread is between the customer and us, so notes stay where they were written.
///
/// Units: times are milliseconds on both sides.
/// Source: `app/views/api/v1/models/_message.json.jbuilder` of Chatwoot 4.16, read 2026.
pub fn events(message: &Message, conversation: i64, contact: &Identity) -> Vec<InboundEvent> {
    let is_ours = match message.message_type {
        Some(MessageType::Incoming) => false,
        Some(MessageType::Outgoing | MessageType::Template) => true,
        Some(MessageType::Activity) | None => return Vec::new(),
    };
    if message.private {
        return Vec::new();
    }
    let remote_id = names::message(message.id);
    let at = message.created_at.map_or(Timestamp::default(), |at| Timestamp::from_millis(at.0));
    let mut events = vec![InboundEvent::Message(Box::new(InboundMessage {
        remote_id: remote_id.clone(),
        thread: names::thread(conversation),
        contact: ContactHint { identities: vec![contact.clone()], name: None },
        author: None,
        echo: is_ours.then(|| echo(message)),
        sent_at: at,
        content: content::read(message),
        reply_to: message.in_reply_to().map(names::message),
        forwarded: false,
    }))];
    if message.is_deleted() {
        // A tombstone stays here, as it does there.
        events.push(InboundEvent::Delete(DeleteNews { target: remote_id, at }));
    } else if is_ours && let Some(status) = status(message) {
        events.push(InboundEvent::Status(StatusNews {
            remote_id,
            client_ref: None,
            error: (status == MessageStatus::Failed).then(|| why(message)),
            status,
            at,
            recipient: Vec::new(),
        }));
    }
    events
}

fn echo(message: &Message) -> Echo {
    let reference = message.content_attributes.get(names::REFERENCE).and_then(|value| value.as_str());
    let name = message.sender.as_ref().map(|sender| sender.name.trim()).filter(|name| !name.is_empty());
    Echo { client_ref: reference.map(str::to_owned), via: Some(name.unwrap_or(NAMELESS).to_owned()) }
}

/// How far it came, beyond having been written.
fn status(message: &Message) -> Option<MessageStatus> {
    match message.status.as_ref()? {
        TheirStatus::Delivered => Some(MessageStatus::Delivered),
        TheirStatus::Read => Some(MessageStatus::Read),
        TheirStatus::Failed => Some(MessageStatus::Failed),
        _ => None,
    }
}

fn why(message: &Message) -> StatusError {
    let said = message.external_error().unwrap_or("Chatwoot could not send it.");
    StatusError { code: "CHATWOOT_FAILED".to_owned(), message: said.to_owned(), action: None }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(message: Value) -> Vec<InboundEvent> {
        events(&serde_json::from_value(message).unwrap(), 7, &names::identity("77"))
    }

    #[test]
    fn what_the_customer_wrote_is_theirs_and_what_an_agent_wrote_is_ours() {
        let theirs =
            read(json!({ "id": 1, "message_type": 0, "content": "Hello", "created_at": 1_787_048_130 }));
        let [InboundEvent::Message(theirs)] = theirs.as_slice() else { panic!("{theirs:?}") };
        assert_eq!((theirs.remote_id.as_str(), theirs.thread.as_str()), ("1", "chatwoot-conversation-7"));
        assert_eq!((theirs.sent_at.as_millis(), theirs.echo.is_none()), (1_787_048_130_000, true));
        let ours = read(json!({ "id": 2, "message_type": "outgoing", "content": "Hi", "status": "failed",
            "sender": { "id": 8, "name": "Rui", "type": "user" },
            "content_attributes": { "in_reply_to": 1, "external_error": "131047: too late", "frontdesk_ref": "r-1" } }));
        let [InboundEvent::Message(ours), InboundEvent::Status(status)] = ours.as_slice() else {
            panic!("{ours:?}")
        };
        let echo = ours.echo.as_ref().unwrap();
        assert_eq!((echo.via.as_deref(), echo.client_ref.as_deref()), (Some("Rui"), Some("r-1")));
        assert_eq!(ours.reply_to, Some(names::message(1)));
        assert_eq!(status.error.as_ref().unwrap().message, "131047: too late");
    }

    #[test]
    fn notes_activity_and_kinds_of_tomorrow_are_not_taken_over() {
        for left in [
            json!({ "id": 1, "message_type": 1, "private": true, "content": "careful" }),
            json!({ "id": 1, "message_type": 2, "content": "Rui resolved the conversation" }),
            json!({ "id": 1, "message_type": 9, "content": "?" }),
        ] {
            assert!(read(left.clone()).is_empty(), "{left}");
        }
    }

    #[test]
    fn what_was_taken_back_leaves_a_tombstone() {
        let events = read(json!({ "id": 1, "message_type": 0, "content": "This message was deleted",
            "content_attributes": { "deleted": true } }));
        assert!(
            matches!(events.as_slice(), [InboundEvent::Message(_), InboundEvent::Delete(_)]),
            "{events:?}"
        );
    }
}
