//! Other processes on the same SQLite file: commands like `frontdesk inbox add` while a server runs.
//!
//! PostgreSQL tells by NOTIFY; SQLite has a counter that changes when someone else commits. It is looked at every
//! second, and a change rings every bell.

use std::time::Duration;

use super::job;
use super::sqlite::Sqlite;
use crate::StoreError;
use crate::db::statement::{Statement, both};
use crate::signals::{Signals, TopicSet};

const EVERY: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 1000 });
/// Differs from what this connection saw last when another connection has committed since. Asked on the one
/// connection that this process writes with, so our own commits do not count.
const VERSION: Statement = both("PRAGMA data_version");

/// Rings the bells after commits of others, until the database is closed.
pub async fn listen(sqlite: std::sync::Weak<Sqlite>, signals: Signals) {
    let mut seen = None;
    loop {
        let Some(open) = sqlite.upgrade() else { return };
        // A transaction that changes nothing costs no fsync. Asked again later when the database is busy.
        let version: Result<_, StoreError> =
            job::run(|tx| tx.find::<(i64,)>(&VERSION, p![]), |job| open.write(job)).await;
        drop(open);
        if let Ok(Some((version,))) = version {
            // At the first look too: what was read since the database was opened may be older than this version.
            if seen != Some(version) {
                signals.ring(TopicSet::all());
            }
            seen = Some(version);
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use frontdesk_model::clock::SystemClock;

    use crate::{Store, StoreSettings, Topic, server_settings};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_commit_of_another_process_rings_the_bells_and_our_own_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("shared.db").display());
        let settings = StoreSettings { url, postgres_connections: 2 };
        let open = || Store::open(&settings, Arc::new(SystemClock));
        let (here, there) = (open().await.unwrap(), open().await.unwrap());
        here.migrate().await.unwrap();
        // Ours: silent. The first look rings, since nobody knows what happened before it.
        tokio::time::sleep(super::EVERY * 3 / 2).await;
        let mut bell = here.signals().listen(Topic::Inboxes);
        here.write(|tx| server_settings::set(tx, "ours", "1")).await.unwrap();
        assert!(tokio::time::timeout(super::EVERY * 5 / 2, bell.changed()).await.is_err());

        there.write(|tx| server_settings::set(tx, "theirs", "1")).await.unwrap();
        tokio::time::timeout(super::EVERY * 5, bell.changed()).await.unwrap().unwrap();
    }
}
