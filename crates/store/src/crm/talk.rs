//! What was said lately in a conversation: how much a donor talks with us.

use frontdesk_model::{AccountId, ConversationId, Timestamp};

use crate::db::statement::both;
use crate::{StoreError, Tx};

statements! {
    // A day counts once, however much was written: days that begin $4 milliseconds before those of UTC.
    DAYS = both(
        "SELECT DISTINCT (m.sent_at + $4) / 86400000 FROM messages m
         WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.sent_at >= $3 AND m.direction = 'inbound'
           AND m.sender_type = 'customer'");
    ASKED = both(
        "SELECT m.sent_at FROM messages m
         WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.sent_at >= $3 AND m.direction = 'outbound'
           AND m.sender_type = 'admin' ORDER BY m.sent_at DESC, m.id DESC LIMIT $4");
    ANSWERED = both(
        "SELECT m.sent_at FROM messages m
         WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.sent_at > $3 AND m.sent_at <= $4
           AND m.direction = 'inbound' AND m.sender_type = 'customer' ORDER BY m.sent_at LIMIT 1");
}

/// The days since `since` on which the customer wrote, each once, as numbers; days begin `offset_ms` before those of UTC.
pub fn inbound_days(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    since: Timestamp,
    offset_ms: i64,
) -> Result<Vec<i64>, StoreError> {
    let found = tx.query::<(i64,)>(&DAYS, p![account, conversation, since, offset_ms])?;
    Ok(found.into_iter().map(|(day,)| day).collect())
}

/// When people of ours wrote since `since`, the last time first.
pub fn asked(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Timestamp>, StoreError> {
    let found = tx.query::<(Timestamp,)>(&ASKED, p![account, conversation, since, limit])?;
    Ok(found.into_iter().map(|(at,)| at).collect())
}

/// True when the customer wrote after `from` and not after `until`.
pub fn was_answered(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    from: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.find::<(Timestamp,)>(&ANSWERED, p![account, conversation, from, until])?.is_some())
}
