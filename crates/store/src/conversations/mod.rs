//! Threads: what the list shows, and how messages move it.
//!
//! [`list`](mod@list) holds the filters, the search and the pages.

use std::cmp::Reverse;
use std::collections::HashMap;

use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::{AccountId, ContactId, ConversationId, InboxId, MessageId, Timestamp, UserId};
use serde_json::{Map, Value};

use crate::db::statement::{both, each};
use crate::events::{EventKind, NewEvent};
use crate::{Columns, FromRow, StoreError, Tx, reaction_sends};

macro_rules! columns {
    () => {
        "v.id, v.account_id, v.inbox_id, v.contact_id, v.thread, v.subject, v.status, v.unread_count, v.starred,
         v.assignee_id, v.labels, v.snoozed_until, v.last_message_id, v.last_message_at, v.last_inbound_at,
         v.last_inbound_id, v.delivered_until, v.read_until, v.next_send_at, v.metadata, v.created_at, v.updated_at"
    };
}

mod list;
pub mod other_side;

pub(crate) use other_side::STATEMENTS as OTHER_SIDE;

pub use list::{Assignee, ConversationFilter, Page, Search, count, list};

statements! {
    LOCK = each("SELECT 1", "SELECT id FROM conversations WHERE account_id = $1 AND id = $2 FOR UPDATE");
    INSERT = inserting!(
        "INSERT INTO conversations (account_id, inbox_id, contact_id, thread, status, last_message_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 'active', $5, $6, $6)
         ON CONFLICT (account_id, inbox_id, contact_id) DO NOTHING");
    INSERT_MANY = each(
        "INSERT INTO conversations (account_id, inbox_id, contact_id, thread, status, last_message_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 'active', $5, $6, $6)
         ON CONFLICT (account_id, inbox_id, contact_id) DO NOTHING",
        "INSERT INTO conversations (account_id, inbox_id, contact_id, thread, status, last_message_at, created_at, updated_at)
         SELECT account_id, inbox_id, contact_id, thread, 'active', at, now, now
         FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::TEXT[], $5::BIGINT[], $6::BIGINT[])
            AS n (account_id, inbox_id, contact_id, thread, at, now)
         ON CONFLICT (account_id, inbox_id, contact_id) DO NOTHING RETURNING id, account_id, inbox_id, contact_id");
    BY_CONTACT = both(
        "SELECT id FROM conversations WHERE account_id = $1 AND inbox_id = $2 AND contact_id = $3");
    GET = both(concat!("SELECT ", columns!(), " FROM conversations v WHERE v.account_id = $1 AND v.id = $2"));
    GET_MANY = each(
        concat!("SELECT ", columns!(), " FROM conversations v WHERE v.account_id = $1 AND v.id = $2"),
        concat!("SELECT ", columns!(), " FROM conversations v JOIN UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, id)
            ON v.account_id = n.account_id AND v.id = n.id"));
    GET_LOCKED = each(
        concat!("SELECT ", columns!(), " FROM conversations v WHERE v.account_id = $1 AND v.id = $2"),
        concat!("SELECT ", columns!(), " FROM conversations v WHERE v.account_id = $1 AND v.id = $2 FOR UPDATE OF v"));
    OF_CONTACT = both(concat!("SELECT ", columns!(),
        " FROM conversations v WHERE v.account_id = $1 AND v.contact_id = $2"));
    RECORD_INBOUND_MANY = each(
        "UPDATE conversations AS v SET
            unread_count = v.unread_count + $6,
            thread = CASE WHEN $4 > COALESCE(v.last_inbound_at, 0) OR ($4 = v.last_inbound_at AND $5 < v.thread)
                          THEN $5 ELSE v.thread END,
            last_inbound_id = CASE WHEN $4 >= COALESCE(v.last_inbound_at, 0) THEN $3 ELSE v.last_inbound_id END,
            last_inbound_at = CASE WHEN $4 >= COALESCE(v.last_inbound_at, 0) THEN $4 ELSE v.last_inbound_at END,
            last_message_id = CASE WHEN v.last_message_id IS NULL OR $4 >= v.last_message_at THEN $3 ELSE v.last_message_id END,
            last_message_at = CASE WHEN v.last_message_id IS NULL OR $4 >= v.last_message_at THEN $4 ELSE v.last_message_at END,
            status = 'active', snoozed_until = NULL, updated_at = $7
         WHERE v.account_id = $1 AND v.id = $2",
        "UPDATE conversations AS v SET
            unread_count = v.unread_count + n.unread,
            thread = CASE WHEN n.at > COALESCE(v.last_inbound_at, 0) OR (n.at = v.last_inbound_at AND n.thread < v.thread)
                          THEN n.thread ELSE v.thread END,
            last_inbound_id = CASE WHEN n.at >= COALESCE(v.last_inbound_at, 0) THEN n.message_id ELSE v.last_inbound_id END,
            last_inbound_at = CASE WHEN n.at >= COALESCE(v.last_inbound_at, 0) THEN n.at ELSE v.last_inbound_at END,
            last_message_id = CASE WHEN v.last_message_id IS NULL OR n.at >= v.last_message_at THEN n.message_id ELSE v.last_message_id END,
            last_message_at = CASE WHEN v.last_message_id IS NULL OR n.at >= v.last_message_at THEN n.at ELSE v.last_message_at END,
            status = 'active', snoozed_until = NULL, updated_at = n.now
         FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::TEXT[], $6::BIGINT[], $7::BIGINT[])
            AS n (account_id, id, message_id, at, thread, unread, now)
         WHERE v.account_id = n.account_id AND v.id = n.id");
    BY_CONTACT_MANY = each(
        "SELECT account_id, inbox_id, contact_id, id, status FROM conversations
         WHERE account_id = $1 AND inbox_id = $2 AND contact_id = $3",
        // Looked up one by one, whatever the plan was made for; in the order of the parameters, in which all lock.
        "SELECT n.account_id, n.inbox_id, n.contact_id, v.id, v.status
         FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[]) AS n (account_id, inbox_id, contact_id)
         CROSS JOIN LATERAL (
            SELECT id, status FROM conversations
            WHERE account_id = n.account_id AND inbox_id = n.inbox_id AND contact_id = n.contact_id
            LIMIT 1 FOR UPDATE) AS v");
    RECORD_OUTBOUND = both(
        "UPDATE conversations SET
            last_message_id = CASE WHEN last_message_id IS NULL OR $4 >= last_message_at THEN $3 ELSE last_message_id END,
            last_message_at = CASE WHEN last_message_id IS NULL OR $4 >= last_message_at THEN $4 ELSE last_message_at END,
            updated_at = $5
         WHERE account_id = $1 AND id = $2");
    SET_READ = both(
        "UPDATE conversations SET unread_count = 0, updated_at = $3 WHERE account_id = $1 AND id = $2 AND unread_count > 0");
    COUNT_UNREAD = both(
        "UPDATE conversations SET unread_count =
            (SELECT COUNT(*) FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2
             AND m.direction = 'inbound' AND m.sender_type = 'customer' AND m.read_at IS NULL AND m.deleted_at IS NULL), updated_at = $3
         WHERE account_id = $1 AND id = $2");
    SET_STATUS = both(
        "UPDATE conversations SET status = $3, status_changed_at = $4, updated_at = $4 WHERE account_id = $1 AND id = $2");
    SET_STARRED = both("UPDATE conversations SET starred = $3, updated_at = $4 WHERE account_id = $1 AND id = $2");
    SET_ASSIGNEE = both("UPDATE conversations SET assignee_id = $3, updated_at = $4 WHERE account_id = $1 AND id = $2");
    SET_LABELS = both("UPDATE conversations SET labels = $3, updated_at = $4 WHERE account_id = $1 AND id = $2");
    SET_NEXT_SEND = both(
        "UPDATE conversations SET next_send_at = $3 WHERE account_id = $1 AND id = $2 AND next_send_at < $3");
    RAISE_DELIVERED = both(
        "UPDATE conversations SET delivered_until = $3 WHERE account_id = $1 AND id = $2 AND delivered_until < $3");
    RAISE_READ = both(
        "UPDATE conversations SET read_until = $3 WHERE account_id = $1 AND id = $2 AND read_until < $3");
    MOVE_CONTACT = both("UPDATE conversations SET contact_id = $3, updated_at = $4 WHERE account_id = $1 AND id = $2");
    MOVE_MESSAGES = both(
        "UPDATE messages SET conversation_id = $3, contact_id = $4,
            client_key = CASE WHEN client_key IN (SELECT k.client_key FROM messages k WHERE k.account_id = $1
                AND k.conversation_id = $3 AND k.client_key IS NOT NULL) THEN NULL ELSE client_key END
         WHERE account_id = $1 AND conversation_id = $2");
    MOVE_OUTBOX = both("UPDATE outbox SET conversation_id = $3 WHERE account_id = $1 AND conversation_id = $2");
    SET_MESSAGES_CONTACT = both(
        "UPDATE messages SET contact_id = $3 WHERE account_id = $1 AND conversation_id = $2");
    ABSORB = both(
        "UPDATE conversations SET
            unread_count = unread_count + $3, last_message_id = $4, last_message_at = $5,
            last_inbound_at = $6, last_inbound_id = $7, thread = $8, updated_at = $9,
            delivered_until = $10, read_until = $11, next_send_at = $12, status = $13, starred = $14,
            assignee_id = $15, labels = $16
         WHERE account_id = $1 AND id = $2");
    DELETE = both("DELETE FROM conversations WHERE account_id = $1 AND id = $2");
    REFRESH_LAST = both(
        "UPDATE conversations SET
            last_message_id = (SELECT m.id FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2
                               ORDER BY m.sent_at DESC, m.id DESC LIMIT 1)
         WHERE account_id = $1 AND id = $2");
}

/// A conversation as stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct ConversationRow {
    pub id: ConversationId,
    pub account_id: AccountId,
    pub inbox_id: InboxId,
    pub contact_id: ContactId,
    /// What the provider calls the other side.
    pub thread: String,
    pub subject: Option<String>,
    pub status: ConversationStatus,
    pub unread_count: i64,
    pub starred: bool,
    pub assignee_id: Option<UserId>,
    pub labels: Vec<String>,
    pub snoozed_until: Option<Timestamp>,
    pub last_message_id: Option<MessageId>,
    pub last_message_at: Timestamp,
    pub last_inbound_at: Option<Timestamp>,
    pub last_inbound_id: Option<MessageId>,
    /// The customer's network said: delivered up to here.
    pub delivered_until: Timestamp,
    /// The customer's network said: read up to here.
    pub read_until: Timestamp,
    /// Not before: the pace towards this customer.
    pub next_send_at: Timestamp,
    /// What other programs know of it.
    pub metadata: Map<String, Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl FromRow for ConversationRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            inbox_id: row.next()?,
            contact_id: row.next()?,
            thread: row.next()?,
            subject: row.next()?,
            status: row.next()?,
            unread_count: row.next()?,
            starred: row.next()?,
            assignee_id: row.next()?,
            labels: row.next_json()?,
            snoozed_until: row.next()?,
            last_message_id: row.next()?,
            last_message_at: row.next()?,
            last_inbound_at: row.next()?,
            last_inbound_id: row.next()?,
            delivered_until: row.next()?,
            read_until: row.next()?,
            next_send_at: row.next()?,
            metadata: row.next_json()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

/// Finds the conversation of a contact in an inbox, or begins one. The flag tells that it is new.
pub fn find_or_create(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    contact: ContactId,
    thread: &str,
    at: Timestamp,
    now: Timestamp,
) -> Result<(ConversationId, bool), StoreError> {
    if let Some(id) = find_by_contact(tx, account, inbox, contact)? {
        return Ok((id, false));
    }
    match tx.insert::<ConversationId>(&INSERT, p![account, inbox, contact, thread, at, now])? {
        Some(id) => Ok((id, true)),
        // Another node was faster.
        None => find_by_contact(tx, account, inbox, contact)?
            .map(|id| (id, false))
            .ok_or_else(|| StoreError::Unavailable("a conversation vanished while it was made".to_owned())),
    }
}

/// The conversation of a contact in an inbox.
pub fn find_by_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    contact: ContactId,
) -> Result<Option<ConversationId>, StoreError> {
    Ok(tx.find::<(ConversationId,)>(&BY_CONTACT, p![account, inbox, contact])?.map(|(id,)| id))
}

/// A conversation by id.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
) -> Result<Option<ConversationRow>, StoreError> {
    tx.find(&GET, p![account, id])
}

/// Conversations by id, in no particular order; those that do not exist are left out.
pub fn find_many(
    tx: &mut Tx<'_>,
    account: AccountId,
    ids: impl IntoIterator<Item = ConversationId>,
) -> Result<Vec<ConversationRow>, StoreError> {
    tx.query_many(&GET_MANY, ids.into_iter().map(|id| row![account, id]).collect())
}

/// All conversations with a contact, newest first.
pub fn of_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
) -> Result<Vec<ConversationRow>, StoreError> {
    let mut found: Vec<ConversationRow> = tx.query(&OF_CONTACT, p![account, contact])?;
    // Sorted here: asked for this order, SQLite would walk through all conversations of the account in it.
    found.sort_unstable_by_key(|row| Reverse((row.last_message_at, row.id)));
    Ok(found)
}

/// A conversation as incoming messages need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The conversation.
    pub id: ConversationId,
    /// Its status before anything of the batch was applied.
    pub status: ConversationStatus,
}

/// Whom a conversation is with, and where.
pub type Party = (AccountId, InboxId, ContactId);

/// The conversations of these parties that exist. On PostgreSQL nobody else writes to them until the transaction ends.
pub fn find_many_by_party(tx: &mut Tx<'_>, parties: &[Party]) -> Result<HashMap<Party, Known>, StoreError> {
    let mut parties = parties.to_vec();
    parties.sort_unstable();
    parties.dedup();
    let rows: Vec<_> =
        parties.iter().map(|(account, inbox, contact)| row![account, inbox, contact]).collect();
    let found = tx.query_many::<(AccountId, InboxId, ContactId, ConversationId, ConversationStatus)>(
        &BY_CONTACT_MANY,
        rows,
    )?;
    let known = |(account, inbox, contact, id, status)| ((account, inbox, contact), Known { id, status });
    Ok(found.into_iter().map(known).collect())
}

/// Begins conversations, each with its party, the thread it has at the provider, and the time of its first message.
/// Those that another node began meanwhile are missing from the answer.
pub fn create_many<'a>(
    tx: &mut Tx<'_>,
    new: impl IntoIterator<Item = (Party, &'a str, Timestamp)>,
    now: Timestamp,
) -> Result<HashMap<Party, Known>, StoreError> {
    let mut rows: Vec<(Party, _)> = new
        .into_iter()
        .map(|(party, thread, at)| (party, row![party.0, party.1, party.2, thread, at, now]))
        .collect();
    rows.sort_unstable_by_key(|(party, _)| *party);
    let parties: Vec<Party> = rows.iter().map(|(party, _)| *party).collect();
    let ids = tx.insert_many::<Party, ConversationId>(&INSERT_MANY, rows)?;
    let begun = |(party, id): (Party, Option<ConversationId>)| {
        Some((party, Known { id: id?, status: ConversationStatus::Active }))
    };
    Ok(parties.into_iter().zip(ids).filter_map(begun).collect())
}

/// Customers' messages that were really new, of one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewInbound<'a> {
    /// Whose conversation it is.
    pub account: AccountId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The newest message.
    pub message: MessageId,
    /// When that was written, by the provider's clock.
    pub sent_at: Timestamp,
    /// What the provider calls the thread in it.
    pub thread: &'a str,
    /// How many of the messages count as unread: notices do not.
    pub unread: i64,
}

/// Moves conversations by new messages of their customers and reopens them; each conversation once.
pub fn record_inbound_many(
    tx: &mut Tx<'_>,
    news: &[NewInbound<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows: Vec<_> = news
        .iter()
        .map(|n| row![n.account, n.conversation, n.message, n.sent_at, n.thread, n.unread, now])
        .collect();
    tx.execute_many_later(&RECORD_INBOUND_MANY, rows)
}

/// Moves the conversation by a new message of ours.
pub fn record_outbound(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    message: MessageId,
    sent_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute_later(&RECORD_OUTBOUND, row![account, id, message, sent_at, now])
}

/// Sets the unread count to 0; true when it was not.
pub fn set_read(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&SET_READ, p![account, id, now])? > 0)
}

/// Counts the unread messages again, after single ones were marked or went away.
pub fn count_unread(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    now: Timestamp,
) -> Result<(), StoreError> {
    lock(tx, account, id)?; // a message stored meanwhile is counted too, and only once
    tx.execute(&COUNT_UNREAD, p![account, id, now])?;
    Ok(())
}

/// Opens, archives or closes a conversation.
pub fn set_status(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    status: ConversationStatus,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_STATUS, p![account, id, status, now])?;
    Ok(())
}

/// Marks with a star or takes it away.
pub fn set_starred(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    starred: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_STARRED, p![account, id, starred, now])?;
    Ok(())
}

