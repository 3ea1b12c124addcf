//! When to try again.

use frontdesk_channels::contract::RetryPlan;
use frontdesk_model::Timestamp;

use crate::settings::OutboxSettings;

/// The moment of the next try after `attempts` tries, by the ladder of the settings; never before `not_before_ms` from
/// now (the provider's `Retry-After`). `chance` is a number from 0 to 1.
pub fn next_try(
    settings: &OutboxSettings,
    attempts: i64,
    not_before_ms: u64,
    chance: f64,
    now: Timestamp,
) -> Timestamp {
    let rung = usize::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    let ladder = &settings.retry_ladder_ms;
    let wait_ms = ladder.get(rung).or(ladder.last()).copied().unwrap_or(60_000);
    later(wait_ms, settings.jitter, not_before_ms, chance, now)
}

/// The same by the plan of an inbox, after `failures` answered tries; `None` when that was the last.
pub fn next_try_by(
    plan: &RetryPlan,
    settings: &OutboxSettings,
    failures: i64,
    chance: f64,
    now: Timestamp,
) -> Option<Timestamp> {
    match plan {
        RetryPlan::Patient => Some(next_try(settings, failures, 0, chance, now)),
        RetryPlan::Limited(limited) => {
            let rung = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
            limited.waits_ms.get(rung).map(|wait_ms| later(*wait_ms, limited.jitter, 0, chance, now))
        }
    }
}

pub(crate) fn later(wait_ms: u64, jitter: f64, not_before_ms: u64, chance: f64, now: Timestamp) -> Timestamp {
    let factor = 1.0 + jitter * (2.0 * chance - 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "waits are far below 2^52 ms and not negative"
    )]
    let wait_ms = (wait_ms as f64 * factor.max(0.0)) as u64;
    now.plus_ms(i64::try_from(wait_ms.max(not_before_ms)).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use frontdesk_channels::contract::LimitedRetry;

    use super::*;

    #[test]
    fn waits_follow_the_ladder_within_the_jitter() {
        let settings = OutboxSettings::default();
        let now = Timestamp::from_secs(0);
        let wait = |attempts, chance| next_try(&settings, attempts, 0, chance, now).as_millis();
        assert_eq!(wait(1, 0.5), 1_000);
        assert_eq!((wait(1, 0.0), wait(1, 1.0)), (500, 1_500));
        assert_eq!(wait(7, 0.5), 60_000);
        assert_eq!(wait(8, 0.5), 300_000);
        assert_eq!(wait(800, 0.5), 300_000);
        assert_eq!(next_try(&settings, 1, 45_000, 0.5, now).as_millis(), 45_000);
    }

    #[test]
    fn a_limited_plan_doubles_up_to_its_longest_wait_and_then_gives_up() {
        let now = Timestamp::from_secs(0);
        let wait = |retries, failures, chance| {
            let plan = RetryPlan::Limited(LimitedRetry::doubling(1_000, 60_000, retries, 0.5));
            next_try_by(&plan, &OutboxSettings::default(), failures, chance, now).map(Timestamp::as_millis)
        };
        assert_eq!([1, 2, 3, 4].map(|n| wait(3, n, 0.5)), [Some(1_000), Some(2_000), Some(4_000), None]);
        assert_eq!([wait(3, 1, 0.0), wait(3, 1, 1.0)], [Some(500), Some(1_500)]);
        assert_eq!([6, 7, 20].map(|n| wait(20, n, 0.5)), [Some(32_000), Some(60_000), Some(60_000)]);
        assert_eq!(wait(20, 7, 1.0), Some(90_000));
        assert_eq!(wait(0, 1, 0.5), None, "never again");
        let patient = next_try_by(&RetryPlan::Patient, &OutboxSettings::default(), 500, 0.5, now);
        assert_eq!(patient.map(Timestamp::as_millis), Some(300_000));
    }
}
