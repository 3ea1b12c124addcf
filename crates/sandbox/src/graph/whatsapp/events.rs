//! WhatsApp webhook contents: `changes[].value`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::error::GraphError;
use crate::channel::Channel;
use crate::chat::Progress;
use crate::clock::SECOND_MS;
use crate::customer::Customer;
use crate::inbox::Inbox;
use crate::media::StoredMedia;
use crate::sandbox::Sandbox;
use crate::webhooks::{Event, EventClass};

/// A customer's message. `message` holds `type` and content; sender, id and time are added here.
/// `with_contact` is false for system messages.
pub(crate) fn message(
    sandbox: &Sandbox,
    inbox: &Inbox,
    customer: &Customer,
    message_id: &str,
    mut message: Value,
    with_contact: bool,
) -> Event {
    message["id"] = json!(message_id);
    message["timestamp"] = json!((sandbox.clock().now() / SECOND_MS).to_string());
    if let Some(phone) = &customer.phone {
        message["from"] = json!(phone);
    }
    if with_contact {
        message["from_user_id"] = json!(customer.bsuid);
    }
    let mut value = frame(inbox);
    if with_contact {
        value["contacts"] = json!([contact(customer)]);
    }
    value["messages"] = json!([message]);
    event(inbox, customer, EventClass::Message, message_id, value)
}

/// How far a message came. `None` when customer or message are gone.
pub(in crate::graph) fn status(
    sandbox: &Sandbox,
    inbox: &Inbox,
    customer_id: &str,
    message_id: &str,
    progress: Progress,
    error: Option<&GraphError>,
) -> Option<Event> {
    let name = match progress {
        Progress::Accepted => return None,
        Progress::Sent => "sent",
        Progress::Failed => "failed",
        Progress::Delivered => "delivered",
        Progress::Read => "read",
    };
    let world = sandbox.world();
    let customer = world.customers.get(customer_id)?;
    let entry = world.find_chat(customer_id, &inbox.id)?.find(message_id)?;
    let mut status = json!({
        "id": message_id,
        "status": name,
        "timestamp": (sandbox.clock().now() / SECOND_MS).to_string(),
        "recipient_user_id": customer.bsuid,
    });
    if let Some(phone) = &customer.phone {
        status["recipient_id"] = json!(phone);
    }
    if matches!(progress, Progress::Sent | Progress::Delivered) {
        let template = entry.kind == "template";
        status["pricing"] = json!({
            "billable": template,
            "pricing_model": "PMP",
            "type": if template { "regular" } else { "free_customer_service" },
            "category": if template { "utility" } else { "service" },
        });
    }
    if let Some(error) = error {
        status["errors"] = json!([error.status_item()]);
    }
    if let Some(reference) = &entry.reference {
        status["biz_opaque_callback_data"] = json!(reference);
    }
    let mut value = frame(inbox);
    value["contacts"] = json!([contact(customer)]);
    value["statuses"] = json!([status]);
    Some(event(inbox, customer, EventClass::Status, message_id, value))
}

/// The object of a received file: id, MIME type and base64 SHA-256.
pub(crate) fn media_object(media: &StoredMedia) -> Value {
    json!({"id": media.id, "mime_type": media.mime_type, "sha256": STANDARD.encode(media.sha256())})
}

fn frame(inbox: &Inbox) -> Value {
    json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": inbox.own_number(), "phone_number_id": inbox.account_id},
    })
}

fn contact(customer: &Customer) -> Value {
    let mut contact = json!({"profile": {"name": customer.name}, "user_id": customer.bsuid});
    if let Some(phone) = &customer.phone {
        contact["wa_id"] = json!(phone);
    }
    if let Some(username) = &customer.username {
        contact["profile"]["username"] = json!(username);
    }
    contact
}

fn event(inbox: &Inbox, customer: &Customer, class: EventClass, message_id: &str, content: Value) -> Event {
    Event {
        inbox_id: inbox.id.clone(),
        customer_id: customer.id.clone(),
        channel: Channel::WhatsappCloud,
        entry_id: inbox.entry_id().to_owned(),
        class,
        message_ids: vec![message_id.to_owned()],
        content,
    }
}
