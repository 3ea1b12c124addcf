//! Messenger and Instagram: one event of `messaging[]` or `standby[]`.
//!
//! Ids (PSID per Page, IGSID per Instagram account) are opaque strings. In an echo the sender is the
//! Page. The same message may come twice; its key is [`Message::mid`].

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ReadError, UnixMillis, tolerant};

mod attachment;
mod news;
mod referral;

pub use attachment::{Attachment, Coordinates, Element, Payload, Products, TemplateButton};
pub use news::{Delivery, MessageEdit, Optin, Postback, Reaction, ReactionAction, Read};
pub use referral::{AdContext, Product, Referral};

/// Something a customer did, or an echo of what the Page did.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Who did it. Absent in an opt-in that only knows a `user_ref`.
    pub sender: Option<String>,
    /// The `user_ref` of such an opt-in.
    pub sender_user_ref: Option<String>,
    /// To whom.
    pub recipient: Option<String>,
    /// When.
    pub timestamp: Option<UnixMillis>,
    /// What.
    pub content: EventContent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventContent {
    /// A message, an echo, an unsend: see the flags.
    Message(Box<Message>),
    /// A message says something else now.
    Edit(MessageEdit),
    /// A button of ours was pressed: a line of the customer.
    Postback(Postback),
    /// A reaction was given or taken back.
    Reaction(Reaction),
    /// The customer saw our messages.
    Read(Read),
    /// Our messages arrived (Messenger only).
    Delivery(Delivery),
    /// The customer agreed to something.
    Optin(Optin),
    /// The customer came by a link or an ad, into a thread that existed.
    Referral(Referral),
    /// Another app got or wants the thread.
    Handover(Handover),
    /// `account_linking`, `policy_enforcement`, `game_plays`, events of tomorrow.
    Other,
    /// A known event whose part is malformed.
    Unreadable {
        /// Why.
        error: ReadError,
        /// The message it is about, if that much could be read.
        mid: Option<String>,
    },
}

impl EventContent {
    pub(super) fn error(&self) -> Option<&ReadError> {
        match self {
            Self::Unreadable { error, .. } => Some(error),
            Self::Message(message) => message.attachments.iter().find_map(|read| read.as_ref().err()),
            _ => None,
        }
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id; case-sensitive, says nothing about the order. `unnamed:...`, made of the whole event, where none came.
    pub mid: String,
    /// Its text.
    pub text: Option<String>,
    /// The payload of the quick reply that was pressed.
    pub quick_reply: Option<String>,
    /// What it answers.
    pub reply_to: Option<ReplyTo>,
    /// Its attachments, several at once.
    pub attachments: Vec<Result<Attachment, ReadError>>,
    /// The ad or product it came from.
    pub referral: Option<Referral>,
    /// The Page wrote it: by us, by another app, or in Meta's own inbox.
    pub is_echo: bool,
    /// Which app wrote it, in an echo.
    pub app_id: Option<String>,
    /// What we attached when we sent it, in an echo.
    pub metadata: Option<String>,
    /// It was taken back; the content must go.
    pub is_deleted: bool,
    /// Meta does not pass on what it was.
    pub is_unsupported: bool,
}

/// The app id of echoes written in Meta's own Page inbox.
pub const PAGE_INBOX_APP_ID: &str = "263902037430900";

#[derive(Deserialize)]
struct RawMessage<'a> {
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    mid: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    quick_reply: Option<QuickReply>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    reply_to: Option<ReplyTo>,
    #[serde(borrow, default)]
    attachments: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    referral: Option<Referral>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    is_echo: Option<bool>,
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    app_id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    metadata: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    is_deleted: Option<bool>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    is_unsupported: Option<bool>,
}

#[derive(Deserialize)]
struct QuickReply {
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    payload: Option<String>,
}

/// What a message answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ReplyTo {
    /// A message.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub mid: Option<String>,
    /// The customer answers themselves.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub is_self_reply: Option<bool>,
    /// An Instagram story of ours.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub story: Option<Story>,
}

/// An Instagram story; gone after 24 h.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Story {
    /// Its id.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub id: Option<String>,
    /// Its picture or video, signed and short-lived.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub url: Option<String>,
}

/// Another app got, gave up or wants the thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// What happened to the thread.
    pub kind: HandoverKind,
    /// Who had it; may be null.
    pub previous_owner_app_id: Option<String>,
    /// Who has it.
    pub new_owner_app_id: Option<String>,
    /// Who wants it.
    pub requested_owner_app_id: Option<String>,
    /// What they attached.
    pub metadata: Option<String>,
}

/// What happened to a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandoverKind {
    /// `pass_thread_control`: it was given.
    Pass,
    /// `take_thread_control`: it was taken.
    Take,
    /// `request_thread_control`: it is wanted.
    Request,
    /// `app_roles`: the apps' roles changed.
    AppRoles,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Owners {
    #[serde(deserialize_with = "tolerant::optional_id")]
    previous_owner_app_id: Option<String>,
    #[serde(deserialize_with = "tolerant::optional_id")]
    new_owner_app_id: Option<String>,
    #[serde(deserialize_with = "tolerant::optional_id")]
    requested_owner_app_id: Option<String>,
    #[serde(deserialize_with = "tolerant::optional")]
    metadata: Option<String>,
}

