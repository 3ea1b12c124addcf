//! The event log: a dense sequence per account, the only source of realtime and outgoing webhooks.
//!
//! On SQLite a transaction numbers its events before it commits. On PostgreSQL it leaves them in `events_to_number`, and
//! they are numbered right after the commit, those of many transactions together ([`number`]): whoever holds the counter
//! of an account holds up everyone else who writes to it.

use frontdesk_model::{AccountId, ConversationId, MessageId, Timestamp};

use crate::db::statement::{both, each, sqlite_only};
use crate::signals::Topic;
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    // Without RETURNING, for which SQLite would make a table.
    TAKE_NUMBERS = sqlite_only("UPDATE accounts SET event_seq = event_seq + $2 WHERE id = $1");
    INSERT_MANY = each(
        "INSERT INTO events (account_id, seq, kind, conversation_id, message_id, data, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        "INSERT INTO events_to_number (account_id, kind, conversation_id, message_id, data, created_at)
         SELECT account_id, kind, conversation_id, message_id, data, created_at
         FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::BIGINT[], $5::BIGINT[], $6::TEXT[], $7::BIGINT[])
            AS n (account_id, place, kind, conversation_id, message_id, data, created_at)
         ORDER BY account_id, place");
    // One at a time on all nodes: what is committed later gets the later numbers. The lock comes before the statement that
    // numbers, so that this sees all that was committed while it waited.
    LOCK_NUMBERS = each("SELECT 1", "SELECT 1 FROM (SELECT pg_advisory_xact_lock(7265502, hashtext(current_schema()))) AS locked");
    IS_ANY_WITHOUT_NUMBER = each("SELECT FALSE", "SELECT EXISTS (SELECT 1 FROM events_to_number)");
    NUMBER = each(
        "SELECT 0",
        "WITH taken AS (
            DELETE FROM events_to_number WHERE id IN (SELECT id FROM events_to_number ORDER BY id LIMIT $1)
            RETURNING id, account_id, kind, conversation_id, message_id, data, created_at),
         placed AS (SELECT *, ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY id) AS place FROM taken),
         counted AS (
            UPDATE accounts a SET event_seq = a.event_seq + m.count
            FROM (SELECT account_id, COUNT(*) AS count FROM taken GROUP BY account_id) AS m
            WHERE a.id = m.account_id RETURNING a.id, a.event_seq - m.count AS before),
         numbered AS (
            INSERT INTO events (account_id, seq, kind, conversation_id, message_id, data, created_at)
            SELECT p.account_id, c.before + p.place, p.kind, p.conversation_id, p.message_id, p.data, p.created_at
            FROM placed p JOIN counted c ON c.id = p.account_id)
         SELECT COUNT(*) FROM taken");
    LIST_AFTER = both(
        "SELECT account_id, seq, kind, conversation_id, message_id, data, created_at FROM events
         WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT $3");
    LAST_SEQ = both("SELECT event_seq FROM accounts WHERE id = $1");
    FIRST_SEQ = both("SELECT COALESCE(MIN(seq), 0) FROM events WHERE account_id = $1");
    HEADS = both("SELECT id, event_seq FROM accounts");
    DELETE_OLDEST = both(
        "DELETE FROM events WHERE account_id = $1 AND created_at < $2 AND seq IN
         (SELECT seq FROM events WHERE account_id = $1 ORDER BY seq LIMIT $3)");
}

frontdesk_model::words! {
    /// What happened.
    pub enum EventKind {
        /// A message was stored, of either direction.
        MessageReceived = "message_received",
        /// A message was edited, deleted, reacted to, or its files arrived.
        MessageUpdated = "message_updated",
        /// A message was one of ours seen twice: this row is gone, the other stays.
        MessageRemoved = "message_removed",
        /// A reaction of ours will not arrive; what stood before it stands again.
        ReactionFailed = "reaction_failed",
        /// An outgoing message moved on.
        MessageStatusUpdated = "message_status_updated",
        /// A conversation was opened, archived or closed.
        ConversationStatusChanged = "conversation_status_changed",
        /// A conversation was read, starred, assigned or labelled.
        ConversationUpdated = "conversation_updated",
        /// Two conversations with one customer became one: this one is gone, `data` is the id of the other.
        ConversationMerged = "conversation_merged",
        /// A contact's name or details changed.
        ContactUpdated = "contact_updated",
        /// An inbox's connection changed.
        InboxStateChanged = "inbox_state_changed",
    }
}

/// An event to append.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Whose it is.
    pub account_id: AccountId,
    /// What happened.
    pub kind: EventKind,
    /// Where.
    pub conversation_id: Option<ConversationId>,
    /// To which message.
    pub message_id: Option<MessageId>,
    /// What the rows cannot tell any more (the previous status), as JSON.
    pub data: Option<String>,
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "as in NewEvent")]
pub struct Event {
    pub account_id: AccountId,
    /// Dense and rising per account, in the order of the commits.
    pub seq: i64,
    pub kind: EventKind,
    pub conversation_id: Option<ConversationId>,
    pub message_id: Option<MessageId>,
    pub data: Option<String>,
    pub created_at: Timestamp,
}

