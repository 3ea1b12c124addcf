//! Claims what is due and carries it out, several conversations at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use frontdesk_model::InboxId;
use frontdesk_store::outbox::{self, OutboxRow};
use frontdesk_store::{StoreError, Topic};
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::send;
use crate::Engine;

/// Looks again at least this often, should a bell be lost.
const MAX_SLEEP: Duration = Duration::from_secs(1);
/// Looks again this soon when everything due is blocked by what other nodes do.
const BLOCKED_PAUSE: Duration = Duration::from_millis(250);
/// Rests this long after the database failed.
const ERROR_PAUSE: Duration = Duration::from_secs(1);
/// A send that takes longer gives its place to others: it waits for a provider, which costs this node nothing.
const SLOW: Duration = Duration::from_secs(1);
/// One inbox has at most this share of the places, so that a provider that hangs leaves some to the others. What is slow
/// still counts here: more of the same inbox would be as slow.
const INBOX_SHARE: usize = 4;

/// Works until shutdown, then finishes what it holds.
pub(crate) async fn run(engine: Engine) {
    let limit = engine.settings.outbox.concurrency.max(1);
    let places = Arc::new(Semaphore::new(limit));
    let under_way = Arc::new(UnderWay::new(limit.div_ceil(INBOX_SHARE)));
    let sends = TaskTracker::new();
    let mut bell = engine.store.signals().listen(Topic::Outbox);
    loop {
        bell.mark_unchanged();
        // At least one place must be free before anything is claimed.
        let free = tokio::select! {
            () = engine.shutdown.cancelled() => break,
            place = places.acquire() => match place {
                Ok(_place) => places.available_permits() + 1,
                Err(_) => return,
            },
        };
        let pause = match claim(&engine, free, &under_way).await {
            Ok((_, rows)) if rows.is_empty() => time_to_next(&engine).await.unwrap_or(ERROR_PAUSE),
            Ok((token, rows)) => {
                for row in rows {
                    let Ok(place) = places.clone().acquire_owned().await else { return };
                    let (engine, token, turn) =
                        (engine.clone(), token.clone(), under_way.begin(row.inbox_id));
                    let span = send::span_of(&row);
                    sends.spawn(async move {
                        let send = send::carry_out(&engine, row, &token).instrument(span);
                        tokio::pin!(send);
                        if tokio::time::timeout(SLOW, &mut send).await.is_err() {
                            drop(place);
                            send.await;
                        }
                        drop(turn);
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
                // What waited behind a send of ours may go now.
                () = under_way.ended.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
    sends.close();
    sends.wait().await;
}

async fn claim(
    engine: &Engine,
    free: usize,
    under_way: &UnderWay,
) -> Result<(Arc<str>, Vec<OutboxRow>), StoreError> {
    let token: Arc<str> = format!("{}:{:016x}", engine.node_id, rand::random::<u64>()).into();
    let now = engine.clock.now();
    let lease_until = now.plus_ms(engine.settings.outbox.lease_ms);
    let limit = i64::try_from(free.min(under_way.share)).unwrap_or(i64::MAX);
    // What sessions of other nodes have to send, those nodes send.
    let busy = [under_way.busy(), engine.linked().elsewhere()].concat();
    let claimed = token.clone();
    // Claiming writes; an idle server should not. Look first.
    let due = engine.store.read(outbox::next_due).await?;
    if due.is_none_or(|at| at > now) {
        return Ok((token, Vec::new()));
    }
    let claim =
        move |tx: &mut frontdesk_store::Tx<'_>| outbox::claim(tx, now, lease_until, &claimed, limit, &busy);
    let rows = engine.store.write(claim).await?;
    Ok((token, rows))
}

/// How long to sleep when nothing could be claimed.
async fn time_to_next(engine: &Engine) -> Result<Duration, StoreError> {
    let due = engine.store.read(outbox::next_due).await?;
    let Some(due) = due else { return Ok(MAX_SLEEP) };
    let wait_ms = due.millis_since(engine.clock.now());
    // What is due but not to be had waits for another row of its conversation or inbox.
    Ok(u64::try_from(wait_ms)
        .map_or(BLOCKED_PAUSE, Duration::from_millis)
        .clamp(BLOCKED_PAUSE / 10, MAX_SLEEP))
}

/// How much of each inbox is under way on this node.
struct UnderWay {
    /// The most of one inbox; one claim may go beyond it by as much again.
    share: usize,
    counts: Mutex<HashMap<InboxId, usize>>,
    /// Rung whenever something ended.
    ended: Notify,
}

/// One row under way, until dropped.
struct Turn {
    under_way: Arc<UnderWay>,
    inbox: InboxId,
}

impl UnderWay {
    fn new(share: usize) -> Self {
        Self { share, counts: Mutex::default(), ended: Notify::new() }
    }

    fn begin(self: &Arc<Self>, inbox: InboxId) -> Turn {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(inbox).or_default() += 1;
        Turn { under_way: self.clone(), inbox }
    }

    /// The inboxes that have their share.
    fn busy(&self) -> Vec<InboxId> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().filter(|(_, count)| **count >= self.share).map(|(inbox, _)| *inbox).collect()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut counts = self.under_way.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.inbox) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.inbox);
            }
        }
        drop(counts);
        self.under_way.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inbox_is_busy_while_it_has_its_share() {
        let under_way = Arc::new(UnderWay::new(2));
        let (one, other) = (InboxId(1), InboxId(2));
        let turns = (under_way.begin(one), under_way.begin(one), under_way.begin(other));
        assert_eq!(under_way.busy(), [one]);
        drop(turns.0);
        assert!(under_way.busy().is_empty());
        drop((turns.1, turns.2));
        assert!(under_way.counts.lock().unwrap().is_empty(), "nothing piles up");
    }
}
