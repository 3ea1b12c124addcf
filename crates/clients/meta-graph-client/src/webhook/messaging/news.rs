//! What happens beside messages: edits, pressed buttons, reactions, receipts, opt-ins.

use serde::Deserialize;

use super::super::{UnixMillis, tolerant};
use super::Referral;

/// A message says something else now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MessageEdit {
    /// Which one.
    #[serde(deserialize_with = "tolerant::id")]
    pub mid: String,
    /// What it says now. May lack.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub text: Option<String>,
    /// Which edit, 1 to 5. 0 was seen for a *new* message (Instagram in development mode).
    #[serde(default, deserialize_with = "tolerant::optional_number")]
    pub num_edit: Option<i64>,
}

/// A pressed button.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Postback {
    /// Its id as a line of the conversation; older bodies lack it.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub mid: Option<String>,
    /// What it says.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub title: Option<String>,
    /// What we attached to it.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub payload: Option<String>,
    /// Where the customer came from.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub referral: Option<Referral>,
}

/// A reaction to one message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reaction {
    /// To which one.
    #[serde(deserialize_with = "tolerant::id")]
    pub mid: String,
    /// Given or taken back.
    pub action: ReactionAction,
    /// `love`, `smile`, ..., `other`; absent when taken back.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub reaction: Option<String>,
    /// The emoji; absent when taken back.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub emoji: Option<String>,
}

/// What was done with a reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReactionAction {
    /// Given.
    React,
    /// Taken back.
    Unreact,
}

/// The customer saw our messages: all up to a moment (Messenger), or one (Instagram).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Read {
    /// All sent before this moment.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub watermark: Option<UnixMillis>,
    /// This one.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub mid: Option<String>,
}

/// Our messages arrived.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Delivery {
    /// These; the list may lack.
    #[serde(default, deserialize_with = "tolerant::list")]
    pub mids: Vec<String>,
    /// All sent before this moment.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub watermark: Option<UnixMillis>,
}

/// The customer agreed to something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Optin {
    /// As `notification_messages`.
    #[serde(default, rename = "type", deserialize_with = "tolerant::optional")]
    pub kind: Option<String>,
    /// What we attached.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub payload: Option<String>,
    /// What we attached, in the older plug-ins.
    #[serde(default, rename = "ref", deserialize_with = "tolerant::optional_id")]
    pub reference: Option<String>,
    /// What it is called.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub title: Option<String>,
    /// Who, when there is no sender yet.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub user_ref: Option<String>,
}
