//! Accounts: the tenants, each with the application its realtime clients connect to.

use frontdesk_model::{AccountId, Timestamp};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    INSERT = inserting!(
        "INSERT INTO accounts (name, realtime_app_id, realtime_key, realtime_secret, created_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING");
    SET_REALTIME = both(
        "UPDATE accounts SET realtime_app_id = $2, realtime_key = $3, realtime_secret = $4 WHERE id = $1");
    FIND = both(
        "SELECT id, name, realtime_app_id, realtime_key, realtime_secret, created_at FROM accounts WHERE id = $1");
    FIND_BY_NAME = both(
        "SELECT id, name, realtime_app_id, realtime_key, realtime_secret, created_at FROM accounts WHERE name = $1");
    FIND_BY_KEY = both(
        "SELECT id, name, realtime_app_id, realtime_key, realtime_secret, created_at FROM accounts
         WHERE realtime_key = $1");
    FIND_BY_APP_ID = both(
        "SELECT id, name, realtime_app_id, realtime_key, realtime_secret, created_at FROM accounts
         WHERE realtime_app_id = $1");
    COUNT = both("SELECT COUNT(*) FROM accounts");
    FIRST = both("SELECT MIN(id) FROM accounts");
    LIST = both(
        "SELECT id, name, realtime_app_id, realtime_key, realtime_secret, created_at FROM accounts ORDER BY id");
}

/// A tenant.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// Its name, unique on this server.
    pub name: String,
    /// The id of its realtime application, in the path of the trigger API.
    pub realtime_app_id: String,
    /// The public key its realtime clients connect with.
    pub realtime_key: String,
    /// The secret that signs subscriptions, sealed.
    pub realtime_secret: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl FromRow for AccountRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            name: row.next()?,
            realtime_app_id: row.next()?,
            realtime_key: row.next()?,
            realtime_secret: row.next()?,
            created_at: row.next()?,
        })
    }
}

/// The realtime application of an account: its secret sealed by the caller.
#[derive(Debug, Clone)]
pub struct RealtimeApp {
    /// The id in the path of the trigger API.
    pub id: String,
    /// The public key.
    pub key: String,
    /// The sealed secret.
    pub sealed_secret: Vec<u8>,
}

/// Makes an account; `None` when the name is taken.
pub fn insert(
    tx: &mut Tx<'_>,
    name: &str,
    app: &RealtimeApp,
    now: Timestamp,
) -> Result<Option<AccountId>, StoreError> {
    tx.insert(&INSERT, p![name, app.id, app.key, app.sealed_secret, now])
}

/// Gives an account another realtime application; clients that hold the old key have to reload.
pub fn set_realtime(tx: &mut Tx<'_>, account: AccountId, app: &RealtimeApp) -> Result<(), StoreError> {
    tx.execute(&SET_REALTIME, p![account, app.id, app.key, app.sealed_secret]).map(drop)
}

/// The account with this id.
pub fn find(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<AccountRow>, StoreError> {
    tx.find(&FIND, p![account])
}

/// The account of this name.
pub fn find_by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<AccountRow>, StoreError> {
    tx.find(&FIND_BY_NAME, p![name])
}

/// The account whose clients connect with this realtime key.
pub fn find_by_realtime_key(tx: &mut Tx<'_>, key: &str) -> Result<Option<AccountRow>, StoreError> {
    tx.find(&FIND_BY_KEY, p![key])
}

/// The account with this realtime application.
pub fn find_by_realtime_app_id(tx: &mut Tx<'_>, app_id: &str) -> Result<Option<AccountRow>, StoreError> {
    tx.find(&FIND_BY_APP_ID, p![app_id])
}

/// All accounts, the oldest first.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<AccountRow>, StoreError> {
    tx.query(&LIST, p![])
}

/// The first account, whose operator is that of the server.
pub fn first(tx: &mut Tx<'_>) -> Result<Option<AccountId>, StoreError> {
    Ok(tx.find::<(Option<AccountId>,)>(&FIRST, p![])?.and_then(|(id,)| id))
}

/// True while the server has one account: what is nobody's is then shown to it.
pub fn is_only(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(tx.find::<(i64,)>(&COUNT, p![])?.is_some_and(|(count,)| count == 1))
}
