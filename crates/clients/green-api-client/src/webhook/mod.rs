//! The bodies Green API posts to a webhook or hands out by `receiveNotification`, exactly as it writes them.
//!
//! ```text
//! {"typeWebhook": "...", "instanceData": {"idInstance", "wid"}, "timestamp": seconds, ...}
//!   messages: "idMessage", "senderData": {...}, "messageData": {"typeMessage": "...", part by type}
//! ```
//!
//! One notification per body. A kind that is not known here, of notification or of message, is kept as it came:
//! [`Event::Unknown`], [`Content::Unknown`]. Only a body that is no JSON object, or has no `typeWebhook`, is an error.
//! To add a kind: a variant in [`Event`] or [`Content`], a line where it is chosen, a fixture.

mod content;
pub(crate) mod lenient;

use serde::Deserialize;
use serde_json::value::RawValue;

pub use content::{
    Button, ButtonPressed, Buttons, ContactCard, Contacts, Content, Deleted, Edited, ExtendedText, File,
    GroupInvite, KINDS as MESSAGE_KINDS, Location, Poll, PollOption, PollVote, RowPicked, ServiceMark, Text,
};
use lenient::Parts;

/// Every `typeWebhook` with a variant of its own.
pub const KINDS: [&str; 12] = [
    "incomingMessageReceived",
    "outgoingMessageReceived",
    "outgoingAPIMessageReceived",
    "outgoingMessageStatus",
    "stateInstanceChanged",
    "statusInstanceChanged",
    "deviceInfo",
    "incomingCall",
    "outgoingCall",
    "incomingBlock",
    "avatarInfo",
    "quotaExceeded",
];

/// The body is no notification. Says where, never what: the text may hold personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    Encoding,
    /// Not JSON, or no object.
    #[error("the body is not a JSON object (line {line}, column {column})")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Without `typeWebhook`.
    #[error("the body has no typeWebhook")]
    NoKind,
}

impl From<serde_json::Error> for ParseError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column() }
    }
}

/// One notification.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// `typeWebhook`, as written.
    pub kind: String,
    /// Which instance it is about.
    pub instance: InstanceData,
    /// When it happened, in seconds since 1970 (UTC).
    pub timestamp: Option<i64>,
    /// What happened.
    pub event: Event,
}

/// Which instance a notification is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InstanceData {
    /// The instance.
    #[serde(deserialize_with = "lenient::scalar")]
    pub id_instance: Option<i64>,
    /// Its own chat id; empty while nobody is signed in.
    #[serde(deserialize_with = "lenient::scalar")]
    pub wid: Option<String>,
    /// `whatsapp`.
    #[serde(deserialize_with = "lenient::scalar")]
    pub type_instance: Option<String>,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// `incomingMessageReceived`: somebody wrote.
    IncomingMessage(Box<Message>),
    /// `outgoingMessageReceived`: somebody wrote on the instance's own phone.
    PhoneMessage(Box<Message>),
    /// `outgoingAPIMessageReceived`: what was sent by the API, with the id its answer had.
    ApiMessage(Box<Message>),
    /// `outgoingMessageStatus`
    Status(MessageStatus),
    /// `stateInstanceChanged`
    State(StateChange),
    /// `statusInstanceChanged` (deprecated): `online` or `offline`.
    Connectivity(String),
    /// `deviceInfo` (no longer sent)
    Device(DeviceData),
    /// `incomingCall`
    IncomingCall(Call),
    /// `outgoingCall`
    OutgoingCall(Call),
    /// `incomingBlock` (not sent at present)
    Block(Block),
    /// `avatarInfo`
    Avatar(AvatarInfo),
    /// `quotaExceeded`
    Quota(Quota),
    /// A kind without a variant: the whole body.
    Unknown(Box<RawValue>),
    /// A kind with a variant, in a shape that is not its own: the whole body.
    Unreadable(Box<RawValue>),
}

/// A message and who wrote it.
#[derive(Debug, Clone)]
pub struct Message {
    /// `idMessage`; unique within its chat only.
    pub id: String,
    /// Where and by whom.
    pub sender: SenderData,
    /// `typeMessage`, as written.
    pub kind: String,
    /// What it says.
    pub content: Content,
    /// The message it answers, or reacts to.
    pub quoted: Option<QuotedMessage>,
}

