//! One notification of Green API to inbound events. Pure.
//!
//! Shape: one JSON object per body, `{"typeWebhook", "instanceData": {"idInstance"}, "timestamp", …}`.
//! Units: `timestamp` is seconds since 1970 (UTC); ours are milliseconds.
//! Ids: `idMessage` is unique within its chat only. What customers write is therefore kept with its chat
//! ([`RemoteId::within`]); what our side writes is not: Green API makes those ids, and names the chat now by number, now
//! by private id.
//! Errors: only what is no notification at all. An unknown kind is `Ignored` or unsupported content.
//! Source: Green API's pages on webhooks, its Postman collection; read 2026; the client's `fixtures`, `fixtures/` here.

use frontdesk_green_api_client::webhook::{
    self, Call, Content as Said, Deleted, Edited, Event, ExtendedText, Message, MessageStatus as Status,
    Quota, Webhook,
};
use frontdesk_model::content::{Content, Payload, SystemNotice};
use frontdesk_model::inbound::{
    DeleteNews, Echo, EditNews, InboundEvent, InboundMessage, Notice, ReactionNews, StatusNews,
};
use frontdesk_model::message::{MessageKind, MessageStatus, StatusError};
use frontdesk_model::{RemoteId, Timestamp};

use super::content::{self, short};
use super::people::{self, Party};
use super::{NAME, state};
use crate::contract::{ParseError, RoutedEvent};

/// Where a message was written that came from the instance's own phone.
const VIA_PHONE: &str = "WhatsApp on the phone";
/// Where one was written that another program sent through the instance.
const VIA_API: &str = "Green API";

/// The events of one body.
pub(super) fn parse(body: &[u8]) -> Result<Vec<RoutedEvent>, ParseError> {
    let webhook = webhook::parse(body).map_err(|error| ParseError::Malformed(error.to_string()))?;
    let route = webhook.instance.id_instance.map(|id| id.to_string()).unwrap_or_default();
    let event = |event| RoutedEvent { channel: NAME, route: route.clone(), event };
    Ok(read(&webhook).into_iter().map(event).collect())
}

/// What happened, and on whose side.
struct Scene<'w> {
    at: Timestamp,
    /// The instance's own chat id.
    own: &'w str,
    /// Set for what our side wrote: where.
    via: Option<&'static str>,
}

fn read(webhook: &Webhook) -> Vec<InboundEvent> {
    let at = webhook.timestamp.map(Timestamp::from_secs).unwrap_or_default();
    let own = webhook.instance.wid.as_deref().unwrap_or_default();
    let scene = |via| Scene { at, own, via };
    let kind = short(&webhook.kind);
    match &webhook.event {
        Event::IncomingMessage(message) => vec![read_message(message, &scene(None))],
        Event::PhoneMessage(message) => vec![read_message(message, &scene(Some(VIA_PHONE)))],
        Event::ApiMessage(message) => vec![read_message(message, &scene(Some(VIA_API)))],
        Event::Status(status) => vec![read_status(status, at)],
        Event::State(change) => vec![InboundEvent::Notice(Notice {
            kind: kind.to_owned(),
            message: format!("The instance is now \"{}\".", short(change.state.as_str())),
            state: Some(state::told(&change.state, at)),
            used_up: false,
        })],
        Event::Quota(quota) => vec![read_quota(kind, quota)],
        Event::IncomingCall(call) => read_call(call, &scene(None)),
        Event::OutgoingCall(call) => read_call(call, &scene(Some(VIA_PHONE))),
        Event::Block(_) => vec![ignored("somebody blocked the number, or no longer does".to_owned())],
        Event::Connectivity(_) | Event::Device(_) | Event::Avatar(_) => {
            vec![ignored(format!("a notification \"{kind}\""))]
        }
        Event::Unknown(_) => vec![ignored(format!("a notification of the unknown kind \"{kind}\""))],
        Event::Unreadable(_) => vec![unreadable(format!("a notification \"{kind}\" in another form"))],
    }
}

fn unreadable(what: String) -> InboundEvent {
    InboundEvent::Unreadable { what }
}

fn ignored(what: String) -> InboundEvent {
    InboundEvent::Ignored { what }
}

