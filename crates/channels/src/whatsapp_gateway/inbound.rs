//! One webhook of a gateway to inbound events. Pure.
//!
//! Shape: one JSON object per body, `{"event", "data"}`; what data hold is read by the client crate.
//! Ids: a customer's message is kept with its chat ([`RemoteId::within`]): WhatsApp's ids are unique within one only. What our side
//! wrote has the id that the send was answered with.
//! Route: the session that the body names; none where it names none, and then the key that vouched for it decides.
//! Errors: only what is no webhook at all. An unknown kind is `Ignored`.

use frontdesk_model::inbound::{
    DeleteNews, Echo, EditNews, InboundEvent, InboundMessage, Notice, ReactionNews, StatusNews, TypingNews,
};
use frontdesk_model::message::{MessageStatus, StatusError};
use frontdesk_model::{RemoteId, Timestamp};
use frontdesk_whatsapp_gateway_client::webhook::{
    self, Event, Message, SessionNews, Status, Typing, Webhook,
};

use super::content::{self, short};
use super::people::{self, Party};
use super::{NAME, state};
use crate::contract::{ParseError, RoutedEvent};

/// Where a message was written that came from the session's own side.
const VIA: &str = "WhatsApp on the phone";

/// The events of one body.
pub(super) fn parse(body: &[u8]) -> Result<Vec<RoutedEvent>, ParseError> {
    let webhook = webhook::parse(body).map_err(|error| ParseError::Malformed(error.to_string()))?;
    let route = webhook.session.clone().unwrap_or_default();
    Ok(vec![RoutedEvent { channel: NAME, route, event: read(&webhook) }])
}

fn read(webhook: &Webhook) -> InboundEvent {
    let kind = short(&webhook.kind);
    let told_at = webhook.at_ms.map(Timestamp::from_millis);
    match &webhook.event {
        Event::Message(message) => read_message(message, told_at),
        Event::Status(status) => read_status(status, told_at),
        Event::Session(news) => read_session(kind, news, told_at),
        Event::Typing(typing) => read_typing(typing),
        Event::Qr => ignored("another code to scan".to_owned()),
        Event::Unknown => ignored(format!("a webhook of the unknown kind \"{kind}\"")),
        Event::Unreadable => unreadable(format!("a webhook \"{kind}\" in another form")),
    }
}

fn unreadable(what: String) -> InboundEvent {
    InboundEvent::Unreadable { what }
}

fn ignored(what: String) -> InboundEvent {
    InboundEvent::Ignored { what }
}

/// A message, or news about an earlier one.
fn read_message(message: &Message, told_at: Option<Timestamp>) -> InboundEvent {
    let Some(party) = people::of_message(message) else {
        return ignored(format!("a message ({}) in a chat with nobody", short(&message.kind)));
    };
    let at = message.at_ms.map(Timestamp::from_millis).or(told_at).unwrap_or_default();
    if message.kind == "reaction" || (message.emoji.is_some() && message.text.is_none()) {
        let Some(target) = &message.target else {
            return unreadable("a reaction that names no message".to_owned());
        };
        return InboundEvent::Reaction(ReactionNews {
            target: answered(message, target, &party),
            contact: party.hint,
            by_us: message.from_me,
            emoji: message.emoji.clone().or_else(|| message.text.clone()).filter(|emoji| !emoji.is_empty()),
            at,
        });
    }
    // Changes name the message by its own id, or by one of theirs and the message as a target.
    let changed = message
        .target
        .as_ref()
        .filter(|_| matches!(message.kind.as_str(), "edit" | "edited" | "revoked" | "deleted"));
    let target = id_of_same_side(message, changed.unwrap_or(&message.id), &party);
    let changed_at = message.changed_at_ms.map(Timestamp::from_millis).or(told_at).unwrap_or(at);
    if message.deleted || matches!(message.kind.as_str(), "revoked" | "deleted") {
        return InboundEvent::Delete(DeleteNews { target, at: changed_at });
    }
    if message.changed_at_ms.is_some() || matches!(message.kind.as_str(), "edit" | "edited") {
        return InboundEvent::Edit(EditNews {
            target,
            text: content::words(message),
            // Nobody counts: the latest wins.
            version: 0,
            at: changed_at,
        });
    }
    InboundEvent::Message(Box::new(InboundMessage {
        remote_id: id_of_same_side(message, &message.id, &party),
        content: content::read(message, &party.thread),
        reply_to: message.target.as_ref().map(|target| answered(message, target, &party)),
        echo: message
            .from_me
            .then(|| Echo { client_ref: message.client_key.clone(), via: Some(VIA.to_owned()) }),
        sent_at: at,
        forwarded: message.forwarded,
        author: party.author,
        contact: party.hint,
        thread: party.thread,
    }))
}

