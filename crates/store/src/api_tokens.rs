//! API tokens: only the hash of the secret is kept.

use frontdesk_model::user::Ability;
use frontdesk_model::{AccountId, Timestamp, TokenId, UserId};

use crate::db::statement::both;
use crate::signals::Topic;
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    INSERT = inserting!(
        "INSERT INTO api_tokens (account_id, user_id, name, token_hash, abilities, expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)");
    FIND_SECRET = both(
        "SELECT token_hash, account_id, user_id, abilities, expires_at, last_used_at FROM api_tokens
         WHERE id = $1 AND revoked_at IS NULL");
    FIND = both(
        "SELECT t.id, t.user_id, u.name, t.name, t.abilities, t.expires_at, t.last_used_at, t.created_at
         FROM api_tokens t JOIN users u ON u.account_id = t.account_id AND u.id = t.user_id
         WHERE t.account_id = $1 AND t.id = $2 AND t.revoked_at IS NULL");
    LIST = both(
        "SELECT t.id, t.user_id, u.name, t.name, t.abilities, t.expires_at, t.last_used_at, t.created_at
         FROM api_tokens t JOIN users u ON u.account_id = t.account_id AND u.id = t.user_id
         WHERE t.account_id = $1 AND t.id > $2 AND t.revoked_at IS NULL ORDER BY t.id LIMIT $3");
    LIST_OF_USER = both(
        "SELECT t.id, t.user_id, u.name, t.name, t.abilities, t.expires_at, t.last_used_at, t.created_at
         FROM api_tokens t JOIN users u ON u.account_id = t.account_id AND u.id = t.user_id
         WHERE t.account_id = $1 AND t.user_id = $4 AND t.id > $2 AND t.revoked_at IS NULL ORDER BY t.id LIMIT $3");
    REVOKE = both(
        "UPDATE api_tokens SET revoked_at = $3 WHERE account_id = $1 AND id = $2 AND revoked_at IS NULL");
    REVOKE_OF_USER = both(
        "UPDATE api_tokens SET revoked_at = $3 WHERE account_id = $1 AND user_id = $2 AND revoked_at IS NULL");
    TOUCH = both("UPDATE api_tokens SET last_used_at = $3 WHERE account_id = $1 AND id = $2");
}

/// A token as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id, the part of the token before the bar.
    pub id: TokenId,
    /// Whose it is.
    pub user_id: UserId,
    /// The name of that user.
    pub user_name: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub abilities: Vec<Ability>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl FromRow for TokenRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            user_id: row.next()?,
            user_name: row.next()?,
            name: row.next()?,
            abilities: row.next_json()?,
            expires_at: row.next()?,
            last_used_at: row.next()?,
            created_at: row.next()?,
        })
    }
}

/// What it takes to check a token that was presented.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSecret {
    /// SHA-256 of the part after the bar.
    pub token_hash: Vec<u8>,
    /// Where it belongs.
    pub account_id: AccountId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it may do.
    pub abilities: Vec<Ability>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl FromRow for TokenSecret {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            token_hash: row.next()?,
            account_id: row.next()?,
            user_id: row.next()?,
            abilities: row.next_json()?,
            expires_at: row.next()?,
            last_used_at: row.next()?,
        })
    }
}

/// A token to store.
#[derive(Clone, Copy)]
pub struct NewTokenRow<'a> {
    /// Where it belongs.
    pub account_id: AccountId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it is for.
    pub name: &'a str,
    /// SHA-256 of its secret.
    pub token_hash: &'a [u8; 32],
    /// What it may do.
    pub abilities: &'a [Ability],
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// Stores a token.
pub fn insert(tx: &mut Tx<'_>, token: NewTokenRow<'_>, now: Timestamp) -> Result<TokenId, StoreError> {
    let abilities = serde_json::json!(token.abilities).to_string();
    let params =
        p![token.account_id, token.user_id, token.name, token.token_hash, abilities, token.expires_at, now];
    tx.insert(&INSERT, params)?.ok_or(StoreError::Column { column: 0, expected: "the id of the new token" })
}

/// The secret of a token that was not revoked, of whatever account.
pub fn find_secret(tx: &mut Tx<'_>, token: TokenId) -> Result<Option<TokenSecret>, StoreError> {
    tx.find(&FIND_SECRET, p![token])
}

/// One token of an account that was not revoked.
pub fn find(tx: &mut Tx<'_>, account: AccountId, token: TokenId) -> Result<Option<TokenRow>, StoreError> {
    tx.find(&FIND, p![account, token])
}

/// Tokens after an id that were not revoked: of one user, or of the whole account.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    of_user: Option<UserId>,
    after: TokenId,
    limit: i64,
) -> Result<Vec<TokenRow>, StoreError> {
    match of_user {
        Some(user) => tx.query(&LIST_OF_USER, p![account, after, limit, user]),
        None => tx.query(&LIST, p![account, after, limit]),
    }
}

/// Ends a token; false when there is none to end.
pub fn revoke(
    tx: &mut Tx<'_>,
    account: AccountId,
    token: TokenId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let revoked = tx.execute(&REVOKE, p![account, token, now])?;
    tx.signal(Topic::Access);
    Ok(revoked > 0)
}

/// Ends all tokens of a user.
pub fn revoke_of_user(
    tx: &mut Tx<'_>,
    account: AccountId,
    user: UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&REVOKE_OF_USER, p![account, user, now])?;
    tx.signal(Topic::Access);
    Ok(())
}

/// Notes that a token was used.
pub fn touch(tx: &mut Tx<'_>, account: AccountId, token: TokenId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(&TOUCH, p![account, token, now]).map(drop)
}
