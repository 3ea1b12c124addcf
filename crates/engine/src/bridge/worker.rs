//! Claims what is due and carries it out, many conversations at once and each in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use frontdesk_model::Timestamp;
use frontdesk_store::bridge_jobs::{self, BridgeJobRow};
use frontdesk_store::{StoreError, bridges};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::jobs::Job;
use super::trouble::Trouble;
use super::{answer, line, mirror, retry};
use crate::Engine;
use crate::outbox::schedule::next_try;

/// Jobs of one node under way.
const CONCURRENCY: usize = 16;
/// A claim that is not prolonged ends after this long.
const LEASE_MS: i64 = 30_000;
/// How often it is prolonged.
const PROLONG: Duration = Duration::from_secs(10);
/// Looks again at least this often: other nodes queue too.
const MAX_SLEEP: Duration = Duration::from_secs(1);
/// Looks again this soon when what is due waits behind others.
const BLOCKED_PAUSE: Duration = Duration::from_millis(50);
/// What is under way when the server stops may take this long; then it is left to the next start, or to another node.
const LAST_MOMENTS: Duration = Duration::from_secs(3);
/// What people have to see to first is tried again after this long.
const PEOPLE_MS: u64 = 30_000;

/// A job that this worker holds.
pub(super) struct Claim {
    engine: Engine,
    pub(super) row: BridgeJobRow,
    token: Arc<str>,
    until: AtomicI64,
}

impl Claim {
    /// True when it was tried before: what it does may be done already.
    pub(super) fn is_repeated(&self) -> bool {
        self.row.attempts > 1
    }

    /// True when it shows a message from before the bridge.
    pub(super) fn is_history(&self) -> bool {
        self.row.kind == "history"
    }

    /// To be asked before each thing that must not be done twice: a worker that stood still for long has lost its job.
    pub(super) fn check(&self) -> Result<(), Trouble> {
        let left = self.until.load(Ordering::Relaxed) - self.engine.clock.now().as_millis();
        if left > 0 { Ok(()) } else { Err(Trouble::Lost) }
    }

    /// Holds it for as long as it takes; ends when it was lost.
    async fn prolong(&self) {
        loop {
            tokio::time::sleep(PROLONG).await;
            let until = self.engine.clock.now().plus_ms(LEASE_MS);
            let (row, token) = (self.row.clone(), self.token.clone());
            match self.engine.store.write(move |tx| bridge_jobs::prolong(tx, &row, &token, until)).await {
                Ok(true) => self.until.store(until.as_millis(), Ordering::Relaxed),
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a claim could not be prolonged"
                    );
                }
            }
        }
    }
}

/// What a former self of the only node held is taken up at once.
pub(super) async fn take_over(engine: &Engine) {
    if engine.store.is_postgres() {
        return;
    }
    if let Err(error) = engine.store.write(bridge_jobs::release_all).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "former work could not be taken over");
    }
}

/// Works until the engine stops, then finishes what it holds.
pub(super) async fn run(engine: &Engine) {
    let places = Arc::new(Semaphore::new(CONCURRENCY));
    let jobs = TaskTracker::new();
    while !engine.shutdown.is_cancelled() {
        let pause = match claim(engine, places.available_permits()).await {
            Ok(rows) if rows.is_empty() => time_to_next(engine).await.unwrap_or(MAX_SLEEP),
            Ok(rows) => {
                for claim in rows {
                    let Ok(place) = places.clone().acquire_owned().await else { return };
                    jobs.spawn(async move {
                        let engine = claim.engine.clone();
                        if let Err(error) = carry_out(&engine, claim).await {
                            let error = &error as &dyn std::error::Error;
                            tracing::warn!(error, "what came of a bridge's work could not be written");
                        }
                        drop(place);
                        engine.bridges().work.notify_one();
                    });
                }
                Duration::ZERO
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the work of bridges could not be read"
                );
                MAX_SLEEP
            }
        };
        if places.available_permits() == 0 || !pause.is_zero() {
            tokio::select! {
                () = engine.shutdown.cancelled() => {}
                () = engine.bridges().work.notified() => {}
                () = tokio::time::sleep(pause.max(BLOCKED_PAUSE)) => {}
            }
        }
    }
    jobs.close();
    jobs.wait().await;
}

async fn claim(engine: &Engine, free: usize) -> Result<Vec<Claim>, StoreError> {
    let now = engine.clock.now();
    let due = engine.store.read(bridge_jobs::next_due).await?;
    if free == 0 || due.is_none_or(|at| at > now) {
        return Ok(Vec::new());
    }
    let token: Arc<str> = format!("{}:{:016x}", engine.node_id, rand::random::<u64>()).into();
    let until = now.plus_ms(LEASE_MS);
    let (claimed, limit) = (token.clone(), i64::try_from(free).unwrap_or(1));
    let rows = engine.store.write(move |tx| bridge_jobs::claim(tx, now, until, &claimed, limit)).await?;
    let of = |row| Claim {
        engine: engine.clone(),
        row,
        token: token.clone(),
        until: AtomicI64::new(until.as_millis()),
    };
    Ok(rows.into_iter().map(of).collect())
}

async fn time_to_next(engine: &Engine) -> Result<Duration, StoreError> {
    let (now, ended) = (engine.clock.now(), engine.clock.now());
    // Looked for where an idle moment is: claims of workers that died.
    if engine.store.read(move |tx| bridge_jobs::is_any_expired(tx, ended)).await? {
        engine.store.write(move |tx| bridge_jobs::release_expired(tx, ended)).await?;
        return Ok(BLOCKED_PAUSE);
    }
    let Some(due) = engine.store.read(bridge_jobs::next_due).await? else { return Ok(MAX_SLEEP) };
    let wait_ms = due.millis_since(now);
    Ok(u64::try_from(wait_ms).map_or(BLOCKED_PAUSE, Duration::from_millis).clamp(BLOCKED_PAUSE, MAX_SLEEP))
}

