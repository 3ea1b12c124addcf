//! How long to wait between attempts of a read, and what the provider asked for.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::fmt::rfc2822::DateTimeParser;
use rand::{Rng, RngCore};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// When reads are repeated: `first`, doubling up to `longest`, each 50 % shorter to 50 % longer.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// Attempts after the first one.
    pub retries: usize,
    /// Wait before the first retry.
    pub first: Duration,
    /// No wait is longer. A provider that asks for more gets no retry here: the error carries its wish.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { retries: 3, first: Duration::from_secs(1), longest: Duration::from_secs(60) }
    }
}

impl RetryPolicy {
    /// Never repeat.
    pub fn never() -> Self {
        Self { retries: 0, ..Self::default() }
    }

    /// The waits of one call, already spread by chance.
    pub(crate) fn waits(&self, mut chance: impl RngCore) -> std::vec::IntoIter<Duration> {
        let doubling = ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_factor(2.0)
            .with_max_times(self.retries);
        let spread: Vec<Duration> = doubling
            .build()
            .map(|wait| wait.mul_f64(chance.random_range(0.5..=1.5)).min(self.longest))
            .collect();
        spread.into_iter()
    }

    /// The wait before the next attempt: ours, or longer if the provider asks for it; `None` = give up.
    pub(crate) fn wait_for(&self, ours: Option<Duration>, asked: Option<Duration>) -> Option<Duration> {
        let wait = ours?.max(asked.unwrap_or_default());
        (wait <= self.longest).then_some(wait)
    }
}

/// The longest that is waited because a provider says so, however long it says: a day.
pub const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// Reads `Retry-After`: seconds, or a date. A date is compared with the answer's own `Date`, so a
/// wrong clock on either side does no harm; without `Date` it is ignored.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(LONGEST_WAIT));
    }
    let until = parse_date(value)?;
    let now = parse_date(headers.get(DATE)?.to_str().ok()?)?;
    let seconds = until.as_second().saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).min(LONGEST_WAIT))
}

/// Until the minute of the answer's own `Date` is over, and up to two seconds more by chance: for providers that count by
/// minutes of the clock and send no `Retry-After` (rack-attack). Without `Date`, a whole minute.
pub(crate) fn until_next_minute(headers: &HeaderMap) -> Duration {
    let date = headers.get(DATE).and_then(|value| value.to_str().ok()).and_then(parse_date);
    let passed = date.map_or(0, |date| u64::try_from(date.as_second().rem_euclid(60)).unwrap_or(0));
    Duration::from_secs(60 - passed) + Duration::from_millis(rand::rng().random_range(0..2_000))
}

fn parse_date(text: &str) -> Option<jiff::Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    PARSER.parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};
    use reqwest::header::HeaderValue;

    fn headers(retry_after: &'static str, date: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(retry_after));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        headers
    }

    #[test]
    fn waits_double_within_half_and_one_and_a_half() {
        let policy = RetryPolicy { retries: 8, ..RetryPolicy::default() };
        for seed in 0..50 {
            let waits: Vec<_> = policy.waits(StdRng::seed_from_u64(seed)).collect();
            assert_eq!(waits.len(), 8);
            for (n, wait) in waits.iter().enumerate() {
                let middle = f64::from(2u32.pow(u32::try_from(n).unwrap())).min(60.0);
                let seconds = wait.as_secs_f64();
                assert!(seconds >= middle * 0.5 && seconds <= (middle * 1.5).min(60.0), "{n}: {seconds}");
            }
        }
    }

    #[test]
    fn chance_really_spreads_the_waits() {
        let policy = RetryPolicy::default();
        let firsts: std::collections::HashSet<_> =
            (0..20).map(|seed| policy.waits(StdRng::seed_from_u64(seed)).next()).collect();
        assert!(firsts.len() > 10);
    }

    #[test]
    fn the_provider_may_ask_for_more_but_not_for_less() {
        let policy = RetryPolicy::default();
        let second = |n| Some(Duration::from_secs(n));
        assert_eq!(policy.wait_for(second(2), second(7)), second(7));
        assert_eq!(policy.wait_for(second(2), second(1)), second(2));
        assert_eq!(policy.wait_for(second(2), None), second(2));
        assert_eq!(policy.wait_for(second(2), second(61)), None, "too long to wait in memory");
        assert_eq!(policy.wait_for(None, second(1)), None, "no retry left");
    }

    #[test]
    fn minutes_of_the_clock_are_those_of_the_answer() {
        let mut headers = HeaderMap::new();
        for (date, least) in [(None, 60), (Some("Sun, 06 Nov 1994 08:49:37 GMT"), 23)] {
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            let wait = until_next_minute(&headers);
            assert!((least..least + 2).contains(&wait.as_secs()), "{date:?}: {wait:?}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_beside_the_answers_date() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(retry_after(&headers("120", None)), Some(Duration::from_secs(120)));
        assert_eq!(
            retry_after(&headers("Sun, 06 Nov 1994 08:50:07 GMT", date)),
            Some(Duration::from_secs(30))
        );
        assert_eq!(retry_after(&headers("Sun, 06 Nov 1994 08:00:00 GMT", date)), Some(Duration::ZERO));
        assert_eq!(retry_after(&headers("Sun, 06 Nov 1994 08:50:07 GMT", None)), None);
        assert_eq!(retry_after(&headers("18446744073709551615", None)), Some(LONGEST_WAIT));
        assert_eq!(retry_after(&headers("Sat, 06 Nov 2094 08:50:07 GMT", date)), Some(LONGEST_WAIT));
        assert_eq!(retry_after(&headers("soon", date)), None);
        assert_eq!(retry_after(&headers("-5", date)), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
