//! News of alerts on their way out: due at a time, claimed by moving that time, tried again, noted when done.

use frontdesk_model::{AccountId, AlertDeliveryId, AlertId, Timestamp};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "id, account_id, alert_id, event, target, address, body, state, attempts, due_at, http_status, error, created_at,
         ended_at"
    };
}

statements! {
    INSERT = inserting!(
        "INSERT INTO alert_deliveries (account_id, alert_id, event, target, address, body, state, due_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $7)");
    DUE = both(concat!("SELECT ", columns!(),
        " FROM alert_deliveries WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at LIMIT $2"));
    CLAIM = both(
        "UPDATE alert_deliveries SET due_at = $3, attempts = attempts + 1
         WHERE id = $1 AND state = 'waiting' AND due_at = $2");
    END = both(
        "UPDATE alert_deliveries SET state = $2, http_status = $3, error = $4, ended_at = $5
         WHERE id = $1 AND state = 'waiting'");
    RETRY = both(
        "UPDATE alert_deliveries SET due_at = $2, http_status = $3, error = $4 WHERE id = $1 AND state = 'waiting'");
    LIST = both(concat!("SELECT ", columns!(),
        " FROM alert_deliveries WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"));
    DELETE_OLDEST = both(
        "DELETE FROM alert_deliveries WHERE id IN
            (SELECT id FROM alert_deliveries WHERE state <> 'waiting' AND created_at < $1 LIMIT $2)");
}

frontdesk_model::words! {
    /// Where news goes.
    pub enum AlertTarget {
        /// A signed request to an address.
        Webhook = "webhook",
        /// A letter.
        Email = "email",
    }
}

frontdesk_model::words! {
    /// What became of it.
    pub enum AlertDeliveryState {
        /// It is due now or later.
        Waiting = "waiting",
        /// It was taken.
        Delivered = "delivered",
        /// It was given up.
        Failed = "failed",
    }
}

/// One piece of news for one place.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct AlertDelivery {
    pub id: AlertDeliveryId,
    pub account_id: AccountId,
    pub alert_id: AlertId,
    /// `alert.fired`, `alert.resolved`, `alert.test`.
    pub event: String,
    pub target: AlertTarget,
    /// The address of the webhook, or of the reader.
    pub address: String,
    /// JSON.
    pub body: String,
    pub state: AlertDeliveryState,
    pub attempts: i64,
    pub due_at: Timestamp,
    pub http_status: Option<i64>,
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

impl FromRow for AlertDelivery {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        let word =
            |text: &str| StoreError::Unavailable(format!("alert_deliveries holds the unknown word {text}"));
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            alert_id: row.next()?,
            event: row.next()?,
            target: row.next::<String>().and_then(|t| AlertTarget::parse(&t).ok_or_else(|| word(&t)))?,
            address: row.next()?,
            body: row.next()?,
            state: row
                .next::<String>()
                .and_then(|t| AlertDeliveryState::parse(&t).ok_or_else(|| word(&t)))?,
            attempts: row.next()?,
            due_at: row.next()?,
            http_status: row.next()?,
            error: row.next()?,
            created_at: row.next()?,
            ended_at: row.next()?,
        })
    }
}

/// News to be sent.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct NewAlertDelivery<'a> {
    pub account_id: AccountId,
    pub alert_id: AlertId,
    pub event: &'a str,
    pub target: AlertTarget,
    pub address: &'a str,
    pub body: &'a str,
}

/// Puts news on its way.
pub fn insert(
    tx: &mut Tx<'_>,
    new: NewAlertDelivery<'_>,
    now: Timestamp,
) -> Result<Option<AlertDeliveryId>, StoreError> {
    let target = new.target.as_str();
    tx.insert(&INSERT, p![new.account_id, new.alert_id, new.event, target, new.address, new.body, now])
}

/// What is due, the longest waiting first.
pub fn due(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<Vec<AlertDelivery>, StoreError> {
    tx.query(&DUE, p![now, limit])
}

/// Takes a piece of news for oneself until `until`, as long as nobody else has since it was read.
pub fn claim(tx: &mut Tx<'_>, delivery: &AlertDelivery, until: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&CLAIM, p![delivery.id, delivery.due_at, until])? > 0)
}

/// Notes that it was taken, or given up.
pub fn end(
    tx: &mut Tx<'_>,
    id: AlertDeliveryId,
    state: AlertDeliveryState,
    http_status: Option<i64>,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&END, p![id, state.as_str(), http_status, error, now]).map(drop)
}

/// Notes that it is to be tried again at `due_at`, and why.
pub fn retry(
    tx: &mut Tx<'_>,
    id: AlertDeliveryId,
    due_at: Timestamp,
    http_status: Option<i64>,
    error: &str,
) -> Result<(), StoreError> {
    tx.execute(&RETRY, p![id, due_at, http_status, error]).map(drop)
}

/// The news of an account before an id, the newest first.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: AlertDeliveryId,
    limit: i64,
) -> Result<Vec<AlertDelivery>, StoreError> {
    tx.query(&LIST, p![account, before, limit])
}

/// Forgets at most `limit` of what was done before `before`.
pub fn delete_oldest(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OLDEST, p![before, limit])
}