async fn carry_out(engine: &Engine, claim: Claim) -> Result<(), StoreError> {
    let result = tokio::select! {
        result = perform(engine, &claim) => result,
        () = claim.prolong() => Err(Trouble::Lost),
        () = stopped(engine) => Err(Trouble::Later("the server stopped".to_owned(), 0)),
    };
    let now = engine.clock.now();
    let (row, token) = (claim.row, claim.token);
    let (account, bridge) = (row.account_id, row.bridge_id);
    let outcome = match result {
        Ok(()) => {
            let (finished, was_retried) = (row.clone(), row.attempts > 1);
            let end = move |tx: &mut frontdesk_store::Tx<'_>| {
                bridge_jobs::finish(tx, &finished, &token)?;
                let well = bridges::note_well(tx, account, bridge, now)?;
                if well || was_retried {
                    // Chatwoot answers again: nothing has to wait any longer.
                    bridge_jobs::wake(tx, account, bridge, now)?;
                }
                Ok::<_, StoreError>(())
            };
            engine.store.write(end).await?;
            "done"
        }
        Err(Trouble::Lost) => "lost",
        Err(Trouble::Wait(ms)) => {
            engine
                .store
                .write(move |tx| bridge_jobs::requeue(tx, &row, &token, now.plus_ms(ms), None, now))
                .await?;
            "waits"
        }
        Err(Trouble::Store(error)) => {
            let due_at = next_try(&engine.settings.outbox, row.attempts, 0, rand::random(), now);
            let sentence = error.to_string();
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "work of a bridge met a failing database"
            );
            engine
                .store
                .write(move |tx| bridge_jobs::requeue(tx, &row, &token, due_at, Some(&sentence), now))
                .await?;
            "retry"
        }
        Err(trouble @ (Trouble::Later(..) | Trouble::People(_))) => {
            try_later(engine, row, token, &trouble, now).await?;
            "retry"
        }
        Err(trouble @ (Trouble::Gone(_) | Trouble::Refused(_))) => {
            let sentence = trouble.to_string();
            tracing::warn!(
                bridge.id = bridge.0,
                kind = row.kind,
                error = sentence,
                "Chatwoot refused what a bridge brought"
            );
            engine.store.write(move |tx| bridge_jobs::fail(tx, &row, &token, &sentence, now)).await?;
            "failed"
        }
    };
    metrics::counter!("frontdesk_bridge_jobs_total", "outcome" => outcome).increment(1);
    Ok(())
}

/// Ends when the server stops and what was begun has had its time.
async fn stopped(engine: &Engine) {
    engine.shutdown.cancelled().await;
    tokio::time::sleep(LAST_MOMENTS).await;
}

async fn try_later(
    engine: &Engine,
    row: BridgeJobRow,
    token: Arc<str>,
    trouble: &Trouble,
    now: Timestamp,
) -> Result<(), StoreError> {
    let settings = &engine.settings.outbox;
    let (account, bridge, sentence) = (row.account_id, row.bridge_id, trouble.to_string());
    let (not_before, needs_people) = match trouble {
        Trouble::Later(_, wait_ms) => (*wait_ms, false),
        _ => (PEOPLE_MS.min(settings.retry_ladder_ms.last().copied().unwrap_or(PEOPLE_MS)), true),
    };
    tracing::debug!(
        bridge.id = bridge.0,
        kind = row.kind,
        error = sentence,
        "work of a bridge is tried again"
    );
    let is_given_up = !needs_people && now.millis_since(row.created_at) > settings.give_up_ms;
    let due_at = next_try(settings, row.attempts, not_before, rand::random(), now);
    engine
        .store
        .write(move |tx| {
            if needs_people {
                bridges::note_error(tx, account, bridge, &sentence, now)?;
            }
            if is_given_up {
                return bridge_jobs::fail(tx, &row, &token, &sentence, now).map(drop);
            }
            bridge_jobs::requeue(tx, &row, &token, due_at, Some(&sentence), now).map(drop)
        })
        .await
}

async fn perform(engine: &Engine, claim: &Claim) -> Result<(), Trouble> {
    let row = &claim.row;
    let job: Job = serde_json::from_str(&row.data)
        .map_err(|error| Trouble::Refused(format!("this version does not know such work: {error}")))?;
    let line = line::open(engine, row.account_id, row.bridge_id).await?;
    match job {
        Job::Message { message } => mirror::message(engine, claim, &line, message).await,
        Job::Person { conversation } => mirror::person(engine, claim, &line, conversation).await,
        Job::History { message } => mirror::message(engine, claim, &line, message).await,
        Job::Settle { conversation } => mirror::settle(engine, &line, conversation).await,
        Job::Change { message } => mirror::change(engine, claim, &line, message).await,
        Job::Removed { message } => mirror::removed(engine, &line, message).await,
        Job::Status { message } => mirror::status(engine, claim, &line, message).await,
        Job::Seen { conversation } => mirror::seen(engine, &line, conversation).await,
        Job::State { conversation } => mirror::state(engine, &line, conversation).await,
        Job::Answer { conversation, message, written } => {
            answer::send(engine, claim, &line, conversation, message, written).await
        }
        Job::Retried { conversation, message } => {
            retry::follow(engine, claim, &line, conversation, message).await
        }
        Job::Deleted { message } => answer::delete(engine, &line, message).await,
        Job::Moved { conversation } => answer::follow_status(engine, &line, conversation).await,
    }
}
