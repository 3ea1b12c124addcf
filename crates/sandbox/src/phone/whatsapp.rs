//! A customer's action as WhatsApp tells it.

use serde_json::{Value, json};

use super::action::{ContactCard, CustomerAction, FileSource};
use super::{Draft, Drafted, PhoneError};
use crate::customer::Customer;
use crate::graph::whatsapp::events;
use crate::phone_number::digits;

/// The chat line and the webhook of an action.
///
/// Errors: [`PhoneError::NotOnChannel`] for kinds that WhatsApp does not have.
pub(super) fn draft(draft: &Draft<'_>, action: &CustomerAction) -> Result<Drafted, PhoneError> {
    let mut message = content(draft, action)?;
    let answered = match action {
        CustomerAction::ButtonReply { message_id, .. }
        | CustomerAction::ListReply { message_id, .. }
        | CustomerAction::FlowReply { message_id, .. }
        | CustomerAction::TemplateButton { message_id, .. } => Some(message_id.as_str()),
        _ => draft.reply_to,
    };
    if let Some(id) = answered {
        let by_customer = draft
            .sandbox
            .world()
            .find_chat(&draft.customer.id, &draft.inbox.id)
            .and_then(|chat| chat.find(id).map(|entry| entry.author == crate::chat::Author::Customer));
        let from = if by_customer == Some(true) { draft.customer.phone.as_deref() } else { None };
        message["context"] = json!({"from": from.unwrap_or(draft.inbox.own_number()), "id": id});
    }
    if let CustomerAction::Text { forwarded: true, .. } = action {
        message["context"] = json!({"forwarded": true});
    }
    let kind = message["type"].as_str().unwrap_or_default().to_owned();
    let shown = matches!(kind.as_str(), "reaction" | "edit" | "revoke");
    let text = text_of(action);
    let entry = (!shown).then(|| {
        let label = if matches!(action, CustomerAction::Voice { .. }) { "voice" } else { &kind };
        draft.line(label, text.as_deref(), message.get(&kind).cloned().unwrap_or_default())
    });
    let event = events::message(draft.sandbox, draft.inbox, draft.customer, draft.message_id, message, true);
    Ok(Drafted { entry, event: Some(event) })
}

/// `system` message of a number change.
pub(super) fn number_change(before: &Customer, after: &Customer) -> Value {
    let (old, new) = (before.whatsapp_address(), after.whatsapp_address());
    json!({
        "type": "system",
        "system": {
            "type": "user_changed_number",
            "body": format!("User {} changed from {old} to {new}", after.name),
            "wa_id": new,
            "user_id": after.bsuid,
            "previous_user_id": before.bsuid,
        },
    })
}

