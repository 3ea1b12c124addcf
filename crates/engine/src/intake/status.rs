//! How far our messages have come: the state is the maximum of all news, in whatever order it arrives.

use std::collections::{BTreeSet, HashMap};

use frontdesk_model::contact::Identity;
use frontdesk_model::inbound::{StatusNews, Watermark};
use frontdesk_model::message::{Direction, MessageStatus};
use frontdesk_model::{AccountId, ConversationId, InboxId, MessageId, RemoteId, Timestamp};
use frontdesk_store::events::EventKind;
use frontdesk_store::message_status::{self, Step};
use frontdesk_store::messages::MessageRow;
use frontdesk_store::{StoreError, Tx, contacts, conversations, messages, outbox, reaction_sends};

use super::apply::News;
use super::message::{event, plausible};
use super::pending::{self, Pending};
use super::{Arrived, settle_pending};
use crate::outbox::reaction;

/// Applies news about messages of ours; what is told of a message that is not here yet is kept.
pub(crate) fn apply_all(tx: &mut Tx<'_>, told: &[(News, &StatusNews)]) -> Result<(), StoreError> {
    let mut messages = find_messages(tx, told)?;
    let recipients = told.iter().flat_map(|(n, s)| s.recipient.iter().map(|name| (n.account, name)));
    let owners = contacts::find_many_by_identity(tx, recipients)?;
    // Of a message that is here, with names that are known as the customer's.
    let (plain, others): (Vec<_>, Vec<_>) = told.iter().copied().partition(|(news, status)| {
        let owner = |name: &Identity| owners.get(&(news.account, name.kind, name.value.clone()));
        let message = messages.get(&key_of(*news, status));
        message.is_some_and(|m| status.recipient.iter().all(|name| owner(name) == Some(&m.contact_id)))
    });
    for (news, status) in &others {
        apply(tx, *news, status)?;
    }
    if !others.is_empty() {
        messages = find_messages(tx, &plain)?; // two customers may have turned out to be one
    }
    let plain: Vec<_> = plain
        .iter()
        .filter_map(|(news, status)| Some((*news, messages.get(&key_of(*news, status))?, *status)))
        .collect();
    raise_all(tx, &plain)
}

/// What a provider calls a message.
type MessageKey = (AccountId, InboxId, RemoteId);

fn key_of(news: News, status: &StatusNews) -> MessageKey {
    (news.account, news.inbox, status.remote_id.clone())
}

fn find_messages(
    tx: &mut Tx<'_>,
    told: &[(News, &StatusNews)],
) -> Result<HashMap<MessageKey, MessageRow>, StoreError> {
    let keys: BTreeSet<_> = told.iter().map(|(news, status)| key_of(*news, status)).collect();
    let found = messages::find_many_by_remote(tx, keys)?.into_iter();
    Ok(found.filter_map(|m| Some(((m.account_id, m.inbox_id, m.remote_id.clone()?), m))).collect())
}

/// Applies news about one message, whatever is known of it.
fn apply(tx: &mut Tx<'_>, news: News, status: &StatusNews) -> Result<(), StoreError> {
    let account = news.account;
    let by_remote = messages::find_by_remote(tx, account, news.inbox, &status.remote_id)?;
    let found = match (by_remote, &status.client_ref) {
        (Some(message), _) => Some(message),
        (None, Some(client_ref)) => {
            let ours =
                messages::find_by_client_ref(tx, account, client_ref)?.filter(|m| m.inbox_id == news.inbox);
            if let Some(ours) = &ours {
                adopt(tx, news, ours, &status.remote_id)?;
            }
            ours
        }
        (None, None) => None,
    };
    if let Some(message) = found {
        return apply_to(tx, news, message, status);
    }
    let client_ref = status.client_ref.as_deref();
    match reaction_sends::find_told_of(tx, account, news.inbox, &status.remote_id, client_ref)? {
        Some(send) => reaction::hear(tx, &send, status, news.now),
        None => pending::keep(tx, news, status.remote_id.as_str(), &Pending::Status(status.clone())),
    }
}

/// Applies news to the message they are about.
pub(crate) fn apply_to(
    tx: &mut Tx<'_>,
    news: News,
    message: MessageRow,
    status: &StatusNews,
) -> Result<(), StoreError> {
    let merged = contacts::add_names(tx, news.account, message.contact_id, &status.recipient, news.now)?;
    if !merged {
        return raise(tx, news, &message, status);
    }
    // It may stand in another conversation now.
    match messages::find(tx, news.account, message.id)? {
        Some(message) => raise(tx, news, &message, status),
        None => Ok(()),
    }
}

/// Raises one message by one piece of news.
fn raise(tx: &mut Tx<'_>, news: News, message: &MessageRow, status: &StatusNews) -> Result<(), StoreError> {
    raise_all(tx, &[(news, message, status)])
}

