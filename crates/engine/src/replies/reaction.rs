//! An agent reacts to a message, or takes the reaction back: shown at once, sent through the outbox.

use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::message::SenderType;
use frontdesk_model::{ConversationId, MessageId, Timestamp};
use frontdesk_store::conversations::{self, ConversationRow};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::messages::{self, MessageRow};
use frontdesk_store::outbox::{self, NewWork, OutboxKind};
use frontdesk_store::reaction_sends::{self, NewReactionSend};
use frontdesk_store::{StoreError, Tx, reactions};

use super::check::{Check, check_client_key};
use super::{Author, ReplyError, check_window, new_client_ref};
use crate::origin::Origin;
use crate::{Engine, inboxes};

/// What an agent says without words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReaction {
    /// The message reacted to.
    pub message: MessageId,
    /// The emoji; `None` takes the reaction back.
    pub emoji: Option<String>,
    /// Made by the client: the same key is the same reaction.
    pub client_key: Option<String>,
}

/// Shows a reaction and queues it for sending. False when the same client key had done so before.
pub async fn react(
    engine: &Engine,
    author: Author,
    conversation: ConversationId,
    reaction: NewReaction,
) -> Result<bool, ReplyError> {
    let book = inboxes::book(engine).await?;
    let (now, origin) = (engine.clock.now(), Origin::current());
    engine
        .store
        .write(move |tx| {
            let account = author.actor.account_id;
            let row = conversations::find_locked(tx, account, conversation)?.ok_or(ReplyError::NotFound)?;
            if is_known(tx, &row, &reaction)? {
                return Ok(false);
            }
            if row.status == ConversationStatus::Closed {
                return Err(ReplyError::Closed(row.id));
            }
            let inbox = book.find(row.inbox_id).ok_or(ReplyError::InboxGone)?;
            let can = inbox.channel.capabilities();
            check(can, inbox.channel.info().label, &reaction)?;
            let message = find_target(tx, &row, reaction.message)?;
            check_window(&row, can, false, now)?;
            store(tx, &author, &row, &message, &reaction, &origin, now)?;
            Ok(true)
        })
        .await
}

/// True when an earlier request with the same key asked for the same.
fn is_known(tx: &mut Tx<'_>, row: &ConversationRow, reaction: &NewReaction) -> Result<bool, ReplyError> {
    let Some(key) = reaction.client_key.as_deref() else { return Ok(false) };
    if let Some(message) = messages::find_by_client_key(tx, row.account_id, row.id, key)? {
        return Err(ReplyError::KeyConflict(message.id));
    }
    match reaction_sends::find_by_client_key(tx, row.account_id, row.id, key)? {
        None => Ok(false),
        Some(send) if (send.message_id, &send.emoji) == (reaction.message, &reaction.emoji) => Ok(true),
        Some(send) => Err(ReplyError::KeyConflict(send.message_id)),
    }
}

fn check(can: &Capabilities, label: &str, reaction: &NewReaction) -> Result<(), ReplyError> {
    let mut wrong = Check::default();
    check_client_key(&mut wrong, reaction.client_key.as_deref());
    if !can.reactions {
        wrong.add("type", format!("{label} cannot carry reactions."));
    }
    match reaction.emoji.as_deref() {
        Some(emoji) if emojis::get(emoji).is_none() => {
            wrong.add("reaction.emoji", "The reaction.emoji field must be one emoji, or empty.".to_owned());
        }
        Some(emoji) if can.reactions && !can.takes_reaction(emoji) => {
            let known = can.reaction_emojis.join(" ");
            wrong.add("reaction.emoji", format!("{label} takes no reaction but {known}."));
        }
        _ => {}
    }
    wrong.done()
}

fn find_target(tx: &mut Tx<'_>, row: &ConversationRow, message: MessageId) -> Result<MessageRow, ReplyError> {
    let found = messages::find(tx, row.account_id, message)?.filter(|m| m.conversation_id == row.id);
    let found = found.filter(|m| m.deleted_at.is_none()).ok_or(ReplyError::NotFound)?;
    if found.remote_id.is_none() { Err(ReplyError::NotSentYet) } else { Ok(found) }
}

fn store(
    tx: &mut Tx<'_>,
    author: &Author,
    row: &ConversationRow,
    message: &MessageRow,
    reaction: &NewReaction,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), StoreError> {
    let account = row.account_id;
    let before = reactions::find_ours(tx, account, message.id)?;
    let (before_emoji, before_name, before_at) = before.unwrap_or_default();
    let name = reaction.emoji.as_ref().map(|_| author.name.as_str());
    let new = NewReactionSend {
        account_id: account,
        inbox_id: row.inbox_id,
        conversation_id: row.id,
        message_id: message.id,
        emoji: reaction.emoji.as_deref(),
        // Later than what stood before, whatever the clocks say: this is what our side wants now.
        reacted_at: now.max(before_at.plus_ms(1)),
        before_emoji: before_emoji.as_deref(),
        before_name: before_name.as_deref(),
        before_at,
        sender_id: author.actor.user_id,
        sender_name: name,
        client_key: reaction.client_key.as_deref(),
        client_ref: &new_client_ref(),
    };
    let send = reaction_sends::insert(tx, &new, now)?;
    let shown = reactions::NewReaction {
        sender_key: reactions::OURS,
        sender_type: SenderType::Admin,
        sender_name: name,
        emoji: new.emoji,
        at: new.reacted_at,
    };
    reactions::react(tx, account, message.id, shown)?;
    outbox::forget_unknown_reactions(tx, account, message.id)?;
    let work = NewWork {
        account_id: account,
        inbox_id: row.inbox_id,
        conversation_id: row.id,
        message_id: Some(message.id),
        kind: OutboxKind::Reaction,
        data: Some(&send.to_string()),
        request_id: origin.request_id.as_deref(),
        trace_parent: origin.trace_parent.as_deref(),
    };
    outbox::insert(tx, work, now)?;
    tx.emit(NewEvent {
        account_id: account,
        kind: EventKind::MessageUpdated,
        conversation_id: Some(row.id),
        message_id: Some(message.id),
        data: None,
    });
    Ok(())
}
