//! Fields that all three channels have, and how their values are checked.

use frontdesk_model::inbox::InboxSettings;

use crate::contract::{Field, FieldError, OwnKeys};

/// What ids of Meta look like.
pub(crate) const ID_PATTERN: Option<&str> = Some("^[0-9]{1,32}$");
/// The access token.
pub(crate) const ACCESS_TOKEN: &str = "access_token";
/// The secret of an app that belongs to one inbox.
pub(crate) const APP_SECRET: &str = "app_secret";
/// What Meta repeats when the webhook of such an app is set up.
const VERIFY_TOKEN: &str = "verify_token";

/// The token that calls are made with.
pub(crate) const fn access_token(help: &'static str) -> Field {
    Field {
        key: ACCESS_TOKEN,
        label: "Access token",
        help,
        secret: true,
        required: true,
        pattern: Some("^[!-~]+$"),
    }
}

/// Set when this inbox has a Meta app of its own.
pub(crate) const OWN_APP_SECRET: Field = Field {
    key: APP_SECRET,
    label: "App secret",
    help: "Only when this inbox has a Meta app of its own: App settings, Basic. Its webhooks then count only when \
           signed with it. Left empty, the server's app secret is used.",
    secret: true,
    required: false,
    pattern: None,
};

/// Set when this inbox has a Meta app of its own.
pub(crate) const OWN_VERIFY_TOKEN: Field = Field {
    key: VERIFY_TOKEN,
    label: "Verify token",
    help: "Only when this inbox has a Meta app of its own: any text; enter the same text in Meta's webhook form.",
    secret: true,
    required: false,
    pattern: None,
};

/// The keys of an inbox with a Meta app of its own.
pub(crate) fn own_keys(settings: &InboxSettings) -> OwnKeys {
    OwnKeys { secret: settings.get(APP_SECRET).cloned(), verify_token: settings.get(VERIFY_TOKEN).cloned() }
}

/// One sentence per wrong field: required ones that are empty, ids that are no ids, tokens that are no tokens.
pub(crate) fn check(fields: &[Field], ids: &[&str], settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
    let wrong: Vec<FieldError> = fields
        .iter()
        .filter_map(|field| {
            let value = settings.get(field.key).map(|value| value.trim()).filter(|value| !value.is_empty());
            let message = match value {
                None if field.required => format!("The {} field is required.", field.key),
                None => return None,
                Some(value) if ids.contains(&field.key) && !is_id(value) => {
                    format!(
                        "The {} field must be the id Meta shows: digits only, no phone number and no name.",
                        field.key
                    )
                }
                Some(value) if field.key == ACCESS_TOKEN && !is_token(value) => {
                    format!("The {} field must be one line of letters and digits without spaces.", field.key)
                }
                Some(_) => return None,
            };
            Some(FieldError { key: field.key.to_owned(), message })
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// The id under which webhooks name an inbox.
pub(crate) fn id(settings: &InboxSettings, key: &str) -> Option<String> {
    settings.get(key).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn is_id(value: &str) -> bool {
    (1..=32).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit())
}

/// Goes into a header: visible ASCII only.
fn is_token(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_graphic())
}
