//! What a node asks of the one that holds a session, and the answers. Both are sealed: numbers and codes stand in them.

use frontdesk_model::{AccountId, InboxId, LinkedCommandId, Timestamp};

use crate::db::statement::both;
use crate::signals::Topic;
use crate::{StoreError, Tx};

statements! {
    INSERT = inserting!(
        "INSERT INTO linked_commands (account_id, inbox_id, command, expires_at, created_at) VALUES ($1, $2, $3, $4, $5)");
    OPEN = both(
        "SELECT id, command FROM linked_commands
         WHERE inbox_id = $1 AND answer IS NULL AND expires_at > $2 ORDER BY id LIMIT 64");
    COUNT_OPEN = both("SELECT COUNT(*) FROM linked_commands WHERE inbox_id = $1 AND answer IS NULL AND expires_at > $2");
    ANSWER = both("UPDATE linked_commands SET answer = $2 WHERE id = $1 AND answer IS NULL");
    FIND_ANSWER = both("SELECT answer FROM linked_commands WHERE id = $1");
    DELETE = both("DELETE FROM linked_commands WHERE id = $1");
    DELETE_EXPIRED = both("DELETE FROM linked_commands WHERE expires_at <= $1");
    DELETE_OF_INBOX = both("DELETE FROM linked_commands WHERE inbox_id = $1");
}

/// Asks something.
pub fn insert(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    sealed: &[u8],
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<LinkedCommandId, StoreError> {
    let id = tx.insert(&INSERT, p![account, inbox, sealed, expires_at, now])?;
    tx.signal(Topic::Sessions);
    id.ok_or(StoreError::Column { column: 0, expected: "the id of the new command" })
}

/// What is asked of a session and not answered, the oldest first, at most 64.
pub fn open(
    tx: &mut Tx<'_>,
    inbox: InboxId,
    now: Timestamp,
) -> Result<Vec<(LinkedCommandId, Vec<u8>)>, StoreError> {
    tx.query(&OPEN, p![inbox, now])
}

/// How much is asked of a session and not answered.
pub fn count_open(tx: &mut Tx<'_>, inbox: InboxId, now: Timestamp) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&COUNT_OPEN, p![inbox, now])?.map_or(0, |(count,)| count))
}

/// Answers.
pub fn answer(tx: &mut Tx<'_>, id: LinkedCommandId, sealed: &[u8]) -> Result<(), StoreError> {
    tx.execute(&ANSWER, p![id, sealed])?;
    tx.signal(Topic::Sessions);
    Ok(())
}

/// The answer, if it was given.
pub fn find_answer(tx: &mut Tx<'_>, id: LinkedCommandId) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(tx.find::<(Option<Vec<u8>>,)>(&FIND_ANSWER, p![id])?.and_then(|(answer,)| answer))
}

/// Forgets a command.
pub fn delete(tx: &mut Tx<'_>, id: LinkedCommandId) -> Result<(), StoreError> {
    tx.execute(&DELETE, p![id]).map(drop)
}

/// Forgets what nobody waits for any more.
pub fn delete_expired(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(&DELETE_EXPIRED, p![now]).map(drop)
}

/// Forgets what was asked of a session.
pub fn delete_of_inbox(tx: &mut Tx<'_>, inbox: InboxId) -> Result<(), StoreError> {
    tx.execute(&DELETE_OF_INBOX, p![inbox]).map(drop)
}
