//! Raw webhook bodies as they arrived: recognised when repeated, kept for replay.

use frontdesk_model::{AccountId, InboxId, Timestamp, WebhookLogId};

use crate::db::statement::{both, each, sqlite_only};
use crate::{Columns, FromRow, StoreError, Tx, accounts};

macro_rules! columns {
    () => {
        "w.id, w.account_id, w.inbox_id, w.door, w.verified_by, w.state, w.error, w.events, w.attempts, w.created_at,
         w.applied_at"
    };
}

macro_rules! insert_into {
    () => {
        "INSERT INTO webhook_logs (account_id, inbox_id, door, body_hash, body, verified_by, state, error, events,
            attempts, created_at, applied_at) "
    };
}

statements! {
    INSERT_MANY = each(
        concat!(insert_into!(), "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11)
            ON CONFLICT (body_hash) WHERE body_hash IS NOT NULL DO NOTHING"),
        concat!(insert_into!(), "SELECT account_id, inbox_id, door, body_hash, body, verified_by, state, error, events, 1,
                created_at, applied_at
            FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::BYTEA[], $5::BYTEA[], $6::BIGINT[], $7::TEXT[],
                $8::TEXT[], $9::BIGINT[], $10::BIGINT[], $11::BIGINT[])
                AS n (account_id, inbox_id, door, body_hash, body, verified_by, state, error, events, created_at, applied_at)
            ON CONFLICT (body_hash) WHERE body_hash IS NOT NULL DO NOTHING RETURNING id, body_hash"));
    SETTLE_OPEN = sqlite_only(
        "UPDATE webhook_logs INDEXED BY webhook_logs_open_body SET account_id = $1, inbox_id = $2, verified_by = $5,
            state = 'applied', error = NULL, events = $6, attempts = attempts + 1, applied_at = $7
         WHERE body_hash = $8 AND state <> 'applied'");
    OPEN_MANY = sqlite_only(
        "SELECT body_hash FROM webhook_logs INDEXED BY webhook_logs_open_body WHERE body_hash = $1 AND state <> 'applied'");
    KEEP_APPLIED_MANY = each(
        concat!(insert_into!(), "VALUES ($1, $2, $3, NULL, $4, $5, 'applied', NULL, $6, 1, $7, $7)"),
        concat!("WITH n AS (
            SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::BYTEA[], $5::BIGINT[], $6::BIGINT[],
                $7::BIGINT[], $8::BYTEA[]) AS n (account_id, inbox_id, door, body, verified_by, events, now, body_hash)),
         settled AS (
            UPDATE webhook_logs o SET account_id = n.account_id, inbox_id = n.inbox_id, verified_by = n.verified_by,
                state = 'applied', error = NULL, events = n.events, attempts = o.attempts + 1, applied_at = n.now
            FROM n WHERE o.body_hash = n.body_hash AND o.state <> 'applied' RETURNING o.body_hash) ",
         insert_into!(),
         "SELECT account_id, inbox_id, door, NULL, body, verified_by, 'applied', NULL, events, 1, now, now
            FROM n WHERE n.body_hash NOT IN (SELECT body_hash FROM settled)"));
    SET_STATE = both(
        "UPDATE webhook_logs SET state = $2, error = $3, events = $4, attempts = attempts + 1, applied_at = $5,
            account_id = COALESCE($6, account_id), inbox_id = COALESCE($7, inbox_id)
         WHERE id = $1");
    BY_BODY = both(concat!("SELECT ", columns!(), " FROM webhook_logs w WHERE w.body_hash = $1"));
    SET_VERIFIED_BY = both("UPDATE webhook_logs SET verified_by = $2 WHERE id = $1");
    BODY = both("SELECT door, body, verified_by FROM webhook_logs WHERE id = $1");
    // What the index of open ones says is said again: a plan is made before the state is known. SQLite is told the index:
    // while it knows nothing of the rows it would rather go through all of them than sort.
    OPEN_OF_STATE = each(
        "SELECT id FROM webhook_logs INDEXED BY webhook_logs_open
         WHERE state = $1 AND state <> 'applied' AND id > $2 ORDER BY id LIMIT $3",
        "SELECT id FROM webhook_logs WHERE state = $1 AND state <> 'applied' AND id > $2 ORDER BY id LIMIT $3");
    LIST = both(concat!("SELECT ", columns!(),
        " FROM webhook_logs w WHERE w.account_id IN ($1, $4) AND w.id < $2 ORDER BY w.id DESC LIMIT $3"));
    LIST_OF_STATE = both(concat!("SELECT ", columns!(),
        " FROM webhook_logs w WHERE w.account_id IN ($1, $4) AND w.id < $2 AND w.state = $5 ORDER BY w.id DESC LIMIT $3"));
    LIST_OPEN_OF_STATE = both(concat!("SELECT ", columns!(), " FROM webhook_logs w
         WHERE w.account_id IN ($1, $4) AND w.id < $2 AND w.state = $5 AND w.state <> 'applied' ORDER BY w.id DESC LIMIT $3"));
    GET = both(concat!("SELECT ", columns!(), " FROM webhook_logs w WHERE w.id = $1"));
    OLDEST = both("SELECT created_at FROM webhook_logs ORDER BY id LIMIT 1");
    DELETE_OLDEST = both(
        "DELETE FROM webhook_logs WHERE created_at < $1
         AND id IN (SELECT id FROM webhook_logs ORDER BY id LIMIT $2)");
}

frontdesk_model::words! {
    /// What became of a body.
    pub enum WebhookState {
        /// Kept; not applied yet.
        Pending = "pending",
        /// All its events were applied, except those of no consequence, which the log names.
        Applied = "applied",
        /// Applying it failed; it can be replayed.
        Failed = "failed",
        /// It is for an inbox nobody added (or that was removed).
        Unrouted = "unrouted",
        /// It is genuine, but it or a part of it cannot be read; the rest was applied.
        Unreadable = "unreadable",
    }
}

/// A body as listed, without its bytes.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct WebhookLogRow {
    pub id: WebhookLogId,
    /// 0 when it concerns no account, or several.
    pub account_id: AccountId,
    pub inbox_id: Option<InboxId>,
    /// The path of the door it came through.
    pub door: String,
    /// The inbox whose key vouched for it; `None` for a key of the settings.
    pub verified_by: Option<InboxId>,
    pub state: WebhookState,
    /// Why it was not applied, or what of it was left out.
    pub error: Option<String>,
    /// How many events it held.
    pub events: i64,
    pub attempts: i64,
    pub created_at: Timestamp,
    pub applied_at: Option<Timestamp>,
}

impl FromRow for WebhookLogRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            inbox_id: row.next()?,
            door: row.next()?,
            verified_by: row.next()?,
            state: WebhookState::parse(&row.next::<String>()?).unwrap_or(WebhookState::Failed),
            error: row.next()?,
            events: row.next()?,
            attempts: row.next()?,
            created_at: row.next()?,
            applied_at: row.next()?,
        })
    }
}

/// A body to keep.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in WebhookLogRow")]
pub struct NewWebhookLog<'a> {
    pub account_id: AccountId,
    pub inbox_id: Option<InboxId>,
    pub door: &'a str,
    /// A hash of door and body, by which [`insert_many`] tells them apart.
    pub body_hash: &'a [u8],
    pub body: &'a [u8],
    pub verified_by: Option<InboxId>,
    pub state: WebhookState,
    pub error: Option<&'a str>,
    pub events: i64,
}

/// Keeps bodies; `None` for each whose bytes came before.
pub fn insert_many(
    tx: &mut Tx<'_>,
    new: &[NewWebhookLog<'_>],
    now: Timestamp,
) -> Result<Vec<Option<WebhookLogId>>, StoreError> {
    let rows: Vec<_> = new
        .iter()
        .map(|new| {
            let applied = new.state == WebhookState::Applied;
            let row = row![
                new.account_id,
                new.inbox_id,
                new.door,
                new.body_hash,
                new.body,
                new.verified_by,
                new.state.as_str(),
                new.error,
                new.events,
                now,
                applied.then_some(now)
            ];
            ((new.body_hash.to_vec(),), row)
        })
        .collect();
    tx.insert_many::<(Vec<u8>,), WebhookLogId>(&INSERT_MANY, rows)
}

/// Keeps bodies that are applied and whose messages tell them apart: no index of their bytes is kept. Where the same
/// bytes lie here unapplied (their inbox was added since), that entry becomes the applied one.
pub fn keep_applied_many(
    tx: &mut Tx<'_>,
    new: &[NewWebhookLog<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = |n: &NewWebhookLog<'_>| {
        row![n.account_id, n.inbox_id, n.door, n.body, n.verified_by, n.events, now, n.body_hash]
    };
    if tx.is_postgres() {
        return tx.execute_many_later(&KEEP_APPLIED_MANY, new.iter().map(row).collect());
    }
    // Asked before, not by the insert: one that reads its own table copies every row through another table.
    let open = tx.query_many::<(Vec<u8>,)>(&OPEN_MANY, new.iter().map(|n| row![n.body_hash]).collect())?;
    let is_open = |n: &&NewWebhookLog<'_>| open.iter().any(|(hash,)| hash == n.body_hash);
    let (open, unseen): (Vec<_>, Vec<_>) = new.iter().partition(is_open);
    tx.execute_many(&SETTLE_OPEN, open.into_iter().map(row).collect())?;
    tx.execute_many(&KEEP_APPLIED_MANY, unseen.into_iter().map(row).collect())?;
    Ok(())
}

/// What became of a body when it was applied (again).
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in WebhookLogRow")]
pub struct Outcome<'a> {
    pub state: WebhookState,
    pub error: Option<&'a str>,
    pub events: i64,
    /// `None` when it could not be told: what was known before stays.
    pub account_id: Option<AccountId>,
    pub inbox_id: Option<InboxId>,
}

/// Notes what became of a body.
pub fn set_outcome(
    tx: &mut Tx<'_>,
    id: WebhookLogId,
    outcome: &Outcome<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Outcome { state, error, events, account_id, inbox_id } = outcome;
    let applied_at = (*state == WebhookState::Applied).then_some(now);
    tx.execute(&SET_STATE, p![id, state.as_str(), error, events, applied_at, account_id, inbox_id])?;
    Ok(())
}

/// An entry by the hash of its body.
pub fn find_by_body(tx: &mut Tx<'_>, body_hash: &[u8]) -> Result<Option<WebhookLogRow>, StoreError> {
    tx.find(&BY_BODY, p![body_hash])
}

/// Notes which key vouched for a body; `None` for one of the settings.
pub fn set_verified_by(
    tx: &mut Tx<'_>,
    id: WebhookLogId,
    verified_by: Option<InboxId>,
) -> Result<(), StoreError> {
    tx.execute(&SET_VERIFIED_BY, p![id, verified_by])?;
    Ok(())
}

/// A body for replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBody {
    /// The path of the door it came through.
    pub door: String,
    /// The bytes as received.
    pub body: Vec<u8>,
    /// The inbox whose key vouched for it; `None` for a key of the settings.
    pub verified_by: Option<InboxId>,
}

