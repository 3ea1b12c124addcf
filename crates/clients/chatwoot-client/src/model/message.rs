//! What is written in a thread.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Attributes, words};
use crate::{Timestamp, tolerant};

words! {
    /// How far a message came.
    MessageStatus {
        /// On its way.
        Sent = "sent",
        /// It arrived.
        Delivered = "delivered",
        /// It was read.
        Read = "read",
        /// It never arrived.
        Failed = "failed",
    }
}

/// Kind of message: a number in answers, a word in webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// Of the contact.
    Incoming,
    /// Of an agent or bot.
    Outgoing,
    /// A note of the server on what happened.
    Activity,
    /// Of an automation.
    Template,
}

impl MessageType {
    /// The word, as webhooks write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
            Self::Activity => "activity",
            Self::Template => "template",
        }
    }

    /// The number, as answers write it.
    pub fn number(self) -> i64 {
        match self {
            Self::Incoming => 0,
            Self::Outgoing => 1,
            Self::Activity => 2,
            Self::Template => 3,
        }
    }

    fn read(value: &Value) -> Option<Self> {
        let all = [Self::Incoming, Self::Outgoing, Self::Activity, Self::Template];
        let number = tolerant::integer(value);
        let word = value.as_str();
        all.into_iter().find(|kind| number == Some(kind.number()) || word == Some(kind.as_str()))
    }
}

impl Serialize for MessageType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.number())
    }
}

impl<'de> Deserialize<'de> for MessageType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&Value::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom("an unknown kind of message"))
    }
}

fn opt_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MessageType>, D::Error> {
    Ok(MessageType::read(&Value::deserialize(deserializer)?))
}

/// One entry of a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// What it says.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub content: Option<String>,
    /// `text`, `input_select`, `cards`, `form`…
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub content_type: Option<String>,
    /// In reply to, items, deleted, the channel's error…
    #[serde(default, deserialize_with = "tolerant::object")]
    pub content_attributes: Attributes,
    /// Whose it is; `None`: a kind of tomorrow.
    #[serde(default, deserialize_with = "opt_kind")]
    pub message_type: Option<MessageType>,
    /// A note that the contact does not see.
    #[serde(default, deserialize_with = "tolerant::boolean")]
    pub private: bool,
    /// How far it came; webhooks do not say.
    #[serde(default, deserialize_with = "tolerant::word")]
    pub status: Option<MessageStatus>,
    /// Its id in the channel.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub source_id: Option<String>,
    /// What the sender of the request called it; only in the answer to that request.
    #[serde(default, deserialize_with = "tolerant::opt_text", skip_serializing_if = "Option::is_none")]
    pub echo_id: Option<String>,
    /// The conversation's number.
    #[serde(default, deserialize_with = "tolerant::opt_int")]
    pub conversation_id: Option<i64>,
    /// The inbox.
    #[serde(default, deserialize_with = "tolerant::opt_int")]
    pub inbox_id: Option<i64>,
    /// Who wrote it.
    #[serde(default, deserialize_with = "tolerant::part")]
    pub sender: Option<Sender>,
    /// Its files.
    #[serde(default, deserialize_with = "tolerant::list")]
    pub attachments: Vec<Attachment>,
    /// When it was written.
    #[serde(default, deserialize_with = "tolerant::opt_time")]
    pub created_at: Option<Timestamp>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Attributes,
}

impl Message {
    /// Was it taken back? Chatwoot leaves a tombstone.
    pub fn is_deleted(&self) -> bool {
        self.content_attributes.get("deleted").and_then(tolerant::flag).unwrap_or(false)
    }

    /// The message that it answers.
    pub fn in_reply_to(&self) -> Option<i64> {
        tolerant::integer(self.content_attributes.get("in_reply_to")?)
    }

    /// Why the channel did not take it.
    pub fn external_error(&self) -> Option<&str> {
        self.content_attributes.get("external_error")?.as_str()
    }
}

/// Who wrote a message: a contact (webhooks then give no type), an agent, a bot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sender {
    /// Its id among those of its type.
    #[serde(default, deserialize_with = "tolerant::opt_int")]
    pub id: Option<i64>,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub name: String,
    /// `contact`, `user`, `agent_bot`, `captain_assistant`.
    #[serde(default, rename = "type", deserialize_with = "tolerant::opt_text")]
    pub kind: Option<String>,
    /// E-mail.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub email: Option<String>,
    /// Number of a contact.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub phone_number: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Attributes,
}

impl Sender {
    /// Is it a person outside?
    pub fn is_contact(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("contact"))
    }
}

/// A file, place or card of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// `image`, `audio`, `video`, `file`, `location`, `contact`, `fallback`…
    #[serde(default, deserialize_with = "tolerant::words")]
    pub file_type: String,
    /// Where it is: an address that redirects to the storage.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub data_url: Option<String>,
    /// A small picture of it.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub thumb_url: Option<String>,
    /// Its type, if Chatwoot knows it.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub content_type: Option<String>,
    /// Its size in bytes.
    #[serde(default, deserialize_with = "tolerant::opt_int")]
    pub file_size: Option<i64>,
    /// Everything else: coordinates, transcript…
    #[serde(flatten)]
    pub extra: Attributes,
}

/// A message to write.
///
/// **An outgoing message with a `source_id` is never sent to the customer**: Chatwoot takes it for one that came from the
/// channel. It is right for mirroring what was sent elsewhere, and a trap for relays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NewMessage {
    /// What it says, up to 150,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Outgoing if not given. Incoming only in API inboxes.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_word")]
    pub message_type: Option<MessageType>,
    /// `text` if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// In reply to, items…
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub content_attributes: Attributes,
    /// A note that the contact does not see.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Its id in the channel: by this it is found again when an answer was lost. See above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// What we call it; comes back in the answer and is not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub echo_id: Option<String>,
    /// A template of WhatsApp.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_params: Option<Value>,
    /// When it was written elsewhere, in unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_created_at: Option<i64>,
}

impl NewMessage {
    /// An outgoing text.
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: Some(content.into()), ..Self::default() }
    }

    /// What a contact wrote, in an API inbox.
    pub fn incoming(content: impl Into<String>) -> Self {
        Self { message_type: Some(MessageType::Incoming), ..Self::text(content) }
    }

    /// A note that the contact does not see.
    pub fn note(content: impl Into<String>) -> Self {
        Self { private: true, ..Self::text(content) }
    }

    /// The same, answering another message.
    #[must_use]
    pub fn in_reply_to(mut self, message_id: i64) -> Self {
        self.content_attributes.insert("in_reply_to".to_owned(), message_id.into());
        self
    }
}

#[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
fn as_word<S: Serializer>(kind: &Option<MessageType>, serializer: S) -> Result<S::Ok, S::Error> {
    kind.map(MessageType::as_str).serialize(serializer)
}