/// A message, or news about an earlier one.
fn read_message(message: &Message, scene: &Scene<'_>) -> InboundEvent {
    let party = match scene.via {
        None => people::sender(&message.sender),
        Some(_) => people::receiver(&message.sender),
    };
    let Some(party) = party else {
        let what = format!("a message ({}) in a chat with nobody", short(&message.kind));
        return if message.sender.chat_id.is_some() { ignored(what) } else { unreadable(what) };
    };
    match &message.content {
        Said::Reaction(reaction) => read_reaction(message, reaction, party, scene),
        Said::Edited(Edited { stanza_id: Some(target), text_message, caption }) => {
            InboundEvent::Edit(EditNews {
                target: scene.id_of_same_side(target, &party),
                text: text_message.clone().or_else(|| caption.clone()),
                // Green API does not count: the latest wins.
                version: 0,
                at: scene.at,
            })
        }
        Said::Deleted(Deleted { stanza_id: Some(target), .. }) => {
            InboundEvent::Delete(DeleteNews { target: scene.id_of_same_side(target, &party), at: scene.at })
        }
        _ => read_written(message, party, scene),
    }
}

fn read_written(message: &Message, party: Party, scene: &Scene<'_>) -> InboundEvent {
    let content::Read { content, forwarded } = content::read(message, &party.thread);
    let reply_to = answered(message).map(|(id, author)| scene.id_of(&id, author.as_deref(), &party));
    InboundEvent::Message(Box::new(InboundMessage {
        remote_id: scene.id_of_same_side(&message.id, &party),
        thread: party.thread,
        contact: party.hint,
        author: party.author,
        echo: scene.echo(),
        sent_at: scene.at,
        content,
        reply_to,
        forwarded,
    }))
}

/// The message that this one answers, and who wrote it.
fn answered(message: &Message) -> Option<(String, Option<String>)> {
    if let Some(quoted) = &message.quoted {
        return Some((quoted.stanza_id.clone(), quoted.participant.clone()));
    }
    match &message.content {
        Said::Quoted(ExtendedText { stanza_id: Some(id), participant, .. }) => {
            Some((id.clone(), participant.clone()))
        }
        Said::TemplateButtonPressed(pressed)
        | Said::InteractiveButtonPressed(pressed)
        | Said::ButtonPressed(pressed) => Some((pressed.stanza_id.clone()?, None)),
        Said::RowPicked(row) => Some((row.stanza_id.clone()?, None)),
        Said::PollUpdate(poll) => Some((poll.stanza_id.clone()?, None)),
        _ => None,
    }
}

fn read_reaction(
    message: &Message,
    reaction: &ExtendedText,
    party: Party,
    scene: &Scene<'_>,
) -> InboundEvent {
    let Some(quoted) = &message.quoted else {
        return unreadable("a reaction that names no message".to_owned());
    };
    InboundEvent::Reaction(ReactionNews {
        target: scene.id_of(&quoted.stanza_id, quoted.participant.as_deref(), &party),
        contact: party.hint,
        by_us: scene.via.is_some(),
        emoji: reaction.text.clone().filter(|emoji| !emoji.is_empty()),
        at: scene.at,
    })
}

impl Scene<'_> {
    fn echo(&self) -> Option<Echo> {
        self.via.map(|via| Echo { client_ref: None, via: Some(via.to_owned()) })
    }

    /// The id of a message that whoever acts here wrote.
    fn id_of_same_side(&self, id: &str, party: &Party) -> RemoteId {
        match self.via {
            None => RemoteId::within(id, &party.thread),
            Some(_) => RemoteId::new(id),
        }
    }

    /// The id of a message by its author. One that is not told is the other side: people answer each other.
    fn id_of(&self, id: &str, author: Option<&str>, party: &Party) -> RemoteId {
        let ours = match author.filter(|author| !author.is_empty()) {
            Some(author) => author == self.own,
            None => self.via.is_none(),
        };
        if ours { RemoteId::new(id) } else { RemoteId::within(id, &party.thread) }
    }
}

