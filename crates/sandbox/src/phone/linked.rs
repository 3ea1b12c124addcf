//! A customer's action as a linked phone tells it.

use serde_json::{Value, json};

use super::action::CustomerAction;
use super::{Draft, Drafted, PhoneError};
use crate::linked::events;
use crate::phone_number::digits;
use crate::webhooks::EventClass;

/// The chat line and the event of an action.
///
/// Errors: [`PhoneError::NotOnChannel`] for kinds that it does not have.
pub(super) fn draft(draft: &Draft<'_>, action: &CustomerAction) -> Result<Drafted, PhoneError> {
    let about = |kind: &str| events::about(draft.sandbox, draft.customer, kind);
    let target = |kind: &str, id: &str| {
        let mut event = about(kind);
        event["target"] = json!(id);
        event
    };
    let event = match action {
        CustomerAction::Reaction { message_id, emoji } => {
            let mut event = target("reaction", message_id);
            event["emoji"] = json!(emoji);
            event
        }
        CustomerAction::Unreact { message_id } => target("reaction", message_id),
        CustomerAction::Edit { message_id, text } => {
            let mut event = target("edit", message_id);
            event["text"] = json!(text);
            event["version"] = json!(draft.target.map_or(1, |entry| entry.edits + 1));
            event
        }
        CustomerAction::Unsend { message_id } => target("revoke", message_id),
        action => {
            let mut event = about("message");
            event["id"] = json!(draft.message_id);
            event["reply_to"] = json!(draft.reply_to);
            event["forwarded"] = json!(matches!(action, CustomerAction::Text { forwarded: true, .. }));
            event["content"] = content(draft, action)?;
            event
        }
    };
    let entry = (event["kind"] == "message").then(|| {
        let content = &event["content"];
        let kind = content["type"].as_str().unwrap_or("unsupported");
        let text = content["text"].as_str().or(content["caption"].as_str());
        draft.line(kind, text, content.clone())
    });
    let named = draft.message_id;
    let event = events::event(draft.inbox, &draft.customer.id, EventClass::Message, named, event);
    Ok(Drafted { entry, event: Some(event) })
}

fn content(draft: &Draft<'_>, action: &CustomerAction) -> Result<Value, PhoneError> {
    let file = |kind: &str, caption: &Option<String>| {
        draft.media.map(|media| events::file(kind, media, caption.as_deref())).unwrap_or_default()
    };
    Ok(match action {
        CustomerAction::Text { text, .. } => json!({ "type": "text", "text": text }),
        CustomerAction::Image { caption, .. } => file("image", caption),
        CustomerAction::Video { caption, .. } => file("video", caption),
        CustomerAction::Audio { .. } => file("audio", &None),
        CustomerAction::Voice { .. } => file("voice", &None),
        CustomerAction::Document { caption, .. } => file("document", caption),
        CustomerAction::Sticker { .. } => file("sticker", &None),
        CustomerAction::Location { latitude, longitude, name, address } => json!({
            "type": "location",
            "location": { "latitude": latitude, "longitude": longitude, "name": name, "address": address },
        }),
        CustomerAction::Contacts { contacts } => {
            let card = |card: &super::action::ContactCard| {
                json!({ "name": card.name, "emails": [],
                    "phones": [{ "value": format!("+{}", digits(&card.phone)), "label": "CELL" }] })
            };
            json!({ "type": "contacts", "contacts": contacts.iter().map(card).collect::<Vec<_>>() })
        }
        CustomerAction::Unsupported => json!({ "type": "something_new" }),
        CustomerAction::Raw { content } => Value::Object(content.clone()),
        _ => return Err(PhoneError::NotOnChannel { channel: draft.inbox.channel }),
    })
}
