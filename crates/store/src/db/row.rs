//! Reading rows, column by column in the order of the SELECT.

use super::value::{FromValue, Value};
use crate::StoreError;

/// One row, read from left to right: `Ok(User { id: row.next()?, name: row.next()? })`.
pub struct Columns<'a> {
    row: RowRef<'a>,
    position: usize,
}

pub(crate) enum RowRef<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl<'a> Columns<'a> {
    pub(crate) fn new(row: RowRef<'a>) -> Self {
        Self { row, position: 0 }
    }

    /// The value of the next column.
    #[expect(clippy::should_implement_trait, reason = "the type read differs from call to call")]
    pub fn next<T: FromValue>(&mut self) -> Result<T, StoreError> {
        let column = self.position;
        self.position += 1;
        T::from_value(self.raw(column)?).ok_or(StoreError::Column { column, expected: T::EXPECTED })
    }

    /// The value of the next column, which holds JSON or nothing.
    pub fn next_json<T: serde::de::DeserializeOwned + Default>(&mut self) -> Result<T, StoreError> {
        Ok(self.next::<Option<super::value::Json<T>>>()?.map(|json| json.0).unwrap_or_default())
    }

    /// All values, whatever they are: for tables known only at run time.
    pub(crate) fn all(&self, columns: usize) -> Result<Vec<super::value::Owned>, StoreError> {
        (0..columns).map(|column| Ok(self.raw(column)?.into())).collect()
    }

    fn raw(&self, column: usize) -> Result<Value<'_>, StoreError> {
        match &self.row {
            RowRef::Sqlite(row) => {
                use rusqlite::types::ValueRef;
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(v) => Value::Int(v),
                    ValueRef::Real(v) => Value::Real(v),
                    ValueRef::Text(v) => Value::Text(
                        std::str::from_utf8(v)
                            .map_err(|_| StoreError::Column { column, expected: "UTF-8 text" })?,
                    ),
                    ValueRef::Blob(v) => Value::Blob(v),
                })
            }
            RowRef::Postgres(row) => Ok(row.try_get::<_, Value<'_>>(column)?),
        }
    }
}

/// A type made from one row.
pub trait FromRow: Sized {
    /// Reads the columns in the order of the SELECT.
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError>;
}

macro_rules! tuple_rows {
    ($(($($t:ident),+)),+ $(,)?) => {$(
        impl<$($t: FromValue),+> FromRow for ($($t,)+) {
            fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
                Ok(($(row.next::<$t>()?,)+))
            }
        }
    )+};
}

tuple_rows!((A), (A, B), (A, B, C), (A, B, C, D), (A, B, C, D, E), (A, B, C, D, E, F), (A, B, C, D, E, F, G));
