//! What the inbox of a bridge had before the bridge: read in small parts, in an order that stays while people go on writing.

use frontdesk_model::message::Direction;
use frontdesk_model::{AccountId, BridgeId, ContactId, ConversationId, InboxId, MessageId, Timestamp};

use crate::db::statement::{both, each};
use crate::{StoreError, Tx};

statements! {
    HEAD = both("SELECT MAX(id) FROM messages");
    QUIET = both(
        "SELECT id, contact_id, last_message_at FROM conversations
         WHERE account_id = $1 AND inbox_id = $2 AND last_message_at >= $3 AND last_message_at <= $4
            AND (last_message_at > $5 OR (last_message_at = $5 AND id > $6))
         ORDER BY last_message_at, id LIMIT $7");
    MOVED = both(
        "SELECT id, contact_id, last_message_at FROM conversations
         WHERE account_id = $1 AND inbox_id = $2 AND last_message_at > $3 AND id > $4 ORDER BY id LIMIT $5");
    COUNT = both(
        "SELECT COUNT(*), COUNT(b.message_id) FROM messages m
         LEFT JOIN bridge_messages b ON b.account_id = $1 AND b.bridge_id = $3 AND b.message_id = m.id
         WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.sent_at >= $4 AND m.id <= $5 AND m.deleted_at IS NULL");
    NEXT = both(
        "SELECT m.id, m.sent_at, m.direction FROM messages m
         WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.id <= $3 AND m.deleted_at IS NULL
            AND (m.sent_at > $4 OR (m.sent_at = $4 AND m.id > $5))
            AND NOT EXISTS (SELECT 1 FROM bridge_messages b
                WHERE b.account_id = $1 AND b.bridge_id = $6 AND b.message_id = m.id)
         ORDER BY m.sent_at, m.id LIMIT $7");
    LINKED = each(
        "SELECT message_id FROM bridge_messages WHERE account_id = $1 AND bridge_id = $2 AND message_id = $3",
        "SELECT b.message_id FROM bridge_messages b
         JOIN UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[]) AS n (account_id, bridge_id, id)
         ON b.account_id = n.account_id AND b.bridge_id = n.bridge_id AND b.message_id = n.id");
}

/// The newest message of all.
pub fn head(tx: &mut Tx<'_>) -> Result<MessageId, StoreError> {
    let newest = tx.find::<(Option<MessageId>,)>(&HEAD, p![])?.and_then(|(id,)| id);
    Ok(newest.unwrap_or(MessageId(0)))
}

/// A conversation, with whom it is, and when something last happened in it.
pub type Thread = (ConversationId, ContactId, Timestamp);

/// The conversations of an inbox in which something last happened from `since` to `until`, those after a place, in the order
/// in which they fell quiet.
pub fn quiet(
    tx: &mut Tx<'_>,
    (account, inbox): (AccountId, InboxId),
    (since, until): (Timestamp, Timestamp),
    (after_at, after): (Timestamp, ConversationId),
    limit: i64,
) -> Result<Vec<Thread>, StoreError> {
    tx.query(&QUIET, p![account, inbox, since, until, after_at, after, limit])
}

/// The conversations of an inbox in which something happened after `until`, those after one of them.
pub fn moved(
    tx: &mut Tx<'_>,
    (account, inbox): (AccountId, InboxId),
    until: Timestamp,
    after: ConversationId,
    limit: i64,
) -> Result<Vec<Thread>, StoreError> {
    tx.query(&MOVED, p![account, inbox, until, after, limit])
}

/// How many messages a conversation has from `since` to the message `head`, and how many of them are linked already.
pub fn count(
    tx: &mut Tx<'_>,
    (account, bridge): (AccountId, BridgeId),
    conversation: ConversationId,
    since: Timestamp,
    head: MessageId,
) -> Result<(i64, i64), StoreError> {
    Ok(tx.find(&COUNT, p![account, conversation, bridge, since, head])?.unwrap_or_default())
}

/// The messages of a conversation up to `head` that are not linked, those after a place, the oldest first.
pub fn next(
    tx: &mut Tx<'_>,
    (account, bridge): (AccountId, BridgeId),
    conversation: ConversationId,
    head: MessageId,
    (after_at, after): (Timestamp, MessageId),
    limit: i64,
) -> Result<Vec<(MessageId, Timestamp, Direction)>, StoreError> {
    tx.query(&NEXT, p![account, conversation, head, after_at, after, bridge, limit])
}

/// Those of these messages that are linked.
pub fn linked(
    tx: &mut Tx<'_>,
    account: AccountId,
    bridge: BridgeId,
    messages: &[MessageId],
) -> Result<Vec<MessageId>, StoreError> {
    let rows = messages.iter().map(|id| row![account, bridge, id]).collect();
    Ok(tx.query_many::<(MessageId,)>(&LINKED, rows)?.into_iter().map(|(id,)| id).collect())
}
