//! A customer's action as Green API tells it.

use serde_json::{Value, json};

use super::action::{ContactCard, CustomerAction};
use super::{Draft, Drafted, PhoneError};
use crate::chat::Author;
use crate::green::{events, quoted};
use crate::phone_number::digits;

/// The chat line and the notification of an action.
///
/// Errors: [`PhoneError::NotOnChannel`] for kinds that it does not have.
pub(super) fn draft(draft: &Draft<'_>, action: &CustomerAction) -> Result<Drafted, PhoneError> {
    let mut data = content(draft, action)?;
    if let Some(id) = draft.reply_to {
        answer(draft, &mut data, id);
    }
    let (label, text) = line(action);
    let entry = label.map(|label| draft.line(label, text.as_deref(), data.clone()));
    let event = events::incoming(draft.sandbox, draft.inbox, draft.customer, draft.message_id, &data);
    Ok(Drafted { entry, event: Some(event) })
}

fn content(draft: &Draft<'_>, action: &CustomerAction) -> Result<Value, PhoneError> {
    let part = |kind: &str, name: &str, part: Value| {
        let mut data = json!({ "typeMessage": kind });
        data[name] = part;
        data
    };
    let file = |kind: &str, caption: &Option<String>| {
        let of = |media| events::file_data(draft.sandbox, kind, media, caption.as_deref());
        draft.media.map(of).unwrap_or_default()
    };
    let reaction = |id: &str, emoji: &str| {
        let by_customer = draft.target.is_some_and(|entry| entry.author == Author::Customer);
        json!({
            "typeMessage": "reactionMessage",
            "extendedTextMessageData": {"text": emoji},
            "quotedMessage": {"stanzaId": id, "participant": author(draft, by_customer)},
        })
    };
    Ok(match action {
        CustomerAction::Text { text, forwarded: false } => {
            part("textMessage", "textMessageData", json!({"textMessage": text}))
        }
        CustomerAction::Text { text, .. } => part(
            "extendedTextMessage",
            "extendedTextMessageData",
            json!({"text": text, "description": "", "title": "", "previewType": "None", "jpegThumbnail": "",
                "forwardingScore": 1, "isForwarded": true}),
        ),
        CustomerAction::Image { caption, .. } => file("imageMessage", caption),
        CustomerAction::Video { caption, .. } => file("videoMessage", caption),
        // Audio sent as a file is a document; a voice note is audio.
        CustomerAction::Audio { .. } => file("documentMessage", &None),
        CustomerAction::Voice { .. } => file("audioMessage", &None),
        CustomerAction::Document { caption, .. } => file("documentMessage", caption),
        CustomerAction::Sticker { .. } => file("stickerMessage", &None),
        CustomerAction::Location { latitude, longitude, name, address } => part(
            "locationMessage",
            "locationMessageData",
            json!({"nameLocation": name.clone().unwrap_or_default(), "address": address.clone().unwrap_or_default(),
                "jpegThumbnail": "", "latitude": latitude, "longitude": longitude,
                "forwardingScore": 0, "isForwarded": false}),
        ),
        CustomerAction::Contacts { contacts } => match contacts.as_slice() {
            [one] => part("contactMessage", "contactMessageData", card(one)),
            all => part(
                "contactsArrayMessage",
                "messageData",
                json!({"contacts": all.iter().map(card).collect::<Vec<_>>(), "forwardingScore": 0, "isForwarded": false}),
            ),
        },
        CustomerAction::ButtonReply { message_id, id, title } => part(
            "interactiveButtonsResponse",
            "interactiveButtonsResponse",
            json!({"stanzaId": message_id, "selectedIndex": 0, "selectedId": id, "selectedDisplayText": title}),
        ),
        CustomerAction::TemplateButton { message_id, payload, text } => part(
            "templateButtonsReplyMessage",
            "templateButtonReplyMessage",
            json!({"stanzaId": message_id, "selectedIndex": 0, "selectedId": payload, "selectedDisplayText": text}),
        ),
        CustomerAction::ListReply { message_id, id, title, .. } => part(
            "listResponseMessage",
            "listResponseMessage",
            json!({"stanzaId": message_id, "title": title, "listType": 1, "singleSelectReply": id}),
        ),
        CustomerAction::Reaction { message_id, emoji } => reaction(message_id, emoji),
        CustomerAction::Unreact { message_id } => reaction(message_id, ""),
        CustomerAction::Edit { message_id, text } => {
            part("editedMessage", "editedMessageData", json!({"textMessage": text, "stanzaId": message_id}))
        }
        CustomerAction::Unsend { message_id } => part(
            "deletedMessage",
            "deletedMessageData",
            json!({"stanzaId": message_id, "typeMessage": "text"}),
        ),
        CustomerAction::Unsupported => part("someNewMessage", "someNewMessageData", json!({"new": true})),
        CustomerAction::Raw { content } => Value::Object(content.clone()),
        CustomerAction::FlowReply { .. }
        | CustomerAction::Order { .. }
        | CustomerAction::Postback { .. }
        | CustomerAction::QuickReply { .. }
        | CustomerAction::StoryReply { .. }
        | CustomerAction::StoryMention => {
            return Err(PhoneError::NotOnChannel { channel: draft.inbox.channel });
        }
    })
}

