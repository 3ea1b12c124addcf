//! What has to be filled in for a session, and how it is checked.

use frontdesk_model::inbox::InboxSettings;
use url::Url;

use crate::contract::{Field, FieldError, RetryPlan};

/// Where the API begins.
pub(super) const API_URL: &str = "api_url";
/// Which session.
pub(super) const SESSION_ID: &str = "session_id";
/// What calls are made with.
pub(super) const TOKEN: &str = "token";
/// In place of a token: whose tokens are had.
pub(super) const EMAIL: &str = "email";
/// See [`EMAIL`].
pub(super) const PASSWORD: &str = "password";
/// Signs the webhooks, or comes with them.
pub(super) const WEBHOOK_SECRET: &str = "webhook_secret";
/// Messages in any minute.
pub(super) const PER_MINUTE: &str = "rate_limit_per_minute";
/// How messages are tried again.
const RETRY: &str = RetryPlan::FIELD.key;

/// Visible ASCII: goes into a header or an address.
const TOKEN_PATTERN: Option<&str> = Some("^[!-~]+$");

pub(super) static FIELDS: &[Field] = &[
    Field {
        key: API_URL,
        label: "API address",
        help: "Where the server's API begins, as https://gateway.example/api/v1.",
        secret: false,
        required: true,
        pattern: Some("^https?://[^\\s]+$"),
    },
    Field {
        key: SESSION_ID,
        label: "Session",
        help: "The name of the session on that server. One that is not there is made.",
        secret: false,
        required: true,
        pattern: Some("^[!-~]{1,100}$"),
    },
    Field {
        key: TOKEN,
        label: "Token",
        help: "A token of that server; of a Frontdesk an API token that may read and write. Left empty: e-mail and password.",
        secret: true,
        required: false,
        pattern: TOKEN_PATTERN,
    },
    Field {
        key: EMAIL,
        label: "E-mail",
        help: "In place of a token: an account of that server. It is signed in anew when its token expires.",
        secret: false,
        required: false,
        pattern: Some("^[^\\s@]+@[^\\s@]+$"),
    },
    Field {
        key: PASSWORD,
        label: "Password",
        help: "The password that goes with the e-mail.",
        secret: true,
        required: false,
        pattern: None,
    },
    Field {
        key: WEBHOOK_SECRET,
        label: "Webhook secret",
        help: "The secret that server signs webhooks with, whsec_ and more; or a token that comes with them. Nothing else is \
               believed, and without it nothing at all.",
        secret: true,
        required: false,
        pattern: TOKEN_PATTERN,
    },
    Field {
        key: PER_MINUTE,
        label: "Messages a minute",
        help: "The most that go out in any minute; 0 for no limit. Left empty: 30, which such servers allow.",
        secret: false,
        required: false,
        pattern: Some("^[0-9]{1,5}$"),
    },
    RetryPlan::FIELD,
];

/// The value of a field, unless it is empty.
pub(super) fn text<'s>(settings: &'s InboxSettings, key: &str) -> Option<&'s str> {
    settings.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// One sentence per wrong field.
pub(super) fn check(settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
    let mut wrong: Vec<FieldError> = FIELDS
        .iter()
        .filter_map(|field| {
            let problem = match text(settings, field.key) {
                None if field.required => "is required",
                None => return None,
                Some(value) => problem_of(field.key, value)?,
            };
            Some(error(field.key, problem))
        })
        .collect();
    if wrong.is_empty() {
        let has = |key| text(settings, key).is_some();
        if !has(TOKEN) && !has(EMAIL) {
            wrong.push(error(TOKEN, "is required, or an e-mail and a password in its place"));
        } else if !has(TOKEN) && !has(PASSWORD) {
            wrong.push(error(PASSWORD, "is required beside an e-mail"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn error(key: &str, problem: &str) -> FieldError {
    FieldError { key: key.to_owned(), message: format!("The {key} field {problem}.") }
}

/// What is wrong with a value; `None`: nothing.
fn problem_of(key: &str, value: &str) -> Option<&'static str> {
    let graphic = value.bytes().all(|b| b.is_ascii_graphic());
    let (good, must) = match key {
        API_URL => (is_address(value), "must be an address, as https://gateway.example/api/v1"),
        SESSION_ID => (graphic && value.len() <= 100, "must be one word of letters, digits and signs"),
        TOKEN | WEBHOOK_SECRET => (graphic, "must be one line of letters, digits and signs without spaces"),
        EMAIL => (value.contains('@') && !value.contains(char::is_whitespace), "must be an e-mail address"),
        PER_MINUTE => (
            value.len() <= 5 && value.bytes().all(|b| b.is_ascii_digit()),
            "must be a whole number from 0 to 99999",
        ),
        RETRY => (RetryPlan::is_word(value), "must be patient or brief"),
        _ => (true, ""),
    };
    (!good).then_some(must)
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

    fn check_with(more: &[(&str, &str)]) -> Result<(), Vec<FieldError>> {
        let all = [(API_URL, "https://gateway.example/api/v1"), (SESSION_ID, "cs")];
        let all = all.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        check(&all.collect())
    }

    #[test]
    fn each_field_says_what_it_wants() {
        for (key, value) in [
            (API_URL, "gateway.example"),
            (API_URL, "https://user:pass@gateway.example"),
            (API_URL, "https://gateway.example/?a=1"),
            (SESSION_ID, "two words"),
            (EMAIL, "nobody"),
            (WEBHOOK_SECRET, "two words"),
            (PER_MINUTE, "-1"),
            (RETRY, "never"),
        ] {
            let wrong = check_with(&[(TOKEN, "t"), (key, value)]).unwrap_err();
            assert_eq!(wrong.len(), 1, "{value}");
            assert!(wrong[0].message.starts_with(&format!("The {key} field must")), "{}", wrong[0].message);
        }
    }

    #[test]
    fn a_token_or_an_account_of_the_server_is_needed() {
        assert_eq!(check_with(&[(TOKEN, "t")]), Ok(()));
        assert_eq!(check_with(&[(EMAIL, "ada@example.org"), (PASSWORD, "p q")]), Ok(()));
        assert_eq!(check_with(&[]).unwrap_err()[0].key, TOKEN);
        assert_eq!(check_with(&[(EMAIL, "ada@example.org")]).unwrap_err()[0].key, PASSWORD);
    }
}
