//! What happened, as Green API remembers it. Journals lag up to two minutes behind.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::receiving::MessageName;
use crate::{
    ChatId, GreenClient,
    error::GreenCallError,
    method,
    method::Method,
    webhook::{
        self, Content, QuotedMessage,
        lenient::{self, Parts},
    },
};

/// Who wrote a message of the journals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Somebody, to the instance.
    Incoming,
    /// The instance, by the API or on its phone.
    Outgoing,
}

/// One message of the journals.
#[derive(Debug, Clone)]
pub struct JournalMessage {
    /// Who wrote it.
    pub direction: Direction,
    /// `idMessage`; unique within its chat only.
    pub id: String,
    /// When, in seconds since 1970 (UTC).
    pub timestamp: Option<i64>,
    /// `typeMessage`, as written.
    pub kind: String,
    /// The chat.
    pub chat_id: Option<String>,
    /// What it says.
    pub content: Content,
    /// The message it answers, or reacts to.
    pub quoted: Option<QuotedMessage>,
    /// Incoming: who wrote it.
    pub sender_id: Option<String>,
    /// Incoming: the name they gave themselves.
    pub sender_name: Option<String>,
    /// Incoming: the name in the address book.
    pub sender_contact_name: Option<String>,
    /// Outgoing: how far it came, as `read`.
    pub status: Option<String>,
    /// Outgoing: by the API, not on the phone.
    pub send_by_api: Option<bool>,
    /// This deletes that message.
    pub deleted_message_id: Option<String>,
    /// This changes that message.
    pub edited_message_id: Option<String>,
    /// It was changed later.
    pub is_edited: bool,
    /// It was deleted later.
    pub is_deleted: bool,
}

impl<'de> Deserialize<'de> for JournalMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::read(&raw).ok_or_else(|| serde::de::Error::custom("not a message of the journals"))
    }
}

impl JournalMessage {
    fn read(raw: &RawValue) -> Option<Self> {
        let parts = Parts::of(raw.get()).ok()?;
        let kind = parts.text("typeMessage")?;
        let incoming = parts.text("type")? == "incoming";
        Some(Self {
            direction: if incoming { Direction::Incoming } else { Direction::Outgoing },
            id: parts.text("idMessage")?,
            timestamp: parts.scalar("timestamp"),
            chat_id: parts.text("chatId"),
            content: Content::read(&kind, raw, &parts),
            quoted: parts.raw("quotedMessage").and_then(webhook::quoted),
            sender_id: parts.text("senderId"),
            sender_name: parts.text("senderName"),
            sender_contact_name: parts.text("senderContactName"),
            status: parts.text("statusMessage"),
            send_by_api: parts.scalar("sendByApi"),
            deleted_message_id: parts.text("deletedMessageId"),
            edited_message_id: parts.text("editedMessageId"),
            is_edited: parts.scalar("isEdited").unwrap_or(false),
            is_deleted: parts.scalar("isDeleted").unwrap_or(false),
            kind,
        })
    }
}

/// A journal: a message that cannot be read costs no other.
struct Journal(Vec<JournalMessage>);

impl<'de> Deserialize<'de> for Journal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::<Box<RawValue>>::deserialize(deserializer)?;
        Ok(Self(items.iter().filter_map(|item| JournalMessage::read(item)).collect()))
    }
}

/// A call of the journals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JournalCall {
    /// `incoming` or `outgoing`.
    #[serde(rename = "type", deserialize_with = "lenient::scalar")]
    pub direction: Option<String>,
    /// The call.
    #[serde(deserialize_with = "lenient::scalar")]
    pub id_message: Option<String>,
    /// When, in seconds since 1970 (UTC).
    #[serde(deserialize_with = "lenient::scalar")]
    pub timestamp: Option<i64>,
    /// `incomingCall` or `outgoingCall`.
    #[serde(deserialize_with = "lenient::scalar")]
    pub type_message: Option<String>,
    /// With whom.
    #[serde(deserialize_with = "lenient::scalar")]
    pub chat_id: Option<String>,
    /// How long, in seconds.
    #[serde(deserialize_with = "lenient::scalar")]
    pub duration: Option<i64>,
    /// With picture.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_video: Option<bool>,
    /// As `pickUp`.
    #[serde(deserialize_with = "lenient::scalar")]
    pub status: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct History<'a> {
    chat_id: &'a ChatId,
    count: u32,
}

impl GreenClient {
    /// The last messages of a chat, newest first.
    pub async fn get_chat_history(
        &self,
        chat_id: &ChatId,
        count: u32,
    ) -> Result<Vec<JournalMessage>, GreenCallError> {
        let history = History { chat_id, count };
        Ok(self.call::<Journal>(&method::GET_CHAT_HISTORY, Some(&history)).await?.0)
    }

    /// One message.
    pub async fn get_message(
        &self,
        chat_id: &ChatId,
        id_message: &str,
    ) -> Result<JournalMessage, GreenCallError> {
        self.call(&method::GET_MESSAGE, Some(&MessageName { chat_id, id_message })).await
    }

    /// What came in lately.
    pub async fn last_incoming_messages(
        &self,
        within: Duration,
    ) -> Result<Vec<JournalMessage>, GreenCallError> {
        Ok(self.query::<Journal>(&method::LAST_INCOMING_MESSAGES, &[minutes(within)]).await?.0)
    }

    /// What went out lately: where to look for a send whose answer never came.
    pub async fn last_outgoing_messages(
        &self,
        within: Duration,
    ) -> Result<Vec<JournalMessage>, GreenCallError> {
        Ok(self.query::<Journal>(&method::LAST_OUTGOING_MESSAGES, &[minutes(within)]).await?.0)
    }

    /// Who called lately.
    pub async fn last_incoming_calls(&self, within: Duration) -> Result<Vec<JournalCall>, GreenCallError> {
        self.calls(&method::LAST_INCOMING_CALLS, within).await
    }

    /// Who was called lately.
    pub async fn last_outgoing_calls(&self, within: Duration) -> Result<Vec<JournalCall>, GreenCallError> {
        self.calls(&method::LAST_OUTGOING_CALLS, within).await
    }

    async fn calls(&self, method: &Method, within: Duration) -> Result<Vec<JournalCall>, GreenCallError> {
        self.query(method, &[minutes(within)]).await
    }
}

fn minutes(within: Duration) -> (&'static str, String) {
    ("minutes", within.as_secs().div_ceil(60).max(1).to_string())
}