/// The kind of chat line, none for what changes another one, and its text.
fn line(action: &CustomerAction) -> (Option<&'static str>, Option<String>) {
    match action {
        CustomerAction::Text { text, .. } => (Some("text"), Some(text.clone())),
        CustomerAction::Image { caption, .. } => (Some("image"), caption.clone()),
        CustomerAction::Video { caption, .. } => (Some("video"), caption.clone()),
        CustomerAction::Document { caption, .. } => (Some("document"), caption.clone()),
        CustomerAction::Audio { .. } => (Some("audio"), None),
        CustomerAction::Voice { .. } => (Some("voice"), None),
        CustomerAction::Sticker { .. } => (Some("sticker"), None),
        CustomerAction::Location { name, .. } => (Some("location"), name.clone()),
        CustomerAction::Contacts { contacts } => {
            let names: Vec<&str> = contacts.iter().map(|contact| contact.name.as_str()).collect();
            (Some("contacts"), Some(names.join(", ")))
        }
        CustomerAction::ButtonReply { title, .. } | CustomerAction::ListReply { title, .. } => {
            (Some("interactive"), Some(title.clone()))
        }
        CustomerAction::TemplateButton { text, .. } => (Some("button"), Some(text.clone())),
        CustomerAction::Reaction { .. }
        | CustomerAction::Unreact { .. }
        | CustomerAction::Edit { .. }
        | CustomerAction::Unsend { .. } => (None, None),
        _ => (Some("unsupported"), None),
    }
}

fn answer(draft: &Draft<'_>, data: &mut Value, id: &str) {
    let noted = draft.sandbox.green(&draft.inbox.id, |instance| instance.noted_mut(id).cloned());
    let by_customer = noted.as_ref().is_some_and(|noted| noted["type"] == "incoming");
    let participant = author(draft, by_customer);
    if data["typeMessage"] == "textMessage" {
        let text = data["textMessageData"]["textMessage"].clone();
        *data = json!({
            "typeMessage": "quotedMessage",
            "extendedTextMessageData": {"text": text, "stanzaId": id, "participant": participant},
        });
    }
    data["quotedMessage"] = quoted(noted.as_ref(), id, &json!(participant));
}

fn author(draft: &Draft<'_>, by_customer: bool) -> String {
    if by_customer { events::chat_of(draft.customer) } else { events::own_chat(draft.inbox) }
}

fn card(contact: &ContactCard) -> Value {
    let (name, phone) = (&contact.name, digits(&contact.phone));
    json!({
        "displayName": name,
        "vcard": format!("BEGIN:VCARD\nVERSION:3.0\nN:;{name};;;\nFN:{name}\nTEL;type=CELL;waid={phone}:+{phone}\nEND:VCARD"),
        "forwardingScore": 0, "isForwarded": false,
    })
}
