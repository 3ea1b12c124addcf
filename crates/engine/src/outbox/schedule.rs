//! When to try again.

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
    let factor = 1.0 + settings.jitter * (2.0 * chance - 1.0);
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
}
