//! One transaction on either database.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;

use super::row::{Columns, FromRow, RowRef};
use super::statement::{Statement, each};
use super::value::{FromValue, Owned, ToValue, Value, without_nul};
use crate::StoreError;
use crate::events::NewEvent;
use crate::signals::{Topic, TopicSet};

/// A transaction in progress. Handed to the closures of [`crate::Store::read`] and [`crate::Store::write`].
pub struct Tx<'a> {
    backend: TxBackend<'a>,
    /// Events to append when the closure is done: their numbers are taken last, so that the counter of the account
    /// is locked as shortly as possible.
    pub(crate) events: Vec<NewEvent>,
    /// Who is to be woken after the commit.
    pub(crate) signals: TopicSet,
    /// Events were left that get their numbers after the commit.
    pub(crate) leaves_unnumbered: bool,
    /// PostgreSQL broke off a statement because of a concurrent transaction: run the closure again.
    pub(crate) conflict: bool,
}

const COMMIT_BEFORE_SYNC: Statement =
    each("SELECT 1", "SELECT 1 FROM (SELECT set_config('synchronous_commit', 'off', true)) AS set");

const KEEP_PLANS: Statement = each(
    "SELECT 1",
    "SELECT 1 FROM (SELECT set_config('plan_cache_mode', 'force_generic_plan', true)) AS set",
);

pub(crate) enum TxBackend<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(crate::dialect::postgres::PgConnection<'a>),
}

impl<'a> Tx<'a> {
    pub(crate) fn new(backend: TxBackend<'a>) -> Self {
        Self {
            backend,
            events: Vec::new(),
            signals: TopicSet::default(),
            leaves_unnumbered: false,
            conflict: false,
        }
    }