/// Raises messages by what is told of each, as if one after the other.
fn raise_all(tx: &mut Tx<'_>, told: &[(News, &MessageRow, &StatusNews)]) -> Result<(), StoreError> {
    let ours: Vec<_> =
        told.iter().filter(|(_, message, _)| message.direction == Direction::Outbound).collect();
    let Some((news, ..)) = ours.first() else { return Ok(()) };
    let steps: Vec<_> = ours
        .iter()
        .map(|(news, message, status)| Step {
            account: news.account,
            message: message.id,
            status: status.status,
            error: status.error.as_ref(),
            at: plausible(status.at, news.now),
        })
        .collect();
    let rose = message_status::raise_many(tx, &steps, news.now)?;
    let risen: Vec<_> = ours.iter().zip(rose).filter(|(_, rose)| *rose).map(|(told, _)| told).collect();
    outbox::remove_settled(tx, risen.iter().map(|(news, message, _)| (news.account, message.id)))?;
    for (news, message, _) in risen {
        announce(tx, *news, message.conversation_id, message.id);
    }
    Ok(())
}

/// A message of ours turned out to have this id at the provider: it was sent, and nothing is left to do.
pub(crate) fn adopt(
    tx: &mut Tx<'_>,
    news: News,
    ours: &MessageRow,
    remote_id: &RemoteId,
) -> Result<(), StoreError> {
    outbox::remove_settled(tx, [(news.account, ours.id)])?;
    note_sent(tx, news, ours, remote_id)
}

/// The provider took a message of ours, whose work is not in the queue any more.
pub(crate) fn note_sent(
    tx: &mut Tx<'_>,
    news: News,
    ours: &MessageRow,
    remote_id: &RemoteId,
) -> Result<(), StoreError> {
    let account = news.account;
    if ours.remote_id.is_none() {
        // The echo may have come first and stand as a row of its own.
        if let Some(echo) = messages::find_by_remote(tx, account, ours.inbox_id, remote_id)?
            && echo.id != ours.id
        {
            messages::replace_echo(tx, account, echo.id, ours.id)?;
            conversations::refresh_last_message(tx, account, ours.conversation_id)?;
            tx.emit(event(news, EventKind::MessageRemoved, Some(ours.conversation_id), Some(echo.id), None));
        }
    }
    if message_status::note_sent(tx, account, ours.id, remote_id, news.now)? {
        announce(tx, news, ours.conversation_id, ours.id);
    }
    apply_reached_watermarks(tx, news, ours.conversation_id, ours.id, ours.sent_at)?;
    settle_pending(tx, &[Arrived { news, remote_id, message: ours.id }])
}

/// Everything we sent up to a moment was delivered or read.
pub(crate) fn apply_watermark(tx: &mut Tx<'_>, news: News, watermark: &Watermark) -> Result<(), StoreError> {
    let account = news.account;
    let at = watermark.until;
    let Some(contact) = contacts::resolve(tx, account, &watermark.contact, at, news.now)? else {
        return Ok(());
    };
    let thread = watermark.contact.identities.first().map_or("", |i| i.value.as_str());
    // The conversation is made if need be, so that a watermark that comes first is not lost.
    let (conversation, _) =
        conversations::find_or_create(tx, account, news.inbox, contact.id, thread, at, news.now)?;
    let read = watermark.status >= MessageStatus::Read;
    if conversations::raise_watermark(tx, account, conversation, read, at)? {
        raise_below(tx, news, conversation, watermark)?;
    }
    Ok(())
}

fn raise_below(
    tx: &mut Tx<'_>,
    news: News,
    conversation: ConversationId,
    watermark: &Watermark,
) -> Result<(), StoreError> {
    let (account, status, at) = (news.account, watermark.status, watermark.until);
    loop {
        let below = messages::below_watermark(tx, account, conversation, at, status)?;
        for message in &below {
            let step = Step { account, message: message.id, status, error: None, at };
            if message_status::raise(tx, step, news.now)? {
                announce(tx, news, conversation, message.id);
            }
        }
        if below.len() < messages::WATERMARK_BATCH {
            return Ok(());
        }
    }
}

/// A message of ours was stored or accepted after the customer's network had already read beyond it.
pub(crate) fn apply_reached_watermarks(
    tx: &mut Tx<'_>,
    news: News,
    conversation: ConversationId,
    message: MessageId,
    sent_at: Timestamp,
) -> Result<(), StoreError> {
    let account = news.account;
    let Some(row) = conversations::find_locked(tx, account, conversation)? else { return Ok(()) };
    let reached = if row.read_until >= sent_at {
        Some((MessageStatus::Read, row.read_until))
    } else if row.delivered_until >= sent_at {
        Some((MessageStatus::Delivered, row.delivered_until))
    } else {
        None
    };
    if let Some((status, at)) = reached
        && message_status::raise(tx, Step { account, message, status, error: None, at }, news.now)?
    {
        announce(tx, news, conversation, message);
    }
    Ok(())
}

fn announce(tx: &mut Tx<'_>, news: News, conversation: ConversationId, message: MessageId) {
    tx.emit(event(news, EventKind::MessageStatusUpdated, Some(conversation), Some(message), None));
}
