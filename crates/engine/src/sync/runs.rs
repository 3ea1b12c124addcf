//! Runs: asked for, waited for, looked at, stopped and resumed.

use std::time::Duration;

use frontdesk_model::sync::{
    SyncCause, SyncConnectionStatus, SyncDirection, SyncEntity, SyncProvider, SyncRunStatus,
};
use frontdesk_model::{AccountId, SyncConnectionId, SyncRunId};
use frontdesk_store::sync_connections::{self, SyncConnectionRow};
use frontdesk_store::sync_runs::{self, NewSyncRun, SyncRunRow};
use frontdesk_store::{StoreError, Topic, Tx};

use super::progress;
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;

/// A run that is waited for is looked at again this often, should its bell not be heard.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A run could not be asked for or changed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A field and what is wrong with it.
    #[error("the run's data are not valid")]
    Invalid(&'static str, String),
    /// There is no such connection or run in this account; which.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Things are in a state that does not allow it.
    #[error("{0}")]
    Conflict(&'static str),
    /// The database failed.
    #[error("the run could not be stored")]
    Store(#[from] StoreError),
}

/// What to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Which kind of thing.
    pub entity: SyncEntity,
    /// Which way.
    pub direction: SyncDirection,
}

impl Wanted {
    fn check(self) -> Result<(), RunError> {
        match (self.entity, self.direction) {
            (SyncEntity::Contacts, _) | (SyncEntity::Conversations, SyncDirection::Pull) => Ok(()),
            (SyncEntity::Conversations, SyncDirection::Push) => Err(RunError::Invalid(
                "direction",
                "The direction field must be pull: what is answered here goes to Chatwoot by itself, and a bridge shows \
                 other inboxes there."
                    .to_owned(),
            )),
            (SyncEntity::History, _) => Err(RunError::Invalid(
                "entityType",
                "The entityType field must be contacts or conversations: history is imported by POST \
                 /api/v1/sync/bridges/{id}/import."
                    .to_owned(),
            )),
        }
    }
}

/// Asks for a run of a connection; the one of this kind under way when there is one.
pub async fn start(
    engine: &Engine,
    actor: Actor,
    connection: SyncConnectionId,
    wanted: Wanted,
) -> Result<SyncRunRow, RunError> {
    wanted.check()?;
    let account = actor.account_id;
    start_of(engine, actor, wanted, move |tx| {
        sync_connections::find(tx, account, connection)?.ok_or(RunError::NotFound("connection"))
    })
    .await
}

/// The same for the only connection of a provider that works.
pub async fn start_of_provider(
    engine: &Engine,
    actor: Actor,
    provider: SyncProvider,
    wanted: Wanted,
) -> Result<SyncRunRow, RunError> {
    wanted.check()?;
    let account = actor.account_id;
    start_of(engine, actor, wanted, move |tx| {
        let mut all = sync_connections::list(tx, account)?;
        all.retain(|row| row.provider == provider);
        if all.is_empty() {
            return Err(RunError::NotFound("connection"));
        }
        let works = |row: &SyncConnectionRow| row.status == SyncConnectionStatus::Connected;
        if all.iter().any(works) {
            all.retain(works);
        }
        match all.len() {
            1 => Ok(all.remove(0)),
            _ => {
                let sentence = "The connectionId field is required: there are several connections.";
                Err(RunError::Invalid("connectionId", sentence.to_owned()))
            }
        }
    })
    .await
}

async fn start_of<F>(engine: &Engine, actor: Actor, wanted: Wanted, find: F) -> Result<SyncRunRow, RunError>
where
    F: Fn(&mut Tx<'_>) -> Result<SyncConnectionRow, RunError> + Send + 'static,
{
    let now = engine.clock.now();
    let run = engine
        .store
        .write(move |tx| -> Result<_, RunError> {
            let row = find(tx)?;
            if row.status == SyncConnectionStatus::Paused {
                return Err(RunError::Conflict("The connection is paused. Resume it first."));
            }
            let new = NewSyncRun {
                account_id: row.account_id,
                connection_id: row.id,
                provider: row.provider,
                entity_type: wanted.entity,
                direction: wanted.direction,
                cause: SyncCause::Manual,
            };
            let run = sync_runs::start(tx, new, now)?;
            if run.created_at == now {
                record(tx, actor, "sync_run.started", run.id, now)?;
            }
            tx.signal(Topic::Sync);
            Ok(run)
        })
        .await?;
    progress::tell(engine, &run);
    Ok(run)
}

/// Waits until a run has ended, at most so long; tells how it is then.
pub async fn wait(
    engine: &Engine,
    account: AccountId,
    id: SyncRunId,
    at_most: Duration,
) -> Result<SyncRunRow, RunError> {
    let mut bell = engine.store.signals().listen(Topic::Sync);
    let end = tokio::time::Instant::now() + at_most;
    loop {
        bell.mark_unchanged();
        let run = get(engine, account, id).await?;
        let is_over = !matches!(run.status, SyncRunStatus::Queued | SyncRunStatus::Running);
        let now = tokio::time::Instant::now();
        if is_over || now >= end {
            return Ok(run);
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => return Ok(run),
            Ok(()) = bell.changed() => {}
            () = tokio::time::sleep((end - now).min(LOOK_EVERY)) => {}
        }
    }
}

/// One run.
pub async fn get(engine: &Engine, account: AccountId, id: SyncRunId) -> Result<SyncRunRow, RunError> {
    let run = engine.store.read(move |tx| sync_runs::find(tx, account, id)).await?;
    run.ok_or(RunError::NotFound("run"))
}

/// The runs of an account before an id, the newest first.
pub async fn list(
    engine: &Engine,
    account: AccountId,
    connection: Option<SyncConnectionId>,
    before: SyncRunId,
    limit: i64,
) -> Result<Vec<SyncRunRow>, StoreError> {
    engine.store.read(move |tx| sync_runs::list(tx, account, connection, before, limit)).await
}

/// Stops a run: at once while it waits, else at its next step.
pub async fn cancel(engine: &Engine, actor: Actor, id: SyncRunId) -> Result<SyncRunRow, RunError> {
    change(engine, actor, id, "sync_run.cancelled", |tx, account, id, now| {
        match sync_runs::cancel(tx, account, id, now)? {
            true => Ok(()),
            false => Err(RunError::Conflict("The run has ended already.")),
        }
    })
    .await
}

/// Has a run that failed or was stopped go on where it was.
pub async fn resume(engine: &Engine, actor: Actor, id: SyncRunId) -> Result<SyncRunRow, RunError> {
    change(engine, actor, id, "sync_run.resumed", |tx, account, id, now| {
        match sync_runs::requeue(tx, account, id, now) {
            Ok(true) => Ok(()),
            Ok(false) => Err(RunError::Conflict("Only a run that failed or was cancelled can be resumed.")),
            Err(error) if error.is_unique_violation() => {
                Err(RunError::Conflict("Another run of this kind is under way."))
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}

async fn change<F>(
    engine: &Engine,
    actor: Actor,
    id: SyncRunId,
    action: &'static str,
    act: F,
) -> Result<SyncRunRow, RunError>
where
    F: Fn(&mut Tx<'_>, AccountId, SyncRunId, frontdesk_model::Timestamp) -> Result<(), RunError>
        + Send
        + 'static,
{
    let (account, now) = (actor.account_id, engine.clock.now());
    let run = engine
        .store
        .write(move |tx| -> Result<_, RunError> {
            sync_runs::find(tx, account, id)?.ok_or(RunError::NotFound("run"))?;
            act(tx, account, id, now)?;
            record(tx, actor, action, id, now)?;
            tx.signal(Topic::Sync);
            sync_runs::find(tx, account, id)?.ok_or(RunError::NotFound("run"))
        })
        .await?;
    progress::tell(engine, &run);
    Ok(run)
}

pub(crate) fn record(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &str,
    id: SyncRunId,
    now: frontdesk_model::Timestamp,
) -> Result<(), StoreError> {
    audit::record(tx, actor, Deed { action, subject_type: "sync_run", subject_id: id.0 }, None, now)
}
