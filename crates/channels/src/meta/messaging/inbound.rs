//! One event of Messenger or Instagram to inbound events. Pure.
//!
//! Shape: `{"sender", "recipient", "timestamp", "message" | "postback" | "reaction" | …}`; in an echo we are the sender.
//! Units: milliseconds, or seconds where the number is small; as a number or a string.
//! Errors: none; what cannot be read is [`InboundEvent::Unreadable`], or an unsupported message when it names its sender.
//! Source: Meta's Messenger Platform and Instagram Messaging webhook reference, read 2026; the client's
//! `fixtures/messenger` and `fixtures/instagram`, `fixtures/` of the two channels.

use std::collections::BTreeMap;

use frontdesk_meta_graph_client::webhook::messaging::{
    Delivery, Event, EventContent, Handover, HandoverKind, Message, MessageEdit, Optin, PAGE_INBOX_APP_ID,
    Postback, Reaction, ReactionAction, Read, Referral,
};
use frontdesk_meta_graph_client::webhook::{Item, UnixMillis};
use frontdesk_model::contact::{ContactHint, Identity};
use frontdesk_model::content::{Choice, Content, Payload};
use frontdesk_model::inbound::{
    DeleteNews, Echo, EditNews, InboundEvent, InboundMessage, Notice, ReactionNews, StatusNews, Watermark,
};
use frontdesk_model::message::{MessageKind, MessageStatus};
use frontdesk_model::{RemoteId, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Network, content};
use crate::meta::moment;
use crate::meta::parse::{Events, short};

/// Reads the events of one entry.
pub(crate) struct Reader<'r> {
    pub(crate) network: &'static Network,
    /// The Page or Instagram account of the entry.
    pub(crate) account: &'r str,
    /// When Meta made the entry: for events that tell no time.
    pub(crate) time: Option<UnixMillis>,
    pub(crate) events: &'r mut Events,
}

/// Who did something, and who is on the other side of the thread.
struct Parties {
    /// The customer; `None` when the event names nobody.
    customer: Option<String>,
    /// Our side did it.
    by_us: bool,
}

