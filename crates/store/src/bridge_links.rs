//! What a bridge has linked: conversations and messages of ours with those of a Chatwoot.

use frontdesk_model::{AccountId, BridgeId, ConversationId, MessageId, Timestamp};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! thread_columns {
    () => {
        "remote_id, remote_contact_id, conversation_id, remote_status, pulled_message_id, seen_message_id"
    };
}

macro_rules! message_columns {
    () => {
        "message_id, remote_id, remote_conversation_id, is_theirs, told"
    };
}

statements! {
    LINK_THREAD = both(
        "INSERT INTO bridge_threads (account_id, bridge_id, remote_id, remote_contact_id, conversation_id, remote_status, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (account_id, bridge_id, remote_id) DO UPDATE SET conversation_id = excluded.conversation_id");
    THREAD = both(concat!("SELECT ", thread_columns!(),
        " FROM bridge_threads WHERE account_id = $1 AND bridge_id = $2 AND remote_id = $3"));
    NEWEST_THREAD = both(concat!("SELECT ", thread_columns!(),
        " FROM bridge_threads WHERE account_id = $1 AND bridge_id = $2 AND conversation_id = $3 ORDER BY remote_id DESC LIMIT 1"));
    SET_REMOTE_STATUS = both(
        "UPDATE bridge_threads SET remote_status = $4 WHERE account_id = $1 AND bridge_id = $2 AND remote_id = $3
         AND remote_status <> $4");
    SET_PULLED = both(
        "UPDATE bridge_threads SET pulled_message_id = $4 WHERE account_id = $1 AND bridge_id = $2 AND remote_id = $3
         AND pulled_message_id < $4");
    SET_SEEN = both(
        "UPDATE bridge_threads SET seen_message_id = $4 WHERE account_id = $1 AND bridge_id = $2 AND remote_id = $3
         AND seen_message_id < $4");
    MOVE_THREADS = both(
        "UPDATE bridge_threads SET conversation_id = $4 WHERE account_id = $1 AND bridge_id = $2 AND conversation_id = $3");
    UNLINK_THREAD = both("DELETE FROM bridge_threads WHERE account_id = $1 AND bridge_id = $2 AND remote_id = $3");
    UNLINK_THREAD_MESSAGES = both(
        "DELETE FROM bridge_messages WHERE account_id = $1 AND bridge_id = $2 AND remote_conversation_id = $3");
    LINK_MESSAGE = both(
        "INSERT INTO bridge_messages (account_id, bridge_id, message_id, remote_id, remote_conversation_id, is_theirs, told, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account_id, bridge_id, message_id) DO NOTHING");
    MESSAGE = both(concat!("SELECT ", message_columns!(),
        " FROM bridge_messages WHERE account_id = $1 AND bridge_id = $2 AND message_id = $3"));
    BY_REMOTE = both(concat!("SELECT ", message_columns!(),
        " FROM bridge_messages WHERE account_id = $1 AND bridge_id = $2 AND remote_id = $3 ORDER BY message_id"));
    SET_TOLD = both("UPDATE bridge_messages SET told = $4 WHERE account_id = $1 AND bridge_id = $2 AND message_id = $3");
    UNLINK_MESSAGE = both("DELETE FROM bridge_messages WHERE account_id = $1 AND bridge_id = $2 AND message_id = $3");
    FORGET_MESSAGES = both("DELETE FROM bridge_messages WHERE account_id = $1 AND bridge_id = $2");
    FORGET_THREADS = both("DELETE FROM bridge_threads WHERE account_id = $1 AND bridge_id = $2");
}

/// A conversation there and ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadLink {
    /// Its number there.
    pub remote_id: i64,
    /// The contact there.
    pub remote_contact_id: Option<i64>,
    /// Ours.
    pub conversation_id: ConversationId,
    /// Where it stood there when we last heard.
    pub remote_status: String,
    /// Messages there up to this one have been looked at, should their webhooks have been lost.
    pub pulled_message_id: i64,
    /// The newest message of the customer that we are shown to have read there.
    pub seen_message_id: i64,
}

impl FromRow for ThreadLink {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            remote_id: row.next()?,
            remote_contact_id: row.next()?,
            conversation_id: row.next()?,
            remote_status: row.next()?,
            pulled_message_id: row.next()?,
            seen_message_id: row.next()?,
        })
    }
}

