//! What has to be filled in for an instance, and how it is checked.

use frontdesk_model::inbox::InboxSettings;
use url::Url;

use crate::contract::{Field, FieldError};

/// `idInstance`.
pub(super) const INSTANCE_ID: &str = "instance_id";
/// `apiTokenInstance`.
pub(super) const API_TOKEN: &str = "api_token";
/// Comes with each webhook.
pub(super) const WEBHOOK_TOKEN: &str = "webhook_token";
/// `apiUrl` of the console.
pub(super) const API_URL: &str = "api_url";
/// `mediaUrl` of the console.
pub(super) const MEDIA_URL: &str = "media_url";
/// How messages come in.
const MODE: &str = "mode";
/// Messages in any second.
pub(super) const PER_SECOND: &str = "rate_limit_per_second";
/// Messages in any minute.
pub(super) const PER_MINUTE: &str = "rate_limit_per_minute";
/// How messages are tried again.
pub(super) const RETRY: &str = "retry";
/// For a day.
pub(super) const PATIENT: &str = "patient";
/// As often as the server's settings say.
pub(super) const BRIEF: &str = "brief";

/// A number of messages in a period.
const COUNT_PATTERN: Option<&str> = Some("^[0-9]{1,5}$");
/// Visible ASCII: goes into a header or an address.
const TOKEN_PATTERN: Option<&str> = Some("^[!-~]+$");
const URL_PATTERN: Option<&str> = Some("^https?://[^\\s]+$");

pub(super) static FIELDS: &[Field] = &[
    Field {
        key: INSTANCE_ID,
        label: "Instance ID",
        help: "Green API console, the instance's page: idInstance, ten digits or so.",
        secret: false,
        required: true,
        pattern: Some("^[0-9]{1,18}$"),
    },
    Field {
        key: API_TOKEN,
        label: "API token",
        help: "The same page: apiTokenInstance, 50 letters and digits.",
        secret: true,
        required: true,
        pattern: TOKEN_PATTERN,
    },
    Field {
        key: WEBHOOK_TOKEN,
        label: "Webhook token",
        help: "Words of your choice without spaces. Green API sends them with each webhook and nothing else is believed. \
               Left empty, the server's GREEN_API_WEBHOOK_SECRET is used.",
        secret: true,
        required: false,
        pattern: TOKEN_PATTERN,
    },
    Field {
        key: API_URL,
        label: "API address",
        help: "apiUrl of the console, as https://7105.api.greenapi.com. Left empty, the general address is used, which is \
               slower.",
        secret: false,
        required: false,
        pattern: URL_PATTERN,
    },
    Field {
        key: MEDIA_URL,
        label: "Media address",
        help: "mediaUrl of the console, as https://7105.media.greenapi.com. Left empty, files go to the API address.",
        secret: false,
        required: false,
        pattern: URL_PATTERN,
    },
    Field {
        key: MODE,
        label: "How messages come in",
        help: "webhook: Green API delivers to this server, which must be reachable from the internet. polling: this server \
               asks. Left empty: webhook.",
        secret: false,
        required: false,
        pattern: Some("^(webhook|polling)$"),
    },
    Field {
        key: PER_SECOND,
        label: "Messages a second",
        help: "The most that go out in any second; 0 for no limit. Left empty: 2, or what the server is set to.",
        secret: false,
        required: false,
        pattern: COUNT_PATTERN,
    },
    Field {
        key: PER_MINUTE,
        label: "Messages a minute",
        help: "The most that go out in any minute; 0 for no limit. Left empty: 60, or what the server is set to.",
        secret: false,
        required: false,
        pattern: COUNT_PATTERN,
    },
    Field {
        key: RETRY,
        label: "When a message does not go out",
        help: "patient: it is tried again for a day. brief: GREEN_API_MAX_RETRIES times (3), after 1 to 60 seconds; then it has \
               failed. Left empty: what the server is set to, patient as a rule.",
        secret: false,
        required: false,
        pattern: Some("^(patient|brief)$"),
    },
];

/// The value of a field, unless it is empty.
pub(super) fn text<'s>(settings: &'s InboxSettings, key: &str) -> Option<&'s str> {
    settings.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// True when this server fetches messages, in place of being delivered to.
pub(super) fn is_polled(settings: &InboxSettings) -> bool {
    text(settings, MODE) == Some("polling")
}

/// One sentence per wrong field.
pub(super) fn check(settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
    let wrong: Vec<FieldError> = FIELDS
        .iter()
        .filter_map(|field| {
            let problem = match text(settings, field.key) {
                None if field.required => "is required".to_owned(),
                None => return None,
                Some(value) => problem_of(field.key, value)?,
            };
            Some(FieldError {
                key: field.key.to_owned(),
                message: format!("The {} field {problem}.", field.key),
            })
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// What is wrong with a value; `None`: nothing.
fn problem_of(key: &str, value: &str) -> Option<String> {
    let digits = |most: usize| value.len() <= most && value.bytes().all(|b| b.is_ascii_digit());
    let (good, must) = match key {
        INSTANCE_ID => (digits(18), "must be the idInstance of the console: digits only"),
        API_TOKEN | WEBHOOK_TOKEN => (
            value.bytes().all(|b| b.is_ascii_graphic()),
            "must be one line of letters, digits and signs without spaces",
        ),
        API_URL | MEDIA_URL => {
            (is_address(value), "must be an address as the console shows it: https://7105.api.greenapi.com")
        }
        MODE => (matches!(value, "webhook" | "polling"), "must be webhook or polling"),
        RETRY => (matches!(value, PATIENT | BRIEF), "must be patient or brief"),
        PER_SECOND | PER_MINUTE => (digits(5), "must be a whole number from 0 to 99999"),
        _ => (true, ""),
    };
    (!good).then(|| must.to_owned())
}

fn is_address(value: &str) -> bool {
    Url::parse(value).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_says_what_it_wants() {
        let check_one = |key: &str, value: &str| {
            let settings = [(INSTANCE_ID, "1101000001"), (API_TOKEN, "abc"), (key, value)];
            check(&settings.map(|(k, v)| (k.to_owned(), v.to_owned())).into())
        };
        for (key, value) in [
            (API_URL, "7105.api.greenapi.com"),
            (API_URL, "https://user:pass@api.example"),
            (MEDIA_URL, "ftp://media.example"),
            (MODE, "push"),
            (PER_SECOND, "-1"),
            (PER_MINUTE, "many"),
            (RETRY, "never"),
            (WEBHOOK_TOKEN, "two words"),
            (INSTANCE_ID, "waInstance1101"),
        ] {
            let wrong = check_one(key, value).unwrap_err();
            assert_eq!(wrong.len(), 1, "{value}");
            assert!(wrong[0].message.starts_with(&format!("The {key} field must")), "{}", wrong[0].message);
        }
        for (key, value) in [
            (API_URL, "https://7105.api.greenapi.com"),
            (MODE, "polling"),
            (PER_MINUTE, "0"),
            (RETRY, "brief"),
            (MEDIA_URL, ""),
        ] {
            assert_eq!(check_one(key, value), Ok(()), "{value}");
        }
    }
}
