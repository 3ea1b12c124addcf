//! Webhook bodies as Meta writes them, one event each; [`merged`] makes batches.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::meta::BUSINESS;

/// A customer on WhatsApp.
#[derive(Debug, Clone, Copy, Default)]
pub struct Person<'a> {
    /// The digits of the phone, when known.
    pub phone: Option<&'a str>,
    /// The business-scoped id, when known.
    pub user_id: Option<&'a str>,
    /// The profile name, when told.
    pub name: Option<&'a str>,
}

impl<'a> Person<'a> {
    /// Someone with a phone and a name.
    pub fn named(phone: &'a str, name: &'a str) -> Self {
        Self { phone: Some(phone), name: Some(name), ..Self::default() }
    }
}

/// A body as bytes.
pub fn bytes(body: &Value) -> Bytes {
    body.to_string().into()
}

/// One WhatsApp value of the field `messages` under a number; `value` is without `metadata`.
pub fn whatsapp(number: &str, mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({ "display_phone_number": "6281211002200", "phone_number_id": number });
    change("messages", &value)
}

/// A change of any field of the business account.
pub fn change(field: &str, value: &Value) -> Value {
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": BUSINESS, "changes": [{ "field": field, "value": value }] }],
    })
}

/// A WhatsApp message; `message` is without sender, id and time.
pub fn message(number: &str, from: Person<'_>, id: &str, at_secs: i64, mut message: Value) -> Value {
    message["id"] = json!(id);
    message["timestamp"] = json!(at_secs.to_string());
    if let Some(phone) = from.phone {
        message["from"] = json!(phone);
    }
    if let Some(user_id) = from.user_id {
        message["from_user_id"] = json!(user_id);
    }
    let mut contact = json!({ "wa_id": from.phone, "user_id": from.user_id });
    if let Some(name) = from.name {
        contact["profile"] = json!({ "name": name });
    }
    if let Some(fields) = contact.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    whatsapp(number, json!({ "contacts": [contact], "messages": [message] }))
}

/// A WhatsApp text.
pub fn text(number: &str, from: Person<'_>, id: &str, at_secs: i64, text: &str) -> Value {
    message(number, from, id, at_secs, json!({ "type": "text", "text": { "body": text } }))
}

/// A text the business wrote on its phone.
pub fn echo(number: &str, to: &str, id: &str, at_secs: i64, text: &str) -> Value {
    let message = json!({
        "from": "6281211002200", "to": to, "id": id, "timestamp": at_secs.to_string(),
        "type": "text", "text": { "body": text },
    });
    let mut value = json!({ "message_echoes": [message] });
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({ "display_phone_number": "6281211002200", "phone_number_id": number });
    change("smb_message_echoes", &value)
}

/// News about a WhatsApp message of ours. `client_ref` is what we gave along with it.
pub fn status(
    number: &str,
    to: Person<'_>,
    id: &str,
    at_secs: i64,
    status: &str,
    client_ref: Option<&str>,
) -> Value {
    let mut news = json!({ "id": id, "status": status, "timestamp": at_secs.to_string() });
    if let Some(phone) = to.phone {
        news["recipient_id"] = json!(phone);
    }
    if let Some(user_id) = to.user_id {
        news["recipient_user_id"] = json!(user_id);
    }
    if let Some(client_ref) = client_ref {
        news["biz_opaque_callback_data"] = json!(client_ref);
    }
    if status == "failed" {
        news["errors"] = json!([{ "code": 131_026, "title": "Message undeliverable" }]);
    }
    whatsapp(number, json!({ "statuses": [news] }))
}

/// A Messenger or Instagram event; `event` is without sender and recipient.
pub fn messaging(object: &str, account: &str, from: &str, to: &str, mut event: Value) -> Value {
    event["sender"] = json!({ "id": from });
    event["recipient"] = json!({ "id": to });
    json!({ "object": object, "entry": [{ "id": account, "time": 1_793_260_800_000_i64, "messaging": [event] }] })
}

/// A Messenger text.
pub fn page_text(page: &str, from: &str, mid: &str, at_ms: i64, text: &str) -> Value {
    let event = json!({ "timestamp": at_ms, "message": { "mid": mid, "text": text } });
    messaging("page", page, from, page, event)
}

/// Several bodies of one object as one.
pub fn merged(bodies: &[Value]) -> Value {
    let entries: Vec<Value> =
        bodies.iter().flat_map(|b| b["entry"].as_array().cloned().unwrap_or_default()).collect();
    json!({ "object": bodies.first().map(|b| b["object"].clone()), "entry": entries })
}
