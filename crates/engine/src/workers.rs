//! What goes on in the background of every node, and how it stops.

use std::time::Duration;

use frontdesk_model::AccountId;
use frontdesk_store::{
    StoreError, attachments, events, pending_updates, rate_limits, sessions, webhook_logs,
};
use tokio_util::task::TaskTracker;

use crate::{Engine, contacts, media, outbox, realtime, search_index};

const DAY_MS: i64 = 86_400_000;
/// How many rows one tidying transaction removes, so that nobody waits long for it.
const SLICE: i64 = 2_000;
/// News about messages that never came, and uploads never sent, are forgotten after this long.
const WAIT_DAYS: i64 = 8;
/// The longest window of a rate limit is a day.
const WINDOW_DAYS: i64 = 2;

/// The running workers of a node.
pub struct Workers {
    tracker: TaskTracker,
}

/// Starts everything. Ends after [`crate::EngineParts::shutdown`] is cancelled; wait for it with [`Workers::stopped`].
pub fn spawn(engine: &Engine) -> Workers {
    let tracker = TaskTracker::new();
    let (sender, fetcher) = (engine.clone(), engine.clone());
    tracker.spawn(async move {
        taken_over("sends", outbox::take_over(&sender).await);
        outbox::run(sender).await;
    });
    tracker.spawn(async move {
        taken_over("fetches", media::take_over(&fetcher).await);
        media::run(fetcher).await;
    });
    tracker.spawn(contacts::run(engine.clone()));
    tracker.spawn(realtime::run(engine.clone()));
    tracker.spawn(search_index::run(engine.clone()));
    tracker.spawn(every(
        engine.clone(),
        Duration::from_secs(5),
        "sweeping the outbox",
        |engine| async move { outbox::sweep(&engine).await },
    ));
    tracker.spawn(every(engine.clone(), Duration::from_secs(3_600), "tidying up", |engine| async move {
        tidy(&engine).await
    }));
    tracker.close();
    Workers { tracker }
}

impl Workers {
    /// Waits until all have finished what they held.
    pub async fn stopped(&self) {
        self.tracker.wait().await;
    }
}

/// What a former self left behind and could not be taken over is taken up after its lease.
fn taken_over(what: &'static str, result: Result<(), StoreError>) {
    if let Err(error) = result {
        tracing::warn!(error = &error as &dyn std::error::Error, what, "former work could not be taken over");
    }
}

async fn every<F, Fut>(engine: Engine, period: Duration, what: &'static str, task: F)
where
    F: Fn(Engine) -> Fut,
    Fut: Future<Output = Result<(), StoreError>>,
{
    loop {
        if let Err(error) = task(engine.clone()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, what, "work in the background failed");
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => return,
            () = tokio::time::sleep(period) => {}
        }
    }
}

/// Forgets what is older than the settings allow.
async fn tidy(engine: &Engine) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let keep = engine.settings.retention.clone();
    let before_logs = now.plus_ms(-keep.webhook_log_days.max(1) * DAY_MS);
    while engine.store.write(move |tx| webhook_logs::delete_oldest(tx, before_logs, SLICE)).await? > 0 {}
    let before_events = now.plus_ms(-keep.event_days.max(1) * DAY_MS);
    let heads = engine.store.read(events::heads).await?;
    for (account, _) in heads {
        while engine.store.write(move |tx| events::delete_oldest(tx, account, before_events, SLICE)).await?
            > 0
        {}
    }
    let before_waiting = now.plus_ms(-WAIT_DAYS * DAY_MS);
    engine.store.write(move |tx| pending_updates::delete_before(tx, before_waiting)).await?;
    engine.store.write(move |tx| sessions::delete_expired(tx, now)).await?;
    let before_windows = now.plus_ms(-WINDOW_DAYS * DAY_MS);
    engine.store.write(move |tx| rate_limits::delete_before(tx, before_windows)).await?;
    let before_audit = now.plus_ms(-keep.audit_days.max(1) * DAY_MS);
    engine.store.write(move |tx| frontdesk_store::audit::delete_before(tx, before_audit)).await?;
    remove_orphans(engine).await
}

/// Removes the bytes of uploads that were never sent and of messages that were taken back.
async fn remove_orphans(engine: &Engine) -> Result<(), StoreError> {
    let before = engine.clock.now().plus_ms(-WAIT_DAYS * DAY_MS);
    let orphans: Vec<(AccountId, String)> =
        engine.store.write(move |tx| attachments::remove_orphans(tx, before)).await?;
    for (account, key) in orphans {
        if let Err(error) = engine.media().remove(account, &key).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a file nobody needs could not be removed"
            );
        }
    }
    if let Err(error) = engine.media().remove_half_written(engine.clock.now()).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "half-written files could not be removed");
    }
    Ok(())
}
