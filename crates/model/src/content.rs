//! What a message holds beyond its text: one optional part per kind.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::MessageId;
use crate::message::MessageKind;

/// The content of a message in our words, whichever channel it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// The kind, which decides how it is shown.
    pub kind: MessageKind,
    /// The text, caption or a one-line summary; `None` when there are no words at all.
    pub text: Option<String>,
    /// Details by kind.
    pub payload: Payload,
    /// Files, still at the provider.
    pub media: Vec<MediaRef>,
}

impl Content {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            kind: MessageKind::Text,
            text: Some(text.into()),
            payload: Payload::default(),
            media: Vec::new(),
        }
    }

    /// Something else, without files.
    pub fn of(kind: MessageKind, text: Option<String>, payload: Payload) -> Self {
        Self { kind, text, payload, media: Vec::new() }
    }

    /// A kind we do not know: shown as such and kept for replay.
    pub fn unsupported(kind: impl Into<String>, reason: Option<String>) -> Self {
        let payload =
            Payload { unsupported: Some(Unsupported { kind: kind.into(), reason }), ..Payload::default() };
        Self::of(MessageKind::Unsupported, None, payload)
    }
}

/// Details of a message, one part per kind; all of them absent for plain text. Stored as JSON.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is named after the type it holds")]
pub struct Payload {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub location: Option<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<ContactCard>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// Of `button_reply`, `list_reply` and `postback`.
    #[schema(nullable = false)]
    pub reply: Option<Choice>,
    /// Of `flow_reply`: what the customer filled in, any JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub response: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub order: Option<Order>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub template: Option<Template>,
    /// Buttons or a list sent by us, in the form the API takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = crate::outbound::Interactive, required = false)]
    pub interactive: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub referral: Option<Referral>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// Of `story_reply` and `story_mention`.
    #[schema(nullable = false)]
    pub story: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub share: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub system: Option<SystemNotice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unsupported: Option<Unsupported>,
    /// The message of ours that this one answers, where that had no id at the provider yet when this was written: it has
    /// one when this is sent. Not shown: `reply_to` says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub answers: Option<MessageId>,
}

impl Payload {
    /// True when there is nothing to store.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A place. Degrees, WGS 84.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub struct Location {
    pub latitude: f64,
    pub longitude: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A contact card.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub struct ContactCard {
    pub name: String,
    pub phones: Vec<Labelled>,
    pub emails: Vec<Labelled>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
}

/// A value with the label its owner gave it: a work phone, a home address.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Labelled {
    /// The phone number or address.
    pub value: String,
    /// `WORK`, `HOME`, `CELL`…
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What the customer pressed or chose.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub struct Choice {
    #[schema(required = true)]
    pub id: Option<String>,
    #[schema(required = true)]
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub description: Option<String>,
}

/// An order from a catalogue.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub struct Order {
    #[schema(required = true)]
    pub catalog_id: Option<String>,
    #[schema(required = true)]
    pub items: Vec<OrderItem>,
}

/// One line of an order. `price` is per piece, in `currency`, as the provider wrote it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub struct OrderItem {
    #[schema(required = true)]
    pub id: String,
    #[schema(required = true)]
    pub quantity: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    #[schema(required = true)]
    pub currency: String,
}

/// A template message: an approved text with its variables filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Template {
    /// The approved name.
    pub name: String,
    /// The language code, `en` or `pt_BR`.
    pub language: String,
    /// Header, body and button parameters in the provider's form.
    #[serde(default)]
    pub components: Vec<serde_json::Value>,
}

/// The advert, link or post through which the customer came.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub struct Referral {
    #[schema(required = true)]
    pub source: Option<String>,
    #[schema(required = true)]
    pub source_id: Option<String>,
    #[schema(required = true)]
    pub headline: Option<String>,
    #[schema(required = true)]
    pub body: Option<String>,
    #[schema(required = true)]
    pub url: Option<String>,
    #[schema(required = true)]
    pub reference: Option<String>,
}

/// An address on the provider's site.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub struct Link {
    #[schema(required = true)]
    pub id: Option<String>,
    #[schema(required = true)]
    pub url: Option<String>,
    #[schema(required = true)]
    pub title: Option<String>,
}

/// A notice of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SystemNotice {
    /// The provider's word for it: `user_changed_number`.
    pub kind: String,
    /// The provider's sentence.
    #[schema(required = true)]
    pub body: Option<String>,
}

/// A kind we do not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Unsupported {
    /// The provider's word for it.
    pub kind: String,
    /// Why, when the provider says so.
    #[schema(required = true)]
    pub reason: Option<String>,
}

crate::words! {
    /// The kinds of files a message can carry.
    pub enum MediaKind {
        /// A picture.
        Image = "image",
        /// A film.
        Video = "video",
        /// An audio file.
        Audio = "audio",
        /// A voice note.
        Voice = "voice",
        /// Any other file.
        Document = "document",
        /// A sticker.
        Sticker = "sticker",
    }
}

impl MediaKind {
    /// The message kind of a message that carries this file.
    pub const fn message_kind(self) -> MessageKind {
        match self {
            Self::Image => MessageKind::Image,
            Self::Video => MessageKind::Video,
            Self::Audio => MessageKind::Audio,
            Self::Voice => MessageKind::Voice,
            Self::Document => MessageKind::Document,
            Self::Sticker => MessageKind::Sticker,
        }
    }

    /// The kind of file a MIME type is shown as.
    pub fn of_mime(mime: &str) -> Self {
        match mime.split('/').next() {
            Some("image") if !mime.contains("svg") => Self::Image,
            Some("video") => Self::Video,
            Some("audio") => Self::Audio,
            _ => Self::Document,
        }
    }
}

/// A file that is still at the provider. Only the channel that made it can fetch it. Stored as JSON until fetched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaRef {
    /// How it is shown.
    pub kind: MediaKind,
    /// The provider's id, when it has to be asked for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// The address, when the provider gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The type the provider claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The name the sender gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// SHA-256 of the bytes in lower-case hex, when the provider tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}
