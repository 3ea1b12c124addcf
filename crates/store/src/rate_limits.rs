//! How often something was done within a window, counted for all nodes together.

use frontdesk_model::Timestamp;

use crate::db::statement::both;
use crate::{StoreError, Tx};

statements! {
    /// A window begins with the first request after the previous one ended.
    TAKE = both(
        "INSERT INTO rate_limits (name, window_start, used) VALUES ($1, $2, 1)
         ON CONFLICT (name) DO UPDATE SET
            used = CASE WHEN rate_limits.window_start <= $3 THEN 1 ELSE rate_limits.used + 1 END,
            window_start = CASE WHEN rate_limits.window_start <= $3 THEN excluded.window_start
                                ELSE rate_limits.window_start END
         RETURNING used, window_start");
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
    let ended = now.plus_ms(-window_ms);
    let row = tx.find::<(i64, Timestamp)>(&TAKE, p![name, now, ended])?;
    let (count, started_at) =
        row.ok_or(StoreError::Column { column: 0, expected: "the use just counted" })?;
    Ok(Used { count, resets_at: started_at.plus_ms(window_ms) })
}

/// Forgets what was counted under `name`.
pub fn reset(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    tx.execute(&RESET, p![name]).map(drop)
}

/// Forgets windows that began before `before`.
pub fn delete_before(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&DELETE_BEFORE, p![before])
}
