//! Who is present on which presence channel, counted per node.

use frontdesk_model::AccountId;

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    ADD = both(
        "INSERT INTO presence_members (account_id, channel, user_id, node_id, user_info, sockets)
         VALUES ($1, $2, $3, $4, $5, 1)
         ON CONFLICT (account_id, channel, user_id, node_id) DO UPDATE SET sockets = presence_members.sockets + 1");
    SUBTRACT = both(
        "UPDATE presence_members SET sockets = sockets - 1
         WHERE account_id = $1 AND channel = $2 AND user_id = $3 AND node_id = $4");
    DELETE_EMPTY = both(
        "DELETE FROM presence_members
         WHERE account_id = $1 AND channel = $2 AND user_id = $3 AND node_id = $4 AND sockets <= 0");
    LIST = both(
        "SELECT user_id, MIN(user_info), CAST(SUM(sockets) AS BIGINT) FROM presence_members
         WHERE account_id = $1 AND channel = $2 GROUP BY user_id ORDER BY user_id");
    IS_PRESENT = both(
        "SELECT COUNT(*) FROM presence_members WHERE account_id = $1 AND channel = $2 AND user_id = $3");
    LIST_OF_NODE = both(
        "SELECT account_id, channel, user_id FROM presence_members WHERE node_id = $1
         ORDER BY account_id, channel, user_id");
    DELETE_OF_NODE = both("DELETE FROM presence_members WHERE node_id = $1");
}

/// One user on one channel, all nodes taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentUser {
    /// As the signer of the channel wrote it.
    pub user_id: String,
    /// JSON.
    pub user_info: String,
    /// How many connections.
    pub sockets: i64,
}

impl FromRow for PresentUser {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self { user_id: row.next()?, user_info: row.next()?, sockets: row.next()? })
    }
}

/// Counts one more socket of a user on a node.
pub fn add(
    tx: &mut Tx<'_>,
    account: AccountId,
    channel: &str,
    user: &str,
    node: &str,
    info: &str,
) -> Result<(), StoreError> {
    tx.execute(&ADD, p![account, channel, user, node, info]).map(drop)
}

/// Counts one socket of a user on a node less. True when one was counted.
pub fn subtract(
    tx: &mut Tx<'_>,
    account: AccountId,
    channel: &str,
    user: &str,
    node: &str,
) -> Result<bool, StoreError> {
    let changed = tx.execute(&SUBTRACT, p![account, channel, user, node])?;
    tx.execute(&DELETE_EMPTY, p![account, channel, user, node])?;
    Ok(changed > 0)
}

/// Everyone on a channel, once each.
pub fn list(tx: &mut Tx<'_>, account: AccountId, channel: &str) -> Result<Vec<PresentUser>, StoreError> {
    tx.query(&LIST, p![account, channel])
}

/// True when the user is on the channel, by any node.
pub fn is_present(
    tx: &mut Tx<'_>,
    account: AccountId,
    channel: &str,
    user: &str,
) -> Result<bool, StoreError> {
    Ok(tx.find::<(i64,)>(&IS_PRESENT, p![account, channel, user])?.is_some_and(|(n,)| n > 0))
}

/// Removes everyone a node had counted; returns account, channel and user of each.
pub fn delete_of_node(tx: &mut Tx<'_>, node: &str) -> Result<Vec<(AccountId, String, String)>, StoreError> {
    let removed = tx.query(&LIST_OF_NODE, p![node])?;
    tx.execute(&DELETE_OF_NODE, p![node])?;
    Ok(removed)
}
