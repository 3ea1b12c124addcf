//! Inboxes, agents, teams, labels, canned responses, definitions of attributes, webhooks.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::Attributes;
use crate::tolerant;

/// A connected channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Inbox {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub name: String,
    /// `Channel::Api`, `Channel::Whatsapp`…
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub channel_type: Option<String>,
    /// API inboxes: where its events go.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub webhook_url: Option<String>,
    /// One conversation per contact.
    #[serde(default, deserialize_with = "tolerant::boolean")]
    pub lock_to_single_conversation: bool,
    /// Names the inbox in the public API.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub inbox_identifier: Option<String>,
    /// Signs its webhooks (4.13 and later); only administrators see it, and it is never written out.
    #[serde(default, skip_serializing)]
    pub secret: Option<SecretString>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Attributes,
}

impl PartialEq for Inbox {
    fn eq(&self, other: &Self) -> bool {
        (self.id, &self.name, &self.channel_type, &self.extra)
            == (other.id, &other.name, &other.channel_type, &other.extra)
    }
}

/// An API inbox to be made.
#[derive(Debug, Clone, Default)]
pub struct NewApiInbox {
    /// Its name.
    pub name: String,
    /// Where its events go.
    pub webhook_url: Option<String>,
    /// One conversation per contact.
    pub lock_to_single_conversation: bool,
}

/// A person who answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub name: String,
    /// Its e-mail.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub email: Option<String>,
    /// `administrator` or `agent`.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub role: Option<String>,
    /// `online`, `busy` or `offline`.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub availability_status: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Attributes,
}

/// A group of agents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Team {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub name: String,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Attributes,
}

/// A label of the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// What conversations carry.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub title: String,
    /// As `#1f93ff`.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub color: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Attributes,
}

/// An answer kept for use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CannedResponse {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// What agents type for it.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub short_code: String,
    /// What it says.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub content: String,
}

/// A custom attribute that the account defines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttributeDefinition {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// Its name among the custom attributes.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub attribute_key: String,
    /// Its name on the screen.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub attribute_display_name: String,
    /// Everything else: type, values, whose attribute it is.
    #[serde(flatten)]
    pub extra: Attributes,
}

/// A subscription of the account's events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// Where events go.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub url: String,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub name: Option<String>,
    /// Which events.
    #[serde(default, deserialize_with = "tolerant::list")]
    pub subscriptions: Vec<String>,
    /// Signs them (4.11.2 and later); made by Chatwoot, cannot be changed, never written out.
    #[serde(default, skip_serializing)]
    pub secret: Option<SecretString>,
}

/// A subscription to be made or changed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewWebhook {
    /// Where events go.
    pub url: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which events.
    pub subscriptions: Vec<String>,
}
