//! Reading what Chatwoot writes in more than one way: numbers as text or with a fraction, times as seconds or as words.
//! A malformed part reads as absent and costs nothing of what it belongs to.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::Timestamp;

pub(crate) fn integer(value: &Value) -> Option<i64> {
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

pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

pub(crate) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => Some(number.as_i64()? != 0),
        Value::String(text) => match text.trim() {
            "true" | "1" | "yes" | "t" => Some(true),
            "false" | "0" | "no" | "f" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// An integer that may lack.
pub(crate) fn opt_int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(integer(&Value::deserialize(deserializer)?))
}

/// An id; 0 is none.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    integer(&value).ok_or_else(|| serde::de::Error::custom("an id is no number"))
}

/// A count; absent is 0.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(integer(&Value::deserialize(deserializer)?).unwrap_or_default())
}

/// A text that may lack; an empty one is none.
pub(crate) fn opt_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(text(&Value::deserialize(deserializer)?).filter(|text| !text.is_empty()))
}

/// A text; absent is empty.
pub(crate) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(text(&Value::deserialize(deserializer)?).unwrap_or_default())
}

/// Yes or no; absent is no.
pub(crate) fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(flag(&Value::deserialize(deserializer)?).unwrap_or_default())
}

/// A time that may lack; 0 is none.
pub(crate) fn opt_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Timestamp::read(&Value::deserialize(deserializer)?))
}

/// An object; anything else is an empty one. Objects in a text are read too.
pub(crate) fn object<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<serde_json::Map<String, Value>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Object(object) => object,
        Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
        _ => serde_json::Map::new(),
    })
}

/// A part that may lack or be malformed.
pub(crate) fn part<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(if value.is_object() { serde_json::from_value(value).ok() } else { None })
}

/// A part; lacking or malformed is as if nothing were in it.
pub(crate) fn part_or_empty<'de, T: DeserializeOwned + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(part(deserializer)?.unwrap_or_default())
}

/// A word of a list that may lack.
pub(crate) fn word<'de, T: From<String>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(opt_text(deserializer)?.map(T::from))
}

/// A list whose items are read one by one; those that cannot be are left out.
pub(crate) fn list<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(items) => {
            items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect()
        }
        _ => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_are_read_in_any_spelling() {
        for value in [json!(7), json!("7"), json!(" 7 "), json!(7.9), json!("7.9")] {
            assert_eq!(integer(&value), Some(7), "{value}");
        }
        for value in [json!(true), json!("true"), json!(1), json!("1")] {
            assert_eq!(flag(&value), Some(true), "{value}");
        }
        assert_eq!(text(&json!(12)).as_deref(), Some("12"));
        for value in [json!({}), json!([]), json!(null), json!("soon"), json!(1e300)] {
            assert_eq!(
                (integer(&value), flag(&value).filter(|_| !value.is_number())),
                (None, None),
                "{value}"
            );
        }
    }
}
