//! The turns of an inbox that may send so many messages in any second and any minute, given to all nodes together.
//!
//! The database tells the time: nodes whose clocks differ would each see windows of their own.

use frontdesk_model::{AccountId, InboxId};

use crate::db::statement::{both, each};
use crate::{StoreError, Tx};

statements! {
    /// Whoever reads it has it to itself until the transaction ends; the time is read after the wait for that.
    OPEN = each(
        "INSERT INTO send_turns (account_id, inbox_id, given) VALUES ($1, $2, '[]')
         ON CONFLICT (account_id, inbox_id) DO UPDATE SET given = send_turns.given
         RETURNING given, CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        "INSERT INTO send_turns (account_id, inbox_id, given) VALUES ($1, $2, '[]')
         ON CONFLICT (account_id, inbox_id) DO UPDATE SET given = send_turns.given
         RETURNING given, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)");
    KEEP = both("UPDATE send_turns SET given = $3 WHERE account_id = $1 AND inbox_id = $2");
}

/// So many turns in any period of so many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many.
    pub count: usize,
    /// How long.
    pub period_ms: i64,
}

/// Gives the inbox a turn now, or tells in how many milliseconds there is one.
pub fn take(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    windows: &[Window],
) -> Result<Result<(), i64>, StoreError> {
    if windows.is_empty() {
        return Ok(Ok(()));
    }
    let opened = tx.find::<(String, i64)>(&OPEN, p![account, inbox])?;
    let (given, now) = opened.ok_or(StoreError::Column { column: 0, expected: "the turns given" })?;
    let mut given: Vec<i64> = serde_json::from_str(&given).unwrap_or_default();
    // A clock that was set back must not hold up what follows.
    given.retain(|at| *at <= now);
    let wait_ms = wait_ms(&given, windows, now);
    if wait_ms > 0 {
        return Ok(Err(wait_ms));
    }
    given.push(now);
    let most = windows.iter().map(|window| window.count).max().unwrap_or(1);
    given.drain(..given.len().saturating_sub(most));
    tx.execute(&KEEP, p![account, inbox, serde_json::json!(given).to_string()])?;
    Ok(Ok(()))
}

/// How long until no window is full any more; `given` has the oldest first.
fn wait_ms(given: &[i64], windows: &[Window], now: i64) -> i64 {
    let until = windows.iter().filter_map(|window| {
        let first = given.len().checked_sub(window.count)?;
        Some(given.get(first)? + window.period_ms)
    });
    until.max().map_or(0, |until| (until - now).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_window_holds_more_than_it_may() {
        let windows = [Window { count: 2, period_ms: 1000 }, Window { count: 5, period_ms: 60_000 }];
        let (mut given, mut now) = (Vec::new(), 0);
        for _ in 0..12 {
            now += wait_ms(&given, &windows, now);
            assert_eq!(wait_ms(&given, &windows, now), 0);
            given.push(now);
        }
        assert_eq!(given[..6], [0, 0, 1000, 1000, 2000, 60_000]);
        for window in windows {
            for (index, later) in given.iter().enumerate().skip(window.count) {
                assert!(*later >= given[index - window.count] + window.period_ms, "{window:?}: {given:?}");
            }
        }
    }
}
