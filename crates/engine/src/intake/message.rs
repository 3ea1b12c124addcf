//! New entries of conversations: contacts, conversations, messages and files, in one transaction.

use std::cmp::Ordering;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use frontdesk_model::contact::ContactHint;
use frontdesk_model::content::{Content, MediaRef, Payload, SystemNotice};
use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::inbound::{Echo, IdentityChange, InboundMessage};
use frontdesk_model::message::{Direction, MessageKind, MessageStatus, SenderType};
use frontdesk_model::{ContactId, ConversationId, MessageId, Timestamp};
use frontdesk_store::contacts::Hinted;
use frontdesk_store::conversations::NewInbound;
use frontdesk_store::crm::welcomes::{self, Newcomer};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::messages::NewMessage;
use frontdesk_store::{StoreError, Topic, Tx, attachments, contacts, conversations, messages};

use super::apply::News;
use super::{Arrived, settle_pending, status};
use crate::media::safe_file_name;

/// A message and where it was told.
pub(super) type Told<'a> = (News, &'a InboundMessage);

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    /// It is a customer's, and new.
    New(MessageId),
    /// It is here already, or our side wrote it.
    Known,
    /// It names no sender: nothing is made of it.
    LeftOut,
}

/// Applies messages, in this order. Those that are here already change nothing. Tells of each what became of it.
///
/// All that have come together are looked up and stored together, one question for each noun: what makes the
/// difference when a database is a network away.
pub(super) fn apply_all(tx: &mut Tx<'_>, told: &[Told<'_>]) -> Result<Vec<Became>, StoreError> {
    let placed = place(tx, told)?;
    let mut became = vec![Became::LeftOut; told.len()];
    for placed in &placed {
        became[placed.number] = Became::Known;
    }
    for (number, id) in store_inbound(tx, &placed)? {
        became[number] = Became::New(id);
    }
    for placed in &placed {
        if let Some(echo) = &placed.message.echo {
            apply_echo(tx, placed.news, placed.place, placed.message, echo)?;
        }
    }
    Ok(became)
}

/// A message with the conversation it belongs to.
struct Placed<'a> {
    /// Its number among those told.
    number: usize,
    news: News,
    message: &'a InboundMessage,
    place: Place,
    /// Its person was never heard of before.
    is_newcomer: bool,
    /// The status of the conversation before this batch.
    before: ConversationStatus,
}

/// Finds or makes contacts and conversations.
fn place<'a>(tx: &mut Tx<'_>, told: &[Told<'a>]) -> Result<Vec<Placed<'a>>, StoreError> {
    let Some(now) = told.first().map(|(news, _)| news.now) else { return Ok(Vec::new()) };
    let hints: Vec<_> = told
        .iter()
        .map(|(news, m)| Hinted { account: news.account, hint: &m.contact, at: plausible(m.sent_at, now) })
        .collect();
    let contacts = contacts::resolve_many(tx, &hints, now)?;
    let of_parties: Vec<_> = told
        .iter()
        .zip(&contacts)
        .zip(&hints)
        .filter_map(|(((news, message), contact), hinted)| {
            Some(((news.account, news.inbox, contact.as_ref()?.id), message.thread.as_str(), hinted.at))
        })
        .collect();
    let parties: Vec<_> = of_parties.iter().map(|(party, ..)| *party).collect();
    let mut known = conversations::find_many_by_party(tx, &parties)?;
    let mut met = HashSet::new();
    let new = of_parties.into_iter().filter(|(party, ..)| !known.contains_key(party) && met.insert(*party));
    let begun = conversations::create_many(tx, new, now)?;
    known.extend(begun);
    let mut all = Vec::with_capacity(told.len());
    for (number, (((news, message), contact), hinted)) in told.iter().zip(&contacts).zip(&hints).enumerate() {
        let Some(contact) = contact else { continue };
        let (news, sent_at) = (*news, hinted.at);
        let party = (news.account, news.inbox, contact.id);
        let conversation = match known.get(&party) {
            Some(known) => *known,
            None => {
                let made = begin(tx, news, contact.id, message, sent_at)?;
                known.insert(party, made);
                made
            }
        };
        if contact.renamed {
            let data = Some(contact.id.0.to_string());
            tx.emit(event(news, EventKind::ContactUpdated, Some(conversation.id), None, data));
        }
        if contact.created {
            tx.signal(Topic::Media); // the worker that fetches files also asks for profiles
        }
        let place = Place { contact: contact.id, conversation: conversation.id, sent_at };
        let (is_newcomer, before) = (contact.created, conversation.status);
        all.push(Placed { number, news, message, place, is_newcomer, before });
    }
    Ok(all)
}

fn begin(
    tx: &mut Tx<'_>,
    news: News,
    contact: ContactId,
    message: &InboundMessage,
    sent_at: Timestamp,
) -> Result<conversations::Known, StoreError> {
    let (account, inbox) = (news.account, news.inbox);
    let (id, is_new) =
        conversations::find_or_create(tx, account, inbox, contact, &message.thread, sent_at, news.now)?;
    let found = if is_new { None } else { conversations::find(tx, account, id)? };
    Ok(conversations::Known { id, status: found.map_or(ConversationStatus::Active, |found| found.status) })
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
        author: None,
        echo: None,
        sent_at: change.at,
        content: Content::of(MessageKind::System, change.body.clone(), payload),
        reply_to: None,
        forwarded: false,
    };
    apply_all(tx, &[(news, &line)]).map(drop)
}

