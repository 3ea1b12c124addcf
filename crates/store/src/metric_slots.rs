//! What happened in each inbox, in slots of time: every node writes its own, whoever reads puts them together.
//!
//! What a slot counts, and how it is written down, is the business of `engine::monitoring`.

use frontdesk_model::{AccountId, InboxId, Timestamp};

use crate::db::statement::{both, each};
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! insert_into {
    () => {
        "INSERT INTO metric_slots (account_id, span_secs, slot_at, inbox_id, node_id, counts, durations, last_request_at) "
    };
}

macro_rules! replacing {
    () => {
        " ON CONFLICT (account_id, span_secs, slot_at, inbox_id, node_id) DO UPDATE SET
            counts = excluded.counts, durations = excluded.durations, last_request_at = excluded.last_request_at"
    };
}

macro_rules! columns {
    () => {
        "account_id, span_secs, slot_at, inbox_id, node_id, counts, durations, last_request_at"
    };
}

statements! {
    PUT_MANY = each(
        concat!(insert_into!(), "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", replacing!()),
        concat!(insert_into!(), "SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::TEXT[],
            $6::TEXT[], $7::BYTEA[], $8::BIGINT[])", replacing!()));
    OF_ACCOUNT = both(concat!("SELECT ", columns!(), " FROM metric_slots
        WHERE account_id IN ($1, $2) AND span_secs IN (10, 300) AND slot_at >= $3 ORDER BY slot_at"));
    RECENT = both(concat!("SELECT ", columns!(), " FROM metric_slots
        WHERE span_secs = $1 AND slot_at >= $2 ORDER BY slot_at"));
    BETWEEN = both(concat!("SELECT ", columns!(), " FROM metric_slots
        WHERE span_secs = $1 AND slot_at >= $2 AND slot_at < $3"));
    LAST_REQUESTS = both(
        "SELECT inbox_id, MAX(last_request_at) FROM metric_slots
         WHERE account_id = $1 AND last_request_at IS NOT NULL GROUP BY inbox_id");
    OLDEST = both("SELECT MIN(slot_at) FROM metric_slots WHERE span_secs = $1");
    DELETE_BEFORE = both("DELETE FROM metric_slots WHERE span_secs = $1 AND slot_at < $2");
}

/// One slot of one inbox, as one node saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSlot {
    /// Whose inbox it is; 0 for what could not be told to be anyone's.
    pub account_id: AccountId,
    /// How long the slot is.
    pub span_secs: i64,
    /// When it begins.
    pub slot_at: Timestamp,
    /// Which inbox; 0 for none.
    pub inbox_id: InboxId,
    /// Who saw it; empty when several were put together.
    pub node_id: String,
    /// JSON.
    pub counts: String,
    /// How long requests took; `None` when there were none.
    pub durations: Option<Vec<u8>>,
    /// When the last request ended.
    pub last_request_at: Option<Timestamp>,
}

impl FromRow for MetricSlot {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            account_id: row.next()?,
            span_secs: row.next()?,
            slot_at: row.next()?,
            inbox_id: row.next()?,
            node_id: row.next()?,
            counts: row.next()?,
            durations: row.next()?,
            last_request_at: row.next()?,
        })
    }
}

/// Writes slots, in place of what the same node wrote of them before.
pub fn put_many(tx: &mut Tx<'_>, slots: &[MetricSlot]) -> Result<(), StoreError> {
    let rows = slots.iter().map(|s| {
        row![
            s.account_id,
            s.span_secs,
            s.slot_at,
            s.inbox_id,
            s.node_id,
            s.counts,
            s.durations,
            s.last_request_at
        ]
    });
    tx.execute_many(&PUT_MANY, rows.collect()).map(drop)
}

/// The slots of an account that begin at `since` or later; with those of nobody when it is the server's first account.
pub fn of_account(
    tx: &mut Tx<'_>,
    account: AccountId,
    since: Timestamp,
) -> Result<Vec<MetricSlot>, StoreError> {
    let is_first = crate::accounts::first(tx)? == Some(account);
    let nobody = if is_first { AccountId(0) } else { account };
    tx.query(&OF_ACCOUNT, p![account, nobody, since])
}

/// The slots of all accounts that begin at `since` or later.
pub fn recent(tx: &mut Tx<'_>, span_secs: i64, since: Timestamp) -> Result<Vec<MetricSlot>, StoreError> {
    tx.query(&RECENT, p![span_secs, since])
}

/// The slots of all accounts that begin at `from` or later and before `to`.
pub fn between(
    tx: &mut Tx<'_>,
    span_secs: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<MetricSlot>, StoreError> {
    tx.query(&BETWEEN, p![span_secs, from, to])
}

/// When the last request of each inbox of an account ended, as far back as slots are kept.
pub fn last_requests(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<(InboxId, Timestamp)>, StoreError> {
    tx.query(&LAST_REQUESTS, p![account])
}

/// When the oldest slot of this length begins.
pub fn oldest(tx: &mut Tx<'_>, span_secs: i64) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.find::<(Option<Timestamp>,)>(&OLDEST, p![span_secs])?.and_then(|(at,)| at))
}

/// Forgets the slots of this length that begin before `before`.
pub fn delete_before(tx: &mut Tx<'_>, span_secs: i64, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&DELETE_BEFORE, p![span_secs, before])
}
