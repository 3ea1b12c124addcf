//! What a call can end in, in the ten codes that callers act upon.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use frontdesk_provider_http::{CallError, NotSent, StatusAnswer, retry::retry_after};
use reqwest::StatusCode;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Longest text of a refusal that is kept; the rest is a gateway's page.
const TEXT_MAX_CHARS: usize = 500;

/// What went wrong, by name. Stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// 400: the request itself is at fault.
    BadRequest,
    /// 401: the token is nobody's.
    Unauthorized,
    /// 403: the token's owner may not do this. Chatwoot itself answers 401 to that.
    Forbidden,
    /// 404: no such thing in this account.
    NotFound,
    /// 409: something else has this e-mail, number or identifier. Chatwoot itself answers 422 to that.
    Conflict,
    /// 422: a field is at fault.
    ValidationError,
    /// 429: too many requests, by Chatwoot's limit or our own.
    RateLimitExceeded,
    /// 500: Chatwoot failed.
    InternalServerError,
    /// 502: what answered was not Chatwoot, or not in a way that can be read.
    BadGateway,
    /// 503: Chatwoot could not be reached or did not answer in time.
    ServiceUnavailable,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 10] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::ValidationError,
        Self::RateLimitExceeded,
        Self::InternalServerError,
        Self::BadGateway,
        Self::ServiceUnavailable,
    ];

    /// The name, as `NOT_FOUND`.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status that belongs to it.
    pub fn http_status(self) -> u16 {
        self.row().1
    }

    /// May the same call succeed later?
    pub fn is_retryable(self) -> bool {
        self.row().2
    }

    /// Name, status, retryable, and what a person is told.
    fn row(self) -> (&'static str, u16, bool, &'static str) {
        match self {
            Self::BadRequest => ("BAD_REQUEST", 400, false, "Chatwoot could not understand the request."),
            Self::Unauthorized => {
                ("UNAUTHORIZED", 401, false, "Chatwoot does not accept the access token: check or renew it.")
            }
            Self::Forbidden => (
                "FORBIDDEN",
                403,
                false,
                "The owner of the access token may not do this: use an administrator's token of this account.",
            ),
            Self::NotFound => ("NOT_FOUND", 404, false, "Chatwoot has no such entry in this account."),
            Self::Conflict => (
                "CONFLICT",
                409,
                false,
                "Another entry in Chatwoot has the same e-mail, number or identifier.",
            ),
            Self::ValidationError => {
                ("VALIDATION_ERROR", 422, false, "Chatwoot refused a value: correct it and try again.")
            }
            Self::RateLimitExceeded => (
                "RATE_LIMIT_EXCEEDED",
                429,
                true,
                "Too many requests to Chatwoot: wait a minute and try again.",
            ),
            Self::InternalServerError => {
                ("INTERNAL_SERVER_ERROR", 500, true, "Chatwoot failed: try again later.")
            }
            Self::BadGateway => (
                "BAD_GATEWAY",
                502,
                true,
                "The answer did not come from Chatwoot as expected: check its address, then try again.",
            ),
            Self::ServiceUnavailable => (
                "SERVICE_UNAVAILABLE",
                503,
                true,
                "Chatwoot cannot be reached at the moment: try again later.",
            ),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A call that did not do what was asked. Cheap to clone; serialises to what logs and answers may show.
///
/// `Display` names code and status only: Chatwoot's own words may quote what was sent, see [`ChatwootError::message`].
#[derive(Debug, Clone)]
pub struct ChatwootError(Box<Parts>);

#[derive(Clone)]
struct Parts {
    code: ErrorCode,
    upstream_status: Option<u16>,
    message: String,
    attributes: Vec<String>,
    retry_after: Option<Duration>,
    certain: bool,
    ended: bool,
    context: BTreeMap<&'static str, Value>,
    source: Option<Arc<CallError>>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("code", &self.code)
            .field("upstream_status", &self.upstream_status)
            .field("attributes", &self.attributes)
            .field("certain", &self.certain)
            .field("context", &self.context)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ChatwootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chatwoot: {}", self.0.code)?;
        match self.0.upstream_status {
            Some(status) => write!(f, " (answered with {status})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ChatwootError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|error| error as _)
    }
}

impl ChatwootError {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            upstream_status: None,
            message: message.into(),
            attributes: Vec::new(),
            retry_after: None,
            certain: true,
            ended: true,
            context: BTreeMap::new(),
            source: None,
        }))
    }

    /// A request that is refused before it is made.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    pub(crate) fn unexpected(message: &'static str) -> Self {
        let mut error = Self::new(ErrorCode::BadGateway, message);
        error.0.certain = false;
        error
    }

    pub(crate) fn unreadable(error: &serde_json::Error) -> Self {
        // serde's words may quote a value; where it was found is enough.
        let mut made = Self::unexpected("the answer could not be read");
        made.0.context.insert("line", error.line().into());
        made
    }

    /// The same error, with where it happened.
    #[must_use]
    pub(crate) fn within(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.context.insert(name, value.into());
        self
    }

    /// What went wrong.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The name of the code, as `NOT_FOUND`.
    pub fn error_code(&self) -> &'static str {
        self.0.code.as_str()
    }

    /// May the same call succeed later? A create that may have been carried out is no matter of this: see
    /// [`Self::certain`].
    pub fn is_retryable(&self) -> bool {
        self.0.code.is_retryable()
    }

    /// A sentence for people, without what was sent.
    pub fn user_message(&self) -> &'static str {
        self.0.code.row().3
    }

    /// The status to answer with: that of the code.
    pub fn http_status_code(&self) -> u16 {
        self.0.code.http_status()
    }

    /// The status that Chatwoot, or what stood before it, answered with.
    pub fn upstream_status(&self) -> Option<u16> {
        self.0.upstream_status
    }

    /// Chatwoot's own words. They may quote what was sent: for the person who asks, not for a log.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Fields at fault, as `phone_number`.
    pub fn attributes(&self) -> &[String] {
        &self.0.attributes
    }

    /// When to try again, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Operation, account, attempt and the like. Holds nothing that was sent.
    pub fn context(&self) -> &BTreeMap<&'static str, Value> {
        &self.0.context
    }

    /// Is it known that Chatwoot did nothing? `false` = it may have: look before doing it again.
    pub fn certain(&self) -> bool {
        self.0.certain
    }

    /// Has Chatwoot come to an end with the request? Then looking tells what became of it.
    pub(crate) fn ended(&self) -> bool {
        self.0.ended
    }

    /// Our own limit or breaker held it back, or there was no connection: Chatwoot never saw it.
    pub fn never_sent(&self) -> bool {
        matches!(
            self.0.source.as_deref(),
            Some(CallError::NotSent(_) | CallError::StoodStill { certain: true, .. })
        )
    }

    pub(crate) fn of_call(error: CallError, write_timeout: Duration) -> Self {
        let mut made = match &error {
            CallError::Status(answer) => Self::of_answer(answer),
            CallError::NotSent(NotSent::Limit { .. }) => {
                Self::new(ErrorCode::RateLimitExceeded, "the limit of our own is used up")
            }
            CallError::NotSent(NotSent::Refused(_) | NotSent::Invalid(_)) => {
                Self::new(ErrorCode::BadRequest, error.to_string())
            }
            CallError::Redirect { .. } | CallError::TooLarge { .. } | CallError::Unreadable(_) => {
                Self::new(ErrorCode::BadGateway, error.to_string())
            }
            CallError::NotSent(_)
            | CallError::TimedOut(_)
            | CallError::Cut(_)
            | CallError::StoodStill { .. }
            | CallError::Write(_) => Self::new(ErrorCode::ServiceUnavailable, error.to_string()),
        };
        let status = error.status().map(|status| status.as_u16());
        // rack-timeout ends a request that was half carried out with a 500, so no 5xx is certain; a proxy's 504 and a
        // cut say nothing of whether it goes on.
        made.0.certain = error.certain() && status.is_none_or(|status| status < 500);
        made.0.ended = match &error {
            CallError::Status(answer) => {
                answer.status != StatusCode::GATEWAY_TIMEOUT && answer.status.as_u16() != 499
            }
            // Chatwoot kills a request after 15 s.
            CallError::TimedOut(_) | CallError::StoodStill { certain: false, .. } => {
                write_timeout >= Duration::from_secs(16)
            }
            CallError::Cut(_) => false,
            _ => true,
        };
        made.0.upstream_status = status;
        made.0.retry_after = made.0.retry_after.or(error.retry_after());
        made.0.source = Some(Arc::new(error));
        made
    }

    /// What an answer means. Source: Chatwoot's `RequestExceptionHandler` and rack-attack, as the tests spell out.
    fn of_answer(answer: &StatusAnswer) -> Self {
        let (text, attributes) = words(&answer.body);
        let lower = text.to_lowercase();
        let code = match answer.status.as_u16() {
            401 if lower.contains("not authorized to do this action") => ErrorCode::Forbidden,
            401 => ErrorCode::Unauthorized,
            402 | 403 => ErrorCode::Forbidden,
            404 | 410 => ErrorCode::NotFound,
            408 => ErrorCode::ServiceUnavailable,
            409 => ErrorCode::Conflict,
            422 if lower.contains("already been taken") || lower.contains("should be unique") => {
                ErrorCode::Conflict
            }
            422 if lower.contains("statement timeout") || lower.contains("querycanceled") => {
                ErrorCode::ServiceUnavailable
            }
            // 200 messages a minute and conversation.
            422 if lower.contains("too many messages") => ErrorCode::RateLimitExceeded,
            413 | 422 => ErrorCode::ValidationError,
            429 => ErrorCode::RateLimitExceeded,
            502 | 520..=527 => ErrorCode::BadGateway,
            503 | 504 => ErrorCode::ServiceUnavailable,
            500.. => ErrorCode::InternalServerError,
            _ => ErrorCode::BadRequest,
        };
        let mut made = Self::new(code, text);
        made.0.attributes = attributes;
        made.0.retry_after = retry_after(&answer.headers)
            .or_else(|| (code == ErrorCode::RateLimitExceeded).then_some(Duration::from_secs(60)));
        made
    }
}

