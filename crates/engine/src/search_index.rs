//! Keeps the search index of SQLite close behind the messages.

use std::time::Duration;

use frontdesk_store::{StoreError, Topic, search_index};

use crate::Engine;

/// How long messages gather before they are indexed together.
const GATHER: Duration = Duration::from_millis(500);
/// How many are indexed in one transaction, so that nobody waits long for it.
const SLICE: i64 = 1_000;

/// Follows the messages until the engine stops.
pub(crate) async fn run(engine: Engine) {
    if engine.store.is_postgres() {
        return;
    }
    let mut bell = engine.store.signals().listen(Topic::Events);
    loop {
        if let Err(error) = catch_up(&engine).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the search index is behind");
        }
        let next = async {
            let _ = bell.changed().await; // the bell lives as long as the store
            tokio::time::sleep(GATHER).await;
        };
        if engine.shutdown.run_until_cancelled(next).await.is_none() {
            return;
        }
    }
}

/// Returns when every message stored by now can be found.
pub async fn catch_up(engine: &Engine) -> Result<(), StoreError> {
    if engine.store.is_postgres() || !engine.store.read(search_index::is_behind).await? {
        return Ok(());
    }
    while engine.store.write(|tx| search_index::extend(tx, SLICE)).await? {}
    Ok(())
}
