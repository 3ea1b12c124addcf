//! How engaged a donor is, 0 to 100: when they last gave, how often, how much, and whether they talk with us.

use serde::{Deserialize, Serialize};

use super::money::Currency;
use super::segment::percentile;

crate::words! {
    /// Which weights count.
    pub enum ScorePreset {
        /// Recency 0.35, frequency 0.25, amount 0.25, conversation 0.15.
        Default = "default",
        /// Recency 0.4, frequency 0.3, amount 0.3: gifts alone.
        Rfm = "rfm",
    }
}

crate::words! {
    /// A score in a word.
    pub enum ScoreBand {
        /// 70 and more.
        High = "high",
        /// 41 to 69.
        Medium = "medium",
        /// 40 and less.
        Low = "low",
    }
}

/// How much each part counts.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Weights {
    recency: f64,
    frequency: f64,
    monetary: f64,
    engagement: f64,
}

impl ScorePreset {
    const fn weights(self) -> Weights {
        match self {
            Self::Default => Weights { recency: 0.35, frequency: 0.25, monetary: 0.25, engagement: 0.15 },
            Self::Rfm => Weights { recency: 0.4, frequency: 0.3, monetary: 0.3, engagement: 0.0 },
        }
    }
}

/// After so many days recency counts half.
const HALF_LIFE_DAYS: f64 = 180.0;
/// So many gifts within 24 months count in full.
const MANY_GIFTS: f64 = 12.0;
/// Days with a message within [`ENGAGEMENT_DAYS`] that count in full.
const MANY_DAYS: f64 = 6.0;

/// How many days back messages count.
pub const ENGAGEMENT_DAYS: i64 = 90;
/// How many of our last messages are looked at for answers.
pub const LOOKED_AT: usize = 5;
/// Within how many milliseconds an answer counts as one.
pub const ANSWER_WITHIN_MS: i64 = 72 * 3_600_000;

/// What a score is made of.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ScoreInput {
    /// Days since the last counted gift; `None` without any.
    pub days_since_last: Option<i64>,
    /// Counted gifts within 24 months.
    pub recent_count: i64,
    /// What they come to, in units of the base currency.
    pub recent_units: f64,
    /// The amount that counts in full, in the same units.
    pub cap_units: f64,
    /// Whether they talk with us, 0 to 1: see [`engagement`].
    pub engagement: f64,
    /// They want no messages.
    pub opted_out: bool,
}

/// The score.
pub fn score(input: &ScoreInput, preset: ScorePreset) -> u8 {
    let weights = preset.weights();
    let recency = input.days_since_last.map_or(0.0, |days| (-(days.max(0) as f64) / HALF_LIFE_DAYS).exp2());
    let frequency = share(input.recent_count as f64, MANY_GIFTS);
    let monetary = share(input.recent_units, input.cap_units);
    let engagement = if input.engagement.is_finite() { input.engagement.clamp(0.0, 1.0) } else { 0.0 };
    let sum = weights.recency * recency
        + weights.frequency * frequency
        + weights.monetary * monetary
        + weights.engagement * engagement;
    let all = weights.recency + weights.frequency + weights.monetary + weights.engagement;
    let factor = if input.opted_out { 0.5 } else { 1.0 };
    (100.0 * factor * sum / all).round().clamp(0.0, 100.0) as u8
}

/// How far `value` is on its way to `full`: the first steps count most.
fn share(value: f64, full: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() || full <= 0.0 {
        return 0.0;
    }
    (value.ln_1p() / full.ln_1p()).min(1.0)
}

impl ScoreBand {
    /// The word for a score.
    pub fn of(score: u8) -> Self {
        match score {
            70.. => Self::High,
            41..=69 => Self::Medium,
            _ => Self::Low,
        }
    }
}

/// What a donor said lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Conversation {
    /// Days with a message of theirs within the last [`ENGAGEMENT_DAYS`]: a day counts once, however much was written.
    pub inbound_days: i64,
    /// Our last messages that were looked at, [`LOOKED_AT`] at most.
    pub asked: i64,
    /// How many of them they answered in time.
    pub answered: i64,
}

/// Whether a donor talks with us, 0 to 1. Where we said nothing, their own days are all that counts.
pub fn engagement(said: Conversation) -> f64 {
    let days = (said.inbound_days.max(0) as f64 / MANY_DAYS).min(1.0);
    if said.asked <= 0 {
        return days;
    }
    let answered = (said.answered.max(0) as f64 / said.asked as f64).min(1.0);
    0.6 * days + 0.4 * answered
}

