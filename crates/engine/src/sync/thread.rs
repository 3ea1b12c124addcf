//! One conversation taken over: what is new in it is asked for, and applied like what comes in by any channel, together with
//! how it stands there.

use std::slice;

use frontdesk_channels::chatwoot::{inbound, names};
use frontdesk_chatwoot_client::{
    ChatwootClient, Conversation, ErrorCode, Message, MessageQuery, MessageType,
};
use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::sync::SyncEntity;
use frontdesk_model::{ContactId, ConversationId, InboxId, Timestamp};
use frontdesk_store::conversations::{ConversationRow, other_side};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::external_entity_maps::{self as maps, Base, EntityMap, Shelf};
use frontdesk_store::sync_runs::SyncCounts;
use frontdesk_store::{StoreError, Tx, contacts, conversations, messages};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::apply::{self, Batch, Source, Told};
use super::claim::Stop;
use super::fields::Theirs;
use crate::Engine;
use crate::inboxes::InboxBook;
use crate::intake::{self, News};

/// Messages asked for and applied at once.
const AT_ONCE: usize = 1_000;
/// Messages looked at again in a conversation that changed: what became of them, and which of them were taken back.
const LOOKED_AT: usize = 20;
/// Chatwoot counts unread messages no further.
const UNREAD_MAX: i64 = 10;

/// What is kept of a conversation there, beside its fingerprint.
const STATUS: &str = "status";
const ACTIVITY: &str = "activity";
const MESSAGE: &str = "message";

/// A conversation with what is new in it.
pub(super) struct Fetched {
    pub conversation: Conversation,
    /// In the order in which they were written.
    messages: Vec<Message>,
    /// The person, unless they are known; or why they cannot be one here.
    contact: Result<Option<Theirs>, String>,
    fingerprint: String,
    /// It is as it was: nothing was asked for.
    is_same: bool,
    /// There is more than was asked for at once.
    pub more: bool,
    asked_at: Timestamp,
}

impl Fetched {
    /// The newest message that was asked for.
    pub fn newest(&self) -> i64 {
        self.messages.iter().map(|message| message.id).max().unwrap_or(0)
    }
}

/// Whom a conversation there is with, by what people are kept under.
fn people_of(source: &Source) -> Source {
    let shelf = Shelf { entity: SyncEntity::Contacts, ..source.shelf.clone() };
    Source { shelf, connection: source.connection }
}

/// Asks for what is new in a conversation. One that is as it was is not asked about, unless something in it is known to have
/// happened.
pub(super) async fn fetch(
    engine: &Engine,
    client: &ChatwootClient,
    source: &Source,
    conversation: Conversation,
    has_news: bool,
) -> Result<Fetched, Stop> {
    let asked_at = engine.clock.now();
    let fingerprint = fingerprint(&conversation);
    let person = conversation.contact.as_ref().map(|contact| contact.id);
    let (shelf, people) = (source.clone(), people_of(source));
    let ids = (source.external_id(conversation.id), person.map(|id| source.external_id(id)));
    let (known, contact) = engine
        .store
        .read(move |tx| {
            let known = maps::find_many(tx, &shelf.shelf, slice::from_ref(&ids.0))?.pop();
            let contact = match &ids.1 {
                Some(id) => maps::find_many(tx, &people.shelf, slice::from_ref(id))?.pop(),
                None => None,
            };
            Ok::<_, StoreError>((known, contact))
        })
        .await?;
    let contact = match (&conversation.contact, contact.filter(|known| known.deleted_at.is_none())) {
        (None, _) => Err("it is nobody's".to_owned()),
        (Some(_), Some(_)) => Ok(None),
        (Some(found), None) => Theirs::read(found, source.shelf.account).map(Some),
    };
    let is_known = |known: &EntityMap| known.fingerprint == fingerprint && known.deleted_at.is_none();
    let is_same = !has_news && known.as_ref().is_some_and(is_known);
    let last = known.as_ref().map_or(0, last_message);
    let (messages, more) = match is_same || contact.is_err() {
        true => (Vec::new(), false),
        false => news(client, conversation.id, last).await?,
    };
    Ok(Fetched { conversation, messages, contact, fingerprint, is_same, more, asked_at })
}

