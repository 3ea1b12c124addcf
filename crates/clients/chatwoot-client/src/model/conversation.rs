//! Threads.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Agent, Attributes, Contact, ContactInbox, ConversationStatus, Message, NewMessage, Team, words};
use crate::{Timestamp, tolerant};

words! {
    /// How urgent a conversation is.
    Priority {
        /// Least.
        Low = "low",
        /// Less than high.
        Medium = "medium",
        /// More than medium.
        High = "high",
        /// Most.
        Urgent = "urgent",
    }
}

/// A thread with a contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Conversation {
    /// Its number within the account: what addresses show.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// The account.
    #[serde(default, deserialize_with = "tolerant::opt_int")]
    pub account_id: Option<i64>,
    /// The inbox.
    #[serde(default, deserialize_with = "tolerant::opt_int")]
    pub inbox_id: Option<i64>,
    /// Where it stands.
    #[serde(default, deserialize_with = "tolerant::word")]
    pub status: Option<ConversationStatus>,
    /// How urgent it is.
    #[serde(default, deserialize_with = "tolerant::word")]
    pub priority: Option<Priority>,
    /// The person outside: Chatwoot's `meta.sender`.
    #[serde(default, deserialize_with = "tolerant::part")]
    pub contact: Option<Contact>,
    /// The contact's name in the inbox; only in webhooks.
    #[serde(default, deserialize_with = "tolerant::part", skip_serializing_if = "Option::is_none")]
    pub contact_inbox: Option<ContactInbox>,
    /// Who is in charge.
    #[serde(default, deserialize_with = "tolerant::part_or_empty")]
    pub meta: ConversationMeta,
    /// Labels.
    #[serde(default, deserialize_with = "tolerant::list")]
    pub labels: Vec<String>,
    /// The last message only; in webhooks the newest public one when it was sent, often not the event's.
    #[serde(default, deserialize_with = "tolerant::list")]
    pub messages: Vec<Message>,
    /// How many messages it has: Chatwoot does not say, so `null`, until somebody counted.
    #[serde(default, deserialize_with = "tolerant::opt_int")]
    pub messages_count: Option<i64>,
    /// Messages of the contact that nobody has read, 10 at most.
    #[serde(default, deserialize_with = "tolerant::count")]
    pub unread_count: i64,
    /// May be answered now.
    #[serde(default, deserialize_with = "tolerant::boolean")]
    pub can_reply: bool,
    /// No notifications.
    #[serde(default, deserialize_with = "tolerant::boolean")]
    pub muted: bool,
    /// When a snoozed one comes back.
    #[serde(default, deserialize_with = "tolerant::opt_time")]
    pub snoozed_until: Option<Timestamp>,
    /// Attributes that people define.
    #[serde(default, deserialize_with = "tolerant::object")]
    pub custom_attributes: Attributes,
    /// Attributes that the server keeps.
    #[serde(default, deserialize_with = "tolerant::object")]
    pub additional_attributes: Attributes,
    /// When it began.
    #[serde(default, deserialize_with = "tolerant::opt_time")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed, to the fraction of a second: its version.
    #[serde(default, deserialize_with = "tolerant::opt_time")]
    pub updated_at: Option<Timestamp>,
    /// When something was last written.
    #[serde(default, deserialize_with = "tolerant::opt_time")]
    pub last_activity_at: Option<Timestamp>,
    /// Since when the contact waits.
    #[serde(default, deserialize_with = "tolerant::opt_time")]
    pub waiting_since: Option<Timestamp>,
    /// When it was first answered.
    #[serde(default, deserialize_with = "tolerant::opt_time")]
    pub first_reply_created_at: Option<Timestamp>,
    /// When an agent last looked.
    #[serde(default, deserialize_with = "tolerant::opt_time")]
    pub agent_last_seen_at: Option<Timestamp>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Attributes,
}

impl<'de> Deserialize<'de> for Conversation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let sender =
            value.get("meta").and_then(|meta| meta.get("sender")).filter(|sender| sender.is_object());
        if let Some(sender) = sender.cloned()
            && !value.get("contact").is_some_and(Value::is_object)
        {
            value["contact"] = sender;
        }
        Self::deserialize(value).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Conversation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// Who is in charge of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConversationMeta {
    /// The person outside.
    #[serde(default, deserialize_with = "tolerant::part")]
    pub sender: Option<Contact>,
    /// The agent in charge.
    #[serde(default, deserialize_with = "tolerant::part")]
    pub assignee: Option<Agent>,
    /// The team in charge.
    #[serde(default, deserialize_with = "tolerant::part")]
    pub team: Option<Team>,
    /// `Channel::Api`, `Channel::Whatsapp`…
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub channel: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Attributes,
}

/// How many conversations there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConversationCounts {
    /// Those of the token's owner.
    #[serde(deserialize_with = "tolerant::count")]
    pub mine_count: i64,
    /// Those of anybody.
    #[serde(deserialize_with = "tolerant::count")]
    pub assigned_count: i64,
    /// Those of nobody.
    #[serde(deserialize_with = "tolerant::count")]
    pub unassigned_count: i64,
    /// All.
    #[serde(deserialize_with = "tolerant::count")]
    pub all_count: i64,
}

/// A conversation to begin: of a contact in an inbox, or of whom `source_id` names there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NewConversation {
    /// The inbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbox_id: Option<i64>,
    /// The contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<i64>,
    /// The contact's name in the inbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ConversationStatus>,
    /// The agent in charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee_id: Option<i64>,
    /// The team in charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<i64>,
    /// Attributes that people define.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub custom_attributes: Attributes,
    /// Attributes that the server keeps.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub additional_attributes: Attributes,
    /// Its first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<NewMessage>,
}

/// What became of a change of status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// It was done.
    #[serde(default, deserialize_with = "tolerant::boolean")]
    pub success: bool,
    /// Where the conversation stands now.
    #[serde(default, deserialize_with = "tolerant::word")]
    pub current_status: Option<ConversationStatus>,
    /// When a snoozed one comes back.
    #[serde(default, deserialize_with = "tolerant::opt_time")]
    pub snoozed_until: Option<Timestamp>,
}
