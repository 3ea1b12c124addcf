//! Reading what Meta writes in more than one way: ids and times as strings or numbers, optional parts
//! that may be malformed without spoiling what they belong to.

use std::collections::{BTreeMap, BTreeSet};
use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// A moment, in milliseconds since 1970 (UTC). Meta writes seconds or milliseconds, as a number or as a
/// string; what is below 10^12 is taken as seconds, what is not below 10^14 as microseconds. Relays write
/// dates as well: `2026-10-28T08:00:00+0000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    fn from_any_unit(number: i64) -> Self {
        match number.unsigned_abs() {
            0..1_000_000_000_000 => Self(number * 1000),
            1_000_000_000_000..100_000_000_000_000 => Self(number),
            _ => Self(number / 1000),
        }
    }
}

impl<'de> Deserialize<'de> for UnixMillis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<'a> {
            Number(#[serde(deserialize_with = "number")] i64),
            #[serde(borrow)]
            Text(Cow<'a, str>),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(number) => Ok(Self::from_any_unit(number)),
            Either::Text(text) => written_moment(text.trim()).ok_or_else(|| {
                serde::de::Error::custom("the string is neither a number nor a date with its time")
            }),
        }
    }
}

/// A number with decimals, or a date.
fn written_moment(text: &str) -> Option<UnixMillis> {
    if let Some((whole, decimals)) = text.split_once('.')
        && decimals.bytes().all(|b| b.is_ascii_digit())
        && let Ok(whole) = whole.parse()
    {
        return Some(UnixMillis::from_any_unit(whole));
    }
    let date: jiff::Timestamp = text.parse().ok()?;
    Some(UnixMillis(date.as_millisecond()))
}

/// A whole number, written as a number or as a string of digits.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Whole;
    impl Visitor<'_> for Whole {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number, plain or as a string")
        }

        fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<i64, E> {
            Ok(number)
        }

        fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<i64, E> {
            i64::try_from(number).map_err(|_| E::custom("the number is too large"))
        }

        fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<i64, E> {
            // 2^53: beyond it a double no longer tells whole numbers apart.
            if number.abs() > 9_007_199_254_740_992.0 {
                return Err(E::custom("the number is too large"));
            }
            #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
            Ok(number.trunc() as i64)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<i64, E> {
            text.trim().parse().map_err(|_| E::custom("the string is not a whole number"))
        }
    }
    deserializer.deserialize_any(Whole)
}

/// An amount, written as a number or as a string.
pub(crate) fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<'a> {
        Number(f64),
        #[serde(borrow)]
        Text(Cow<'a, str>),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.trim().parse().map_err(serde::de::Error::custom),
    }
}

/// An opaque id. Always kept as text, even where a number arrives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct IdText<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for IdText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = IdText<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id, as a string or a number")
            }

            fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(IdText(Cow::Borrowed(text)))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(IdText(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(IdText(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
                Ok(IdText(Cow::Owned(number.to_string())))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// A required id.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    IdText::deserialize(deserializer).map(|id| id.0.into_owned())
}

/// An id that may lack or be null, or be something that is no id.
pub(crate) fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let id: Option<IdText<'de>> = optional(deserializer)?;
    Ok(id.map(|id| id.0.into_owned()).filter(|id| !id.is_empty()))
}

/// A whole number that may lack, or be none.
pub(crate) fn optional_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    struct Whole(#[serde(deserialize_with = "number")] i64);
    let whole: Option<Whole> = optional(deserializer)?;
    Ok(whole.map(|whole| whole.0))
}

/// An amount that may lack, or be none.
pub(crate) fn optional_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    #[derive(Deserialize)]
    struct Amount(#[serde(deserialize_with = "amount")] f64);
    let amount: Option<Amount> = optional(deserializer)?;
    Ok(amount.map(|amount| amount.0))
}

/// A part whose malformation must not spoil what it belongs to: it reads as absent.
pub(crate) fn optional<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str::<Option<T>>(raw.get()).unwrap_or_default())
}

/// A list whose items are read one by one; those that cannot be read are left out. An object in its place is the only
/// item.
pub(crate) fn list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let raw = <&RawValue>::deserialize(deserializer)?;
    let items = raw_items(raw).unwrap_or_default();
    Ok(items.into_iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect())
}

/// A list, its items not looked into.
pub(crate) enum RawList<'a> {
    /// The items, found while what holds the list was read.
    Items(Vec<&'a RawValue>),
    /// Its text: what should be a list may be none.
    Text(&'a RawValue),
}

impl<'a> From<Vec<&'a RawValue>> for RawList<'a> {
    fn from(items: Vec<&'a RawValue>) -> Self {
        Self::Items(items)
    }
}

