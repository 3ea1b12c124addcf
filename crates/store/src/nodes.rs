//! The processes that share this database.

use frontdesk_model::Timestamp;

use crate::db::statement::both;
use crate::{StoreError, Tx};

statements! {
    BEAT = both(
        "INSERT INTO nodes (id, started_at, seen_at) VALUES ($1, $2, $2)
         ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at");
    TOUCH = both("UPDATE nodes SET seen_at = $2 WHERE id = $1");
    LIST_SEEN_SINCE = both("SELECT id, seen_at FROM nodes WHERE seen_at >= $1 ORDER BY id");
    LIST_SEEN_BEFORE = both("SELECT id, seen_at FROM nodes WHERE seen_at < $1 ORDER BY id");
    DELETE = both("DELETE FROM nodes WHERE id = $1");
}

/// A node silent for this long is given up, in milliseconds. The clocks of the nodes must agree better than this.
pub const DEAD_AFTER_MS: i64 = 35_000;

/// Notes that a node is alive.
pub fn beat(tx: &mut Tx<'_>, node_id: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(&BEAT, p![node_id, now]).map(drop)
}

/// Notes that a node is alive. False when the others have given it up and forgotten it.
pub fn touch(tx: &mut Tx<'_>, node_id: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&TOUCH, p![node_id, now])? > 0)
}

/// The nodes seen since a moment, with when.
pub fn list_seen_since(tx: &mut Tx<'_>, since: Timestamp) -> Result<Vec<(String, Timestamp)>, StoreError> {
    tx.query(&LIST_SEEN_SINCE, p![since])
}

/// The nodes not seen since a moment: what they held can be taken over.
pub fn list_seen_before(tx: &mut Tx<'_>, before: Timestamp) -> Result<Vec<(String, Timestamp)>, StoreError> {
    tx.query(&LIST_SEEN_BEFORE, p![before])
}

/// Forgets a node.
pub fn delete(tx: &mut Tx<'_>, node_id: &str) -> Result<(), StoreError> {
    tx.execute(&DELETE, p![node_id]).map(drop)
}
