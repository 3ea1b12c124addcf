//! Users: those who sign in.

use frontdesk_model::user::Role;
use frontdesk_model::{AccountId, Timestamp, UserId};

use crate::db::statement::{both, each};
use crate::signals::Topic;
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    INSERT = inserting!(
        "INSERT INTO users (account_id, email, name, role, password_hash, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (email) DO NOTHING");
    FIND = both(
        "SELECT id, account_id, email, name, role, disabled_at, last_seen_at, created_at FROM users
         WHERE account_id = $1 AND id = $2");
    FIND_BY_EMAIL = both(
        "SELECT id, account_id, email, name, role, disabled_at, last_seen_at, created_at FROM users
         WHERE email = $1");
    PASSWORD_HASH = both("SELECT password_hash FROM users WHERE account_id = $1 AND id = $2");
    LIST = both(
        "SELECT id, account_id, email, name, role, disabled_at, last_seen_at, created_at FROM users
         WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3");
    LIST_ACTIVE = both(
        "SELECT id, name FROM users WHERE account_id = $1 AND disabled_at IS NULL ORDER BY name, id LIMIT $2");
    /// Locks the rows on PostgreSQL: two admins who demote each other at once must not both succeed.
    OTHER_ADMINS = each(
        "SELECT id FROM users WHERE account_id = $1 AND role = 'admin' AND disabled_at IS NULL ORDER BY id",
        "SELECT id FROM users WHERE account_id = $1 AND role = 'admin' AND disabled_at IS NULL ORDER BY id FOR UPDATE");
    UPDATE = both(
        "UPDATE users SET name = $3, role = $4, disabled_at = $5, updated_at = $6 WHERE account_id = $1 AND id = $2");
    SET_PASSWORD = both(
        "UPDATE users SET password_hash = $3, updated_at = $4 WHERE account_id = $1 AND id = $2");
    TOUCH = both("UPDATE users SET last_seen_at = $3 WHERE account_id = $1 AND id = $2");
}

/// Someone who signs in. The password's hash is read apart, see [`password_hash`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Their id.
    pub id: UserId,
    /// Where they belong.
    pub account_id: AccountId,
    /// Lower case; unique on this server.
    pub email: String,
    /// The name customers and colleagues see.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Set when they can no longer sign in.
    pub disabled_at: Option<Timestamp>,
    /// Their last request, to the minute.
    pub last_seen_at: Option<Timestamp>,
    /// When they were added.
    pub created_at: Timestamp,
}

impl FromRow for UserRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            email: row.next()?,
            name: row.next()?,
            role: row.next()?,
            disabled_at: row.next()?,
            last_seen_at: row.next()?,
            created_at: row.next()?,
        })
    }
}

/// A user to add.
#[derive(Debug, Clone, Copy)]
pub struct NewUserRow<'a> {
    /// Where they belong.
    pub account_id: AccountId,
    /// Lower case.
    pub email: &'a str,
    /// Their name.
    pub name: &'a str,
    /// What they may do.
    pub role: Role,
    /// A PHC string.
    pub password_hash: &'a str,
}

/// Adds a user; `None` when the e-mail address is taken.
pub fn insert(tx: &mut Tx<'_>, user: NewUserRow<'_>, now: Timestamp) -> Result<Option<UserId>, StoreError> {
    let params = p![user.account_id, user.email, user.name, user.role, user.password_hash, now];
    tx.insert(&INSERT, params)
}

/// One user of an account.
pub fn find(tx: &mut Tx<'_>, account: AccountId, user: UserId) -> Result<Option<UserRow>, StoreError> {
    tx.find(&FIND, p![account, user])
}

/// The user with this e-mail address (lower case), of whatever account.
pub fn find_by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<UserRow>, StoreError> {
    tx.find(&FIND_BY_EMAIL, p![email])
}

/// The PHC string of a user's password.
pub fn password_hash(
    tx: &mut Tx<'_>,
    account: AccountId,
    user: UserId,
) -> Result<Option<String>, StoreError> {
    Ok(tx.find::<(String,)>(&PASSWORD_HASH, p![account, user])?.map(|(hash,)| hash))
}

/// Users of an account after an id, by id.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: UserId,
    limit: i64,
) -> Result<Vec<UserRow>, StoreError> {
    tx.query(&LIST, p![account, after, limit])
}

/// Ids and names of those who can be assigned conversations, by name.
pub fn list_active(
    tx: &mut Tx<'_>,
    account: AccountId,
    limit: i64,
) -> Result<Vec<(UserId, String)>, StoreError> {
    tx.query(&LIST_ACTIVE, p![account, limit])
}

/// True when someone besides `user` can administer the account. Holds off other changes of admins until the end of
/// the transaction.
pub fn has_other_admin(tx: &mut Tx<'_>, account: AccountId, user: UserId) -> Result<bool, StoreError> {
    Ok(tx.query::<(UserId,)>(&OTHER_ADMINS, p![account])?.iter().any(|(id,)| *id != user))
}

/// Stores name, role and whether the user is disabled.
pub fn update(tx: &mut Tx<'_>, user: &UserRow, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(&UPDATE, p![user.account_id, user.id, user.name, user.role, user.disabled_at, now])?;
    tx.signal(Topic::Access);
    Ok(())
}

/// Stores another password.
pub fn set_password(
    tx: &mut Tx<'_>,
    account: AccountId,
    user: UserId,
    hash: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_PASSWORD, p![account, user, hash, now])?;
    tx.signal(Topic::Access);
    Ok(())
}

/// Notes that the user was here.
pub fn touch(tx: &mut Tx<'_>, account: AccountId, user: UserId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(&TOUCH, p![account, user, now]).map(drop)
}