impl<'a> From<&'a RawValue> for RawList<'a> {
    fn from(text: &'a RawValue) -> Self {
        Self::Text(text)
    }
}

/// The items of a list, not looked into. An object in its place is the only item: some relays take lists of one apart.
pub(crate) fn raw_items(list: &RawValue) -> serde_json::Result<Vec<&RawValue>> {
    if list.get().starts_with('{') { Ok(vec![list]) } else { serde_json::from_str(list.get()) }
}

/// JSON in a string; where it stands there without one, as it stands.
pub(crate) fn json_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    match raw.get().as_bytes().first() {
        Some(b'"') => Ok(serde_json::from_str(raw.get()).ok()),
        Some(b'{' | b'[') => Ok(Some(raw.get().to_owned())),
        _ => Ok(None),
    }
}

/// The id of a message that comes without one: made of all it says, so that the same message twice is still one.
pub(crate) fn stand_in_id(message: &str) -> String {
    let mut id = hex::encode(Sha256::digest(message));
    id.truncate(32);
    format!("unnamed:{id}")
}

/// The names in an object.
pub(crate) fn names(object: &str) -> BTreeSet<String> {
    let parts: serde_json::Result<BTreeMap<String, IgnoredAny>> = serde_json::from_str(object);
    parts.map(|parts| parts.into_keys().collect()).unwrap_or_default()
}

/// Reads one field of an object and passes over the others without keeping them.
/// `Ok(None)` = absent or null.
pub(crate) fn field<'a, T: Deserialize<'a>>(object: &'a str, name: &str) -> serde_json::Result<Option<T>> {
    let mut reader = serde_json::Deserializer::from_str(object);
    let value = reader.deserialize_map(OneField { name, value: std::marker::PhantomData })?;
    reader.end()?;
    Ok(value)
}

struct OneField<'n, T> {
    name: &'n str,
    value: std::marker::PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneField<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(wanted) = map.next_key_seed(KeyIs(self.name))? {
            if wanted && found.is_none() {
                found = map.next_value::<Option<T>>()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Is the next key this one?
struct KeyIs<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for KeyIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyIs<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_either_unit_and_form() {
        for (text, millis) in [
            ("1793260800123", 1_793_260_800_123),
            ("1793260800", 1_793_260_800_000),
            (r#""1793260800""#, 1_793_260_800_000),
            (r#""1793260800123""#, 1_793_260_800_123),
            ("1793260800.7", 1_793_260_800_000),
            (r#""1793260800.7""#, 1_793_260_800_000),
            (r#""1793260800123456""#, 1_793_260_800_123),
            (r#""2026-10-28T08:00:00+0000""#, 1_793_174_400_000),
            (r#""2026-10-28T08:00:00.250Z""#, 1_793_174_400_250),
            (r#""2026-10-28T10:00:00+02:00""#, 1_793_174_400_000),
            ("-5", -5000),
            ("0", 0),
        ] {
            assert_eq!(serde_json::from_str::<UnixMillis>(text).unwrap(), UnixMillis(millis), "{text}");
        }
        for text in [
            "true",
            "null",
            r#""soon""#,
            r#""2026-10-28""#,
            r#""1.x""#,
            "1e300",
            "[1]",
            "99999999999999999999",
            "{}",
        ] {
            assert!(serde_json::from_str::<UnixMillis>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ids_stay_exact() {
        for (text, id) in [
            (r#""17841400112233445""#, "17841400112233445"),
            ("18446744073709551615", "18446744073709551615"),
            ("-3", "-3"),
            (r#""a\u0041""#, "aA"),
        ] {
            assert_eq!(serde_json::from_str::<IdText<'_>>(text).unwrap().0, id);
        }
        assert!(serde_json::from_str::<IdText<'_>>("1.5").is_err(), "not exact: not an id");
    }

    #[test]
    fn one_field_is_found_among_others() {
        let object = r#"{"a":[1,{"b":2}],"b":3,"c":"x"}"#;
        assert_eq!(field::<i64>(object, "b").unwrap(), Some(3));
        assert_eq!(field::<i64>(object, "z").unwrap(), None);
        assert_eq!(field::<i64>(r#"{"b":null}"#, "b").unwrap(), None);
        assert!(field::<i64>(object, "c").is_err());
        assert!(field::<i64>("[]", "c").is_err());
    }
}
