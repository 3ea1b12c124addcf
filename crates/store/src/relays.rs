//! Passing realtime messages between nodes: a short log that every node reads and that is trimmed after a minute.

use frontdesk_model::{AccountId, Timestamp};

use crate::db::statement::{both, each};
use crate::signals::Topic;
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    LOCK = each("SELECT 1", "SELECT 1 FROM (SELECT pg_advisory_xact_lock(7265502)) AS locked");
    INSERT = inserting!(
        "INSERT INTO relays (account_id, node_id, data, created_at) VALUES ($1, $2, $3, $4)");
    LIST_AFTER = both(
        "SELECT id, account_id, node_id, data FROM relays WHERE id > $1 ORDER BY id LIMIT $2");
    LAST_ID = both("SELECT COALESCE(MAX(id), 0) FROM relays");
    DELETE_BEFORE = both("DELETE FROM relays WHERE created_at < $1");
}

/// One message for the other nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns")]
pub struct Relay {
    pub id: i64,
    pub account_id: AccountId,
    /// The node that wrote it.
    pub node_id: String,
    /// JSON, known to `engine::realtime`.
    pub data: String,
}

impl FromRow for Relay {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self { id: row.next()?, account_id: row.next()?, node_id: row.next()?, data: row.next()? })
    }
}

/// Lets one node at a time write relays and presence, so that ids become visible in their order and what is read
/// under the lock is the whole truth.
pub fn lock(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.query::<(i64,)>(&LOCK, p![]).map(drop)
}

/// Appends a relay under [`lock`] and wakes the nodes. Returns its id.
pub fn insert(
    tx: &mut Tx<'_>,
    account: AccountId,
    node: &str,
    data: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let id = tx.insert::<i64>(&INSERT, p![account, node, data, now])?.unwrap_or_default();
    tx.signal(Topic::Relays);
    Ok(id)
}

/// The relays after `id`, at most `limit`, in order.
pub fn list_after(tx: &mut Tx<'_>, id: i64, limit: i64) -> Result<Vec<Relay>, StoreError> {
    tx.query(&LIST_AFTER, p![id, limit])
}

/// The newest id; 0 when there is none.
pub fn last_id(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&LAST_ID, p![])?.map_or(0, |(id,)| id))
}

/// Forgets relays older than `before`.
pub fn delete_before(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&DELETE_BEFORE, p![before])
}
