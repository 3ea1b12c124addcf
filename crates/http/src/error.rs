//! The one place where an error becomes a status and a body.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use frontdesk_channels::contract::FieldError;
use frontdesk_model::message::describe_words;
use frontdesk_store::StoreError;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// How long to wait when the database is away, in seconds.
const STORAGE_RETRY_SECS: u64 = 5;

macro_rules! codes {
    ($($(#[doc = $meaning:literal])* $name:ident = $word:literal, $status:ident;)+) => {
        /// Every code an error can carry. Programs rely on them: add, never rename.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub enum ErrorCode { $($(#[doc = $meaning])* #[serde(rename = $word)] $name),+ }

        impl utoipa::ToSchema for ErrorCode {}

        impl utoipa::PartialSchema for ErrorCode {
            fn schema() -> RefOr<Schema> {
                let meanings = [$(concat!("- `", $word, "`:", $($meaning),*)),+];
                let about = "Every code an error can carry. Codes are added, never renamed.";
                describe_words(about, &meanings, Self::ALL.iter().map(|code| code.as_str()))
            }
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// Its status, unless the error says otherwise.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }
        }
    };
}

codes! {
    /// The request cannot be read.
    BadRequest = "BAD_REQUEST", BAD_REQUEST;
    /// No token or cookie, or one that no longer holds.
    InvalidToken = "INVALID_TOKEN", UNAUTHORIZED;
    /// Wrong e-mail address or password.
    InvalidCredentials = "INVALID_CREDENTIALS", UNAUTHORIZED;
    /// The webhook is not genuine.
    InvalidSignature = "INVALID_SIGNATURE", FORBIDDEN;
    /// The caller may not do this.
    Unauthorized = "UNAUTHORIZED", FORBIDDEN;
    /// A request with the cookie that another site may have made.
    Csrf = "CSRF", FORBIDDEN;
    /// No such route or thing, or it belongs to another account.
    NotFound = "NOT_FOUND", NOT_FOUND;
    /// The route exists with other methods.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED;
    /// The conversation is closed.
    ConversationClosed = "CONVERSATION_CLOSED", CONFLICT;
    /// The same key was used for something else.
    IdempotencyConflict = "IDEMPOTENCY_CONFLICT", CONFLICT;
    /// A colleague has answered meanwhile.
    NewerMessages = "NEWER_MESSAGES", CONFLICT;
    /// The thing is in a state that does not allow this.
    Conflict = "CONFLICT", CONFLICT;
    /// The body is too large.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE;
    /// The body is not of the type expected.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE;
    /// A range beyond the end of a file.
    RangeNotSatisfiable = "RANGE_NOT_SATISFIABLE", RANGE_NOT_SATISFIABLE;
    /// A field is wrong; see `errors`.
    ValidationError = "VALIDATION_ERROR", UNPROCESSABLE_ENTITY;
    /// The network allows no free text now.
    WindowClosed = "WINDOW_CLOSED", UNPROCESSABLE_ENTITY;
    /// Too many requests.
    RateLimited = "RATE_LIMITED", TOO_MANY_REQUESTS;
    /// Chatwoot refused or failed; `error_code` says how.
    ChatwootError = "CHATWOOT_ERROR", BAD_GATEWAY;
    /// Another program could not be connected: `error` says what to put right.
    ConnectionTestFailed = "CONNECTION_TEST_FAILED", UNPROCESSABLE_ENTITY;
    /// The language model's server says that what was paid for is used up there.
    AiProviderQuota = "AI_PROVIDER_QUOTA", PAYMENT_REQUIRED;
    /// The account has used the tokens it allows itself this month.
    AiQuota = "AI_QUOTA", PAYMENT_REQUIRED;
    /// The language model's server does not take the key.
    AiAuth = "AI_AUTH", INTERNAL_SERVER_ERROR;
    /// The language model's server does not take the request: another model, too long.
    AiBadRequest = "AI_BAD_REQUEST", INTERNAL_SERVER_ERROR;
    /// The language model's server failed or was not reached.
    AiUnavailable = "AI_UNAVAILABLE", INTERNAL_SERVER_ERROR;
    /// Our fault.
    InternalError = "INTERNAL_ERROR", INTERNAL_SERVER_ERROR;
    /// The database cannot be reached or cannot take writes.
    StorageUnavailable = "STORAGE_UNAVAILABLE", SERVICE_UNAVAILABLE;
}

/// A refusal or failure on its way to the client.
#[derive(Debug)]
pub struct ApiError {
    code: ErrorCode,
    status: StatusCode,
    sentence: Cow<'static, str>,
    details: Map<String, Value>,
    errors: BTreeMap<String, Vec<String>>,
    retry_after_secs: Option<u64>,
    source: Option<Source>,
}

/// The body of every error.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// What went wrong, for people.
    error: Cow<'static, str>,
    /// What went wrong, for programs.
    code: ErrorCode,
    /// More about it, depending on the code.
    #[schema(value_type = BTreeMap<String, Value>)]
    details: Map<String, Value>,
    /// Beside `errors`: `The given data was invalid.`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<&'static str>,
    /// Sentences by field, when fields are wrong.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    errors: BTreeMap<String, Vec<String>>,
    /// Seconds to wait, when waiting helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after: Option<u64>,
}

impl ApiError {
    /// An error with a sentence for people.
    pub fn new(code: ErrorCode, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            status: code.status(),
            sentence: sentence.into(),
            details: Map::new(),
            errors: BTreeMap::new(),
            retry_after_secs: None,
            source: None,
        }
    }

    /// There is no such thing in the caller's account.
    pub fn not_found(thing: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("There is no such {thing}."))
    }

    /// One wrong field.
    pub fn invalid(field: &str, sentence: impl Into<String>) -> Self {
        Self::invalid_fields([(field.to_owned(), sentence.into())])
    }

    /// Several wrong fields.
    pub fn invalid_fields(fields: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut error = Self::new(ErrorCode::ValidationError, "The given data was invalid.");
        for (field, sentence) in fields {
            error.errors.entry(field).or_default().push(sentence);
        }
        error
    }

    /// Too many requests; another may succeed in so many seconds.
    pub fn rate_limited(sentence: impl Into<Cow<'static, str>>, retry_after_secs: u64) -> Self {
        Self::new(ErrorCode::RateLimited, sentence).with_retry_after(retry_after_secs)
    }

    /// Our fault: the client learns no more than that, the log gets the cause.
    pub fn internal(source: impl Into<Source>) -> Self {
        let error = Self::new(ErrorCode::InternalError, "Something went wrong here. It has been logged.");
        Self { source: Some(source.into()), ..error }
    }

    /// The same with another status than that of its code.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with what is wrong with one field told of another: clients know it by the name they gave it.
    #[must_use]
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        if let Some(sentences) = self.errors.remove(from) {
            let sentences = sentences.into_iter().map(|sentence| sentence.replace(from, to));
            self.errors.entry(to.to_owned()).or_default().extend(sentences);
        }
        self
    }

    /// The same as 400: seed 002 has it so for unknown words in a field.
    #[must_use]
    pub fn as_bad_request(mut self) -> Self {
        self.status = StatusCode::BAD_REQUEST;
        self
    }

    /// The same with one more detail.
    #[must_use]
    pub fn with_detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// The same with how long to wait, in seconds.
    #[must_use]
    pub fn with_retry_after(mut self, secs: u64) -> Self {
        self.retry_after_secs = Some(secs);
        self
    }

    /// The same with what it comes from: for the log, never told.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Writes what belongs into the log, and hands out the status, the headers and what the client is told.
    pub(crate) fn told(self) -> (StatusCode, HeaderMap, ErrorBody) {
        if let Some(source) = &self.source {
            let cause = &**source as &dyn std::error::Error;
            tracing::error!(error = cause, code = self.code.as_str(), "A request failed");
        } else if matches!(self.code, ErrorCode::RateLimited | ErrorCode::PayloadTooLarge) {
            // Counted by route and status, as every answer; which request it was stands in the span around it.
            tracing::info!(code = self.code.as_str(), "A request was refused");
        }
        let mut headers = HeaderMap::new();
        if let Some(secs) = self.retry_after_secs {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        (self.status, headers, self.into_body())
    }

    /// What the client is told.
    pub(crate) fn into_body(self) -> ErrorBody {
        ErrorBody {
            error: self.sentence,
            code: self.code,
            details: self.details,
            message: (self.code == ErrorCode::ValidationError).then_some("The given data was invalid."),
            errors: self.errors,
            retry_after: self.retry_after_secs,
        }
    }

    /// Its code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, headers, body) = self.told();
        (status, headers, Json(body)).into_response()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if !error.is_unavailable() {
            return Self::internal(error);
        }
        let sentence = "The database cannot be used at the moment. Nothing was lost; try again.";
        let unavailable = Self::new(ErrorCode::StorageUnavailable, sentence);
        Self { source: Some(error.into()), ..unavailable.with_retry_after(STORAGE_RETRY_SECS) }
    }
}

