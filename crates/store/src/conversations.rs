//! Threads: what the list shows, and how messages move it.
//!
//! Long, because every statement that moves a conversation stands beside the list that shows it.

use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::{AccountId, ContactId, ConversationId, InboxId, MessageId, Timestamp, UserId};

use crate::db::statement::{both, each};
use crate::db::value::Value;
use crate::events::{EventKind, NewEvent};
use crate::{Columns, FromRow, StoreError, ToValue, Tx};

macro_rules! columns {
    () => {
        "v.id, v.account_id, v.inbox_id, v.contact_id, v.thread, v.subject, v.status, v.unread_count, v.starred,
         v.assignee_id, v.labels, v.snoozed_until, v.last_message_id, v.last_message_at, v.last_inbound_at,
         v.last_inbound_id, v.delivered_until, v.read_until, v.next_send_at, v.created_at, v.updated_at"
    };
}

statements! {
    LOCK = each("SELECT 1", "SELECT id FROM conversations WHERE account_id = $1 AND id = $2 FOR UPDATE");
    INSERT = both(
        "INSERT INTO conversations (account_id, inbox_id, contact_id, thread, status, last_message_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 'active', $5, $6, $6)
         ON CONFLICT (account_id, inbox_id, contact_id) DO NOTHING RETURNING id");
    BY_CONTACT = both(
        "SELECT id FROM conversations WHERE account_id = $1 AND inbox_id = $2 AND contact_id = $3");
    GET = both(concat!("SELECT ", columns!(), " FROM conversations v WHERE v.account_id = $1 AND v.id = $2"));
    OF_CONTACT = both(concat!("SELECT ", columns!(),
        " FROM conversations v WHERE v.account_id = $1 AND v.contact_id = $2 ORDER BY v.last_message_at DESC, v.id DESC"));
    RECORD_INBOUND = both(
        "UPDATE conversations SET
            unread_count = unread_count + $6,
            thread = CASE WHEN $4 >= COALESCE(last_inbound_at, 0) THEN $5 ELSE thread END,
            last_inbound_id = CASE WHEN $4 >= COALESCE(last_inbound_at, 0) THEN $3 ELSE last_inbound_id END,
            last_inbound_at = CASE WHEN $4 >= COALESCE(last_inbound_at, 0) THEN $4 ELSE last_inbound_at END,
            last_message_id = CASE WHEN last_message_id IS NULL OR $4 >= last_message_at THEN $3 ELSE last_message_id END,
            last_message_at = CASE WHEN last_message_id IS NULL OR $4 >= last_message_at THEN $4 ELSE last_message_at END,
            status = 'active', snoozed_until = NULL, updated_at = $7
         WHERE account_id = $1 AND id = $2");
    STATUS_OF = both("SELECT status FROM conversations WHERE account_id = $1 AND id = $2");
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
    match tx.find::<(ConversationId,)>(&INSERT, p![account, inbox, contact, thread, at, now])? {
        Some((id,)) => Ok((id, true)),
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

/// All conversations with a contact, newest first.
pub fn of_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
) -> Result<Vec<ConversationRow>, StoreError> {
    tx.query(&OF_CONTACT, p![account, contact])
}

/// A message of the customer that was really new.
#[derive(Debug, Clone, Copy)]
pub struct NewInbound<'a> {
    /// The message.
    pub message: MessageId,
    /// By the provider's clock.
    pub sent_at: Timestamp,
    /// What the provider calls the thread now.
    pub thread: &'a str,
    /// 1 when it counts as unread, 0 for notices.
    pub unread: i64,
}

/// Moves the conversation by a new message of the customer and reopens it. Returns the status it had before.
pub fn record_inbound(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    new: NewInbound<'_>,
    now: Timestamp,
) -> Result<ConversationStatus, StoreError> {
    let before = tx.find::<(ConversationStatus,)>(&STATUS_OF, p![account, id])?;
    tx.execute(&RECORD_INBOUND, p![account, id, new.message, new.sent_at, new.thread, new.unread, now])?;
    Ok(before.map_or(ConversationStatus::Active, |(status,)| status))
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
    tx.execute(&RECORD_OUTBOUND, p![account, id, message, sent_at, now])?;
    Ok(())
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
        let heard = if lost.last_inbound_at > target.last_inbound_at { &lost } else { &target };
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
            kind: EventKind::ConversationUpdated,
            conversation_id: Some(kept),
            message_id: None,
            data: None,
        });
    }
    Ok(())
}

/// What the list is asked for.
#[derive(Debug, Clone, Default)]
pub struct ConversationFilter {
    /// Only of this status.
    pub status: Option<ConversationStatus>,
    /// Only of inboxes of these ids (a platform's inboxes, or one); `None` for all.
    pub inboxes: Option<Vec<InboxId>>,
    /// Only with unread messages (`true`) or without (`false`).
    pub unread: Option<bool>,
    /// Words in the customer's name, e-mail, phone or the messages; folded by [`frontdesk_model::text::fold`].
    pub search: Option<Search>,
}

/// A search, prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Folded words, for names.
    pub words: Vec<String>,
}

impl Search {
    /// How many words are looked at; the rest of a long query is ignored.
    const MAX_WORDS: usize = 8;

    /// Prepares a query; `None` when it holds no letters or digits.
    pub fn parse(query: &str) -> Option<Self> {
        let folded = frontdesk_model::text::fold(query);
        let words: Vec<String> = folded
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .take(Self::MAX_WORDS)
            .map(|w| w.chars().take(64).collect())
            .collect();
        if words.is_empty() { None } else { Some(Self { words }) }
    }

