//! When a reminder is due, and when it is due again.

use jiff::Span;
use jiff::civil::DateTime;

use super::settings::Calendar;
use crate::Timestamp;

crate::words! {
    /// Whether a reminder comes again.
    pub enum Repeat {
        /// It comes once.
        None = "none",
        /// Every day at the same time.
        Daily = "daily",
        /// Every week on the same day.
        Weekly = "weekly",
        /// Every month on the same day; in shorter months on the last one.
        Monthly = "monthly",
    }
}

/// Later than this it "was due".
pub const LATE_AFTER_MS: i64 = 60_000;
/// The longest text.
pub const MAX_TEXT: usize = 1_000;

/// A reminder goes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firing {
    /// For when it was set: of several that were missed the last.
    pub due_at: Timestamp,
    /// When it goes off again.
    pub next_at: Option<Timestamp>,
    /// It comes late: the server was away, or it was set for a time that was over.
    pub was_due: bool,
}

/// What becomes of a reminder that is set for `next_at` and was first set for `anchor_at`; `None` while it is not due.
pub fn fire(
    anchor_at: Timestamp,
    next_at: Timestamp,
    repeat: Repeat,
    calendar: &Calendar,
    now: Timestamp,
) -> Option<Firing> {
    if next_at > now {
        return None;
    }
    let last = last_until(anchor_at, repeat, calendar, now).filter(|last| *last > next_at);
    let due_at = last.unwrap_or(next_at);
    let next_at = next_after(anchor_at, repeat, calendar, now);
    Some(Firing { due_at, next_at, was_due: now.millis_since(due_at) > LATE_AFTER_MS })
}

/// The first time after `now`; `None` for what comes once and is over.
pub fn next_after(
    anchor_at: Timestamp,
    repeat: Repeat,
    calendar: &Calendar,
    now: Timestamp,
) -> Option<Timestamp> {
    if anchor_at > now {
        return Some(anchor_at);
    }
    let about = periods_between(anchor_at, repeat, calendar, now)?;
    (about..=about + 2).filter_map(|n| occurrence(anchor_at, repeat, calendar, n)).find(|at| *at > now)
}

fn last_until(
    anchor_at: Timestamp,
    repeat: Repeat,
    calendar: &Calendar,
    now: Timestamp,
) -> Option<Timestamp> {
    let about = periods_between(anchor_at, repeat, calendar, now)?;
    let around = (about - 1).max(0)..=about + 1;
    around.filter_map(|n| occurrence(anchor_at, repeat, calendar, n)).rfind(|at| *at <= now)
}

/// How many periods lie about between two moments: one more or less may be right. `None` for what comes once.
fn periods_between(from: Timestamp, repeat: Repeat, calendar: &Calendar, to: Timestamp) -> Option<i64> {
    let months = |at: DateTime| i64::from(at.year()) * 12 + i64::from(at.month());
    let periods = match repeat {
        Repeat::None => return None,
        Repeat::Daily => calendar.days_between(from, to) - 1,
        Repeat::Weekly => calendar.days_between(from, to) / 7 - 1,
        Repeat::Monthly => months(calendar.date_time(to)) - months(calendar.date_time(from)) - 1,
    };
    Some(periods.max(0))
}

/// The nth time by the calendar: always counted from the first, so that the 31st comes back after February.
fn occurrence(anchor_at: Timestamp, repeat: Repeat, calendar: &Calendar, n: i64) -> Option<Timestamp> {
    let span = match repeat {
        Repeat::None => Span::new(),
        Repeat::Daily => Span::new().try_days(n).ok()?,
        Repeat::Weekly => Span::new().try_weeks(n).ok()?,
        Repeat::Monthly => Span::new().try_months(n).ok()?,
    };
    let at = calendar.date_time(anchor_at).checked_add(span).ok()?;
    // A time that the clocks leap over comes an hour later, one that comes twice the first time.
    let at = at.to_zoned(calendar.zone().clone()).ok()?;
    Some(Timestamp::from_millis(at.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn fired(anchor: &str, next: &str, repeat: Repeat, now: &str) -> Option<Firing> {
        fire(at(anchor), at(next), repeat, &Calendar::fixed(7), at(now))
    }

    #[test]
    fn what_comes_once_is_due_from_its_time_on_and_then_over() {
        let due = "2026-03-01T09:00:00Z";
        assert_eq!(fired(due, due, Repeat::None, "2026-03-01T08:59:59Z"), None);
        let on_time = fired(due, due, Repeat::None, "2026-03-01T09:00:30Z").unwrap();
        assert_eq!(on_time, Firing { due_at: at(due), next_at: None, was_due: false });
        let late = fired(due, due, Repeat::None, "2026-03-09T09:00:00Z").unwrap();
        assert_eq!(late, Firing { due_at: at(due), next_at: None, was_due: true });
    }

    #[test]
    fn what_was_missed_several_times_comes_once_and_goes_on_afterwards() {
        let first = "2026-03-01T09:00:00Z";
        let firing = fired(first, "2026-03-02T09:00:00Z", Repeat::Daily, "2026-03-07T10:00:00Z").unwrap();
        assert_eq!(firing.due_at, at("2026-03-07T09:00:00Z"));
        assert_eq!(firing.next_at, Some(at("2026-03-08T09:00:00Z")));
        assert!(firing.was_due);
        let weekly = fired(first, first, Repeat::Weekly, "2026-03-15T08:00:00Z").unwrap();
        assert_eq!(
            (weekly.due_at, weekly.next_at),
            (at("2026-03-08T09:00:00Z"), Some(at("2026-03-15T09:00:00Z")))
        );
    }

    #[test]
    fn the_last_day_of_a_month_stays_the_last_day() {
        let first = at("2026-01-31T02:00:00Z"); // nine in the morning in Jakarta
        let mut now = first;
        let mut days = Vec::new();
        for _ in 0..4 {
            now = next_after(first, Repeat::Monthly, &Calendar::fixed(7), now).unwrap();
            days.push(now.to_string());
        }
        let expected = ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"];
        assert_eq!(days, expected.map(|day| format!("{day}T02:00:00Z")));
    }

    #[test]
    fn the_next_time_always_lies_after_now_and_not_too_far() {
        let first = at("2026-01-30T18:30:00Z"); // the 31st in Jakarta
        for repeat in [Repeat::Daily, Repeat::Weekly, Repeat::Monthly] {
            for hours in 0..3_000 {
                let now = first.plus_ms(hours * 3_600_000 * 5 + 17);
                let next = next_after(first, repeat, &Calendar::fixed(7), now).unwrap();
                let ahead_ms = next.millis_since(now);
                assert!(ahead_ms > 0 && ahead_ms <= 31 * 86_400_000, "{repeat} after {now}: {next}");
                let firing = fire(first, first, repeat, &Calendar::fixed(7), now).unwrap();
                assert!(firing.due_at <= now && firing.next_at == Some(next), "{repeat} at {now}");
            }
        }
        assert_eq!(next_after(first, Repeat::None, &Calendar::default(), first), None);
        assert_eq!(next_after(first, Repeat::Daily, &Calendar::default(), Timestamp::default()), Some(first));
    }
}
