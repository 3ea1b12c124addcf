//! Bytes of files kept in the database, in slices: for several nodes that share nothing but PostgreSQL.

use frontdesk_model::AccountId;

use crate::db::statement::both;
use crate::{StoreError, Tx};

statements! {
    INSERT = both(
        "INSERT INTO media_chunks (account_id, storage_key, position, bytes) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING");
    GET = both("SELECT bytes FROM media_chunks WHERE account_id = $1 AND storage_key = $2 AND position = $3");
    DELETE = both("DELETE FROM media_chunks WHERE account_id = $1 AND storage_key = $2");
}

/// The size of every slice but the last.
pub const CHUNK_BYTES: usize = 512 * 1024;

/// Stores one slice; a slice that is there stays.
pub fn put(
    tx: &mut Tx<'_>,
    account: AccountId,
    key: &str,
    position: i64,
    bytes: &[u8],
) -> Result<(), StoreError> {
    tx.execute(&INSERT, p![account, key, position, bytes])?;
    Ok(())
}

/// Reads one slice; `None` after the last.
pub fn get(
    tx: &mut Tx<'_>,
    account: AccountId,
    key: &str,
    position: i64,
) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(tx.find::<(Vec<u8>,)>(&GET, p![account, key, position])?.map(|(bytes,)| bytes))
}

/// Forgets a file.
pub fn delete(tx: &mut Tx<'_>, account: AccountId, key: &str) -> Result<(), StoreError> {
    tx.execute(&DELETE, p![account, key])?;
    Ok(())
}
