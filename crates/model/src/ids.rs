//! Ids of our own rows (dense integers made by the database) and ids of the providers (opaque text).

use serde::{Deserialize, Serialize};

macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

row_id! {
    /// A tenant: one hotel, company or organisation.
    AccountId,
    /// Someone who signs in.
    UserId,
    /// An API token.
    TokenId,
    /// One connected account on a channel: one number, one page.
    InboxId,
    /// A person outside.
    ContactId,
    /// The thread with a contact in one inbox.
    ConversationId,
    /// One entry in a conversation.
    MessageId,
    /// A file that belongs to a message, or was uploaded to become one.
    AttachmentId,
    /// A unit of outgoing work.
    OutboxId,
    /// A reaction of ours on its way.
    ReactionSendId,
    /// A raw webhook body as it arrived.
    WebhookLogId,
    /// A rule that held for an inbox from one moment to another.
    AlertId,
    /// One piece of news about an alert for one place outside.
    AlertDeliveryId,
    /// A program beside Frontdesk that holds the same people.
    SyncConnectionId,
    /// One run of a sync.
    SyncRunId,
    /// An inbox of ours and an inbox of a Chatwoot that show the same.
    BridgeId,
    /// A piece of work of a bridge.
    BridgeJobId,
    /// What one node asks of the node that holds a session.
    LinkedCommandId,
    /// A gift of a donor.
    DonationId,
    /// What somebody of ours noted about a contact.
    NoteId,
    /// Something to come back to.
    ReminderId,
    /// A text kept to answer with.
    QuickReplyId,
    /// An address of another program that is told what happens.
    WebhookEndpointId,
    /// One event on its way to such an address.
    WebhookSendId,
    /// Two contacts made one by a person.
    MergeId,
}

/// An id a provider gave to a message. Only its channel makes or reads it; everyone else compares.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RemoteId(pub String);

impl RemoteId {
    /// Wraps a provider's id.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// An id that is unique within one thread only, made unique within the inbox.
    pub fn within(id: &str, thread: &str) -> Self {
        Self(format!("{id} {thread}"))
    }

    /// The id as it is kept and compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as the provider wrote it, without the thread it is of. No provider's id has a space in it.
    pub fn as_written(&self) -> &str {
        self.0.split_once(' ').map_or(&self.0, |(id, _thread)| id)
    }
}

impl std::fmt::Display for RemoteId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
