//! Defaults, file and environment on top of each other.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize as _;
use toml::{Table, Value};

use super::environment::{Environment, is_secret};
use super::{Settings, SettingsError};

/// The defaults, with their explanation.
pub const EXAMPLE: &str = include_str!("../../../../config.example.toml");

/// Settings as they were found, and where each came from.
pub struct Layers {
    sections: Table,
    places: BTreeMap<String, String>,
}

impl Layers {
    /// What `config.example.toml` says.
    pub fn defaults() -> Result<Self, SettingsError> {
        Ok(Self { sections: parse(EXAMPLE, "config.example.toml")?, places: BTreeMap::new() })
    }

    /// Every setting there is, as `outbox.lease_ms`.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        leaves(&self.sections).into_iter().map(|(key, _)| key)
    }

    /// Puts a file on top. Every key in it must exist and hold the kind of value its default has.
    pub fn read_file(&mut self, path: &Path) -> Result<(), SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::File { path: path.to_owned(), source })?;
        let place = path.display().to_string();
        for (key, value) in leaves(&parse(&text, &place)?) {
            self.put(&place, &key, value.clone())?;
        }
        Ok(())
    }

    /// Puts the environment on top.
    pub fn read_environment(&mut self, environment: &Environment) -> Result<(), SettingsError> {
        let keys: Vec<String> = self.keys().collect();
        for key in keys {
            let Some((variable, text)) = environment.find(&key)? else { continue };
            let value = match self.get(&key) {
                Some(default) => read_text(&text, default),
                None => Value::String(text),
            };
            self.put(&variable, &key, value)?;
        }
        Ok(())
    }

    /// Reads the whole into the settings' types.
    pub fn build(&self) -> Result<Settings, SettingsError> {
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(Value::Table(self.sections.clone()), &mut track);
        Settings::deserialize(tracked).map_err(|_| {
            let path = track.path().to_string();
            let key = path.split('[').next().unwrap_or(&path).to_owned();
            self.wrong(&key, expectation(&key))
        })
    }

    /// The error for a value that cannot be used.
    pub fn wrong(&self, key: &str, expected: impl Into<String>) -> SettingsError {
        SettingsError::Value {
            place: self.places.get(key).map_or("config.example.toml", |place| place).to_owned(),
            key: key.to_owned(),
            expected: expected.into(),
            found: self.get(key).map_or_else(|| "missing".to_owned(), |value| shown(key, value)),
        }
    }

    /// True when file or environment say something about a setting.
    pub fn is_given(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    fn get(&self, key: &str) -> Option<&Value> {
        let (section, rest) = key.split_once('.').unwrap_or((key, ""));
        let found = self.sections.get(section)?;
        rest.split('.').filter(|part| !part.is_empty()).try_fold(found, |value, part| value.get(part))
    }

    fn put(&mut self, place: &str, key: &str, value: Value) -> Result<(), SettingsError> {
        let Some(default) = self.get(key) else {
            return Err(self.unknown(place, key));
        };
        let Some(value) = fit(value.clone(), default) else {
            return Err(SettingsError::Value {
                place: place.to_owned(),
                key: key.to_owned(),
                expected: kind(default).to_owned(),
                found: shown(key, &value),
            });
        };
        let (section, rest) = key.split_once('.').unwrap_or((key, ""));
        let found = self.sections.get_mut(section);
        if let Some(place) =
            found.and_then(|s| rest.split('.').try_fold(s, |value, part| value.get_mut(part)))
        {
            *place = value;
        }
        self.places.insert(key.to_owned(), place.to_owned());
        Ok(())
    }

    fn unknown(&self, place: &str, key: &str) -> SettingsError {
        let name = key.rsplit('.').next().unwrap_or(key);
        // A key in the wrong section is nearest to its namesake; else the spelling of the whole decides.
        let nearest = self
            .keys()
            .map(|known| {
                let same_name = known.rsplit('.').next() == Some(name);
                let likeness = strsim::jaro_winkler(key, &known);
                (known, if same_name { 1.0 } else { likeness })
            })
            .filter(|(_, likeness)| *likeness > 0.75)
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        SettingsError::UnknownKey {
            place: place.to_owned(),
            key: key.to_owned(),
            nearest: nearest.map(|(known, _)| known),
        }
    }
}

/// Every value with its whole key. An empty section counts as one, so that an unknown one is noticed.
fn leaves(table: &Table) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) if !inner.is_empty() => {
                found.extend(leaves(inner).into_iter().map(|(rest, value)| (format!("{key}.{rest}"), value)));
            }
            _ => found.push((key.clone(), value)),
        }
    }
    found
}

fn parse(text: &str, place: &str) -> Result<Table, SettingsError> {
    text.parse::<Table>().map_err(|error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
        SettingsError::Syntax {
            place: line.map_or_else(|| place.to_owned(), |line| format!("{place}, line {line}")),
            message: error.message().to_owned(),
        }
    })
}

/// The value as the kind its default has; `None` when it is another kind.
fn fit(value: Value, default: &Value) -> Option<Value> {
    match (value, default) {
        // `0` is as good a share as `0.0`. No setting is large enough to lose digits.
        (Value::Integer(n), Value::Float(_)) => i32::try_from(n).ok().map(|n| Value::Float(n.into())),
        (Value::Array(items), Value::Array(defaults)) => {
            let numbers = defaults.iter().all(Value::is_integer) && !defaults.is_empty();
            let fits = items.iter().all(|item| if numbers { item.is_integer() } else { item.is_str() });
            fits.then_some(Value::Array(items))
        }
        (value, default) => value.same_type(default).then_some(value),
    }
}

/// A variable's text as the kind its default has, or as text when it is not written like that.
fn read_text(text: &str, default: &Value) -> Value {
    let read = match default {
        Value::Integer(_) => text.trim().parse().ok().map(Value::Integer),
        Value::Float(_) => text.trim().parse().ok().map(Value::Float),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Array(defaults) => {
            let item = defaults.first().cloned().unwrap_or_else(|| Value::String(String::new()));
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Some(Value::Array(parts.map(|part| read_text(part, &item)).collect()))
        }
        _ => None,
    };
    read.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(items) if items.first().is_some_and(Value::is_integer) => "a list of whole numbers",
        Value::Array(_) => "a list of texts",
        Value::Table(_) => "a section",
    }
}

/// A value for an error message: never that of a secret.
fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) if !is_secret(key) => format!("{text:?}"),
        Value::Integer(n) if !is_secret(key) => n.to_string(),
        Value::Float(n) if !is_secret(key) => n.to_string(),
        Value::Boolean(b) => b.to_string(),
        other => kind(other).to_owned(),
    }
}

/// What a setting must be when its kind is right but its text is not.
fn expectation(key: &str) -> &'static str {
    match key {
        "server.listen" => "an address with a port, as 127.0.0.1:8080",
        "server.public_url" | "traces.endpoint" | "meta.graph_url" | "meta.instagram_url" => {
            "an address, as https://inbox.example.org"
        }
        "whatsapp_gateway.api_url" => "an address, as https://gateway.example/api/v1",
        "chatwoot.url" => "an address, as https://chatwoot.example.org",
        "server.trusted_proxies" => "a list of networks, as 10.0.0.0/8",
        "log.format" => "auto, text or json",
        "green_api.retry" => "auto, patient or brief",
        "realtime.public_inbox" => "off, signed_in or open",
        // What is left are numbers: below zero, or too large for their field.
        _ => "a whole number of at least 0 and not absurdly large",
    }
}
