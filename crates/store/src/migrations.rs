//! Forward-only migrations: the same numbers and names on both databases.

use frontdesk_model::Timestamp;

use crate::db::statement::{Statement, both, each};
use crate::{StoreError, Tx};

struct Migration {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal),+ $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("migrations/postgres/", $name, ".sql")),
        }),+]
    };
}

const MIGRATIONS: &[Migration] = migrations![
    1 "0001_start",
    2 "0002_erase",
    3 "0003_erased_messages",
    4 "0004_monitoring",
    5 "0005_events_to_number",
    6 "0006_send_turns",
    7 "0007_request_ids",
    8 "0008_trace_parents",
    9 "0009_built_in_alerts",
    10 "0010_sync",
    11 "0011_bridges",
    12 "0012_crm",
    13 "0013_imports",
    14 "0014_conversation_metadata",
    15 "0015_linked_sessions",
    16 "0016_webhooks",
    17 "0017_suggestions",
    18 "0018_note_search",
    19 "0019_messages_of_ours",
    20 "0020_checks_without_lists",
];

/// The schema this program needs.
pub const LATEST_SCHEMA: i64 = MIGRATIONS[MIGRATIONS.len() - 1].number;

const HAS_TABLE: Statement = each(
    "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'",
    "SELECT COUNT(*) FROM information_schema.tables
     WHERE table_schema = current_schema() AND table_name = 'schema_migrations'",
);
/// Another node's migration is waited for as long as it takes.
const WAIT: Statement =
    each("SELECT 1", "SELECT 1 FROM (SELECT set_config('lock_timeout', '0', true)) AS patient");
const LOCK: Statement = each("SELECT 1", "SELECT 1 FROM (SELECT pg_advisory_xact_lock(7265501)) AS locked");
const CREATE: Statement = both(
    "CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)",
);
const NEWEST: Statement = both("SELECT COALESCE(MAX(number), 0) FROM schema_migrations");
const APPLIED: Statement = both("SELECT number FROM schema_migrations");
const RECORD: Statement =
    both("INSERT INTO schema_migrations (number, name, applied_at) VALUES ($1, $2, $3)");

/// What a migration run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// The schema found.
    pub from: i64,
    /// The schema now.
    pub to: i64,
    /// The names of the migrations applied.
    pub applied: Vec<String>,
}

/// The schema version found, 0 for an empty database.
pub(crate) fn version(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let exists = tx.find::<(i64,)>(&HAS_TABLE, p![])?.is_some_and(|(n,)| n > 0);
    if !exists {
        return Ok(0);
    }
    Ok(tx.find::<(i64,)>(&NEWEST, p![])?.map_or(0, |(n,)| n))
}

/// Applies what is missing, all in the one transaction given: a kill in between leaves the old schema.
pub(crate) fn run(tx: &mut Tx<'_>, postgres: bool, now: Timestamp) -> Result<MigrationReport, StoreError> {
    tx.query::<(i64,)>(&WAIT, p![])?;
    tx.query::<(i64,)>(&LOCK, p![])?;
    tx.execute(&CREATE, p![])?;
    let from = version(tx)?;
    if from > LATEST_SCHEMA {
        return Err(StoreError::NewerSchema { found: from, known: LATEST_SCHEMA });
    }
    // By number, not by the newest: those of branches that grew side by side come in any order.
    let known: Vec<(i64,)> = tx.query(&APPLIED, p![])?;
    let mut applied = Vec::new();
    for migration in MIGRATIONS.iter().filter(|m| !known.contains(&(m.number,))) {
        tx.execute_script(if postgres { migration.postgres } else { migration.sqlite })?;
        tx.execute(&RECORD, p![migration.number, migration.name, now])?;
        applied.push(migration.name.to_owned());
    }
    Ok(MigrationReport { from, to: LATEST_SCHEMA, applied })
}
