//! Reading what servers write in more than one way: names, numbers as text, times as seconds, milliseconds or words. A part that
//! is malformed reads as absent and costs nothing of what it belongs to.

use serde_json::{Map, Value};

/// An object whose parts have several names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'v>(&'v Map<String, Value>);

impl<'v> Parts<'v> {
    pub(crate) fn of(value: &'v Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    /// The first of these that is there and not null.
    pub(crate) fn find(self, names: &[&str]) -> Option<&'v Value> {
        names.iter().find_map(|name| self.0.get(*name).filter(|value| !value.is_null()))
    }

    /// A text that is not empty; numbers are texts too.
    pub(crate) fn text(self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.0.get(*name).and_then(text)).filter(|text| !text.is_empty())
    }

    pub(crate) fn integer(self, names: &[&str]) -> Option<i64> {
        names.iter().find_map(|name| integer(self.0.get(*name)?))
    }

    pub(crate) fn number(self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| number(self.0.get(*name)?))
    }

    pub(crate) fn flag(self, names: &[&str]) -> Option<bool> {
        names.iter().find_map(|name| flag(self.0.get(*name)?))
    }

    pub(crate) fn time_ms(self, names: &[&str]) -> Option<i64> {
        names.iter().find_map(|name| time_ms(self.0.get(*name)?))
    }

    /// An object within.
    pub(crate) fn part(self, names: &[&str]) -> Option<Self> {
        names.iter().find_map(|name| Self::of(self.0.get(*name)?))
    }

    /// The items of a list within; none when it is no list.
    pub(crate) fn items(self, names: &[&str]) -> &'v [Value] {
        names.iter().find_map(|name| self.0.get(*name)?.as_array()).map_or(&[], Vec::as_slice)
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| whole(text.parse().ok()?))
        }
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only what an i64 holds exactly gets here")]
fn whole(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() < 9e15).then_some(number.trunc() as i64)
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => Some(number.as_i64()? != 0),
        Value::String(text) => match text.trim() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Above this a number is no time in seconds any more: the year 5138.
const MOST_SECONDS: i64 = 100_000_000_000;

/// Milliseconds since 1970 (UTC), from seconds, milliseconds or RFC 3339. 0 is no time.
fn time_ms(value: &Value) -> Option<i64> {
    if let Some(number) = integer(value) {
        return match number {
            1..=MOST_SECONDS => number.checked_mul(1_000),
            0 => None,
            ms if ms > 0 => Some(ms),
            _ => None,
        };
    }
    let text = value.as_str()?.trim();
    text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_are_read_under_any_of_their_names_and_in_any_spelling() {
        let value = json!({ "session_id": 7, "id": null, "n": "7.9", "on": "1", "empty": "", "list": [1] });
        let parts = Parts::of(&value).unwrap();
        assert_eq!(parts.text(&["sessionId", "session_id"]).as_deref(), Some("7"));
        assert_eq!((parts.integer(&["n"]), parts.flag(&["on"])), (Some(7), Some(true)));
        assert!(parts.find(&["id"]).is_none() && parts.text(&["empty"]).is_none());
        assert_eq!(parts.items(&["list"]).len(), 1);
        assert!(Parts::of(&json!([])).is_none());
    }

    #[test]
    fn times_are_seconds_milliseconds_or_words() {
        for value in [
            json!(1_760_000_000),
            json!("1760000000"),
            json!(1_760_000_000_000_i64),
            json!("1760000000000"),
            json!(1_760_000_000.7),
            json!("2025-10-09T08:53:20Z"),
            json!("2025-10-09T10:53:20+02:00"),
        ] {
            assert_eq!(time_ms(&value), Some(1_760_000_000_000), "{value}");
        }
        for value in [json!(0), json!(-5), json!("soon"), json!(null), json!([1])] {
            assert_eq!(time_ms(&value), None, "{value}");
        }
    }
}
