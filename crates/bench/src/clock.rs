//! The machine's own time: providers' times and signatures have to be of now, and a report bears a date.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 (UTC).
#[expect(
    clippy::disallowed_methods,
    reason = "what is measured runs on the machine's time, in processes of its own"
)]
pub fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The date (UTC), as `2026-01-31`.
pub fn today() -> String {
    let now = jiff::Timestamp::from_second(i64::try_from(now_secs()).unwrap_or(0)).unwrap_or_default();
    now.strftime("%Y-%m-%d").to_string()
}
