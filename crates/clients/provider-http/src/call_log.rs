//! What is written to the log about calls, on demand: each of them, and what went over the wire.
//!
//! Bodies are written only when asked for, and never as they are: values with telling names (tokens, secrets, passwords)
//! are left out, and of every number long enough for a phone only the last two digits stay. The words of people stay: a
//! log with bodies is for finding a fault, not for every day.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Request, StatusCode};
use serde_json::Value;

use crate::{Answer, CallError, CallLabel};

/// So many characters of a body are written.
const LONGEST: usize = 4_096;
/// Numbers with at least so many digits may be phones.
const PHONE_DIGITS: usize = 7;
/// So many digits of them stay, to tell them apart.
const DIGITS_LEFT: usize = 2;
const LEFT_OUT: &str = "***";

/// Which calls are logged in detail, at level `info`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallLog {
    /// Every call: what was asked, how it ended, how long it took.
    pub calls: bool,
    /// With the bodies of requests.
    pub request_bodies: bool,
    /// With the bodies of answers.
    pub response_bodies: bool,
}

impl CallLog {
    /// The body of a request about to leave, when it is to be written.
    pub(crate) fn sent(self, request: &Request) -> Option<String> {
        let body = request.body().filter(|_| self.calls && self.request_bodies)?;
        Some(body.as_bytes().map_or_else(|| "a stream".to_owned(), redacted))
    }

    /// Writes how a call ended.
    pub(crate) fn write(
        self,
        provider: &str,
        label: &CallLabel<'_>,
        sent: Option<&str>,
        duration: Duration,
        result: &Result<Answer, CallError>,
    ) {
        if !self.calls {
            return;
        }
        let (status, body): (Option<StatusCode>, Option<&Bytes>) = match result {
            Ok(answer) => (Some(answer.status), Some(&answer.body)),
            Err(CallError::Status(answer)) => (Some(answer.status), Some(&answer.body)),
            Err(error) => (error.status(), None),
        };
        let received = body.filter(|_| self.response_bodies).map(|body| redacted(body));
        tracing::info!(
            provider,
            operation = label.operation,
            status = status.map(|status| status.as_u16()),
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            error = result.as_ref().err().map(tracing::field::display),
            request_body = sent,
            response_body = received.as_deref(),
            "Provider call in detail"
        );
    }
}

/// A body as it may be written: JSON without what must not be seen, anything else by its size.
fn redacted(body: &[u8]) -> String {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return format!("{} bytes that are not JSON", body.len());
    };
    redact(&mut value);
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], body.len()),
        None => text,
    }
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret(name) {
                    *value = LEFT_OUT.into();
                } else if !(value.is_number() && is_time(name)) {
                    redact(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(redact),
        Value::String(text) => *text = without_phones(text),
        Value::Number(number) => {
            let digits = number.to_string();
            let hidden = without_phones(&digits);
            if hidden != digits {
                *value = hidden.into();
            }
        }
        Value::Bool(_) | Value::Null => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["token", "secret", "password", "authorization", "apikey", "api_key"]
        .iter()
        .any(|word| name.contains(word))
}

/// Seconds since 1970 are as long as a phone.
fn is_time(name: &str) -> bool {
    name.to_lowercase().contains("time")
}

/// Long numbers without their beginnings, however their digits are grouped: `+62 813-9004-5512` is `***12`.
fn without_phones(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c == '+' || c.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        shown.push_str(before);
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '.' | '(' | ')' | '/');
        let reach = number.find(|c| !is_part(c)).unwrap_or(number.len());
        let end = number[..reach].rfind(|c: char| c.is_ascii_digit()).map_or(1, |last| last + 1);
        let digits: Vec<char> = number[..end].chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= PHONE_DIGITS {
            shown.push_str(LEFT_OUT);
            shown.extend(&digits[digits.len() - DIGITS_LEFT..]);
        } else {
            shown.push_str(&number[..end]);
        }
        rest = &number[end..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_and_phones_are_left_out_of_bodies() {
        let body = br#"{"chatId":"6281390045512@c.us","phoneNumber":79876543210,"message":"call +62 813-9004-5512, room 12",
            "webhookUrlToken":"Bearer abc","nested":{"password":[1,2]},"timestamp":1763770000,"count":41}"#;
        let shown = redacted(body);
        for secret in ["6281390045512", "7987654", "9004", "abc", "[1,2]"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        for left in ["***12@c.us", "\"***10\"", "call ***12, room 12", "1763770000", "41"] {
            assert!(shown.contains(left), "no {left} in {shown}");
        }
    }

    #[test]
    fn what_is_no_json_is_told_by_its_size_and_what_is_long_is_cut() {
        assert_eq!(redacted(b"--boundary\r\n6281390045512"), "25 bytes that are not JSON");
        let long = serde_json::to_vec(&"é".repeat(5_000)).unwrap();
        assert!(redacted(&long).ends_with("é… (10002 bytes)"));
    }

    proptest! {
        #[test]
        fn no_run_of_digits_that_may_be_a_phone_is_left(text in "[0-9+ ().a-z/é-]{0,60}") {
            let shown = without_phones(&text);
            let longest = shown.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
            prop_assert!(longest < PHONE_DIGITS, "{shown}");
        }
    }
}
