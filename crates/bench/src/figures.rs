//! Figures of one measurement, and their medians over the rounds.

/// Times in microseconds, as many as were taken.
#[derive(Debug, Default)]
pub struct Latencies {
    micros: Vec<u32>,
}

impl Latencies {
    /// Adds one.
    pub fn add(&mut self, time: std::time::Duration) {
        self.micros.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    /// Adds those of another client.
    pub fn append(&mut self, mut other: Self) {
        self.micros.append(&mut other.micros);
    }

    /// How many were taken.
    pub fn count(&self) -> usize {
        self.micros.len()
    }

    /// The time, in milliseconds, that the share `part` of all did not exceed; `NaN` without any.
    pub fn percentile_ms(&mut self, part: f64) -> f64 {
        if self.micros.is_empty() {
            return f64::NAN;
        }
        let last = self.micros.len() - 1;
        let index = (last as f64 * part).ceil() as usize;
        let (_, found, _) = self.micros.select_nth_unstable(index.min(last));
        f64::from(*found) / 1_000.0
    }
}

/// The middle one; of an even number the mean of the two in the middle. `NaN` when there is none.
pub fn median(values: &[f64]) -> f64 {
    let mut known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    known.sort_by(f64::total_cmp);
    match known.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => known[count / 2],
        count => (known[count / 2 - 1] + known[count / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut latencies = Latencies::default();
        for ms in (1..=100).rev() {
            latencies.add(Duration::from_millis(ms));
        }
        assert_eq!(latencies.percentile_ms(0.0), 1.0);
        assert_eq!(latencies.percentile_ms(0.99), 100.0);
        assert_eq!(latencies.percentile_ms(1.0), 100.0);
        assert!(Latencies::default().percentile_ms(0.5).is_nan());
    }

    #[test]
    fn a_round_that_failed_does_not_move_the_median() {
        assert_eq!(median(&[3.0, f64::NAN, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 2.0]), 3.0);
        assert!(median(&[]).is_nan());
    }
}
