//! What goes on in the background of every node, and how it stops.

use std::time::Duration;

use frontdesk_store::StoreError;
use tokio::sync::watch::Receiver;
use tokio_util::task::TaskTracker;

use crate::{
    Engine, bridge, contacts, crm, linked, media, monitoring, outbox, polling, realtime, retention,
    search_index, suggest, sync, watch, webhooks,
};

/// The running workers of a node.
pub struct Workers {
    engine: Engine,
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
    tracker.spawn(bridge::run(engine.clone()));
    tracker.spawn(contacts::run(engine.clone()));
    tracker.spawn(crm::run(engine.clone()));
    tracker.spawn(realtime::run(engine.clone()));
    tracker.spawn(search_index::run(engine.clone()));
    tracker.spawn(suggest::run(engine.clone()));
    tracker.spawn(watch::run(engine.clone()));
    tracker.spawn(polling::run(engine.clone()));
    tracker.spawn(linked::run(engine.clone()));
    tracker.spawn(sync::worker::run(engine.clone()));
    tracker.spawn(webhooks::run(engine.clone()));
    tracker.spawn(every(
        engine.clone(),
        Duration::from_secs(5),
        "asking what became of sends",
        |engine| async move { outbox::reconcile(&engine).await },
    ));
    tracker.spawn(monitoring::run(engine.clone()));
    tracker.spawn(every(
        engine.clone(),
        Duration::from_secs(5),
        "sweeping the outbox",
        |engine| async move { outbox::sweep(&engine).await },
    ));
    tracker.spawn(every(engine.clone(), Duration::from_secs(3_600), "tidying up", |engine| async move {
        retention::tidy(&engine).await
    }));
    tracker.close();
    Workers { engine: engine.clone(), tracker }
}

impl Workers {
    /// Waits until all have finished what they held.
    pub async fn stopped(&self) {
        self.tracker.wait().await;
        monitoring::finish(&self.engine).await;
    }
}

/// What a former self left behind and could not be taken over is taken up after its lease.
fn taken_over(what: &'static str, result: Result<(), StoreError>) {
    if let Err(error) = result {
        tracing::warn!(error = &error as &dyn std::error::Error, what, "former work could not be taken over");
    }
}

/// Those who come together within so long are looked at together.
const GATHER: Duration = Duration::from_millis(50);

/// Returns a moment after the bell has rung, for work that nobody waits for to the millisecond: in a flood each look at
/// the database would find one more.
pub(crate) async fn rung(bell: &mut Receiver<u64>) {
    let _ = bell.changed().await; // the bell lives as long as the store
    tokio::time::sleep(GATHER).await;
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