/// Where a message was written, and by whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SenderData {
    /// The chat: a person's `…@c.us` or `…@lid`, or a group's `…@g.us`.
    #[serde(deserialize_with = "lenient::scalar")]
    pub chat_id: Option<String>,
    /// The chat's name.
    #[serde(deserialize_with = "lenient::scalar")]
    pub chat_name: Option<String>,
    /// Who wrote; in a group one of its people.
    #[serde(deserialize_with = "lenient::scalar")]
    pub sender: Option<String>,
    /// The name the sender gave themselves.
    #[serde(deserialize_with = "lenient::scalar")]
    pub sender_name: Option<String>,
    /// The name in the phone's address book.
    #[serde(deserialize_with = "lenient::scalar")]
    pub sender_contact_name: Option<String>,
    /// The sender's number, where `sender` is a `…@lid`.
    #[serde(deserialize_with = "lenient::scalar")]
    pub sender_phone_number: Option<String>,
}

/// A message that another one answers.
#[derive(Debug, Clone)]
pub struct QuotedMessage {
    /// Its id.
    pub stanza_id: String,
    /// Who wrote it.
    pub participant: Option<String>,
    /// Its `typeMessage`.
    pub kind: Option<String>,
    /// What it says; reactions only name it.
    pub content: Option<Content>,
}

/// How far a sent message came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MessageStatus {
    /// Its chat.
    #[serde(deserialize_with = "lenient::scalar")]
    pub chat_id: Option<String>,
    /// Which message.
    #[serde(deserialize_with = "lenient::scalar")]
    pub id_message: Option<String>,
    /// `sent`, `delivered`, `read`, `failed`, `noAccount`, `notInGroup`, `yellowCard`.
    #[serde(deserialize_with = "lenient::scalar")]
    pub status: Option<String>,
    /// Why it failed.
    #[serde(deserialize_with = "lenient::scalar")]
    pub description: Option<String>,
    /// Sent by the API, not on the phone.
    #[serde(deserialize_with = "lenient::scalar")]
    pub send_by_api: Option<bool>,
}

/// The instance is in another state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// The state.
    pub state: crate::InstanceState,
}

/// The phone behind the instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeviceData {
    /// As `android`.
    #[serde(deserialize_with = "lenient::scalar")]
    pub platform: Option<String>,
    /// Who made it.
    #[serde(deserialize_with = "lenient::scalar")]
    pub device_manufacturer: Option<String>,
    /// Its model.
    #[serde(deserialize_with = "lenient::scalar")]
    pub device_model: Option<String>,
    /// Version of its system.
    #[serde(deserialize_with = "lenient::scalar")]
    pub os_version: Option<String>,
    /// Version of WhatsApp.
    #[serde(deserialize_with = "lenient::scalar")]
    pub wa_version: Option<String>,
    /// Charge, in per cent.
    #[serde(deserialize_with = "lenient::scalar")]
    pub battery: Option<i64>,
}

/// A call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Call {
    /// The call.
    #[serde(deserialize_with = "lenient::scalar")]
    pub id_message: Option<String>,
    /// Who calls.
    #[serde(deserialize_with = "lenient::scalar")]
    pub from: Option<String>,
    /// `offer`, `pickUp`, `hangUp` (also written `hungUp`), `missed`, `declined`, `invalid`.
    #[serde(deserialize_with = "lenient::scalar")]
    pub status: Option<String>,
    /// With picture.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_video: Option<bool>,
    /// How long, in seconds.
    #[serde(deserialize_with = "lenient::scalar")]
    pub duration: Option<i64>,
    /// Outgoing calls: who was called.
    #[serde(deserialize_with = "lenient::list")]
    pub participants: Vec<CallParticipant>,
}

/// Somebody who was called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CallParticipant {
    /// Who.
    #[serde(deserialize_with = "lenient::scalar")]
    pub id: Option<String>,
    /// What they did.
    #[serde(deserialize_with = "lenient::scalar")]
    pub status: Option<String>,
}

/// Somebody blocked the instance, or no longer does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Block {
    /// Who.
    #[serde(deserialize_with = "lenient::scalar")]
    pub chat_id: Option<String>,
    /// As `blocked`.
    #[serde(deserialize_with = "lenient::scalar")]
    pub chat_state: Option<String>,
}

/// Somebody's picture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AvatarInfo {
    /// Whose.
    #[serde(deserialize_with = "lenient::scalar")]
    pub chat_id: Option<String>,
    /// They are on WhatsApp.
    #[serde(deserialize_with = "lenient::scalar")]
    pub exists_whatsapp: Option<bool>,
    /// The picture.
    #[serde(deserialize_with = "lenient::scalar")]
    pub url_avatar: Option<String>,
    /// Why there is none.
    #[serde(deserialize_with = "lenient::scalar")]
    pub reason: Option<String>,
}

