//! What happens to messages that are here: reactions, edits, messages taken back; and notices about the inbox.

use frontdesk_model::Timestamp;
use frontdesk_model::inbound::{DeleteNews, EditNews, Notice, ReactionNews};
use frontdesk_model::message::{Direction, SenderType};
use frontdesk_store::events::EventKind;
use frontdesk_store::messages::MessageRow;
use frontdesk_store::reactions::{self, NewReaction};
use frontdesk_store::{StoreError, Tx, attachments, audit, conversations, inboxes, messages};

use super::apply::News;
use super::message::event;
use super::pending::{self, Pending, PendingReaction};

/// Applies a reaction; kept when the message is not here yet.
pub(crate) fn react(tx: &mut Tx<'_>, news: News, reaction: &ReactionNews) -> Result<(), StoreError> {
    let kept = PendingReaction {
        by_us: reaction.by_us,
        emoji: reaction.emoji.clone(),
        at_ms: reaction.at.as_millis(),
    };
    match messages::find_by_remote(tx, news.account, news.inbox, &reaction.target)? {
        Some(message) => react_to(tx, news, &message, &kept),
        None => pending::keep(tx, news, reaction.target.as_str(), &Pending::Reaction(kept)),
    }
}

pub(super) fn react_to(
    tx: &mut Tx<'_>,
    news: News,
    message: &MessageRow,
    reaction: &PendingReaction,
) -> Result<(), StoreError> {
    let (sender_key, sender_type) = if reaction.by_us {
        (reactions::OURS, SenderType::Admin)
    } else {
        (reactions::CUSTOMERS, SenderType::Customer)
    };
    let new = NewReaction {
        sender_key,
        sender_type,
        sender_name: None,
        emoji: reaction.emoji.as_deref().filter(|e| !e.is_empty()),
        at: Timestamp::from_millis(reaction.at_ms),
    };
    if reactions::react(tx, news.account, message.id, new)? {
        announce(tx, news, message);
    }
    Ok(())
}

/// Applies an edit; kept when the message is not here yet.
pub(crate) fn edit(tx: &mut Tx<'_>, news: News, edit: &EditNews) -> Result<(), StoreError> {
    match messages::find_by_remote(tx, news.account, news.inbox, &edit.target)? {
        Some(message) => edit_message(tx, news, &message, edit),
        None => pending::keep(tx, news, edit.target.as_str(), &Pending::Edit(edit.clone())),
    }
}

pub(super) fn edit_message(
    tx: &mut Tx<'_>,
    news: News,
    message: &MessageRow,
    edit: &EditNews,
) -> Result<(), StoreError> {
    let Some(text) = edit.text.as_deref() else { return Ok(()) };
    let newer = (edit.version, Some(edit.at), Some(text))
        > (message.edit_version, message.edited_at, message.content.as_deref());
    if message.deleted_at.is_some() || !newer {
        return Ok(());
    }
    messages::edit(tx, message, text, edit.version, edit.at, news.now)?;
    announce(tx, news, message);
    Ok(())
}

/// Applies a message taken back; kept when it is not here yet.
pub(crate) fn delete(tx: &mut Tx<'_>, news: News, delete: &DeleteNews) -> Result<(), StoreError> {
    match messages::find_by_remote(tx, news.account, news.inbox, &delete.target)? {
        Some(message) => delete_message(tx, news, &message, delete),
        None => pending::keep(tx, news, delete.target.as_str(), &Pending::Delete(delete.clone())),
    }
}

pub(super) fn delete_message(
    tx: &mut Tx<'_>,
    news: News,
    message: &MessageRow,
    delete: &DeleteNews,
) -> Result<(), StoreError> {
    if messages::take_back(tx, news.account, message.id, delete.at, news.now)? {
        // The bytes go with the next sweep of the media store, after this transaction is safe.
        attachments::discard_of_message(tx, news.account, message.id)?;
        announce(tx, news, message);
        if message.direction == Direction::Inbound {
            // There is nothing left to read.
            conversations::count_unread(tx, news.account, message.conversation_id, news.now)?;
            let of = Some(message.conversation_id);
            tx.emit(event(news, EventKind::ConversationUpdated, of, None, None));
        }
    }
    Ok(())
}

/// The provider says something about the inbox: for the audit, and perhaps a new state.
pub(crate) fn notice(tx: &mut Tx<'_>, news: News, notice: &Notice) -> Result<(), StoreError> {
    let details = serde_json::json!({ "kind": notice.kind, "message": notice.message }).to_string();
    audit::insert(
        tx,
        audit::NewAuditEntry {
            account_id: news.account,
            user_id: None,
            token_id: None,
            action: "inbox.notice",
            subject_type: "inbox",
            subject_id: Some(news.inbox.0),
            details: Some(&details),
        },
        news.now,
    )?;
    if notice.used_up {
        inboxes::set_used_up(tx, news.account, news.inbox, &notice.message, news.now)?;
    }
    match &notice.state {
        Some(state) if crate::inboxes::is_outdated(tx, news.account, news.inbox, state)? => Ok(()),
        Some(state) => crate::inboxes::store_state(tx, news.account, news.inbox, state, news.now).map(drop),
        None => Ok(()),
    }
}

fn announce(tx: &mut Tx<'_>, news: News, message: &MessageRow) {
    tx.emit(event(news, EventKind::MessageUpdated, Some(message.conversation_id), Some(message.id), None));
}
