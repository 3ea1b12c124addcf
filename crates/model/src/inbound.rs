//! What a provider told us, in our words, not yet stored.

use serde::{Deserialize, Serialize};

use crate::contact::{ContactHint, Identity};
use crate::content::Content;
use crate::inbox::ConnectionState;
use crate::message::{MessageStatus, StatusError};
use crate::{RemoteId, Timestamp};

/// One thing a provider told us. A batch gives all of them, in the order of the body.
#[derive(Debug, Clone, PartialEq)]
pub enum InboundEvent {
    /// A new entry of a conversation.
    Message(Box<InboundMessage>),
    /// News about messages we sent.
    Status(StatusNews),
    /// All our messages up to a moment were delivered or read (Messenger's watermarks).
    Watermark(Watermark),
    /// Someone reacted to a message, or took it back.
    Reaction(ReactionNews),
    /// A message was changed.
    Edit(EditNews),
    /// A message was taken back.
    Delete(DeleteNews),
    /// The customer types, or stopped.
    Typing(TypingNews),
    /// A person's names on the network changed.
    IdentityChange(IdentityChange),
    /// The provider says something about the inbox itself.
    Notice(Notice),
    /// Understood and of no consequence here; named in the webhook log.
    Ignored {
        /// What it was, for the log.
        what: String,
    },
    /// A part that cannot be read; named in the webhook log, which keeps the body for replay.
    Unreadable {
        /// What it was and why, for the log.
        what: String,
    },
}

/// A new entry of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundMessage {
    /// The provider's id: unique within the inbox.
    pub remote_id: RemoteId,
    /// What the provider calls the other side of the thread.
    pub thread: String,
    /// The customer (also for an echo: whom it was sent to).
    pub contact: ContactHint,
    /// Who of several people wrote it, where the contact is a group; for people.
    pub author: Option<String>,
    /// Set when our side wrote it.
    pub echo: Option<Echo>,
    /// When it was written, by the provider's clock.
    pub sent_at: Timestamp,
    /// What it says.
    pub content: Content,
    /// The message it answers.
    pub reply_to: Option<RemoteId>,
    /// It was forwarded.
    pub forwarded: bool,
}

/// How a message of our own came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Echo {
    /// Our own reference, when the provider returned it.
    pub client_ref: Option<String>,
    /// Where it was written, for people: `WhatsApp Business app`, `Page inbox`.
    pub via: Option<String>,
}

/// How far one message of ours has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusNews {
    /// The message by the provider's id.
    pub remote_id: RemoteId,
    /// Our own reference, when the provider returned it.
    pub client_ref: Option<String>,
    /// The news.
    pub status: MessageStatus,
    /// When it happened.
    pub at: Timestamp,
    /// Why it failed.
    pub error: Option<StatusError>,
    /// Names of the recipient told along with it.
    pub recipient: Vec<Identity>,
}

/// Everything we sent up to `until` was delivered or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    /// The customer.
    pub contact: ContactHint,
    /// [`MessageStatus::Delivered`] or [`MessageStatus::Read`].
    pub status: MessageStatus,
    /// Messages of this moment and before.
    pub until: Timestamp,
}

/// A reaction of the customer, or of our side seen in an echo.
#[derive(Debug, Clone, PartialEq)]
pub struct ReactionNews {
    /// The message reacted to.
    pub target: RemoteId,
    /// The customer.
    pub contact: ContactHint,
    /// Our side reacted.
    pub by_us: bool,
    /// The emoji; `None` takes it back.
    pub emoji: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A changed message. The highest `version` wins, then the latest `at`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditNews {
    /// The message changed.
    pub target: RemoteId,
    /// The new text; `None` when the provider does not tell.
    pub text: Option<String>,
    /// The provider's count of edits; 0 when it does not count.
    pub version: i64,
    /// When.
    pub at: Timestamp,
}

/// Somebody types, or stopped. Worth something only now.
#[derive(Debug, Clone, PartialEq)]
pub struct TypingNews {
    /// Who.
    pub contact: ContactHint,
    /// They type now.
    pub is_typing: bool,
}

/// A message taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteNews {
    /// The message taken back.
    pub target: RemoteId,
    /// When.
    pub at: Timestamp,
}

/// A person got another name on the network.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityChange {
    /// Known so far.
    pub old: Vec<Identity>,
    /// From now on.
    pub new: Vec<Identity>,
    /// The provider's id of the notice, shown as a system line.
    pub remote_id: RemoteId,
    /// What the provider calls the thread.
    pub thread: String,
    /// The provider's sentence.
    pub body: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Something about the inbox itself: a template was rejected, the number was flagged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The provider's word: `message_template_status_update`.
    pub kind: String,
    /// A sentence for the operator.
    pub message: String,
    /// The new state of the connection, when the notice changes it.
    pub state: Option<ConnectionState>,
    /// What the provider allows the inbox is used up: raises an alert.
    pub used_up: bool,
}
