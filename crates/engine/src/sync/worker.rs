//! Carries runs out, on whichever node is free, and asks for those that the schedules of connections want.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_chatwoot_client::ErrorCode;
use frontdesk_model::SyncRunId;
use frontdesk_model::sync::{SyncCause, SyncConnectionStatus, SyncDirection, SyncEntity, SyncRunStatus};
use frontdesk_store::external_entity_maps::Shelf;
use frontdesk_store::sync_connections::{self, SyncConnectionRow};
use frontdesk_store::sync_runs::{self, NewSyncRun};
use frontdesk_store::{StoreError, Topic};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::apply::Source;
use super::claim::{Claim, Stop};
use super::mirrors::Obstacle;
use super::{clients, pull, push, schedule, threads};
use crate::Engine;
use crate::bridge::import;

/// Runs of one node at once.
const AT_ONCE: usize = 3;
/// Looks for runs at least this often: those of nodes that died, those that were put off, those of schedules.
const PAUSE: Duration = Duration::from_secs(3);
/// Waits after the other program failed, in milliseconds; then the run has failed.
const AGAIN_MS: [i64; 8] = [5_000, 15_000, 60_000, 60_000, 300_000, 300_000, 900_000, 900_000];
/// The name of the field of a cursor that counts failures.
const FAILURES: &str = "failures";