/// What a refusal says: JSON in one of three shapes, plain text, or a gateway's page.
fn words(body: &[u8]) -> (String, Vec<String>) {
    let short = |text: &str| text.trim().chars().take(TEXT_MAX_CHARS).collect::<String>();
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        let text = String::from_utf8_lossy(&body[..body.len().min(4 * TEXT_MAX_CHARS)]).into_owned();
        let is_page = text.trim_start().starts_with('<');
        return (if is_page { String::new() } else { short(&text) }, Vec::new());
    };
    let of = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let texts = items.iter().filter_map(|item| {
                item.as_str().or_else(|| item.get("message")?.as_str()).map(str::to_owned)
            });
            Some(texts.collect::<Vec<_>>().join("; "))
        }
        _ => None,
    };
    let found = ["message", "error", "errors", "description"];
    let text = found.into_iter().find_map(|name| fields.get(name).and_then(of)).unwrap_or_default();
    let attributes = fields.get("attributes").and_then(Value::as_array).into_iter().flatten();
    (short(&text), attributes.filter_map(Value::as_str).map(str::to_owned).collect())
}

impl Serialize for ChatwootError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            error: &'static str,
            error_code: &'static str,
            http_status: u16,
            upstream_status: Option<u16>,
            retryable: bool,
            retry_after_ms: Option<u64>,
            certain: bool,
            attributes: &'a [String],
            context: &'a BTreeMap<&'static str, Value>,
        }
        let shown = Shown {
            error: self.user_message(),
            error_code: self.error_code(),
            http_status: self.http_status_code(),
            upstream_status: self.upstream_status(),
            retryable: self.is_retryable(),
            retry_after_ms: self.retry_after().and_then(|wait| u64::try_from(wait.as_millis()).ok()),
            certain: self.certain(),
            attributes: self.attributes(),
            context: self.context(),
        };
        shown.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

    fn read(status: u16, body: &str, wait: Option<&'static str>) -> ChatwootError {
        let mut headers = HeaderMap::new();
        if let Some(wait) = wait {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(wait));
        }
        let status = StatusCode::from_u16(status).unwrap();
        let answer = StatusAnswer { status, headers, body: body.to_owned().into() };
        ChatwootError::of_call(CallError::Status(Box::new(answer)), Duration::from_secs(20))
    }

    #[test]
    fn every_answer_has_its_code() {
        use ErrorCode::*;
        for (status, body, code, retryable) in [
            (400, "", BadRequest, false),
            (401, r#"{"error":"Invalid Access Token"}"#, Unauthorized, false),
            (401, r#"{"errors":["You need to sign in or sign up before continuing."]}"#, Unauthorized, false),
            (401, r#"{"error":"You are not authorized to do this action"}"#, Forbidden, false),
            (402, r#"{"error":"Account limit exceeded"}"#, Forbidden, false),
            (403, r#"{"error":"API access is not enabled for this account"}"#, Forbidden, false),
            (404, r#"{"error":"Resource could not be found"}"#, NotFound, false),
            (409, "", Conflict, false),
            (
                422,
                r#"{"message":"Phone number has already been taken","attributes":["phone_number"]}"#,
                Conflict,
                false,
            ),
            (422, r#"{"error":"param is missing or the value is empty: labels"}"#, ValidationError, false),
            (
                422,
                r#"{"error":"PG::QueryCanceled: ERROR: canceling statement due to statement timeout"}"#,
                ServiceUnavailable,
                true,
            ),
            (422, r#"{"error":"Validation failed: Too many messages"}"#, RateLimitExceeded, true),
            (429, "Retry later\n", RateLimitExceeded, true),
            (500, "<html>", InternalServerError, true),
            (500, "", InternalServerError, true),
            (502, "<html>", BadGateway, true),
            (503, "", ServiceUnavailable, true),
            (504, "", ServiceUnavailable, true),
            (522, "", BadGateway, true),
            (418, "", BadRequest, false),
        ] {
            let error = read(status, body, None);
            assert_eq!((error.code(), error.is_retryable()), (code, retryable), "{status} {body}");
            assert_eq!(error.upstream_status(), Some(status));
            assert_eq!(error.http_status_code(), code.http_status());
            assert_eq!(error.certain(), status < 500, "{status}: rack-timeout may have ended it half done");
        }
    }

    #[test]
    fn names_and_statuses_are_those_of_the_guide() {
        let rows: Vec<(&str, u16)> =
            ErrorCode::ALL.iter().map(|code| (code.as_str(), code.http_status())).collect();
        assert_eq!(
            rows,
            [
                ("BAD_REQUEST", 400),
                ("UNAUTHORIZED", 401),
                ("FORBIDDEN", 403),
                ("NOT_FOUND", 404),
                ("CONFLICT", 409),
                ("VALIDATION_ERROR", 422),
                ("RATE_LIMIT_EXCEEDED", 429),
                ("INTERNAL_SERVER_ERROR", 500),
                ("BAD_GATEWAY", 502),
                ("SERVICE_UNAVAILABLE", 503),
            ]
        );
    }

    #[test]
    fn words_and_fields_are_kept_and_pages_are_not() {
        let error = read(422, r#"{"message":"Email Invalid email","attributes":["email"]}"#, None);
        assert_eq!((error.message(), error.attributes()), ("Email Invalid email", &["email".to_owned()][..]));
        assert_eq!(read(502, "<html><h1>Bad</h1></html>", None).message(), "");
        assert_eq!(read(429, "Retry later\n", None).message(), "Retry later");
        assert_eq!(read(429, "Retry later\n", Some("7")).retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(read(429, "Retry later\n", None).retry_after(), Some(Duration::from_secs(60)));
    }

    #[test]
    fn what_is_shown_quotes_nothing_that_was_sent() {
        let error = read(422, r#"{"message":"Name +5511999999999 is odd"}"#, None)
            .within("operation", "create_contact");
        let shown = serde_json::to_string(&error).unwrap();
        for text in [shown.clone(), error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("5511"), "{text}");
        }
        assert!(
            shown.contains(r#""error_code":"VALIDATION_ERROR""#) && shown.contains("create_contact"),
            "{shown}"
        );
    }
}
