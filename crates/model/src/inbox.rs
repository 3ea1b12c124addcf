//! One connected account on a channel: one number, one page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AccountId, InboxId, Timestamp};

/// Settings of an inbox by field name, secrets among them; only in memory and sealed in the database.
pub type InboxSettings = BTreeMap<String, String>;

/// An inbox as its channel sees it.
#[derive(Clone)]
pub struct InboxConfig {
    /// Its id.
    pub id: InboxId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The channel's name.
    pub channel: String,
    /// All settings, secrets included.
    pub settings: InboxSettings,
}

impl std::fmt::Debug for InboxConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InboxConfig")
            .field("id", &self.id)
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

crate::words! {
    /// Whether an inbox works.
    pub enum ConnectionCode {
        /// All is well.
        Connected = "connected",
        /// Not checked yet, or being set up.
        Connecting = "connecting",
        /// It works with restrictions.
        Degraded = "degraded",
        /// The provider refuses us until someone signs in again.
        Reconnect = "reconnect",
        /// Stopped by us or by the provider.
        Paused = "paused",
        /// The provider cannot be reached at present.
        Unreachable = "unreachable",
    }
}

/// The state of an inbox: a code, a sentence for people and the action that helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionState {
    /// The code.
    pub code: ConnectionCode,
    /// What is the matter, for people.
    pub message: String,
    /// What to do about it; `None` when nothing is needed.
    pub action: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
}

impl ConnectionState {
    /// A state without an action.
    pub fn new(code: ConnectionCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), action: None, since: None }
    }

    /// The same with the action that helps.
    #[must_use]
    pub fn with_action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }
}