impl FromRow for Event {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            account_id: row.next()?,
            seq: row.next()?,
            kind: row.next::<EventWord>()?.0,
            conversation_id: row.next()?,
            message_id: row.next()?,
            data: row.next()?,
            created_at: row.next()?,
        })
    }
}

struct EventWord(EventKind);

impl crate::FromValue for EventWord {
    const EXPECTED: &'static str = "an event kind";
    fn from_value(value: crate::Value<'_>) -> Option<Self> {
        match value {
            crate::Value::Text(word) => EventKind::parse(word).map(Self),
            _ => None,
        }
    }
}

/// Stores what [`Tx::emit`] collected. Called once, at the end of every writing transaction.
pub(crate) fn flush(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let mut events = std::mem::take(&mut tx.events);
    if events.is_empty() {
        return Ok(());
    }
    events.sort_by_key(|e| e.account_id); // stable: the order within an account stays
    for of_account in events.chunk_by(|a, b| a.account_id == b.account_id) {
        let (count, account_id) = (of_account.len() as i64, of_account[0].account_id);
        let before = if tx.is_postgres() {
            0 // numbers come after the commit
        } else {
            if tx.execute(&TAKE_NUMBERS, p![account_id, count])? == 0 {
                continue;
            }
            last_seq(tx, account_id)? - count
        };
        let numbers: Vec<i64> = (before + 1..=before + count).collect();
        let rows: Vec<_> = of_account
            .iter()
            .zip(&numbers)
            .map(|(event, seq)| {
                let (conversation, message) = (&event.conversation_id, &event.message_id);
                row![account_id, seq, event.kind.as_str(), conversation, message, event.data, now]
            })
            .collect();
        tx.execute_many_later(&INSERT_MANY, rows)?;
    }
    if tx.is_postgres() {
        tx.leaves_unnumbered = true;
    } else {
        tx.signal(Topic::Events);
    }
    Ok(())
}

/// How many events are numbered in one transaction.
pub(crate) const NUMBERED_AT_ONCE: i64 = 5_000;

/// Numbers what committed transactions have left on PostgreSQL; tells how many events that were: with
/// [`NUMBERED_AT_ONCE`] there may be more.
pub(crate) fn number(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.keep_plans()?;
    tx.execute_many_later(&LOCK_NUMBERS, vec![Vec::new()])?;
    let numbered = tx.find::<(i64,)>(&NUMBER, p![NUMBERED_AT_ONCE])?.map_or(0, |(count,)| count);
    if numbered > 0 {
        tx.signal(Topic::Events);
    }
    Ok(numbered)
}

/// True when events of committed transactions have no numbers yet.
pub(crate) fn is_any_without_number(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(tx.find::<(bool,)>(&IS_ANY_WITHOUT_NUMBER, p![])?.is_some_and(|(any,)| any))
}

/// The events after `seq`, at most `limit`, in order.
pub fn list_after(
    tx: &mut Tx<'_>,
    account: AccountId,
    seq: i64,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    tx.query(&LIST_AFTER, p![account, seq, limit])
}

/// The newest number of an account; 0 when nothing happened yet.
pub fn last_seq(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&LAST_SEQ, p![account])?.map_or(0, |(seq,)| seq))
}

/// The oldest number still kept; 0 when none is.
pub fn first_seq(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&FIRST_SEQ, p![account])?.map_or(0, |(seq,)| seq))
}

/// The newest number of every account: where the tail of a starting node begins.
pub fn heads(tx: &mut Tx<'_>) -> Result<Vec<(AccountId, i64)>, StoreError> {
    tx.query(&HEADS, p![])
}

/// Forgets at most `limit` of the oldest events made before `before`; clients that were away longer reload.
pub fn delete_oldest(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: Timestamp,
    limit: i64,
) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OLDEST, p![account, before, limit])
}
