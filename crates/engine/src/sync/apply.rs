//! Takes people over from the other program, a page of them in one transaction: what is the same is found with one question
//! and costs no write.

use std::collections::{BTreeMap, HashMap, HashSet};

use frontdesk_model::contact::{Identity, IdentityKind};
use frontdesk_model::{ContactId, SyncConnectionId, Timestamp};
use frontdesk_store::contacts::other_side::{self, Details, NewPerson};
use frontdesk_store::contacts::{self, ContactRow};
use frontdesk_store::external_entity_maps::{self as maps, Base, EntityMap, Shelf};
use frontdesk_store::sync_runs::SyncCounts;
use frontdesk_store::{StoreError, Tx};
use serde_json::json;

use super::decide::{Sides, Stands, decide};
use super::fields::{EMPTY, Field, Theirs, digests_of, field_of};
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::contacts::updated;

/// Where the people come from.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub shelf: Shelf,
    pub connection: SyncConnectionId,
}

impl Source {
    pub fn external_id(&self, number: i64) -> String {
        format!("{}{number}", self.shelf.scope)
    }
}

/// How new what was told is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    /// Before it was asked for, by our clock: what was written here since then is newer.
    pub asked_at: Timestamp,
    /// When it was changed there, where that was told.
    pub changed_at: Option<Timestamp>,
}

/// People told of at once.
pub(super) struct Batch<'a> {
    pub people: &'a [Theirs],
    /// Those that are gone there.
    pub gone: &'a [EntityMap],
    pub told: Told,
}

/// Known people of whom one told of has the phone, and who may be gone there by now: to be asked for before the batch is
/// applied. Locks nothing.
pub(super) fn doubts(
    tx: &mut Tx<'_>,
    source: &Source,
    people: &[Theirs],
) -> Result<Vec<EntityMap>, StoreError> {
    let maps = maps_of(tx, source, people)?;
    let mut moved: Vec<(&str, i64)> = Vec::new();
    for theirs in people {
        let map = maps.get(&source.external_id(theirs.number));
        if let (Some(map), Some(phone)) = (map, theirs.phone.as_deref())
            && map.fingerprint != theirs.fingerprint
        {
            moved.push((phone, map.internal_id));
        }
    }
    let owners =
        other_side::find_many_by_phone(tx, source.shelf.account, moved.iter().map(|(phone, _)| *phone))?;
    let others: Vec<i64> = moved
        .iter()
        .filter_map(|(phone, ours)| owners.get(*phone).map(|owner| owner.0).filter(|owner| owner != ours))
        .collect();
    let mut doubtful = maps::of_internal(tx, &source.shelf, &others)?;
    doubtful.retain(|other| other.deleted_at.is_none());
    Ok(doubtful)
}

/// What is noted of people told of, by their ids there.
fn maps_of(
    tx: &mut Tx<'_>,
    source: &Source,
    people: &[Theirs],
) -> Result<HashMap<String, EntityMap>, StoreError> {
    let ids: Vec<String> = people.iter().map(|theirs| source.external_id(theirs.number)).collect();
    let known = maps::find_many(tx, &source.shelf, &ids)?;
    Ok(known.into_iter().map(|map| (map.external_id.clone(), map)).collect())
}

/// Applies a batch; counts what became of it.
pub(super) fn apply(
    tx: &mut Tx<'_>,
    source: &Source,
    batch: &Batch<'_>,
    counts: &mut SyncCounts,
    now: Timestamp,
) -> Result<(), StoreError> {
    // By their ids there: who was asked for twice is written once.
    let mut save: BTreeMap<String, EntityMap> = BTreeMap::new();
    for map in batch.gone {
        save.insert(map.external_id.clone(), EntityMap { deleted_at: Some(now), ..map.clone() });
    }
    let mut found = Found::read(tx, source, batch.people)?;
    let gone = batch.gone.iter().map(|map| map.external_id.as_str()).collect();
    let telling = Telling { source, gone, told: batch.told, now };
    for theirs in batch.people {
        let map = found.map(source, theirs).cloned();
        if map.as_ref().is_some_and(|map| is_old_news(map, theirs, batch.told)) {
            counts.skipped += 1;
            continue;
        }
        match take_over(tx, &telling, theirs, map, &mut found)? {
            Taken::Created(map) => {
                counts.created += 1;
                save.insert(map.external_id.clone(), map);
            }
            Taken::Updated(map) => {
                counts.updated += 1;
                save.insert(map.external_id.clone(), map);
            }
            Taken::Same(map) => {
                counts.skipped += 1;
                save.insert(map.external_id.clone(), map);
            }
            Taken::Erased => counts.skipped += 1,
            Taken::Refused(why) => note_error(counts, format!("Contact {}: {why}", theirs.number)),
        }
    }
    maps::save_many(tx, &save.into_values().collect::<Vec<_>>(), now)
}

