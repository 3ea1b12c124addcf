//! What a call can end in.

use std::fmt;
use std::time::Duration;

use frontdesk_provider_http::{CallError, StatusAnswer, retry::retry_after};
use serde_json::Value;

use crate::tolerant::Parts;

/// Longest text of a refusal that is kept; the rest is a gateway's page.
const TEXT_MAX_CHARS: usize = 500;

/// A call that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GatewayCallError {
    /// The server, or a proxy before it, refused.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// Anything below: no connection, no answer, an answer that cannot be read.
    #[error(transparent)]
    Http(CallError),
}

/// A refusal. `Display` and `Debug` show its kind; [`Refusal::text`] may quote what was sent.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the gateway refused: {kind} ({status})")]
pub struct Refusal {
    /// What it means.
    pub kind: RefusalKind,
    /// The HTTP status.
    pub status: u16,
    /// The server's code, where it has codes: `SESSION_NOT_CONNECTED`.
    pub code: Option<String>,
    /// When to try again, if it said so.
    pub retry_after: Option<Duration>,
    /// The server itself says so; false: an empty page or a proxy's, so that nobody knows what became of the request.
    pub has_said: bool,
    text: String,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RefusalKind {
    /// 401: the token is wrong or has expired; at a login, e-mail or password are wrong.
    #[error("not signed in")]
    SignedOut,
    /// 403: the token may not do this.
    #[error("not allowed")]
    Forbidden,
    /// 404: no such session, or whatever else was named.
    #[error("not found")]
    NotFound,
    /// 409 and 503 that say so: the session has no phone, or the phone is not reached.
    #[error("the session is not connected")]
    NotConnected,
    /// Another 409.
    #[error("conflict")]
    Conflict,
    /// 413: the file is too large.
    #[error("too large")]
    TooLarge,
    /// 400, 415, 422 and whatever else is below 500: the request is not as it should be.
    #[error("invalid request")]
    Invalid,
    /// 429: too fast.
    #[error("too many requests")]
    TooManyRequests,
    /// 502, 503: the server is not reached behind its proxy, or has no time.
    #[error("the gateway is unavailable")]
    Unavailable,
    /// 499, 504: a proxy did not wait for the answer.
    #[error("the gateway did not answer its proxy")]
    TimedOut,
    /// Another 5xx.
    #[error("fault of the gateway")]
    Fault,
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("kind", &self.kind)
            .field("status", &self.status)
            .field("retry_after", &self.retry_after)
            .field("has_said", &self.has_said)
            .finish_non_exhaustive()
    }
}

impl Refusal {
    /// The server's own words. They may quote what was sent: for the person who reads why, not for a log.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A failure that came with a 2xx: `{"success": false}`.
    pub(crate) fn in_disguise(body: &Value) -> Option<Self> {
        let parts = Parts::of(body)?;
        let failed = parts.flag(&["success"]) == Some(false);
        failed.then(|| Self::of(422, None, Some(body)))
    }

    fn read(answer: &StatusAnswer) -> Self {
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        Self::of(answer.status.as_u16(), retry_after(&answer.headers), body.as_ref())
    }

    fn of(status: u16, retry_after: Option<Duration>, body: Option<&Value>) -> Self {
        let parts = body.and_then(Parts::of);
        let code = parts.and_then(|parts| parts.text(&["code", "error_code", "errorCode"]));
        let text = parts.map(words).unwrap_or_default();
        let is_unconnected = parts.is_some_and(|parts| tells_unconnected(parts, code.as_deref()));
        let has_said = parts.is_some_and(|parts| {
            parts.find(&["success", "message", "error", "errors", "code", "statusCode", "status"]).is_some()
        });
        let kind = kind(status, is_unconnected);
        let text = text.trim().chars().take(TEXT_MAX_CHARS).collect();
        Self { kind, status, code, retry_after, has_said, text }
    }
}

/// What a refusal says to people.
fn words(parts: Parts<'_>) -> String {
    let first = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => items.iter().find_map(|item| item.as_str().map(str::to_owned)),
        Value::Object(_) => Parts::of(value)?.text(&["message", "description"]),
        _ => None,
    };
    let said = ["message", "error", "description", "reason"];
    said.iter().find_map(|name| parts.find(&[name]).and_then(first)).unwrap_or_default()
}