impl From<Vec<FieldError>> for ApiError {
    fn from(fields: Vec<FieldError>) -> Self {
        Self::invalid_fields(fields.into_iter().map(|f| (f.key, f.message)))
    }
}

impl From<frontdesk_engine::users::UserError> for ApiError {
    fn from(error: frontdesk_engine::users::UserError) -> Self {
        use frontdesk_engine::users::UserError;
        match error {
            UserError::Invalid(fields) => fields.into(),
            UserError::NotFound => Self::not_found("user"),
            UserError::Store(error) => error.into(),
            UserError::Password(_) => Self::internal(error),
        }
    }
}

impl From<frontdesk_engine::sessions::SignInError> for ApiError {
    fn from(error: frontdesk_engine::sessions::SignInError) -> Self {
        use frontdesk_engine::sessions::SignInError;
        match error {
            SignInError::WrongCredentials => Self::new(ErrorCode::InvalidCredentials, error.to_string()),
            SignInError::TooMany { retry_after_secs } => {
                Self::rate_limited(error.to_string(), retry_after_secs)
            }
            SignInError::Store(error) => error.into(),
            SignInError::Password(_) | SignInError::Vault(_) => Self::internal(error),
        }
    }
}

impl From<frontdesk_engine::own_password::OwnPasswordError> for ApiError {
    fn from(error: frontdesk_engine::own_password::OwnPasswordError) -> Self {
        use frontdesk_engine::own_password::OwnPasswordError;
        match error {
            OwnPasswordError::Invalid(fields) => fields.into(),
            OwnPasswordError::TooMany { retry_after_secs } => {
                Self::rate_limited(error.to_string(), retry_after_secs)
            }
            OwnPasswordError::Store(error) => error.into(),
            OwnPasswordError::Password(_) => Self::internal(error),
        }
    }
}

