//! The store: one value that stands for the database, whichever it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use frontdesk_model::SharedClock;

use crate::dialect::postgres::Postgres;
use crate::dialect::sqlite::Sqlite;
use crate::dialect::{job, neighbours, numbering, statistics};
use crate::migrations::{self, MigrationReport};
use crate::signals::{Signals, Topic};
use crate::{StoreError, Tx};

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// `sqlite://data/frontdesk.db` or `postgres://user:password@host/database`.
    pub url: String,
    /// Connections of one node to PostgreSQL.
    pub postgres_connections: usize,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Backend>,
    signals: Signals,
    clock: SharedClock,
}

enum Backend {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Store {
    /// Opens the database without touching its schema.
    pub async fn open(settings: &StoreSettings, clock: SharedClock) -> Result<Self, StoreError> {
        let signals = Signals::new();
        let backend = if let Some(path) = sqlite_path(&settings.url) {
            let (clock, bells) = (clock.clone(), signals.clone());
            let opened = tokio::task::spawn_blocking(move || Sqlite::open(&path, clock, bells));
            let sqlite = Arc::new(opened.await.map_err(|_| StoreError::Panicked)??);
            tokio::spawn(neighbours::listen(Arc::downgrade(&sqlite), signals.clone()));
            Backend::Sqlite(sqlite)
        } else if settings.url.starts_with("postgres://") || settings.url.starts_with("postgresql://") {
            let config = settings.url.parse().map_err(|_| {
                StoreError::Url(
                    "it is no PostgreSQL address (postgres://user:password@host/database)".to_owned(),
                )
            })?;
            let connections = settings.postgres_connections.max(2);
            let postgres = Postgres::open(config, connections, clock.clone(), signals.clone()).await?;
            let postgres = Arc::new(postgres);
            tokio::spawn(numbering::run(Arc::downgrade(&postgres)));
            tokio::spawn(statistics::run(Arc::downgrade(&postgres), signals.listen(Topic::Events)));
            Backend::Postgres(postgres)
        } else {
            return Err(StoreError::Url("it must start with sqlite:// or postgres://".to_owned()));
        };
        Ok(Self { backend: Arc::new(backend), signals, clock })
    }

    /// Brings the schema to the version of this program. Safe to call from several nodes at once.
    pub async fn migrate(&self) -> Result<MigrationReport, StoreError> {
        let clock = self.clock.clone();
        let postgres = self.is_postgres();
        self.write(move |tx| migrations::run(tx, postgres, clock.now())).await
    }

    /// The schema version found, 0 for an empty database.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        self.read(migrations::version).await
    }

    /// True on PostgreSQL, where several nodes may share the database.
    pub fn is_postgres(&self) -> bool {
        matches!(*self.backend, Backend::Postgres(_))
    }

    /// Asks the database whether it understands a statement, without running it.
    pub async fn check_statement(&self, statement: crate::Statement) -> Result<(), StoreError> {
        self.read(move |tx| tx.prepare(&statement)).await
    }

    /// The file of a SQLite database.
    pub fn sqlite_file(&self) -> Option<&Path> {
        match &*self.backend {
            Backend::Sqlite(sqlite) => Some(sqlite.path()),
            Backend::Postgres(_) => None,
        }
    }

    /// The bells that ring after commits, here and on other nodes.
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Runs a reading transaction: all its statements see the same snapshot.
    pub async fn read<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let carry_out = |job| match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(job),
            Backend::Postgres(postgres) => postgres.read(job),
        };
        job::run(body, carry_out).await
    }

    /// Runs a writing transaction. Returns once it is durable; an error of the closure undoes all of it. The closure
    /// may run more than once (after a deadlock on PostgreSQL) and must not have effects of its own.
    pub async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let carry_out = |job| match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(job),
            Backend::Postgres(postgres) => postgres.write(job),
        };
        job::run(body, carry_out).await
    }

    /// Returns when every event of a transaction that has been committed is in the log, with its number. On PostgreSQL
    /// that happens a moment after the commit; whoever has to know all that happened so far waits here first.
    pub async fn number_events(&self) -> Result<(), StoreError> {
        match &*self.backend {
            Backend::Sqlite(_) => Ok(()),
            Backend::Postgres(postgres) => numbering::number_left_behind(postgres).await.map(drop),
        }
    }

    /// Lets go of connections. Writes still waiting on SQLite are carried out first, later ones refused.
    pub async fn close(&self) {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close(),
        }
    }
}

/// The file of a `sqlite://` address: `sqlite://data/x.db` is relative, `sqlite:///var/x.db` absolute.
fn sqlite_path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    Some(PathBuf::from(path.split('?').next().unwrap_or(path)))
}
