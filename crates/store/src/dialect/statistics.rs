//! PostgreSQL's picture of how full its tables are.
//!
//! To a planner that knows nothing, all indexes of an empty table are alike, and it keeps the plans it made then. Its own
//! look comes a minute later at the earliest: on the first day that minute would be spent reading whole accounts for each
//! message. So tables that have grown much since the last look are looked at here.

use std::sync::Weak;
use std::time::Duration;

use tokio::sync::watch;

use super::job;
use super::postgres::Postgres;
use crate::db::statement::{Statement, each};
use crate::{StoreError, Tx};

/// How often at most, and only while something happens.
const EVERY: Duration = Duration::from_millis(500);
/// By their size on disk, which is true at once: what PostgreSQL counts is a second old or more. Larger tables are left to
/// it: a plan made for a quarter of a gigabyte suits more.
const GROWN: Statement = each(
    "SELECT name FROM sqlite_master WHERE FALSE",
    "SELECT quote_ident(c.relname) FROM pg_class c
     WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind = 'r'
        AND pg_relation_size(c.oid) > 8192 * 4 * GREATEST(c.relpages, 1) AND pg_relation_size(c.oid) < 268435456
     ORDER BY 1",
);
/// One node at a time.
const TRY_LOCK: Statement =
    each("SELECT 1", "SELECT pg_try_advisory_xact_lock(7265503, hashtext(current_schema()))::INT::BIGINT");

/// Looks at tables that have grown, until the database is closed.
pub async fn run(postgres: Weak<Postgres>, mut events: watch::Receiver<u64>) {
    while events.changed().await.is_ok() {
        let Some(open) = postgres.upgrade() else { return };
        if open.is_closed() {
            return;
        }
        if let Err(error) = look(&open).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "no look at tables that have grown");
        }
        drop(open);
        tokio::time::sleep(EVERY).await;
    }
}

async fn look(postgres: &Postgres) -> Result<(), StoreError> {
    if job::run(grown, |job| postgres.read(job)).await?.is_empty() {
        return Ok(());
    }
    job::run(
        |tx| {
            if tx.find::<(i64,)>(&TRY_LOCK, p![])? != Some((1,)) {
                return Ok(());
            }
            tx.need_not_last()?;
            for table in grown(tx)? {
                tx.execute_script(&format!("ANALYZE {table}"))?;
            }
            Ok(())
        },
        |job| postgres.write(job),
    )
    .await
}

fn grown(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    Ok(tx.query::<(String,)>(&GROWN, p![])?.into_iter().map(|(table,)| table).collect())
}
