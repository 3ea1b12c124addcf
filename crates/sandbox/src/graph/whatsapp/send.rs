//! `POST /{phone-number-id}/messages`: send, mark read, show typing.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::error::GraphError;
use super::super::{progress, success};
use super::check::{Checked, check_message};
use crate::channel::Channel;
use crate::chat::{Author, ChatEntry, ChatMedia, Progress};
use crate::clock::{SECOND_MS, TimeMs};
use crate::customer::{Customer, NewCustomer};
use crate::inbox::Inbox;
use crate::phone_number::{digits, folded};
use crate::sandbox::Sandbox;
use crate::settings::{ClosedWindow, Limits};
use crate::world::World;

/// Typing is shown this long unless a message ends it.
const TYPING_SHOWN_MS: TimeMs = 25 * SECOND_MS;

/// Sends a message, or marks one as read.
///
/// Errors: those of the checks; 131030, 131021 for the recipient; 131047 window; 131056 and 130429 rates.
pub(super) fn post(sandbox: &Sandbox, call: &Call, inbox: &Inbox) -> Result<Value, GraphError> {
    if call.body.get("messaging_product").and_then(Value::as_str) != Some("whatsapp") {
        return Err(GraphError::missing("messaging_product"));
    }
    if call.body.contains_key("status") {
        return mark_read(sandbox, call, inbox);
    }
    let recipient = recipient(call)?;
    let now = sandbox.clock().now();
    let mut world = sandbox.world();
    let checked = check_message(&call.body, &world.templates)?;
    check_media_id(&world, call, &checked)?;
    let limits = world.settings.limits.clone();
    let (customer, reachable) = find_customer(&mut world, inbox, &recipient, &limits)?;
    let mut doomed = (!reachable).then_some(131_026);
    let open = world.chat_mut(&customer.id, &inbox.id).wrote_within(limits.window_hours, now);
    if !open && checked.kind != "template" {
        match limits.closed_window {
            ClosedWindow::Refused => return Err(GraphError::of_code(131_047)),
            ClosedWindow::FailedLater => doomed = doomed.or(Some(131_047)),
        }
    }
    take_allowances(&mut world, inbox, &customer, &limits, now)?;
    let message_id = world.message_id(Channel::WhatsappCloud, customer.whatsapp_address(), Author::Business);
    if checked.kind == "reaction" {
        react(&mut world, inbox, &customer, call, &message_id, now);
    } else {
        let entry = entry(&world, call, checked, &message_id, now);
        world.deliver(inbox, &customer.id, entry, call.body_value());
    }
    drop(world);
    progress::start(sandbox, inbox, &customer.id, &message_id, doomed);
    sandbox.changed("chat", Some(&customer.id), Some(&inbox.id));
    let contact = match &customer.phone {
        Some(phone) if !recipient.is_user_id => json!({"input": recipient.written, "wa_id": phone}),
        _ => json!({"input": recipient.written, "user_id": customer.bsuid}),
    };
    Ok(json!({
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [{"id": message_id}],
    }))
}

/// Whom a message is for.
struct Recipient {
    written: String,
    is_user_id: bool,
}

fn recipient(call: &Call) -> Result<Recipient, GraphError> {
    if let Some(kind) = call.body.get("recipient_type")
        && kind.as_str() != Some("individual")
    {
        return Err(GraphError::parameter(
            "Param recipient_type must be one of {INDIVIDUAL} in this sandbox",
        ));
    }
    let text = |name: &str| match call.body.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    match (text("to"), text("recipient")) {
        (Some(to), _) if digits(&to).is_empty() => {
            Err(GraphError::invalid("Parameter 'to' is not a valid phone number"))
        }
        (Some(to), _) => Ok(Recipient { written: to, is_user_id: false }),
        (None, Some(user_id)) => Ok(Recipient { written: user_id, is_user_id: true }),
        (None, None) => Err(GraphError::missing("to")),
    }
}

/// The customer and whether WhatsApp can reach them.
fn find_customer(
    world: &mut World,
    inbox: &Inbox,
    recipient: &Recipient,
    limits: &Limits,
) -> Result<(Customer, bool), GraphError> {
    if recipient.is_user_id {
        let found = world.find_by_bsuid(&recipient.written).cloned();
        return found
            .map(|customer| (customer.clone(), customer.on_whatsapp))
            .ok_or_else(|| GraphError::invalid("Parameter 'recipient' is not a known user id"));
    }
    let number = &recipient.written;
    if folded(number) == folded(inbox.own_number()) {
        return Err(GraphError::of_code(131_021));
    }
    if let Some(allowed) = &inbox.allowed_recipients
        && !allowed.iter().any(|other| folded(other) == folded(number))
    {
        return Err(GraphError::of_code(131_030));
    }
    if let Some(customer) = world.find_by_phone(number) {
        return Ok((customer.clone(), customer.on_whatsapp));
    }
    let new = NewCustomer {
        name: format!("+{}", digits(number)),
        phone: Some(number.clone()),
        ..NewCustomer::default()
    };
    let mut customer = world.add_customer(new).map_err(|_full| GraphError::of_code(131_000))?;
    if !limits.create_unknown_customers {
        if let Some(stored) = world.customers.get_mut(&customer.id) {
            stored.on_whatsapp = false;
        }
        customer.on_whatsapp = false;
    }
    let reachable = customer.on_whatsapp;
    Ok((customer, reachable))
}

