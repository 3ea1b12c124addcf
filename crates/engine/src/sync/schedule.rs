//! When a connection runs by itself: a cron expression of five fields, in UTC.

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use frontdesk_model::Timestamp;

/// Longer than any expression that means something.
const MAX_CHARS: usize = 100;

/// An expression that says no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "The schedule field must be a cron expression of five fields in UTC, as `0 3 * * *` for every night at three."
)]
pub struct NoSchedule;

/// Checks an expression, and says when it next holds after `now`.
///
/// Errors: [`NoSchedule`] for what cannot be read, and for what never holds.
pub fn next_after(expression: &str, now: Timestamp) -> Result<Timestamp, NoSchedule> {
    let cron = parse(expression)?;
    let here = jiff::Timestamp::from_millisecond(now.as_millis()).map_err(|_| NoSchedule)?;
    let here = jiff::tz::TimeZone::UTC.to_datetime(here);
    let next = cron.find_next_occurrence(&here, false).map_err(|_| NoSchedule)?;
    let next = jiff::tz::TimeZone::UTC.to_timestamp(next).map_err(|_| NoSchedule)?;
    Ok(Timestamp::from_millis(next.as_millisecond()))
}

fn parse(expression: &str) -> Result<Cron, NoSchedule> {
    if expression.chars().count() > MAX_CHARS {
        return Err(NoSchedule);
    }
    CronParser::builder().seconds(Seconds::Disallowed).build().parse(expression).map_err(|_| NoSchedule)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn the_next_time_is_after_now_in_utc() {
        let day = 20_000 * 24 * HOUR;
        let next = |expression: &str, at: i64| {
            next_after(expression, Timestamp::from_millis(day + at)).unwrap().as_millis() - day
        };
        assert_eq!(next("0 3 * * *", 0), 3 * HOUR);
        assert_eq!(next("0 3 * * *", 3 * HOUR), 27 * HOUR, "the time itself is over");
        assert_eq!(next("*/15 * * * *", 61_000), HOUR / 4);
    }

    #[test]
    fn what_says_no_time_is_refused() {
        for expression in
            ["", "soon", "* * * *", "0 0 3 * * *", "61 * * * *", "0 0 31 2 *", &"1,".repeat(200)]
        {
            assert_eq!(next_after(expression, Timestamp::from_millis(0)), Err(NoSchedule), "{expression}");
        }
    }
}
