//! Claims what is due and carries it out, several conversations at once.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_store::outbox::{self, OutboxRow};
use frontdesk_store::{StoreError, Topic};
use tokio::sync::Semaphore;

use super::send;
use crate::Engine;

/// Looks again at least this often, should a bell be lost.
const MAX_SLEEP: Duration = Duration::from_secs(1);
/// Looks again this soon when everything due is blocked.
const BLOCKED_PAUSE: Duration = Duration::from_millis(250);
/// Rests this long after the database failed.
const ERROR_PAUSE: Duration = Duration::from_secs(1);

/// Works until shutdown, then finishes what it holds.
pub(crate) async fn run(engine: Engine) {
    let limit = engine.settings.outbox.concurrency.max(1);
    let places = Arc::new(Semaphore::new(limit));
    let mut bell = engine.store.signals().listen(Topic::Outbox);
    while !engine.shutdown.is_cancelled() {
        bell.mark_unchanged();
        // At least one place must be free before anything is claimed.
        let Ok(place) = places.acquire().await else { return };
        let free = places.available_permits() + 1;
        drop(place);
        let pause = match claim(&engine, free).await {
            Ok((_, rows)) if rows.is_empty() => match time_to_next(&engine).await {
                Ok(wait) => wait,
                Err(_) => ERROR_PAUSE,
            },
            Ok((token, rows)) => {
                for row in rows {
                    let Ok(place) = places.clone().acquire_owned().await else { return };
                    let (engine, token) = (engine.clone(), token.clone());
                    tokio::spawn(async move {
                        send::carry_out(&engine, row, &token).await;
                        drop(place);
                    });
                }
                Duration::ZERO
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the outbox could not be read");
                ERROR_PAUSE
            }
        };
        if !pause.is_zero() {
            tokio::select! {
                () = engine.shutdown.cancelled() => {}
                _ = bell.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
    // Whoever holds a place is sending: wait for all of them.
    let all = u32::try_from(limit).unwrap_or(u32::MAX);
    drop(places.acquire_many(all).await);
}

async fn claim(engine: &Engine, limit: usize) -> Result<(Arc<str>, Vec<OutboxRow>), StoreError> {
    let token: Arc<str> = format!("{}:{:016x}", engine.node_id, rand::random::<u64>()).into();
    let now = engine.clock.now();
    let lease_until = now.plus_ms(engine.settings.outbox.lease_ms);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let claimed = token.clone();
    // Claiming writes; an idle server should not. Look first.
    let due = engine.store.read(outbox::next_due).await?;
    if due.is_none_or(|at| at > now) {
        return Ok((token, Vec::new()));
    }
    let rows = engine.store.write(move |tx| outbox::claim(tx, now, lease_until, &claimed, limit)).await?;
    Ok((token, rows))
}

/// How long to sleep when nothing could be claimed.
async fn time_to_next(engine: &Engine) -> Result<Duration, StoreError> {
    let due = engine.store.read(outbox::next_due).await?;
    let Some(due) = due else { return Ok(MAX_SLEEP) };
    let wait_ms = due.millis_since(engine.clock.now());
    // What is due but not to be had waits for another row of its conversation, whose end rings the bell.
    Ok(u64::try_from(wait_ms)
        .map_or(BLOCKED_PAUSE, Duration::from_millis)
        .clamp(BLOCKED_PAUSE / 10, MAX_SLEEP))
}
