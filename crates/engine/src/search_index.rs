//! Keeps the search index close behind the messages.

use std::time::{Duration, Instant};

use frontdesk_store::{StoreError, Topic, search_index};

use crate::Engine;

/// How long messages gather before they are indexed together.
const GATHER: Duration = Duration::from_millis(250);
/// How many are indexed in one transaction, so that nobody waits long for it.
const SLICE: i64 = 1_000;
/// In a flood, indexing takes at most one part in so many of the time: storing goes before finding.
const SHARE: u32 = 5;
/// With so many messages behind it takes all the time it needs.
const TOO_FAR_BEHIND: i64 = 50_000;
/// What a search may wait for messages that came just before it; in a flood it finds the very last ones a little later.
const PATIENCE: Duration = Duration::from_millis(100);

/// Follows the messages until the engine stops.
pub(crate) async fn run(engine: Engine) {
    let mut bell = engine.store.signals().listen(Topic::Events);
    loop {
        let began = Instant::now();
        let goes_on = match engine.store.write(|tx| search_index::extend(tx, SLICE)).await {
            Ok(goes_on) => goes_on,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the search index is behind");
                false
            }
        };
        let waiting =
            engine.store.read(|tx| search_index::count_waiting(tx, TOO_FAR_BEHIND)).await.unwrap_or_default();
        metrics::gauge!("frontdesk_search_waiting_messages").set(waiting as f64);
        let pause = GATHER.max(began.elapsed() * (SHARE - 1));
        let next = async {
            if !goes_on {
                let _ = bell.changed().await; // the bell lives as long as the store
            } else if waiting >= TOO_FAR_BEHIND {
                return;
            }
            tokio::time::sleep(pause).await;
        };
        if engine.shutdown.run_until_cancelled(next).await.is_none() {
            return;
        }
    }
}

/// Returns when every message stored by now can be found, or after a tenth of a second.
pub async fn catch_up(engine: &Engine) -> Result<(), StoreError> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if engine.store.read(|tx| search_index::count_waiting(tx, 1)).await? == 0 {
            break;
        }
        engine.store.write(|tx| search_index::extend(tx, SLICE)).await?;
    }
    Ok(())
}
