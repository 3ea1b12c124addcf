//! Conversations, messages and contacts as clients see them: the same JSON in the API, in realtime events and in
//! outgoing webhooks.
//!
//! A view is made within a reading transaction, so that all its parts are of one moment.

use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::contact::Identity;
use frontdesk_model::content::{MediaKind, Payload};
use frontdesk_model::conversation::{ConversationStatus, WindowState};
use frontdesk_model::message::{Direction, MessageKind, MessageStatus, SenderType, StatusError};
use frontdesk_model::{AttachmentId, ContactId, ConversationId, InboxId, MessageId, Timestamp, UserId};
use frontdesk_store::attachments::AttachmentState;
use serde::Serialize;
use utoipa::ToSchema;

mod parts;
mod people;
mod viewer;

pub use viewer::Viewer;

/// A message.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Message)]
#[expect(missing_docs, reason = "the field names are the documentation of the API")]
pub struct MessageView {
    #[schema(value_type = i64)]
    pub id: MessageId,
    #[schema(value_type = i64)]
    pub conversation_id: ConversationId,
    #[schema(value_type = i64)]
    pub customer_id: ContactId,
    #[schema(value_type = i64)]
    pub inbox_id: InboxId,
    /// `inbound` or `outbound`.
    pub direction: Direction,
    /// `customer`, `admin` or `system`.
    pub sender_type: SenderType,
    #[schema(required = true)]
    pub sender_name: Option<String>,
    #[schema(value_type = Option<i64>, required = true)]
    pub sender_id: Option<UserId>,
    /// What it holds; unknown kinds are `unsupported`.
    pub kind: MessageKind,
    /// Text, caption or a one-line summary.
    #[schema(required = true)]
    pub content: Option<String>,
    /// Signed address of the first file.
    #[schema(required = true)]
    pub media_url: Option<String>,
    /// MIME type of the first file.
    #[schema(required = true)]
    pub media_type: Option<String>,
    pub attachments: Vec<AttachmentView>,
    /// Details by kind.
    pub payload: Payload,
    #[schema(required = true)]
    pub reply_to: Option<QuoteView>,
    pub forwarded: bool,
    pub reactions: Vec<ReactionView>,
    /// `received` for the customer's; how far it has come for ours.
    pub status: MessageStatus,
    #[schema(required = true)]
    pub status_error: Option<StatusError>,
    /// The provider's id.
    #[schema(required = true)]
    pub platform_message_id: Option<String>,
    #[schema(required = true)]
    pub client_key: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub edited_at: Option<Timestamp>,
    /// When we read the customer's message, or the customer read ours.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub read_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub deleted_at: Option<Timestamp>,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was stored here.
    #[schema(value_type = String, format = DateTime)]
    pub stored_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// A file of a message.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Attachment)]
#[expect(missing_docs, reason = "the field names are the documentation of the API")]
pub struct AttachmentView {
    #[schema(value_type = i64)]
    pub id: AttachmentId,
    /// `image`, `video`, `audio`, `voice`, `document` or `sticker`.
    pub kind: MediaKind,
    /// Signed address; absent until the file is here.
    #[schema(required = true)]
    pub url: Option<String>,
    #[schema(required = true)]
    pub mime_type: Option<String>,
    #[schema(required = true)]
    pub file_name: Option<String>,
    #[schema(required = true)]
    pub size_bytes: Option<i64>,
    /// `pending`, `ready`, `failed` or `too_large`.
    pub state: AttachmentState,
    #[schema(required = true)]
    pub error: Option<String>,
}

/// The message another one answers.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Quote)]
pub struct QuoteView {
    /// Absent when the message is not here.
    #[schema(value_type = Option<i64>, required = true)]
    pub id: Option<MessageId>,
    /// Its kind.
    #[schema(required = true)]
    pub kind: Option<MessageKind>,
    /// The beginning of its text.
    #[schema(required = true)]
    pub content: Option<String>,
    /// Who wrote it.
    #[schema(required = true)]
    pub sender_name: Option<String>,
}

/// A reaction to a message.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Reaction)]
pub struct ReactionView {
    /// The emoji.
    pub emoji: String,
    /// `customer` or `admin`.
    pub sender_type: SenderType,
    /// Who reacted.
    #[schema(required = true)]
    pub sender_name: Option<String>,
    /// How far a reaction sent from here has come; null for all others.
    #[schema(required = true)]
    pub status: Option<MessageStatus>,
}

/// A conversation as the list shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Conversation)]
#[expect(missing_docs, reason = "the field names are the documentation of the API")]
pub struct ConversationView {
    #[schema(value_type = i64)]
    pub id: ConversationId,
    #[schema(value_type = i64)]
    pub customer_id: ContactId,
    pub customer: CustomerView,
    pub inbox: InboxFace,
    /// `whatsapp`, `facebook` or `instagram`.
    pub platform: String,
    pub platform_conversation_id: String,
    #[schema(required = true)]
    pub subject: Option<String>,
    /// `active`, `archived` or `closed`.
    pub status: ConversationStatus,
    pub unread_count: i64,
    pub starred: bool,
    #[schema(required = true)]
    pub assignee: Option<UserFace>,
    pub labels: Vec<String>,
    /// What other programs know of the conversation: `chatwoot_id`…
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    pub metadata: serde_json::Map<String, serde_json::Value>,
    #[schema(value_type = String, format = DateTime)]
    pub last_message_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    #[schema(required = true)]
    pub last_message: Option<LastMessageView>,
    /// Whether free text may be sent: `{state: open|closed|none, expires_at}`.
    pub reply_window: WindowState,
}

/// A conversation that one may want to answer in. Events leave out what only the composer needs.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OpenConversation)]
pub struct OpenConversationView {
    /// What lists show.
    #[serde(flatten)]
    pub conversation: ConversationView,
    /// What may be sent, with limits; absent when the inbox was removed.
    #[schema(required = true)]
    pub capabilities: Option<&'static Capabilities>,
}

/// The customer of a conversation.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Customer)]
#[expect(missing_docs, reason = "the field names are the documentation of the API")]
pub struct CustomerView {
    #[schema(value_type = i64)]
    pub id: ContactId,
    pub name: String,
    #[schema(required = true)]
    pub email: Option<String>,
    #[schema(required = true)]
    pub phone: Option<String>,
    #[schema(required = true)]
    pub avatar_url: Option<String>,
}

/// An inbox, for people.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the field names are the documentation of the API")]
pub struct InboxFace {
    #[schema(value_type = i64)]
    pub id: InboxId,
    pub name: String,
    pub channel: String,
}

/// A user, for colleagues.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the field names are the documentation of the API")]
pub struct UserFace {
    #[schema(value_type = i64)]
    pub id: UserId,
    pub name: String,
}

/// The newest message of a conversation, in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LastMessage)]
#[expect(missing_docs, reason = "the field names are the documentation of the API")]
pub struct LastMessageView {
    #[schema(value_type = i64)]
    pub id: MessageId,
    #[schema(required = true)]
    pub content: Option<String>,
    pub kind: MessageKind,
    pub direction: Direction,
    pub sender_type: SenderType,
    pub status: MessageStatus,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub deleted_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A contact's card.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Contact)]
#[expect(missing_docs, reason = "the field names are the documentation of the API")]
pub struct ContactView {
    #[schema(value_type = i64)]
    pub id: ContactId,
    pub name: String,
    #[schema(required = true)]
    pub email: Option<String>,
    #[schema(required = true)]
    pub phone: Option<String>,
    #[schema(required = true)]
    pub avatar_url: Option<String>,
    /// The names networks know the contact by: `[{kind, value}]`.
    pub identities: Vec<Identity>,
    pub conversations: Vec<ContactConversation>,
    /// What other programs know of the contact: `chatwoot_id`…
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    pub custom_fields: serde_json::Map<String, serde_json::Value>,
    #[schema(value_type = String, format = DateTime)]
    pub first_seen_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_seen_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// One of a contact's conversations.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the field names are the documentation of the API")]
pub struct ContactConversation {
    #[schema(value_type = i64)]
    pub id: ConversationId,
    pub inbox: InboxFace,
    pub platform: String,
    pub status: ConversationStatus,
    #[schema(value_type = String, format = DateTime)]
    pub last_message_at: Timestamp,
}
