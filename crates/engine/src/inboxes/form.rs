//! The set-up form of an inbox: what people filled in, checked and parted into open and secret fields.

use frontdesk_channels::contract::{Channel, FieldError};
use frontdesk_model::inbox::InboxSettings;

const MAX_NAME_CHARS: usize = 100;
/// The longest value of one field.
const MAX_VALUE_BYTES: usize = 16 * 1024;

/// What happens to one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingChange {
    /// It gets this value.
    Set(String),
    /// It stays: how a form returns a secret it was never shown.
    Keep,
    /// It becomes empty.
    Clear,
}

/// A form whose every field was found good.
pub(super) struct FilledForm {
    pub name: String,
    pub route_key: String,
    pub open: InboxSettings,
    pub secret: InboxSettings,
}

/// Applies changes to the settings as they were.
pub(super) fn apply(settings: &mut InboxSettings, changes: &[(String, SettingChange)]) {
    for (key, change) in changes {
        match change {
            SettingChange::Set(value) => drop(settings.insert(key.clone(), value.clone())),
            SettingChange::Clear => drop(settings.remove(key)),
            SettingChange::Keep => {}
        }
    }
}

/// Checks a form. Values are trimmed; empty ones count as absent.
pub(super) fn fill(
    channel: &dyn Channel,
    name: &str,
    settings: InboxSettings,
) -> Result<FilledForm, Vec<FieldError>> {
    let fields = channel.info().fields;
    let mut wrong = Vec::new();
    if name.trim().is_empty() {
        wrong.push(error("name", "The name field is required."));
    } else if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        wrong.push(error("name", "The name field must be one line of at most 100 characters."));
    }
    let settings: InboxSettings = settings
        .into_iter()
        .map(|(key, value)| (key, value.trim().to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    for (key, value) in &settings {
        if !fields.iter().any(|f| f.key == key) {
            wrong.push(setting_error(key, &format!("{} has no field {key}.", channel.info().label)));
        } else if value.len() > MAX_VALUE_BYTES || value.chars().any(|c| c.is_control() && c != '\n') {
            wrong.push(setting_error(key, &format!("The {key} field holds text that cannot be meant.")));
        }
    }
    if let Err(errors) = channel.check_settings(&settings) {
        wrong.extend(errors.into_iter().map(|e| setting_error(&e.key, &e.message)));
    }
    let route_key = channel.route_key(&settings);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let route_key = route_key
        .ok_or_else(|| vec![error("settings", "A field that tells this inbox apart is missing.")])?;
    let is_secret = |key: &str| fields.iter().any(|f| f.key == key && f.secret);
    let (secret, open) = settings.into_iter().partition(|(key, _)| is_secret(key));
    Ok(FilledForm { name: name.trim().to_owned(), route_key, open, secret })
}

/// Another inbox on this server has the same number or page.
pub(super) fn route_taken(channel: &dyn Channel) -> FieldError {
    let message = format!(
        "This {} account is already connected to an inbox of this server. Change that inbox, or delete it first.",
        channel.info().label
    );
    let identifying = channel.info().fields.iter().find(|f| f.required && !f.secret);
    match identifying {
        Some(field) => setting_error(field.key, &message),
        None => error("settings", &message),
    }
}

pub(super) fn error(key: &str, message: &str) -> FieldError {
    FieldError { key: key.to_owned(), message: message.to_owned() }
}

fn setting_error(key: &str, message: &str) -> FieldError {
    error(&format!("settings.{key}"), message)
}