/// Gives the conversation to someone, or to nobody.
pub fn set_assignee(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    assignee: Option<UserId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_ASSIGNEE, p![account, id, assignee, now])?;
    Ok(())
}

/// Waits until no other transaction writes to the conversation, and keeps others waiting until this one ends. SQLite
/// has one writer at a time anyway.
pub fn lock(tx: &mut Tx<'_>, account: AccountId, id: ConversationId) -> Result<(), StoreError> {
    tx.query::<(i64,)>(&LOCK, p![account, id]).map(drop)
}

/// [`lock`] and [`find`] in one.
pub fn find_locked(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
) -> Result<Option<ConversationRow>, StoreError> {
    tx.find(&GET_LOCKED, p![account, id])
}

/// Replaces the labels; `labels` is a JSON list of text.
pub fn set_labels(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    labels: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_LABELS, p![account, id, labels, now])?;
    Ok(())
}

/// Holds back sends to this customer until `at`.
pub fn set_next_send(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_NEXT_SEND, p![account, id, at])?;
    Ok(())
}

/// Raises the delivered or read watermark; true when it rose.
pub fn raise_watermark(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    read: bool,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let statement = if read { &RAISE_READ } else { &RAISE_DELIVERED };
    Ok(tx.execute(statement, p![account, id, until])? > 0)
}

