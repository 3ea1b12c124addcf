//! What a driver keeps for its session, by namespace and key. Values come and go sealed; keys are names that the driver gives.

use frontdesk_model::InboxId;

use crate::db::statement::both;
use crate::{StoreError, Tx};

statements! {
    GET = both("SELECT value FROM linked_keys WHERE inbox_id = $1 AND ns = $2 AND key = $3");
    LIST = both(
        "SELECT key, value FROM linked_keys WHERE inbox_id = $1 AND ns = $2 AND key > $3 ORDER BY key LIMIT $4");
    PUT = both(
        "INSERT INTO linked_keys (inbox_id, ns, key, value, n1, n2) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (inbox_id, ns, key) DO UPDATE SET value = excluded.value, n1 = excluded.n1, n2 = excluded.n2");
    DELETE = both("DELETE FROM linked_keys WHERE inbox_id = $1 AND ns = $2 AND key = $3");
    DELETE_BELOW = both("DELETE FROM linked_keys WHERE inbox_id = $1 AND ns = $2 AND n1 < $3");
    CLEAR_SPACE = both("DELETE FROM linked_keys WHERE inbox_id = $1 AND ns = $2");
    CLEAR = both("DELETE FROM linked_keys WHERE inbox_id = $1");
}

/// One value, sealed.
pub fn get(tx: &mut Tx<'_>, inbox: InboxId, space: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(tx.find::<(Vec<u8>,)>(&GET, p![inbox, space, key])?.map(|(value,)| value))
}

/// Values of a namespace after a key, by key, sealed.
pub fn list(
    tx: &mut Tx<'_>,
    inbox: InboxId,
    space: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    tx.query(&LIST, p![inbox, space, after, limit])
}

/// Stores a sealed value. `n1` and `n2` are numbers that a driver may delete by.
pub fn put(
    tx: &mut Tx<'_>,
    inbox: InboxId,
    space: &str,
    key: &str,
    sealed: &[u8],
    numbers: (Option<i64>, Option<i64>),
) -> Result<(), StoreError> {
    tx.execute(&PUT, p![inbox, space, key, sealed, numbers.0, numbers.1]).map(drop)
}

/// Forgets one value.
pub fn delete(tx: &mut Tx<'_>, inbox: InboxId, space: &str, key: &str) -> Result<(), StoreError> {
    tx.execute(&DELETE, p![inbox, space, key]).map(drop)
}

/// Forgets the values of a namespace whose `n1` is below a number.
pub fn delete_below(tx: &mut Tx<'_>, inbox: InboxId, space: &str, below: i64) -> Result<(), StoreError> {
    tx.execute(&DELETE_BELOW, p![inbox, space, below]).map(drop)
}

/// Forgets a namespace.
pub fn clear_space(tx: &mut Tx<'_>, inbox: InboxId, space: &str) -> Result<(), StoreError> {
    tx.execute(&CLEAR_SPACE, p![inbox, space]).map(drop)
}

/// Forgets all of a session.
pub fn clear(tx: &mut Tx<'_>, inbox: InboxId) -> Result<(), StoreError> {
    tx.execute(&CLEAR, p![inbox]).map(drop)
}
