//! SQLite: one writer thread with group commit, a few read-only connections.
//!
//! The writer takes whatever transactions wait, runs each within a savepoint of one big transaction (a lone one needs
//! none), commits with one fsync and only then answers all of them. There is no timer: a lone transaction commits at
//! once, a crowd shares.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use frontdesk_model::SharedClock;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::job::{Done, Job};
use crate::db::tx::{Tx, TxBackend};
use crate::signals::{Signals, TopicSet};
use crate::{StoreError, events};

/// How many transactions share one commit at most.
const MAX_GROUP: usize = 256;
/// How many transactions may wait for the writer before callers have to.
const QUEUE: usize = 4096;
const READERS: usize = 4;
/// How long a statement waits for a lock held by another process.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long closing may take: what waits is written, and the log is brought into the file, 64 MiB at most.
const CLOSING: Duration = Duration::from_secs(10);

/// The SQLite side of a store.
pub struct Sqlite {
    path: PathBuf,
    /// None once it is closed.
    writer: RwLock<Option<mpsc::Sender<Waiting>>>,
    /// Ends with the writer's thread; whoever closes waits for it.
    ended: Mutex<Option<oneshot::Receiver<()>>>,
    /// Connections that nobody reads with. After the first, each is opened when it is needed: it takes a megabyte.
    readers: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Sqlite {
    /// Opens (and creates) the file, and starts the writer thread.
    pub fn open(path: &Path, clock: SharedClock, signals: Signals) -> Result<Self, StoreError> {
        let writer = open_writer(path)?;
        let readers = vec![open_reader(path)?];
        let (sender, receiver) = mpsc::channel(QUEUE);
        let (running, ended) = oneshot::channel();
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                write_until_closed(&writer, receiver, &clock, &signals);
                drop(writer);
                drop(running);
            })
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            writer: RwLock::new(Some(sender)),
            ended: Mutex::new(Some(ended)),
            readers: Arc::new(Mutex::new(readers)),
            permits: Arc::new(Semaphore::new(READERS)),
        })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs a reading transaction on one of the readers.
    pub fn read(&self, mut job: Box<dyn Job>) -> Done<'_> {
        Box::pin(async move {
            let permit = self.permits.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
            let readers = self.readers.clone();
            let path = self.path.clone();
            let done = tokio::task::spawn_blocking(move || {
                let taken = readers.lock().ok().and_then(|mut idle| idle.pop());
                let connection = match taken {
                    Some(connection) => connection,
                    None => open_reader(&path)?,
                };
                read_on(&connection, &mut *job);
                if let Ok(mut idle) = readers.lock() {
                    idle.push(connection);
                }
                drop(permit);
                Ok(job)
            });
            done.await.map_err(|_| StoreError::Panicked)?
        })
    }

    /// Runs a writing transaction on the writer thread; returns after the commit that made it durable.
    pub fn write(&self, job: Box<dyn Job>) -> Done<'_> {
        Box::pin(async move {
            let (answer, outcome) = oneshot::channel();
            let waiting = Waiting { job, is_kept: None, answer };
            let writer =
                self.writer.read().ok().and_then(|writer| writer.clone()).ok_or(StoreError::Closed)?;
            writer.send(waiting).await.map_err(|_| StoreError::Closed)?;
            drop(writer);
            outcome.await.map_err(|_| StoreError::Closed)
        })
    }

    /// Takes no more writes, carries out those that wait, and leaves a file that the next start need not mend.
    pub async fn close(&self) {
        if let Ok(mut writer) = self.writer.write() {
            writer.take();
        }
        let ended = self.ended.lock().ok().and_then(|mut ended| ended.take());
        if let Some(ended) = ended
            && tokio::time::timeout(CLOSING, ended).await.is_err()
        {
            tracing::warn!(
                "the database was not closed in time; the next start reads what its log still holds"
            );
        }
    }
}

fn read_on(connection: &Connection, job: &mut dyn Job) {
    // A transaction gives all statements of the closure the same snapshot.
    let read = connection.execute_batch("BEGIN").and_then(|()| {
        job.run(&mut Tx::new(TxBackend::Sqlite(connection)));
        connection.execute_batch("COMMIT")
    });
    if let Err(error) = read {
        job.fail(error.into());
    }
}

fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| {
            StoreError::Unreachable(format!("the folder {} cannot be made: {e}", folder.display()))
        })?;
    }
    let connection = Connection::open(path)
        .map_err(|e| StoreError::Unreachable(format!("{} cannot be opened: {e}", path.display())))?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    keep_plans(&connection)?;
    connection.set_prepared_statement_cache_capacity(256);
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384;
         PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    keep_plans(&connection)?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.execute_batch("PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;")?;
    Ok(connection)
}

/// A statement keeps its plan whatever is bound to it. Otherwise those that partial indexes are considered for are
/// prepared again before every run.
fn keep_plans(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// One writing transaction, waiting for its turn.
struct Waiting {
    job: Box<dyn Job>,
    /// Whether its changes are to be kept, once it was run.
    is_kept: Option<bool>,
    answer: oneshot::Sender<Box<dyn Job>>,
}

impl Waiting {
    /// Runs the closure. True when its changes are to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let kept = catch_unwind(AssertUnwindSafe(|| self.job.run(tx))).unwrap_or_else(|_| {
            self.job.fail(StoreError::Panicked);
            false
        });
        self.is_kept = Some(kept);
        kept
    }

    /// Answers the caller: with the result of the closure, or with the error that took the commit away.
    fn finish(mut self, lost: Option<&str>) {
        if let Some(reason) = lost
            && self.is_kept != Some(false)
        {
            self.job.fail(StoreError::Unavailable(reason.to_owned()));
        }
        let _ = self.answer.send(self.job); // the caller may have gone away
    }
}

fn write_until_closed(
    connection: &Connection,
    mut queue: mpsc::Receiver<Waiting>,
    clock: &SharedClock,
    signals: &Signals,
) {
    let mut group: Vec<Waiting> = Vec::with_capacity(MAX_GROUP);
    while queue.blocking_recv_many(&mut group, MAX_GROUP) > 0 {
        match write_group(connection, &mut group, clock) {
            Ok(woken) => {
                signals.ring(woken); // before the answer: whoever wrote finds no stale cache afterwards
                group.drain(..).for_each(|job| job.finish(None));
            }
            Err(error) => {
                tracing::error!(error = %error, waiting = group.len(), "a group of transactions could not be committed");
                let _ = connection.execute_batch("ROLLBACK"); // fails when BEGIN itself failed
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) {
                    // Whoever waited behind them waited for the same lock: a turn each would take as long again.
                    while let Ok(job) = queue.try_recv() {
                        group.push(job);
                    }
                }
                let reason = error.to_string();
                group.drain(..).for_each(|job| job.finish(Some(&reason)));
            }
        }
    }
    let _ = connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)"); // only tidiness
}

fn write_group(
    connection: &Connection,
    group: &mut [Waiting],
    clock: &SharedClock,
) -> Result<TopicSet, rusqlite::Error> {
    let mut woken = TopicSet::default();
    connection.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
    let several = group.len() > 1;
    for job in group {
        if several {
            connection.prepare_cached("SAVEPOINT job")?.raw_execute()?;
        }
        let mut tx = Tx::new(TxBackend::Sqlite(connection));
        let keep = job.run(&mut tx);
        let flushed = if keep { events::flush(&mut tx, clock.now()) } else { Ok(()) };
        if let Err(error) = flushed {
            return Err(match error {
                StoreError::Sqlite(e) => e,
                _ => rusqlite::Error::InvalidQuery,
            });
        }
        if keep {
            woken.merge(tx.signals);
        } else if several {
            connection.prepare_cached("ROLLBACK TO job")?.raw_execute()?;
        } else {
            connection.prepare_cached("ROLLBACK")?.raw_execute()?;
            return Ok(woken);
        }
        if several {
            connection.prepare_cached("RELEASE job")?.raw_execute()?;
        }
    }
    connection.prepare_cached("COMMIT")?.raw_execute()?;
    Ok(woken)
}
