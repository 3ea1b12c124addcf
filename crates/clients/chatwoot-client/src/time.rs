//! Times as Chatwoot writes them: unix seconds, with or without a fraction, or ISO 8601.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::tolerant::text;

/// Numbers above this are milliseconds already.
const MILLISECONDS_FROM: f64 = 1e11;

/// A moment, in milliseconds since 1970 (UTC). Written as Chatwoot's REST writes it: unix seconds, with a fraction if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads seconds, milliseconds (above 10^11), seconds in a text, or ISO 8601. 0 and anything else is none.
    pub fn read(value: &Value) -> Option<Self> {
        let number = match value {
            Value::Number(number) => number.as_f64()?,
            _ => {
                let text = text(value)?;
                let text = text.trim();
                match text.parse() {
                    Ok(number) => number,
                    Err(_) => return iso(text),
                }
            }
        };
        if !number.is_finite() || number <= 0.0 {
            return None;
        }
        let ms = if number > MILLISECONDS_FROM { number } else { number * 1_000.0 };
        #[expect(clippy::cast_possible_truncation, reason = "positive and below what an i64 holds")]
        (ms < 9e15).then_some(Self(ms.round() as i64))
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }
}

/// `2026-08-18T10:15:30.123Z`, also `2026-08-18 10:15:30 UTC`.
fn iso(text: &str) -> Option<Timestamp> {
    let plain = text.replace(" UTC", "Z");
    plain.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_millisecond()))
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1_000 == 0 {
            return serializer.serialize_i64(self.0 / 1_000);
        }
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
        serializer.serialize_f64(self.0 as f64 / 1_000.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read(&value).ok_or_else(|| serde::de::Error::custom("no time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_spelling_of_a_moment_is_the_same_moment() {
        for value in [
            json!(1_787_048_130),
            json!(1_787_048_130.0),
            json!("1787048130"),
            json!(1_787_048_130_000_i64),
            json!("2026-08-18T10:15:30.000Z"),
            json!("2026-08-18T07:15:30-03:00"),
            json!("2026-08-18 10:15:30 UTC"),
        ] {
            assert_eq!(Timestamp::read(&value), Some(Timestamp(1_787_048_130_000)), "{value}");
        }
        assert_eq!(Timestamp::read(&json!(1_787_048_130.456_7)), Some(Timestamp(1_787_048_130_457)));
        for value in [json!(0), json!(null), json!(""), json!("soon"), json!(-5), json!({})] {
            assert_eq!(Timestamp::read(&value), None, "{value}");
        }
    }

    #[test]
    fn it_is_written_as_chatwoot_writes_it() {
        assert_eq!(json!(Timestamp(1_787_048_130_000)), json!(1_787_048_130));
        assert_eq!(json!(Timestamp(1_787_048_130_456)), json!(1_787_048_130.456));
    }
}
