//! What an account says about its donors.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::money::{Currency, Rates};
use super::score::ScorePreset;
use super::segment::{Segment, SegmentSet};
use crate::Timestamp;

/// The longest welcome and the longest quick reply.
pub const MAX_TEXT: usize = 2_000;

/// The settings of the CRM of one account. What is absent in the stored JSON is as by default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrmSettings {
    /// The currency of the figures.
    pub currency: Currency,
    /// Where days begin and end, by its name in the tz database: `Asia/Jakarta`.
    pub time_zone: String,
    /// What stands before numbers written without a country: `62`.
    pub calling_code: Option<String>,
    /// What one unit of other currencies is worth in `currency`.
    pub rates: Rates,
    /// From which lifetime value on a donor is VIP at least, in minor units.
    pub vip_floor: Option<i64>,
    /// The amount within 24 months that counts in full, in minor units; absent: taken from the donors.
    pub score_cap: Option<i64>,
    /// Which weights the score has.
    pub score_preset: ScorePreset,
    /// Which groups are shown.
    pub segments: SegmentSet,
    /// What somebody hears who writes for the first time.
    pub welcome: Welcome,
}

/// The first answer, by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Welcome {
    /// It is sent.
    pub enabled: bool,
    /// Its text, with variables.
    pub text: String,
}

impl Default for CrmSettings {
    fn default() -> Self {
        Self {
            currency: Currency::IDR,
            time_zone: "UTC".to_owned(),
            calling_code: None,
            rates: Rates::default(),
            vip_floor: None,
            score_cap: None,
            score_preset: ScorePreset::Default,
            segments: SegmentSet::Full,
            welcome: Welcome::default(),
        }
    }
}

/// What is wrong with settings: the field, and a sentence.
pub type Complaint = (&'static str, &'static str);

impl CrmSettings {
    /// Checks what types cannot say.
    pub fn complaints(&self) -> Vec<Complaint> {
        let is_code = |code: &str| {
            (1..=3).contains(&code.len())
                && code.bytes().all(|b| b.is_ascii_digit())
                && !code.starts_with('0')
        };
        let negative = |amount: Option<i64>| amount.is_some_and(|amount| amount <= 0);
        // Whoever writes for the first time may have told no name: nobody is there to ask.
        let text = super::variables::Text::parse(&self.welcome.text);
        let is_sendable = text.is_ok_and(|text| text.required().is_empty());
        let text_is_wrong = self.welcome.text.chars().count() > MAX_TEXT
            || (self.welcome.enabled && self.welcome.text.trim().is_empty())
            || !is_sendable;
        let checks = [
            (
                Calendar::named(&self.time_zone).is_none(),
                "time_zone",
                "The time_zone field must be a name like Asia/Jakarta.",
            ),
            (
                self.calling_code.as_deref().is_some_and(|code| !is_code(code)),
                "calling_code",
                "The calling_code field must be 1 to 3 digits, as 62 for Indonesia.",
            ),
            (!self.rates.is_usable(), "rates", "The rates field must hold numbers above 0."),
            (negative(self.vip_floor), "vip_floor", "The vip_floor field must be above 0."),
            (negative(self.score_cap), "score_cap", "The score_cap field must be above 0."),
            (
                text_is_wrong,
                "welcome.text",
                "The welcome.text field must be 1 to 2000 characters; variables need a default, as {{first_name|friend}}.",
            ),
        ];
        checks.into_iter().filter(|(is_wrong, ..)| *is_wrong).map(|(_, field, why)| (field, why)).collect()
    }

    /// The calendar of the account; UTC where its zone is not known to this program.
    pub fn calendar(&self) -> Calendar {
        Calendar::named(&self.time_zone).unwrap_or_default()
    }

    /// The group as this account shows it.
    pub fn shown_segment(
        &self,
        segment: Segment,
        figures: &super::figures::Figures,
        held: Option<Segment>,
    ) -> Segment {
        match self.segments {
            SegmentSet::Full => segment,
            SegmentSet::Seed => segment.folded(figures, held),
        }
    }
}

/// When days begin.
#[derive(Debug, Clone)]
pub struct Calendar(TimeZone);

