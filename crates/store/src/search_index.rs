//! The words of messages, made findable many messages at a time.
//!
//! SQLite's full-text index costs a lot per transaction and little per message, so it is not part of storing a message:
//! a worker lets it catch up every moment, and a search does before it looks. PostgreSQL's index follows by itself.

use frontdesk_model::MessageId;

use crate::db::statement::sqlite_only;
use crate::{StoreError, Tx};

statements! {
    REACHED = sqlite_only("SELECT COALESCE(MAX(id), 0) FROM messages_fts_docsize");
    // Messages without text count too: they are not looked at again and again.
    SLICE = sqlite_only("SELECT COALESCE(MAX(id), 0) FROM (SELECT id FROM messages WHERE id > $1 ORDER BY id LIMIT $2)");
    EXTEND = sqlite_only(
        "INSERT INTO messages_fts (rowid, content)
         SELECT id, content FROM messages WHERE id > $1 AND id <= $2 AND content IS NOT NULL ORDER BY id");
}

/// Up to which message the index certainly holds everything. For SQLite only.
pub fn reached(tx: &mut Tx<'_>) -> Result<MessageId, StoreError> {
    Ok(tx.find::<(MessageId,)>(&REACHED, p![])?.map_or(MessageId(0), |(id,)| id))
}

/// Takes up at most `limit` messages after `reached`; returns how far the index reaches then, `None` when there were
/// none. For SQLite only.
pub fn extend(tx: &mut Tx<'_>, reached: MessageId, limit: i64) -> Result<Option<MessageId>, StoreError> {
    // Another process may have been faster.
    let from = self::reached(tx)?.max(reached);
    let slice = tx.find::<(MessageId,)>(&SLICE, p![from, limit])?;
    let Some((until,)) = slice.filter(|(until,)| *until > from) else { return Ok(None) };
    tx.execute(&EXTEND, p![from, until])?;
    Ok(Some(until))
}
