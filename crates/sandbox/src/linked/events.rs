//! What a phone tells its server.

use serde_json::{Value, json};

use crate::chat::Progress;
use crate::customer::Customer;
use crate::inbox::Inbox;
use crate::media::StoredMedia;
use crate::phone_number::digits;
use crate::sandbox::Sandbox;
use crate::webhooks::{Event, EventClass};

/// WhatsApp's own id of a customer.
pub(crate) fn lid(customer: &Customer) -> String {
    format!("{}@lid", digits(&customer.bsuid))
}

/// A customer's chat: by number, or without one by WhatsApp's own id.
pub(crate) fn chat_of(customer: &Customer) -> String {
    match &customer.phone {
        Some(phone) => format!("{phone}@s.whatsapp.net"),
        None => lid(customer),
    }
}

/// The part that every event about a customer begins with.
pub(crate) fn about(sandbox: &Sandbox, customer: &Customer, kind: &str) -> Value {
    json!({
        "kind": kind, "chat": chat_of(customer), "phone": customer.phone, "lid": lid(customer),
        "name": customer.name, "at_ms": sandbox.clock().now(),
    })
}

/// Wraps an event for the queue of its phone.
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
        message_ids: vec![message_id.to_owned()],
        content,
    }
}

/// Messages of the business came further.
pub(crate) fn receipt(
    sandbox: &Sandbox,
    inbox: &Inbox,
    customer_id: &str,
    message_ids: &[String],
    progress: Progress,
    error_code: Option<i64>,
) {
    let Some(customer) = sandbox.world().customers.get(customer_id).cloned() else { return };
    let status = match progress {
        Progress::Accepted | Progress::Sent => "sent",
        Progress::Failed => "failed",
        Progress::Delivered => "delivered",
        Progress::Read => "read",
    };
    let mut content = about(sandbox, &customer, "receipt");
    content["status"] = json!(status);
    content["ids"] = json!(message_ids);
    if let Some(code) = error_code {
        content["error"] =
            json!({ "code": code.to_string(), "message": "WhatsApp did not deliver the message." });
    }
    let named = message_ids.first().map(String::as_str).unwrap_or_default();
    sandbox.tell(event(inbox, customer_id, EventClass::Status, named, content));
}

/// A customer types, or no longer does.
pub(crate) fn typing(sandbox: &Sandbox, inbox: &Inbox, customer: &Customer, typing: bool) {
    let mut content = about(sandbox, customer, "typing");
    content["state"] = json!(if typing { "composing" } else { "paused" });
    sandbox.tell(event(inbox, &customer.id, EventClass::Message, "", content));
}

/// The number behind an id became known.
pub(crate) fn mapping(sandbox: &Sandbox, inbox: &Inbox, before: &Customer, after: &Customer) {
    let content = json!({ "kind": "mapping", "lid": lid(before), "phone": after.phone });
    sandbox.tell(event(inbox, &after.id, EventClass::Message, "", content));
}

/// The content of a file.
pub(crate) fn file(kind: &str, media: &StoredMedia, caption: Option<&str>) -> Value {
    json!({
        "type": kind, "media_id": media.id, "mime_type": media.mime_type, "file_name": media.file_name,
        "caption": caption, "sha256": hex::encode(media.sha256()),
    })
}