/// Where a message goes, and when it was written.
#[derive(Clone, Copy)]
struct Place {
    contact: ContactId,
    conversation: ConversationId,
    sent_at: Timestamp,
}

/// Stores what customers wrote and moves their conversations. Returns the numbers of those that were new, with their ids.
fn store_inbound(tx: &mut Tx<'_>, placed: &[Placed<'_>]) -> Result<Vec<(usize, MessageId)>, StoreError> {
    let inbound: Vec<_> = placed.iter().filter(|p| p.message.echo.is_none()).collect();
    let mut stored = Vec::with_capacity(inbound.len());
    let Some(now) = inbound.first().map(|p| p.news.now) else { return Ok(stored) };
    let rows: Vec<_> = inbound
        .iter()
        .map(|p| {
            let sender = if is_notice(p.message) { SenderType::System } else { SenderType::Customer };
            row(
                p.news,
                p.place,
                p.message,
                Direction::Inbound,
                sender,
                p.message.author.as_deref(),
                MessageStatus::Received,
            )
        })
        .collect();
    let ids = messages::insert_many(tx, &rows, now)?;
    let mut moves: BTreeMap<ConversationId, NewInbound<'_>> = BTreeMap::new();
    let (mut arrived, mut newcomers) = (Vec::with_capacity(inbound.len()), Vec::new());
    for (p, id) in inbound.iter().zip(ids) {
        let Some(id) = id else { continue };
        stored.push((p.number, id));
        store_media(tx, p.news, id, p.message)?;
        let (conversation, unread) = (p.place.conversation, i64::from(!is_notice(p.message)));
        let new = NewInbound {
            account: p.news.account,
            conversation,
            message: id,
            sent_at: p.place.sent_at,
            thread: &p.message.thread,
            unread,
        };
        tx.emit(event(p.news, EventKind::MessageReceived, Some(conversation), Some(id), None));
        match moves.entry(conversation) {
            Entry::Vacant(first) => {
                first.insert(new);
                if p.before != ConversationStatus::Active {
                    let (kind, data) = (EventKind::ConversationStatusChanged, p.before.as_str().to_owned());
                    tx.emit(event(p.news, kind, Some(conversation), None, Some(data)));
                }
            }
            Entry::Occupied(mut earlier) => {
                let so_far = *earlier.get();
                let newest = if new.sent_at < so_far.sent_at { so_far } else { new };
                // Of two names told at one moment the smaller is kept.
                let thread = match new.sent_at.cmp(&so_far.sent_at) {
                    Ordering::Equal => new.thread.min(so_far.thread),
                    _ => newest.thread,
                };
                earlier.insert(NewInbound { thread, unread: so_far.unread + unread, ..newest });
            }
        }
        arrived.push(Arrived { news: p.news, remote_id: &p.message.remote_id, message: id });
        if p.is_newcomer && is_own_word(p.message) {
            let (account, contact) = (p.news.account, p.place.contact);
            newcomers.push(Newcomer { account, contact, conversation, since: p.place.sent_at });
        }
    }
    welcomes::note_many(tx, &newcomers)?;
    let moves: Vec<_> = moves.into_values().collect();
    conversations::record_inbound_many(tx, &moves, now)?;
    settle_pending(tx, &arrived)?;
    Ok(stored)
}

/// A line of the network itself: nobody has to answer it.
fn is_notice(message: &InboundMessage) -> bool {
    message.content.kind == MessageKind::System
}

/// Somebody wrote to us themselves: it is no line of the network, and not one of many in a group.
fn is_own_word(message: &InboundMessage) -> bool {
    !is_notice(message) && message.author.is_none()
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
    let new = row(news, place, message, Direction::Outbound, SenderType::Admin, via, MessageStatus::Sent);
    let Some(id) = messages::insert(tx, &new, news.now)? else { return Ok(()) };
    store_media(tx, news, id, message)?;
    conversations::record_outbound(tx, account, place.conversation, id, place.sent_at, news.now)?;
    tx.emit(event(news, EventKind::MessageReceived, Some(place.conversation), Some(id), None));
    status::apply_reached_watermarks(tx, news, place.conversation, id, place.sent_at)?;
    settle_pending(tx, &[Arrived { news, remote_id: &message.remote_id, message: id }])
}

fn row<'a>(
    news: News,
    place: Place,
    message: &'a InboundMessage,
    direction: Direction,
    sender_type: SenderType,
    sender_name: Option<&'a str>,
    status: MessageStatus,
) -> NewMessage<'a> {
    NewMessage {
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
    }
}

/// Notes the files of a message, to be fetched afterwards.
fn store_media(
    tx: &mut Tx<'_>,
    news: News,
    id: MessageId,
    message: &InboundMessage,
) -> Result<(), StoreError> {
    for media in &message.content.media {
        let file_name = media.file_name.as_deref().map(safe_file_name);
        let media = MediaRef { file_name, ..media.clone() };
        attachments::insert_pending(tx, news.account, news.inbox, id, &media, news.now)?;
    }
    Ok(())
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