impl Reader<'_> {
    /// Reads an item of `messaging` or `standby`.
    pub(crate) fn read_item(&mut self, item: Item<'_, Event>) {
        let raw = item.raw.get();
        if let Some(event) = self.events.readable("event", item) {
            self.read_event(event, Some(raw));
        }
    }

    /// Reads one event; `raw` is its text where it is at hand.
    pub(crate) fn read_event(&mut self, event: Event, raw: Option<&str>) {
        let at = moment(event.timestamp.or(self.time));
        let parties = self.parties(&event);
        match event.content {
            EventContent::Message(message) => self.message(*message, parties, at),
            EventContent::Edit(edit) => self.edit(edit, parties, at),
            EventContent::Postback(postback) => self.postback(postback, parties, at),
            EventContent::Reaction(reaction) => self.reaction(reaction, parties, at),
            EventContent::Read(read) => self.read(read, parties, at),
            EventContent::Delivery(delivery) => self.delivery(delivery, parties, at),
            EventContent::Optin(optin) => self.optin(&optin),
            EventContent::Referral(referral) => self.referral(referral, parties, at),
            EventContent::Handover(handover) => self.events.push(InboundEvent::Notice(notice_of(&handover))),
            EventContent::Other => {
                let kind = raw.and_then(kind_of).unwrap_or_else(|| "unknown".to_owned());
                self.events.ignore(format!("an event of the kind \"{}\"", short(&kind)));
            }
            EventContent::Unreadable { error, mid } => {
                let reason = format!("It could not be read: {error}.");
                match (mid, parties.customer) {
                    // In other events the id is of the message they are about, which must not be taken.
                    (Some(mid), Some(customer)) if raw.is_some_and(is_message) => {
                        let content = Content::unsupported("message", Some(reason));
                        let echo = parties.by_us.then(Echo::default);
                        self.push_message(mid, customer, echo, at, content, None);
                    }
                    _ => self.events.unreadable("event", &error),
                }
            }
        }
    }

    fn parties(&self, event: &Event) -> Parties {
        let echo = matches!(&event.content, EventContent::Message(message) if message.is_echo);
        let by_us = echo || event.sender.as_deref().is_some_and(|sender| sender == self.account);
        let customer = if by_us { &event.recipient } else { &event.sender };
        Parties { customer: customer.clone(), by_us }
    }

    fn contact(&self, customer: &str) -> ContactHint {
        ContactHint { identities: vec![Identity::new(self.network.identity, customer)], name: None }
    }

    /// The customer of an event; notes an event that names none.
    fn customer_of(&mut self, what: &str, parties: Parties) -> Option<String> {
        if parties.customer.is_none() {
            let what = format!("{what} that names no customer");
            self.events.push(InboundEvent::Unreadable { what });
        }
        parties.customer
    }

    fn push_message(
        &mut self,
        mid: String,
        customer: String,
        echo: Option<Echo>,
        sent_at: Timestamp,
        content: Content,
        reply_to: Option<String>,
    ) {
        self.events.push(InboundEvent::Message(Box::new(InboundMessage {
            remote_id: RemoteId(mid),
            contact: self.contact(&customer),
            thread: customer,
            author: None,
            echo,
            sent_at,
            content,
            reply_to: reply_to.map(RemoteId),
            forwarded: false,
        })));
    }

    fn message(&mut self, mut message: Message, parties: Parties, at: Timestamp) {
        if message.is_deleted {
            return self.events.push(InboundEvent::Delete(DeleteNews { target: RemoteId(message.mid), at }));
        }
        let echo = parties.by_us.then(|| Echo {
            via: Some(self.via(message.app_id.as_deref()).to_owned()),
            client_ref: message.metadata.take(),
        });
        let Some(customer) = self.customer_of("a message", parties) else { return };
        let mid = std::mem::take(&mut message.mid);
        let reply_to = message.reply_to.as_mut().and_then(|reply| reply.mid.take());
        let content = content::read_content(message);
        self.push_message(mid, customer, echo, at, content, reply_to);
    }

    /// Where an echo was written. Which app is ours is not known here: the engine knows its own by the reference.
    fn via(&self, app_id: Option<&str>) -> &'static str {
        match app_id {
            Some(PAGE_INBOX_APP_ID) => "Page inbox",
            Some(_) => "another app",
            None => self.network.own_app,
        }
    }

    /// An edit numbered 0 is a new message (Instagram's development mode); without its text it says nothing, and the
    /// message itself may still come under the same id.
    fn edit(&mut self, edit: MessageEdit, parties: Parties, at: Timestamp) {
        match (edit.num_edit, edit.text) {
            (Some(0), Some(text)) => {
                let echo = parties.by_us.then(Echo::default);
                if let Some(customer) = self.customer_of("a message", parties) {
                    self.push_message(edit.mid, customer, echo, at, Content::text(text), None);
                }
            }
            (Some(0), None) => self.events.ignore("an edit numbered 0 without a text"),
            (number, text) => self.events.push(InboundEvent::Edit(EditNews {
                target: RemoteId(edit.mid),
                text,
                version: number.unwrap_or(0),
                at,
            })),
        }
    }

    /// A pressed button is a line of the customer. Older bodies give it no id.
    fn postback(&mut self, postback: Postback, parties: Parties, at: Timestamp) {
        let Some(customer) = self.customer_of("a postback", parties) else { return };
        let mid = postback.mid.unwrap_or_else(|| {
            let payload = postback.payload.as_deref().unwrap_or_default();
            format!("postback:{customer}:{}:{payload}", at.as_millis())
        });
        let title = postback.title.or_else(|| postback.payload.clone()).unwrap_or_default();
        let payload = Payload {
            reply: Some(Choice { id: postback.payload, title: title.clone(), description: None }),
            referral: postback.referral.map(content::referral),
            ..Payload::default()
        };
        let content = Content::of(MessageKind::Postback, Some(title), payload);
        self.push_message(mid, customer, None, at, content, None);
    }

    /// The customer came through a link or an advert into a thread that existed: a line of its own, which has no id.
    fn referral(&mut self, referral: Referral, parties: Parties, at: Timestamp) {
        let Some(customer) = self.customer_of("a referral", parties) else { return };
        let reference = referral.reference.as_deref().unwrap_or_default();
        let mid = format!("referral:{customer}:{}:{reference}", at.as_millis());
        let payload = Payload { referral: Some(content::referral(referral)), ..Payload::default() };
        self.push_message(mid, customer, None, at, Content::of(MessageKind::Referral, None, payload), None);
    }

    fn reaction(&mut self, reaction: Reaction, parties: Parties, at: Timestamp) {
        let by_us = parties.by_us;
        let Some(customer) = self.customer_of("a reaction", parties) else { return };
        let emoji = match reaction.action {
            ReactionAction::React => Some(emoji_of(reaction.emoji, reaction.reaction.as_deref())),
            ReactionAction::Unreact => None,
        };
        self.events.push(InboundEvent::Reaction(ReactionNews {
            target: RemoteId(reaction.mid),
            contact: self.contact(&customer),
            by_us,
            emoji,
            at,
        }));
    }

    /// Messenger tells up to when, Instagram up to which message.
    fn read(&mut self, read: Read, parties: Parties, at: Timestamp) {
        let Some(customer) = self.customer_of("a read mark", parties) else { return };
        match (read.mid, read.watermark) {
            (Some(mid), _) => self.status(mid, MessageStatus::Read, &customer, at),
            (None, Some(until)) => self.watermark(MessageStatus::Read, &customer, moment(Some(until))),
            (None, None) => self.events.ignore("a read mark that names no message"),
        }
    }

    /// The ids may lack; the watermark covers them and everything before.
    fn delivery(&mut self, delivery: Delivery, parties: Parties, at: Timestamp) {
        // Older bodies tell the time in the watermark only.
        let at = if at == Timestamp::default() { moment(delivery.watermark) } else { at };
        let Some(customer) = self.customer_of("a delivery", parties) else { return };
        if delivery.mids.is_empty() && delivery.watermark.is_none() {
            self.events.ignore("a delivery that names no message");
        }
        for mid in delivery.mids {
            self.status(mid, MessageStatus::Delivered, &customer, at);
        }
        if let Some(until) = delivery.watermark {
            self.watermark(MessageStatus::Delivered, &customer, moment(Some(until)));
        }
    }

    fn status(&mut self, mid: String, status: MessageStatus, customer: &str, at: Timestamp) {
        self.events.push(InboundEvent::Status(StatusNews {
            remote_id: RemoteId(mid),
            client_ref: None,
            status,
            at,
            error: None,
            recipient: vec![Identity::new(self.network.identity, customer)],
        }));
    }

    fn watermark(&mut self, status: MessageStatus, customer: &str, until: Timestamp) {
        let contact = self.contact(customer);
        self.events.push(InboundEvent::Watermark(Watermark { contact, status, until }));
    }

    /// Marketing consent and check-box plug-ins, of which an inbox that sends no campaigns makes no use.
    fn optin(&mut self, optin: &Optin) {
        self.events.ignore(format!("an opt-in ({})", short(optin.kind.as_deref().unwrap_or("plug-in"))));
    }
}

