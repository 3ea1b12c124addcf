//! What a call can end in.

use std::{fmt, time::Duration};

use frontdesk_provider_http::{CallError, StatusAnswer, retry::retry_after};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::webhook::lenient::Parts;

/// Longest text of a refusal that is kept; the rest is a gateway's page.
const TEXT_MAX_CHARS: usize = 500;

/// A call that did not do what was asked. What to do next: [`crate::decision::decide`].
#[derive(Debug, thiserror::Error)]
pub enum GreenCallError {
    /// Green API, or a gateway before it, refused.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// Anything below: no connection, no answer, an answer that cannot be read.
    #[error(transparent)]
    Http(CallError),
}

/// A refusal. `Display` and `Debug` show its kind; [`Refusal::text`] may quote what was sent.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("Green API refused: {kind} ({status})")]
pub struct Refusal {
    /// What it means.
    pub kind: RefusalKind,
    /// The HTTP status.
    pub status: u16,
    /// Which quota is used up, of 466.
    pub quota: Option<UsedQuota>,
    /// When to try again, if it said so.
    pub retry_after: Option<Duration>,
    text: String,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RefusalKind {
    /// 400: something in the request is not as it should be.
    #[error("invalid request")]
    Invalid,
    /// 400: no WhatsApp number of 11 to 16 digits.
    #[error("bad phone number")]
    BadPhone,
    /// 400: the instance is being started; in some minutes it works.
    #[error("instance is starting")]
    Starting,
    /// 400: too many numbers were checked for the moment.
    #[error("too many checks of numbers")]
    CheckLimit,
    /// 400: nobody is signed in on the instance.
    #[error("instance is not authorised")]
    NotAuthorized,
    /// 400: the instance was not paid for.
    #[error("instance is expired")]
    Expired,
    /// 400: the instance no longer exists.
    #[error("instance is deleted")]
    Deleted,
    /// 401: the token is not this instance's.
    #[error("wrong token")]
    WrongToken,
    /// 403: no such instance, or not at this host.
    #[error("wrong instance id or host")]
    WrongInstance,
    /// 404: no such method.
    #[error("no such method")]
    NotFound,
    /// 429: too fast.
    #[error("too many requests")]
    TooManyRequests,
    /// 466: what the tariff allows in a month is used up.
    #[error("quota used up")]
    QuotaUsedUp,
    /// 466: the tariff allows three chats, and this is not one of them.
    #[error("chat outside the three of the tariff")]
    ChatNotAllowed,
    /// 499: a gateway was hung up on; the message may have gone out.
    #[error("closed early")]
    ClosedEarly,
    /// 500: the file is larger than 100 MB.
    #[error("file too large")]
    FileTooLarge,
    /// 500: Green API failed.
    #[error("fault of Green API")]
    Fault,
    /// 502, 503: Green API could not be reached behind its gateway.
    #[error("Green API is unavailable")]
    Unavailable,
    /// 504: a gateway heard nothing; the message may have gone out.
    #[error("gateway timed out")]
    GatewayTimeout,
    /// Any other status.
    #[error("unexpected status")]
    Other,
}

/// An allowance that is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedQuota {
    /// Of what, as `checkwhatsapp` or `correspondents`.
    pub method: Option<String>,
    /// How much was used.
    pub used: Option<i64>,
    /// How much there is.
    pub total: Option<i64>,
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("kind", &self.kind)
            .field("status", &self.status)
            .field("quota", &self.quota)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

impl Refusal {
    pub(crate) fn new(status: u16, text: String) -> Self {
        let kind = kind(status, &text, false);
        Self { kind, status, quota: None, retry_after: None, text }
    }

    /// Green API's own words. They may quote what was sent: for the person who reads why, not for a log.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn read(answer: &StatusAnswer) -> Self {
        let body = Body::read(&answer.body);
        let status = answer.status.as_u16();
        Self {
            kind: kind(status, &body.text, body.chats_used_up),
            status,
            quota: body.quota,
            retry_after: retry_after(&answer.headers),
            text: body.text,
        }
    }
}

/// What a refusal says: JSON for validation and quotas, else plain text or a gateway's page.
#[derive(Default)]
struct Body {
    text: String,
    quota: Option<UsedQuota>,
    chats_used_up: bool,
}

impl Body {
    fn read(bytes: &[u8]) -> Self {
        let whole = String::from_utf8_lossy(bytes);
        let short = |text: &str| text.trim().chars().take(TEXT_MAX_CHARS).collect::<String>();
        let Ok(parts) = Parts::of(&whole) else {
            let text = serde_json::from_str::<String>(&whole).unwrap_or_else(|_| whole.clone().into_owned());
            return Self { text: short(&text), ..Self::default() };
        };
        // Of the two, the one that is not `…_ALLOWED` stopped the call.
        let chats = parts.parts("correspondentsStatus").filter(is_exceeded);
        let chats_used_up = chats.is_some();
        let quota = chats.or_else(|| parts.parts("invokeStatus"));
        let said =
            ["message", "description", "reason", "error"].into_iter().find_map(|name| words(&parts, name));
        let of_quota = || quota.as_ref().and_then(|quota| quota.text("description"));
        Self {
            text: short(&said.or_else(of_quota).unwrap_or_default()),
            quota: quota.map(|quota| UsedQuota {
                method: quota.text("method"),
                used: quota.scalar("used"),
                total: quota.scalar("total"),
            }),
            chats_used_up,
        }
    }
}

