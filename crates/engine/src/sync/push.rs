//! People from here to Chatwoot: made there, or changed in the fields that were changed here. What was changed there
//! meanwhile is taken over first, so that neither side overwrites the other unseen.

use frontdesk_chatwoot_client::{
    ChatwootClient, ChatwootError, Contact, ContactChanges, ContactRef, ErrorCode, NewContact,
};
use frontdesk_model::{ContactId, Timestamp};
use frontdesk_store::contacts::{self, ContactRow, other_side};
use frontdesk_store::external_entity_maps::{self as maps, Base, EntityMap};
use frontdesk_store::sync_runs::SyncCounts;
use frontdesk_store::{StoreError, Tx, sync_connections};
use serde::{Deserialize, Serialize};

use super::apply::{self, Batch, Source, Told};
use super::claim::{Claim, Stop};
use super::fields::{EMPTY, Field, Theirs, digests_of, field_of, identifier_of};
use super::pull;
use crate::Engine;

/// Contacts looked at together.
const PAGE: i64 = 100;

/// Where a run goes on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Cursor {
    /// After this contact.
    after: i64,
}

/// What has to be done about a contact.
enum Work {
    /// Nothing.
    Skip,
    /// It is not known there.
    Create,
    /// These of its fields were changed here.
    Change(Box<EntityMap>),
}

/// Pushes all people, from where the run stands.
pub(super) async fn people(
    engine: &Engine,
    claim: &mut Claim,
    client: &ChatwootClient,
    source: &Source,
) -> Result<(), Stop> {
    let known = claim.run.cursor.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let mut cursor: Cursor = known.unwrap_or_default();
    loop {
        let (shelf, after) = (source.shelf.clone(), ContactId(cursor.after));
        let (rows, known, total) = engine
            .store
            .read(move |tx| -> Result<_, Stop> {
                let ids = other_side::list_after(tx, shelf.account, after, PAGE)?;
                let found = contacts::find_many(tx, shelf.account, ids.iter().copied())?;
                let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
                let known = maps::of_internal(tx, &shelf, &numbers)?;
                let rows: Vec<ContactRow> = ids.iter().filter_map(|id| found.get(id).cloned()).collect();
                Ok((rows, known, other_side::count(tx, shelf.account)?))
            })
            .await?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut skipped = 0;
        for row in &rows {
            cursor.after = row.id.0;
            let work = work_of(row, &known);
            if matches!(work, Work::Skip) {
                skipped += 1;
                continue;
            }
            let done = match work {
                Work::Change(map) => change(engine, claim, client, source, row, *map).await?,
                _ => create(engine, claim, client, source, row).await?,
            };
            note(claim, &cursor, total, std::mem::take(&mut skipped), done, source, row).await?;
        }
        if skipped > 0 {
            let text = serde_json::to_string(&cursor).unwrap_or_default();
            let note = move |_: &mut Tx<'_>, counts: &mut SyncCounts, _| {
                counts.total = Some(total);
                counts.skipped += skipped;
                Ok(())
            };
            claim.step(text, note).await?;
        }
    }
}

fn work_of(row: &ContactRow, known: &[EntityMap]) -> Work {
    let mut theirs: Vec<&EntityMap> = known.iter().filter(|map| map.internal_id == row.id.0).collect();
    theirs.sort_unstable_by_key(|map| map.external_number);
    // Of two there that are one here the first gets what changes.
    let Some(first) = theirs.iter().find(|map| map.deleted_at.is_none()) else {
        let is_somebody = row.name.is_some() || row.email.is_some() || row.phone.is_some();
        // Gone there: it was deleted on purpose and does not come back.
        return if theirs.is_empty() && is_somebody { Work::Create } else { Work::Skip };
    };
    if changed(row, &first.base).is_empty() { Work::Skip } else { Work::Change(Box::new((*first).clone())) }
}

