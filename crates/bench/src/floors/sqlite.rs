//! One writer thread, one commit for what has come meanwhile.

use std::path::Path;

use rusqlite::{Connection, params};
use tokio::sync::mpsc;

use super::ingest::{BATCH, Row};

/// Opens the database and starts the thread.
pub fn writer(folder: &Path) -> anyhow::Result<mpsc::UnboundedSender<Row>> {
    let connection = Connection::open(folder.join("floor.db"))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         CREATE TABLE hook (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, provider TEXT NOT NULL,
                            remote_id TEXT NOT NULL, body BLOB NOT NULL);
         CREATE UNIQUE INDEX hook_remote_id ON hook (provider, remote_id)",
    )?;
    let (queue, waiting) = mpsc::unbounded_channel();
    std::thread::spawn(move || write(&connection, waiting));
    Ok(queue)
}

fn write(connection: &Connection, mut waiting: mpsc::UnboundedReceiver<Row>) -> rusqlite::Result<()> {
    let mut insert = connection.prepare(
        "INSERT INTO hook (at, provider, remote_id, body) VALUES (?1, 'meta', ?2, ?3) ON CONFLICT DO NOTHING",
    )?;
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for row in &batch {
            insert.execute(params![1_700_000_000_i64, row.id, row.body.as_ref()])?;
        }
        connection.execute_batch("COMMIT")?;
        for row in batch.drain(..) {
            let _ = row.kept.send(()); // a client that is gone needs no answer
        }
    }
    Ok(())
}
