//! Attempts to send: each try is a row.

use frontdesk_model::{AccountId, InboxId, MessageId, OutboxId, RemoteId, Timestamp};

use crate::db::statement::both;
use crate::outbox::OutboxKind;
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    INSERT = both(
        "INSERT INTO deliveries (account_id, message_id, outbox_id, kind, attempt, started_at) VALUES ($1, $2, $3, $4, $5, $6)");
    FINISH = both(
        "UPDATE deliveries SET finished_at = $5, outcome = $6, http_status = $7, provider_code = $8, error = $9, remote_id = $10
         WHERE account_id = $1 AND message_id = $2 AND outbox_id = $3 AND attempt = $4
           AND (finished_at IS NULL OR outcome = 'unknown')");
    INTERRUPT = both(
        "UPDATE deliveries SET finished_at = $4, outcome = 'unknown', error = $5
         WHERE account_id = $1 AND message_id = $2 AND outbox_id = $3 AND finished_at IS NULL");
    LIST = both(
        "SELECT id, kind, attempt, started_at, finished_at, outcome, http_status, provider_code, error, remote_id
         FROM deliveries WHERE account_id = $1 AND message_id = $2 ORDER BY id");
    FAILED_TRIES = both(
        "SELECT COUNT(*) FROM deliveries
         WHERE account_id = $1 AND message_id = $2 AND outbox_id = $3 AND outcome = 'retry'
           AND http_status IS NOT NULL AND http_status <> 429");
    FAILURES_SINCE = both(
        "SELECT m.inbox_id, d.provider_code, COUNT(*) FROM deliveries d
         JOIN messages m ON m.account_id = d.account_id AND m.id = d.message_id
         WHERE d.id > (SELECT COALESCE(MAX(id), 0) - $1 FROM deliveries) AND d.finished_at >= $2
           AND d.outcome IN ('failed', 'unknown') AND d.provider_code IS NOT NULL
         GROUP BY m.inbox_id, d.provider_code ORDER BY COUNT(*) DESC, d.provider_code");
}

/// So many of the newest tries are looked through for failures.
const LOOKED_THROUGH: i64 = 10_000;

/// How many tries of a piece of work were answered with a failure and were to be made again; without those that came too soon
/// for the provider.
pub fn failed_tries(tx: &mut Tx<'_>, of: DeliveryKey) -> Result<i64, StoreError> {
    let counted = tx.find::<(i64,)>(&FAILED_TRIES, p![of.account_id, of.message_id, of.outbox_id])?;
    Ok(counted.map_or(0, |(count,)| count))
}

/// One try as stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct DeliveryRow {
    pub id: i64,
    /// `message`, or `reaction` to it.
    pub kind: String,
    pub attempt: i64,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// `sent`, `retry`, `failed`, `unknown`; absent while under way.
    pub outcome: Option<String>,
    pub http_status: Option<i64>,
    pub provider_code: Option<String>,
    pub error: Option<String>,
    pub remote_id: Option<RemoteId>,
}

impl FromRow for DeliveryRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            kind: row.next()?,
            attempt: row.next()?,
            started_at: row.next()?,
            finished_at: row.next()?,
            outcome: row.next()?,
            http_status: row.next()?,
            provider_code: row.next()?,
            error: row.next()?,
            remote_id: row.next()?,
        })
    }
}

/// Which try.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the columns of the key")]
pub struct DeliveryKey {
    pub account_id: AccountId,
    pub message_id: MessageId,
    pub outbox_id: OutboxId,
    pub attempt: i64,
}

/// A try to send the message, or a reaction to it, begins.
pub fn begin(tx: &mut Tx<'_>, key: DeliveryKey, kind: OutboxKind, now: Timestamp) -> Result<(), StoreError> {
    let DeliveryKey { account_id, message_id, outbox_id, attempt } = key;
    tx.execute_later(&INSERT, row![account_id, message_id, outbox_id, kind.as_str(), attempt, now])
}

/// How a try ended.
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "as in DeliveryRow")]
pub struct DeliveryEnd<'a> {
    pub outcome: &'a str,
    pub http_status: Option<i64>,
    pub provider_code: Option<&'a str>,
    pub error: Option<&'a str>,
    pub remote_id: Option<&'a RemoteId>,
}

/// A try ended. What is known now stands above `unknown`.
pub fn end(
    tx: &mut Tx<'_>,
    key: DeliveryKey,
    end: DeliveryEnd<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute_later(
        &FINISH,
        row![
            key.account_id,
            key.message_id,
            key.outbox_id,
            key.attempt,
            now,
            end.outcome,
            end.http_status,
            end.provider_code,
            end.error,
            end.remote_id
        ],
    )
}

/// The process that made a try died: how it ended is not known.
pub fn interrupt(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: MessageId,
    outbox: OutboxId,
    error: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&INTERRUPT, p![account, message, outbox, now, error])?;
    Ok(())
}

/// All tries of a message, oldest first.
pub fn list(tx: &mut Tx<'_>, account: AccountId, message: MessageId) -> Result<Vec<DeliveryRow>, StoreError> {
    tx.query(&LIST, p![account, message])
}

/// How often tries to send from an inbox ended with a code.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct FailureCount {
    pub inbox_id: InboxId,
    /// The provider's word, or ours.
    pub code: String,
    pub count: i64,
}

impl FromRow for FailureCount {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self { inbox_id: row.next()?, code: row.next()?, count: row.next()? })
    }
}

/// Why tries since `since` failed for good or are of unknown outcome, of all inboxes, the most frequent first. Of very many,
/// the newest count.
pub fn failures_since(tx: &mut Tx<'_>, since: Timestamp) -> Result<Vec<FailureCount>, StoreError> {
    tx.query(&FAILURES_SINCE, p![LOOKED_THROUGH, since])
}