/// The amount that counts in full, in units: the setting, or what 95 of 100 donors do not exceed, or with few donors a
/// figure by currency.
pub fn cap_units(setting: Option<i64>, base: Currency, recent_sums: &mut [i64]) -> f64 {
    const ENOUGH_DONORS: usize = super::segment::VipRule::ENOUGH_DONORS;
    if let Some(minor) = setting {
        return base.in_units(minor);
    }
    let found = if recent_sums.len() < ENOUGH_DONORS { None } else { percentile(recent_sums, 95) };
    match found.filter(|minor| *minor > 0) {
        Some(minor) => base.in_units(minor),
        None if base.digits() == 0 => 10_000_000.0,
        None => 2_000.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(days: Option<i64>, count: i64, units: f64, engagement: f64) -> ScoreInput {
        ScoreInput {
            days_since_last: days,
            recent_count: count,
            recent_units: units,
            cap_units: 10_000_000.0,
            engagement,
            opted_out: false,
        }
    }

    #[test]
    fn the_worked_examples_come_out() {
        let full = input(Some(0), 12, 10_000_000.0, 1.0);
        assert_eq!(score(&full, ScorePreset::Default), 100);
        assert_eq!(score(&input(None, 0, 0.0, 0.0), ScorePreset::Default), 0);
        let some = input(Some(180), 3, 500_000.0, 0.0);
        assert_eq!(score(&some, ScorePreset::Default), 51);
        assert_eq!(score(&some, ScorePreset::Rfm), 61);
        assert_eq!(score(&ScoreInput { opted_out: true, ..full }, ScorePreset::Default), 50);
    }

    #[test]
    fn more_is_never_less_and_nothing_leaves_the_scale() {
        let at = |days, count, units, engagement| {
            score(&input(days, count, units, engagement), ScorePreset::Default)
        };
        let mut before = 0;
        for count in 0..40 {
            let now = at(Some(30), count, 1_000_000.0, 0.3);
            assert!(now >= before);
            before = now;
        }
        assert!(at(Some(10), 3, 5.0, 0.0) > at(Some(400), 3, 5.0, 0.0));
        for strange in [f64::NAN, f64::INFINITY, -1.0, f64::MAX] {
            assert!(at(Some(i64::MAX), i64::MAX, strange, strange) <= 100);
            assert!(at(Some(i64::MIN), -5, strange, strange) <= 100);
        }
        assert_eq!(score(&ScoreInput { cap_units: 0.0, ..input(None, 0, 5.0, 0.0) }, ScorePreset::Rfm), 0);
    }

    #[test]
    fn days_count_once_and_answers_only_where_we_asked() {
        let said = |inbound_days, asked, answered| engagement(Conversation { inbound_days, asked, answered });
        assert!((said(6, 0, 0) - 1.0).abs() < 1e-9);
        assert!((said(3, 0, 0) - 0.5).abs() < 1e-9);
        assert!((said(60, 5, 5) - 1.0).abs() < 1e-9);
        assert!((said(0, 4, 1) - 0.1).abs() < 1e-9);
        assert!(said(0, 0, 0).abs() < 1e-9);
    }

    #[test]
    fn the_bands_meet_without_a_gap() {
        for (score, band) in [
            (0, ScoreBand::Low),
            (40, ScoreBand::Low),
            (41, ScoreBand::Medium),
            (69, ScoreBand::Medium),
            (70, ScoreBand::High),
            (100, ScoreBand::High),
        ] {
            assert_eq!(ScoreBand::of(score), band, "{score}");
        }
    }

    #[test]
    fn the_cap_comes_from_the_donors_once_there_are_enough() {
        let cap = |setting, sums: &mut [i64]| cap_units(setting, Currency::IDR, sums);
        assert!((cap(None, &mut [5; 19]) - 10_000_000.0).abs() < 1e-9);
        assert!((cap(None, &mut (1..=20).collect::<Vec<_>>()) - 19.0).abs() < 1e-9);
        assert!((cap(Some(77), &mut [5; 30]) - 77.0).abs() < 1e-9);
        assert!((cap(None, &mut [0; 30]) - 10_000_000.0).abs() < 1e-9);
        let brl = Currency::parse("BRL").unwrap();
        assert!((cap_units(Some(12_345), brl, &mut []) - 123.45).abs() < 1e-9);
    }
}