/// Messages kept of a run.
const MAX_MESSAGES: usize = 100;

/// Counts a row that was not taken over.
pub(crate) fn note_error(counts: &mut SyncCounts, sentence: String) {
    counts.errors += 1;
    if counts.error_messages.len() < MAX_MESSAGES {
        counts.error_messages.push(sentence);
    }
}

/// The same as before, or older than what is known.
fn is_old_news(map: &EntityMap, theirs: &Theirs, told: Told) -> bool {
    let is_same = map.fingerprint == theirs.fingerprint && map.deleted_at.is_none();
    let is_older = told.changed_at.is_some_and(|at| at < map.remote_updated_at);
    // Between the question and now something was written here: the answer may be from before that.
    is_same || is_older || (told.changed_at.is_none() && map.updated_at >= told.asked_at)
}

enum Taken {
    Created(EntityMap),
    Updated(EntityMap),
    Same(EntityMap),
    Erased,
    Refused(&'static str),
}

/// What is known here of the people told of.
struct Found {
    maps: HashMap<String, EntityMap>,
    phones: HashMap<String, ContactId>,
    emails: HashMap<String, ContactId>,
    rows: HashMap<ContactId, ContactRow>,
    details: HashMap<ContactId, Details>,
}

impl Found {
    fn read(tx: &mut Tx<'_>, source: &Source, people: &[Theirs]) -> Result<Self, StoreError> {
        let account = source.shelf.account;
        let maps = maps_of(tx, source, people)?;
        let is_new = |theirs: &&Theirs| {
            let map = maps.get(&source.external_id(theirs.number));
            map.is_none_or(|map| map.fingerprint != theirs.fingerprint || map.deleted_at.is_some())
        };
        let news: Vec<&Theirs> = people.iter().filter(is_new).collect();
        if news.is_empty() {
            let none = (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
            return Ok(Self { maps, phones: none.0, emails: none.1, rows: none.2, details: none.3 });
        }
        let names: Vec<Identity> = news.iter().filter_map(|theirs| phone_identity(theirs)).collect();
        let owners = contacts::find_many_by_identity(tx, names.iter().map(|name| (account, name)))?;
        let phones: HashMap<String, ContactId> =
            owners.into_iter().map(|((_, _, phone), id)| (phone, id)).collect();
        let wanted = news.iter().filter_map(|theirs| theirs.email.as_deref());
        let emails = other_side::find_many_by_email(tx, account, wanted)?;
        let mapped = maps.values().map(|map| ContactId(map.internal_id));
        let named = news.iter().filter_map(|theirs| theirs.made_of);
        let known = phones.values().chain(emails.values()).copied();
        let all: HashSet<ContactId> = mapped.chain(named).chain(known).collect();
        let rows = contacts::find_many(tx, account, all)?;
        let details = other_side::details_many(tx, account, rows.values().map(|row| row.id))?;
        Ok(Self { maps, phones, emails, rows, details })
    }

    fn map(&self, source: &Source, theirs: &Theirs) -> Option<&EntityMap> {
        self.maps.get(&source.external_id(theirs.number))
    }

    fn phone_owner(&self, theirs: &Theirs) -> Option<ContactId> {
        self.phones.get(theirs.phone.as_deref()?).copied()
    }

    fn row(&self, id: ContactId) -> Option<&ContactRow> {
        self.rows.get(&id)
    }
}

fn phone_identity(theirs: &Theirs) -> Option<Identity> {
    theirs.phone.as_ref().map(|phone| Identity::new(IdentityKind::Phone, phone.clone()))
}

/// What is the same for everybody in a batch.
struct Telling<'a> {
    source: &'a Source,
    /// The ids there of those that are gone.
    gone: HashSet<&'a str>,
    told: Told,
    now: Timestamp,
}

fn take_over(
    tx: &mut Tx<'_>,
    telling: &Telling<'_>,
    theirs: &Theirs,
    map: Option<EntityMap>,
    found: &mut Found,
) -> Result<Taken, StoreError> {
    let source = telling.source;
    let owner = found.phone_owner(theirs);
    let contact = match &map {
        Some(map) => match found.row(ContactId(map.internal_id)).cloned() {
            Some(contact) => contact,
            // Erased here: that it is known there stays noted, so that it does not come back.
            None => return Ok(Taken::Erased),
        },
        None => {
            let by_email = theirs.email.as_ref().and_then(|email| found.emails.get(email)).copied();
            let known = theirs.made_of.filter(|id| found.rows.contains_key(id)).or(owner).or(by_email);
            match known.and_then(|id| found.row(id)).cloned() {
                Some(contact) => contact,
                None => return create(tx, telling, theirs, found).map(Taken::Created),
            }
        }
    };
    let contact = match owner.filter(|owner| *owner != contact.id) {
        Some(owner) => {
            let others = maps::of_internal(tx, &source.shelf, &[owner.0])?;
            let lives = |other: &EntityMap| {
                other.deleted_at.is_none() && !telling.gone.contains(other.external_id.as_str())
            };
            if others.iter().any(lives) {
                return Ok(Taken::Refused(
                    "its phone number belongs to another contact here; merge the two in Chatwoot",
                ));
            }
            merge(tx, source, contact.id, owner, telling.now)?
        }
        None => Some(contact),
    };
    let Some(contact) = contact else { return Ok(Taken::Refused("it was removed here at this moment")) };
    update(tx, telling, theirs, map.as_ref(), contact, found)
}

/// The number there belongs to somebody here who is nobody else there: the two are one.
fn merge(
    tx: &mut Tx<'_>,
    source: &Source,
    one: ContactId,
    other: ContactId,
    now: Timestamp,
) -> Result<Option<ContactRow>, StoreError> {
    let account = source.shelf.account;
    let (winner, loser) = (one.min(other), one.max(other));
    contacts::merge(tx, account, loser, winner, now)?;
    contacts::find(tx, account, winner)
}

fn create(
    tx: &mut Tx<'_>,
    telling: &Telling<'_>,
    theirs: &Theirs,
    found: &mut Found,
) -> Result<EntityMap, StoreError> {
    let &Telling { source, told, now, .. } = telling;
    let account = source.shelf.account;
    let at = told.changed_at.unwrap_or(now);
    let new = NewPerson {
        account,
        name: theirs.name.as_deref(),
        email: theirs.email.as_deref(),
        phone: theirs.phone.as_deref(),
        custom_fields: &theirs.custom_fields,
        at,
    };
    let mut id = other_side::insert_person(tx, &new, now)?;
    if let Some(identity) = phone_identity(theirs)
        && !contacts::add_identity(tx, account, id, &identity, now)?
    {
        // They wrote to us at this moment, on another node.
        let owner = contacts::find_many_by_identity(tx, [(account, &identity)])?.into_values().next();
        if let Some(owner) = owner {
            contacts::merge(tx, account, id, owner, now)?;
            id = owner;
        }
    }
    // A later one of the same batch may be the same person, written another way.
    if let Some(row) = contacts::find(tx, account, id)? {
        found.rows.insert(id, row);
    }
    found.details.extend(other_side::details_many(tx, account, [id])?);
    found.phones.extend(theirs.phone.clone().map(|phone| (phone, id)));
    found.emails.extend(theirs.email.clone().map(|email| (email, id)));
    let base = Base { remote: theirs.digests(), local: theirs.digests() };
    Ok(mapped(source, theirs, None, id.0, base, told))
}

fn update(
    tx: &mut Tx<'_>,
    telling: &Telling<'_>,
    theirs: &Theirs,
    map: Option<&EntityMap>,
    mut contact: ContactRow,
    found: &mut Found,
) -> Result<Taken, StoreError> {
    let &Telling { source, told, now, .. } = telling;
    let account = source.shelf.account;
    let details = found.details.get(&contact.id).cloned().unwrap_or_default();
    let mut base = map.map(|map| map.base.clone()).unwrap_or_default();
    let (remote, local) = (theirs.digests(), digests_of(&contact));
    let theirs_at = told.changed_at.unwrap_or(now);
    // Of two there that are one here the second fills what the first lacks, and changes it no more than that.
    let is_second = map.is_none() && details.custom_fields.contains_key("chatwoot_id");
    let mut changed = false;
    for field in Field::ALL {
        let name = field.as_str();
        let sides = Sides {
            field,
            theirs: (&remote[name], theirs_at),
            ours: (&local[name], changed_here_at(&contact, &details, field)),
        };
        let stands = match decide(&base, &sides) {
            Stands::Theirs { .. } | Stands::Ours { .. } if is_second && local[name] != EMPTY => Stands::Apart,
            stands => stands,
        };
        let value = theirs.field(field).map(str::to_owned);
        let dropped = match stands {
            Stands::Theirs { over_ours } => {
                let ours = field_of(&contact, field).map(str::to_owned);
                set(&mut contact, field, value, theirs_at);
                changed = true;
                over_ours.then_some((ours, "frontdesk"))
            }
            Stands::Ours { over_theirs } => over_theirs.then_some((value, "chatwoot")),
            Stands::Both | Stands::Apart => None,
        };
        if let Some((value, side)) = dropped {
            let deed =
                Deed { action: "contact.sync_conflict", subject_type: "contact", subject_id: contact.id.0 };
            let details = json!({ "field": name, "dropped": value, "dropped_of": side, "kept": match stands {
                    Stands::Ours { .. } => field_of(&contact, field),
                    _ => theirs.field(field),
                } });
            audit::record(tx, Actor::server(account), deed, Some(&details), now)?;
        }
        base.remote.insert(name.to_owned(), remote[name].clone());
        // What stays ours against theirs goes there with the next push: until then it counts as changed here.
        if !matches!(stands, Stands::Ours { .. }) {
            base.local.insert(name.to_owned(), digests_of(&contact)[name].clone());
        }
    }
    if changed {
        contacts::save(tx, &contact, now)?;
        if let Some(identity) = phone_identity(theirs) {
            contacts::add_identity(tx, account, contact.id, &identity, now)?;
            found.phones.insert(identity.value, contact.id);
        }
    }
    let mut fields = details.custom_fields.clone();
    if !is_second {
        fields.retain(|name, _| !name.starts_with("chatwoot_"));
        fields.extend(theirs.custom_fields.clone());
    }
    let other_fields = fields != details.custom_fields;
    if other_fields {
        other_side::set_custom_fields(tx, account, contact.id, &fields, now)?;
    }
    if changed {
        tx.emit(updated(account, contact.id));
    }
    let id = contact.id;
    found.details.insert(id, Details { custom_fields: fields, ..details });
    found.rows.insert(id, contact);
    let map = mapped(source, theirs, map, id.0, base, told);
    Ok(if changed || other_fields { Taken::Updated(map) } else { Taken::Same(map) })
}

/// When a field was last changed here.
fn changed_here_at(contact: &ContactRow, details: &Details, field: Field) -> Timestamp {
    let by_hand = details.edited_at.get(field.as_str()).copied().unwrap_or_default();
    let told = match field {
        Field::Name => contact.name_at,
        Field::Phone => contact.phone_at,
        Field::Email => Timestamp::default(),
    };
    by_hand.max(told)
}

fn set(contact: &mut ContactRow, field: Field, value: Option<String>, at: Timestamp) {
    match field {
        Field::Name => (contact.name, contact.name_at) = (value, at),
        Field::Email => contact.email = value,
        Field::Phone => (contact.phone, contact.phone_at) = (value, at),
    }
}

pub(super) fn mapped(
    source: &Source,
    theirs: &Theirs,
    before: Option<&EntityMap>,
    internal_id: i64,
    base: Base,
    told: Told,
) -> EntityMap {
    let known_at = before.map_or(Timestamp::default(), |map| map.remote_updated_at);
    EntityMap {
        account_id: source.shelf.account,
        provider: source.shelf.provider,
        entity_type: source.shelf.entity,
        external_id: source.external_id(theirs.number),
        external_number: theirs.number,
        scope: source.shelf.scope.clone(),
        connection_id: source.connection,
        internal_id,
        fingerprint: theirs.fingerprint.clone(),
        base,
        listed: theirs.listed,
        remote_updated_at: known_at.max(told.changed_at.unwrap_or_default()),
        deleted_at: None,
        updated_at: Timestamp::default(),
    }
}
