//! A run that this node works on: kept by prolonging its lease, noted as far as it got together with what it did.

use std::time::Duration;

use frontdesk_model::sync::{SyncEntity, SyncRunStatus};
use frontdesk_model::{SyncRunId, Timestamp};
use frontdesk_store::sync_runs::{self, SyncCounts, SyncRunRow};
use frontdesk_store::{StoreError, Topic, Tx, sync_connections};

use super::progress;
use crate::Engine;

/// How long a node that died keeps a run from the others.
const LEASE_MS: i64 = 15_000;
/// How often a run is kept while the other program is waited for.
const KEEP_EVERY: Duration = Duration::from_secs(4);
/// How often progress is told at most.
const TELL_EVERY_MS: i64 = 500;

/// Why a run does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// Another node has it.
    #[error("another node took the run over")]
    Lost,
    /// A person wants it to stop.
    #[error("the run was cancelled")]
    Cancelled,
    /// This program ends.
    #[error("the program is to stop")]
    Shutdown,
    /// The database failed.
    #[error("the run could not be stored")]
    Store(#[from] StoreError),
    /// The other program failed.
    #[error("the other program did not answer as asked")]
    Remote(#[from] frontdesk_chatwoot_client::ChatwootError),
}

/// A claimed run.
pub(crate) struct Claim {
    engine: Engine,
    pub run: SyncRunRow,
    told_at: Timestamp,
}

impl Claim {
    /// Takes a run: `only` this one, or whichever waits longest.
    pub async fn take(engine: &Engine, only: Option<SyncRunId>) -> Result<Option<Self>, StoreError> {
        let (owner, now) = (engine.node_id.clone(), engine.clock.now());
        let until = now.plus_ms(LEASE_MS);
        let run = engine.store.write(move |tx| sync_runs::claim(tx, &owner, only, until, now)).await?;
        Ok(run.map(|run| Self { engine: engine.clone(), run, told_at: Timestamp::default() }))
    }

    /// Waits for something of the other program, and keeps the run meanwhile.
    pub async fn waiting<T>(&self, work: impl Future<Output = T>) -> Result<T, Stop> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = self.engine.shutdown.cancelled() => return Err(Stop::Shutdown),
                () = tokio::time::sleep(KEEP_EVERY) => self.keep().await?,
            }
        }
    }

    async fn keep(&self) -> Result<(), Stop> {
        let (run, until) = (self.run.clone(), self.engine.clock.now().plus_ms(LEASE_MS));
        let kept = self.engine.store.write(move |tx| sync_runs::prolong(tx, &run, until)).await?;
        if kept { Ok(()) } else { Err(Stop::Lost) }
    }

    /// Does a step and notes how far the run is, in one transaction; nothing of it happens when the run was lost. Steps of
    /// one connection come one after the other, whoever makes them.
    pub async fn step<F>(&mut self, cursor: String, step: F) -> Result<(), Stop>
    where
        F: Fn(&mut Tx<'_>, &mut SyncCounts, Timestamp) -> Result<(), StoreError> + Send + 'static,
    {
        let mut run = self.run.clone();
        run.cursor = Some(cursor);
        let now = self.engine.clock.now();
        let until = now.plus_ms(LEASE_MS);
        let (run, cancel) = self
            .engine
            .store
            .write(move |tx| -> Result<_, Stop> {
                let mut run = run.clone();
                sync_connections::lock(tx, run.account_id, run.connection_id)?;
                step(tx, &mut run.counts, now)?;
                let cancel = sync_runs::advance(tx, &run, until, now)?.ok_or(Stop::Lost)?;
                Ok((run, cancel))
            })
            .await?;
        self.run = run;
        if now.millis_since(self.told_at) >= TELL_EVERY_MS {
            self.told_at = now;
            progress::tell(&self.engine, &self.run);
        }
        if cancel { Err(Stop::Cancelled) } else { Ok(()) }
    }

    /// Ends the run and tells so.
    pub async fn finish(mut self, status: SyncRunStatus, error: Option<String>) -> Result<(), StoreError> {
        let (run, now) = (self.run.clone(), self.engine.clock.now());
        // An import brings nobody into step.
        let is_in_step = status == SyncRunStatus::Completed && run.entity_type != SyncEntity::History;
        let sentence = error.clone();
        let ended = self
            .engine
            .store
            .write(move |tx| -> Result<_, StoreError> {
                let ended = sync_runs::finish(tx, &run, status, sentence.as_deref(), now)?;
                if ended && is_in_step {
                    sync_connections::note_sync(tx, run.account_id, run.connection_id, now)?;
                }
                tx.signal(Topic::Sync);
                Ok(ended)
            })
            .await?;
        if ended {
            (self.run.status, self.run.error, self.run.finished_at) = (status, error, Some(now));
            progress::tell(&self.engine, &self.run);
        }
        Ok(())
    }

    /// Lets go of the run for `wait_ms`; then whoever looks first goes on with it.
    pub async fn put_off(self, wait_ms: i64, cursor: Option<String>, why: String) -> Result<(), StoreError> {
        let (mut run, until) = (self.run, self.engine.clock.now().plus_ms(wait_ms));
        run.cursor = cursor.or(run.cursor);
        self.engine
            .store
            .write(move |tx| {
                tx.signal(Topic::Sync);
                sync_runs::put_off(tx, &run, until, &why)
            })
            .await
    }
}
