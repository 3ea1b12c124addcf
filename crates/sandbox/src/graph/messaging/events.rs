//! Messenger and Instagram webhook contents: items of `messaging[]`.

use serde_json::{Value, json};

use crate::channel::Channel;
use crate::chat::Progress;
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;
use crate::webhooks::{Event, EventClass};

/// Something the customer did: `content` holds `message`, `postback`, `reaction`… `None` when the customer is gone.
pub(crate) fn from_customer(
    sandbox: &Sandbox,
    inbox: &Inbox,
    customer_id: &str,
    message_ids: Vec<String>,
    class: EventClass,
    mut content: Value,
) -> Option<Event> {
    let scoped_id = sandbox.world().scoped_id(customer_id, &inbox.id)?;
    content["sender"] = json!({"id": scoped_id});
    content["recipient"] = json!({"id": inbox.account_id});
    content["timestamp"] = json!(sandbox.clock().now());
    Some(event(inbox, customer_id, message_ids, class, content))
}

/// The app's own send, told back.
pub(in crate::graph) fn echo(
    sandbox: &Sandbox,
    inbox: &Inbox,
    customer_id: &str,
    message_id: &str,
) -> Option<Event> {
    let mut world = sandbox.world();
    let scoped_id = world.scoped_id(customer_id, &inbox.id)?;
    let entry = world.find_chat(customer_id, &inbox.id)?.find(message_id)?;
    let mut message = json!({"mid": message_id, "is_echo": true, "app_id": inbox.app_id.parse::<u64>().unwrap_or_default()});
    if let Some(text) = entry.text.as_ref().filter(|_text| entry.kind == "text") {
        message["text"] = json!(text);
    }
    if let Some(attachment) = entry.content.get("attachment") {
        message["attachments"] = json!([attachment]);
    }
    if let Some(reference) = &entry.reference {
        message["metadata"] = json!(reference);
    }
    if let Some(reply_to) = &entry.reply_to {
        message["reply_to"] = json!({"mid": reply_to});
    }
    let content = json!({
        "sender": {"id": inbox.account_id},
        "recipient": {"id": scoped_id},
        "timestamp": entry.at_ms,
        "message": message,
    });
    drop(world);
    Some(event(inbox, customer_id, vec![message_id.to_owned()], EventClass::Message, content))
}

/// Messenger: watermark of delivery or read. Instagram: the last message seen; it has no delivery event.
pub(in crate::graph) fn watermark(
    sandbox: &Sandbox,
    inbox: &Inbox,
    customer_id: &str,
    moved: &[String],
    progress: Progress,
) -> Option<Event> {
    let last = moved.last()?;
    let content = match (inbox.channel, progress) {
        (Channel::Instagram, Progress::Read) => json!({"read": {"mid": last}}),
        (Channel::Instagram, _) => return None,
        (_, Progress::Read) => json!({"read": {"watermark": sandbox.clock().now()}}),
        _ => json!({"delivery": {"mids": moved, "watermark": sandbox.clock().now()}}),
    };
    from_customer(sandbox, inbox, customer_id, moved.to_vec(), EventClass::Status, content)
}

fn event(
    inbox: &Inbox,
    customer_id: &str,
    message_ids: Vec<String>,
    class: EventClass,
    content: Value,
) -> Event {
    Event {
        inbox_id: inbox.id.clone(),
        customer_id: customer_id.to_owned(),
        channel: inbox.channel,
        entry_id: inbox.account_id.clone(),
        class,
        message_ids,
        content,
    }
}