impl From<frontdesk_engine::tokens::TokenError> for ApiError {
    fn from(error: frontdesk_engine::tokens::TokenError) -> Self {
        use frontdesk_engine::tokens::TokenError;
        match error {
            TokenError::Invalid(fields) => fields.into(),
            TokenError::NotFound => Self::not_found("token"),
            TokenError::Store(error) => error.into(),
            TokenError::Vault(_) => Self::internal(error),
        }
    }
}

impl From<frontdesk_engine::inboxes::InboxError> for ApiError {
    fn from(error: frontdesk_engine::inboxes::InboxError) -> Self {
        use frontdesk_engine::inboxes::InboxError;
        match error {
            InboxError::Invalid(fields) => fields.into(),
            InboxError::NotFound => Self::not_found("inbox"),
            InboxError::Store(error) => error.into(),
            InboxError::Vault(_) => Self::internal(error),
        }
    }
}

/// Unknown routes.
pub(crate) async fn no_such_route() -> ApiError {
    ApiError::new(ErrorCode::NotFound, "There is nothing at this address.")
}

/// Known routes with another method. axum adds the `Allow` header.
pub(crate) async fn wrong_method() -> ApiError {
    ApiError::new(ErrorCode::MethodNotAllowed, "This address does not take requests of this method.")
}

/// A handler panicked: a bug of ours. The panic hook has logged where.
pub(crate) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::internal("a handler panicked").into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    async fn body(response: Response) -> Value {
        serde_json::from_slice(&to_bytes(response.into_body(), usize::MAX).await.unwrap()).unwrap()
    }

    #[tokio::test]
    #[expect(unreachable_code, reason = "a handler needs an answer as its type")]
    async fn a_panic_is_answered_without_its_message() {
        let panicking = get(|| async {
            panic!("row 7 of 6");
            "never"
        });
        let router = Router::new().route("/", panicking).layer(CatchPanicLayer::custom(panicked));
        let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 500);
        let json = body(response).await;
        assert_eq!(json["code"], "INTERNAL_ERROR");
        assert!(!json.to_string().contains("row 7"), "{json}");
    }

    #[tokio::test]
    async fn a_cause_is_logged_and_not_told() {
        let json = body(ApiError::internal("column 3 holds a token").into_response()).await;
        assert_eq!(json["error"], "Something went wrong here. It has been logged.");
        assert_eq!(json["details"], Value::Object(Map::new()));
        assert_eq!(
            (&json["errors"], &json["message"], &json["retry_after"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
    }

    #[test]
    fn codes_are_unique_and_refuse() {
        let mut words: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ErrorCode::ALL.len());
        assert!(ErrorCode::ALL.iter().all(|code| code.status().as_u16() >= 400));
    }
}
