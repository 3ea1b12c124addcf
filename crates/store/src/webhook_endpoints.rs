//! Addresses of other programs that are told what happens here, and how they do.

use frontdesk_model::{AccountId, InboxId, Timestamp, WebhookEndpointId};

use crate::db::statement::both;
use crate::signals::Topic;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "e.id, e.account_id, e.inbox_id, e.url, e.description, e.events, e.secret, e.old_secret, e.old_secret_until, e.status,
         e.last_error, e.event_cursor, e.failures, e.failing_since, e.rest_until, e.delivered_at, e.created_at, e.updated_at"
    };
}

statements! {
    INSERT = inserting!(
        "INSERT INTO webhook_endpoints (account_id, inbox_id, url, description, events, secret, status, event_cursor, created_at,
            updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'enabled', $7, $8, $8)");
    SET_SECRET = both(
        "UPDATE webhook_endpoints SET secret = $3, old_secret = $4, old_secret_until = $5, updated_at = $6
         WHERE account_id = $1 AND id = $2");
    GET = both(concat!("SELECT ", columns!(), " FROM webhook_endpoints e WHERE e.account_id = $1 AND e.id = $2"));
    LIST = both(concat!("SELECT ", columns!(),
        " FROM webhook_endpoints e WHERE e.account_id = $1 AND e.id > $2 ORDER BY e.id LIMIT $3"));
    COUNT = both("SELECT COUNT(*) FROM webhook_endpoints WHERE account_id = $1");
    UPDATE = both(
        "UPDATE webhook_endpoints SET inbox_id = $3, url = $4, description = $5, events = $6, updated_at = $7
         WHERE account_id = $1 AND id = $2");
    // Whoever starts an endpoint anew does not hold its past against it.
    SET_STATUS = both(
        "UPDATE webhook_endpoints SET status = $3, last_error = $4, failures = 0, failing_since = NULL, rest_until = 0,
            updated_at = $5 WHERE account_id = $1 AND id = $2");
    DISABLE = both(
        "UPDATE webhook_endpoints SET status = 'disabled', last_error = $3, updated_at = $4
         WHERE account_id = $1 AND id = $2 AND status = 'enabled'");
    DELETE = both("DELETE FROM webhook_endpoints WHERE account_id = $1 AND id = $2");
    OF_INBOX = both("SELECT id FROM webhook_endpoints WHERE account_id = $1 AND inbox_id = $2");
    BEHIND = both(concat!("SELECT ", columns!(), " FROM webhook_endpoints e JOIN accounts a ON a.id = e.account_id
         WHERE e.status = 'enabled' AND e.event_cursor < a.event_seq ORDER BY e.event_cursor LIMIT 100"));
    LISTENING = both(concat!("SELECT ", columns!(), " FROM webhook_endpoints e
         WHERE e.account_id = $1 AND e.status = 'enabled' AND (e.inbox_id IS NULL OR e.inbox_id = $2) ORDER BY e.id LIMIT 200"));
    MOVE_CURSOR = both(
        "UPDATE webhook_endpoints SET event_cursor = $4 WHERE account_id = $1 AND id = $2 AND event_cursor = $3");
    NOTE_WELL = both(
        "UPDATE webhook_endpoints SET failures = 0, failing_since = NULL, rest_until = 0, last_error = NULL, delivered_at = $3
         WHERE account_id = $1 AND id = $2");
    NOTE_FAILURE = both(
        "UPDATE webhook_endpoints SET failures = failures + 1, failing_since = COALESCE(failing_since, $4), last_error = $3,
            rest_until = CASE WHEN rest_until > $5 THEN rest_until ELSE $5 END
         WHERE account_id = $1 AND id = $2");
    DISABLED = both(
        "SELECT e.account_id, e.inbox_id, e.url, e.last_error FROM webhook_endpoints e WHERE e.status = 'disabled'
         ORDER BY e.id LIMIT 1000");
}

frontdesk_model::words! {
    /// Whether an address is called.
    pub enum EndpointStatus {
        /// It is.
        Enabled = "enabled",
        /// People stopped it: what happens meanwhile is told when it goes on.
        Paused = "paused",
        /// It failed for days, or said that it is gone: nothing is told until people start it again.
        Disabled = "disabled",
    }
}

/// An address as stored.
#[derive(Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct EndpointRow {
    pub id: WebhookEndpointId,
    pub account_id: AccountId,
    /// Only what happens in this inbox.
    pub inbox_id: Option<InboxId>,
    /// May hold a password in its query: never logged.
    pub url: String,
    pub description: String,
    /// The names of the events it wants; empty: all.
    pub events: Vec<String>,
    /// What deliveries are signed with, sealed.
    pub secret: Vec<u8>,
    /// The secret before, sealed.
    pub old_secret: Option<Vec<u8>>,
    /// Until when deliveries are signed with it too.
    pub old_secret_until: Option<Timestamp>,
    pub status: EndpointStatus,
    pub last_error: Option<String>,
    /// Events up to here are on their way.
    pub event_cursor: i64,
    /// Deliveries in a row that were not taken.
    pub failures: i64,
    /// Since when none was taken.
    pub failing_since: Option<Timestamp>,
    /// Nothing is tried before.
    pub rest_until: Timestamp,
    /// When the last one was taken.
    pub delivered_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl FromRow for EndpointRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            inbox_id: row.next()?,
            url: row.next()?,
            description: row.next()?,
            events: row.next_json()?,
            secret: row.next()?,
            old_secret: row.next()?,
            old_secret_until: row.next()?,
            status: EndpointStatus::parse(&row.next::<String>()?).unwrap_or(EndpointStatus::Paused),
            last_error: row.next()?,
            event_cursor: row.next()?,
            failures: row.next()?,
            failing_since: row.next()?,
            rest_until: row.next()?,
            delivered_at: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

/// An address to store.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "as in EndpointRow")]
pub struct NewEndpoint<'a> {
    pub account_id: AccountId,
    pub inbox_id: Option<InboxId>,
    pub url: &'a str,
    pub description: &'a str,
    pub events: &'a [String],
    /// It is told what happens after this event.
    pub event_cursor: i64,
}

/// Stores an address without a secret; one is to be set in the same transaction.
pub fn insert(
    tx: &mut Tx<'_>,
    new: NewEndpoint<'_>,
    now: Timestamp,
) -> Result<WebhookEndpointId, StoreError> {
    let NewEndpoint { account_id, inbox_id, url, description, events, event_cursor } = new;
    let events = list(events);
    let none: &[u8] = &[];
    let id =
        tx.insert(&INSERT, p![account_id, inbox_id, url, description, events, none, event_cursor, now])?;
    id.ok_or_else(|| StoreError::Unavailable("an endpoint was not stored".to_owned()))
}

fn list(events: &[String]) -> String {
    serde_json::to_string(events).unwrap_or_default()
}

/// Stores its secret, and until when the one before holds too.
pub fn set_secret(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: WebhookEndpointId,
    secret: &[u8],
    old: Option<(&[u8], Timestamp)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (old_secret, until) = (old.map(|(secret, _)| secret), old.map(|(_, until)| until));
    tx.execute(&SET_SECRET, p![account, id, secret, old_secret, until, now]).map(drop)
}

/// An address by id.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: WebhookEndpointId,
) -> Result<Option<EndpointRow>, StoreError> {
    tx.find(&GET, p![account, id])
}

/// The addresses of an account after an id, the oldest first.
pub fn list_after(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: WebhookEndpointId,
    limit: i64,
) -> Result<Vec<EndpointRow>, StoreError> {
    tx.query(&LIST, p![account, after, limit])
}

/// How many addresses an account has.
pub fn count(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&COUNT, p![account])?.map_or(0, |(count,)| count))
}

/// Stores what people change of an address.
pub fn update(tx: &mut Tx<'_>, row: &EndpointRow, now: Timestamp) -> Result<(), StoreError> {
    let events = list(&row.events);
    tx.execute(&UPDATE, p![row.account_id, row.id, row.inbox_id, row.url, row.description, events, now])
        .map(drop)
}

/// People start or stop it.
pub fn set_status(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: WebhookEndpointId,
    status: EndpointStatus,
    last_error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if status == EndpointStatus::Enabled {
        tx.signal(Topic::Events); // what happened meanwhile is told
    }
    tx.execute(&SET_STATUS, p![account, id, status.as_str(), last_error, now]).map(drop)
}

/// It is not called any more; true when it was until now.
pub fn disable(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: WebhookEndpointId,
    error: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&DISABLE, p![account, id, error, now])? > 0)
}

/// Forgets an address. What it was told goes with [`crate::webhook_sends::forget`].
pub fn delete(tx: &mut Tx<'_>, account: AccountId, id: WebhookEndpointId) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, p![account, id])? > 0)
}

/// The addresses that are told of one inbox only.
pub fn of_inbox(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
) -> Result<Vec<WebhookEndpointId>, StoreError> {
    Ok(tx.query::<(WebhookEndpointId,)>(&OF_INBOX, p![account, inbox])?.into_iter().map(|(id,)| id).collect())
}

/// Addresses for which events wait that are not on their way, of every account.
pub fn behind(tx: &mut Tx<'_>) -> Result<Vec<EndpointRow>, StoreError> {
    tx.query(&BEHIND, p![])
}

/// Addresses that are told what happens in an inbox.
pub fn listening(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
) -> Result<Vec<EndpointRow>, StoreError> {
    tx.query(&LISTENING, p![account, inbox])
}

/// The events up to `to` are on their way. False when another node was quicker.
pub fn move_cursor(tx: &mut Tx<'_>, row: &EndpointRow, to: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&MOVE_CURSOR, p![row.account_id, row.id, row.event_cursor, to])? > 0)
}

/// It took what it was told.
pub fn note_well(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: WebhookEndpointId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&NOTE_WELL, p![account, id, now]).map(drop)
}

/// It did not take what it was told, and is left alone until `rest_until`.
pub fn note_failure(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: WebhookEndpointId,
    error: &str,
    now: Timestamp,
    rest_until: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&NOTE_FAILURE, p![account, id, error, now, rest_until]).map(drop)
}

/// Addresses that are not called any more, of every account: whose, of which inbox, where, and why.
#[expect(clippy::type_complexity, reason = "the columns as they are")]
pub fn disabled(
    tx: &mut Tx<'_>,
) -> Result<Vec<(AccountId, Option<InboxId>, String, Option<String>)>, StoreError> {
    tx.query(&DISABLED, p![])
}
