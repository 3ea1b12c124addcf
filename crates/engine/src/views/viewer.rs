//! Making views: rows and what belongs to them, read within one transaction.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::content::Payload;
use frontdesk_model::conversation::WindowState;
use frontdesk_model::message::SenderType;
use frontdesk_model::{
    AccountId, AttachmentId, ContactId, ConversationId, InboxId, MessageId, Timestamp, text,
};
use frontdesk_store::attachments::{self, AttachmentRow};
use frontdesk_store::contacts;
use frontdesk_store::conversations::{self, ConversationRow};
use frontdesk_store::messages::{self, MessageRow};
use frontdesk_store::users::{self, UserRow};
use frontdesk_store::{StoreError, Tx, inboxes as inbox_rows};

use super::parts::Parts;
use super::people::{People, Person};
use super::{
    AttachmentView, ContactConversation, ContactView, ConversationView, CustomerView, InboxFace,
    LastMessageView, MessageView, OpenConversationView, QuoteView, ReactionView, UserFace,
};
use crate::inboxes::InboxBook;
use crate::webhooks::event::session_data;
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

impl Viewer {
    /// A viewer of this moment.
    pub async fn new(engine: &Engine) -> Result<Self, StoreError> {
        let book = inboxes::book(engine).await?;
        Ok(Self { engine: engine.clone(), book, now: engine.clock.now() })
    }

    /// Shows messages, in the order given.
    pub fn messages(&self, tx: &mut Tx<'_>, rows: Vec<MessageRow>) -> Result<Vec<MessageView>, StoreError> {
        let Some(account) = rows.first().map(|row| row.account_id) else { return Ok(Vec::new()) };
        let mut parts = Parts::read(tx, account, &rows)?;
        Ok(rows.into_iter().map(|row| self.message(row, &mut parts)).collect())
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

    fn message(&self, row: MessageRow, parts: &mut Parts) -> MessageView {
        let attachments: Vec<AttachmentView> =
            parts.files(row.id).iter().map(|file| self.attachment(file)).collect();
        let reactions = parts.reactions(row.id);
        let customer_name = parts.people.name(row.contact_id);
        let reply_to = parts.quoted(&row).map(|found| quote(found, customer_name));
        let reactions = reactions.into_iter().map(|r| ReactionView {
            sender_name: r
                .sender_name
                .or_else(|| (r.sender_type == SenderType::Customer).then(|| customer_name.to_owned())),
            emoji: r.emoji,
            sender_type: r.sender_type,
            status: r.status,
        });
        let reactions = reactions.collect();
        let deleted = row.deleted_at.is_some();
        let sender_name = match row.sender_type {
            SenderType::Customer => Some(row.sender_name.unwrap_or_else(|| customer_name.to_owned())),
            _ => row.sender_name,
        };
        MessageView {
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
            payload: if deleted { Payload::default() } else { Payload { answers: None, ..row.payload } },
            reply_to,
            forwarded: row.forwarded,
            reactions,
            status: row.status,
            status_error: row.error,
            platform_message_id: row.remote_id.map(|id| id.as_written().to_owned()),
            client_key: row.client_key,
            edited_at: row.edited_at,
            read_at: row.read_at,
            deleted_at: row.deleted_at,
            created_at: row.sent_at,
            stored_at: row.created_at,
            updated_at: row.updated_at,
        }
    }

    /// What programs are told of the state of a session; `None` for an inbox that is gone.
    pub(crate) fn session_status(
        &self,
        told: &serde_json::Map<String, serde_json::Value>,
    ) -> Option<serde_json::Value> {
        let inbox = self.book.find(InboxId(told.get("inbox_id")?.as_i64()?))?;
        let state = serde_json::from_value(told.get("state")?.clone()).ok()?;
        Some(session_data(inbox, &state, told.get("session")))
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
        let Some(account) = rows.first().map(|row| row.account_id) else { return Ok(Vec::new()) };
        // Asked for all at once: a page of rows would otherwise be hundreds of questions.
        let people = People::read(tx, account, rows.iter().map(|row| row.contact_id))?;
        let pictures = people.iter().filter_map(|person| person.contact.avatar_id);
        let pictures = attachments::find_many(tx, account, pictures)?;
        let last = messages::find_many(tx, account, rows.iter().filter_map(|row| row.last_message_id))?;
        let mut last: HashMap<_, _> = last.into_iter().map(|row| (row.id, row)).collect();
        let mut assignees = HashMap::new();
        for id in rows.iter().filter_map(|row| row.assignee_id) {
            if let Entry::Vacant(unknown) = assignees.entry(id) {
                unknown.insert(users::find(tx, account, id)?);
            }
        }
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let customer = self.customer(&row, people.find(row.contact_id), &pictures);
            let newest = row.last_message_id.and_then(|id| last.remove(&id));
            let assignee = row.assignee_id.and_then(|id| assignees.get(&id)?.as_ref());
            views.push(self.conversation(tx, row, customer, newest, assignee)?);
        }
        Ok(views)
    }

