//! Conversations, messages and contacts as clients see them: the same JSON in the API, in realtime events and in
//! outgoing webhooks.
//!
//! A view is made within a reading transaction, so that all its parts are of one moment.

use std::sync::Arc;

use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::contact::Identity;
use frontdesk_model::content::{MediaKind, Payload};
use frontdesk_model::conversation::{ConversationStatus, WindowState};
use frontdesk_model::message::{Direction, MessageKind, MessageStatus, SenderType, StatusError};
use frontdesk_model::{
    AccountId, AttachmentId, ContactId, ConversationId, InboxId, MessageId, RemoteId, Timestamp, UserId, text,
};
use frontdesk_store::attachments::{self, AttachmentRow, AttachmentState};
use frontdesk_store::contacts::{self, ContactRow};
use frontdesk_store::conversations::{self, ConversationRow};
use frontdesk_store::messages::{self, MessageRow};
use frontdesk_store::{StoreError, Tx, inboxes as inbox_rows, reactions, users};
use serde::Serialize;
use utoipa::ToSchema;

use crate::inboxes::InboxBook;
use crate::{Engine, inboxes, media};

/// How much of a quoted message is repeated.
const QUOTE_CHARS: usize = 200;

/// Makes views: what they need beside the transaction.
#[derive(Clone)]
pub struct Viewer {
    engine: Engine,
    book: Arc<InboxBook>,
    now: Timestamp,
}

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
    #[schema(value_type = Option<String>, required = true)]
    pub platform_message_id: Option<RemoteId>,
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

/// A conversation opened to be answered. Lists and events leave out what only the composer needs.
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

impl Viewer {
    /// A viewer of this moment.
    pub async fn new(engine: &Engine) -> Result<Self, StoreError> {
        let book = inboxes::book(engine).await?;
        Ok(Self { engine: engine.clone(), book, now: engine.clock.now() })
    }