impl FromRow for KeptBody {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self { door: row.next()?, body: row.next()?, verified_by: row.next()? })
    }
}

/// A body with its bytes, for replay.
pub fn body(tx: &mut Tx<'_>, id: WebhookLogId) -> Result<Option<KeptBody>, StoreError> {
    tx.find(&BODY, p![id])
}

/// Bodies of one state, not that of the applied ones, with ids above `after`, oldest first.
pub fn open_of_state(
    tx: &mut Tx<'_>,
    state: WebhookState,
    after: WebhookLogId,
    limit: i64,
) -> Result<Vec<WebhookLogId>, StoreError> {
    Ok(tx
        .query::<(WebhookLogId,)>(&OPEN_OF_STATE, p![state.as_str(), after, limit])?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// The log of an account, newest first. What belongs to no account (nobody added its inbox, or it cannot be read) is
/// shown to the account of a server that has only one.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    state: Option<WebhookState>,
    before: Option<WebhookLogId>,
    limit: i64,
) -> Result<Vec<WebhookLogRow>, StoreError> {
    let before = before.map_or(i64::MAX, |id| id.0);
    let also = if accounts::is_only(tx)? { NOBODY } else { account };
    match state {
        Some(state) => {
            let list = if state == WebhookState::Applied { &LIST_OF_STATE } else { &LIST_OPEN_OF_STATE };
            tx.query(list, p![account, before, limit, also, state.as_str()])
        }
        None => tx.query(&LIST, p![account, before, limit, also]),
    }
}

/// One entry as far as [`list`] shows it to this account.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: WebhookLogId,
) -> Result<Option<WebhookLogRow>, StoreError> {
    let Some(row) = tx.find::<WebhookLogRow>(&GET, p![id])? else { return Ok(None) };
    let shown = row.account_id == account || (row.account_id == NOBODY && accounts::is_only(tx)?);
    Ok(shown.then_some(row))
}

/// The account of what concerns none, or several.
const NOBODY: AccountId = AccountId(0);

/// Forgets at most `limit` of the oldest bodies received before `before`.
pub fn delete_oldest(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    // Mostly there is none. To find out by deleting would read thousands of bodies: their time lies behind them.
    let oldest = tx.find::<(Timestamp,)>(&OLDEST, p![])?;
    if oldest.is_none_or(|(created_at,)| created_at >= before) {
        return Ok(0);
    }
    tx.execute(&DELETE_OLDEST, p![before, limit])
}
