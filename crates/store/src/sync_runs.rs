//! Runs of a sync: asked for, claimed by one node under a lease, gone on with from a cursor.

use frontdesk_model::sync::{SyncCause, SyncDirection, SyncEntity, SyncProvider, SyncRunStatus};
use frontdesk_model::{AccountId, BridgeId, SyncConnectionId, SyncRunId, Timestamp};

use crate::db::statement::{both, each};
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "id, account_id, connection_id, provider, entity_type, direction, cause, status, cursor, total, created, updated,
         skipped, errors, error_messages, error, cancel_requested, fence, created_at, started_at, finished_at, bridge_id, options"
    };
}

statements! {
    INSERT = inserting!(
        "INSERT INTO sync_runs (account_id, connection_id, provider, entity_type, direction, cause, status, created_at,
            updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $7)
         ON CONFLICT DO NOTHING");
    ACTIVE = both(concat!("SELECT ", columns!(), " FROM sync_runs
         WHERE account_id = $1 AND connection_id = $2 AND entity_type = $3 AND direction = $4
            AND status IN ('queued', 'running')"));
    SET_IMPORT = both("UPDATE sync_runs SET bridge_id = $3, options = $4 WHERE account_id = $1 AND id = $2");
    FIND = both(concat!("SELECT ", columns!(), " FROM sync_runs WHERE account_id = $1 AND id = $2"));
    LIST = both(concat!("SELECT ", columns!(), " FROM sync_runs WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"));
    LIST_OF = both(concat!("SELECT ", columns!(),
        " FROM sync_runs WHERE account_id = $1 AND id < $2 AND connection_id = $4 ORDER BY id DESC LIMIT $3"));
    LAST_COMPLETED = both(
        "SELECT started_at FROM sync_runs WHERE account_id = $1 AND connection_id = $2 AND entity_type = $3
            AND direction = $4 AND status = 'completed' AND started_at IS NOT NULL ORDER BY id DESC LIMIT 1");
    CLAIM = each(
        concat!("UPDATE sync_runs SET status = 'running', owner = $1, fence = fence + 1, lease_until = $2, updated_at = $3,
            started_at = COALESCE(started_at, $3)
         WHERE id = (SELECT id FROM sync_runs WHERE status IN ('queued', 'running')
            AND (status = 'queued' OR lease_until <= $3) AND ($4 = 0 OR id = $4) ORDER BY id LIMIT 1)
         RETURNING ", columns!()),
        concat!("UPDATE sync_runs SET status = 'running', owner = $1, fence = fence + 1, lease_until = $2, updated_at = $3,
            started_at = COALESCE(started_at, $3)
         WHERE id = (SELECT id FROM sync_runs WHERE status IN ('queued', 'running')
            AND (status = 'queued' OR lease_until <= $3) AND ($4 = 0 OR id = $4) ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING ", columns!()));
    END_LEASES = both("UPDATE sync_runs SET lease_until = 0 WHERE status = 'running'");
    PROLONG = both(
        "UPDATE sync_runs SET lease_until = $4 WHERE account_id = $1 AND id = $2 AND fence = $3 AND status = 'running'");
    ADVANCE = both(
        "UPDATE sync_runs SET cursor = $4, total = $5, created = $6, updated = $7, skipped = $8, errors = $9,
            error_messages = $10, lease_until = $11, updated_at = $12
         WHERE account_id = $1 AND id = $2 AND fence = $3 AND status = 'running' RETURNING cancel_requested");
    FINISH = both(
        "UPDATE sync_runs SET status = $4, error = $5, finished_at = $6, updated_at = $6, owner = NULL, lease_until = NULL
         WHERE account_id = $1 AND id = $2 AND fence = $3 AND status = 'running'");
    PUT_OFF = both(
        "UPDATE sync_runs SET lease_until = $4, cursor = $5, error = $6, owner = NULL
         WHERE account_id = $1 AND id = $2 AND fence = $3 AND status = 'running'");
    CANCEL_QUEUED = both(
        "UPDATE sync_runs SET status = 'cancelled', finished_at = $3, updated_at = $3
         WHERE account_id = $1 AND id = $2 AND status = 'queued'");
    ASK_TO_CANCEL = both(
        "UPDATE sync_runs SET cancel_requested = TRUE WHERE account_id = $1 AND id = $2 AND status = 'running'");
    REQUEUE = both(
        "UPDATE sync_runs SET status = 'queued', cancel_requested = FALSE, error = NULL, finished_at = NULL, updated_at = $3
         WHERE account_id = $1 AND id = $2 AND status IN ('failed', 'cancelled')");
    DELETE_OLDEST = both(
        "DELETE FROM sync_runs WHERE id IN (SELECT id FROM sync_runs ORDER BY id LIMIT $2) AND finished_at < $1");
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct SyncRunRow {
    pub id: SyncRunId,
    pub account_id: AccountId,
    pub connection_id: SyncConnectionId,
    pub provider: SyncProvider,
    pub entity_type: SyncEntity,
    pub direction: SyncDirection,
    pub cause: SyncCause,
    pub status: SyncRunStatus,
    /// Where it goes on.
    pub cursor: Option<String>,
    pub counts: SyncCounts,
    /// Why it cannot go on, or why it waits.
    pub error: Option<String>,
    pub cancel_requested: bool,
    /// Grows with every claim: who has an older one has lost it.
    pub fence: i64,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Whose inbox an import brings over.
    pub bridge_id: Option<BridgeId>,
    /// What was asked of an import, as JSON.
    pub options: Option<String>,
}

/// What a run did so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncCounts {
    /// How many there are, as the other side said.
    pub total: Option<i64>,
    /// Made.
    pub created: i64,
    /// Changed.
    pub updated: i64,
    /// The same already.
    pub skipped: i64,
    /// Not taken over.
    pub errors: i64,
    /// Why not, the first of them.
    pub error_messages: Vec<String>,
}

impl FromRow for SyncRunRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            connection_id: row.next()?,
            provider: row.next()?,
            entity_type: row.next()?,
            direction: row.next()?,
            cause: row.next()?,
            status: row.next()?,
            cursor: row.next()?,
            counts: SyncCounts {
                total: row.next()?,
                created: row.next()?,
                updated: row.next()?,
                skipped: row.next()?,
                errors: row.next()?,
                error_messages: row.next_json()?,
            },
            error: row.next()?,
            cancel_requested: row.next()?,
            fence: row.next()?,
            created_at: row.next()?,
            started_at: row.next()?,
            finished_at: row.next()?,
            bridge_id: row.next()?,
            options: row.next()?,
        })
    }
}

/// A run to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct NewSyncRun {
    pub account_id: AccountId,
    pub connection_id: SyncConnectionId,
    pub provider: SyncProvider,
    pub entity_type: SyncEntity,
    pub direction: SyncDirection,
    pub cause: SyncCause,
}

/// Asks for a run; the one under way when there is one of this kind.
pub fn start(tx: &mut Tx<'_>, new: NewSyncRun, now: Timestamp) -> Result<SyncRunRow, StoreError> {
    let NewSyncRun { account_id, connection_id, provider, entity_type, direction, cause } = new;
    let params = p![account_id, connection_id, provider, entity_type, direction, cause, now];
    let found = match tx.insert::<SyncRunId>(&INSERT, params)? {
        Some(id) => find(tx, account_id, id)?,
        None => tx.find(&ACTIVE, p![account_id, connection_id, entity_type, direction])?,
    };
    found.ok_or_else(|| StoreError::Unavailable("a run ended while another was asked for".to_owned()))
}

/// Asks for an import into the inbox of a bridge; what is under way over its connection when there is one, maybe another's.
pub fn start_import(
    tx: &mut Tx<'_>,
    new: NewSyncRun,
    bridge: BridgeId,
    options: &str,
    now: Timestamp,
) -> Result<SyncRunRow, StoreError> {
    let mut run = start(tx, new, now)?;
    if run.bridge_id.is_none() {
        tx.execute(&SET_IMPORT, p![run.account_id, run.id, bridge, options])?;
        (run.bridge_id, run.options) = (Some(bridge), Some(options.to_owned()));
    }
    Ok(run)
}

/// One run.
pub fn find(tx: &mut Tx<'_>, account: AccountId, id: SyncRunId) -> Result<Option<SyncRunRow>, StoreError> {
    tx.find(&FIND, p![account, id])
}

/// The runs of an account before an id, the newest first; of one connection, or of all.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    connection: Option<SyncConnectionId>,
    before: SyncRunId,
    limit: i64,
) -> Result<Vec<SyncRunRow>, StoreError> {
    match connection {
        Some(connection) => tx.query(&LIST_OF, p![account, before, limit, connection]),
        None => tx.query(&LIST, p![account, before, limit]),
    }
}

/// When the last run of a kind began that came to its end; `None` when none did.
pub fn last_completed(
    tx: &mut Tx<'_>,
    account: AccountId,
    connection: SyncConnectionId,
    entity: SyncEntity,
    direction: SyncDirection,
) -> Result<Option<Timestamp>, StoreError> {
    let params = p![account, connection, entity, direction];
    Ok(tx.find::<(Timestamp,)>(&LAST_COMPLETED, params)?.map(|(at,)| at))
}

/// Takes a run that nobody works on: `only` this one, or whichever waits longest. Of whatever account.
pub fn claim(
    tx: &mut Tx<'_>,
    owner: &str,
    only: Option<SyncRunId>,
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<SyncRunRow>, StoreError> {
    tx.find(&CLAIM, p![owner, until, now, only.map_or(0, |id| id.0)])
}

/// Lets go of what a former self held: for a database with one node.
pub fn end_leases(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.execute(&END_LEASES, p![]).map(drop)
}

/// Keeps a run; false when it was lost.
pub fn prolong(tx: &mut Tx<'_>, run: &SyncRunRow, until: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&PROLONG, p![run.account_id, run.id, run.fence, until])? > 0)
}

/// Notes how far a run is. `None` when it was lost; else whether it is to stop.
pub fn advance(
    tx: &mut Tx<'_>,
    run: &SyncRunRow,
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<bool>, StoreError> {
    let counts = &run.counts;
    let messages = serde_json::json!(counts.error_messages).to_string();
    let params = p![
        run.account_id,
        run.id,
        run.fence,
        run.cursor,
        counts.total,
        counts.created,
        counts.updated,
        counts.skipped,
        counts.errors,
        messages,
        until,
        now
    ];
    Ok(tx.find::<(bool,)>(&ADVANCE, params)?.map(|(cancel,)| cancel))
}

/// Ends a run; false when it was lost.
pub fn finish(
    tx: &mut Tx<'_>,
    run: &SyncRunRow,
    status: SyncRunStatus,
    error: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&FINISH, p![run.account_id, run.id, run.fence, status, error, now])? > 0)
}

/// Lets go of a run until later.
pub fn put_off(tx: &mut Tx<'_>, run: &SyncRunRow, until: Timestamp, why: &str) -> Result<(), StoreError> {
    let params = p![run.account_id, run.id, run.fence, until, run.cursor, why];
    tx.execute(&PUT_OFF, params).map(drop)
}

/// Stops a run, at once or at its next step; false when it has ended.
pub fn cancel(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: SyncRunId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&CANCEL_QUEUED, p![account, id, now])? > 0
        || tx.execute(&ASK_TO_CANCEL, p![account, id])? > 0)
}

/// Has a run that failed or was stopped go on from its cursor; false when it did neither.
pub fn requeue(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: SyncRunId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&REQUEUE, p![account, id, now])? > 0)
}

/// Forgets those of the `limit` oldest runs that ended before `before`.
pub fn delete_oldest(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OLDEST, p![before, limit])
}