    /// All words in any order, the last one as a beginning: FTS5's syntax. Every word is quoted, so that nothing the
    /// user types is an operator.
    fn fts5(&self) -> String {
        let mut parts: Vec<String> = self.words.iter().map(|w| format!("\"{w}\"")).collect();
        if let Some(last) = parts.last_mut() {
            last.push('*');
        }
        parts.join(" ")
    }

    /// The same for `to_tsquery('simple', …)`; words hold only letters and digits.
    fn tsquery(&self) -> String {
        let mut parts: Vec<String> = self.words.iter().map(|w| format!("'{w}'")).collect();
        if let Some(last) = parts.last_mut() {
            last.push_str(":*");
        }
        parts.join(" & ")
    }

    /// A LIKE pattern for one word anywhere; `%` and `_` cannot occur in it.
    fn like(word: &str) -> String {
        format!("%{word}%")
    }
}

/// Where a page of the list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// After the row with this time and id.
    After(Timestamp, ConversationId),
    /// From this row number on.
    Offset(i64),
}

/// One page of the list, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    filter: &ConversationFilter,
    page: Page,
    limit: i64,
) -> Result<Vec<ConversationRow>, StoreError> {
    let mut query = Query::new(
        concat!(
            "SELECT ",
            columns!(),
            " FROM conversations v WHERE v.last_message_id IS NOT NULL AND v.account_id = "
        ),
        account.0,
    );
    query.filter(filter, tx.is_postgres());
    if let Page::After(at, id) = page {
        query.push(" AND (v.last_message_at, v.id) < (");
        query.bind(Owned::Int(at.as_millis()));
        query.push(", ");
        query.bind(Owned::Int(id.0));
        query.push(")");
    }
    query.push(" ORDER BY v.last_message_at DESC, v.id DESC LIMIT ");
    query.bind(Owned::Int(limit));
    if let Page::Offset(offset) = page {
        query.push(" OFFSET ");
        query.bind(Owned::Int(offset));
    }
    let params: Vec<Value<'_>> = query.params.iter().map(ToValue::to_value).collect();
    tx.query_text(&query.sql, &params)
}

/// How many conversations the filter finds.
pub fn count(tx: &mut Tx<'_>, account: AccountId, filter: &ConversationFilter) -> Result<i64, StoreError> {
    let mut query = Query::new(
        "SELECT COUNT(*) FROM conversations v WHERE v.last_message_id IS NOT NULL AND v.account_id = ",
        account.0,
    );
    query.filter(filter, tx.is_postgres());
    let params: Vec<Value<'_>> = query.params.iter().map(ToValue::to_value).collect();
    Ok(tx.query_text::<(i64,)>(&query.sql, &params)?.first().map_or(0, |(n,)| *n))
}

/// A statement put together from filters: fixed text and bound parameters only.
struct Query {
    sql: String,
    params: Vec<Owned>,
}

enum Owned {
    Int(i64),
    Text(String),
}

impl ToValue for Owned {
    fn to_value(&self) -> Value<'_> {
        match self {
            Self::Int(v) => Value::Int(*v),
            Self::Text(v) => Value::Text(v),
        }
    }
}

impl Query {
    fn new(start: &str, account: i64) -> Self {
        let mut query = Self { sql: start.to_owned(), params: Vec::new() };
        query.bind(Owned::Int(account));
        query
    }

    fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    fn bind(&mut self, value: Owned) {
        self.params.push(value);
        self.sql.push_str(&format!("${}", self.params.len()));
    }

    fn filter(&mut self, filter: &ConversationFilter, postgres: bool) {
        if let Some(status) = filter.status {
            self.push(" AND v.status = ");
            self.bind(Owned::Text(status.as_str().to_owned()));
        }
        match filter.unread {
            Some(true) => self.push(" AND v.unread_count > 0"),
            Some(false) => self.push(" AND v.unread_count = 0"),
            None => {}
        }
        if let Some(inboxes) = &filter.inboxes {
            self.push(" AND v.inbox_id IN (-1");
            for inbox in inboxes {
                self.push(", ");
                self.bind(Owned::Int(inbox.0));
            }
            self.push(")");
        }
        if let Some(search) = &filter.search {
            self.search(search, postgres);
        }
    }

    fn search(&mut self, search: &Search, postgres: bool) {
        self.push(" AND (v.contact_id IN (SELECT c.id FROM contacts c WHERE c.account_id = $1");
        for word in &search.words {
            self.push(" AND c.search_text LIKE ");
            self.bind(Owned::Text(Search::like(word)));
        }
        if postgres {
            self.push(
                ") OR v.id IN (SELECT m.conversation_id FROM messages m WHERE m.account_id = $1 AND m.deleted_at IS NULL
                 AND to_tsvector('simple', frontdesk_fold(m.content)) @@ to_tsquery('simple', ",
            );
            self.bind(Owned::Text(search.tsquery()));
            self.push(")))");
        } else {
            self.push(
                ") OR v.id IN (SELECT m.conversation_id FROM messages_fts f JOIN messages m ON m.id = f.rowid
                 WHERE m.account_id = $1 AND m.deleted_at IS NULL AND messages_fts MATCH ",
            );
            self.bind(Owned::Text(search.fts5()));
            self.push("))");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_holds_words_only() {
        let search = Search::parse("João  a* OR \"b% _' --").unwrap();
        assert_eq!(search.words, ["joao", "a", "or", "b"]);
        assert_eq!(search.fts5(), "\"joao\" \"a\" \"or\" \"b\"*");
        assert_eq!(search.tsquery(), "'joao' & 'a' & 'or' & 'b':*");
        assert_eq!(Search::parse(" %_* "), None);
        assert_eq!(Search::parse(&"wort ".repeat(10_000)).unwrap().words.len(), 8);
    }
}
