//! When a session that dropped is brought back.

use std::time::Duration;

use super::settings::LinkedSettings;

/// The wait before restart number `restarts`, from 1: doubled each time up to the longest, then between half of it and the
/// whole, so that sessions that dropped together do not come back together. `chance` is a number from 0 to 1.
pub(super) fn wait(settings: &LinkedSettings, restarts: i64, chance: f64) -> Duration {
    let doublings = u32::try_from(restarts.saturating_sub(1).clamp(0, 30)).unwrap_or_default();
    let longest = settings.backoff_longest_ms.max(settings.backoff_first_ms);
    let whole = settings.backoff_first_ms.saturating_mul(1 << doublings).min(longest);
    Duration::from_millis(whole).mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_never_fall_below_half() {
        let settings = LinkedSettings::default();
        let whole = |restarts| wait(&settings, restarts, 1.0).as_millis();
        assert_eq!([1, 2, 3, 9].map(whole), [1_000, 2_000, 4_000, 256_000]);
        assert_eq!([10, 20, i64::MAX].map(whole), [300_000; 3]);
        assert_eq!(wait(&settings, 1, 0.0).as_millis(), 500);
        assert_eq!(wait(&settings, 0, 0.5).as_millis(), 750, "never without a wait");
    }
}
