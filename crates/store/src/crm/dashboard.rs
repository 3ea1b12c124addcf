//! How much waits in the chats: for the dashboard.

use frontdesk_model::{AccountId, InboxId, Timestamp, UserId};

use crate::db::statement::both;
use crate::{StoreError, Tx};

statements! {
    UNREAD = both(
        "SELECT v.inbox_id, COUNT(*), MIN(CASE WHEN v.status = 'active' THEN v.last_inbound_at END)
         FROM conversations v WHERE v.account_id = $1 AND v.unread_count > 0 AND ($2 = 0 OR v.assignee_id = $2)
         GROUP BY v.inbox_id");
    LAST = both(
        "SELECT v.last_message_at FROM conversations v
         WHERE v.account_id = $1 AND v.inbox_id = $2 AND v.last_message_id IS NOT NULL
         ORDER BY v.last_message_at DESC, v.id DESC LIMIT 1");
    // When a customer first wrote, and when one of us answered for the first time after that.
    FIRST_ANSWERS = both(
        "SELECT b.first_at, (SELECT MIN(o.sent_at) FROM messages o
            WHERE o.account_id = $1 AND o.conversation_id = b.id AND o.sent_at >= b.first_at
              AND o.direction = 'outbound' AND o.sender_type = 'admin')
         FROM (SELECT v.id, (SELECT MIN(m.sent_at) FROM messages m
                WHERE m.account_id = $1 AND m.conversation_id = v.id AND m.direction = 'inbound'
                  AND m.sender_type = 'customer') AS first_at
            FROM conversations v
            WHERE v.account_id = $1 AND v.last_message_at >= $2 AND v.created_at >= $2
              AND ($3 = 0 OR v.assignee_id = $3)
            ORDER BY v.last_message_at DESC, v.id DESC LIMIT $4) AS b
         WHERE b.first_at IS NOT NULL");
}

/// What waits in an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// Which.
    pub inbox: InboxId,
    /// Conversations with messages that nobody has read.
    pub chats: i64,
    /// When the customer who waits longest wrote last.
    pub since: Option<Timestamp>,
}

/// What waits in each inbox; those where nothing does are left out. `assignee`: with somebody alone.
pub fn unread(
    tx: &mut Tx<'_>,
    account: AccountId,
    assignee: Option<UserId>,
) -> Result<Vec<Unread>, StoreError> {
    let assignee = assignee.unwrap_or(UserId(0));
    let found = tx.query::<(InboxId, i64, Option<Timestamp>)>(&UNREAD, p![account, assignee])?;
    Ok(found.into_iter().map(|(inbox, chats, since)| Unread { inbox, chats, since }).collect())
}

/// When something was last said in an inbox.
pub fn last_activity(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.find::<(Timestamp,)>(&LAST, p![account, inbox])?.map(|(at,)| at))
}

/// Of the newest conversations begun since `since`: when the customer first wrote, and when we first answered.
pub fn first_answers(
    tx: &mut Tx<'_>,
    account: AccountId,
    assignee: Option<UserId>,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<(Timestamp, Option<Timestamp>)>, StoreError> {
    tx.query(&FIRST_ANSWERS, p![account, since, assignee.unwrap_or(UserId(0)), limit])
}
