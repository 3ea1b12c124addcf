//! Moving a whole installation from one database to another: SQLite to PostgreSQL when several nodes are wanted, or back.
//!
//! [`check`] refuses what cannot be moved, [`copy`] moves all rows, and proves it. Files are not in it: where they are
//! kept depends on the settings, so `engine::media` brings them.

pub(crate) mod catalog;
mod fingerprint;
pub(crate) mod rows;

use frontdesk_model::Timestamp;

use crate::{LATEST_SCHEMA, Store, StoreError, Tx, nodes};

pub use fingerprint::Fingerprint;

/// One table on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableReport {
    /// Its name.
    pub name: String,
    /// What was read.
    pub source: Fingerprint,
    /// What the target holds.
    pub target: Fingerprint,
}

impl TableReport {
    /// True when both sides hold the same.
    pub fn is_same(&self) -> bool {
        self.source == self.target
    }
}

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A database failed.
    #[error("a database failed; the target is as empty as before")]
    Store(#[from] StoreError),
    /// There is nothing of ours to move.
    #[error("the source holds no data of Frontdesk")]
    NoSource,
    /// The source needs its migrations first.
    #[error(
        "the source has schema {found} and this program needs {known}: bring it up to date with `frontdesk migrate` \
         (DATABASE_URL set to the source), then move it"
    )]
    OldSource {
        /// The schema found.
        found: i64,
        /// The newest schema this program knows.
        known: i64,
    },
    /// Someone's data would be mixed with ours.
    #[error(
        "the target is not empty: its table {0} holds rows. Give an empty database; on PostgreSQL `dropdb` and `createdb` \
         make one"
    )]
    NotEmpty(String),
    /// The target belongs to another program.
    #[error("the target has a table {0} and is no database of Frontdesk: give an empty one")]
    Foreign(String),
    /// A server uses the source.
    #[error(
        "a server uses the source (it was seen {seconds} s ago): stop every node first. One that was killed counts as \
         stopped after 35 s"
    )]
    Running {
        /// How long ago it was seen.
        seconds: i64,
    },
    /// The two schemas cannot be matched: a mistake in this program.
    #[error("source and target do not have the same tables: {0}")]
    Shapes(String),
    /// What was written is not what was read; nothing was kept.
    #[error("the target did not hold what the source holds; nothing was kept there")]
    Differs(Vec<TableReport>),
    /// The other side failed, or a transaction had to be given up.
    #[error("the move was interrupted; the target is as empty as before: run the command again")]
    Interrupted,
}

/// Refuses a source that cannot be moved and a target that is not empty, and gives the target its tables. Files that an
/// interrupted move has left in the target may stay.
pub async fn check(source: &Store, target: &Store, now: Timestamp) -> Result<(), TransferError> {
    match source.schema_version().await? {
        0 => return Err(TransferError::NoSource),
        found if found < LATEST_SCHEMA => {
            return Err(TransferError::OldSource { found, known: LATEST_SCHEMA });
        }
        found if found > LATEST_SCHEMA => {
            return Err(StoreError::NewerSchema { found, known: LATEST_SCHEMA }.into());
        }
        _ => {}
    }
    source.read(move |tx| refuse_running(tx, now)).await?;
    if target.schema_version().await? == 0
        && let Some(table) = target.read(catalog::any).await?
    {
        return Err(TransferError::Foreign(table));
    }
    target.read(refuse_rows).await?;
    target.migrate().await?;
    let (from, to) = (source.read(shape).await?, target.read(shape).await?);
    let odd = from.iter().find(|column| !to.contains(column));
    if let Some(odd) = odd.or_else(|| to.iter().find(|column| !from.contains(column))) {
        return Err(TransferError::Shapes(odd.clone()));
    }
    if target.read(catalog::has_references).await? {
        return Err(TransferError::Shapes("foreign keys ask for an order of the tables".to_owned()));
    }
    Ok(())
}

/// Copies every row of every table to an empty target that has been [`check`]ed, and compares what it holds then with
/// what was read. All or nothing: after an error, or a kill, the target is empty. Needs a runtime of several threads.
pub async fn copy(source: &Store, target: &Store, now: Timestamp) -> Result<Vec<TableReport>, TransferError> {
    source.number_events().await?;
    rows::copy(source, target, now).await
}

/// The tables of a database with their columns, as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables(Vec<catalog::Table>);

/// Asks a database for its tables.
pub async fn tables(store: &Store) -> Result<Tables, StoreError> {
    store.read(catalog::copied).await.map(Tables)
}

/// What these columns of these tables hold: the same on both databases for the same rows, and the same after columns were
/// added.
pub async fn fingerprints(store: &Store, tables: &Tables) -> Result<Vec<(String, Fingerprint)>, StoreError> {
    let tables = tables.0.clone();
    let read = move |tx: &mut Tx<'_>| {
        tables.iter().map(|table| Ok((table.name.clone(), rows::fingerprint(tx, table)?))).collect()
    };
    store.read(read).await
}

/// Nodes say every few seconds that they are alive.
fn refuse_running(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), TransferError> {
    let alive = nodes::list_seen_since(tx, now.plus_ms(-nodes::DEAD_AFTER_MS))?;
    match alive.into_iter().map(|(_, seen_at)| seen_at).max() {
        None => Ok(()),
        Some(seen_at) => Err(TransferError::Running { seconds: now.millis_since(seen_at).max(0) / 1000 }),
    }
}

fn refuse_rows(tx: &mut Tx<'_>) -> Result<(), TransferError> {
    for table in catalog::copied(tx)? {
        let any = format!("SELECT 1 FROM \"{}\" LIMIT 1", table.name);
        if !tx.query_text::<(i64,)>(&any, p![])?.is_empty() {
            return Err(TransferError::NotEmpty(table.name));
        }
    }
    Ok(())
}

/// All columns by name. Their kinds differ between the databases where SQLite has no such type.
fn shape(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let tables = catalog::copied(tx)?;
    let of = |table: &catalog::Table| {
        table.columns.iter().map(|(column, _)| format!("{}.{column}", table.name)).collect::<Vec<_>>()
    };
    Ok(tables.iter().flat_map(of).collect())
}
