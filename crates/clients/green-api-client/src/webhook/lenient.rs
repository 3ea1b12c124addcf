//! Reading what Green API writes in more than one way: numbers and yes-or-no as strings, parts that lack or are null.
//! A malformed part reads as absent and costs nothing of what it belongs to.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A scalar, read from whatever JSON says it with.
pub(crate) trait Scalar: Sized {
    /// `None`: this is not one.
    fn read(json: &str) -> Option<Self>;
}

impl Scalar for String {
    fn read(json: &str) -> Option<Self> {
        match json.as_bytes().first()? {
            b'"' => serde_json::from_str(json).ok(),
            b'-' | b'0'..=b'9' | b't' | b'f' => Some(json.to_owned()),
            _ => None,
        }
    }
}

impl Scalar for i64 {
    fn read(json: &str) -> Option<Self> {
        let text = unquoted(json)?;
        // Whole seconds are now and then written with decimals.
        text.parse().ok().or_else(|| text.split_once('.')?.0.parse().ok())
    }
}

impl Scalar for f64 {
    fn read(json: &str) -> Option<Self> {
        unquoted(json)?.parse().ok().filter(|number: &Self| number.is_finite())
    }
}

impl Scalar for bool {
    fn read(json: &str) -> Option<Self> {
        match &*unquoted(json)? {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        }
    }
}

fn unquoted(json: &str) -> Option<Cow<'_, str>> {
    if !json.starts_with('"') {
        return Some(Cow::Borrowed(json));
    }
    let text: String = serde_json::from_str(json).ok()?;
    Some(Cow::Owned(text.trim().to_owned()))
}

/// A scalar that may lack.
pub(crate) fn scalar<'de, T: Scalar, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(T::read(raw.get()))
}

/// A list whose items are read one by one; those that cannot be are left out.
pub(crate) fn list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let raw = <&RawValue>::deserialize(deserializer)?;
    let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    Ok(items.into_iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect())
}

/// An object whose parts are read one by one. Nothing is looked into before it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Parts<'a> {
    json: &'a str,
    by_name: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

impl<'a> Parts<'a> {
    /// Errors: `json` is not an object.
    pub(crate) fn of(json: &'a str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Map<'a>(#[serde(borrow)] BTreeMap<Name<'a>, &'a RawValue>);
        #[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
        let Map(parts) = serde_json::from_str(json)?;
        Ok(Self { json, by_name: parts.into_iter().map(|(Name(name), value)| (name, value)).collect() })
    }

    /// The object itself, read as one thing.
    pub(crate) fn whole<T: Deserialize<'a>>(&self) -> Option<T> {
        serde_json::from_str(self.json).ok()
    }

    /// A part as it came; `None` also for null.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.by_name.get(name).copied().filter(|value| value.get() != "null")
    }

    pub(crate) fn scalar<T: Scalar>(&self, name: &str) -> Option<T> {
        T::read(self.raw(name)?.get())
    }

    /// A text that is there and not empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.scalar(name).filter(|text: &String| !text.is_empty())
    }

    /// An object within the object.
    pub(crate) fn part<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        // A list would be taken for the fields in their order.
        let json = self.raw(name)?.get();
        json.starts_with('{').then(|| serde_json::from_str(json).ok()).flatten()
    }

    pub(crate) fn parts(&self, name: &str) -> Option<Parts<'a>> {
        Parts::of(self.raw(name)?.get()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_read_in_any_spelling() {
        for json in ["7", "\"7\"", "\" 7 \"", "7.9"] {
            assert_eq!(i64::read(json), Some(7), "{json}");
        }
        for json in ["true", "\"true\"", "\"yes\"", "1"] {
            assert_eq!(bool::read(json), Some(true), "{json}");
        }
        assert_eq!(String::read("12345678901234567890").as_deref(), Some("12345678901234567890"));
        for json in ["{}", "[]", "null", "\"soon\""] {
            assert_eq!((i64::read(json), bool::read(json), f64::read(json)), (None, None, None), "{json}");
        }
    }

    #[test]
    fn a_part_is_found_by_its_name_however_it_is_escaped() {
        let parts = Parts::of(r#"{"\u0061":1,"b":{"c":[2]},"n":null}"#).unwrap();
        assert_eq!(parts.scalar::<i64>("a"), Some(1));
        assert!(parts.parts("b").unwrap().raw("c").is_some());
        assert!(parts.raw("n").is_none() && parts.raw("z").is_none());
        assert!(Parts::of("[]").is_err());
    }
}