/// Finds the newest message again, after one went away.
pub fn refresh_last_message(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
) -> Result<(), StoreError> {
    tx.execute(&REFRESH_LAST, p![account, id])?;
    Ok(())
}

/// Moves all conversations of one contact to another; two in the same inbox become one.
pub(crate) fn move_to_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: ContactId,
    to: ContactId,
    now: Timestamp,
) -> Result<(), StoreError> {
    for lost in of_contact(tx, account, from)? {
        lock(tx, account, lost.id)?;
        let Some(lost) = find(tx, account, lost.id)? else { continue };
        let Some(kept) = find_by_contact(tx, account, lost.inbox_id, to)? else {
            tx.execute(&MOVE_CONTACT, p![account, lost.id, to, now])?;
            tx.execute(&SET_MESSAGES_CONTACT, p![account, lost.id, to])?;
            continue;
        };
        lock(tx, account, kept)?;
        let Some(target) = find(tx, account, kept)? else { continue };
        tx.execute(&MOVE_MESSAGES, p![account, lost.id, kept, to])?;
        tx.execute(&MOVE_OUTBOX, p![account, lost.id, kept])?;
        reaction_sends::move_to_conversation(tx, account, lost.id, kept)?;
        let newest = if (lost.last_message_at, lost.last_message_id)
            > (target.last_message_at, target.last_message_id)
        {
            &lost
        } else {
            &target
        };
        let mut labels = target.labels.clone();
        labels.extend(lost.labels.iter().filter(|label| !target.labels.contains(label)).cloned());
        let labels = serde_json::to_string(&labels).unwrap_or_else(|_| "[]".to_owned());
        let active = [&lost, &target].iter().any(|c| c.status == ConversationStatus::Active);
        // Of two names heard at one moment the smaller is kept: digits before a user id, whichever came first.
        let heard = [&lost, &target];
        let heard =
            heard.into_iter().max_by_key(|c| (c.last_inbound_at, Reverse(&c.thread))).unwrap_or(&target);
        tx.execute(
            &ABSORB,
            p![
                account,
                kept,
                lost.unread_count,
                newest.last_message_id,
                newest.last_message_at,
                heard.last_inbound_at,
                heard.last_inbound_id,
                heard.thread,
                now,
                lost.delivered_until.max(target.delivered_until),
                lost.read_until.max(target.read_until),
                lost.next_send_at.max(target.next_send_at),
                if active { ConversationStatus::Active } else { target.status },
                lost.starred || target.starred,
                target.assignee_id.or(lost.assignee_id),
                labels
            ],
        )?;
        tx.execute(&DELETE, p![account, lost.id])?;
        tx.emit(NewEvent {
            account_id: account,
            kind: EventKind::ConversationMerged,
            conversation_id: Some(lost.id),
            message_id: None,
            data: Some(kept.to_string()),
        });
        tx.emit(NewEvent {
            account_id: account,
            kind: EventKind::ConversationUpdated,
            conversation_id: Some(kept),
            message_id: None,
            data: None,
        });
    }
    Ok(())
}