/// A message there and ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageLink {
    /// Ours.
    pub message_id: MessageId,
    /// Its id there.
    pub remote_id: i64,
    /// The conversation there.
    pub remote_conversation_id: i64,
    /// It was written there.
    pub is_theirs: bool,
    /// What was told of it since, as JSON.
    pub told: String,
}

impl FromRow for MessageLink {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            message_id: row.next()?,
            remote_id: row.next()?,
            remote_conversation_id: row.next()?,
            is_theirs: row.next()?,
            told: row.next()?,
        })
    }
}

/// Links a conversation there with one of ours.
pub fn link_thread(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    link: &ThreadLink,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ThreadLink { remote_id, remote_contact_id, conversation_id, remote_status, .. } = link;
    tx.execute(
        &LINK_THREAD,
        p![account, bridge, remote_id, remote_contact_id, conversation_id, remote_status, now],
    )
    .map(drop)
}

/// The link of a conversation there.
pub fn find_thread(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    remote: i64,
) -> Result<Option<ThreadLink>, StoreError> {
    tx.find(&THREAD, p![account, bridge, remote])
}

/// The newest conversation there of one of ours.
pub fn newest_thread(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    conversation: ConversationId,
) -> Result<Option<ThreadLink>, StoreError> {
    tx.find(&NEWEST_THREAD, p![account, bridge, conversation])
}

/// Notes where a conversation stands there; true when that is news.
pub fn set_remote_status(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    remote: i64,
    status: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&SET_REMOTE_STATUS, p![account, bridge, remote, status])? > 0)
}

/// Messages there up to this one have been looked at.
pub fn set_pulled(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    remote: i64,
    message: i64,
) -> Result<(), StoreError> {
    tx.execute(&SET_PULLED, p![account, bridge, remote, message]).map(drop)
}

/// What the customer wrote up to this message is shown there as read.
pub fn set_seen(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    remote: i64,
    message: MessageId,
) -> Result<(), StoreError> {
    tx.execute(&SET_SEEN, p![account, bridge, remote, message]).map(drop)
}

/// What belonged to one conversation of ours belongs to another: they became one.
pub fn move_threads(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    from: ConversationId,
    to: ConversationId,
) -> Result<(), StoreError> {
    tx.execute(&MOVE_THREADS, p![account, bridge, from, to]).map(drop)
}

/// A conversation is gone there, with its messages.
pub fn unlink_thread(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    remote: i64,
) -> Result<(), StoreError> {
    tx.execute(&UNLINK_THREAD_MESSAGES, p![account, bridge, remote])?;
    tx.execute(&UNLINK_THREAD, p![account, bridge, remote]).map(drop)
}

/// Links a message; false when it was linked already.
pub fn link_message(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    link: &MessageLink,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let MessageLink { message_id, remote_id, remote_conversation_id, is_theirs, told } = link;
    let values = p![account, bridge, message_id, remote_id, remote_conversation_id, is_theirs, told, now];
    Ok(tx.execute(&LINK_MESSAGE, values)? > 0)
}

/// The link of a message of ours.
pub fn find_message(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    message: MessageId,
) -> Result<Option<MessageLink>, StoreError> {
    tx.find(&MESSAGE, p![account, bridge, message])
}

/// Ours of a message there; several when it had several files.
pub fn find_by_remote(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    remote: i64,
) -> Result<Vec<MessageLink>, StoreError> {
    tx.query(&BY_REMOTE, p![account, bridge, remote])
}

/// Notes what was told of a message.
pub fn set_told(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    message: MessageId,
    told: &str,
) -> Result<(), StoreError> {
    tx.execute(&SET_TOLD, p![account, bridge, message, told]).map(drop)
}

/// A message is gone.
pub fn unlink_message(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    message: MessageId,
) -> Result<(), StoreError> {
    tx.execute(&UNLINK_MESSAGE, p![account, bridge, message]).map(drop)
}

/// Forgets all links of a bridge.
pub fn forget(tx: &mut Tx<'_>, account: AccountId, bridge: BridgeId) -> Result<(), StoreError> {
    tx.execute(&FORGET_MESSAGES, p![account, bridge])?;
    tx.execute(&FORGET_THREADS, p![account, bridge]).map(drop)
}
