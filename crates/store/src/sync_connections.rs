//! Connections to programs that hold the same people. A removed one stays without its secrets: its maps refer to it.

use frontdesk_model::sync::{SyncConnectionStatus, SyncProvider};
use frontdesk_model::{AccountId, SyncConnectionId, Timestamp};

use crate::db::statement::{both, each};
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "id, account_id, provider, name, remote_account, api_url, secrets, schedule, next_run_at, status, error, scope,
         last_sync_at, version, created_at, updated_at"
    };
}

statements! {
    INSERT = inserting!(
        "INSERT INTO sync_connections (account_id, provider, name, remote_account, api_url, secrets, schedule, next_run_at,
            status, error, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)");
    UPDATE = both(
        "UPDATE sync_connections SET name = $3, remote_account = $4, api_url = $5, secrets = $6, schedule = $7,
            next_run_at = $8, status = $9, error = $10, updated_at = $11, scope = $12, version = version + 1
         WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL");
    SET_STATUS = both(
        "UPDATE sync_connections SET status = $3, error = $4, updated_at = $5
         WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL");
    SET_SCOPE = both("UPDATE sync_connections SET scope = $3 WHERE account_id = $1 AND id = $2");
    REMOVE = both(
        "UPDATE sync_connections SET deleted_at = $3, secrets = $4, schedule = NULL, next_run_at = NULL, updated_at = $3,
            version = version + 1
         WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL");
    FIND = both(concat!("SELECT ", columns!(),
        " FROM sync_connections WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL"));
    FIND_REMOTE = both(concat!("SELECT ", columns!(),
        " FROM sync_connections WHERE account_id = $1 AND provider = $2 AND api_url = $3 AND remote_account = $4
          AND deleted_at IS NULL"));
    LIST = both(concat!("SELECT ", columns!(),
        " FROM sync_connections WHERE account_id = $1 AND deleted_at IS NULL ORDER BY id"));
    LIST_REMOTE = both(concat!("SELECT ", columns!(),
        " FROM sync_connections WHERE provider = $1 AND remote_account = $2 AND deleted_at IS NULL ORDER BY id"));
    LIST_PROVIDER = both(concat!("SELECT ", columns!(),
        " FROM sync_connections WHERE provider = $1 AND deleted_at IS NULL ORDER BY id LIMIT 100"));
    // Locked: what is done in one connection is done by one transaction after the other.
    LOCK = each(
        "SELECT id FROM sync_connections WHERE account_id = $1 AND id = $2",
        "SELECT id FROM sync_connections WHERE account_id = $1 AND id = $2 FOR UPDATE");
    DUE = both(concat!("SELECT ", columns!(),
        " FROM sync_connections WHERE next_run_at IS NOT NULL AND next_run_at <= $1 ORDER BY next_run_at LIMIT 100"));
    SET_NEXT_RUN = both(
        "UPDATE sync_connections SET next_run_at = $4 WHERE account_id = $1 AND id = $2 AND next_run_at = $3");
    NOTE_SYNC = both("UPDATE sync_connections SET last_sync_at = $3 WHERE account_id = $1 AND id = $2");
    SCOPES = both(
        "SELECT api_url, remote_account, scope FROM sync_connections
         WHERE account_id = $1 AND provider = $2 AND scope IS NOT NULL ORDER BY id");
}

/// A connection as stored.
#[derive(Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct SyncConnectionRow {
    pub id: SyncConnectionId,
    pub account_id: AccountId,
    pub provider: SyncProvider,
    pub name: String,
    /// The account there.
    pub remote_account: String,
    /// Where it is, without a slash at the end.
    pub api_url: String,
    /// The key and the secrets of webhooks, sealed.
    pub sealed_secrets: Vec<u8>,
    /// When it runs by itself, as a cron expression in UTC.
    pub schedule: Option<String>,
    /// When it runs next by itself.
    pub next_run_at: Option<Timestamp>,
    pub status: SyncConnectionStatus,
    /// Why it does not work.
    pub error: Option<String>,
    /// What stands before its ids in `external_entity_maps`: empty for the first account of a provider. `None` until it
    /// worked once.
    pub scope: Option<String>,
    /// When a run last came to its end.
    pub last_sync_at: Option<Timestamp>,
    /// Grows with every change of its credentials.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for SyncConnectionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyncConnectionRow").field("id", &self.id).finish_non_exhaustive()
    }
}

impl FromRow for SyncConnectionRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            provider: row.next()?,
            name: row.next()?,
            remote_account: row.next()?,
            api_url: row.next()?,
            sealed_secrets: row.next()?,
            schedule: row.next()?,
            next_run_at: row.next()?,
            status: row.next()?,
            error: row.next()?,
            scope: row.next()?,
            last_sync_at: row.next()?,
            version: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

/// Adds a connection. Its id, its scope and its version are given here. A second one to the same account there is a
/// unique violation.
pub fn insert(
    tx: &mut Tx<'_>,
    row: &SyncConnectionRow,
    now: Timestamp,
) -> Result<SyncConnectionId, StoreError> {
    let params = p![
        row.account_id,
        row.provider,
        row.name,
        row.remote_account,
        row.api_url,
        row.sealed_secrets,
        row.schedule,
        row.next_run_at,
        row.status,
        row.error,
        now
    ];
    let id = tx.insert(&INSERT, params)?;
    id.ok_or_else(|| StoreError::Unavailable("a connection was not stored".to_owned()))
}

/// Stores what can change about a connection; its version grows. False when it is gone.
pub fn update(tx: &mut Tx<'_>, row: &SyncConnectionRow, now: Timestamp) -> Result<bool, StoreError> {
    let params = p![
        row.account_id,
        row.id,
        row.name,
        row.remote_account,
        row.api_url,
        row.sealed_secrets,
        row.schedule,
        row.next_run_at,
        row.status,
        row.error,
        now,
        row.scope
    ];
    Ok(tx.execute(&UPDATE, params)? > 0)
}

/// Stores how a connection does.
pub fn set_status(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: SyncConnectionId,
    status: SyncConnectionStatus,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_STATUS, p![account, id, status, error, now]).map(drop)
}

/// Gives a connection that works what its ids are told apart by: that of an earlier one to the same account there, else
/// nothing for the first, else `host/account:`.
pub fn settle_scope(tx: &mut Tx<'_>, row: &SyncConnectionRow) -> Result<String, StoreError> {
    if let Some(scope) = &row.scope {
        return Ok(scope.clone());
    }
    let known = tx.query::<(String, String, String)>(&SCOPES, p![row.account_id, row.provider])?;
    let same = known.iter().find(|(url, remote, _)| *url == row.api_url && *remote == row.remote_account);
    let scope = match same {
        Some((_, _, scope)) => scope.clone(),
        None if known.is_empty() => String::new(),
        None => format!("{}/{}:", row.api_url.split("://").last().unwrap_or_default(), row.remote_account),
    };
    tx.execute(&SET_SCOPE, p![row.account_id, row.id, scope])?;
    Ok(scope)
}

/// Takes a connection away and its secrets with it. False when it is gone.
pub fn remove(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: SyncConnectionId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let nothing: Vec<u8> = Vec::new();
    Ok(tx.execute(&REMOVE, p![account, id, now, nothing])? > 0)
}

/// One connection.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: SyncConnectionId,
) -> Result<Option<SyncConnectionRow>, StoreError> {
    tx.find(&FIND, p![account, id])
}

/// The connection to an account there.
pub fn find_remote(
    tx: &mut Tx<'_>,
    account: AccountId,
    provider: SyncProvider,
    api_url: &str,
    remote_account: &str,
) -> Result<Option<SyncConnectionRow>, StoreError> {
    tx.find(&FIND_REMOTE, p![account, provider, api_url, remote_account])
}

/// The connections of an account, the oldest first.
pub fn list(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<SyncConnectionRow>, StoreError> {
    tx.query(&LIST, p![account])
}

/// The connections of whatever account to accounts of this number there: whose a webhook is, its signature tells.
pub fn list_remote(
    tx: &mut Tx<'_>,
    provider: SyncProvider,
    remote_account: &str,
) -> Result<Vec<SyncConnectionRow>, StoreError> {
    tx.query(&LIST_REMOTE, p![provider, remote_account])
}

/// The first hundred connections of whatever account.
pub fn list_provider(tx: &mut Tx<'_>, provider: SyncProvider) -> Result<Vec<SyncConnectionRow>, StoreError> {
    tx.query(&LIST_PROVIDER, p![provider])
}

/// Has other transactions wait that do something in this connection.
pub fn lock(tx: &mut Tx<'_>, account: AccountId, id: SyncConnectionId) -> Result<(), StoreError> {
    tx.query::<(SyncConnectionId,)>(&LOCK, p![account, id]).map(drop)
}

/// Connections of whatever account whose time has come, at most a hundred.
pub fn due(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<SyncConnectionRow>, StoreError> {
    tx.query(&DUE, p![now])
}

/// Notes when a connection that was due runs next; false when another node did.
pub fn set_next_run(
    tx: &mut Tx<'_>,
    row: &SyncConnectionRow,
    next: Option<Timestamp>,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&SET_NEXT_RUN, p![row.account_id, row.id, row.next_run_at, next])? > 0)
}

/// Notes that a run came to its end.
pub fn note_sync(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: SyncConnectionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&NOTE_SYNC, p![account, id, now]).map(drop)
}