    /// Shows messages, in the order given.
    pub fn messages(&self, tx: &mut Tx<'_>, rows: Vec<MessageRow>) -> Result<Vec<MessageView>, StoreError> {
        let mut names: Option<(ContactId, String)> = None;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let name = match &names {
                Some((id, name)) if *id == row.contact_id => name.clone(),
                _ => {
                    let name = match contacts::find(tx, row.account_id, row.contact_id)? {
                        Some(contact) => name_of(tx, &contact)?,
                        None => String::new(),
                    };
                    names = Some((row.contact_id, name.clone()));
                    name
                }
            };
            views.push(self.message(tx, row, name)?);
        }
        Ok(views)
    }

    /// Shows one message; `None` when the account has no such message.
    pub fn message_by_id(
        &self,
        tx: &mut Tx<'_>,
        account: AccountId,
        id: MessageId,
    ) -> Result<Option<MessageView>, StoreError> {
        let Some(row) = messages::find(tx, account, id)? else { return Ok(None) };
        Ok(self.messages(tx, vec![row])?.pop())
    }

    fn message(
        &self,
        tx: &mut Tx<'_>,
        row: MessageRow,
        customer_name: String,
    ) -> Result<MessageView, StoreError> {
        let deleted = row.deleted_at.is_some();
        let files = if may_have_files(row.kind) && !deleted {
            attachments::of_message(tx, row.account_id, row.id)?
        } else {
            Vec::new()
        };
        let attachments: Vec<AttachmentView> = files.iter().map(|file| self.attachment(file)).collect();
        let reply_to = match &row.reply_to {
            Some(remote) => Some(quote(tx, &row, remote, &customer_name)?),
            None => None,
        };
        let reactions = reactions::list(tx, row.account_id, row.id)?.into_iter().map(|r| ReactionView {
            sender_name: r
                .sender_name
                .or_else(|| (r.sender_type == SenderType::Customer).then(|| customer_name.clone())),
            emoji: r.emoji,
            sender_type: r.sender_type,
            status: r.status,
        });
        let reactions = if deleted { Vec::new() } else { reactions.collect() };
        let sender_name = match row.sender_type {
            SenderType::Customer => Some(customer_name),
            _ => row.sender_name,
        };
        Ok(MessageView {
            id: row.id,
            conversation_id: row.conversation_id,
            customer_id: row.contact_id,
            inbox_id: row.inbox_id,
            direction: row.direction,
            sender_type: row.sender_type,
            sender_name,
            sender_id: row.sender_id,
            kind: row.kind,
            content: row.content.filter(|_| !deleted),
            media_url: attachments.first().and_then(|a| a.url.clone()),
            media_type: attachments.first().and_then(|a| a.mime_type.clone()),
            attachments,
            payload: if deleted { Payload::default() } else { row.payload },
            reply_to,
            forwarded: row.forwarded,
            reactions,
            status: row.status,
            status_error: row.error,
            platform_message_id: row.remote_id,
            client_key: row.client_key,
            edited_at: row.edited_at,
            read_at: row.read_at,
            deleted_at: row.deleted_at,
            created_at: row.sent_at,
            stored_at: row.created_at,
            updated_at: row.updated_at,
        })
    }

    /// Shows a file.
    pub fn attachment(&self, file: &AttachmentRow) -> AttachmentView {
        AttachmentView {
            id: file.id,
            kind: file.kind,
            url: media::url_of(&self.engine, file, self.now),
            mime_type: file.mime_type.clone(),
            file_name: file.file_name.clone(),
            size_bytes: file.size_bytes,
            state: file.state,
            error: file.error.clone(),
        }
    }

    /// Shows conversations, in the order given.
    pub fn conversations(
        &self,
        tx: &mut Tx<'_>,
        rows: Vec<ConversationRow>,
    ) -> Result<Vec<ConversationView>, StoreError> {
        rows.into_iter().map(|row| self.conversation(tx, row)).collect()
    }

    /// Shows one conversation; `None` when the account has no such conversation.
    pub fn conversation_by_id(
        &self,
        tx: &mut Tx<'_>,
        account: AccountId,
        id: ConversationId,
    ) -> Result<Option<ConversationView>, StoreError> {
        conversations::find(tx, account, id)?.map(|row| self.conversation(tx, row)).transpose()
    }

    /// Adds what one needs to know to answer in it.
    pub fn open(&self, conversation: ConversationView) -> OpenConversationView {
        OpenConversationView { capabilities: self.capabilities(conversation.inbox.id), conversation }
    }

    fn capabilities(&self, inbox: InboxId) -> Option<&'static Capabilities> {
        self.book.find(inbox).map(|inbox| inbox.channel.capabilities())
    }

    fn conversation(&self, tx: &mut Tx<'_>, row: ConversationRow) -> Result<ConversationView, StoreError> {
        let contact = contacts::find(tx, row.account_id, row.contact_id)?;
        let avatar_url = match &contact {
            Some(contact) => self.avatar_url(tx, contact)?,
            None => None,
        };
        let customer = match contact {
            None => CustomerView {
                id: row.contact_id,
                name: row.thread.clone(),
                email: None,
                phone: None,
                avatar_url: None,
            },
            Some(c) => {
                CustomerView { name: name_of(tx, &c)?, id: c.id, email: c.email, phone: c.phone, avatar_url }
            }
        };
        let last_message = match row.last_message_id {
            Some(id) => messages::find(tx, row.account_id, id)?.map(last_message),
            None => None,
        };
        let assignee = match row.assignee_id {
            Some(id) => users::find(tx, row.account_id, id)?.map(|u| UserFace { id: u.id, name: u.name }),
            None => None,
        };
        let (inbox, platform) = self.inbox_face(tx, row.account_id, row.inbox_id)?;
        let window = self.capabilities(row.inbox_id).and_then(|c| c.reply_window);
        Ok(ConversationView {
            id: row.id,
            customer_id: customer.id,
            customer,
            inbox,
            platform,
            platform_conversation_id: row.thread,
            subject: row.subject,
            status: row.status,
            unread_count: row.unread_count,
            starred: row.starred,
            assignee,
            labels: row.labels,
            last_message_at: row.last_message_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            last_message,
            reply_window: WindowState::at(window, row.last_inbound_at, self.now),
        })
    }

    /// Shows a contact's card; `None` when the account has no such contact.
    pub fn contact(
        &self,
        tx: &mut Tx<'_>,
        account: AccountId,
        id: ContactId,
    ) -> Result<Option<ContactView>, StoreError> {
        let Some(contact) = contacts::find(tx, account, id)? else { return Ok(None) };
        let rows = conversations::of_contact(tx, account, contact.id)?;
        let last_seen_at = rows.iter().filter_map(|row| row.last_inbound_at).max();
        let mut talks = Vec::with_capacity(rows.len());
        for row in rows {
            let (inbox, platform) = self.inbox_face(tx, account, row.inbox_id)?;
            let (status, last_message_at) = (row.status, row.last_message_at);
            talks.push(ContactConversation { id: row.id, inbox, platform, status, last_message_at });
        }
        let avatar_url = self.avatar_url(tx, &contact)?;
        Ok(Some(ContactView {
            id: contact.id,
            name: name_of(tx, &contact)?,
            identities: contacts::identities(tx, account, contact.id)?,
            conversations: talks,
            first_seen_at: contact.created_at,
            last_seen_at,
            created_at: contact.created_at,
            email: contact.email,
            phone: contact.phone,
            avatar_url,
        }))
    }

    /// The signed address of a contact's picture.
    fn avatar_url(&self, tx: &mut Tx<'_>, contact: &ContactRow) -> Result<Option<String>, StoreError> {
        let Some(id) = contact.avatar_id else { return Ok(None) };
        let file = attachments::find(tx, contact.account_id, id)?;
        Ok(file.and_then(|file| media::url_of(&self.engine, &file, self.now)))
    }

    fn inbox_face(
        &self,
        tx: &mut Tx<'_>,
        account: AccountId,
        id: InboxId,
    ) -> Result<(InboxFace, String), StoreError> {
        let (name, channel) = match self.book.find(id) {
            Some(inbox) => (inbox.name.clone(), inbox.channel.info().name.to_owned()),
            None => inbox_rows::find_face(tx, account, id)?.unwrap_or_default(),
        };
        let platform = frontdesk_channels::registry::find_channel(&channel).map_or("", |c| c.info().platform);
        Ok((InboxFace { id, name, channel }, platform.to_owned()))
    }
}

