//! What Green API tells: the bodies of notifications, and the flat form of the journals.

use serde_json::{Value, json};

use crate::clock::{SECOND_MS, TimeMs};
use crate::customer::Customer;
use crate::inbox::Inbox;
use crate::media::StoredMedia;
use crate::sandbox::Sandbox;
use crate::webhooks::{Event, EventClass};

/// The instance's own chat id.
pub(crate) fn own_chat(inbox: &Inbox) -> String {
    format!("{}@c.us", own_phone(inbox))
}

/// The instance's own number.
pub(crate) fn own_phone(inbox: &Inbox) -> &str {
    match inbox.own_number() {
        "" => "15550100001",
        number => number,
    }
}

/// A customer's chat: by number, or without one by WhatsApp's private id.
pub(crate) fn chat_of(customer: &Customer) -> String {
    match &customer.phone {
        Some(phone) => format!("{phone}@c.us"),
        None => private_id(customer),
    }
}

/// WhatsApp's private id of a customer.
pub(crate) fn private_id(customer: &Customer) -> String {
    format!("{}@lid", crate::phone_number::digits(&customer.bsuid))
}

/// The part that every notification begins with.
pub(crate) fn envelope(sandbox: &Sandbox, inbox: &Inbox, kind: &str) -> Value {
    let signed_in =
        sandbox.green(&inbox.id, |instance| instance.state) != super::InstanceState::NotAuthorized;
    let id: u64 = inbox.account_id.parse().unwrap_or_default();
    json!({
        "typeWebhook": kind,
        "instanceData": {
            "idInstance": id,
            "wid": if signed_in { own_chat(inbox) } else { String::new() },
            "typeInstance": "whatsapp",
        },
        "timestamp": sandbox.clock().now() / SECOND_MS,
    })
}

/// A customer wrote.
pub(crate) fn incoming(
    sandbox: &Sandbox,
    inbox: &Inbox,
    customer: &Customer,
    message_id: &str,
    data: &Value,
) -> Event {
    let chat = chat_of(customer);
    let mut body = envelope(sandbox, inbox, "incomingMessageReceived");
    body["idMessage"] = json!(message_id);
    body["senderData"] = json!({
        "chatId": chat, "chatName": customer.name, "sender": chat,
        "senderName": customer.name, "senderContactName": "",
    });
    body["messageData"] = data.clone();
    let mut flat = flattened("incoming", message_id, &chat, sandbox.clock().now(), data);
    flat["senderId"] = json!(chat);
    flat["senderName"] = json!(customer.name);
    flat["senderContactName"] = json!("");
    sandbox.green(&inbox.id, |instance| instance.note(flat));
    event(inbox, &customer.id, EventClass::Message, message_id, body)
}

/// The business wrote: by the API, or on the phone.
pub(crate) fn outgoing(
    sandbox: &Sandbox,
    inbox: &Inbox,
    customer_id: &str,
    chat_id: &str,
    (message_id, by_api): (&str, bool),
    data: &Value,
) -> Event {
    let kind = if by_api { "outgoingAPIMessageReceived" } else { "outgoingMessageReceived" };
    let chat_name = sandbox.world().customers.get(customer_id).map(|customer| customer.name.clone());
    let mut body = envelope(sandbox, inbox, kind);
    body["idMessage"] = json!(message_id);
    body["senderData"] = json!({
        "chatId": chat_id, "chatName": chat_name.unwrap_or_default(), "sender": own_chat(inbox),
        "senderName": inbox.name, "senderContactName": "",
    });
    body["messageData"] = data.clone();
    event(inbox, customer_id, EventClass::Message, message_id, body)
}

/// How far a message came.
pub(crate) fn status(
    sandbox: &Sandbox,
    inbox: &Inbox,
    (chat_id, message_id): (&str, &str),
    status: &str,
    description: Option<&str>,
) -> Event {
    let mut body = envelope(sandbox, inbox, "outgoingMessageStatus");
    body["chatId"] = json!(chat_id);
    body["idMessage"] = json!(message_id);
    body["status"] = json!(status);
    body["sendByApi"] = json!(true);
    if let Some(description) = description {
        body["description"] = json!(description);
    }
    event(inbox, chat_id, EventClass::Status, message_id, body)
}

/// The instance is in another state.
pub(crate) fn state(sandbox: &Sandbox, inbox: &Inbox, state: super::InstanceState) -> Event {
    let mut body = envelope(sandbox, inbox, "stateInstanceChanged");
    body["stateInstance"] = json!(state.name());
    event(inbox, "", EventClass::Message, "", body)
}

/// Any body.
pub(crate) fn event(
    inbox: &Inbox,
    customer_id: &str,
    class: EventClass,
    message_id: &str,
    content: Value,
) -> Event {
    Event {
        inbox_id: inbox.id.clone(),
        customer_id: customer_id.to_owned(),
        channel: inbox.channel,
        entry_id: inbox.account_id.clone(),
        class,
        message_ids: (!message_id.is_empty()).then(|| message_id.to_owned()).into_iter().collect(),
        content,
    }
}

/// `messageData` of a file.
pub(crate) fn file_data(sandbox: &Sandbox, kind: &str, media: &StoredMedia, caption: Option<&str>) -> Value {
    let name = media.file_name.clone().unwrap_or_else(|| media.id.clone());
    let mut file = json!({
        "downloadUrl": super::file_url(sandbox, media), "caption": caption.unwrap_or_default(),
        "fileName": name, "jpegThumbnail": "", "mimeType": media.mime_type,
        "forwardingScore": 0, "isForwarded": false,
    });
    if kind == "stickerMessage" {
        file["isAnimated"] = json!(name.contains("animated"));
    }
    json!({"typeMessage": kind, "fileMessageData": file})
}

/// The form of the journals: parts of `messageData` lie flat beside ids and times.
pub(crate) fn flattened(
    direction: &str,
    message_id: &str,
    chat_id: &str,
    now: TimeMs,
    data: &Value,
) -> Value {
    let mut flat = json!({
        "type": direction, "idMessage": message_id, "timestamp": now / SECOND_MS,
        "typeMessage": data["typeMessage"], "chatId": chat_id,
        "deletedMessageId": "", "editedMessageId": "", "isEdited": false, "isDeleted": false,
    });
    let parts = data.as_object().into_iter().flatten();
    for (name, part) in parts {
        match name.as_str() {
            "textMessageData" => flat["textMessage"] = part["textMessage"].clone(),
            "extendedTextMessageData" if data["typeMessage"] != "reactionMessage" => {
                flat["textMessage"] = part["text"].clone();
                flat["extendedTextMessage"] = part.clone();
            }
            "fileMessageData" => {
                for (name, value) in part.as_object().into_iter().flatten() {
                    flat[name.as_str()] = value.clone();
                }
            }
            "locationMessageData" => flat["location"] = part.clone(),
            "contactMessageData" => flat["contact"] = part.clone(),
            "editedMessageData" => {
                flat["editedMessageId"] = part["stanzaId"].clone();
                flat["textMessage"] = part["textMessage"].clone();
            }
            "deletedMessageData" => flat["deletedMessageId"] = part["stanzaId"].clone(),
            "messageData" => flat["contacts"] = part["contacts"].clone(),
            name => flat[name] = part.clone(),
        }
    }
    flat
}
