//! What Chatwoot tells connections: a contact is new or another, something happened in a conversation (see `news.rs`). It
//! delivers once or never and in any order, so what says when it was changed is taken as it is unless something newer is
//! known, and what does not is a reason to ask.

use frontdesk_chatwoot_client::event::{self, Event};
use frontdesk_chatwoot_client::webhook::Genuine;
use frontdesk_chatwoot_client::{
    Contact, ErrorCode, WebhookEvent, WebhookRejection, WebhookSettings, WebhookVerifier,
};
use frontdesk_model::Timestamp;
use frontdesk_model::sync::{SyncConnectionStatus, SyncEntity, SyncProvider};
use frontdesk_store::external_entity_maps::{self as maps, EntityMap, Shelf};
use frontdesk_store::sync_connections::{self, SyncConnectionRow};
use frontdesk_store::sync_runs::SyncCounts;
use frontdesk_store::{StoreError, Tx};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::apply::{self, Batch, Source, Told};
use super::clients::{self, Secrets};
use super::fields::Theirs;
use super::news::{self, Looks};
use crate::Engine;
use crate::chatwoot::webhook::WebhookHeaders;

/// Bodies that name no account are tried against every connection only up to this size.
const UNNAMED_MAX_BYTES: usize = 16 * 1024;
/// Contacts and conversations that wait to be asked for; of more, the next pull learns.
const WAITING: usize = 500;

/// What is asked for in the background.
pub(crate) struct Questions {
    places: Semaphore,
    /// Conversations that are asked about, each once at a time.
    pub(super) threads: Looks,
}

impl Questions {
    /// A place for one question; `None` when too many wait.
    pub(super) fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.try_acquire().ok()
    }
}

impl Default for Questions {
    fn default() -> Self {
        Self { places: Semaphore::new(WAITING), threads: Looks::default() }
    }
}

/// The connections whose secret made the signature, with what names the delivery; or why none did. `None`: there is none
/// that it could be for.
pub(crate) async fn verify(
    engine: &Engine,
    headers: WebhookHeaders<'_>,
    body: &[u8],
    settings: &WebhookSettings,
) -> Result<Option<Result<(Vec<SyncConnectionRow>, Genuine), WebhookRejection>>, StoreError> {
    let all = engine.store.read(|tx| sync_connections::list_provider(tx, SyncProvider::Chatwoot)).await?;
    if all.is_empty() {
        return Ok(None);
    }
    if headers.signature.is_none() {
        return Ok(Some(Err(WebhookRejection::NotSigned)));
    }
    // Whose it may be, from bytes that nobody has vouched for yet: it decides only whose secrets are tried.
    let named = event::parse(body).ok().and_then(|event| event.account_id).map(|id| id.to_string());
    let rows = match named {
        Some(account) => {
            engine
                .store
                .read(move |tx| sync_connections::list_remote(tx, SyncProvider::Chatwoot, &account))
                .await?
        }
        None if body.len() > UNNAMED_MAX_BYTES => Vec::new(),
        None => all,
    };
    let now_s = engine.clock.now().as_secs();
    let mut genuine: Option<(Vec<SyncConnectionRow>, Genuine)> = None;
    let mut rejected = WebhookRejection::WrongSignature;
    for row in rows {
        let Ok(secrets) = Secrets::open(&engine.vault, &row) else { continue };
        if secrets.webhook_secrets.is_empty() {
            continue;
        }
        let settings = WebhookSettings { secrets: secrets.webhook_secrets, ..settings.clone() };
        let WebhookHeaders { signature, timestamp, delivery } = headers;
        match WebhookVerifier::new(settings).verify(body, signature, timestamp, delivery, now_s) {
            Ok(found) => genuine.get_or_insert_with(|| (Vec::new(), found)).0.push(row),
            Err(rejection) => rejected = rejection,
        }
    }
    Ok(Some(genuine.ok_or(rejected)))
}

