//! One changed field of a WhatsApp webhook to inbound events. Pure.
//!
//! Shape: `{"field", "value": {"metadata", "contacts", "messages" | "statuses" | "message_echoes" | "errors"}}`.
//! Units: `timestamp` is a string of seconds since 1970 (UTC); ours are milliseconds.
//! Errors: none; what cannot be read is [`InboundEvent::Unreadable`], or an unsupported message when it names its sender.
//! Source: Meta's Cloud API webhook reference, read 2026; the client's `fixtures/whatsapp`, `fixtures/` here.

use frontdesk_meta_graph_client::webhook::whatsapp::{
    Content as Said, Edit, Message, Status, StatusKind, System, Value,
};
use frontdesk_meta_graph_client::webhook::{Change, ChangeValue, Item, account};
use frontdesk_model::RemoteId;
use frontdesk_model::contact::ContactHint;
use frontdesk_model::content::{Content, Payload, Referral, SystemNotice};
use frontdesk_model::inbound::{
    DeleteNews, Echo, EditNews, IdentityChange, InboundEvent, InboundMessage, ReactionNews, StatusNews,
};
use frontdesk_model::message::{MessageKind, MessageStatus};
use serde::Deserialize;

use super::people::{People, Person, identities};
use super::{NAME, content, notices};
use crate::meta::parse::{Events, short};
use crate::meta::{errors, moment};

/// Where echoes of a number that is also used on a phone were written.
const VIA_APP: &str = "WhatsApp Business app";

/// Reads one changed field. `events` goes to the business account until a part names its number.
pub(crate) fn read_change(item: Item<'_, Change<'_>>, events: &mut Events) {
    let raw = item.raw.get();
    let Some(change) = events.readable("change", item) else { return };
    match change.value {
        ChangeValue::WhatsApp(value) => read_value(*value, events),
        ChangeValue::Account(notice) => {
            events.push(InboundEvent::Notice(notices::read_notice(&change.field, &notice)));
        }
        ChangeValue::UserPreferences(preferences) => {
            for item in preferences {
                if let Some(preference) = events.readable("user preference", item) {
                    ignore_preference(&preference, events);
                }
            }
        }
        ChangeValue::Messaging(_) | ChangeValue::Other => {
            if let Some(number) = phone_number_id(raw) {
                events.to(NAME, &number);
            }
            events.ignore(format!("a change of the field \"{}\"", short(&change.field)));
        }
    }
}

/// Marketing consent, of which an inbox that sends no campaigns makes no use.
fn ignore_preference(preference: &account::UserPreference, events: &mut Events) {
    let category = preference.category.as_deref().unwrap_or("messages");
    events.ignore(format!("a customer's preference: {} {}", short(&preference.value), short(category)));
}

/// The number a field names that is not read otherwise (`calls`, `history`).
fn phone_number_id(change: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        value: Numbered,
    }
    #[derive(Deserialize)]
    struct Numbered {
        metadata: Number,
    }
    #[derive(Deserialize)]
    struct Number {
        phone_number_id: String,
    }
    serde_json::from_str::<Named>(change).ok().map(|named| named.value.metadata.phone_number_id)
}

/// What happened at one number.
fn read_value(value: Value<'_>, events: &mut Events) {
    if let Some(metadata) = &value.metadata {
        events.to(NAME, &metadata.phone_number_id);
    }
    if value.messages.is_empty()
        && value.statuses.is_empty()
        && value.message_echoes.is_empty()
        && value.errors.is_empty()
    {
        events.ignore("a value without messages and statuses");
    }
    let mut people = People::default();
    for item in value.contacts {
        people.extend(events.readable("contact", item));
    }
    for item in value.messages {
        if let Some(message) = events.readable("message", item) {
            events.push(read_message(message, &people));
        }
    }
    for item in value.message_echoes {
        if let Some(message) = events.readable("message echo", item) {
            events.push(read_echo(message, &people));
        }
    }
    for item in value.statuses {
        if let Some(status) = events.readable("status", item) {
            events.push(read_status(status));
        }
    }
    for item in value.errors {
        if let Some(error) = events.readable("error", item) {
            events.push(InboundEvent::Notice(notices::read_error(&error)));
        }
    }
}

fn unreadable(what: String) -> InboundEvent {
    InboundEvent::Unreadable { what }
}

fn ignored(what: String) -> InboundEvent {
    InboundEvent::Ignored { what }
}

/// What a customer wrote or did.
fn read_message(message: Message, people: &People) -> InboundEvent {
    if message.group_id.is_some() {
        return ignored(format!("a group's message ({}): groups are no inbox", short(&message.kind)));
    }
    if let Said::System(system) = message.content {
        return read_system(message.id, message.from, moment(message.timestamp), system, people);
    }
    match people.find(message.from.as_deref(), message.from_user_id.as_deref()) {
        Some(person) => read_written(message, person, None),
        None => unreadable(format!("a message ({}) that names no sender", short(&message.kind))),
    }
}

