//! Numbers the events of committed transactions on PostgreSQL, many at once.

use std::sync::Weak;
use std::time::Duration;

use super::job;
use super::postgres::Postgres;
use crate::{StoreError, events};

/// How often is looked for events of a node that died before it numbered them.
const SAFETY: Duration = Duration::from_secs(1);

/// Numbers whenever a transaction of this node has left events, until the database is closed.
pub async fn run(postgres: Weak<Postgres>) {
    loop {
        let Some(open) = postgres.upgrade() else { return };
        let was_told = tokio::time::timeout(SAFETY, open.unnumbered()).await.is_ok();
        let outcome = if was_told { number_all(&open).await } else { number_left_behind(&open).await };
        if let Err(error) = outcome {
            if open.is_closed() {
                return;
            }
            if error.is_missing_table() {
                continue; // before the first migration there is nothing to number
            }
            tracing::warn!(error = &error as &dyn std::error::Error, "live updates wait for their numbers");
            tokio::time::sleep(SAFETY).await;
        }
    }
}

/// Returns when everything committed before has its number.
pub(crate) async fn number_left_behind(postgres: &Postgres) -> Result<(), StoreError> {
    if job::run(events::is_any_without_number, |job| postgres.read(job)).await? {
        number_all(postgres).await?;
    }
    Ok(())
}

async fn number_all(postgres: &Postgres) -> Result<(), StoreError> {
    while job::run(events::number, |job| postgres.write(job)).await? {}
    Ok(())
}