/// True for an event that carries a `message`, which an unreadable one no longer tells by itself.
fn is_message(raw: &str) -> bool {
    #[derive(Deserialize)]
    struct Kind {
        message: Option<IgnoredAny>,
    }
    serde_json::from_str::<Kind>(raw).is_ok_and(|kind| kind.message.is_some())
}

/// The name of the part that says what an event is.
fn kind_of(raw: &str) -> Option<String> {
    let parts: BTreeMap<String, IgnoredAny> = serde_json::from_str(raw).ok()?;
    parts.into_keys().find(|name| !matches!(name.as_str(), "sender" | "recipient" | "timestamp"))
}

/// The emoji, which older bodies replace by a word.
fn emoji_of(emoji: Option<String>, word: Option<&str>) -> String {
    let of_word = match word {
        Some("smile") => "😆",
        Some("angry") => "😠",
        Some("sad") => "😢",
        Some("wow") => "😮",
        Some("like") => "👍",
        Some("dislike") => "👎",
        _ => "❤",
    };
    emoji.filter(|emoji| !emoji.is_empty()).unwrap_or_else(|| of_word.to_owned())
}

/// Another app got, gave up or wants a thread.
fn notice_of(handover: &Handover) -> Notice {
    let app = |id: &Option<String>| match id.as_deref() {
        Some(PAGE_INBOX_APP_ID) => "the Page inbox".to_owned(),
        Some(id) => format!("the app {}", short(id)),
        None => "another app".to_owned(),
    };
    let (kind, message) = match handover.kind {
        HandoverKind::Pass => (
            "pass_thread_control",
            format!("A conversation was handed to {}.", app(&handover.new_owner_app_id)),
        ),
        HandoverKind::Take => (
            "take_thread_control",
            format!(
                "A conversation was taken from {} by {}.",
                app(&handover.previous_owner_app_id),
                app(&handover.new_owner_app_id)
            ),
        ),
        HandoverKind::Request => (
            "request_thread_control",
            format!("A conversation is wanted by {}.", app(&handover.requested_owner_app_id)),
        ),
        HandoverKind::AppRoles => ("app_roles", "The roles of the apps on this account changed.".to_owned()),
    };
    Notice { kind: kind.to_owned(), message, state: None, used_up: false }
}