fn take_allowances(
    world: &mut World,
    inbox: &Inbox,
    customer: &Customer,
    limits: &Limits,
    now: TimeMs,
) -> Result<(), GraphError> {
    if let Some(per_second) = limits.messages_per_second
        && !world.take_throughput(&inbox.id, per_second, now)
    {
        return Err(GraphError::of_code(130_429));
    }
    if let Some(burst) = limits.pair_burst
        && !world.chat_mut(&customer.id, &inbox.id).take_pair_allowance(burst, limits.pair_refill_ms, now)
    {
        return Err(GraphError::of_code(131_056));
    }
    Ok(())
}

fn check_media_id(world: &World, call: &Call, checked: &Checked) -> Result<(), GraphError> {
    let id = call.body.get(&checked.kind).and_then(|content| content.get("id")).and_then(Value::as_str);
    match id {
        Some(id) if world.media.find(id).is_none() => {
            let message = format!(
                "Param {}['id'] is not a valid whatsapp business account media attachment ID",
                checked.kind
            );
            Err(GraphError::parameter(message))
        }
        _ => Ok(()),
    }
}

fn entry(world: &World, call: &Call, checked: Checked, message_id: &str, now: TimeMs) -> ChatEntry {
    let content = call.body.get(&checked.kind).cloned().unwrap_or_default();
    let mut entry = ChatEntry::new(message_id.to_owned(), Author::Business, &checked.kind, checked.text, now);
    let stored = content["id"].as_str().and_then(|id| world.media.find(id));
    let link = content["link"].as_str();
    entry.media = match (stored, link) {
        (Some(media), _) => Some(ChatMedia {
            media_id: Some(media.id.clone()),
            url: format!("/control/media/{}", media.id),
            mime_type: Some(media.mime_type.clone()),
            file_name: content["filename"]
                .as_str()
                .map(ToOwned::to_owned)
                .or_else(|| media.file_name.clone()),
        }),
        (None, Some(link)) => Some(ChatMedia {
            media_id: None,
            url: link.to_owned(),
            mime_type: None,
            file_name: content["filename"].as_str().map(ToOwned::to_owned),
        }),
        (None, None) => None,
    };
    let context = call.body.get("context");
    entry.reply_to = context.and_then(|context| context["message_id"].as_str()).map(ToOwned::to_owned);
    entry.reference =
        call.body.get("biz_opaque_callback_data").and_then(Value::as_str).map(ToOwned::to_owned);
    entry.content = content;
    entry
}

/// A reaction is no line of the chat; it is delivered (and its statuses told) all the same.
fn react(world: &mut World, inbox: &Inbox, customer: &Customer, call: &Call, message_id: &str, now: TimeMs) {
    let reaction = &call.body["reaction"];
    let emoji = reaction["emoji"].as_str();
    let target = reaction["message_id"].as_str().unwrap_or_default();
    if let Some(entry) = world.chat_mut(&customer.id, &inbox.id).find_mut(target) {
        entry.react(Author::Business, emoji);
    }
    let mut entry = ChatEntry::new(
        message_id.to_owned(),
        Author::Business,
        "reaction",
        emoji.map(ToOwned::to_owned),
        now,
    );
    entry.content = reaction.clone();
    entry.reference =
        call.body.get("biz_opaque_callback_data").and_then(Value::as_str).map(ToOwned::to_owned);
    world.deliver(inbox, &customer.id, entry, call.body_value());
}

/// Marks the customer's message and all before it as read; may show typing.
fn mark_read(sandbox: &Sandbox, call: &Call, inbox: &Inbox) -> Result<Value, GraphError> {
    if call.body.get("status").and_then(Value::as_str) != Some("read") {
        return Err(GraphError::parameter("Param status must be one of {READ}"));
    }
    let message_id = call
        .body
        .get("message_id")
        .and_then(Value::as_str)
        .ok_or_else(|| GraphError::missing("message_id"))?;
    let typing = call.body.contains_key("typing_indicator");
    let now = sandbox.clock().now();
    let mut world = sandbox.world();
    let customer_id = world
        .find_by_wamid(message_id)
        .map(|customer| customer.id.clone())
        .ok_or_else(|| GraphError::invalid("Parameter 'message_id' does not name a received message"))?;
    let chat = world.chat_mut(&customer_id, &inbox.id);
    let marked =
        chat.entries.iter().position(|entry| entry.id == message_id).map_or(0, |position| position + 1);
    for entry in chat.entries.iter_mut().take(marked).filter(|entry| entry.author == Author::Customer) {
        entry.progress = Progress::Read;
    }
    if typing {
        chat.business_typing_until_ms = Some(now + TYPING_SHOWN_MS);
    }
    drop(world);
    sandbox.changed("chat", Some(&customer_id), Some(&inbox.id));
    Ok(success())
}
