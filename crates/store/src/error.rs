//! What can go wrong with the database.

/// A failed database operation.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused a statement.
    #[error("SQLite could not carry out a statement")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL refused a statement.
    #[error("PostgreSQL could not carry out a statement")]
    Postgres(#[from] tokio_postgres::Error),
    /// No connection could be had.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The disk is full, the file is locked or the server is down: try again later.
    #[error("the database cannot take writes now: {0}")]
    Unavailable(String),
    /// A column held something its type does not allow.
    #[error("column {column} holds an unexpected value: expected {expected}")]
    Column {
        /// Position in the row, from 0.
        column: usize,
        /// What was expected there.
        expected: &'static str,
    },
    /// The address of the database cannot be understood.
    #[error("DATABASE_URL cannot be used: {0}")]
    Url(String),
    /// The database is newer than this program.
    #[error(
        "the database has schema {found} but this program knows {known}: it was used by a newer version; \
         install that version or restore a backup made before the upgrade"
    )]
    NewerSchema {
        /// The schema found.
        found: i64,
        /// The newest schema this program knows.
        known: i64,
    },
    /// The transaction's code panicked; it was rolled back.
    #[error("a database transaction ended in a panic")]
    Panicked,
    /// The store is shutting down.
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// True when a row with the same unique key exists already.
    pub fn is_unique_violation(&self) -> bool {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(e, _)) => matches!(
                e.extended_code,
                rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            ),
            Self::Postgres(e) => e.code() == Some(&tokio_postgres::error::SqlState::UNIQUE_VIOLATION),
            _ => false,
        }
    }

    /// True when PostgreSQL has no such table: the schema is not there yet.
    pub(crate) fn is_missing_table(&self) -> bool {
        matches!(self, Self::Postgres(e) if e.code() == Some(&tokio_postgres::error::SqlState::UNDEFINED_TABLE))
    }

    /// True when the same operation may succeed later without anyone changing it.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Unavailable(_) | Self::Closed => true,
            Self::Sqlite(rusqlite::Error::SqliteFailure(e, _)) => matches!(
                e.code,
                rusqlite::ErrorCode::DatabaseBusy
                    | rusqlite::ErrorCode::DatabaseLocked
                    | rusqlite::ErrorCode::DiskFull
                    | rusqlite::ErrorCode::SystemIoFailure
                    | rusqlite::ErrorCode::ReadOnly
                    | rusqlite::ErrorCode::CannotOpen
            ),
            Self::Postgres(e) => {
                use tokio_postgres::error::SqlState;
                e.is_closed()
                    || e.code().is_none_or(|c| {
                        *c == SqlState::DISK_FULL
                            || *c == SqlState::ADMIN_SHUTDOWN
                            || *c == SqlState::CRASH_SHUTDOWN
                            || *c == SqlState::CANNOT_CONNECT_NOW
                            || *c == SqlState::TOO_MANY_CONNECTIONS
                            || *c == SqlState::LOCK_NOT_AVAILABLE
                            || *c == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
                            || *c == SqlState::READ_ONLY_SQL_TRANSACTION
                    })
            }
            _ => false,
        }
    }
}
