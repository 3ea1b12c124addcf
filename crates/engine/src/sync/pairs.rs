//! People known to be the same here and there, for others than runs: a bridge asks before it looks for somebody there, and
//! notes whom it found or made, so that neither it nor a push makes anybody twice.

use frontdesk_chatwoot_client::Contact;
use frontdesk_model::sync::SyncEntity;
use frontdesk_model::{AccountId, ContactId, SyncConnectionId, Timestamp};
use frontdesk_store::external_entity_maps::{self as maps, Base, EntityMap, Shelf};
use frontdesk_store::{StoreError, Tx, sync_connections};

use super::apply::{self, Source, Told};
use super::fields::Theirs;

/// Where the people of a connection are; `None` when it is gone.
fn source(
    tx: &mut Tx<'_>,
    account: AccountId,
    connection: SyncConnectionId,
) -> Result<Option<Source>, StoreError> {
    let Some(row) = sync_connections::find(tx, account, connection)? else { return Ok(None) };
    let scope = sync_connections::settle_scope(tx, &row)?;
    let shelf = Shelf { account, provider: row.provider, entity: SyncEntity::Contacts, scope };
    Ok(Some(Source { shelf, connection }))
}

/// The numbers there of people of ours, each with who it is; of several there that are one here, the first.
pub(crate) fn numbers_of(
    tx: &mut Tx<'_>,
    account: AccountId,
    connection: SyncConnectionId,
    people: &[ContactId],
) -> Result<Vec<(ContactId, i64)>, StoreError> {
    let Some(row) = sync_connections::find(tx, account, connection)? else { return Ok(Vec::new()) };
    // A connection that never did anything has no scope, and knows nobody.
    let Some(scope) = row.scope else { return Ok(Vec::new()) };
    let shelf = Shelf { account, provider: row.provider, entity: SyncEntity::Contacts, scope };
    let ids: Vec<i64> = people.iter().map(|id| id.0).collect();
    let mut found = maps::of_internal(tx, &shelf, &ids)?;
    found.retain(|map| map.deleted_at.is_none());
    found.sort_unstable_by_key(|map| (map.internal_id, map.external_number));
    found.dedup_by_key(|map| map.internal_id);
    Ok(found.into_iter().map(|map| (ContactId(map.internal_id), map.external_number)).collect())
}

/// Notes that somebody there is a contact of ours. Which value of a field stands is left to the next run: until then the
/// two are told to differ. Who is known already stays whose they are.
pub(crate) fn note(
    tx: &mut Tx<'_>,
    account: AccountId,
    connection: SyncConnectionId,
    contact: ContactId,
    there: &Contact,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Such as a run would not take over are looked for anew each time.
    let Ok(theirs) = Theirs::read(there, account) else { return Ok(()) };
    sync_connections::lock(tx, account, connection)?;
    let Some(source) = source(tx, account, connection)? else { return Ok(()) };
    let known = maps::find_many(tx, &source.shelf, &[source.external_id(theirs.number)])?.pop();
    if known.as_ref().is_some_and(|map| map.deleted_at.is_none()) {
        return Ok(());
    }
    let told = Told { asked_at: now, changed_at: None };
    let map = apply::mapped(&source, &theirs, known.as_ref(), contact.0, Base::default(), told);
    maps::save_many(tx, &[EntityMap { fingerprint: String::new(), ..map }], now)
}

/// Notes that somebody is gone there.
pub(crate) fn note_gone(
    tx: &mut Tx<'_>,
    account: AccountId,
    connection: SyncConnectionId,
    number: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    sync_connections::lock(tx, account, connection)?;
    let Some(source) = source(tx, account, connection)? else { return Ok(()) };
    let known = maps::find_many(tx, &source.shelf, &[source.external_id(number)])?.pop();
    match known {
        Some(map) => maps::save_many(tx, &[EntityMap { deleted_at: Some(now), ..map }], now),
        None => Ok(()),
    }
}