async fn news(client: &ChatwootClient, id: i64, last: i64) -> Result<(Vec<Message>, bool), Stop> {
    if last > 0 {
        let query = MessageQuery { public_only: true, ..MessageQuery::newest(LOOKED_AT) };
        let newest = gone_is_empty(client.get_messages(id, &query).await)?;
        // Unless more came than is looked at, this is all.
        if newest.len() < LOOKED_AT || newest.iter().any(|message| message.id <= last) {
            return Ok((newest, false));
        }
    }
    let query = MessageQuery { limit: Some(AT_ONCE), public_only: true, ..MessageQuery::after(last) };
    let messages = gone_is_empty(client.get_messages(id, &query).await)?;
    let more = messages.len() >= AT_ONCE;
    Ok((messages, more))
}

/// A conversation that was deleted meanwhile has no messages.
fn gone_is_empty(
    found: Result<frontdesk_chatwoot_client::Page<Message>, frontdesk_chatwoot_client::ChatwootError>,
) -> Result<Vec<Message>, Stop> {
    match found {
        Ok(page) => Ok(page.data),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// What became of a conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// It is new here.
    Created,
    /// Something about it is.
    Updated,
    /// This is the rest of a long one, which was counted with its beginning.
    Rest,
    /// It is as it was.
    Same,
    /// Its person was erased here: it stays away.
    Away,
    /// It is not taken over; why.
    Refused(String),
}

/// Counts what became of a conversation.
pub(super) fn count(counts: &mut SyncCounts, number: i64, became: Became) {
    match became {
        Became::Created => counts.created += 1,
        Became::Updated => counts.updated += 1,
        Became::Rest => {}
        Became::Same | Became::Away => counts.skipped += 1,
        Became::Refused(why) => apply::note_error(counts, format!("Conversation {number}: {why}")),
    }
}

/// Takes a conversation over. The connection is locked.
pub(super) fn take_over(
    tx: &mut Tx<'_>,
    source: &Source,
    book: &InboxBook,
    inbox: InboxId,
    fetched: &Fetched,
    now: Timestamp,
) -> Result<Became, StoreError> {
    if fetched.is_same {
        return Ok(Became::Same);
    }
    let found = &fetched.conversation;
    let (account, external_id) = (source.shelf.account, source.external_id(found.id));
    let contact = match person(tx, source, fetched, now)? {
        Ok(Some(contact)) => contact,
        Ok(None) => return Ok(Became::Away),
        Err(why) => return Ok(Became::Refused(why)),
    };
    let known = maps::find_many(tx, &source.shelf, slice::from_ref(&external_id))?.pop();
    let person = found.contact.as_ref().map_or(0, |contact| contact.id);
    let identity = names::identity(&source.external_id(person));
    contacts::add_identity(tx, account, contact, &identity, now)?;
    // It may be somebody's already: of whom they became part here.
    let owner = contacts::find_many_by_identity(tx, [(account, &identity)])?.into_values().next();
    let (contact, thread) = (owner.unwrap_or(contact), names::thread(found.id));
    let began_at = found.last_activity_at.or(found.created_at).map_or(now, |at| Timestamp::from_millis(at.0));
    let (id, is_new) =
        conversations::find_or_create(tx, account, inbox, contact, &thread, began_at.min(now), now)?;
    let events: Vec<_> =
        fetched.messages.iter().flat_map(|message| inbound::events(message, found.id, &identity)).collect();
    let written = intake::apply_asked(tx, book, News { account, inbox, now }, &events)?;
    let Some(row) = conversations::find_locked(tx, account, id)? else { return Ok(Became::Away) };
    let stands = Stands {
        known: known.as_ref(),
        is_new,
        has_news: written > 0 || is_answered(fetched, known.as_ref()),
    };
    if is_current(tx, source, id, found)? {
        let changed = follow(tx, row, fetched, &stands, now)?;
        if changed || is_new {
            tx.emit(event(account, EventKind::ConversationUpdated, id, None));
        }
    }
    let map = mapped(source, fetched, known.as_ref(), external_id, id);
    maps::save_many(tx, &[map], now)?;
    Ok(match known {
        None => Became::Created,
        Some(known) if known.fingerprint.is_empty() => Became::Rest,
        Some(_) => Became::Updated,
    })
}

/// The person here, made if they are not known. `None`: they were erased.
fn person(
    tx: &mut Tx<'_>,
    source: &Source,
    fetched: &Fetched,
    now: Timestamp,
) -> Result<Result<Option<ContactId>, String>, StoreError> {
    let people = people_of(source);
    match &fetched.contact {
        Err(why) => return Ok(Err(why.clone())),
        Ok(None) => {}
        Ok(Some(theirs)) => {
            let told = Told { asked_at: fetched.asked_at, changed_at: None };
            let batch = Batch { people: slice::from_ref(theirs), gone: &[], told };
            let mut aside = SyncCounts::default();
            apply::apply(tx, &people, &batch, &mut aside, now)?;
            if let Some(why) = aside.error_messages.pop() {
                return Ok(Err(why));
            }
        }
    }
    let Some(contact) = &fetched.conversation.contact else { return Ok(Err("it is nobody's".to_owned())) };
    let map = maps::find_many(tx, &people.shelf, &[people.external_id(contact.id)])?.pop();
    let Some(map) = map else { return Ok(Err(format!("Contact {} is not here", contact.id))) };
    let found = contacts::find(tx, source.shelf.account, ContactId(map.internal_id))?;
    Ok(Ok(found.map(|contact| contact.id)))
}

/// Our side wrote something since the last look: whoever answers has read.
fn is_answered(fetched: &Fetched, known: Option<&EntityMap>) -> bool {
    let last = known.map_or(0, last_message);
    let is_ours = |message: &&Message| message.message_type == Some(MessageType::Outgoing);
    fetched.messages.iter().filter(is_ours).any(|message| message.id > last)
}

/// Of several conversations there that are one here the one counts in which something happened last.
fn is_current(
    tx: &mut Tx<'_>,
    source: &Source,
    id: ConversationId,
    found: &Conversation,
) -> Result<bool, StoreError> {
    let this = (activity(found), found.id);
    let others = maps::of_internal(tx, &source.shelf, &[id.0])?;
    Ok(others
        .iter()
        .filter(|other| other.external_number != found.id && other.deleted_at.is_none())
        .all(|other| (kept(other, ACTIVITY), other.external_number) <= this))
}

/// How a conversation stood before.
struct Stands<'a> {
    known: Option<&'a EntityMap>,
    is_new: bool,
    /// Something was written in it.
    has_news: bool,
}