/// An event, its content not looked into yet.
#[derive(Deserialize)]
struct RawEvent<'a> {
    #[serde(default, deserialize_with = "tolerant::optional")]
    sender: Option<Party>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    recipient: Option<Party>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    timestamp: Option<UnixMillis>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message_edit: Option<&'a RawValue>,
    #[serde(borrow, default)]
    postback: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reaction: Option<&'a RawValue>,
    #[serde(borrow, default)]
    read: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delivery: Option<&'a RawValue>,
    #[serde(borrow, default)]
    optin: Option<&'a RawValue>,
    #[serde(borrow, default)]
    referral: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pass_thread_control: Option<&'a RawValue>,
    #[serde(borrow, default)]
    take_thread_control: Option<&'a RawValue>,
    #[serde(borrow, default)]
    request_thread_control: Option<&'a RawValue>,
    #[serde(borrow, default)]
    app_roles: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Party {
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    user_ref: Option<String>,
}

/// Fields whose change carries an event: what the dashboard's "Test" button sends.
pub(super) fn is_messaging_field(field: &str) -> bool {
    matches!(
        field,
        "" | "messages"
            | "standby"
            | "messaging_postbacks"
            | "messaging_optins"
            | "messaging_referral"
            | "messaging_referrals"
            | "messaging_seen"
            | "messaging_handover"
            | "messaging_handovers"
            | "message_reactions"
            | "message_reads"
            | "message_deliveries"
            | "message_echoes"
            | "message_edit"
            | "message_edits"
    )
}

pub(super) fn read_event(raw: &RawValue) -> Result<Event, ReadError> {
    let mut event: RawEvent<'_> = serde_json::from_str(raw.get())?;
    let sender = event.sender.take();
    let recipient = event.recipient.take();
    let (sender, sender_user_ref) = sender.map_or((None, None), |party| (party.id, party.user_ref));
    Ok(Event {
        sender,
        sender_user_ref,
        recipient: recipient.and_then(|party| party.id),
        timestamp: event.timestamp,
        content: read_event_content(&event, raw),
    })
}

fn read_event_content(event: &RawEvent<'_>, whole: &RawValue) -> EventContent {
    use HandoverKind::{AppRoles, Pass, Request, Take};
    if let Some(raw) = event.message {
        let read = read_message(raw, whole).map(|message| with_referral(message, event.referral));
        return read.map_or_else(|error| unreadable(raw, error), |m| EventContent::Message(Box::new(m)));
    }
    if let Some(raw) = event.message_edit {
        return part(raw, EventContent::Edit);
    }
    if let Some(raw) = event.postback {
        return part(raw, EventContent::Postback);
    }
    if let Some(raw) = event.reaction {
        return part(raw, EventContent::Reaction);
    }
    if let Some(raw) = event.read {
        return part(raw, EventContent::Read);
    }
    if let Some(raw) = event.delivery {
        return part(raw, EventContent::Delivery);
    }
    if let Some(raw) = event.optin {
        return part(raw, EventContent::Optin);
    }
    if let Some(raw) = event.referral {
        return part(raw, EventContent::Referral);
    }
    let handovers = [
        (Pass, event.pass_thread_control),
        (Take, event.take_thread_control),
        (Request, event.request_thread_control),
        (AppRoles, event.app_roles),
    ];
    for (kind, raw) in handovers {
        if let Some(raw) = raw {
            return part(raw, |owners: Owners| {
                EventContent::Handover(Handover {
                    kind,
                    previous_owner_app_id: owners.previous_owner_app_id,
                    new_owner_app_id: owners.new_owner_app_id,
                    requested_owner_app_id: owners.requested_owner_app_id,
                    metadata: owners.metadata,
                })
            });
        }
    }
    EventContent::Other
}

/// Some adverts tell where the customer came from beside the message.
fn with_referral(mut message: Message, beside: Option<&RawValue>) -> Message {
    if message.referral.is_none() {
        message.referral = beside.and_then(|raw| serde_json::from_str(raw.get()).ok());
    }
    message
}

fn read_message(raw: &RawValue, event: &RawValue) -> Result<Message, ReadError> {
    let message: RawMessage<'_> = serde_json::from_str(raw.get())?;
    let attachments = super::items(message.attachments, super::whatsapp::read_part::<Attachment>);
    let says_something =
        message.text.as_ref().is_some_and(|text| !text.is_empty()) || !attachments.is_empty();
    let mid = match message.mid {
        Some(mid) => mid,
        None if says_something => tolerant::stand_in_id(event.get()),
        None => return Err(ReadError::missing()),
    };
    Ok(Message {
        mid,
        text: message.text,
        quick_reply: message.quick_reply.and_then(|reply| reply.payload),
        reply_to: message.reply_to,
        attachments: attachments.into_iter().map(|item| item.read).collect(),
        referral: message.referral,
        is_echo: message.is_echo.unwrap_or(false),
        app_id: message.app_id,
        metadata: message.metadata,
        is_deleted: message.is_deleted.unwrap_or(false),
        is_unsupported: message.is_unsupported.unwrap_or(false),
    })
}

fn part<'a, T: Deserialize<'a>>(raw: &'a RawValue, content: impl FnOnce(T) -> EventContent) -> EventContent {
    match serde_json::from_str(raw.get()) {
        Ok(value) => content(value),
        Err(error) => unreadable(raw, error.into()),
    }
}

fn unreadable(raw: &RawValue, error: ReadError) -> EventContent {
    let mid: Option<tolerant::IdText<'_>> = tolerant::field(raw.get(), "mid").ok().flatten();
    EventContent::Unreadable { error, mid: mid.map(|mid| mid.0.into_owned()) }
}