/// The fields that were changed here since both sides were the same.
fn changed(row: &ContactRow, base: &Base) -> Vec<Field> {
    let now = digests_of(row);
    let differs = |field: &Field| {
        let name = field.as_str();
        base.local.get(name).map_or(EMPTY, String::as_str) != now[name]
    };
    Field::ALL.into_iter().filter(differs).collect()
}

/// What became of a contact.
enum Done {
    Created(Contact),
    Updated(Contact, Timestamp),
    /// It needed nothing after all.
    Same,
    /// It is gone there.
    Gone(EntityMap),
    Refused(String),
}

async fn create(
    engine: &Engine,
    claim: &Claim,
    client: &ChatwootClient,
    source: &Source,
    row: &ContactRow,
) -> Result<Done, Stop> {
    let identifier = identifier_of(source.shelf.account, row.id);
    let new = NewContact {
        name: row.name.clone(),
        email: row.email.clone(),
        phone_number: row.phone.clone(),
        identifier: Some(identifier.clone()),
        ..NewContact::default()
    };
    let error = match claim.waiting(client.create_contact(&new)).await? {
        Ok(created) => return Ok(Done::Created(created.contact)),
        Err(error) => error,
    };
    if error.code() != ErrorCode::Conflict {
        return refused_or_stop(row, error);
    }
    // Somebody there has the number or the address. It is this person: both become one pair, and what differs is settled
    // as with every pair.
    let names = [
        Some(ContactRef::Identifier(&identifier)),
        row.phone.as_deref().map(ContactRef::Phone),
        row.email.as_deref().map(ContactRef::Email),
    ];
    for name in names.into_iter().flatten() {
        let asked_at = engine.clock.now();
        let Some(found) = claim.waiting(client.find_contact(name)).await?? else { continue };
        let map = take_over(engine, source, row, &found, None, asked_at).await?;
        return match map {
            Ok(map) => change(engine, claim, client, source, row, map).await,
            Err(sentence) => Ok(Done::Refused(sentence)),
        };
    }
    refused_or_stop(row, error)
}

