//! What the sync fills in for an inbox that it shows here.

use frontdesk_model::inbox::InboxSettings;
use url::Url;

use crate::contract::{Field, FieldError};

pub(super) const PLACE: &str = "place";
pub(super) const API_URL: &str = "api_url";
pub(super) const ACCOUNT_ID: &str = "account_id";
pub(super) const INBOX_ID: &str = "inbox_id";
/// Absent once the connection was removed.
pub(super) const API_TOKEN: &str = "api_token";

/// Where Chatwoot is unless said otherwise.
const DEFAULT_API_URL: &str = "https://app.chatwoot.com";

pub(super) static FIELDS: &[Field] = &[
    Field {
        key: PLACE,
        label: "Place",
        help: "Tells this inbox apart from all others. The sync fills it in.",
        secret: false,
        required: true,
        pattern: Some("^[!-~]+$"),
    },
    Field {
        key: API_URL,
        label: "Address",
        help: "Where the Chatwoot is. The sync fills it in.",
        secret: false,
        required: false,
        pattern: None,
    },
    Field {
        key: ACCOUNT_ID,
        label: "Account ID",
        help: "The account there. The sync fills it in.",
        secret: false,
        required: true,
        pattern: Some("^[0-9]{1,18}$"),
    },
    Field {
        key: INBOX_ID,
        label: "Inbox ID",
        help: "The inbox there. The sync fills it in.",
        secret: false,
        required: true,
        pattern: Some("^[0-9]{1,18}$"),
    },
    Field {
        key: API_TOKEN,
        label: "Access token",
        help: "The key of the connection. The sync fills it in.",
        secret: true,
        required: true,
        pattern: Some("^[!-~]+$"),
    },
];

/// An inbox of Chatwoot, as the sync knows it.
pub struct Mirrored<'a> {
    /// Tells it apart from all others of this server.
    pub place: &'a str,
    /// Where the Chatwoot is.
    pub api_url: &'a str,
    /// The account there.
    pub account_id: &'a str,
    /// The inbox there.
    pub inbox_id: i64,
    /// An access token of the account; `None`: there is none any more.
    pub api_token: Option<&'a str>,
}

impl Mirrored<'_> {
    /// The fields, filled in.
    pub fn settings(&self) -> InboxSettings {
        let filled_in = [
            (PLACE, Some(self.place.to_owned())),
            (API_URL, Some(self.api_url.to_owned())),
            (ACCOUNT_ID, Some(self.account_id.to_owned())),
            (INBOX_ID, Some(self.inbox_id.to_string())),
            (API_TOKEN, self.api_token.map(str::to_owned)),
        ];
        filled_in.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

/// The value of a field, unless it is empty.
pub(super) fn text<'s>(settings: &'s InboxSettings, key: &str) -> Option<&'s str> {
    settings.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// Where the Chatwoot is.
pub(super) fn api_url(settings: &InboxSettings) -> Option<Url> {
    let url = Url::parse(text(settings, API_URL).unwrap_or(DEFAULT_API_URL)).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// A number.
pub(super) fn number(settings: &InboxSettings, key: &str) -> Option<i64> {
    text(settings, key)?.parse().ok()
}

/// One sentence per wrong field.
pub(super) fn check(settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
    let problem = |field: &Field| {
        let sentence = match text(settings, field.key) {
            None if field.required => "is required",
            None => return None,
            Some(_) if field.key == API_URL => {
                if api_url(settings).is_some() {
                    return None;
                }
                "must be an address as https://chatwoot.example.com"
            }
            Some(value) if matches!(field.key, ACCOUNT_ID | INBOX_ID) => {
                if (1..=18).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                "must be a number"
            }
            Some(value) if value.bytes().all(|b| b.is_ascii_graphic()) => return None,
            Some(_) => "must be one line of letters, digits and signs without spaces",
        };
        Some(FieldError {
            key: field.key.to_owned(),
            message: format!("The {} field {sentence}.", field.key),
        })
    };
    let wrong: Vec<FieldError> = FIELDS.iter().filter_map(problem).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
