//! Bridges: an inbox of ours and an API inbox of a Chatwoot that show the same.

use frontdesk_model::{AccountId, BridgeId, ConversationId, InboxId, MessageId, SyncConnectionId, Timestamp};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "b.id, b.account_id, b.connection_id, b.inbox_id, b.remote_inbox_id, b.webhook_key, b.secret, b.settings, b.status,
         b.last_error, b.event_cursor, b.pulled_until, b.created_at, b.updated_at"
    };
}

statements! {
    INSERT = inserting!(
        "INSERT INTO bridges (account_id, connection_id, inbox_id, webhook_key, settings, status, last_error, event_cursor,
            pulled_until, pull_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 'error', $6, 0, $7, $7, $7, $7) ON CONFLICT DO NOTHING");
    GET = both(concat!("SELECT ", columns!(), " FROM bridges b WHERE b.account_id = $1 AND b.id = $2"));
    OF_INBOX = both(concat!("SELECT ", columns!(), " FROM bridges b WHERE b.account_id = $1 AND b.inbox_id = $2"));
    OF_CONNECTION = both("SELECT COUNT(*) FROM bridges WHERE account_id = $1 AND connection_id = $2");
    BY_WEBHOOK_KEY = both(concat!("SELECT ", columns!(), " FROM bridges b WHERE b.webhook_key = $1"));
    LIST = both(concat!("SELECT ", columns!(), " FROM bridges b WHERE b.account_id = $1 AND b.id > $2 ORDER BY b.id LIMIT $3"));
    SET_UP = both(
        "UPDATE bridges SET remote_inbox_id = $3, secret = $4, status = CASE WHEN status = 'error' THEN 'enabled' ELSE status END,
            last_error = NULL, event_cursor = CASE WHEN remote_inbox_id IS NULL THEN $5 ELSE event_cursor END, updated_at = $6
         WHERE account_id = $1 AND id = $2");
    SET_SETTINGS = both("UPDATE bridges SET settings = $3, updated_at = $4 WHERE account_id = $1 AND id = $2");
    SET_STATUS = both(
        "UPDATE bridges SET status = $3, last_error = $4, updated_at = $5
         WHERE account_id = $1 AND id = $2 AND (status <> $3 OR COALESCE(last_error, '') <> COALESCE($4, ''))");
    NOTE_ERROR = both(
        "UPDATE bridges SET status = 'error', last_error = $3, updated_at = $4
         WHERE account_id = $1 AND id = $2 AND status <> 'paused' AND (status <> 'error' OR COALESCE(last_error, '') <> $3)");
    NOTE_WELL = both(
        "UPDATE bridges SET status = 'enabled', last_error = NULL, updated_at = $3
         WHERE account_id = $1 AND id = $2 AND status = 'error' AND remote_inbox_id IS NOT NULL");
    DELETE = both("DELETE FROM bridges WHERE account_id = $1 AND id = $2");
    BEHIND = both(concat!("SELECT ", columns!(), " FROM bridges b JOIN accounts a ON a.id = b.account_id
         WHERE b.status <> 'paused' AND b.remote_inbox_id IS NOT NULL AND b.event_cursor < a.event_seq LIMIT 100"));
    NEWS = both(
        "SELECT e.seq, e.kind, e.conversation_id, e.message_id, e.data FROM events e
         LEFT JOIN conversations c ON c.account_id = e.account_id AND c.id = e.conversation_id
         WHERE e.account_id = $1 AND e.seq > $2 AND e.seq <= $3
           AND (c.inbox_id = $4 OR e.kind = 'conversation_merged') ORDER BY e.seq");
    MOVE_CURSOR = both(
        "UPDATE bridges SET event_cursor = $4 WHERE account_id = $1 AND id = $2 AND event_cursor = $3");
    DUE_PULLS = both(concat!("SELECT ", columns!(), " FROM bridges b
         WHERE b.status <> 'paused' AND b.remote_inbox_id IS NOT NULL AND b.pull_at <= $1 ORDER BY b.pull_at LIMIT 20"));
    CLAIM_PULL = both(
        "UPDATE bridges SET pull_at = $3 WHERE account_id = $1 AND id = $2 AND pull_at <= $4 AND status <> 'paused'");
    PULLED = both("UPDATE bridges SET pulled_until = $3 WHERE account_id = $1 AND id = $2 AND pulled_until < $3");
}

frontdesk_model::words! {
    /// Whether a bridge carries.
    pub enum BridgeStatus {
        /// It carries both ways.
        Enabled = "enabled",
        /// People stopped it: what happens meanwhile is carried when it goes on.
        Paused = "paused",
        /// Chatwoot refuses; `last_error` says what to do. It is tried again by itself.
        Error = "error",
    }
}

/// A bridge as stored.
#[derive(Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct BridgeRow {
    pub id: BridgeId,
    pub account_id: AccountId,
    pub connection_id: SyncConnectionId,
    pub inbox_id: InboxId,
    /// The API inbox there; `None` until it was made.
    pub remote_inbox_id: Option<i64>,
    /// The part of the webhook's address that nobody can guess.
    pub webhook_key: String,
    /// What its webhooks are signed with, sealed.
    pub secret: Option<Vec<u8>>,
    /// JSON.
    pub settings: String,
    pub status: BridgeStatus,
    pub last_error: Option<String>,
    /// Events up to here have become work.
    pub event_cursor: i64,
    /// What happened there up to here has been fetched.
    pub pulled_until: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl FromRow for BridgeRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            connection_id: row.next()?,
            inbox_id: row.next()?,
            remote_inbox_id: row.next()?,
            webhook_key: row.next()?,
            secret: row.next()?,
            settings: row.next()?,
            status: BridgeStatus::parse(&row.next::<String>()?).unwrap_or(BridgeStatus::Error),
            last_error: row.next()?,
            event_cursor: row.next()?,
            pulled_until: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

/// A bridge to store.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "as in BridgeRow")]
pub struct NewBridge<'a> {
    pub account_id: AccountId,
    pub connection_id: SyncConnectionId,
    pub inbox_id: InboxId,
    pub webhook_key: &'a str,
    pub settings: &'a str,
    pub last_error: &'a str,
}

/// Stores a bridge that is not set up yet; `None` when the inbox has one.
pub fn insert(tx: &mut Tx<'_>, new: NewBridge<'_>, now: Timestamp) -> Result<Option<BridgeId>, StoreError> {
    let NewBridge { account_id, connection_id, inbox_id, webhook_key, settings, last_error } = new;
    tx.insert(&INSERT, p![account_id, connection_id, inbox_id, webhook_key, settings, last_error, now])
}

/// A bridge by id.
pub fn find(tx: &mut Tx<'_>, account: AccountId, id: BridgeId) -> Result<Option<BridgeRow>, StoreError> {
    tx.find(&GET, p![account, id])
}

/// The bridge of an inbox.
pub fn find_of_inbox(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
) -> Result<Option<BridgeRow>, StoreError> {
    tx.find(&OF_INBOX, p![account, inbox])
}

/// How many bridges go over a connection.
pub fn count_of_connection(
    tx: &mut Tx<'_>,
    account: AccountId,
    connection: SyncConnectionId,
) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&OF_CONNECTION, p![account, connection])?.map_or(0, |(n,)| n))
}

/// The bridge whose webhooks come with this key.
pub fn find_by_webhook_key(tx: &mut Tx<'_>, key: &str) -> Result<Option<BridgeRow>, StoreError> {
    tx.find(&BY_WEBHOOK_KEY, p![key])
}

/// The bridges of an account after an id, the oldest first.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: BridgeId,
    limit: i64,
) -> Result<Vec<BridgeRow>, StoreError> {
    tx.query(&LIST, p![account, after, limit])
}

/// The inbox there stands. A bridge that is set up for the first time begins with what happens after event `from`.
pub fn set_up(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: BridgeId,
    remote_inbox: i64,
    secret: Option<&[u8]>,
    from: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_UP, p![account, id, remote_inbox, secret, from, now]).map(drop)
}

/// Stores its settings.
pub fn set_settings(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: BridgeId,
    settings: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_SETTINGS, p![account, id, settings, now]).map(drop)
}

/// People start or stop it.
pub fn set_status(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: BridgeId,
    status: BridgeStatus,
    last_error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_STATUS, p![account, id, status.as_str(), last_error, now]).map(drop)
}

/// Chatwoot refuses, for a reason that people have to remove.
pub fn note_error(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: BridgeId,
    error: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&NOTE_ERROR, p![account, id, error, now]).map(drop)
}

