//! What Chatwoot posts to us: message fields at the top or below `message`, kinds as words or numbers.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    envelope::strip_secrets,
    model::{Contact, Conversation, Message, Sender},
    tolerant,
};

/// A body that is no event. Holds nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not a JSON object.
    #[error("the body is no JSON object")]
    NotAnObject,
    /// No `event`.
    #[error("the body names no event")]
    NoEvent,
    /// A known event without what it is about.
    #[error("the event {0} lacks what it is about")]
    Incomplete(&'static str),
}

/// A field that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Its name.
    pub field: String,
    /// Before.
    pub previous: Value,
    /// Now.
    pub current: Value,
}

/// One webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookEvent {
    /// The event's name, as it came.
    pub name: String,
    /// The account it happened in; Chatwoot before 4.14.2 does not always say.
    pub account_id: Option<i64>,
    /// What happened.
    pub event: Event,
    /// What changed, where Chatwoot says it.
    pub changes: Vec<Change>,
    /// The whole body without its secrets.
    pub raw: Value,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A message is new.
    MessageCreated(Box<MessageEvent>),
    /// A message is another: text, status, deleted. The body does not say its status: read it again.
    MessageUpdated(Box<MessageEvent>),
    /// A conversation is new.
    ConversationCreated(Box<Conversation>),
    /// Assignee, team, labels, priority, attributes…
    ConversationUpdated(Box<Conversation>),
    /// It was opened, resolved, snoozed. Bots are told by names of their own.
    ConversationStatusChanged(Box<Conversation>),
    /// A contact is new.
    ContactCreated(Box<Contact>),
    /// A contact is another.
    ContactUpdated(Box<Contact>),
    /// Somebody begins to type.
    TypingOn(Box<Typing>),
    /// Somebody stops.
    TypingOff(Box<Typing>),
    /// One of tomorrow, or one that says nothing of people and threads.
    Other,
}

/// A message and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageEvent {
    /// The message.
    pub message: Message,
    /// Its conversation; the last message in it is often another one.
    pub conversation: Option<Conversation>,
}

/// Somebody types.
#[derive(Debug, Clone, PartialEq)]
pub struct Typing {
    /// Who: an agent, a bot or a contact.
    pub user: Option<Sender>,
    /// Where.
    pub conversation: Conversation,
    /// Agents only may see it.
    pub is_private: bool,
}

impl WebhookEvent {
    /// The conversation it is about.
    pub fn conversation_id(&self) -> Option<i64> {
        match &self.event {
            Event::MessageCreated(event) | Event::MessageUpdated(event) => {
                event.conversation.as_ref().map(|found| found.id).or(event.message.conversation_id)
            }
            Event::ConversationCreated(found)
            | Event::ConversationUpdated(found)
            | Event::ConversationStatusChanged(found) => Some(found.id),
            Event::TypingOn(typing) | Event::TypingOff(typing) => Some(typing.conversation.id),
            Event::ContactCreated(_) | Event::ContactUpdated(_) | Event::Other => None,
        }
    }

    /// The contact it is about.
    pub fn contact_id(&self) -> Option<i64> {
        let of = |conversation: &Conversation| conversation.contact.as_ref().map(|contact| contact.id);
        match &self.event {
            Event::ContactCreated(contact) | Event::ContactUpdated(contact) => Some(contact.id),
            Event::MessageCreated(event) | Event::MessageUpdated(event) => {
                event.conversation.as_ref().and_then(of)
            }
            Event::ConversationCreated(found)
            | Event::ConversationUpdated(found)
            | Event::ConversationStatusChanged(found) => of(found),
            Event::TypingOn(_) | Event::TypingOff(_) | Event::Other => None,
        }
    }
}

