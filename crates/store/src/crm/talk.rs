//! What was said lately in a conversation: how much a donor talks with us.

use frontdesk_model::{AccountId, ConversationId, Timestamp};

use crate::db::statement::both;
use crate::{StoreError, Tx};

/// The day of the first message that a customer wrote at a moment or later.
macro_rules! first_day {
    ($from:literal) => {
        concat!(
            "SELECT (m.sent_at + $4) / 86400000 FROM messages m
             WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.sent_at >= ",
            $from,
            " AND m.direction = 'inbound' AND m.sender_type = 'customer' ORDER BY m.sent_at LIMIT 1"
        )
    };
}

statements! {
    // A day counts once, however much was written: days that begin $4 milliseconds before those of UTC. From the first
    // message of a day straight to the first of a later one: what comes between is not read.
    DAYS = both(concat!(
        "WITH RECURSIVE days (day) AS (
            SELECT * FROM (", first_day!("$3"), ") AS first
            UNION ALL
            SELECT (", first_day!("(days.day + 1) * 86400000 - $4"), ") FROM days WHERE days.day IS NOT NULL)
         SELECT day FROM days WHERE day IS NOT NULL"));
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
