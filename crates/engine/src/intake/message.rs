//! A new entry of a conversation: contact, conversation, message and files, in one transaction.

use frontdesk_model::contact::ContactHint;
use frontdesk_model::content::{Content, MediaRef, Payload, SystemNotice};
use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::inbound::{Echo, IdentityChange, InboundMessage};
use frontdesk_model::message::{Direction, MessageKind, MessageStatus, SenderType};
use frontdesk_model::{ContactId, ConversationId, MessageId, Timestamp};
use frontdesk_store::conversations::NewInbound;
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::messages::NewMessage;
use frontdesk_store::{StoreError, Topic, Tx, attachments, contacts, conversations, messages};

use super::apply::News;
use super::{settle_pending, status};
use crate::media::safe_file_name;

/// Applies a message. One that is here already changes nothing.
pub(crate) fn apply(tx: &mut Tx<'_>, news: News, message: &InboundMessage) -> Result<(), StoreError> {
    let account = news.account;
    let sent_at = plausible(message.sent_at, news.now);
    let Some(contact) = contacts::resolve(tx, account, &message.contact, sent_at, news.now)? else {
        tracing::warn!(inbox.id = news.inbox.0, "a message without a sender was left out");
        return Ok(());
    };
    let (conversation, _) = conversations::find_or_create(
        tx,
        account,
        news.inbox,
        contact.id,
        &message.thread,
        sent_at,
        news.now,
    )?;
    let place = Place { contact: contact.id, conversation, sent_at };
    match &message.echo {
        None => store_inbound(tx, news, place, message)?,
        Some(echo) => apply_echo(tx, news, place, message, echo)?,
    }
    if contact.renamed {
        tx.emit(event(
            news,
            EventKind::ContactUpdated,
            Some(conversation),
            None,
            Some(contact.id.0.to_string()),
        ));
    }
    if contact.created {
        tx.signal(Topic::Media); // the worker that fetches files also asks for profiles
    }
    Ok(())
}

/// A person's names changed: a visible line, and one contact under both names.
pub(crate) fn apply_identity_change(
    tx: &mut Tx<'_>,
    news: News,
    change: &IdentityChange,
) -> Result<(), StoreError> {
    let system = SystemNotice { kind: "identity_change".to_owned(), body: change.body.clone() };
    let payload = Payload { system: Some(system), ..Payload::default() };
    let line = InboundMessage {
        remote_id: change.remote_id.clone(),
        thread: change.thread.clone(),
        contact: ContactHint {
            // The first phone is the one the person has now.
            identities: change.new.iter().chain(&change.old).cloned().collect(),
            name: None,
        },
        echo: None,
        sent_at: change.at,
        content: Content::of(MessageKind::System, change.body.clone(), payload),
        reply_to: None,
        forwarded: false,
    };
    apply(tx, news, &line)
}

/// Where a message goes, and when it was written.
#[derive(Clone, Copy)]
struct Place {
    contact: ContactId,
    conversation: ConversationId,
    sent_at: Timestamp,
}

fn store_inbound(
    tx: &mut Tx<'_>,
    news: News,
    place: Place,
    message: &InboundMessage,
) -> Result<(), StoreError> {
    let from_network = message.content.kind == MessageKind::System;
    let sender = if from_network { SenderType::System } else { SenderType::Customer };
    let stored = insert(tx, news, place, message, Direction::Inbound, sender, None, MessageStatus::Received)?;
    let Some(id) = stored else { return Ok(()) };
    let new = NewInbound {
        message: id,
        sent_at: place.sent_at,
        thread: &message.thread,
        unread: i64::from(!from_network),
    };
    let before = conversations::record_inbound(tx, news.account, place.conversation, new, news.now)?;
    tx.emit(event(news, EventKind::MessageReceived, Some(place.conversation), Some(id), None));
    if before != ConversationStatus::Active {
        let data = Some(before.as_str().to_owned());
        tx.emit(event(news, EventKind::ConversationStatusChanged, Some(place.conversation), None, data));
    }
    settle_pending(tx, news, &message.remote_id, id)
}

/// A message our side wrote: our own, come back, or one typed in another app of ours.
fn apply_echo(
    tx: &mut Tx<'_>,
    news: News,
    place: Place,
    message: &InboundMessage,
    echo: &Echo,
) -> Result<(), StoreError> {
    let account = news.account;
    if let Some(client_ref) = &echo.client_ref
        && let Some(ours) = messages::find_by_client_ref(tx, account, client_ref)?
        && ours.inbox_id == news.inbox
    {
        return status::adopt(tx, news, &ours, &message.remote_id);
    }
    if messages::find_by_remote(tx, account, news.inbox, &message.remote_id)?.is_some() {
        return Ok(());
    }
    let text = message.content.text.as_deref();
    let twin = messages::find_unanswered_twin(
        tx,
        account,
        place.conversation,
        message.content.kind,
        text,
        message.sent_at,
    )?;
    if let Some(ours) = twin {
        return status::adopt(tx, news, &ours, &message.remote_id);
    }
    let via = echo.via.as_deref();
    let stored =
        insert(tx, news, place, message, Direction::Outbound, SenderType::Admin, via, MessageStatus::Sent)?;
    let Some(id) = stored else { return Ok(()) };
    conversations::record_outbound(tx, account, place.conversation, id, place.sent_at, news.now)?;
    tx.emit(event(news, EventKind::MessageReceived, Some(place.conversation), Some(id), None));
    status::apply_reached_watermarks(tx, news, place.conversation, id, place.sent_at)?;
    settle_pending(tx, news, &message.remote_id, id)
}

#[expect(clippy::too_many_arguments, reason = "the parts of one row")]
fn insert(
    tx: &mut Tx<'_>,
    news: News,
    place: Place,
    message: &InboundMessage,
    direction: Direction,
    sender_type: SenderType,
    sender_name: Option<&str>,
    status: MessageStatus,
) -> Result<Option<MessageId>, StoreError> {
    let inserted = messages::insert(
        tx,
        &NewMessage {
            account_id: news.account,
            inbox_id: news.inbox,
            conversation_id: place.conversation,
            contact_id: place.contact,
            direction,
            sender_type,
            sender_id: None,
            sender_name,
            kind: message.content.kind,
            content: message.content.text.as_deref(),
            payload: &message.content.payload,
            remote_id: Some(&message.remote_id),
            client_key: None,
            client_ref: None,
            reply_to: message.reply_to.as_ref(),
            forwarded: message.forwarded,
            status,
            sent_at: place.sent_at,
            read_at: None,
        },
        news.now,
    )?;
    if let Some(id) = inserted {
        for media in &message.content.media {
            let file_name = media.file_name.as_deref().map(safe_file_name);
            let media = MediaRef { file_name, ..media.clone() };
            attachments::insert_pending(tx, news.account, news.inbox, id, &media, news.now)?;
        }
    }
    Ok(inserted)
}

/// A provider's clock may run ahead of ours a little, but a message of next year would stay on top for a year; one
/// without a time was written just now.
pub(super) fn plausible(at: Timestamp, now: Timestamp) -> Timestamp {
    const TOLERANCE_MS: i64 = 300_000;
    if at.as_millis() == 0 || at.millis_since(now) > TOLERANCE_MS { now } else { at }
}

pub(super) fn event(
    news: News,
    kind: EventKind,
    conversation_id: Option<ConversationId>,
    message_id: Option<MessageId>,
    data: Option<String>,
) -> NewEvent {
    NewEvent { account_id: news.account, kind, conversation_id, message_id, data }
}
