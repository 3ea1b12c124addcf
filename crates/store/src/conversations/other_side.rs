//! Conversations as other programs know them: what they say of one, and where an answer goes there.

use frontdesk_model::{AccountId, ConversationId, Timestamp};
use serde_json::{Map, Value};

use crate::db::statement::both;
use crate::{StoreError, Tx};

statements! {
    SET_METADATA = both("UPDATE conversations SET metadata = $3, updated_at = $4 WHERE account_id = $1 AND id = $2");
    SET_THREAD = both("UPDATE conversations SET thread = $3 WHERE account_id = $1 AND id = $2 AND thread <> $3");
    LEAVE_UNREAD = both(
        "UPDATE messages SET read_at = $3
         WHERE account_id = $1 AND conversation_id = $2 AND direction = 'inbound' AND read_at IS NULL
            AND id NOT IN (SELECT m.id FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2
                AND m.direction = 'inbound' AND m.sender_type = 'customer' AND m.deleted_at IS NULL
                ORDER BY m.sent_at DESC, m.id DESC LIMIT $4)");
}

/// Replaces what other programs say of a conversation.
pub fn set_metadata(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    metadata: &Map<String, Value>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = (!metadata.is_empty()).then(|| serde_json::to_string(metadata).unwrap_or_default());
    tx.execute(&SET_METADATA, p![account, id, text, now]).map(drop)
}

/// Says where an answer goes at the provider; false when it went there already.
pub fn set_thread(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    thread: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&SET_THREAD, p![account, id, thread])? > 0)
}

/// Marks what the customer wrote as read, except the newest `unread` messages. [`super::count_unread`] follows.
pub fn leave_unread(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ConversationId,
    unread: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&LEAVE_UNREAD, p![account, id, now, unread]).map(drop)
}
