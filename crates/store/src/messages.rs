//! Entries of conversations.

use frontdesk_model::content::Payload;
use frontdesk_model::message::{Direction, MessageKind, MessageStatus, SenderType, StatusError};
use frontdesk_model::{
    AccountId, ContactId, ConversationId, InboxId, MessageId, RemoteId, Timestamp, UserId,
};

use crate::db::statement::{both, each};
use crate::db::value::{Owned, without_nul};
use crate::{Columns, FromRow, StoreError, ToValue, Tx, Value, reactions};

macro_rules! columns {
    () => {
        "m.id, m.account_id, m.inbox_id, m.conversation_id, m.contact_id, m.direction, m.sender_type, m.sender_id,
         m.sender_name, m.kind, m.content, m.payload, m.remote_id, m.client_key, m.client_ref, m.reply_to, m.forwarded,
         m.status, m.error_code, m.error_message, m.error_action, m.sent_at, m.edit_version, m.edited_at, m.read_at,
         m.deleted_at, m.created_at, m.updated_at"
    };
}

macro_rules! insert_into {
    () => {
        "INSERT INTO messages (account_id, inbox_id, conversation_id, contact_id, direction, sender_type, sender_id,
            sender_name, kind, content, payload, remote_id, client_key, client_ref, reply_to, forwarded, status,
            status_rank, sent_at, read_at, created_at, updated_at) "
    };
}

macro_rules! insert_one {
    () => {
        concat!(
            insert_into!(),
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $21)
             ON CONFLICT DO NOTHING"
        )
    };
}