/// Takes over what an event tells a connection.
pub(crate) async fn take(
    engine: &Engine,
    row: &SyncConnectionRow,
    event: &WebhookEvent,
) -> Result<(), StoreError> {
    if row.status == SyncConnectionStatus::Paused {
        return Ok(());
    }
    let (Event::ContactCreated(contact) | Event::ContactUpdated(contact)) = &event.event else {
        return news::take(engine, row, event).await;
    };
    // One that never worked has brought nothing over yet.
    let Some(source) = source_of(row, SyncEntity::Contacts) else { return Ok(()) };
    match changed_at(event) {
        Some(at) => {
            let told = Told { asked_at: engine.clock.now(), changed_at: Some(at) };
            learn(engine, source, contact, told).await
        }
        None => {
            ask(engine, row.clone(), source, contact.id);
            Ok(())
        }
    }
}

pub(super) fn source_of(row: &SyncConnectionRow, entity: SyncEntity) -> Option<Source> {
    let scope = row.scope.clone()?;
    let shelf = Shelf { account: row.account_id, provider: row.provider, entity, scope };
    Some(Source { shelf, connection: row.id })
}

/// When the contact was changed, where the event says so.
fn changed_at(event: &WebhookEvent) -> Option<Timestamp> {
    let change = event.changes.iter().find(|change| change.field == "updated_at")?;
    let at = frontdesk_chatwoot_client::Timestamp::read(&change.current)?;
    Some(Timestamp::from_millis(at.0))
}

async fn learn(engine: &Engine, source: Source, contact: &Contact, told: Told) -> Result<(), StoreError> {
    let theirs = match Theirs::read(contact, source.shelf.account) {
        Ok(theirs) => theirs,
        Err(why) => {
            tracing::info!(sync.connection = source.connection.0, why, "a contact was not taken over");
            return Ok(());
        }
    };
    let now = engine.clock.now();
    let refused = engine
        .store
        .write(move |tx| -> Result<_, StoreError> {
            sync_connections::lock(tx, source.shelf.account, source.connection)?;
            let mut counts = SyncCounts::default();
            let batch = Batch { people: std::slice::from_ref(&theirs), gone: &[], told };
            apply::apply(tx, &source, &batch, &mut counts, now)?;
            Ok(counts.error_messages.pop())
        })
        .await?;
    if let Some(why) = refused {
        tracing::info!(why, "a contact was not taken over; the next pull looks at it again");
    }
    Ok(())
}

/// Asks how a contact is now, in the background: Chatwoot waits five seconds for the answer to its webhook.
fn ask(engine: &Engine, row: SyncConnectionRow, source: Source, number: i64) {
    let engine = engine.clone();
    tokio::spawn(async move {
        let Some(_place) = engine.sync_questions().place() else {
            tracing::warn!(
                sync.connection = row.id.0,
                "too many contacts were changed at once: the next pull learns of the rest"
            );
            return;
        };
        let Ok(client) = clients::for_row(&engine, &row) else { return };
        let told = Told { asked_at: engine.clock.now(), changed_at: None };
        let learnt = match client.get_contact(number).await {
            Ok(contact) => learn(&engine, source, &contact, told).await,
            Err(error) if error.code() == ErrorCode::NotFound => note_gone(&engine, source, number).await,
            Err(error) => {
                tracing::info!(
                    sync.connection = row.id.0,
                    error = &error as &dyn std::error::Error,
                    "a contact that changed could not be asked for; the next pull does"
                );
                return;
            }
        };
        if let Err(error) = learnt {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a contact that changed could not be stored; the next pull looks at it again"
            );
        }
    });
}

async fn note_gone(engine: &Engine, source: Source, number: i64) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let gone = move |tx: &mut Tx<'_>| {
        sync_connections::lock(tx, source.shelf.account, source.connection)?;
        let known = maps::find_many(tx, &source.shelf, &[source.external_id(number)])?;
        let gone: Vec<EntityMap> =
            known.into_iter().map(|map| EntityMap { deleted_at: Some(now), ..map }).collect();
        maps::save_many(tx, &gone, now)
    };
    engine.store.write(gone).await
}
