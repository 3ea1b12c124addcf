//! SQLite database files as files: copying one that is in use, and looking one over before it is trusted.
//!
//! Functions here block; call them where that is allowed. PostgreSQL brings its own tools (`pg_dump`).

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::db::tx::{Tx, TxBackend};
use crate::{StoreError, migrations};

/// How many faults of a file are told.
const MOST_FAULTS: u32 = 10;

/// What a look at a database file found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// Its schema, 0 when it holds none of ours.
    pub schema: i64,
    /// What is wrong with it, in SQLite's words; empty when it is sound.
    pub faults: Vec<String>,
}

/// Copies the database `from`, which others may be writing to meanwhile, into the new file `to`.
///
/// The copy is the database as it was at one moment, no earlier than the call; writers are not held up. It is one file
/// without a log beside it. Durable on return.
///
/// Errors: [`StoreError::Sqlite`] when `to` exists or there is no room for it.
pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let connection = open(from)?;
    // `VACUUM INTO` would write into an empty file that exists.
    let taken = std::fs::File::options().write(true).create_new(true).open(to);
    let file = taken.map_err(|e| StoreError::Unreachable(format!("{} cannot be made: {e}", to.display())))?;
    let target =
        to.to_str().ok_or_else(|| StoreError::Unreachable("the file's name is not text".to_owned()))?;
    let copied = connection.execute("VACUUM INTO ?1", [target]).map_err(StoreError::from);
    let synced = copied.and_then(|_| {
        file.sync_all().map_err(|e| StoreError::Unavailable(format!("{} is not on disk: {e}", to.display())))
    });
    if synced.is_err() {
        let _ = std::fs::remove_file(to); // half a copy helps nobody
    }
    synced
}

/// Looks a database file over. `whole` also compares every index with its table, which takes longer.
pub fn examine(path: &Path, whole: bool) -> Result<FileReport, StoreError> {
    let connection = open(path)?;
    let check = if whole { "PRAGMA integrity_check" } else { "PRAGMA quick_check" };
    let mut statement = connection.prepare(&format!("{check}({MOST_FAULTS})"))?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let faults: Vec<String> = lines.into_iter().filter(|line| line != "ok").collect();
    let schema = migrations::version(&mut Tx::new(TxBackend::Sqlite(&connection)))?;
    Ok(FileReport { schema, faults })
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|e| StoreError::Unreachable(format!("{} cannot be opened: {e}", path.display())))?;
    connection.busy_timeout(crate::dialect::sqlite::BUSY_TIMEOUT)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use frontdesk_model::clock::SystemClock;

    use super::*;
    use crate::{LATEST_SCHEMA, Store, StoreSettings};

    async fn migrated(folder: &Path) -> Store {
        let url = format!("sqlite://{}", folder.join("live.db").display());
        let settings = StoreSettings { url, postgres_connections: 2 };
        let store = Store::open(&settings, Arc::new(SystemClock)).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_copy_of_a_database_in_use_is_sound_and_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = migrated(folder.path()).await;
        let copied = folder.path().join("copy.db");
        copy(store.sqlite_file().unwrap(), &copied).unwrap();
        let report = examine(&copied, true).unwrap();
        assert_eq!(report, FileReport { schema: LATEST_SCHEMA, faults: Vec::new() });
        assert!(copy(store.sqlite_file().unwrap(), &copied).is_err());
        assert_eq!(examine(&copied, true).unwrap().schema, LATEST_SCHEMA);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_damaged_file_is_found_out() {
        let folder = tempfile::tempdir().unwrap();
        let store = migrated(folder.path()).await;
        let copied = folder.path().join("copy.db");
        copy(store.sqlite_file().unwrap(), &copied).unwrap();
        let mut bytes = std::fs::read(&copied).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..].fill(0xa5);
        std::fs::write(&copied, bytes).unwrap();
        assert!(examine(&copied, true).map_or(true, |report| !report.faults.is_empty()));

        let text = folder.path().join("text");
        std::fs::write(&text, "not a database, but long enough to look like something".repeat(20)).unwrap();
        assert!(examine(&text, true).is_err());
    }
}
