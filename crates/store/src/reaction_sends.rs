//! Reactions of ours on their way to the customer: each is sent once, and taken back when it fails for good.
//!
//! What is shown stands in [`crate::reactions`]; a row here says how far it has come and what stood there before.

use frontdesk_model::message::MessageStatus;
use frontdesk_model::{
    AccountId, ConversationId, InboxId, MessageId, ReactionSendId, RemoteId, Timestamp, UserId,
};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "id, account_id, inbox_id, conversation_id, message_id, emoji, reacted_at, before_emoji, before_name, before_at,
         sender_id, sender_name, client_ref, remote_id, status"
    };
}

statements! {
    INSERT = inserting!(
        "INSERT INTO reaction_sends (account_id, inbox_id, conversation_id, message_id, emoji, reacted_at, before_emoji,
            before_name, before_at, sender_id, sender_name, client_key, client_ref, status, status_rank, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)");
    GET = both(concat!("SELECT ", columns!(), " FROM reaction_sends WHERE account_id = $1 AND id = $2"));
    BY_CLIENT_KEY = both(concat!("SELECT ", columns!(),
        " FROM reaction_sends WHERE account_id = $1 AND conversation_id = $2 AND client_key = $3"));
    BY_CLIENT_REF = both(concat!("SELECT ", columns!(),
        " FROM reaction_sends WHERE account_id = $1 AND client_ref = $2"));
    BY_REMOTE = both(concat!("SELECT ", columns!(),
        " FROM reaction_sends WHERE account_id = $1 AND inbox_id = $2 AND remote_id = $3"));
    SET_STATUS = both(
        "UPDATE reaction_sends SET status = $3, status_rank = $4, updated_at = $5
         WHERE account_id = $1 AND id = $2 AND status_rank < $4");
    SET_REMOTE = both(
        "UPDATE reaction_sends SET remote_id = $3 WHERE account_id = $1 AND id = $2 AND remote_id IS NULL");
    SET_BEFORE = both(
        "UPDATE reaction_sends SET before_emoji = $4, before_name = $5
         WHERE account_id = $1 AND message_id = $2 AND before_at = $3");
    MOVE_TO_MESSAGE = both("UPDATE reaction_sends SET message_id = $3 WHERE account_id = $1 AND message_id = $2");
    MOVE_TO_CONVERSATION = both(
        "UPDATE reaction_sends SET conversation_id = $3,
            client_key = CASE WHEN client_key IN (SELECT k.client_key FROM reaction_sends k WHERE k.account_id = $1
                AND k.conversation_id = $3 AND k.client_key IS NOT NULL) THEN NULL ELSE client_key END
         WHERE account_id = $1 AND conversation_id = $2");
}

/// A reaction on its way, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct ReactionSendRow {
    pub id: ReactionSendId,
    pub account_id: AccountId,
    pub inbox_id: InboxId,
    pub conversation_id: ConversationId,
    /// The message reacted to.
    pub message_id: MessageId,
    /// `None` takes the reaction back.
    pub emoji: Option<String>,
    /// The moment by which the row in [`crate::reactions`] is known; no two reactions to a message share one.
    pub reacted_at: Timestamp,
    /// What stands again when this one fails.
    pub before_emoji: Option<String>,
    pub before_name: Option<String>,
    /// The moment of what stood before; 0 when nothing did.
    pub before_at: Timestamp,
    pub sender_id: Option<UserId>,
    pub sender_name: Option<String>,
    /// The key we gave the provider, so that a lost answer can be correlated.
    pub client_ref: String,
    pub remote_id: Option<RemoteId>,
    pub status: MessageStatus,
}

impl FromRow for ReactionSendRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            inbox_id: row.next()?,
            conversation_id: row.next()?,
            message_id: row.next()?,
            emoji: row.next()?,
            reacted_at: row.next()?,
            before_emoji: row.next()?,
            before_name: row.next()?,
            before_at: row.next()?,
            sender_id: row.next()?,
            sender_name: row.next()?,
            client_ref: row.next()?,
            remote_id: row.next()?,
            status: row.next()?,
        })
    }
}

