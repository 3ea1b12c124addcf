//! Paging by key: a cursor names the last row seen, so that nothing is skipped or doubled while rows come and go.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// Rows of a page unless the client asks for another number.
const DEFAULT_LIMIT: i64 = 100;
/// Rows of a page at most.
const MAX_LIMIT: i64 = 200;

/// What a client asks of a list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}$")]
    pub cursor: Option<String>,
    /// Rows wanted.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
}

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Give it as `cursor` to go on; null on the last page.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

impl PageQuery {
    /// How many rows to show.
    pub fn limit(&self) -> Result<i64, ApiError> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            _ => {
                Err(ApiError::invalid("limit", format!("The limit field must be between 1 and {MAX_LIMIT}.")))
            }
        }
    }

    /// The key to go on from; `start` on the first page.
    pub fn key(&self, start: i64) -> Result<i64, ApiError> {
        let Some(cursor) = &self.cursor else { return Ok(start) };
        decode(cursor)
            .ok_or_else(|| ApiError::invalid("cursor", "The cursor field must be a next_cursor given here."))
    }
}

impl<T> Page<T> {
    /// Makes a page of rows that were asked for with one more than `limit`, to see whether there are any.
    pub fn of<R>(mut rows: Vec<R>, limit: i64, key: impl Fn(&R) -> i64, show: impl Fn(R) -> T) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|row| encode(key(row)));
        Self { data: rows.into_iter().map(show).collect(), next_cursor }
    }
}

/// A place in a list ordered by time, then id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// The id of the row.
    pub id: i64,
}

impl Position {
    /// A cursor for this place.
    pub fn encode(self) -> String {
        format!("{}.{}", self.at_ms, self.id)
    }

    /// The place of a cursor. Errors: 422 naming `field`.
    pub fn decode(cursor: &str, field: &str) -> Result<Self, ApiError> {
        let read = || {
            let (at_ms, id) = cursor.split_once('.')?;
            Some(Self { at_ms: decode(at_ms)?, id: decode(id)? })
        };
        let sentence = || format!("The {field} field must be a cursor given here.");
        read().ok_or_else(|| ApiError::invalid(field, sentence()))
    }
}

/// A cursor for a key. Clients only give it back, so that what it holds can change.
pub fn encode(key: i64) -> String {
    key.to_string()
}

/// The key of a cursor: up to 18 digits, which always fit.
pub fn decode(cursor: &str) -> Option<i64> {
    let digits = (1..=18).contains(&cursor.len()) && cursor.bytes().all(|b| b.is_ascii_digit());
    if digits { cursor.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_to_the_next_one_only_when_there_is_more() {
        let page = Page::of(vec![1, 2, 3], 2, |n| *n, |n| n);
        assert_eq!(page.data, [1, 2]);
        assert_eq!(decode(&page.next_cursor.unwrap()), Some(2));
        assert_eq!(Page::of(vec![1, 2], 2, |n| *n, |n| n).next_cursor, None);
    }

    #[test]
    fn strange_cursors_and_limits_are_refused() {
        for cursor in ["", "x", "-1", "+1", " 1", "1.5", "1234567890123456789"] {
            assert!(PageQuery { cursor: Some(cursor.to_owned()), limit: None }.key(0).is_err(), "{cursor}");
        }
        for limit in [0, -1, 201, i64::MAX] {
            assert!(PageQuery { cursor: None, limit: Some(limit) }.limit().is_err(), "{limit}");
        }
    }
}