/// The name shown for a contact: its own, else its phone, else the end of what the network calls it. Not our number of
/// it, which tells how many came before.
fn name_of(tx: &mut Tx<'_>, contact: &ContactRow) -> Result<String, StoreError> {
    let own = contact.name.clone().filter(|n| !n.trim().is_empty());
    if let Some(name) = own.or_else(|| contact.phone.clone()) {
        return Ok(name);
    }
    let identities = contacts::identities(tx, contact.account_id, contact.id)?;
    Ok(match identities.iter().map(|identity| identity.value.as_str()).min() {
        Some(id) => format!("Customer {}", ending(id)),
        None => format!("Customer {}", contact.id),
    })
}

/// The last six characters.
fn ending(id: &str) -> &str {
    id.char_indices().rev().nth(5).map_or(id, |(start, _)| &id[start..])
}

fn may_have_files(kind: MessageKind) -> bool {
    !matches!(kind, MessageKind::Text | MessageKind::System | MessageKind::Location | MessageKind::Contacts)
}

fn quote(
    tx: &mut Tx<'_>,
    row: &MessageRow,
    remote: &RemoteId,
    customer_name: &str,
) -> Result<QuoteView, StoreError> {
    let found = messages::find_by_remote(tx, row.account_id, row.inbox_id, remote)?;
    Ok(match found {
        Some(quoted) => QuoteView {
            id: Some(quoted.id),
            kind: Some(quoted.kind),
            content: quoted
                .content
                .filter(|_| quoted.deleted_at.is_none())
                .map(|c| text::preview(&c, QUOTE_CHARS)),
            sender_name: match quoted.sender_type {
                SenderType::Customer => Some(customer_name.to_owned()),
                _ => quoted.sender_name,
            },
        },
        None => QuoteView { id: None, kind: None, content: None, sender_name: None },
    })
}

fn last_message(row: MessageRow) -> LastMessageView {
    let deleted = row.deleted_at.is_some();
    LastMessageView {
        id: row.id,
        content: row.content.filter(|_| !deleted).map(|c| text::preview(&c, QUOTE_CHARS)),
        kind: row.kind,
        direction: row.direction,
        sender_type: row.sender_type,
        status: row.status,
        deleted_at: row.deleted_at,
        created_at: row.sent_at,
    }
}