/// An allowance of the tariff is used up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Quota {
    /// Which one, as `correspondents`.
    #[serde(deserialize_with = "lenient::scalar")]
    pub method: Option<String>,
    /// How much was used.
    #[serde(deserialize_with = "lenient::scalar")]
    pub used: Option<i64>,
    /// How much there is.
    #[serde(deserialize_with = "lenient::scalar")]
    pub total: Option<i64>,
    /// As `CORRESPONDENTS_QUOTA_EXCEEDED`.
    #[serde(deserialize_with = "lenient::scalar")]
    pub status: Option<String>,
    /// In words, with the chats that may still be written to.
    #[serde(deserialize_with = "lenient::scalar")]
    pub description: Option<String>,
}

/// Reads a webhook's body.
///
/// Errors: [`ParseError`] only when it is no notification at all; a new kind is [`Event::Unknown`].
pub fn parse(body: &[u8]) -> Result<Webhook, ParseError> {
    let text = std::str::from_utf8(body).map_err(|_| ParseError::Encoding)?;
    let whole: &RawValue = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
    read(whole)
}

pub(crate) fn read(whole: &RawValue) -> Result<Webhook, ParseError> {
    let parts = Parts::of(whole.get())?;
    let kind = parts.text("typeWebhook").ok_or(ParseError::NoKind)?;
    let event = find_event(&kind, &parts).unwrap_or_else(|| {
        let whole = whole.to_owned();
        if KINDS.contains(&kind.as_str()) { Event::Unreadable(whole) } else { Event::Unknown(whole) }
    });
    Ok(Webhook {
        instance: parts.part("instanceData").unwrap_or_default(),
        timestamp: parts.scalar("timestamp"),
        kind,
        event,
    })
}

/// Which instance a body is about, without reading the rest: to choose the token it must come with.
pub fn instance_of(body: &[u8]) -> Option<u64> {
    let parts = Parts::of(std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}')).ok()?;
    let id: i64 = parts.parts("instanceData")?.scalar("idInstance")?;
    u64::try_from(id).ok()
}

/// The `typeWebhook` of a body, without reading the rest: to count by it.
pub fn kind_of(body: &[u8]) -> Option<String> {
    let parts = Parts::of(std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}')).ok()?;
    parts.text("typeWebhook")
}

fn find_event(kind: &str, parts: &Parts<'_>) -> Option<Event> {
    let message = || find_message(parts).map(Box::new);
    // One of the vendor's examples names a quota a block.
    if let Some(quota) = parts.part("quotaData") {
        return Some(Event::Quota(quota));
    }
    Some(match kind {
        "incomingMessageReceived" => Event::IncomingMessage(message()?),
        "outgoingMessageReceived" => Event::PhoneMessage(message()?),
        "outgoingAPIMessageReceived" => Event::ApiMessage(message()?),
        "outgoingMessageStatus" => Event::Status(parts.whole()?),
        "stateInstanceChanged" => {
            let state: String = parts.text("stateInstance")?;
            Event::State(StateChange { state: state.into() })
        }
        "statusInstanceChanged" => Event::Connectivity(parts.text("statusInstance")?),
        "deviceInfo" => Event::Device(parts.part("deviceData")?),
        "incomingCall" => Event::IncomingCall(parts.whole()?),
        "outgoingCall" => Event::OutgoingCall(parts.whole()?),
        "incomingBlock" => Event::Block(parts.whole()?),
        "avatarInfo" => Event::Avatar(parts.part("avatarInfo")?),
        _ => return None,
    })
}

fn find_message(parts: &Parts<'_>) -> Option<Message> {
    let data = parts.raw("messageData")?;
    let data_parts = Parts::of(data.get()).ok()?;
    let kind = data_parts.text("typeMessage")?;
    Some(Message {
        id: parts.text("idMessage")?,
        sender: parts.part("senderData")?,
        content: Content::read(&kind, data, &data_parts),
        quoted: data_parts.raw("quotedMessage").and_then(quoted),
        kind,
    })
}

pub(crate) fn quoted(raw: &RawValue) -> Option<QuotedMessage> {
    let parts = Parts::of(raw.get()).ok()?;
    let kind = parts.text("typeMessage");
    Some(QuotedMessage {
        stanza_id: parts.text("stanzaId")?,
        participant: parts.text("participant"),
        content: kind.as_deref().map(|kind| Content::read(kind, raw, &parts)),
        kind,
    })
}
