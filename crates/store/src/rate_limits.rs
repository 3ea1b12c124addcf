//! How often something was done within a window, counted for all nodes together.

use std::collections::{BTreeMap, HashMap};

use frontdesk_model::Timestamp;

use crate::db::statement::{both, each};
use crate::{StoreError, Tx};

statements! {
    /// A window begins with the first request after the previous one ended.
    TAKE_MANY = each(
        "INSERT INTO rate_limits (name, window_start, used) VALUES ($1, $2, $4)
         ON CONFLICT (name) DO UPDATE SET
            used = CASE WHEN rate_limits.window_start <= $3 THEN $4 ELSE rate_limits.used + $4 END,
            window_start = CASE WHEN rate_limits.window_start <= $3 THEN excluded.window_start
                                ELSE rate_limits.window_start END
         RETURNING name, used, window_start",
        "INSERT INTO rate_limits (name, window_start, used)
         SELECT n.name, n.now, n.times FROM UNNEST($1::TEXT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[])
            AS n (name, now, ended, times)
         ON CONFLICT (name) DO UPDATE SET
            used = CASE WHEN rate_limits.window_start <= $3[1] THEN excluded.used ELSE rate_limits.used + excluded.used END,
            window_start = CASE WHEN rate_limits.window_start <= $3[1] THEN excluded.window_start
                                ELSE rate_limits.window_start END
         RETURNING name, used, window_start");
    RESET = both("DELETE FROM rate_limits WHERE name = $1");
    DELETE_BEFORE = both("DELETE FROM rate_limits WHERE window_start < $1");
}

/// What was used of a window, this time included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// How often.
    pub count: i64,
    /// When the window ends.
    pub resets_at: Timestamp,
}

/// Counts one use of `name` in a window of `window_ms` milliseconds.
pub fn take(tx: &mut Tx<'_>, name: &str, window_ms: i64, now: Timestamp) -> Result<Used, StoreError> {
    let taken = take_many(tx, &BTreeMap::from([(name, 1)]), window_ms, now)?.into_values().next();
    taken.ok_or(StoreError::Column { column: 0, expected: "the use just counted" })
}

/// Counts uses of several names, so many of each, in windows of `window_ms` milliseconds.
pub fn take_many(
    tx: &mut Tx<'_>,
    times: &BTreeMap<&str, i64>,
    window_ms: i64,
    now: Timestamp,
) -> Result<HashMap<String, Used>, StoreError> {
    let ended = now.plus_ms(-window_ms);
    let rows = times.iter().map(|(name, times)| row![name, now, ended, times]).collect(); // sorted: locked in one order
    let taken = tx.query_many::<(String, i64, Timestamp)>(&TAKE_MANY, rows)?;
    let used = |count, started_at: Timestamp| Used { count, resets_at: started_at.plus_ms(window_ms) };
    Ok(taken.into_iter().map(|(name, count, started_at)| (name, used(count, started_at))).collect())
}

/// Forgets what was counted under `name`.
pub fn reset(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    tx.execute(&RESET, p![name]).map(drop)
}

/// Forgets windows that began before `before`.
pub fn delete_before(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&DELETE_BEFORE, p![before])
}
