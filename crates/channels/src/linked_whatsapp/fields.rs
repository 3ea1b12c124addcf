//! What has to be filled in for a linked phone, and how it is checked.

use frontdesk_model::inbox::InboxSettings;

use crate::contract::{Field, FieldError, RetryPlan};

/// What people call the session.
pub(super) const SESSION_ID: &str = "session_id";
/// The program that speaks to WhatsApp.
pub(super) const DRIVER: &str = "driver";
/// How messages are tried again.
const RETRY: &str = RetryPlan::FIELD.key;
/// The longest name of a session.
const MAX_NAME: usize = 64;

pub(super) static FIELDS: &[Field] = &[
    Field {
        key: SESSION_ID,
        label: "Session name",
        help: "A name of your choice, as reception-1: letters, digits, dot, dash and underscore. Programs name the session by it. \
               WhatsApp's terms forbid programs that are not its own, and numbers that write to many strangers are banned: for a \
               number that the business cannot do without, use the Cloud API.",
        secret: false,
        required: true,
        pattern: Some(r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,63}$"),
    },
    Field {
        key: DRIVER,
        label: "Driver",
        help: "The program that speaks to WhatsApp: native, where this server was built with it, or simulated, for the phones \
               of the sandbox. Left empty, the server decides.",
        secret: false,
        required: false,
        pattern: Some("^[a-z]{1,32}$"),
    },
    RetryPlan::FIELD,
];

/// The value of a field, unless it is empty.
pub(super) fn text<'s>(settings: &'s InboxSettings, key: &str) -> Option<&'s str> {
    settings.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
}

pub(super) fn check(settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
    let mut wrong = Vec::new();
    let mut refuse = |key: &str, message: String| wrong.push(FieldError { key: key.to_owned(), message });
    match text(settings, SESSION_ID) {
        None => refuse(SESSION_ID, format!("The {SESSION_ID} field is required.")),
        Some(name) if !is_name(name) => refuse(
            SESSION_ID,
            format!(
                "The {SESSION_ID} field takes letters, digits, dot, dash and underscore, at most {MAX_NAME}, \
                 beginning with a letter or digit."
            ),
        ),
        Some(_) => {}
    }
    if text(settings, DRIVER)
        .is_some_and(|name| !name.bytes().all(|b| b.is_ascii_lowercase()) || name.len() > 32)
    {
        refuse(DRIVER, format!("The {DRIVER} field takes the name of a driver, as native."));
    }
    if text(settings, RETRY).is_some_and(|word| !RetryPlan::is_word(word)) {
        refuse(RETRY, format!("The {RETRY} field must be patient or brief."));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    name.len() <= MAX_NAME
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && name.bytes().all(plain)
}
