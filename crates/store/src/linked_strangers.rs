//! Whom a linked session wrote to first: networks ban numbers that write to many strangers.

use frontdesk_model::{AccountId, ConversationId, InboxId, Timestamp};

use crate::db::statement::both;
use crate::{StoreError, Tx};

statements! {
    INSERT = both(
        "INSERT INTO linked_strangers (account_id, inbox_id, conversation_id, first_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING");
    FIND = both(
        "SELECT first_at FROM linked_strangers WHERE account_id = $1 AND inbox_id = $2 AND conversation_id = $3");
    SINCE = both("SELECT COUNT(*), MIN(first_at) FROM linked_strangers WHERE inbox_id = $1 AND first_at > $2");
    DELETE_BEFORE = both("DELETE FROM linked_strangers WHERE inbox_id = $1 AND first_at <= $2");
}

/// Notes that a session writes to somebody first.
pub fn insert(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&INSERT, p![account, inbox, conversation, now]).map(drop)
}

/// When a session wrote to somebody first, if that was lately.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    conversation: ConversationId,
) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.find::<(Timestamp,)>(&FIND, p![account, inbox, conversation])?.map(|(at,)| at))
}

/// How many strangers a session wrote to since a moment, and when to the first of them.
pub fn since(
    tx: &mut Tx<'_>,
    inbox: InboxId,
    since: Timestamp,
) -> Result<(i64, Option<Timestamp>), StoreError> {
    Ok(tx.find(&SINCE, p![inbox, since])?.unwrap_or((0, None)))
}

/// Forgets those before a moment.
pub fn delete_before(tx: &mut Tx<'_>, inbox: InboxId, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(&DELETE_BEFORE, p![inbox, before]).map(drop)
}