    /// True on PostgreSQL; for [`crate::dialect`] and set-based statements only.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.backend, TxBackend::Postgres(_))
    }

    /// Runs a statement; returns how many rows it changed.
    pub fn execute(&mut self, statement: &Statement, params: &[Value<'_>]) -> Result<u64, StoreError> {
        match &mut self.backend {
            TxBackend::Sqlite(connection) => {
                let mut prepared = connection.prepare_cached(statement.sqlite)?;
                bind(&mut prepared, params)?;
                Ok(prepared.raw_execute()? as u64)
            }
            TxBackend::Postgres(connection) => {
                let result = connection.execute(statement.postgres, params);
                self.note_conflict(result)
            }
        }
    }

    /// [`Tx::execute`] when nobody asks how many rows changed: PostgreSQL is not waited for, and what comes next is sent
    /// right behind. A failure is told by what comes next, at the latest by the commit.
    pub(crate) fn execute_later(
        &mut self,
        statement: &Statement,
        params: Vec<Owned>,
    ) -> Result<(), StoreError> {
        match &mut self.backend {
            TxBackend::Postgres(connection) => {
                let result = connection.execute_later(statement.postgres, params);
                self.note_conflict(result)
            }
            TxBackend::Sqlite(_) => {
                let params: Vec<Value<'_>> = params.iter().map(ToValue::to_value).collect();
                self.execute(statement, &params).map(drop)
            }
        }
    }

    /// Runs a query; returns all rows.
    pub fn query<T: FromRow>(
        &mut self,
        statement: &Statement,
        params: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        let sql = if self.is_postgres() { statement.postgres } else { statement.sqlite };
        self.rows(sql, params)
    }

    /// Runs a statement for each of many rows of parameters; returns how many rows it changed. SQLite runs it row by
    /// row. PostgreSQL runs it once: there each parameter is an array that holds the column, to be read by `UNNEST`.
    pub fn execute_many(&mut self, statement: &Statement, rows: Vec<Vec<Owned>>) -> Result<u64, StoreError> {
        let sql = if self.is_postgres() { statement.postgres } else { statement.sqlite };
        self.execute_many_text(sql, rows)
    }

    /// [`Tx::execute_many`] as [`Tx::execute_later`].
    pub(crate) fn execute_many_later(
        &mut self,
        statement: &Statement,
        rows: Vec<Vec<Owned>>,
    ) -> Result<(), StoreError> {
        match &mut self.backend {
            TxBackend::Postgres(connection) if !rows.is_empty() => {
                let result = connection.execute_later(statement.postgres, columns_of(rows));
                self.note_conflict(result)
            }
            _ => self.execute_many(statement, rows).map(drop),
        }
    }

    /// [`Tx::execute_many`] with a text put together at run time, in this database's own form.
    pub(crate) fn execute_many_text(&mut self, sql: &str, rows: Vec<Vec<Owned>>) -> Result<u64, StoreError> {
        match &mut self.backend {
            _ if rows.is_empty() => Ok(0),
            TxBackend::Sqlite(connection) => {
                let mut prepared = connection.prepare_cached(sql)?;
                let mut changed = 0;
                for row in rows {
                    bind(&mut prepared, &row)?;
                    changed += prepared.raw_execute()? as u64;
                }
                Ok(changed)
            }
            TxBackend::Postgres(connection) => {
                let result = connection.execute(sql, &columns_of(rows));
                self.note_conflict(result)
            }
        }
    }

    /// Inserts a row with a statement made by `inserting!`; `None` when a conflict kept it out.
    pub(crate) fn insert<T: FromValue>(
        &mut self,
        statement: &Statement,
        params: &[Value<'_>],
    ) -> Result<Option<T>, StoreError> {
        if self.is_postgres() {
            return Ok(self.rows::<(T,)>(statement.postgres, params)?.into_iter().next().map(|(id,)| id));
        }
        let changed = self.execute(statement, params)?;
        self.last_insert(changed)
    }

    /// Inserts many rows, each with a key that no other row of the table has; tells the ids given, and `None` for each
    /// row that a conflict kept out. On PostgreSQL the statement returns id and key.
    pub(crate) fn insert_many<K, T>(
        &mut self,
        statement: &Statement,
        rows: Vec<(K, Vec<Owned>)>,
    ) -> Result<Vec<Option<T>>, StoreError>
    where
        K: FromRow + Eq + Hash,
        T: FromValue,
    {
        match &mut self.backend {
            _ if rows.is_empty() => Ok(Vec::new()),
            TxBackend::Sqlite(connection) => {
                let connection = *connection;
                let mut prepared = connection.prepare_cached(statement.sqlite)?;
                let mut ids = Vec::with_capacity(rows.len());
                for (_, row) in rows {
                    bind(&mut prepared, &row)?;
                    let changed = prepared.raw_execute()? as u64;
                    ids.push(self.last_insert(changed)?);
                }
                Ok(ids)
            }
            TxBackend::Postgres(connection) => {
                let (keys, rows): (Vec<K>, Vec<_>) = rows.into_iter().unzip();
                let result = connection.query(statement.postgres, &columns_of(rows));
                let mut ids = HashMap::with_capacity(keys.len());
                for row in &self.note_conflict(result)? {
                    let mut columns = Columns::new(RowRef::Postgres(row));
                    let id: T = columns.next()?;
                    ids.insert(K::from_row(&mut columns)?, id);
                }
                Ok(keys.into_iter().map(|key| ids.remove(&key)).collect())
            }
        }
    }

    /// The id of the row that was just inserted into SQLite, if one was.
    fn last_insert<T: FromValue>(&self, changed: u64) -> Result<Option<T>, StoreError> {
        match &self.backend {
            TxBackend::Sqlite(connection) if changed > 0 => {
                let id = T::from_value(Value::Int(connection.last_insert_rowid()));
                Ok(Some(id.ok_or(StoreError::Column { column: 0, expected: T::EXPECTED })?))
            }
            _ => Ok(None),
        }
    }

    /// Runs a query for each of many rows of parameters, as [`Tx::execute_many`] does; returns what all of them found,
    /// in no particular order.
    pub fn query_many<T: FromRow>(
        &mut self,
        statement: &Statement,
        rows: Vec<Vec<Owned>>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::with_capacity(rows.len());
        match &mut self.backend {
            _ if rows.is_empty() => {}
            TxBackend::Sqlite(connection) => {
                let mut prepared = connection.prepare_cached(statement.sqlite)?;
                for row in rows {
                    bind(&mut prepared, &row)?;
                    let mut answer = prepared.raw_query();
                    while let Some(row) = answer.next()? {
                        found.push(T::from_row(&mut Columns::new(RowRef::Sqlite(row)))?);
                    }
                }
            }
            TxBackend::Postgres(connection) => {
                let result = connection.query(statement.postgres, &columns_of(rows));
                for row in &self.note_conflict(result)? {
                    found.push(T::from_row(&mut Columns::new(RowRef::Postgres(row)))?);
                }
            }
        }
        Ok(found)
    }

    /// Runs a query of which at most one row is wanted.
    pub fn find<T: FromRow>(
        &mut self,
        statement: &Statement,
        params: &[Value<'_>],
    ) -> Result<Option<T>, StoreError> {
        Ok(self.query(statement, params)?.into_iter().next())
    }

    /// Runs a query whose text was put together at run time (filters of lists). It must hold no `$` but parameters.
    pub(crate) fn query_text<T: FromRow>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        if self.is_postgres() { self.rows(sql, params) } else { self.rows(&sql.replace('$', "?"), params) }
    }

    fn rows<T: FromRow>(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<T>, StoreError> {
        match &mut self.backend {
            TxBackend::Sqlite(connection) => {
                let mut prepared = connection.prepare_cached(sql)?;
                bind(&mut prepared, params)?;
                let mut rows = prepared.raw_query();
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    found.push(T::from_row(&mut Columns::new(RowRef::Sqlite(row)))?);
                }
                Ok(found)
            }
            TxBackend::Postgres(connection) => {
                let result = connection.query(sql, params);
                let rows = self.note_conflict(result)?;
                rows.iter().map(|row| T::from_row(&mut Columns::new(RowRef::Postgres(row)))).collect()
            }
        }
    }

    /// Hands over every row of a query without parameters, one after the other: for more rows than memory holds.
    pub(crate) fn stream(
        &mut self,
        sql: &str,
        mut each: impl FnMut(&Columns<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match &mut self.backend {
            TxBackend::Sqlite(connection) => {
                let mut prepared = connection.prepare(sql)?;
                let mut rows = prepared.raw_query();
                while let Some(row) = rows.next()? {
                    each(&Columns::new(RowRef::Sqlite(row)))?;
                }
                Ok(())
            }
            TxBackend::Postgres(connection) => {
                connection.stream(sql, |row| each(&Columns::new(RowRef::Postgres(row))))
            }
        }
    }

    /// Says that nothing of this transaction need outlive a crash of the database: PostgreSQL's commit does not wait for
    /// the disk then, and whoever waits for its rows does not either.
    pub fn need_not_last(&mut self) -> Result<(), StoreError> {
        if self.is_postgres() {
            return self.execute_many_later(&COMMIT_BEFORE_SYNC, vec![Vec::new()]);
        }
        Ok(())
    }

    /// Says that the statements of this transaction find their rows in the same way whatever they are asked for:
    /// PostgreSQL keeps their plans, also those that it would make anew because of how many rows are asked for.
    pub fn keep_plans(&mut self) -> Result<(), StoreError> {
        if self.is_postgres() {
            return self.execute_many_later(&KEEP_PLANS, vec![Vec::new()]);
        }
        Ok(())
    }

    /// True once the transaction exists for the database; PostgreSQL hears of it with the first statement.
    pub(crate) fn has_begun(&self) -> bool {
        match &self.backend {
            TxBackend::Sqlite(_) => true,
            TxBackend::Postgres(connection) => connection.has_begun(),
        }
    }

    /// Ends a transaction on PostgreSQL; SQLite's are ended by the writer, many at a time.
    pub(crate) fn commit(&mut self) -> Result<(), StoreError> {
        match &self.backend {
            TxBackend::Sqlite(_) => Ok(()),
            TxBackend::Postgres(connection) => {
                let result = connection.commit();
                self.note_conflict(result)
            }
        }
    }

    /// Checks that a statement can be prepared.
    pub(crate) fn prepare(&mut self, statement: &Statement) -> Result<(), StoreError> {
        match &mut self.backend {
            TxBackend::Sqlite(connection) => drop(connection.prepare_cached(statement.sqlite)?),
            TxBackend::Postgres(connection) => connection.prepare(statement.postgres)?,
        }
        Ok(())
    }

    /// Runs several statements without parameters (migrations).
    pub(crate) fn execute_script(&mut self, sql: &str) -> Result<(), StoreError> {
        match &mut self.backend {
            TxBackend::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            TxBackend::Postgres(connection) => Ok(connection.execute_script(sql)?),
        }
    }

    /// Appends an event to the account's sequence when the transaction commits.
    pub fn emit(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// Wakes whoever waits for `topic`, on every node, after the commit.
    pub fn signal(&mut self, topic: Topic) {
        self.signals.insert(topic);
    }

    fn note_conflict<T>(&mut self, result: Result<T, tokio_postgres::Error>) -> Result<T, StoreError> {
        use tokio_postgres::error::SqlState;
        if let Err(error) = &result
            && error.code().is_some_and(|c| {
                *c == SqlState::T_R_DEADLOCK_DETECTED || *c == SqlState::T_R_SERIALIZATION_FAILURE
            })
        {
            self.conflict = true;
        }
        Ok(result?)
    }
}

/// Rows turned into columns: PostgreSQL takes an array for each parameter.
fn columns_of(rows: Vec<Vec<Owned>>) -> Vec<Vec<Owned>> {
    let mut columns: Vec<Vec<Owned>> = Vec::new();
    columns.resize_with(rows.first().map_or(0, Vec::len), || Vec::with_capacity(rows.len()));
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    columns
}

/// Binds the parameters by number; a statement that does not use the last ones is given them in vain.
fn bind<V: ToValue>(statement: &mut rusqlite::Statement<'_>, params: &[V]) -> Result<(), StoreError> {
    let used = statement.parameter_count();
    for (index, value) in params.iter().take(used).enumerate() {
        statement.raw_bind_parameter(index + 1, SqliteValue(value.to_value()))?;
    }
    Ok(())
}

struct SqliteValue<'a>(Value<'a>);

impl rusqlite::ToSql for SqliteValue<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        if let Value::Text(text) = self.0
            && let Cow::Owned(cleaned) = without_nul(text)
        {
            return Ok(ToSqlOutput::Owned(cleaned.into()));
        }
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(v) => ValueRef::Integer(v),
            Value::Real(v) => ValueRef::Real(v),
            Value::Bool(v) => ValueRef::Integer(v.into()),
            Value::Text(v) => ValueRef::Text(v.as_bytes()),
            Value::Blob(v) => ValueRef::Blob(v),
        }))
    }
}