/// True when a refusal names a session that is not connected: by code, by a state beside it, or by words.
fn tells_unconnected(parts: Parts<'_>, code: Option<&str>) -> bool {
    let is_state = |state: String| {
        let state = state.to_ascii_lowercase();
        ["disconnected", "connecting", "logged_out", "qr", "banned", "reconnecting"].contains(&state.as_str())
    };
    let details = ["details", "data"].iter().find_map(|name| parts.part(&[name]));
    let state = [Some(parts), details].into_iter().flatten().find_map(|parts| parts.text(&["state"]));
    let said = [code.unwrap_or_default(), &words(parts)].join(" ").to_ascii_lowercase().replace('_', " ");
    state.is_some_and(is_state)
        || ["not connected", "disconnected", "not logged in", "not authenticated with whatsapp", "not linked"]
            .iter()
            .any(|phrase| said.contains(phrase))
}

fn kind(status: u16, is_unconnected: bool) -> RefusalKind {
    match status {
        401 => RefusalKind::SignedOut,
        403 => RefusalKind::Forbidden,
        404 | 410 => RefusalKind::NotFound,
        429 => RefusalKind::TooManyRequests,
        499 | 504 => RefusalKind::TimedOut,
        413 => RefusalKind::TooLarge,
        400..=499 | 500 | 503 if is_unconnected => RefusalKind::NotConnected,
        409 => RefusalKind::Conflict,
        502 | 503 => RefusalKind::Unavailable,
        500.. => RefusalKind::Fault,
        _ => RefusalKind::Invalid,
    }
}

impl GatewayCallError {
    /// Is it known whether the server acted on the request? `false` = a message may have gone out: never repeat it blindly.
    ///
    /// A server that says itself that it failed did not send. A bare 500 or 502 comes from whoever stands before it: nobody knows.
    pub fn certain(&self) -> bool {
        match self {
            Self::Refused(refusal) => match refusal.kind {
                RefusalKind::TimedOut => false,
                RefusalKind::Fault => refusal.has_said,
                RefusalKind::Unavailable => refusal.status == 503 || refusal.has_said,
                _ => true,
            },
            Self::Http(error) => error.certain(),
        }
    }

    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Http(_) => None,
        }
    }

    /// True for a refusal of this kind.
    pub fn is(&self, kind: RefusalKind) -> bool {
        self.refusal().is_some_and(|refusal| refusal.kind == kind)
    }
}

impl From<CallError> for GatewayCallError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Status(answer) => Self::Refused(Box::new(Refusal::read(&answer))),
            other => Self::Http(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refusals_are_told_apart_by_status_and_words() {
        for (status, body, expected, certain) in [
            (401, json!({ "message": "Unauthenticated." }), RefusalKind::SignedOut, true),
            (403, json!({}), RefusalKind::Forbidden, true),
            (404, json!({ "error": "Session not found" }), RefusalKind::NotFound, true),
            (409, json!({ "code": "SESSION_NOT_CONNECTED" }), RefusalKind::NotConnected, true),
            (409, json!({ "details": { "state": "qr" } }), RefusalKind::NotConnected, true),
            (500, json!({ "error": "Session is not connected" }), RefusalKind::NotConnected, true),
            (503, json!({ "message": "WhatsApp disconnected" }), RefusalKind::NotConnected, true),
            (409, json!({ "message": "Another content has this key" }), RefusalKind::Conflict, true),
            (413, json!(null), RefusalKind::TooLarge, true),
            (422, json!({ "message": "The given data was invalid." }), RefusalKind::Invalid, true),
            (429, json!(null), RefusalKind::TooManyRequests, true),
            (500, json!({ "success": false, "message": "Boom" }), RefusalKind::Fault, true),
            (500, json!(null), RefusalKind::Fault, false),
            (502, json!(null), RefusalKind::Unavailable, false),
            (503, json!(null), RefusalKind::Unavailable, true),
            (504, json!({ "message": "late" }), RefusalKind::TimedOut, false),
        ] {
            let refusal = Refusal::of(status, None, Some(&body));
            assert_eq!(refusal.kind, expected, "{status} {body}");
            assert_eq!(GatewayCallError::Refused(Box::new(refusal)).certain(), certain, "{status} {body}");
        }
    }

    #[test]
    fn a_failure_may_come_as_a_success() {
        let refusal = Refusal::in_disguise(&json!({ "success": "false", "message": ["Bad phone"] })).unwrap();
        assert_eq!((refusal.kind, refusal.text()), (RefusalKind::Invalid, "Bad phone"));
        assert!(Refusal::in_disguise(&json!({ "success": true })).is_none());
        assert!(Refusal::in_disguise(&json!([])).is_none());
    }
}