/// How far a message of ours came.
fn read_status(status: &Status, at: Timestamp) -> InboundEvent {
    let word = status.status.as_deref().unwrap_or_default();
    let Some(id) = status.id_message.as_deref() else {
        return unreadable(format!("a status \"{}\" that names no message", short(word)));
    };
    let failed = |code: &str, message: String| {
        (MessageStatus::Failed, Some(StatusError { code: code.to_owned(), message, action: None }))
    };
    let (news, error) = match word {
        "sent" => (MessageStatus::Sent, None),
        "delivered" => (MessageStatus::Delivered, None),
        "read" => (MessageStatus::Read, None),
        "noAccount" => failed("NO_ACCOUNT", "This number is not on WhatsApp.".to_owned()),
        "notInGroup" => failed("NOT_IN_GROUP", "The number is not a member of this group.".to_owned()),
        "failed" => failed("FAILED", why_failed(status.description.as_deref())),
        // It waits in Green API's queue; the state of the instance is told on its own.
        "yellowCard" => return ignored("a status: sending is restricted for a while".to_owned()),
        _ => return ignored(format!("a status \"{}\"", short(word))),
    };
    InboundEvent::Status(StatusNews {
        remote_id: RemoteId::new(id),
        client_ref: None,
        status: news,
        at,
        error,
        recipient: Vec::new(),
    })
}

fn why_failed(description: Option<&str>) -> String {
    match description.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) if text.starts_with("SWE004") => {
            "The group has more members than Green API can write to (300).".to_owned()
        }
        Some(text) => {
            let text: String = text.chars().take(300).collect();
            format!("WhatsApp could not deliver the message. Green API says: {text}")
        }
        None => "WhatsApp could not deliver the message and does not say why.".to_owned(),
    }
}

fn read_quota(kind: &str, quota: &Quota) -> InboundEvent {
    let what = match quota.method.as_deref() {
        Some("correspondents") => "chats",
        Some("checkwhatsapp") => "checks of numbers",
        _ => "calls",
    };
    let used = match (quota.used, quota.total) {
        (Some(used), Some(total)) => format!(" ({used} of {total})"),
        _ => String::new(),
    };
    InboundEvent::Notice(Notice {
        kind: kind.to_owned(),
        message: format!(
            "The tariff's {what} of this month are used up{used}. Change the tariff in the Green API console, or wait for \
             the first of the month."
        ),
        state: None,
        used_up: true,
    })
}

/// A call is one line of the thread: its first notification makes it, all that follow say how it went.
fn read_call(call: &Call, scene: &Scene<'_>) -> Vec<InboundEvent> {
    let other = match scene.via {
        None => call.from.as_deref(),
        Some(_) => call.participants.iter().find_map(|participant| participant.id.as_deref()),
    };
    let (Some(party), Some(id)) = (other.and_then(people::named), call.id_message.as_deref()) else {
        return vec![unreadable("a call that does not say with whom".to_owned())];
    };
    let line = describe_call(call, scene, None);
    let remote_id = scene.id_of_same_side(id, &party);
    let notice = SystemNotice { kind: "call".to_owned(), body: None };
    let message = InboundEvent::Message(Box::new(InboundMessage {
        remote_id: remote_id.clone(),
        thread: party.thread,
        contact: party.hint,
        author: None,
        echo: scene.echo(),
        sent_at: scene.at,
        content: Content::of(
            MessageKind::Call,
            Some(line),
            Payload { system: Some(notice), ..Payload::default() },
        ),
        reply_to: None,
        forwarded: false,
    }));
    let outcome = outcome_of(call.status.as_deref().unwrap_or_default());
    let edit = outcome.map(|(rank, outcome)| {
        let text = Some(describe_call(call, scene, Some(outcome)));
        InboundEvent::Edit(EditNews { target: remote_id, text, version: rank, at: scene.at })
    });
    [message].into_iter().chain(edit).collect()
}

/// What a call's status says of it, and which of several counts.
fn outcome_of(status: &str) -> Option<(i64, &'static str)> {
    match status {
        "hangUp" | "hungUp" | "invalid" => Some((1, "not answered")),
        "missed" => Some((2, "missed")),
        "declined" => Some((3, "declined")),
        "pickUp" => Some((4, "answered")),
        _ => None,
    }
}

fn describe_call(call: &Call, scene: &Scene<'_>, outcome: Option<&str>) -> String {
    let way = if scene.via.is_none() { "Incoming" } else { "Outgoing" };
    let kind = if call.is_video == Some(true) { "video call" } else { "call" };
    let seconds = call.duration.filter(|seconds| *seconds > 0);
    match (outcome, seconds) {
        (None, _) => format!("{way} {kind}"),
        (Some(outcome), None) => format!("{way} {kind}, {outcome}"),
        (Some(outcome), Some(s)) => format!("{way} {kind}, {outcome}, {}:{:02}", s / 60, s % 60),
    }
}
