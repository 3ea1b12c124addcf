//! Work of bridges, both ways: claimed by lease, fenced by a token, one at a time in each lane.

use frontdesk_model::{AccountId, BridgeId, BridgeJobId, Timestamp};

use crate::db::statement::{both, each};
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "id, account_id, bridge_id, lane, kind, data, attempts, created_at"
    };
}

/// Due, of a bridge that carries, and not behind an earlier one of its lane.
macro_rules! claimable {
    () => {
        "SELECT d.id FROM bridge_jobs d WHERE d.state = 'queued' AND d.due_at <= $1
           AND EXISTS (SELECT 1 FROM bridges b WHERE b.id = d.bridge_id AND b.status <> 'paused')
           AND NOT EXISTS (SELECT 1 FROM bridge_jobs e WHERE e.bridge_id = d.bridge_id AND e.lane = d.lane AND e.id < d.id
                AND e.state <> 'failed')
         ORDER BY d.due_at, d.id LIMIT $4"
    };
}

/// The kinds of work that an import queues.
macro_rules! import_kinds {
    () => {
        "kind IN ('person', 'history', 'settle')"
    };
}

statements! {
    INSERT = both(
        "INSERT INTO bridge_jobs (account_id, bridge_id, lane, kind, job_key, data, state, due_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $7, $7) ON CONFLICT (bridge_id, job_key) DO NOTHING");
    // As an array: a subquery that PostgreSQL runs again for each row would find others each time, beyond the limit.
    CLAIM = each(
        concat!("UPDATE bridge_jobs SET state = 'claimed', lease_until = $2, claim_token = $3, attempts = attempts + 1,
            updated_at = $1 WHERE id IN (", claimable!(), ") RETURNING ", columns!()),
        concat!("UPDATE bridge_jobs SET state = 'claimed', lease_until = $2, claim_token = $3, attempts = attempts + 1,
            updated_at = $1 WHERE id = ANY (ARRAY(", claimable!(), " FOR UPDATE SKIP LOCKED)) AND state = 'queued' RETURNING ", columns!()));
    PROLONG = both(
        "UPDATE bridge_jobs SET lease_until = $4 WHERE account_id = $1 AND id = $2 AND claim_token = $3 AND state = 'claimed'");
    FINISH = both("DELETE FROM bridge_jobs WHERE account_id = $1 AND id = $2 AND claim_token = $3");
    REQUEUE = both(
        "UPDATE bridge_jobs SET state = 'queued', due_at = $4, lease_until = 0, claim_token = NULL, last_error = $5,
            attempts = attempts - $6, updated_at = $7 WHERE account_id = $1 AND id = $2 AND claim_token = $3");
    FAIL = both(
        "UPDATE bridge_jobs SET state = 'failed', lease_until = 0, claim_token = NULL, last_error = $4, updated_at = $5
         WHERE account_id = $1 AND id = $2 AND claim_token = $3");
    EXPIRED = both(
        "UPDATE bridge_jobs SET state = 'queued', lease_until = 0, claim_token = NULL
         WHERE state = 'claimed' AND lease_until < $1");
    IS_ANY_EXPIRED = both(
        "SELECT EXISTS (SELECT 1 FROM bridge_jobs WHERE state = 'claimed' AND lease_until < $1)");
    RELEASE = both(
        "UPDATE bridge_jobs SET state = 'queued', lease_until = 0, claim_token = NULL WHERE state = 'claimed'");
    WAKE = both(
        "UPDATE bridge_jobs SET due_at = $3 WHERE account_id = $1 AND bridge_id = $2 AND state = 'queued' AND due_at > $3");
    REVIVE = both(
        "UPDATE bridge_jobs SET state = 'queued', due_at = $3, last_error = NULL, updated_at = $3
         WHERE account_id = $1 AND bridge_id = $2 AND state = 'failed'");
    NEXT_DUE = both("SELECT MIN(due_at) FROM bridge_jobs WHERE state = 'queued'");
    DEPTH = both(
        "SELECT COALESCE(SUM(CASE WHEN state = 'failed' THEN 0 ELSE 1 END), 0),
            COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0),
            MIN(CASE WHEN state = 'failed' THEN NULL ELSE created_at END)
         FROM bridge_jobs WHERE account_id = $1 AND bridge_id = $2");
    MOVE_LANE = both("UPDATE bridge_jobs SET lane = $4 WHERE account_id = $1 AND bridge_id = $2 AND lane = $3");
    FORGET = both("DELETE FROM bridge_jobs WHERE account_id = $1 AND bridge_id = $2");
    IMPORTING = both(concat!("SELECT COUNT(*) FROM bridge_jobs WHERE account_id = $1 AND bridge_id = $2
         AND state <> 'failed' AND ", import_kinds!()));
    IS_IMPORTING_LANE = both(concat!("SELECT EXISTS (SELECT 1 FROM bridge_jobs WHERE bridge_id = $1 AND lane = $2
         AND state <> 'failed' AND ", import_kinds!(), ")"));
    FAILED_IMPORTS = both(concat!("SELECT job_key, COALESCE(last_error, '') FROM bridge_jobs WHERE account_id = $1 AND bridge_id = $2
         AND state = 'failed' AND ", import_kinds!()));
    FORGET_IMPORTS = both(concat!("DELETE FROM bridge_jobs WHERE account_id = $1 AND bridge_id = $2 AND state = 'queued'
         AND attempts = 0 AND ", import_kinds!()));
    REVIVE_ONE = both(
        "UPDATE bridge_jobs SET state = 'queued', due_at = $4, last_error = NULL, created_at = $4, updated_at = $4
         WHERE account_id = $1 AND bridge_id = $2 AND job_key = $3 AND state = 'failed'");
    DELETE_OLDEST = both(
        "DELETE FROM bridge_jobs WHERE id IN
            (SELECT id FROM bridge_jobs WHERE state = 'failed' AND due_at < $1 ORDER BY due_at LIMIT $2)");
}

/// A piece of work as stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct BridgeJobRow {
    pub id: BridgeJobId,
    pub account_id: AccountId,
    pub bridge_id: BridgeId,
    /// What has to be done in order: a conversation of ours, or one there.
    pub lane: String,
    pub kind: String,
    /// JSON, depending on the kind.
    pub data: String,
    /// Tries so far, this one among them.
    pub attempts: i64,
    pub created_at: Timestamp,
}

impl FromRow for BridgeJobRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            bridge_id: row.next()?,
            lane: row.next()?,
            kind: row.next()?,
            data: row.next()?,
            attempts: row.next()?,
            created_at: row.next()?,
        })
    }
}

/// Work to queue, due at once.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "as in BridgeJobRow")]
pub struct NewBridgeJob<'a> {
    pub account_id: AccountId,
    pub bridge_id: BridgeId,
    pub lane: &'a str,
    pub kind: &'a str,
    /// The same work has the same key.
    pub key: &'a str,
    pub data: &'a str,
}

/// Queues work; false when the same waits already.
pub fn insert(tx: &mut Tx<'_>, new: NewBridgeJob<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let NewBridgeJob { account_id, bridge_id, lane, kind, key, data } = new;
    Ok(tx.execute(&INSERT, p![account_id, bridge_id, lane, kind, key, data, now])? > 0)
}

/// Takes work that is due, at most one of each lane, the earliest. Trying counts from here.
pub fn claim(
    tx: &mut Tx<'_>,
    now: Timestamp,
    lease_until: Timestamp,
    token: &str,
    limit: i64,
) -> Result<Vec<BridgeJobRow>, StoreError> {
    let mut rows = tx.query::<BridgeJobRow>(&CLAIM, p![now, lease_until, token, limit])?;
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

/// Holds a claim longer; false when it was lost.
pub fn prolong(
    tx: &mut Tx<'_>,
    row: &BridgeJobRow,
    token: &str,
    until: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&PROLONG, p![row.account_id, row.id, token, until])? > 0)
}

/// It is done. False when the claim was lost: what came of it must then not be written.
pub fn finish(tx: &mut Tx<'_>, row: &BridgeJobRow, token: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&FINISH, p![row.account_id, row.id, token])? > 0)
}

/// It is to be tried again. A wait that is nobody's fault does not count as a try.
pub fn requeue(
    tx: &mut Tx<'_>,
    row: &BridgeJobRow,
    token: &str,
    due_at: Timestamp,
    error: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let uncounted = i64::from(error.is_none());
    Ok(tx.execute(&REQUEUE, p![row.account_id, row.id, token, due_at, error, uncounted, now])? > 0)
}

/// It will not be tried again by itself, and holds nothing up.
pub fn fail(
    tx: &mut Tx<'_>,
    row: &BridgeJobRow,
    token: &str,
    error: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&FAIL, p![row.account_id, row.id, token, error, now])? > 0)
}

/// True when a worker died with work in its hands, whose lease ended before `ended`.
pub fn is_any_expired(tx: &mut Tx<'_>, ended: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.find::<(bool,)>(&IS_ANY_EXPIRED, p![ended])?.is_some_and(|(any,)| any))
}

/// What dead workers had claimed, whose lease ended before `ended`, goes back to the queue.
pub fn release_expired(tx: &mut Tx<'_>, ended: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&EXPIRED, p![ended])
}

/// What the former self of the only node had claimed goes back to the queue.
pub fn release_all(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    tx.execute(&RELEASE, p![])
}

/// Everything queued of a bridge is due now: Chatwoot answers again.
pub fn wake(tx: &mut Tx<'_>, account: AccountId, bridge: BridgeId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(&WAKE, p![account, bridge, now]).map(drop)
}

/// Tries what was given up once more.
pub fn revive(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.execute(&REVIVE, p![account, bridge, now])
}

/// When the next work is due.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.find::<(Option<Timestamp>,)>(&NEXT_DUE, p![])?.and_then(|(due,)| due))
}

/// How much waits, how much was given up, and since when the oldest waits.
pub fn depth(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
) -> Result<(i64, i64, Option<Timestamp>), StoreError> {
    Ok(tx.find(&DEPTH, p![account, bridge])?.unwrap_or_default())
}

/// What was of one lane is of another: two conversations became one.
pub fn move_lane(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    from: &str,
    to: &str,
) -> Result<(), StoreError> {
    tx.execute(&MOVE_LANE, p![account, bridge, from, to]).map(drop)
}

/// Forgets all work of a bridge.
pub fn forget(tx: &mut Tx<'_>, account: AccountId, bridge: BridgeId) -> Result<(), StoreError> {
    tx.execute(&FORGET, p![account, bridge]).map(drop)
}

/// How much of an import is still to be done.
pub fn importing(tx: &mut Tx<'_>, account: AccountId, bridge: BridgeId) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&IMPORTING, p![account, bridge])?.map_or(0, |(count,)| count))
}

/// True while an import has something to do in a lane.
pub fn is_importing_lane(tx: &mut Tx<'_>, bridge: BridgeId, lane: &str) -> Result<bool, StoreError> {
    Ok(tx.find::<(bool,)>(&IS_IMPORTING_LANE, p![bridge, lane])?.is_some_and(|(any,)| any))
}

/// What was given up of an import, by key, and why.
pub fn failed_imports(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
) -> Result<Vec<(String, String)>, StoreError> {
    tx.query(&FAILED_IMPORTS, p![account, bridge])
}

/// Forgets what nobody ever began of an import that is not to go on. What was begun may be half done, and goes on.
pub fn forget_queued_imports(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
) -> Result<(), StoreError> {
    tx.execute(&FORGET_IMPORTS, p![account, bridge]).map(drop)
}

/// Tries one thing that was given up once more: it is known to have been tried.
pub fn revive_one(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    key: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&REVIVE_ONE, p![account, bridge, key, now]).map(drop)
}

/// Forgets at most `limit` of what was given up before `before`.
pub fn delete_oldest(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OLDEST, p![before, limit])
}