/// Has ours stand as theirs does; true when people see a difference beyond its status.
fn follow(
    tx: &mut Tx<'_>,
    row: ConversationRow,
    fetched: &Fetched,
    stands: &Stands<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (account, id, found) = (row.account_id, row.id, &fetched.conversation);
    let mut changed = other_side::set_thread(tx, account, id, &names::thread(found.id))?;
    if stands.has_news && found.unread_count < UNREAD_MAX && found.unread_count < row.unread_count {
        other_side::leave_unread(tx, account, id, found.unread_count, now)?;
        conversations::count_unread(tx, account, id, now)?;
        changed = true;
    }
    let stood = stands.known.and_then(|known| known.base.remote.get(STATUS)).map(String::as_str);
    let moved = stood != Some(status_word(found));
    // What people did with it here stays until something happens to it there.
    if (moved || stands.is_new || stands.has_news)
        && let Some(wanted) = status_here(found)
        && wanted != row.status
    {
        conversations::set_status(tx, account, id, wanted, now)?;
        let before = Some(row.status.as_str().to_owned());
        tx.emit(event(account, EventKind::ConversationStatusChanged, id, before));
    }
    let count = messages::count(tx, account, id)?;
    let mut metadata = row.metadata.clone();
    metadata.retain(|name, _| !name.starts_with("chatwoot_"));
    metadata.extend(metadata_of(found, count));
    if metadata != row.metadata {
        other_side::set_metadata(tx, account, id, &metadata, now)?;
        changed = true;
    }
    Ok(changed)
}

fn event(
    account_id: frontdesk_model::AccountId,
    kind: EventKind,
    id: ConversationId,
    data: Option<String>,
) -> NewEvent {
    NewEvent { account_id, kind, conversation_id: Some(id), message_id: None, data }
}