/// Works until shutdown.
pub(crate) async fn run(engine: Engine) {
    if let Err(error) = take_over(&engine).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "former runs of a sync could not be taken over"
        );
    }
    let mut bell = engine.store.signals().listen(Topic::Sync);
    let (places, tracker) = (Arc::new(Semaphore::new(AT_ONCE)), TaskTracker::new());
    while !engine.shutdown.is_cancelled() {
        bell.mark_unchanged();
        let found = match ask_for_due(&engine).await {
            Ok(()) => take(&engine, &places, &tracker).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &found {
            tracing::warn!(error = error as &dyn std::error::Error, "runs of a sync could not be looked for");
        }
        if matches!(found, Ok(true)) {
            continue;
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => {}
            Ok(()) = bell.changed() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    tracker.close();
    tracker.wait().await;
}

/// A database with one node: whatever is claimed was claimed by a former self.
async fn take_over(engine: &Engine) -> Result<(), StoreError> {
    if engine.store.is_postgres() {
        return Ok(());
    }
    engine.store.write(sync_runs::end_leases).await
}

/// Takes one run, if there is one and a place for it.
async fn take(engine: &Engine, places: &Arc<Semaphore>, tracker: &TaskTracker) -> Result<bool, StoreError> {
    let Ok(place) = places.clone().try_acquire_owned() else { return Ok(false) };
    let Some(claim) = Claim::take(engine, None).await? else { return Ok(false) };
    let engine = engine.clone();
    // An import waits for its bridge, for hours maybe: no other run is kept waiting for it.
    let place = (claim.run.entity_type != SyncEntity::History).then_some(place);
    tracker.spawn(async move {
        carry_out(&engine, claim).await;
        drop(place);
    });
    Ok(true)
}

/// Asks for the runs whose time has come: one node does, the others find them asked for.
async fn ask_for_due(engine: &Engine) -> Result<(), StoreError> {
    let now = engine.clock.now();
    if engine.store.read(move |tx| sync_connections::due(tx, now)).await?.is_empty() {
        return Ok(());
    }
    engine
        .store
        .write(move |tx| {
            for row in sync_connections::due(tx, now)? {
                let next = row.schedule.as_deref().and_then(|cron| schedule::next_after(cron, now).ok());
                if sync_connections::set_next_run(tx, &row, next)?
                    && row.status != SyncConnectionStatus::Paused
                {
                    sync_runs::start(tx, scheduled(&row, SyncEntity::Contacts), now)?;
                    // Whoever pulled conversations once wants them kept in step.
                    let (entity, pull) = (SyncEntity::Conversations, SyncDirection::Pull);
                    if sync_runs::last_completed(tx, row.account_id, row.id, entity, pull)?.is_some() {
                        sync_runs::start(tx, scheduled(&row, entity), now)?;
                    }
                }
            }
            Ok(())
        })
        .await
}

fn scheduled(row: &SyncConnectionRow, entity_type: SyncEntity) -> NewSyncRun {
    NewSyncRun {
        account_id: row.account_id,
        connection_id: row.id,
        provider: row.provider,
        entity_type,
        direction: SyncDirection::Pull,
        cause: SyncCause::Schedule,
    }
}

/// Works on one run in this process, whether workers run here or not; false when somebody else has it.
///
/// Errors: the database failed.
pub async fn work_on(engine: &Engine, run: SyncRunId) -> Result<bool, StoreError> {
    let Some(claim) = Claim::take(engine, Some(run)).await? else { return Ok(false) };
    carry_out(engine, claim).await;
    Ok(true)
}

async fn carry_out(engine: &Engine, mut claim: Claim) {
    let (id, before) = (claim.run.id, claim.run.cursor.clone());
    let ended = go_on(engine, &mut claim).await;
    let noted = match ended {
        Ok(()) => claim.finish(SyncRunStatus::Completed, None).await,
        Err(Ended::Stop(stop)) => stopped(engine, claim, stop, before.as_deref()).await,
        Err(Ended::Cannot(why)) => claim.finish(SyncRunStatus::Failed, Some(why)).await,
    };
    if let Err(error) = noted {
        // Its lease runs out, and whoever looks next goes on with it.
        tracing::warn!(
            sync.run = id.0,
            error = &error as &dyn std::error::Error,
            "the end of a sync could not be stored"
        );
    }
}

/// Why a run came to no good end.
pub(crate) enum Ended {
    /// It does not go on now.
    Stop(Stop),
    /// It cannot go on; why, for people.
    Cannot(String),
}

impl<E: Into<Stop>> From<E> for Ended {
    fn from(stop: E) -> Self {
        Self::Stop(stop.into())
    }
}

async fn go_on(engine: &Engine, claim: &mut Claim) -> Result<(), Ended> {
    let run = claim.run.clone();
    if run.cancel_requested {
        return Err(Stop::Cancelled.into());
    }
    let (account, id) = (run.account_id, run.connection_id);
    let found = engine.store.read(move |tx| sync_connections::find(tx, account, id)).await?;
    let Some(row) = found else { return Err(Ended::Cannot("The connection was removed.".to_owned())) };
    if row.status == SyncConnectionStatus::Paused {
        return Err(Ended::Cannot("The connection is paused. Resume it, then the run.".to_owned()));
    }
    let client = clients::for_row(engine, &row)
        .map_err(|error| Ended::Cannot(format!("It could not begin: {error}.")))?;
    let scope = match row.scope.clone() {
        Some(scope) => scope,
        None => {
            let row = row.clone();
            engine.store.write(move |tx| sync_connections::settle_scope(tx, &row)).await?
        }
    };
    let shelf = Shelf { account, provider: row.provider, entity: run.entity_type, scope };
    let source = Source { shelf, connection: row.id };
    match (run.entity_type, run.direction) {
        (SyncEntity::Contacts, SyncDirection::Pull) => pull::people(engine, claim, &client, &source).await?,
        (SyncEntity::Contacts, SyncDirection::Push) => push::people(engine, claim, &client, &source).await?,
        (SyncEntity::Conversations, _) => match threads::pull(engine, claim, &client, &source, &row).await {
            Ok(()) => {}
            Err(Obstacle::Stop(stop)) => return Err(stop.into()),
            Err(Obstacle::Never(why)) => return Err(Ended::Cannot(why)),
        },
        (SyncEntity::History, _) => return import::carry_out(engine, claim).await,
    }
    if row.status == SyncConnectionStatus::Error {
        let now = engine.clock.now();
        let works = SyncConnectionStatus::Connected;
        engine.store.write(move |tx| sync_connections::set_status(tx, account, id, works, None, now)).await?;
    }
    Ok(())
}

async fn stopped(engine: &Engine, claim: Claim, stop: Stop, before: Option<&str>) -> Result<(), StoreError> {
    let error = match stop {
        Stop::Lost => return Ok(()),
        Stop::Cancelled => return claim.finish(SyncRunStatus::Cancelled, None).await,
        Stop::Shutdown => return claim.put_off(0, None, String::new()).await,
        Stop::Store(error) if !error.is_unavailable() => {
            tracing::error!(
                sync.run = claim.run.id.0,
                error = &error as &dyn std::error::Error,
                "a sync could not be stored"
            );
            let sentence = "Something went wrong here. It has been logged.".to_owned();
            return claim.finish(SyncRunStatus::Failed, Some(sentence)).await;
        }
        Stop::Store(error) => {
            tracing::warn!(
                sync.run = claim.run.id.0,
                error = &error as &dyn std::error::Error,
                "a sync waits for the database"
            );
            return claim.put_off(AGAIN_MS[0], None, "The database could not be used.".to_owned()).await;
        }
        Stop::Remote(error) => error,
    };
    let sentence = error.user_message().to_owned();
    tracing::warn!(
        sync.run = claim.run.id.0,
        error = &error as &dyn std::error::Error,
        "a sync was broken off"
    );
    if !error.is_retryable() {
        if matches!(error.code(), ErrorCode::Unauthorized | ErrorCode::Forbidden) {
            note_broken(engine, &claim, &sentence).await?;
        }
        return claim.finish(SyncRunStatus::Failed, Some(sentence)).await;
    }
    // Failures count while the run does not get on.
    let moved = claim.run.cursor.as_deref() != before;
    let failures = if moved { 0 } else { failures(before) };
    let Some(wait) = AGAIN_MS.get(failures) else {
        return claim.finish(SyncRunStatus::Failed, Some(sentence)).await;
    };
    let asked = error.retry_after().and_then(|wait| i64::try_from(wait.as_millis()).ok()).unwrap_or(0);
    let cursor = with_failures(claim.run.cursor.as_deref(), failures + 1);
    claim.put_off((*wait).max(asked), cursor, sentence).await
}

async fn note_broken(engine: &Engine, claim: &Claim, sentence: &str) -> Result<(), StoreError> {
    let (account, id, now) = (claim.run.account_id, claim.run.connection_id, engine.clock.now());
    let sentence = format!("Connection test failed: {sentence}");
    let broken = SyncConnectionStatus::Error;
    engine
        .store
        .write(move |tx| sync_connections::set_status(tx, account, id, broken, Some(&sentence), now))
        .await
}

fn failures(cursor: Option<&str>) -> usize {
    let cursor = cursor.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let count = cursor.and_then(|cursor| cursor.get(FAILURES)?.as_u64()).unwrap_or(0);
    usize::try_from(count).unwrap_or(0)
}

/// The same place, with the failures there. A run that has no place yet begins anew.
fn with_failures(cursor: Option<&str>, failures: usize) -> Option<String> {
    let mut cursor: serde_json::Value = serde_json::from_str(cursor?).ok()?;
    cursor.as_object_mut()?.insert(FAILURES.to_owned(), failures.into());
    Some(cursor.to_string())
}