/// A sentence, or a list of sentences.
fn words(parts: &Parts<'_>, name: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        One(String),
        Many(Vec<String>),
    }
    let raw: &RawValue = parts.raw(name)?;
    match serde_json::from_str(raw.get()).ok()? {
        Words::One(text) => Some(text),
        Words::Many(texts) => Some(texts.join("; ")),
    }
}

fn is_exceeded(quota: &Parts<'_>) -> bool {
    quota.text("status").is_some_and(|status| status.contains("EXCEEDED"))
}

/// Source: Green API's pages on errors and limits, its issue tracker.
fn kind(status: u16, text: &str, chats_used_up: bool) -> RefusalKind {
    let text = text.to_lowercase();
    let says = |words: &str| text.contains(words);
    match status {
        400 if says("starting") => RefusalKind::Starting,
        400 if says("timeout limit exceeded") => RefusalKind::CheckLimit,
        400 if says("expired") => RefusalKind::Expired,
        400 if says("is deleted") => RefusalKind::Deleted,
        400 if says("not authorized") || says("not authorised") => RefusalKind::NotAuthorized,
        400 if says("bad phone number") => RefusalKind::BadPhone,
        400 => RefusalKind::Invalid,
        401 => RefusalKind::WrongToken,
        403 => RefusalKind::WrongInstance,
        404 => RefusalKind::NotFound,
        429 => RefusalKind::TooManyRequests,
        466 if chats_used_up => RefusalKind::ChatNotAllowed,
        466 => RefusalKind::QuotaUsedUp,
        499 => RefusalKind::ClosedEarly,
        500 if says("exceeded max upload size") => RefusalKind::FileTooLarge,
        500 => RefusalKind::Fault,
        502 | 503 => RefusalKind::Unavailable,
        504 => RefusalKind::GatewayTimeout,
        _ => RefusalKind::Other,
    }
}

impl GreenCallError {
    /// Is it known whether Green API acted on the request? `false` = a message may be in its queue: never repeat it
    /// blindly, look into [`crate::GreenClient::show_messages_queue`] and
    /// [`crate::GreenClient::last_outgoing_messages`], or wait for [`crate::webhook::Event::ApiMessage`].
    pub fn certain(&self) -> bool {
        match self {
            Self::Refused(refusal) => {
                !matches!(refusal.kind, RefusalKind::ClosedEarly | RefusalKind::GatewayTimeout)
            }
            Self::Http(error) => error.certain(),
        }
    }
}

impl From<CallError> for GreenCallError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Status(answer) => Self::Refused(Box::new(Refusal::read(&answer))),
            other => Self::Http(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Refusal {
        let body = Body::read(body.as_bytes());
        Refusal {
            kind: kind(status, &body.text, body.chats_used_up),
            status,
            quota: body.quota,
            retry_after: None,
            text: body.text,
        }
    }

    #[test]
    fn refusals_are_told_apart_by_status_and_words() {
        for (status, body, expected) in [
            (
                400,
                r#"{"statusCode":400,"message":"Validation failed. Details: 'chatId'"}"#,
                RefusalKind::Invalid,
            ),
            (400, r#"{"message":["a","b"]}"#, RefusalKind::Invalid),
            (400, "bad request data", RefusalKind::Invalid),
            (400, "bad phone number, valid from 11 to 16 digits", RefusalKind::BadPhone),
            (400, "instance in starting process try later", RefusalKind::Starting),
            (400, r#"{"message":"instance is starting or not authorized"}"#, RefusalKind::Starting),
            (400, "check phone number timeout limit exceeded", RefusalKind::CheckLimit),
            (400, "instance account not authorized", RefusalKind::NotAuthorized),
            (400, "Instance account is expired. Please pay", RefusalKind::Expired),
            (400, "Instance is deleted", RefusalKind::Deleted),
            (401, "", RefusalKind::WrongToken),
            (403, "<html>Forbidden</html>", RefusalKind::WrongInstance),
            (429, "Too Many Requests", RefusalKind::TooManyRequests),
            (499, "", RefusalKind::ClosedEarly),
            (
                500,
                "File from url exceeded max upload size. Size: 120mb Limit: 100mb",
                RefusalKind::FileTooLarge,
            ),
            (500, "Internal Server Error", RefusalKind::Fault),
            (502, "<html>", RefusalKind::Unavailable),
            (504, "", RefusalKind::GatewayTimeout),
            (418, "", RefusalKind::Other),
        ] {
            assert_eq!(read(status, body).kind, expected, "{status} {body}");
        }
    }

    #[test]
    fn quotas_say_of_what() {
        let checks = r#"{"invokeStatus":{"method":"checkwhatsapp","used":"100","total":100,"status":"QUOTE_EXCEEDED","description":"Monthly quota"}}"#;
        let refusal = read(466, checks);
        assert_eq!(refusal.kind, RefusalKind::QuotaUsedUp);
        let quota = refusal.quota.clone().unwrap();
        assert_eq!(
            (quota.method.as_deref(), quota.used, quota.total),
            (Some("checkwhatsapp"), Some(100), Some(100))
        );
        assert_eq!(refusal.text(), "Monthly quota");
        let chats = r#"{"invokeStatus":{"method":"sendMessage","status":"QUOTE_ALLOWED"},
            "correspondentsStatus":{"method":"correspondents","used":3,"total":3,"status":"CORRESPONDENTS_QUOTE_EXCEEDED"}}"#;
        let refusal = read(466, chats);
        assert_eq!(refusal.kind, RefusalKind::ChatNotAllowed);
        assert_eq!(refusal.quota.unwrap().method.as_deref(), Some("correspondents"));
    }
}