/// A reaction to send.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in ReactionSendRow")]
pub struct NewReactionSend<'a> {
    pub account_id: AccountId,
    pub inbox_id: InboxId,
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub emoji: Option<&'a str>,
    pub reacted_at: Timestamp,
    pub before_emoji: Option<&'a str>,
    pub before_name: Option<&'a str>,
    pub before_at: Timestamp,
    pub sender_id: Option<UserId>,
    pub sender_name: Option<&'a str>,
    /// The key the client made, so that a repeated request is the same reaction.
    pub client_key: Option<&'a str>,
    pub client_ref: &'a str,
}

/// Stores a reaction that is to be sent.
pub fn insert(
    tx: &mut Tx<'_>,
    new: &NewReactionSend<'_>,
    now: Timestamp,
) -> Result<ReactionSendId, StoreError> {
    let status = MessageStatus::Queued;
    let inserted = tx.insert(
        &INSERT,
        p![
            new.account_id,
            new.inbox_id,
            new.conversation_id,
            new.message_id,
            new.emoji,
            new.reacted_at,
            new.before_emoji,
            new.before_name,
            new.before_at,
            new.sender_id,
            new.sender_name,
            new.client_key,
            new.client_ref,
            status,
            status.rank(),
            now
        ],
    )?;
    inserted.ok_or_else(|| StoreError::Unavailable("a reaction could not be inserted".to_owned()))
}

/// A reaction by id.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ReactionSendId,
) -> Result<Option<ReactionSendRow>, StoreError> {
    tx.find(&GET, p![account, id])
}

/// A reaction by the key its client made.
pub fn find_by_client_key(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    client_key: &str,
) -> Result<Option<ReactionSendRow>, StoreError> {
    tx.find(&BY_CLIENT_KEY, p![account, conversation, client_key])
}

/// The reaction a provider talks of, by its own id or by the reference we gave it.
pub fn find_told_of(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    remote_id: &RemoteId,
    client_ref: Option<&str>,
) -> Result<Option<ReactionSendRow>, StoreError> {
    if let Some(found) = tx.find(&BY_REMOTE, p![account, inbox, remote_id])? {
        return Ok(Some(found));
    }
    let Some(client_ref) = client_ref else { return Ok(None) };
    let found = tx.find::<ReactionSendRow>(&BY_CLIENT_REF, p![account, client_ref])?;
    Ok(found.filter(|send| send.inbox_id == inbox))
}

/// Raises the status when the news ranks higher; true when it rose.
pub fn raise_status(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ReactionSendId,
    status: MessageStatus,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&SET_STATUS, p![account, id, status, status.rank(), now])? > 0)
}

/// Notes the provider's id.
pub fn set_remote_id(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ReactionSendId,
    remote_id: &RemoteId,
) -> Result<(), StoreError> {
    tx.execute(&SET_REMOTE, p![account, id, remote_id])?;
    Ok(())
}

/// Tells the reaction that followed the one of the moment `at` what stands again should it fail.
pub fn set_before(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: MessageId,
    at: Timestamp,
    emoji: Option<&str>,
    name: Option<&str>,
) -> Result<(), StoreError> {
    tx.execute(&SET_BEFORE, p![account, message, at, emoji, name])?;
    Ok(())
}

pub(crate) fn move_to_message(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: MessageId,
    to: MessageId,
) -> Result<(), StoreError> {
    tx.execute(&MOVE_TO_MESSAGE, p![account, from, to])?;
    Ok(())
}

pub(crate) fn move_to_conversation(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: ConversationId,
    to: ConversationId,
) -> Result<(), StoreError> {
    tx.execute(&MOVE_TO_CONVERSATION, p![account, from, to])?;
    Ok(())
}
