//! News about messages that are not here yet: kept until the message arrives.

use frontdesk_model::{AccountId, InboxId, MessageId, RemoteId, Timestamp};

use crate::db::statement::{both, each};
use crate::{StoreError, Tx};

statements! {
    INSERT = both(
        "INSERT INTO pending_updates (account_id, inbox_id, remote_id, update_key, data, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING");
    IS_ANY = both("SELECT EXISTS (SELECT 1 FROM pending_updates)");
    FIND_MANY = each(
        "SELECT id, inbox_id, remote_id, data FROM pending_updates WHERE account_id = $1 AND inbox_id = $2 AND remote_id = $3",
        "SELECT p.id, p.inbox_id, p.remote_id, p.data FROM pending_updates p
         JOIN UNNEST($1::BIGINT[], $2::BIGINT[], $3::TEXT[]) AS n (account_id, inbox_id, remote_id)
            ON p.account_id = n.account_id AND p.inbox_id = n.inbox_id AND p.remote_id = n.remote_id
         FOR UPDATE OF p");
    // PostgreSQL plans anew what is asked of many; the plan for one is kept.
    FIND_OF_ONE = each(
        "SELECT id, inbox_id, remote_id, data FROM pending_updates WHERE account_id = $1 AND inbox_id = $2 AND remote_id = $3",
        "SELECT id, inbox_id, remote_id, data FROM pending_updates
         WHERE account_id = $1 AND inbox_id = $2 AND remote_id = $3 FOR UPDATE");
    DELETE_MANY = each(
        "DELETE FROM pending_updates WHERE id = $1",
        "DELETE FROM pending_updates WHERE id = ANY($1::BIGINT[])");
    LEFT_BEHIND = both(
        // CROSS has SQLite begin with the few that wait; it would begin with all messages once it knows how many there are.
        "SELECT DISTINCT p.account_id, p.inbox_id, m.id, p.remote_id FROM pending_updates p CROSS JOIN messages m
         WHERE m.account_id = p.account_id AND m.inbox_id = p.inbox_id AND m.remote_id = p.remote_id AND p.created_at >= $1
         LIMIT $2");
    DELETE_BEFORE = both("DELETE FROM pending_updates WHERE created_at < $1");
}

/// Keeps news about `target` (a remote id, or a thread). `key` tells repeated news apart from new ones.
pub fn keep(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    target: &str,
    key: &str,
    data: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&INSERT, p![account, inbox, target, key, data, now])?;
    Ok(())
}

/// News that waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waited {
    /// The inbox of the message they are about.
    pub inbox: InboxId,
    /// Its id at the provider.
    pub target: String,
    /// What was kept.
    pub data: String,
}

/// Takes everything kept about these messages, in the order in which it came.
pub fn take_many(tx: &mut Tx<'_>, targets: &[(AccountId, InboxId, &str)]) -> Result<Vec<Waited>, StoreError> {
    // SQLite is asked row by row, and most of the time nothing waits.
    if !tx.is_postgres() && !tx.find::<(bool,)>(&IS_ANY, p![])?.is_some_and(|(any,)| any) {
        return Ok(Vec::new());
    }
    let mut taken: Vec<(i64, InboxId, String, String)> = match targets {
        [(account, inbox, target)] => tx.query(&FIND_OF_ONE, p![account, inbox, target])?,
        several => {
            let row = |(account, inbox, target): &(AccountId, InboxId, &str)| row![account, inbox, target];
            tx.query_many(&FIND_MANY, several.iter().map(row).collect())?
        }
    };
    taken.sort_unstable_by_key(|(id, ..)| *id);
    tx.execute_many(&DELETE_MANY, taken.iter().map(|(id, ..)| row![id]).collect())?;
    Ok(taken.into_iter().map(|(_, inbox, target, data)| Waited { inbox, target, data }).collect())
}

/// News kept since `since` about messages that are here: the two came at the same moment, in transactions that did not
/// see each other.
pub fn list_left_behind(
    tx: &mut Tx<'_>,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<(AccountId, InboxId, MessageId, RemoteId)>, StoreError> {
    tx.query(&LEFT_BEHIND, p![since, limit])
}

/// Forgets news about messages that never came.
pub fn delete_before(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&DELETE_BEFORE, p![before])
}
