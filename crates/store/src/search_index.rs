//! The words of messages, made findable many messages at a time. For SQLite only.
//!
//! SQLite's full-text index costs a lot per transaction and little per message, so it is not part of storing a message:
//! a worker lets it catch up every moment, and a search does before it looks. PostgreSQL's index follows by itself.

use frontdesk_model::MessageId;

use crate::db::statement::sqlite_only;
use crate::{StoreError, Tx};

statements! {
    IS_BEHIND = sqlite_only(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE id > (SELECT reached FROM messages_fts_progress))");
    // Messages without text count too: they are not looked at again and again.
    SLICE = sqlite_only(
        "SELECT p.reached, MAX(m.id) FROM messages_fts_progress p JOIN messages m
            ON m.id IN (SELECT id FROM messages WHERE id > p.reached ORDER BY id LIMIT $1) GROUP BY p.reached");
    EXTEND = sqlite_only(
        "INSERT INTO messages_fts (rowid, content)
         SELECT id, content FROM messages WHERE id > $1 AND id <= $2 AND content IS NOT NULL ORDER BY id");
    SET_REACHED = sqlite_only("UPDATE messages_fts_progress SET reached = $1");
}

/// True when there are messages that cannot be found yet.
pub fn is_behind(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(tx.find::<(bool,)>(&IS_BEHIND, p![])?.is_some_and(|(behind,)| behind))
}

/// Takes up at most `limit` more messages; false when there were none.
pub fn extend(tx: &mut Tx<'_>, limit: i64) -> Result<bool, StoreError> {
    let slice = tx.find::<(MessageId, MessageId)>(&SLICE, p![limit])?;
    let Some((reached, until)) = slice else { return Ok(false) };
    tx.execute(&EXTEND, p![reached, until])?;
    tx.execute(&SET_REACHED, p![until])?;
    Ok(true)
}
