//! One call's view of the account: what it may change, who asks, and the events that follow.

use serde_json::Value;

use super::refusal::Refusal;
use super::shape;
use super::state::{Account, Agent, Contact, Conversation, Message};
use crate::clock::TimeMs;
use crate::ids::IdMaker;
use crate::media::MediaShelf;

/// An event for whoever subscribed to it.
#[derive(Debug, Clone)]
pub struct Told {
    /// `message_created`…
    pub event: &'static str,
    /// Inbox it happened in, if any.
    pub inbox_id: Option<i64>,
    /// Message it is about, if any.
    pub message: Option<(i64, i64)>,
    /// The body.
    pub body: Value,
}

/// A call under way.
pub(super) struct Turn<'a> {
    pub account: &'a mut Account,
    pub last_id: &'a mut i64,
    pub media: &'a mut MediaShelf,
    pub ids: &'a mut IdMaker,
    pub now: TimeMs,
    pub agent: Agent,
    pub base_url: &'a str,
    pub per_page: usize,
    pub told: Vec<Told>,
}

impl Turn<'_> {
    pub fn next_id(&mut self) -> i64 {
        *self.last_id += 1;
        *self.last_id
    }

    /// Errors: the caller is no administrator.
    pub fn admin(&self) -> Result<(), Refusal> {
        if self.agent.role == "administrator" { Ok(()) } else { Err(Refusal::NotAllowed) }
    }

    pub fn contact(&mut self, id: i64) -> Result<&mut Contact, Refusal> {
        self.account.contacts.get_mut(&id).ok_or(Refusal::NotFound)
    }

    pub fn conversation(&mut self, id: i64) -> Result<&mut Conversation, Refusal> {
        self.account.conversations.get_mut(&id).ok_or(Refusal::NotFound)
    }

    pub fn message(&mut self, conversation: i64, id: i64) -> Result<&mut Message, Refusal> {
        let conversation = self.conversation(conversation)?;
        conversation.messages.iter_mut().find(|message| message.id == id).ok_or(Refusal::NotFound)
    }

    /// Tells of a contact; `changed` are its changed fields with before and after.
    pub fn tell_contact(&mut self, event: &'static str, id: i64, changed: &[(&str, Value, Value)]) {
        let Some(contact) = self.account.contacts.get(&id) else { return };
        let body = shape::contact_event(self.account, contact, event, changed);
        self.told.push(Told { event, inbox_id: None, message: None, body });
    }

    /// Tells of a conversation.
    pub fn tell_conversation(&mut self, event: &'static str, id: i64, changed: &[(&str, Value, Value)]) {
        let Some(conversation) = self.account.conversations.get(&id) else { return };
        let body = shape::conversation_event(self.account, conversation, event, changed);
        self.told.push(Told { event, inbox_id: Some(conversation.inbox_id), message: None, body });
    }

    /// Tells of a message; activity is never told.
    pub fn tell_message(&mut self, event: &'static str, conversation_id: i64, id: i64) {
        let Some(conversation) = self.account.conversations.get(&conversation_id) else { return };
        let Some(message) = conversation.messages.iter().find(|message| message.id == id) else { return };
        if message.message_type == 2 {
            return;
        }
        let body = shape::message_event(self.account, conversation, message, event, self.base_url);
        let message = Some((conversation_id, id));
        self.told.push(Told { event, inbox_id: Some(conversation.inbox_id), message, body });
    }

    /// Tells that somebody types.
    pub fn tell_typing(&mut self, event: &'static str, id: i64, user: &Value, is_private: bool) {
        let Some(conversation) = self.account.conversations.get(&id) else { return };
        let body = shape::typing_event(self.account, conversation, event, user, is_private);
        self.told.push(Told { event, inbox_id: Some(conversation.inbox_id), message: None, body });
    }
}