/// What Chatwoot knows of a conversation. It counts no messages: those that are here are counted.
fn metadata_of(found: &Conversation, count: i64) -> Map<String, Value> {
    let fields = [
        ("chatwoot_id", json!(found.id)),
        ("chatwoot_inbox_id", json!(found.inbox_id)),
        ("chatwoot_status", json!(status_word(found))),
        ("chatwoot_messages_count", json!(found.messages_count.unwrap_or(count))),
        ("chatwoot_labels", json!(found.labels)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Its status in the words of the sync: open is active, resolved is completed, all others keep their own.
fn status_word(found: &Conversation) -> &str {
    match found.status.as_ref().map_or("", |status| status.as_str()) {
        "open" => "active",
        "resolved" => "completed",
        other => other,
    }
}

/// How it stands here; `None`: nothing here says the same.
fn status_here(found: &Conversation) -> Option<ConversationStatus> {
    match status_word(found) {
        "active" => Some(ConversationStatus::Active),
        "completed" => Some(ConversationStatus::Closed),
        _ => None,
    }
}

fn activity(found: &Conversation) -> i64 {
    found.last_activity_at.or(found.created_at).map_or(0, |at| at.0)
}

fn kept(map: &EntityMap, name: &str) -> i64 {
    map.base.remote.get(name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The newest message that is here.
fn last_message(map: &EntityMap) -> i64 {
    kept(map, MESSAGE)
}

/// A digest of how it stands there: Chatwoot says anew when it was changed whenever anything about it does.
fn fingerprint(found: &Conversation) -> String {
    let parts = json!([
        found.status.as_ref().map(|status| status.as_str()),
        found.inbox_id,
        found.contact.as_ref().map(|contact| contact.id),
        found.labels,
        found.updated_at.map(|at| at.0),
        activity(found),
    ]);
    hex::encode(Sha256::digest(parts.to_string()))
}

fn mapped(
    source: &Source,
    fetched: &Fetched,
    known: Option<&EntityMap>,
    external_id: String,
    id: ConversationId,
) -> EntityMap {
    let found = &fetched.conversation;
    let newest = fetched.newest().max(known.map_or(0, last_message));
    let kept = [
        (STATUS, status_word(found).to_owned()),
        (ACTIVITY, activity(found).to_string()),
        (MESSAGE, newest.to_string()),
    ];
    EntityMap {
        account_id: source.shelf.account,
        provider: source.shelf.provider,
        entity_type: source.shelf.entity,
        external_id,
        external_number: found.id,
        scope: source.shelf.scope.clone(),
        connection_id: source.connection,
        internal_id: id.0,
        // Of what is not all here yet nobody may think so.
        fingerprint: if fetched.more { String::new() } else { fetched.fingerprint.clone() },
        base: Base {
            remote: kept.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            ..Base::default()
        },
        listed: true,
        remote_updated_at: found.updated_at.map_or(Timestamp::default(), |at| Timestamp::from_millis(at.0)),
        deleted_at: None,
        updated_at: Timestamp::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(value: Value) -> Conversation {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn statuses_are_mapped_as_the_guide_says_and_others_keep_their_word() {
        let stands = |status: &str| {
            let found = conversation(json!({ "id": 1, "status": status }));
            (status_word(&found).to_owned(), status_here(&found))
        };
        assert_eq!(stands("open"), ("active".to_owned(), Some(ConversationStatus::Active)));
        assert_eq!(stands("resolved"), ("completed".to_owned(), Some(ConversationStatus::Closed)));
        for raw in ["pending", "snoozed", "of_tomorrow"] {
            assert_eq!(stands(raw), (raw.to_owned(), None));
        }
    }

    #[test]
    fn what_the_guide_names_stands_in_the_metadata() {
        let found =
            conversation(json!({ "id": 123, "inbox_id": 3, "status": "resolved", "labels": ["vip"] }));
        assert_eq!(
            Value::Object(metadata_of(&found, 4)),
            json!({ "chatwoot_id": 123, "chatwoot_inbox_id": 3, "chatwoot_status": "completed",
                "chatwoot_messages_count": 4, "chatwoot_labels": ["vip"] })
        );
    }

    #[test]
    fn the_fingerprint_changes_with_whatever_is_taken_over() {
        let base = json!({ "id": 1, "status": "open", "labels": [], "updated_at": 1_787_048_130.5 });
        let print = |change: Value| {
            let mut value = base.clone();
            value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            fingerprint(&conversation(value))
        };
        let same = print(json!({}));
        assert_eq!(same, print(json!({ "unread_count": 3 })));
        for change in [
            json!({ "status": "resolved" }),
            json!({ "labels": ["vip"] }),
            json!({ "updated_at": 1_787_048_131.0 }),
        ] {
            assert_ne!(same, print(change.clone()), "{change}");
        }
    }
}