/// What the business wrote on the phone: an outgoing line of ours.
fn read_echo(message: Message, people: &People) -> InboundEvent {
    if message.group_id.is_some() {
        return ignored(format!("an echo ({}) to a group: groups are no inbox", short(&message.kind)));
    }
    match people.find(message.to.as_deref(), None) {
        Some(person) => {
            read_written(message, person, Some(Echo { client_ref: None, via: Some(VIA_APP.to_owned()) }))
        }
        None => unreadable(format!("an echo ({}) that names no receiver", short(&message.kind))),
    }
}

fn read_written(message: Message, person: Person, echo: Option<Echo>) -> InboundEvent {
    let at = moment(message.timestamp);
    match message.content {
        Said::Reaction(reaction) => InboundEvent::Reaction(ReactionNews {
            emoji: reaction.emoji().map(str::to_owned),
            target: RemoteId(reaction.message_id),
            contact: person.hint,
            by_us: echo.is_some(),
            at,
        }),
        Said::Edit(edit) => {
            let Edit { original_message_id, content, .. } = edit;
            InboundEvent::Edit(EditNews {
                target: RemoteId(original_message_id),
                text: content::words_of(*content),
                // WhatsApp does not count: the latest wins.
                version: 0,
                at,
            })
        }
        Said::Revoke(revoke) => {
            InboundEvent::Delete(DeleteNews { target: RemoteId(revoke.original_message_id), at })
        }
        said => {
            let context = message.context.unwrap_or_default();
            let forwarded = context.is_forwarded();
            let mut content = content::read_content(&message.kind, said, &message.errors);
            content.payload.referral = message.referral.map(referral).or_else(|| {
                context.referred_product.map(|product| Referral {
                    source: Some("product".to_owned()),
                    source_id: product.product_retailer_id,
                    reference: product.catalog_id,
                    ..Referral::default()
                })
            });
            InboundEvent::Message(Box::new(InboundMessage {
                remote_id: RemoteId(message.id),
                thread: person.thread,
                contact: person.hint,
                author: None,
                echo,
                sent_at: at,
                content,
                reply_to: context.id.map(RemoteId),
                forwarded,
            }))
        }
    }
}

/// The advert or post a customer came through. The click id is what conversion reports ask for.
fn referral(from: frontdesk_meta_graph_client::webhook::whatsapp::Referral) -> Referral {
    Referral {
        source: from.source_type,
        source_id: from.source_id,
        headline: from.headline,
        body: from.body,
        url: from.source_url,
        reference: from.ctwa_clid,
    }
}

/// A changed number or id; anything else the network says is shown as its line.
fn read_system(
    id: String,
    from: Option<String>,
    at: frontdesk_model::Timestamp,
    system: System,
    people: &People,
) -> InboundEvent {
    let kind = system.kind.unwrap_or_else(|| "system".to_owned());
    let new_phone = system.wa_id.or(system.new_wa_id);
    let changed = kind.contains("changed_number") || kind.contains("changed_user_id");
    if changed && (new_phone.is_some() || system.user_id.is_some()) {
        let old = identities(from.as_deref(), system.previous_user_id.as_deref());
        // From now on the customer is reached under the new name.
        if let Some(thread) = new_phone.clone().or(system.user_id.clone()) {
            return InboundEvent::IdentityChange(IdentityChange {
                old,
                new: identities(new_phone.as_deref(), system.user_id.as_deref()),
                remote_id: RemoteId(id),
                thread,
                body: system.body,
                at,
            });
        }
    }
    let Some(Person { hint, thread }) = people.find(from.as_deref(), system.user_id.as_deref()) else {
        return unreadable(format!("a system notice ({}) that names no customer", short(&kind)));
    };
    let payload =
        Payload { system: Some(SystemNotice { kind, body: system.body.clone() }), ..Payload::default() };
    InboundEvent::Message(Box::new(InboundMessage {
        remote_id: RemoteId(id),
        thread,
        contact: ContactHint { name: hint.name, identities: hint.identities },
        author: None,
        echo: None,
        sent_at: at,
        content: Content::of(MessageKind::System, system.body, payload),
        reply_to: None,
        forwarded: false,
    }))
}

/// How far a message of ours came.
fn read_status(status: Status) -> InboundEvent {
    let news = match status.status {
        StatusKind::Sent => MessageStatus::Sent,
        StatusKind::Delivered => MessageStatus::Delivered,
        StatusKind::Read => MessageStatus::Read,
        StatusKind::Played => MessageStatus::Played,
        StatusKind::Failed => MessageStatus::Failed,
        StatusKind::Deleted => return ignored("a status: the customer deleted the message".to_owned()),
        StatusKind::Warning => return ignored("a status: a warning beside a delivery".to_owned()),
        StatusKind::Other(word) => return ignored(format!("a status \"{}\"", short(&word))),
    };
    if status.recipient_type.as_deref() == Some("group") {
        return ignored("a status of a group's message: groups are no inbox".to_owned());
    }
    InboundEvent::Status(StatusNews {
        remote_id: RemoteId(status.id),
        client_ref: status.biz_opaque_callback_data,
        error: (news == MessageStatus::Failed).then(|| errors::failed_status(status.errors.first())),
        status: news,
        at: moment(status.timestamp),
        recipient: identities(status.recipient_id.as_deref(), status.recipient_user_id.as_deref()),
    })
}
