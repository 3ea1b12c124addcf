//! The words of messages, made findable many messages at a time.
//!
//! A full-text index costs more than all the rest of storing a message, so it is not part of it: a worker lets it catch
//! up every moment, and a search does before it looks. SQLite keeps the number of the last message taken up; on
//! PostgreSQL, where numbers become visible out of order, triggers write down which messages wait.

use frontdesk_model::MessageId;

use crate::db::statement::{each, sqlite_only};
use crate::{StoreError, Tx};

statements! {
    COUNT_WAITING = each(
        "SELECT MIN($1, COALESCE((SELECT MAX(id) FROM messages), 0) - reached) FROM messages_fts_progress",
        "SELECT COUNT(*) FROM (SELECT 1 FROM messages_to_index LIMIT $1) AS waiting");
    // Messages without text count too: they are not looked at again and again.
    SLICE = sqlite_only(
        "SELECT p.reached, MAX(m.id) FROM messages_fts_progress p JOIN messages m
            ON m.id IN (SELECT id FROM messages WHERE id > p.reached ORDER BY id LIMIT $1) GROUP BY p.reached");
    EXTEND = sqlite_only(
        "INSERT INTO messages_fts (rowid, content)
         SELECT id, content FROM messages WHERE id > $1 AND id <= $2 AND content IS NOT NULL ORDER BY id");
    SET_REACHED = sqlite_only("UPDATE messages_fts_progress SET reached = $1");
    // Several nodes may be at it: each takes what no other has.
    TAKE = each(
        "SELECT 0",
        "WITH taken AS (
            DELETE FROM messages_to_index WHERE message_id = ANY (ARRAY(
                SELECT message_id FROM messages_to_index ORDER BY message_id LIMIT $1 FOR UPDATE SKIP LOCKED))
            RETURNING message_id),
         indexed AS (
            INSERT INTO message_words (message_id, account_id, conversation_id, words)
            SELECT m.id, m.account_id, m.conversation_id,
                to_tsvector('simple', CASE WHEN m.deleted_at IS NULL THEN frontdesk_fold(COALESCE(m.content, '')) ELSE '' END)
            FROM messages m JOIN taken ON m.id = taken.message_id
            ON CONFLICT (message_id) DO UPDATE SET conversation_id = excluded.conversation_id, words = excluded.words)
         SELECT COUNT(*) FROM taken");
}

/// How many messages cannot be found yet, up to `limit`; where some were deleted it may be fewer.
pub fn count_waiting(tx: &mut Tx<'_>, limit: i64) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&COUNT_WAITING, p![limit])?.map_or(0, |(count,)| count))
}

/// Takes up at most `limit` more messages; false when there were none.
pub fn extend(tx: &mut Tx<'_>, limit: i64) -> Result<bool, StoreError> {
    if tx.is_postgres() {
        tx.need_not_last()?; // what a crash takes away waits again
        return Ok(tx.find::<(i64,)>(&TAKE, p![limit])?.is_some_and(|(taken,)| taken > 0));
    }
    let slice = tx.find::<(MessageId, MessageId)>(&SLICE, p![limit])?;
    let Some((reached, until)) = slice else { return Ok(false) };
    tx.execute(&EXTEND, p![reached, until])?;
    tx.execute(&SET_REACHED, p![until])?;
    Ok(true)
}