async fn change(
    engine: &Engine,
    claim: &Claim,
    client: &ChatwootClient,
    source: &Source,
    row: &ContactRow,
    map: EntityMap,
) -> Result<Done, Stop> {
    let asked_at = engine.clock.now();
    let Some(theirs) = pull::find(claim, client, map.external_number).await? else {
        return Ok(Done::Gone(map));
    };
    let map = match take_over(engine, source, row, &theirs, Some(map), asked_at).await? {
        Ok(map) => map,
        Err(sentence) => return Ok(Done::Refused(sentence)),
    };
    let (account, id) = (row.account_id, row.id);
    let Some(row) = engine.store.read(move |tx| contacts::find(tx, account, id)).await? else {
        return Ok(Done::Same);
    };
    let fields = changed(&row, &map.base);
    if fields.is_empty() {
        return Ok(Done::Same);
    }
    let mut changes = ContactChanges::default();
    for field in fields {
        let value = field_of(&row, field).map(str::to_owned);
        match field {
            Field::Name => changes.name = Some(value.unwrap_or_default()),
            Field::Email => changes.email = Some(value),
            Field::Phone => changes.phone_number = Some(value),
        }
    }
    let asked_at = engine.clock.now();
    match claim.waiting(client.update_contact(map.external_number, &changes)).await? {
        Ok(contact) => Ok(Done::Updated(contact, asked_at)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(Done::Gone(map)),
        Err(error) => refused_or_stop(&row, error),
    }
}

/// Settles what was changed there since both were the same, and tells the pair as it is then.
async fn take_over(
    engine: &Engine,
    source: &Source,
    row: &ContactRow,
    contact: &Contact,
    map: Option<EntityMap>,
    asked_at: Timestamp,
) -> Result<Result<EntityMap, String>, Stop> {
    let mut theirs = match Theirs::read(contact, source.shelf.account) {
        Ok(theirs) => theirs,
        Err(sentence) => return Ok(Err(sentence)),
    };
    if let Some(map) = map.filter(|map| map.fingerprint == theirs.fingerprint) {
        return Ok(Ok(map));
    }
    theirs.made_of = Some(row.id);
    let (source, now) = (source.clone(), engine.clock.now());
    let account = source.shelf.account;
    engine
        .store
        .write(move |tx| -> Result<_, Stop> {
            sync_connections::lock(tx, account, source.connection)?;
            let mut counts = SyncCounts::default();
            let told = Told { asked_at, changed_at: None };
            let batch = Batch { people: std::slice::from_ref(&theirs), gone: &[], told };
            apply::apply(tx, &source, &batch, &mut counts, now)?;
            if let Some(sentence) = counts.error_messages.pop() {
                return Ok(Err(sentence));
            }
            let found = maps::find_many(tx, &source.shelf, &[source.external_id(theirs.number)])?.pop();
            Ok(found.ok_or_else(|| format!("Contact {}: it was removed at this moment", theirs.number)))
        })
        .await
}

/// What the other program says of one contact is told of it; what it says of the connection ends the run.
fn refused_or_stop(row: &ContactRow, error: ChatwootError) -> Result<Done, Stop> {
    match error.code() {
        ErrorCode::Conflict | ErrorCode::ValidationError | ErrorCode::BadRequest => {
            let fields = error.attributes().join(", ");
            let which = if fields.is_empty() { String::new() } else { format!(" ({fields})") };
            Ok(Done::Refused(format!("Contact {} here: {}{which}", row.id, error.user_message())))
        }
        _ => Err(error.into()),
    }
}

/// Writes down what became of a contact, with the place where the run is.
async fn note(
    claim: &mut Claim,
    cursor: &Cursor,
    total: i64,
    skipped: i64,
    done: Done,
    source: &Source,
    row: &ContactRow,
) -> Result<(), Stop> {
    let text = serde_json::to_string(cursor).unwrap_or_default();
    let (source, row) = (source.clone(), row.clone());
    claim
        .step(text, move |tx, counts, now| {
            counts.total = Some(total);
            counts.skipped += skipped;
            match &done {
                Done::Created(contact) => {
                    counts.created += 1;
                    save(tx, &source, &row, contact, None, now)
                }
                Done::Updated(contact, asked_at) => {
                    counts.updated += 1;
                    save(tx, &source, &row, contact, Some(*asked_at), now)
                }
                Done::Same => {
                    counts.skipped += 1;
                    Ok(())
                }
                Done::Gone(map) => {
                    counts.skipped += 1;
                    maps::save_many(tx, &[EntityMap { deleted_at: Some(now), ..map.clone() }], now)
                }
                Done::Refused(sentence) => {
                    apply::note_error(counts, sentence.clone());
                    Ok(())
                }
            }
        })
        .await
}

/// The answer of a write is how it is there now: known, so that it is not taken for news.
fn save(
    tx: &mut Tx<'_>,
    source: &Source,
    row: &ContactRow,
    contact: &Contact,
    asked_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Ok(theirs) = Theirs::read(contact, source.shelf.account) else { return Ok(()) };
    let before = maps::find_many(tx, &source.shelf, &[source.external_id(theirs.number)])?.pop();
    // Its own webhook may have come first, and have settled more than this answer knows.
    if before.as_ref().is_some_and(|map| asked_at.is_none_or(|asked| map.updated_at > asked)) {
        return Ok(());
    }
    let remote = theirs.digests();
    // What was sent is the same on both sides now; what was changed here meanwhile differs from it, and goes next time.
    let base = Base { local: remote.clone(), remote };
    let fields = theirs.custom_fields.clone();
    let map = apply::mapped(
        source,
        &theirs,
        before.as_ref(),
        row.id.0,
        base,
        Told { asked_at: now, changed_at: None },
    );
    maps::save_many(tx, &[map], now)?;
    let known = other_side::details_many(tx, row.account_id, [row.id])?.remove(&row.id).unwrap_or_default();
    let mut merged = known.custom_fields.clone();
    merged.extend(fields);
    if merged != known.custom_fields {
        other_side::set_custom_fields(tx, row.account_id, row.id, &merged, now)?;
    }
    Ok(())
}
