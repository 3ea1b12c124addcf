//! Keeps the search index of SQLite close behind the messages.

use std::time::Duration;

use frontdesk_model::MessageId;
use frontdesk_store::{StoreError, Topic, search_index};
use tokio::sync::Mutex;

use crate::Engine;

/// How long messages gather before they are indexed together.
const GATHER: Duration = Duration::from_millis(500);
/// How many are indexed in one transaction, so that nobody waits long for it.
const SLICE: i64 = 1_000;

/// How far the index reaches, and whose turn it is to take it further.
#[derive(Default)]
pub(crate) struct SearchIndex(Mutex<Option<MessageId>>);

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
    if engine.store.is_postgres() {
        return Ok(());
    }
    let mut reached = engine.search_index().0.lock().await;
    loop {
        let from = match *reached {
            Some(from) => from,
            None => engine.store.read(search_index::reached).await?,
        };
        let extended = engine.store.write(move |tx| search_index::extend(tx, from, SLICE)).await?;
        *reached = Some(extended.unwrap_or(from));
        if extended.is_none() {
            return Ok(());
        }
    }
}