    /// Shows one conversation; `None` when the account has no such conversation.
    pub fn conversation_by_id(
        &self,
        tx: &mut Tx<'_>,
        account: AccountId,
        id: ConversationId,
    ) -> Result<Option<ConversationView>, StoreError> {
        let row = conversations::find(tx, account, id)?;
        Ok(self.conversations(tx, row.into_iter().collect())?.pop())
    }

    /// Adds what one needs to know to answer in them.
    pub fn open_all(&self, conversations: Vec<ConversationView>) -> Vec<OpenConversationView> {
        conversations.into_iter().map(|conversation| self.open(conversation)).collect()
    }

    /// Adds what one needs to know to answer in it.
    pub fn open(&self, conversation: ConversationView) -> OpenConversationView {
        OpenConversationView { capabilities: self.capabilities(conversation.inbox.id), conversation }
    }

    fn capabilities(&self, inbox: InboxId) -> Option<&'static Capabilities> {
        self.book.find(inbox).map(|inbox| inbox.channel.capabilities())
    }

    fn customer(
        &self,
        row: &ConversationRow,
        person: Option<&Person>,
        pictures: &HashMap<AttachmentId, AttachmentRow>,
    ) -> CustomerView {
        match person {
            None => CustomerView {
                id: row.contact_id,
                name: row.thread.clone(),
                email: None,
                phone: None,
                avatar_url: None,
            },
            Some(Person { contact, name }) => CustomerView {
                id: contact.id,
                name: name.clone(),
                email: contact.email.clone(),
                phone: contact.phone.clone(),
                avatar_url: contact.avatar_id.and_then(|id| self.picture_url(pictures.get(&id)?)),
            },
        }
    }

    fn conversation(
        &self,
        tx: &mut Tx<'_>,
        row: ConversationRow,
        customer: CustomerView,
        newest: Option<MessageRow>,
        assignee: Option<&UserRow>,
    ) -> Result<ConversationView, StoreError> {
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
            assignee: assignee.map(|user| UserFace { id: user.id, name: user.name.clone() }),
            labels: row.labels,
            metadata: row.metadata,
            last_message_at: row.last_message_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            last_message: newest.map(last_message),
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
        let people = People::read(tx, account, [id])?;
        let Some(Person { contact, name }) = people.find(id) else { return Ok(None) };
        let rows = conversations::of_contact(tx, account, contact.id)?;
        let last_seen_at = rows.iter().filter_map(|row| row.last_inbound_at).max();
        let mut talks = Vec::with_capacity(rows.len());
        for row in rows {
            let (inbox, platform) = self.inbox_face(tx, account, row.inbox_id)?;
            let (status, last_message_at) = (row.status, row.last_message_at);
            talks.push(ContactConversation { id: row.id, inbox, platform, status, last_message_at });
        }
        let picture = contact.avatar_id.map(|id| attachments::find(tx, account, id)).transpose()?.flatten();
        let details = contacts::other_side::details_many(tx, account, [contact.id])?.remove(&contact.id);
        Ok(Some(ContactView {
            id: contact.id,
            name: name.clone(),
            identities: contacts::identities(tx, account, contact.id)?,
            conversations: talks,
            custom_fields: details.unwrap_or_default().custom_fields,
            first_seen_at: contact.created_at,
            last_seen_at,
            created_at: contact.created_at,
            email: contact.email.clone(),
            phone: contact.phone.clone(),
            avatar_url: picture.and_then(|picture| self.picture_url(&picture)),
        }))
    }

    /// The signed address of a contact's picture.
    fn picture_url(&self, picture: &AttachmentRow) -> Option<String> {
        media::url_of(&self.engine, picture, self.now)
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

fn quote(found: Option<&MessageRow>, customer_name: &str) -> QuoteView {
    match found {
        Some(quoted) => QuoteView {
            id: Some(quoted.id),
            kind: Some(quoted.kind),
            content: quoted
                .content
                .as_deref()
                .filter(|_| quoted.deleted_at.is_none())
                .map(|content| text::preview(content, QUOTE_CHARS)),
            sender_name: match quoted.sender_type {
                SenderType::Customer => {
                    Some(quoted.sender_name.clone().unwrap_or_else(|| customer_name.to_owned()))
                }
                _ => quoted.sender_name.clone(),
            },
        },
        None => QuoteView { id: None, kind: None, content: None, sender_name: None },
    }
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
