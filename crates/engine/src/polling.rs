//! Fetches what came in for inboxes that are set to that in place of webhooks: one node per inbox, one body after the
//! other, through the same intake. The provider forgets a body after it is committed here, not before.

use std::collections::HashMap;
use std::time::Duration;

use frontdesk_model::InboxId;
use frontdesk_store::{StoreError, Topic, leases};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::inboxes::{self, InboxBook};
use crate::origin::Origin;
use crate::{Engine, intake};

/// How long a node has an inbox to itself, in milliseconds; taken anew for each body.
const LEASE_MS: i64 = 60_000;
/// Looks for inboxes to poll at least this often, and whether another node has let go of one.
const PAUSE: Duration = Duration::from_secs(5);
/// Waits after a failure: of the database, of the provider; doubled up to the last.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
const LONGEST_AFTER_FAILURE: Duration = Duration::from_secs(60);

/// Polls every inbox that wants it, until shutdown.
pub(crate) async fn run(engine: Engine) {
    let mut bell = engine.store.signals().listen(Topic::Inboxes);
    let mut running: HashMap<InboxId, (i64, CancellationToken)> = HashMap::new();
    let tracker = TaskTracker::new();
    loop {
        bell.mark_unchanged();
        match inboxes::book(&engine).await {
            Ok(book) => {
                let wanted = wanted(&engine, &book);
                running.retain(|id, (version, stop)| {
                    let keep = wanted.get(id) == Some(version);
                    if !keep {
                        stop.cancel();
                    }
                    keep
                });
                for (id, version) in wanted {
                    running.entry(id).or_insert_with(|| {
                        let stop = engine.shutdown.child_token();
                        tracker.spawn(poll(engine.clone(), id, version, stop.clone()));
                        (version, stop)
                    });
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "inboxes could not be read");
            }
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => break,
            _ = bell.changed() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    tracker.close();
    tracker.wait().await;
}

/// The inboxes to poll, with their versions.
fn wanted(engine: &Engine, book: &InboxBook) -> HashMap<InboxId, i64> {
    let polled = book.all().filter(|inbox| inbox.enabled).filter(|inbox| {
        let line = engine.connections().line(engine, inbox);
        line.connection.as_ref().is_ok_and(|connection| connection.polling().is_some())
    });
    polled.map(|inbox| (inbox.config.id, inbox.version)).collect()
}

/// Polls one inbox until told to stop.
async fn poll(engine: Engine, id: InboxId, version: i64, stop: CancellationToken) {
    let mut pause = AFTER_FAILURE;
    while !stop.is_cancelled() {
        let wait = match take_next(&engine, id, version, &stop).await {
            Ok(Turn::Taken) => {
                pause = AFTER_FAILURE;
                continue;
            }
            Ok(Turn::NotOurs) => PAUSE,
            Ok(Turn::Failed) => {
                let longer = (pause * 2).min(LONGEST_AFTER_FAILURE);
                std::mem::replace(&mut pause, longer)
            }
            Err(error) => {
                tracing::warn!(
                    inbox.id = id.0,
                    error = &error as &dyn std::error::Error,
                    "an inbox could not be polled"
                );
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    let (name, owner) = (lease_name(id), engine.node_id.clone());
    // Another node may go on at once; if this fails, it waits until the lease has run out.
    let _released = engine.store.write(move |tx| leases::release(tx, &name, &owner)).await;
}

fn lease_name(id: InboxId) -> String {
    format!("poll:{id}")
}

/// What came of one question.
enum Turn {
    /// A body was taken, or there was none.
    Taken,
    /// Another node polls this inbox.
    NotOurs,
    /// The provider did not answer properly.
    Failed,
}

async fn take_next(
    engine: &Engine,
    id: InboxId,
    version: i64,
    stop: &CancellationToken,
) -> Result<Turn, StoreError> {
    let now = engine.clock.now();
    let (name, owner) = (lease_name(id), engine.node_id.clone());
    let until = now.plus_ms(LEASE_MS);
    if !engine.store.write(move |tx| leases::claim(tx, &name, &owner, until, now)).await? {
        return Ok(Turn::NotOurs);
    }
    let book = inboxes::book(engine).await?;
    let Some(inbox) = book.find(id).filter(|inbox| inbox.version == version) else {
        return Ok(Turn::NotOurs);
    };
    let line = engine.connections().line(engine, inbox);
    let (Ok(connection), Some(door)) = (&line.connection, inbox.channel.door()) else {
        return Ok(Turn::NotOurs);
    };
    let channel = inbox.channel.info().name;
    let Some(polling) = connection.polling() else { return Ok(Turn::NotOurs) };
    let next = tokio::select! {
        () = stop.cancelled() => return Ok(Turn::Taken),
        next = polling.next() => next,
    };
    let polled = match next {
        Ok(Some(polled)) => polled,
        Ok(None) => return Ok(Turn::Taken),
        Err(error) => {
            tracing::warn!(inbox.id = id.0, channel, code = error.code, "an inbox could not be polled");
            return Ok(Turn::Failed);
        }
    };
    let span = tracing::info_span!("polled", request.id = Origin::new_id(), inbox.id = id.0, channel);
    if intake::take_polled(engine, door, id, polled.body).instrument(span).await.is_err() {
        return Ok(Turn::Failed); // not stored: it stays at the provider and comes again
    }
    match polling.done(&polled.receipt).await {
        Ok(()) => Ok(Turn::Taken),
        Err(error) => {
            tracing::warn!(
                inbox.id = id.0,
                channel,
                code = error.code,
                "a polled body could not be taken off"
            );
            Ok(Turn::Failed) // it comes again, and changes nothing
        }
    }
}
