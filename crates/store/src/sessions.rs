//! Sign-ins of the web page: only the hash of the cookie's token is kept.

use frontdesk_model::{AccountId, Timestamp, UserId};

use crate::db::statement::both;
use crate::signals::Topic;
use crate::{StoreError, Tx};

statements! {
    INSERT = both(
        "INSERT INTO sessions (token_hash, account_id, user_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)");
    FIND = both("SELECT account_id, user_id, expires_at FROM sessions WHERE token_hash = $1");
    DELETE = both("DELETE FROM sessions WHERE token_hash = $1");
    DELETE_OF_USER = both("DELETE FROM sessions WHERE account_id = $1 AND user_id = $2");
    DELETE_OTHERS = both("DELETE FROM sessions WHERE account_id = $1 AND user_id = $2 AND token_hash <> $3");
    DELETE_EXPIRED = both("DELETE FROM sessions WHERE expires_at <= $1");
}

/// Stores a sign-in under the SHA-256 of its token.
pub fn insert(
    tx: &mut Tx<'_>,
    token_hash: &[u8; 32],
    account: AccountId,
    user: UserId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&INSERT, p![token_hash, account, user, now, expires_at]).map(drop)
}

/// Whose sign-in this is, and until when.
pub fn find(
    tx: &mut Tx<'_>,
    token_hash: &[u8; 32],
) -> Result<Option<(AccountId, UserId, Timestamp)>, StoreError> {
    tx.find(&FIND, p![token_hash])
}

/// Ends one sign-in.
pub fn delete(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute(&DELETE, p![token_hash])?;
    tx.signal(Topic::Access);
    Ok(())
}

/// Ends all sign-ins of a user.
pub fn delete_of_user(tx: &mut Tx<'_>, account: AccountId, user: UserId) -> Result<(), StoreError> {
    tx.execute(&DELETE_OF_USER, p![account, user])?;
    tx.signal(Topic::Access);
    Ok(())
}

/// Ends all sign-ins of a user but one.
pub fn delete_others(
    tx: &mut Tx<'_>,
    account: AccountId,
    user: UserId,
    kept: &[u8; 32],
) -> Result<(), StoreError> {
    tx.execute(&DELETE_OTHERS, p![account, user, kept])?;
    tx.signal(Topic::Access);
    Ok(())
}

/// Forgets sign-ins that have ended by themselves.
pub fn delete_expired(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EXPIRED, p![now])
}