fn content(draft: &Draft<'_>, action: &CustomerAction) -> Result<Value, PhoneError> {
    let typed = |kind: &str, content: Value| {
        let mut message = json!({ "type": kind });
        message[kind] = content;
        message
    };
    let interactive = |kind: &str, content: Value| {
        let mut reply = json!({ "type": kind });
        reply[kind] = content;
        typed("interactive", reply)
    };
    Ok(match action {
        CustomerAction::Text { text, .. } => typed("text", json!({"body": text})),
        CustomerAction::Image { caption, .. } => typed("image", file(draft, caption.as_deref())),
        CustomerAction::Video { caption, .. } => typed("video", file(draft, caption.as_deref())),
        CustomerAction::Audio { .. } => typed("audio", with(file(draft, None), "voice", json!(false))),
        CustomerAction::Voice { .. } => typed("audio", with(file(draft, None), "voice", json!(true))),
        CustomerAction::Document { caption, .. } => {
            let name = draft.media.and_then(|media| media.file_name.clone());
            typed("document", with(file(draft, caption.as_deref()), "filename", json!(name)))
        }
        CustomerAction::Sticker { file: FileSource { sample, .. } } => {
            typed("sticker", with(file(draft, None), "animated", json!(sample.contains("animated"))))
        }
        CustomerAction::Location { latitude, longitude, name, address } => {
            let mut place = json!({"latitude": latitude, "longitude": longitude});
            for (key, value) in [("name", name), ("address", address)] {
                if let Some(value) = value {
                    place[key] = json!(value);
                }
            }
            typed("location", place)
        }
        CustomerAction::Contacts { contacts } => typed("contacts", contacts.iter().map(card).collect()),
        CustomerAction::ButtonReply { id, title, .. } => {
            interactive("button_reply", json!({"id": id, "title": title}))
        }
        CustomerAction::ListReply { id, title, description, .. } => {
            let mut row = json!({"id": id, "title": title});
            if let Some(description) = description {
                row["description"] = json!(description);
            }
            interactive("list_reply", row)
        }
        CustomerAction::FlowReply { response, .. } => {
            let json_text = Value::Object(response.clone()).to_string();
            interactive("nfm_reply", json!({"name": "flow", "body": "Sent", "response_json": json_text}))
        }
        CustomerAction::TemplateButton { payload, text, .. } => {
            typed("button", json!({"payload": payload, "text": text}))
        }
        CustomerAction::Order { text, product_retailer_id, quantity, item_price, currency } => typed(
            "order",
            json!({"catalog_id": "194836987003835", "text": text.as_deref().unwrap_or_default(), "product_items": [{
                "product_retailer_id": product_retailer_id, "quantity": quantity,
                "item_price": item_price, "currency": currency,
            }]}),
        ),
        CustomerAction::Reaction { message_id, emoji } => {
            typed("reaction", json!({"message_id": message_id, "emoji": emoji}))
        }
        CustomerAction::Unreact { message_id } => {
            typed("reaction", json!({"message_id": message_id, "emoji": ""}))
        }
        CustomerAction::Edit { message_id, text } => typed(
            "edit",
            json!({"original_message_id": message_id, "message": {"type": "text", "text": {"body": text}}}),
        ),
        CustomerAction::Unsend { message_id } => typed("revoke", json!({"original_message_id": message_id})),
        CustomerAction::Unsupported => json!({
            "type": "unsupported",
            "errors": [{
                "code": 131_051, "title": "Message type unknown", "message": "Message type unknown",
                "error_data": {"details": "Message type is currently not supported."},
            }],
            "unsupported": {"type": "poll_creation"},
        }),
        CustomerAction::Raw { content } => Value::Object(content.clone()),
        CustomerAction::Postback { .. }
        | CustomerAction::QuickReply { .. }
        | CustomerAction::StoryReply { .. }
        | CustomerAction::StoryMention => {
            return Err(PhoneError::NotOnChannel { channel: draft.inbox.channel });
        }
    })
}

fn text_of(action: &CustomerAction) -> Option<String> {
    match action {
        CustomerAction::Text { text, .. } | CustomerAction::TemplateButton { text, .. } => Some(text.clone()),
        CustomerAction::Image { caption, .. }
        | CustomerAction::Video { caption, .. }
        | CustomerAction::Document { caption, .. } => caption.clone(),
        CustomerAction::Location { name, .. } => name.clone(),
        CustomerAction::Contacts { contacts } => {
            Some(contacts.iter().map(|contact| contact.name.as_str()).collect::<Vec<_>>().join(", "))
        }
        CustomerAction::ButtonReply { title, .. } | CustomerAction::ListReply { title, .. } => {
            Some(title.clone())
        }
        _ => None,
    }
}

fn file(draft: &Draft<'_>, caption: Option<&str>) -> Value {
    let mut object = draft.media.map(events::media_object).unwrap_or_default();
    if let Some(caption) = caption {
        object["caption"] = json!(caption);
    }
    object
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}

fn card(contact: &ContactCard) -> Value {
    let (first, last) = contact.name.split_once(' ').unwrap_or((&contact.name, ""));
    json!({
        "name": {"formatted_name": contact.name, "first_name": first, "last_name": last},
        "phones": [{"phone": contact.phone, "wa_id": digits(&contact.phone), "type": "CELL"}],
    })
}
