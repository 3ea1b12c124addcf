//! Which sessions this node holds: takes those that nobody holds, and lets go of what is no longer wanted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_model::InboxId;
use frontdesk_store::{StoreError, Topic, linked_sessions};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::keeper;
use crate::Engine;
use crate::inboxes;

/// Looks again at least this often: whether another node let go of a session, or died.
const PAUSE: Duration = Duration::from_secs(2);

/// A keeper of this node.
struct Kept {
    version: i64,
    stop: CancellationToken,
    wake: Arc<Notify>,
    ended: CancellationToken,
}

/// Keeps sessions until shutdown, then closes them; their phones stay linked.
pub(crate) async fn run(engine: Engine) {
    if !engine.store.is_postgres()
        && let Err(error) = engine.store.write(linked_sessions::release_all).await
    {
        // They are taken when their leases end.
        tracing::warn!(error = &error as &dyn std::error::Error, "former sessions could not be taken over");
    }
    let mut bell = engine.store.signals().listen(Topic::Sessions);
    let mut inboxes_bell = engine.store.signals().listen(Topic::Inboxes);
    let mut kept: HashMap<InboxId, Kept> = HashMap::new();
    let tracker = TaskTracker::new();
    loop {
        bell.mark_unchanged();
        inboxes_bell.mark_unchanged();
        kept.retain(|_, keeper| !keeper.ended.is_cancelled());
        if let Err(error) = look(&engine, &mut kept, &tracker).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "sessions could not be read");
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => break,
            _ = bell.changed() => {}
            _ = inboxes_bell.changed() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    for keeper in kept.values() {
        keeper.stop.cancel();
    }
    tracker.close();
    tracker.wait().await;
}

async fn look(
    engine: &Engine,
    kept: &mut HashMap<InboxId, Kept>,
    tracker: &TaskTracker,
) -> Result<(), StoreError> {
    let (rows, book) = (engine.store.read(linked_sessions::all).await?, inboxes::book(engine).await?);
    let now = engine.clock.now();
    let mut elsewhere = Vec::new();
    let mut starts = 0_u32;
    for keeper in kept.iter().filter(|(id, _)| !rows.iter().any(|row| row.inbox_id == **id)) {
        keeper.1.stop.cancel();
    }
    for row in rows {
        let id = row.inbox_id;
        let held_by_other = row.owner_at(now).is_some_and(|owner| owner != engine.node_id);
        let inbox = book.find(id).filter(|inbox| inbox.enabled && row.wanted);
        if held_by_other {
            elsewhere.push(id);
        }
        match (kept.get(&id), inbox) {
            (Some(keeper), Some(inbox)) if keeper.version == inbox.version => keeper.wake.notify_one(),
            // Ends, and comes back with the new settings if there are any.
            (Some(keeper), _) => keeper.stop.cancel(),
            (None, Some(inbox)) if !held_by_other => {
                let keeper = Kept {
                    version: inbox.version,
                    stop: engine.shutdown.child_token(),
                    wake: Arc::default(),
                    ended: CancellationToken::new(),
                };
                // Many that start together would all ask at once.
                let wait = Duration::from_millis(engine.settings.linked.start_gap_ms) * starts;
                starts += 1;
                let work = keeper::keep(keeper::Order {
                    engine: engine.clone(),
                    inbox: inbox.clone(),
                    row,
                    wait,
                    stop: keeper.stop.clone(),
                    wake: keeper.wake.clone(),
                });
                let (ended, store) = (keeper.ended.clone(), engine.store.clone());
                tracker.spawn(async move {
                    work.await;
                    ended.cancel();
                    // The supervisor looks again: the session may be wanted under other settings.
                    let rung = store.write(|tx| {
                        tx.signal(Topic::Sessions);
                        Ok::<_, StoreError>(())
                    });
                    let _later = rung.await; // or at its next look
                });
                kept.insert(id, keeper);
            }
            (None, _) => {}
        }
    }
    *engine.linked().elsewhere.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = elsewhere;
    Ok(())
}