/// The id of a message that whoever acts here wrote.
fn id_of_same_side(message: &Message, id: &str, party: &Party) -> RemoteId {
    if message.from_me { RemoteId::new(id) } else { theirs(message, id, party) }
}

/// The id of a message that this one answers. Whose it is, where that is not told, is the other side: people answer each other.
fn answered(message: &Message, id: &str, party: &Party) -> RemoteId {
    let is_ours = message.target_from_me.unwrap_or(!message.from_me);
    if is_ours { RemoteId::new(id) } else { theirs(message, id, party) }
}

/// A customer's message, with the chat it is of.
fn theirs(message: &Message, id: &str, party: &Party) -> RemoteId {
    RemoteId::within(id, message.chat.as_deref().unwrap_or(&party.thread))
}

/// How far a message of ours came.
fn read_status(status: &Status, told_at: Option<Timestamp>) -> InboundEvent {
    let news = match status.status.as_str() {
        // It waits there for its turn, or is on its way: we know as much.
        "queued" | "pending" | "sending" | "accepted" | "unknown" => {
            return ignored(format!("a status \"{}\"", short(&status.status)));
        }
        "sent" | "server" | "server_ack" | "1" => MessageStatus::Sent,
        "delivered" | "device" | "delivery_ack" | "2" => MessageStatus::Delivered,
        "read" | "seen" | "3" => MessageStatus::Read,
        "played" | "4" => MessageStatus::Played,
        "failed" | "error" | "undelivered" => MessageStatus::Failed,
        other => return ignored(format!("a status \"{}\"", short(other))),
    };
    let error = (news == MessageStatus::Failed).then(|| match &status.error {
        Some((code, words)) => StatusError {
            code: code.as_deref().map_or("FAILED", short).to_owned(),
            message: short(words).to_owned(),
            action: None,
        },
        None => StatusError {
            code: "FAILED".to_owned(),
            message: "WhatsApp could not deliver the message, and the gateway does not say why.".to_owned(),
            action: None,
        },
    });
    InboundEvent::Status(StatusNews {
        remote_id: RemoteId::new(&status.id),
        client_ref: status.client_key.clone(),
        status: news,
        at: status.at_ms.map(Timestamp::from_millis).or(told_at).unwrap_or_default(),
        error,
        recipient: Vec::new(),
    })
}

fn read_session(kind: &str, news: &SessionNews, told_at: Option<Timestamp>) -> InboundEvent {
    let state = state::told(&news.status, news.state.as_deref(), news.reason.as_deref(), told_at);
    InboundEvent::Notice(Notice {
        kind: kind.to_owned(),
        message: state.message.clone(),
        state: Some(state),
        used_up: false,
    })
}

fn read_typing(typing: &Typing) -> InboundEvent {
    match people::party(&typing.from, None) {
        Some(party) => InboundEvent::Typing(TypingNews { contact: party.hint, is_typing: typing.is_typing }),
        None => ignored("somebody types in a chat with nobody".to_owned()),
    }
}