/// Reads a webhook whose signature was checked.
///
/// Errors: [`EventError`] for a body that is none, or a known event without what it is about.
pub fn parse(body: &[u8]) -> Result<WebhookEvent, EventError> {
    let mut raw: Value = serde_json::from_slice(body).map_err(|_| EventError::NotAnObject)?;
    if !raw.is_object() {
        return Err(EventError::NotAnObject);
    }
    strip_secrets(&mut raw);
    // A raw row of a channel, which may hold a provider's token.
    if let Some(Value::Object(channel)) = raw.get_mut("channel") {
        channel.retain(|name, _| ["id", "account_id", "webhook_url"].contains(&name.as_str()));
    }
    let name = raw.get("event").and_then(Value::as_str).ok_or(EventError::NoEvent)?.to_owned();
    let event = match name.as_str() {
        "message_created" => Event::MessageCreated(message(&raw, "message_created")?),
        "message_updated" => Event::MessageUpdated(message(&raw, "message_updated")?),
        "conversation_created" => Event::ConversationCreated(conversation(&raw, "conversation_created")?),
        "conversation_updated" => Event::ConversationUpdated(conversation(&raw, "conversation_updated")?),
        "conversation_status_changed" | "conversation_resolved" | "conversation_opened" => {
            Event::ConversationStatusChanged(conversation(&raw, "conversation_status_changed")?)
        }
        "contact_created" => Event::ContactCreated(contact(&raw, "contact_created")?),
        "contact_updated" => Event::ContactUpdated(contact(&raw, "contact_updated")?),
        "conversation_typing_on" => Event::TypingOn(typing(&raw, "conversation_typing_on")?),
        "conversation_typing_off" => Event::TypingOff(typing(&raw, "conversation_typing_off")?),
        _ => Event::Other,
    };
    let account = ["/account/id", "/conversation/account/id", "/account_id", "/conversation/account_id"];
    let account_id = account.into_iter().find_map(|path| tolerant::integer(raw.pointer(path)?));
    Ok(WebhookEvent { name, account_id, event, changes: changes(&raw), raw })
}

/// The thing at the top, or below its own name.
fn body<'v>(raw: &'v Value, name: &str) -> &'v Value {
    raw.get(name).filter(|inner| inner.is_object()).unwrap_or(raw)
}

fn message(raw: &Value, event: &'static str) -> Result<Box<MessageEvent>, EventError> {
    let inner = body(raw, "message");
    let mut message: Message =
        serde_json::from_value(inner.clone()).map_err(|_| EventError::Incomplete(event))?;
    let found = raw.get("conversation").or_else(|| inner.get("conversation"));
    let conversation: Option<Conversation> =
        found.and_then(|found| serde_json::from_value(found.clone()).ok());
    if message.sender.is_none() {
        message.sender = raw.get("sender").and_then(|sender| serde_json::from_value(sender.clone()).ok());
    }
    message.conversation_id = message.conversation_id.or(conversation.as_ref().map(|found| found.id));
    for name in ["conversation", "account", "inbox", "event"] {
        message.extra.remove(name);
    }
    Ok(Box::new(MessageEvent { message, conversation }))
}

fn conversation(raw: &Value, event: &'static str) -> Result<Box<Conversation>, EventError> {
    let mut found: Conversation = serde_json::from_value(body(raw, "conversation").clone())
        .map_err(|_| EventError::Incomplete(event))?;
    for name in ["event", "changed_attributes"] {
        found.extra.remove(name);
    }
    Ok(Box::new(found))
}

fn contact(raw: &Value, event: &'static str) -> Result<Box<Contact>, EventError> {
    let mut found: Contact =
        serde_json::from_value(body(raw, "contact").clone()).map_err(|_| EventError::Incomplete(event))?;
    for name in ["event", "changed_attributes", "account"] {
        found.extra.remove(name);
    }
    Ok(Box::new(found))
}

fn typing(raw: &Value, event: &'static str) -> Result<Box<Typing>, EventError> {
    let part = |name: &str| raw.get(name).cloned().unwrap_or_default();
    let conversation =
        serde_json::from_value(part("conversation")).map_err(|_| EventError::Incomplete(event))?;
    let user = serde_json::from_value(part("user")).ok();
    let is_private = raw.get("is_private").and_then(tolerant::flag).unwrap_or(false);
    Ok(Box::new(Typing { user, conversation, is_private }))
}

/// A list of objects with one key each, or (older) one object.
fn changes(raw: &Value) -> Vec<Change> {
    let of = |fields: &Map<String, Value>| -> Vec<Change> {
        let change = |(field, change): (&String, &Value)| {
            let part = |name: &str| change.get(name).cloned().unwrap_or_default();
            Change { field: field.clone(), previous: part("previous_value"), current: part("current_value") }
        };
        fields.iter().map(change).collect()
    };
    match raw.get("changed_attributes") {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_object).flat_map(of).collect(),
        Some(Value::Object(fields)) => of(fields),
        _ => Vec::new(),
    }
}
