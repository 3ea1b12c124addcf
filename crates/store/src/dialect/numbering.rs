//! Numbers the events of committed transactions on PostgreSQL, many at once.

use std::sync::Weak;
use std::time::Duration;

use super::job;
use super::postgres::Postgres;
use crate::{StoreError, events};

/// How often is looked for events of a node that died before it numbered them.
const SAFETY: Duration = Duration::from_secs(1);
/// So many events at once are a flood.
const FLOOD: i64 = 32;
/// In a flood, events are numbered so often at most: every time costs a commit, and whoever follows the log a look.
const PACE: Duration = Duration::from_millis(20);

/// Numbers whenever a transaction of this node has left events, until the database is closed.
pub async fn run(postgres: Weak<Postgres>) {
    loop {
        let Some(open) = postgres.upgrade() else { return };
        let was_told = tokio::time::timeout(SAFETY, open.unnumbered()).await.is_ok();
        let outcome = if was_told { number_all(&open).await } else { number_left_behind(&open).await };
        match outcome {
            Ok(numbered) if numbered >= FLOOD => tokio::time::sleep(PACE).await,
            Ok(_) => {}
            Err(_) if open.is_closed() => return,
            Err(error) if error.is_missing_table() => {} // before the first migration there is nothing to number
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "live updates wait for their numbers"
                );
                tokio::time::sleep(SAFETY).await;
            }
        }
    }
}

/// Returns when everything committed before has its number; tells how many were given.
pub(crate) async fn number_left_behind(postgres: &Postgres) -> Result<i64, StoreError> {
    if job::run(events::is_any_without_number, |job| postgres.read(job)).await? {
        return number_all(postgres).await;
    }
    Ok(0)
}

async fn number_all(postgres: &Postgres) -> Result<i64, StoreError> {
    let mut all = 0;
    loop {
        let numbered = job::run(events::number, |job| postgres.write(job)).await?;
        all += numbered;
        if numbered < events::NUMBERED_AT_ONCE {
            return Ok(all);
        }
    }
}
