//! What people choose about a bridge.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

frontdesk_model::words! {
    /// How many conversations a customer has there.
    pub enum ConversationPolicy {
        /// One for ever; what comes after it was resolved opens it again.
        Single = "single",
        /// One for each matter: what comes after it was resolved begins another.
        Multiple = "multiple",
    }
}

frontdesk_model::words! {
    /// Where a new conversation stands there.
    pub enum BeginAs {
        /// Somebody should answer.
        Open = "open",
        /// A bot has it.
        Pending = "pending",
    }
}

/// The settings of a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = BridgeSettings)]
pub struct BridgeSettings {
    /// Also locks the API inbox to one conversation, or unlocks it.
    pub conversations: ConversationPolicy,
    /// Status of new conversations there.
    pub begin_as: BeginAs,
    /// Whoever writes there is named in bold above what they write; there, whoever wrote here is too.
    pub signature: bool,
    /// Resolved or opened there is closed or opened here, and the other way round.
    pub follow_status: bool,
}

impl Default for BridgeSettings {
    fn default() -> Self {
        Self {
            conversations: ConversationPolicy::Single,
            begin_as: BeginAs::Open,
            signature: false,
            follow_status: true,
        }
    }
}

impl BridgeSettings {
    /// Whether the API inbox keeps each contact to one conversation.
    pub(crate) fn locks(self) -> bool {
        self.conversations == ConversationPolicy::Single
    }

    /// As kept. What a later version wrote and this one cannot read is the default.
    pub(crate) fn parse(kept: &str) -> Self {
        serde_json::from_str(kept).unwrap_or_default()
    }

    pub(crate) fn to_json(self) -> String {
        serde_json::to_string(&self).unwrap_or_default()
    }
}
