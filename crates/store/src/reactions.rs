//! Reactions to messages: one per side, the newest wins.

use std::collections::HashMap;

use frontdesk_model::message::{MessageStatus, SenderType};
use frontdesk_model::{AccountId, MessageId, Timestamp};

use crate::db::statement::{both, each};
use crate::{Columns, FromRow, StoreError, Tx, outbox, reaction_sends};

/// The key of our side, whoever of us reacted.
pub const OURS: &str = "us";
/// The key of the customer's side.
pub const CUSTOMERS: &str = "customer";

macro_rules! shown {
    () => {
        "r.message_id, r.emoji, r.sender_type, r.sender_name, s.status"
    };
}

macro_rules! with_status {
    () => {
        "LEFT JOIN reaction_sends s ON s.account_id = r.account_id AND s.message_id = r.message_id
            AND s.reacted_at = r.reacted_at AND s.emoji = r.emoji AND r.sender_key = 'us'"
    };
}

statements! {
    UPSERT = both(
        "INSERT INTO reactions (account_id, message_id, sender_key, sender_type, sender_name, emoji, reacted_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (account_id, message_id, sender_key) DO UPDATE SET
            emoji = excluded.emoji, sender_name = excluded.sender_name, reacted_at = excluded.reacted_at
         WHERE excluded.reacted_at > reactions.reacted_at
            OR (excluded.reacted_at = reactions.reacted_at
                AND COALESCE(excluded.emoji, '') > COALESCE(reactions.emoji, ''))");
    LIST_MANY = each(
        concat!("SELECT ", shown!(), " FROM reactions r ", with_status!(),
            " WHERE r.account_id = $1 AND r.message_id = $2 AND r.emoji IS NOT NULL ORDER BY r.reacted_at, r.sender_key"),
        concat!("SELECT ", shown!(), " FROM reactions r JOIN UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, id)
            ON r.account_id = n.account_id AND r.message_id = n.id ", with_status!(),
            " WHERE r.emoji IS NOT NULL ORDER BY r.reacted_at, r.sender_key"));
    OURS_OF = both(
        "SELECT emoji, sender_name, reacted_at FROM reactions
         WHERE account_id = $1 AND message_id = $2 AND sender_key = 'us'");
    REWRITE = both(
        "UPDATE reactions SET emoji = $4, sender_name = $5
         WHERE account_id = $1 AND message_id = $2 AND sender_key = 'us' AND reacted_at = $3");
    MOVE = both("UPDATE reactions SET message_id = $3 WHERE account_id = $1 AND message_id = $2");
}

/// Who reacted and when.
#[derive(Debug, Clone, Copy)]
pub struct NewReaction<'a> {
    /// One reaction per key: [`CUSTOMERS`], or [`OURS`].
    pub sender_key: &'a str,
    /// Which side.
    pub sender_type: SenderType,
    /// The name shown.
    pub sender_name: Option<&'a str>,
    /// The emoji; `None` takes it back.
    pub emoji: Option<&'a str>,
    /// When; the newest wins.
    pub at: Timestamp,
}

/// Notes a reaction; true when it changed anything.
pub fn react(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: MessageId,
    reaction: NewReaction<'_>,
) -> Result<bool, StoreError> {
    let NewReaction { sender_key, sender_type, sender_name, emoji, at } = reaction;
    Ok(tx.execute(&UPSERT, p![account, message, sender_key, sender_type, sender_name, emoji, at])? > 0)
}

/// A reaction as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionRow {
    /// What it is a reaction to.
    pub message_id: MessageId,
    /// The emoji.
    pub emoji: String,
    /// Which side.
    pub sender_type: SenderType,
    /// The name shown.
    pub sender_name: Option<String>,
    /// How far one sent from here has come.
    pub status: Option<MessageStatus>,
}

impl FromRow for ReactionRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            message_id: row.next()?,
            emoji: row.next()?,
            sender_type: row.next()?,
            sender_name: row.next()?,
            status: row.next()?,
        })
    }
}

/// The reactions to messages; those to one in the order in which they were made.
pub fn list_many(
    tx: &mut Tx<'_>,
    account: AccountId,
    messages: impl IntoIterator<Item = MessageId>,
) -> Result<HashMap<MessageId, Vec<ReactionRow>>, StoreError> {
    let rows = messages.into_iter().map(|id| row![account, id]).collect();
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for reaction in tx.query_many::<ReactionRow>(&LIST_MANY, rows)? {
        found.entry(reaction.message_id).or_default().push(reaction);
    }
    Ok(found)
}

/// Our side's reaction as it stands: emoji (`None` when it was taken back), name, time.
pub type OurReaction = (Option<String>, Option<String>, Timestamp);

/// Our side's reaction to a message; `None` when there never was one.
pub fn find_ours(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: MessageId,
) -> Result<Option<OurReaction>, StoreError> {
    tx.find(&OURS_OF, p![account, message])
}

/// Writes our reaction of the moment `at` anew; does nothing when a newer one stands there.
pub fn rewrite_ours(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: MessageId,
    at: Timestamp,
    emoji: Option<&str>,
    name: Option<&str>,
) -> Result<(), StoreError> {
    tx.execute(&REWRITE, p![account, message, at, emoji, name])?;
    Ok(())
}

/// Moves all reactions from one message to another, those on their way too.
pub(crate) fn move_all(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: MessageId,
    to: MessageId,
) -> Result<(), StoreError> {
    tx.execute(&MOVE, p![account, from, to])?;
    reaction_sends::move_to_message(tx, account, from, to)?;
    outbox::move_reactions(tx, account, from, to)
}
