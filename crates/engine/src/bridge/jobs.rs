//! The kinds of work, as they are queued.

use frontdesk_model::{AccountId, BridgeId, ConversationId, MessageId, Timestamp};
use frontdesk_store::bridge_jobs::{self, NewBridgeJob};
use frontdesk_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Job {
    /// Show a message of ours there.
    Message { message: MessageId },
    /// An import: have the contact of a conversation be there.
    Person { conversation: ConversationId },
    /// An import: show a message from before the bridge there.
    History { message: MessageId },
    /// An import: what was shown of a conversation shall neither open it there nor be unread.
    Settle { conversation: ConversationId },
    /// Show there what became of a message: edited, taken back, reacted to, its files came.
    Change { message: MessageId },
    /// A message is gone here.
    Removed { message: MessageId },
    /// Tell how far a message came.
    Status { message: MessageId },
    /// Show there that we have read.
    Seen { conversation: ConversationId },
    /// Show there where a conversation stands here.
    State { conversation: ConversationId },
    /// Send what was written there. Without the message it is fetched first.
    Answer { conversation: i64, message: i64, written: Option<Value> },
    /// Something was changed there about a message written there: maybe it is to be sent again.
    Retried { conversation: i64, message: i64 },
    /// A message was deleted there.
    Deleted { message: i64 },
    /// A conversation was resolved or opened there.
    Moved { conversation: i64 },
}

impl Job {
    fn kind(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::Person { .. } => "person",
            Self::History { .. } => "history",
            Self::Settle { .. } => "settle",
            Self::Change { .. } => "change",
            Self::Removed { .. } => "removed",
            Self::Status { .. } => "status",
            Self::Seen { .. } => "seen",
            Self::State { .. } => "state",
            Self::Answer { .. } => "answer",
            Self::Retried { .. } => "retried",
            Self::Deleted { .. } => "deleted",
            Self::Moved { .. } => "moved",
        }
    }
}

/// What has to happen in order: everything about one conversation of ours.
pub(super) fn our_lane(conversation: ConversationId) -> String {
    format!("c{conversation}")
}

/// What has to happen in order: everything that was done in one conversation there.
pub(super) fn their_lane(conversation: i64) -> String {
    format!("r{conversation}")
}

/// Queues work; false when the same waits already.
pub(super) fn queue(
    tx: &mut Tx<'_>,
    (account_id, bridge_id): (AccountId, BridgeId),
    lane: &str,
    key: &str,
    job: &Job,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let data = serde_json::to_string(job).unwrap_or_default();
    let new = NewBridgeJob { account_id, bridge_id, lane, kind: job.kind(), key, data: &data };
    bridge_jobs::insert(tx, new, now)
}
