//! The tables of a database, asked of the database itself: a new one cannot be forgotten.

use std::collections::BTreeMap;

use crate::db::statement::each;
use crate::{StoreError, Tx};

statements! {
    COLUMNS = each(
        "SELECT t.name, c.name, c.type FROM pragma_table_list t JOIN pragma_table_xinfo (t.name) c
         WHERE t.schema = 'main' AND t.type = 'table' AND substr(t.name, 1, 7) <> 'sqlite_' AND c.hidden = 0",
        "SELECT c.table_name::TEXT, c.column_name::TEXT, c.data_type::TEXT
         FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
         WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'");
    REFERENCES = each(
        "SELECT COUNT(*) FROM pragma_table_list t JOIN pragma_foreign_key_list (t.name) WHERE t.schema = 'main'",
        "SELECT COUNT(*) FROM information_schema.table_constraints
         WHERE table_schema = current_schema() AND constraint_type = 'FOREIGN KEY'");
    IDENTITIES = each(
        "SELECT '', '' WHERE FALSE",
        "SELECT table_name::TEXT, column_name::TEXT FROM information_schema.columns
         WHERE table_schema = current_schema() AND is_identity = 'YES'");
}

/// Tables that are not copied row by row: the target's own schema, its full-text index, which catches up by itself,
/// events without numbers, of which none are left, and the slices of files, which are put where the target wants its
/// files (`engine::media`).
const APART: [&str; 6] = [
    "schema_migrations",
    "messages_fts_progress",
    "messages_to_index",
    "message_words",
    "events_to_number",
    "media_chunks",
];

/// What a column holds. Decides how a value is written on PostgreSQL, and makes booleans of both databases the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Real,
    Boolean,
    Text,
    Bytes,
}

impl Kind {
    /// Reads the name of a type, as either database says it.
    fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "integer" | "bigint" => Self::Integer,
            "double precision" => Self::Real,
            "boolean" => Self::Boolean,
            "text" => Self::Text,
            "blob" | "bytea" => Self::Bytes,
            _ => return None,
        })
    }

    /// PostgreSQL's name for an array of it.
    pub(super) fn array(self) -> &'static str {
        match self {
            Self::Integer => "BIGINT[]",
            Self::Real => "DOUBLE PRECISION[]",
            Self::Boolean => "BOOLEAN[]",
            Self::Text => "TEXT[]",
            Self::Bytes => "BYTEA[]",
        }
    }
}

/// One table, with its columns in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub name: String,
    pub columns: Vec<(String, Kind)>,
}

/// The tables whose rows are copied, by name.
pub(super) fn copied(tx: &mut Tx<'_>) -> Result<Vec<Table>, StoreError> {
    let mut tables: BTreeMap<String, Vec<(String, Kind)>> = BTreeMap::new();
    for (table, column, kind) in tx.query::<(String, String, String)>(&COLUMNS, p![])? {
        if APART.contains(&table.as_str()) {
            continue;
        }
        let kind = Kind::parse(&kind).ok_or_else(|| {
            StoreError::Unavailable(format!("{table}.{column} is {kind}, which cannot be moved"))
        })?;
        tables.entry(table).or_default().push((column, kind));
    }
    let sorted = tables.into_iter().map(|(name, mut columns)| {
        columns.sort_by(|a, b| a.0.cmp(&b.0));
        Table { name, columns }
    });
    Ok(sorted.collect())
}

/// The name of some table, whosever it is.
pub(super) fn any(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    Ok(tx.find::<(String, String, String)>(&COLUMNS, p![])?.map(|(table, ..)| table))
}

/// True when tables refer to others by foreign keys: then they could not be filled in any order, as they are here.
pub(super) fn has_references(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(tx.find::<(i64,)>(&REFERENCES, p![])?.is_some_and(|(count,)| count > 0))
}

/// Lets PostgreSQL number new rows after those that came with their numbers.
pub(super) fn continue_numbers(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    for (table, column) in tx.query::<(String, String)>(&IDENTITIES, p![])? {
        tx.execute_script(&format!(
            "SELECT setval(pg_get_serial_sequence('\"{table}\"', '{column}'), (SELECT MAX(\"{column}\") FROM \"{table}\"))"
        ))?;
    }
    Ok(())
}
