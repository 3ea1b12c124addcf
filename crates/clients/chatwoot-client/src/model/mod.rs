//! What Chatwoot knows, as it writes it. Fields that it does not name in its documentation are kept in `extra`.

mod account;
mod contact;
mod conversation;
mod directory;
mod message;

pub use account::{Account, AccountAccess, Profile, ServerInfo};
pub use contact::{Contact, ContactChanges, ContactInbox, ContactRef, CreatedContact, NewContact};
pub use conversation::{
    Conversation, ConversationCounts, ConversationMeta, NewConversation, Priority, StatusChange,
};
pub use directory::{
    Agent, AttributeDefinition, CannedResponse, Inbox, Label, NewApiInbox, NewWebhook, Team, Webhook,
};
pub use message::{Attachment, Message, MessageStatus, MessageType, NewMessage, Sender};

use serde_json::{Map, Value};

/// Attributes that people or the server add as they like.
pub type Attributes = Map<String, Value>;

/// A word of a fixed list, or one of tomorrow.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// One that is not known here, as it came.
            Other(String),
        }

        impl $name {
            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word),
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Where a conversation stands.
    ConversationStatus {
        /// Somebody should answer.
        Open = "open",
        /// Done.
        Resolved = "resolved",
        /// A bot has it.
        Pending = "pending",
        /// Put off.
        Snoozed = "snoozed",
    }
}