statements! {
    INSERT = inserting!(insert_one!());
    INSERT_MANY = each(
        insert_one!(),
        concat!(insert_into!(),
            "SELECT n.*, n.created_at FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::TEXT[],
                $6::TEXT[], $7::BIGINT[], $8::TEXT[], $9::TEXT[], $10::TEXT[], $11::TEXT[], $12::TEXT[], $13::TEXT[],
                $14::TEXT[], $15::TEXT[], $16::BOOLEAN[], $17::TEXT[], $18::BIGINT[], $19::BIGINT[], $20::BIGINT[],
                $21::BIGINT[])
                AS n (account_id, inbox_id, conversation_id, contact_id, direction, sender_type, sender_id, sender_name,
                kind, content, payload, remote_id, client_key, client_ref, reply_to, forwarded, status, status_rank,
                sent_at, read_at, created_at)
             ON CONFLICT DO NOTHING RETURNING id, inbox_id, remote_id"));
    GET = both(concat!("SELECT ", columns!(), " FROM messages m WHERE m.account_id = $1 AND m.id = $2"));
    GET_MANY = each(
        concat!("SELECT ", columns!(), " FROM messages m WHERE m.account_id = $1 AND m.id = $2"),
        concat!("SELECT ", columns!(), " FROM messages m JOIN UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, id)
            ON m.account_id = n.account_id AND m.id = n.id"));
    BY_REMOTE = both(concat!("SELECT ", columns!(),
        " FROM messages m WHERE m.account_id = $1 AND m.inbox_id = $2 AND m.remote_id = $3"));
    BY_REMOTE_MANY = each(
        concat!("SELECT ", columns!(),
            " FROM messages m WHERE m.account_id = $1 AND m.inbox_id = $2 AND m.remote_id = $3"),
        concat!("SELECT ", columns!(), " FROM messages m
            JOIN UNNEST($1::BIGINT[], $2::BIGINT[], $3::TEXT[]) AS n (account_id, inbox_id, remote_id)
            ON m.account_id = n.account_id AND m.inbox_id = n.inbox_id AND m.remote_id = n.remote_id"));
    BY_CLIENT_REF = both(concat!("SELECT ", columns!(), " FROM messages m WHERE m.account_id = $1 AND m.client_ref = $2"));
    BY_CLIENT_KEY = both(concat!("SELECT ", columns!(),
        " FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.client_key = $3"));
    UNANSWERED_TWIN = both(concat!("SELECT ", columns!(),
        " FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.remote_id IS NULL
          AND m.direction = 'outbound' AND m.status IN ('sending', 'unknown') AND m.kind = $3
          AND COALESCE(m.content, '') = COALESCE($4, '') AND m.sent_at BETWEEN $5 AND $6 ORDER BY m.id LIMIT 1"));
    THREAD_NEWEST = both(concat!("SELECT ", columns!(),
        " FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2
          ORDER BY m.sent_at DESC, m.id DESC LIMIT $3"));
    THREAD_BEFORE = both(concat!("SELECT ", columns!(),
        " FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2 AND (m.sent_at, m.id) < ($3, $4)
          ORDER BY m.sent_at DESC, m.id DESC LIMIT $5"));
    THREAD_PAGE = both(concat!("SELECT ", columns!(),
        " FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2
          ORDER BY m.sent_at, m.id LIMIT $3 OFFSET $4"));
    NEWER_OUTBOUND = both(concat!("SELECT ", columns!(),
        " FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.direction = 'outbound' AND m.id > $3
          AND m.deleted_at IS NULL ORDER BY m.id LIMIT 20"));
    COUNT_THREAD = both("SELECT COUNT(*) FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2");
    BELOW_WATERMARK = both(concat!("SELECT ", columns!(),
        " FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.direction = 'outbound'
          AND m.sent_at <= $3 AND m.status_rank < $4 AND m.remote_id IS NOT NULL ORDER BY m.id LIMIT $5"));
    SET_CONTENT = both(
        "UPDATE messages SET content = $3, edit_version = $4, edited_at = $5, updated_at = $6
         WHERE account_id = $1 AND id = $2");
    KEEP_EDIT = both(
        "INSERT INTO message_edits (account_id, message_id, version, content, edited_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING");
    DELETE_EDITS = both("DELETE FROM message_edits WHERE account_id = $1 AND message_id = $2");
    TAKE_BACK = both(
        "UPDATE messages SET content = NULL, payload = NULL, edited_at = NULL, edit_version = 0,
            deleted_at = COALESCE(deleted_at, $3), updated_at = $4
         WHERE account_id = $1 AND id = $2
           AND (deleted_at IS NULL OR content IS NOT NULL OR payload IS NOT NULL)");
    HIDE = both(
        "UPDATE messages SET deleted_at = $3, updated_at = $3 WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL");
    MARK_READ = both(
        "UPDATE messages SET read_at = $3, updated_at = $3
         WHERE account_id = $1 AND id = $2 AND read_at IS NULL");
    MARK_NEWEST_UNREAD = both(
        "UPDATE messages SET read_at = NULL, updated_at = $3 WHERE account_id = $1 AND id =
            (SELECT m.id FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.direction = 'inbound'
             AND m.sender_type = 'customer' AND m.deleted_at IS NULL ORDER BY m.sent_at DESC, m.id DESC LIMIT 1)");
    MARK_THREAD_READ = both(
        "UPDATE messages SET read_at = $3, updated_at = $3
         WHERE account_id = $1 AND conversation_id = $2 AND direction = 'inbound' AND read_at IS NULL
           AND sent_at >= $4");
    FIRST_UNREAD = each(
        "SELECT sent_at FROM messages WHERE account_id = $1 AND conversation_id = $2 AND direction = 'inbound'
         AND read_at IS NULL ORDER BY sent_at LIMIT 1",
        "SELECT MIN(sent_at) FROM messages WHERE account_id = $1 AND conversation_id = $2 AND direction = 'inbound'
         AND read_at IS NULL HAVING MIN(sent_at) IS NOT NULL");
    DELETE = both("DELETE FROM messages WHERE account_id = $1 AND id = $2");
}

/// A message as stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct MessageRow {
    pub id: MessageId,
    pub account_id: AccountId,
    pub inbox_id: InboxId,
    pub conversation_id: ConversationId,
    pub contact_id: ContactId,
    pub direction: Direction,
    pub sender_type: SenderType,
    pub sender_id: Option<UserId>,
    pub sender_name: Option<String>,
    pub kind: MessageKind,
    pub content: Option<String>,
    pub payload: Payload,
    pub remote_id: Option<RemoteId>,
    /// The key the client made, so that a repeated request is the same message.
    pub client_key: Option<String>,
    /// The key we gave the provider, so that a lost answer can be correlated.
    pub client_ref: Option<String>,
    pub reply_to: Option<RemoteId>,
    pub forwarded: bool,
    pub status: MessageStatus,
    pub error: Option<StatusError>,
    /// When it was written: the provider's clock for the customer's, ours for our own.
    pub sent_at: Timestamp,
    pub edit_version: i64,
    pub edited_at: Option<Timestamp>,
    pub read_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    /// When it was stored.
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl FromRow for MessageRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            inbox_id: row.next()?,
            conversation_id: row.next()?,
            contact_id: row.next()?,
            direction: row.next()?,
            sender_type: row.next()?,
            sender_id: row.next()?,
            sender_name: row.next()?,
            kind: row.next()?,
            content: row.next()?,
            payload: row.next_json()?,
            remote_id: row.next()?,
            client_key: row.next()?,
            client_ref: row.next()?,
            reply_to: row.next()?,
            forwarded: row.next()?,
            status: row.next()?,
            error: read_error(row)?,
            sent_at: row.next()?,
            edit_version: row.next()?,
            edited_at: row.next()?,
            read_at: row.next()?,
            deleted_at: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

fn read_error(row: &mut Columns<'_>) -> Result<Option<StatusError>, StoreError> {
    let (code, message, action): (Option<String>, Option<String>, Option<String>) =
        (row.next()?, row.next()?, row.next()?);
    Ok(code.map(|code| StatusError { code, message: message.unwrap_or_default(), action }))
}

/// A message to store.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in MessageRow")]
pub struct NewMessage<'a> {
    pub account_id: AccountId,
    pub inbox_id: InboxId,
    pub conversation_id: ConversationId,
    pub contact_id: ContactId,
    pub direction: Direction,
    pub sender_type: SenderType,
    pub sender_id: Option<UserId>,
    pub sender_name: Option<&'a str>,
    pub kind: MessageKind,
    pub content: Option<&'a str>,
    pub payload: &'a Payload,
    pub remote_id: Option<&'a RemoteId>,
    pub client_key: Option<&'a str>,
    pub client_ref: Option<&'a str>,
    pub reply_to: Option<&'a RemoteId>,
    pub forwarded: bool,
    pub status: MessageStatus,
    pub sent_at: Timestamp,
    pub read_at: Option<Timestamp>,
}

impl NewMessage<'_> {
    /// The payload as kept: nothing, or JSON.
    fn payload_json(&self) -> Option<String> {
        if self.payload.is_empty() { None } else { serde_json::to_string(self.payload).ok() }
    }

    fn row(&self, now: Timestamp) -> Vec<Owned> {
        row![
            self.account_id,
            self.inbox_id,
            self.conversation_id,
            self.contact_id,
            self.direction,
            self.sender_type,
            self.sender_id,
            self.sender_name,
            self.kind,
            self.content,
            self.payload_json(),
            self.remote_id,
            self.client_key,
            self.client_ref,
            self.reply_to,
            self.forwarded,
            self.status,
            self.status.rank(),
            self.sent_at,
            self.read_at,
            now
        ]
    }
}

/// Stores a message; `None` when the remote id, client key or client reference is there already.
pub fn insert(
    tx: &mut Tx<'_>,
    new: &NewMessage<'_>,
    now: Timestamp,
) -> Result<Option<MessageId>, StoreError> {
    let row = new.row(now);
    let params: Vec<Value<'_>> = row.iter().map(ToValue::to_value).collect();
    tx.insert(&INSERT, &params)
}

/// Stores messages that have remote ids, in this order; `None` for each that is here already.
pub fn insert_many(
    tx: &mut Tx<'_>,
    new: &[NewMessage<'_>],
    now: Timestamp,
) -> Result<Vec<Option<MessageId>>, StoreError> {
    let key = |new: &NewMessage<'_>| {
        // As the database gives it back.
        (new.inbox_id, new.remote_id.map(|id| without_nul(id.as_str()).into_owned()).unwrap_or_default())
    };
    tx.insert_many::<(InboxId, String), MessageId>(
        &INSERT_MANY,
        new.iter().map(|new| (key(new), new.row(now))).collect(),
    )
}

/// A message by id.
pub fn find(tx: &mut Tx<'_>, account: AccountId, id: MessageId) -> Result<Option<MessageRow>, StoreError> {
    tx.find(&GET, p![account, id])
}

/// Messages by id, in no particular order.
pub fn find_many(
    tx: &mut Tx<'_>,
    account: AccountId,
    ids: impl IntoIterator<Item = MessageId>,
) -> Result<Vec<MessageRow>, StoreError> {
    tx.query_many(&GET_MANY, ids.into_iter().map(|id| row![account, id]).collect())
}

/// A message by the provider's id.
pub fn find_by_remote(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    remote_id: &RemoteId,
) -> Result<Option<MessageRow>, StoreError> {
    tx.find(&BY_REMOTE, p![account, inbox, remote_id])
}

/// Messages by the provider's ids, each asked for once, in no particular order.
pub fn find_many_by_remote(
    tx: &mut Tx<'_>,
    named: impl IntoIterator<Item = (AccountId, InboxId, RemoteId)>,
) -> Result<Vec<MessageRow>, StoreError> {
    let rows = named.into_iter().map(|(account, inbox, remote_id)| row![account, inbox, remote_id]).collect();
    tx.query_many(&BY_REMOTE_MANY, rows)
}

/// A message by the reference we gave the provider.
pub fn find_by_client_ref(
    tx: &mut Tx<'_>,
    account: AccountId,
    client_ref: &str,
) -> Result<Option<MessageRow>, StoreError> {
    tx.find(&BY_CLIENT_REF, p![account, client_ref])
}

/// A message by the key its client made.
pub fn find_by_client_key(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    client_key: &str,
) -> Result<Option<MessageRow>, StoreError> {
    tx.find(&BY_CLIENT_KEY, p![account, conversation, client_key])
}

/// A message of ours without an answer yet, of the same kind and text within two minutes of `at`: the one an echo
/// without reference belongs to.
pub fn find_unanswered_twin(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    kind: MessageKind,
    content: Option<&str>,
    at: Timestamp,
) -> Result<Option<MessageRow>, StoreError> {
    const SPAN_MS: i64 = 120_000;
    tx.find(
        &UNANSWERED_TWIN,
        p![account, conversation, kind, content, at.plus_ms(-SPAN_MS), at.plus_ms(SPAN_MS)],
    )
}

/// The messages before a position (or the newest), newest first.
pub fn list_before(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    before: Option<(Timestamp, MessageId)>,
    limit: i64,
) -> Result<Vec<MessageRow>, StoreError> {
    match before {
        Some((at, id)) => tx.query(&THREAD_BEFORE, p![account, conversation, at, id, limit]),
        None => tx.query(&THREAD_NEWEST, p![account, conversation, limit]),
    }
}

/// A page by row number, oldest first.
pub fn list_page(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    limit: i64,
    offset: i64,
) -> Result<Vec<MessageRow>, StoreError> {
    tx.query(&THREAD_PAGE, p![account, conversation, limit, offset])
}

/// How many messages a conversation has.
pub fn count(tx: &mut Tx<'_>, account: AccountId, conversation: ConversationId) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&COUNT_THREAD, p![account, conversation])?.map_or(0, |(n,)| n))
}

/// Messages of ours stored after `last_seen`.
pub fn newer_outbound(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    last_seen: MessageId,
) -> Result<Vec<MessageRow>, StoreError> {
    tx.query(&NEWER_OUTBOUND, p![account, conversation, last_seen])
}

/// How many messages [`below_watermark`] finds at once.
pub const WATERMARK_BATCH: usize = 500;

/// Our messages written until a moment and not yet at this status, the first [`WATERMARK_BATCH`] of them.
pub fn below_watermark(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    until: Timestamp,
    status: MessageStatus,
) -> Result<Vec<MessageRow>, StoreError> {
    tx.query(&BELOW_WATERMARK, p![account, conversation, until, status.rank(), WATERMARK_BATCH as i64])
}

/// Changes the text, keeping what it said before.
pub fn edit(
    tx: &mut Tx<'_>,
    message: &MessageRow,
    text: &str,
    version: i64,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = message.edited_at.unwrap_or(message.sent_at);
    tx.execute(
        &KEEP_EDIT,
        p![message.account_id, message.id, message.edit_version, message.content, before],
    )?;
    tx.execute(&SET_CONTENT, p![message.account_id, message.id, text, version, at, now])?;
    Ok(())
}

/// The sender took the message back: its content goes, a tombstone stays; also of one we hide. True when it was there.
pub fn take_back(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: MessageId,
    at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    tx.execute(&DELETE_EDITS, p![account, id])?;
    Ok(tx.execute(&TAKE_BACK, p![account, id, at, now])? > 0)
}

/// Hides a message (soft delete): the row stays for the audit. True when it was visible.
pub fn hide(tx: &mut Tx<'_>, account: AccountId, id: MessageId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&HIDE, p![account, id, now])? > 0)
}

/// Marks one message as read by us; true when it was not.
pub fn mark_read(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: MessageId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&MARK_READ, p![account, id, now])? > 0)
}

/// Marks the customer's newest message as unread; false when they wrote none.
pub fn mark_newest_unread(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&MARK_NEWEST_UNREAD, p![account, conversation, now])? > 0)
}

/// Marks all messages of the customer as read by us; returns how many were not.
pub fn mark_thread_read(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let first = tx.find::<(Timestamp,)>(&FIRST_UNREAD, p![account, conversation])?;
    let Some((first,)) = first else { return Ok(0) };
    tx.execute(&MARK_THREAD_READ, p![account, conversation, now, first])
}

/// Removes an echo row that turned out to be the twin of a message of ours; its reactions move over.
pub fn replace_echo(
    tx: &mut Tx<'_>,
    account: AccountId,
    echo: MessageId,
    ours: MessageId,
) -> Result<(), StoreError> {
    reactions::move_all(tx, account, echo, ours)?;
    tx.execute(&DELETE, p![account, echo])?;
    Ok(())
}