/// Chatwoot takes what it is given again; true when it did not before.
pub fn note_well(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: BridgeId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&NOTE_WELL, p![account, id, now])? > 0)
}

/// Forgets a bridge. What it links and what it has to do go with [`crate::bridge_links::forget`] and
/// [`crate::bridge_jobs::forget`].
pub fn delete(tx: &mut Tx<'_>, account: AccountId, id: BridgeId) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, p![account, id])? > 0)
}

/// Bridges for which events wait that have not become work, of every account.
pub fn behind(tx: &mut Tx<'_>) -> Result<Vec<BridgeRow>, StoreError> {
    tx.query(&BEHIND, p![])
}

/// An event that concerns a bridge.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of an event")]
pub struct BridgeNews {
    pub seq: i64,
    pub kind: String,
    pub conversation_id: Option<ConversationId>,
    pub message_id: Option<MessageId>,
    pub data: Option<String>,
}

impl FromRow for BridgeNews {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.next()?,
            kind: row.next()?,
            conversation_id: row.next()?,
            message_id: row.next()?,
            data: row.next()?,
        })
    }
}

/// The events after `after` up to `until` in a bridge's inbox, and those of conversations that became one.
pub fn news(
    tx: &mut Tx<'_>,
    bridge: &BridgeRow,
    after: i64,
    until: i64,
) -> Result<Vec<BridgeNews>, StoreError> {
    tx.query(&NEWS, p![bridge.account_id, after, until, bridge.inbox_id])
}

/// The events up to `to` have become work. False when another node was quicker.
pub fn move_cursor(tx: &mut Tx<'_>, bridge: &BridgeRow, to: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&MOVE_CURSOR, p![bridge.account_id, bridge.id, bridge.event_cursor, to])? > 0)
}

/// Bridges whose inbox there is to be looked at, of every account.
pub fn due_pulls(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<BridgeRow>, StoreError> {
    tx.query(&DUE_PULLS, p![now])
}

/// Takes the look at a bridge until `again_at`; false when another node has it.
pub fn claim_pull(
    tx: &mut Tx<'_>,
    bridge: &BridgeRow,
    again_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&CLAIM_PULL, p![bridge.account_id, bridge.id, again_at, now])? > 0)
}

/// What happened there up to `until` is here.
pub fn note_pulled(tx: &mut Tx<'_>, bridge: &BridgeRow, until: Timestamp) -> Result<(), StoreError> {
    tx.execute(&PULLED, p![bridge.account_id, bridge.id, until]).map(drop)
}