impl Default for Calendar {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Calendar {
    /// The calendar of a place of the tz database.
    pub fn named(name: &str) -> Option<Self> {
        if name == "UTC" { Some(Self::default()) } else { TimeZone::get(name).ok().map(Self) }
    }

    /// A calendar that never changes, so many hours east of Greenwich; for tests.
    pub fn fixed(hours: i8) -> Self {
        Self(TimeZone::fixed(jiff::tz::offset(hours)))
    }

    /// The zone.
    pub fn zone(&self) -> &TimeZone {
        &self.0
    }

    /// When a day begins, written as `2026-01-31`.
    pub fn begin_of(&self, day: &str) -> Option<Timestamp> {
        let date: Date = day.parse().ok().filter(|_| day.len() == "2026-01-31".len())?;
        let at = date.to_zoned(self.0.clone()).ok()?.timestamp();
        Some(Timestamp::from_millis(at.as_millisecond()))
    }

    /// The day of a moment.
    pub fn date(&self, at: Timestamp) -> Date {
        self.date_time(at).date()
    }

    /// The day and the time of a moment.
    pub(super) fn date_time(&self, at: Timestamp) -> jiff::civil::DateTime {
        // Ours end in the year 9998, where jiff's go on for a year.
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
        self.0.to_datetime(at)
    }

    /// How many milliseconds before those of UTC its days begin, at a moment.
    pub fn offset_ms(&self, at: Timestamp) -> i64 {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
        i64::from(self.0.to_offset(at).seconds()) * 1_000
    }

    /// Days from one moment to another; negative when it lies before.
    pub fn days_between(&self, from: Timestamp, to: Timestamp) -> i64 {
        self.date(to).duration_since(self.date(from)).as_hours() / 24
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let at = |text| Timestamp::parse(text).unwrap();
        let (evening, night) = (at("2026-03-01T16:59:00Z"), at("2026-03-01T17:01:00Z"));
        assert_eq!(Calendar::default().days_between(evening, night), 0);
        assert_eq!(Calendar::fixed(7).days_between(evening, night), 1, "midnight in Jakarta");
        assert_eq!(Calendar::fixed(7).days_between(night, evening), -1);
        assert_eq!(
            Calendar::default().days_between(at("2024-02-28T00:00:00Z"), at("2024-03-01T23:59:00Z")),
            2
        );
    }

    #[test]
    fn a_day_begins_at_its_midnight() {
        let begin = |day| Calendar::fixed(7).begin_of(day).map(|at| at.to_string());
        assert_eq!(begin("2026-01-31").as_deref(), Some("2026-01-30T17:00:00Z"));
        for wrong in ["2026-02-30", "31.01.2026", "2026-1-31", "2026-01-31T10:00", ""] {
            assert_eq!(begin(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn places_are_known_by_name() {
        let noon = Timestamp::parse("2026-03-01T18:00:00Z").unwrap();
        for (name, day) in [("Asia/Jakarta", 2), ("America/Sao_Paulo", 1), ("UTC", 1)] {
            assert_eq!(Calendar::named(name).unwrap().date(noon).day(), day, "{name}");
        }
        assert!(Calendar::named("").is_none() && Calendar::named("../etc/passwd").is_none());
    }

    #[test]
    fn what_is_absent_is_as_by_default() {
        let read: CrmSettings = serde_json::from_str(r#"{"currency":"BRL"}"#).unwrap();
        assert_eq!(read, CrmSettings { currency: Currency::parse("BRL").unwrap(), ..CrmSettings::default() });
        assert!(read.complaints().is_empty());
    }

    #[test]
    fn wrong_settings_are_named() {
        let wrong = CrmSettings {
            time_zone: "Nowhere/Land".to_owned(),
            calling_code: Some("062".to_owned()),
            vip_floor: Some(0),
            score_cap: Some(-1),
            rates: Rates::new([(Currency::IDR, f64::NAN)]),
            welcome: Welcome { enabled: true, text: "Halo {{name".to_owned() },
            ..CrmSettings::default()
        };
        let fields: Vec<_> = wrong.complaints().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["time_zone", "calling_code", "rates", "vip_floor", "score_cap", "welcome.text"]);
    }
}
