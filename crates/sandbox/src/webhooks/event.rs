//! One thing that a provider tells the business, before it is wrapped into a POST.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::channel::Channel;
use crate::clock::TimeMs;

/// What an event is about: faults tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventClass {
    /// A customer did something, or an echo.
    Message,
    /// A sent message came further (or did not).
    Status,
}

/// One event of one inbox.
#[derive(Debug, Clone)]
pub struct Event {
    /// Inbox that it happened in.
    pub inbox_id: String,
    /// Customer whom it is about; events of one customer keep their order.
    pub customer_id: String,
    /// Kind of network.
    pub channel: Channel,
    /// `entry[].id`.
    pub entry_id: String,
    /// Message or status.
    pub class: EventClass,
    /// Message ids that it names.
    pub message_ids: Vec<String>,
    /// WhatsApp: a `changes[].value`. Messenger, Instagram: a `messaging[]` item. Green API: the whole body.
    pub content: Value,
}

/// Wraps events of one `object` into the body of one POST: one `entry` per account, events in order.
///
/// `now` becomes Messenger's and Instagram's `entry[].time` (milliseconds).
#[must_use]
pub fn envelope(channel: Channel, events: &[Event], now: TimeMs) -> Value {
    let mut by_account: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events {
        by_account.entry(&event.entry_id).or_default().push(event);
    }
    let entries: Vec<Value> = by_account
        .into_iter()
        .map(|(entry_id, events)| match channel {
            Channel::WhatsappCloud => {
                let changes: Vec<Value> =
                    events.iter().map(|event| json!({"field": "messages", "value": event.content})).collect();
                json!({"id": entry_id, "changes": changes})
            }
            // Green API's and Chatwoot's bodies stand alone and never come here: their own delivery.rs
            Channel::Messenger
            | Channel::Instagram
            | Channel::GreenApi
            | Channel::LinkedWhatsapp
            | Channel::Chatwoot
            | Channel::Openai => {
                let messaging: Vec<&Value> = events.iter().map(|event| &event.content).collect();
                json!({"id": entry_id, "time": now, "messaging": messaging})
            }
        })
        .collect();
    json!({"object": channel.webhook_object(), "entry": entries})
}
