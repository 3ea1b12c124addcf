//! Refusals as these routes tell them, whoever refuses: [`Asked`] gives those of the usual extractors this shape too.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use frontdesk_engine::chatwoot::{ChatwootAbsent, ChatwootError};
use serde::Serialize;

use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::state::HttpState;

/// What these routes refuse with.
pub(super) struct Failure {
    error: ApiError,
    /// Where it is another word than the error's own.
    error_code: Option<&'static str>,
}

/// The body of every refusal of these routes.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ChatwootError)]
pub(crate) struct ChatwootErrorBody {
    /// False.
    success: bool,
    /// What is the matter: one of Chatwoot's ten (`BAD_REQUEST`, `UNAUTHORIZED`, `FORBIDDEN`, `NOT_FOUND`, `CONFLICT`,
    /// `VALIDATION_ERROR`, `RATE_LIMIT_EXCEEDED`, `INTERNAL_SERVER_ERROR`, `BAD_GATEWAY`, `SERVICE_UNAVAILABLE`) when `code`
    /// is `CHATWOOT_ERROR`, `NOT_CONFIGURED` while there is no Chatwoot, else the same as `code`.
    error_code: &'static str,
    #[serde(flatten)]
    error: ErrorBody,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self { error, error_code: None }
    }
}

impl From<ChatwootAbsent> for Failure {
    fn from(error: ChatwootAbsent) -> Self {
        match error {
            ChatwootAbsent::Store(error) => ApiError::from(error).into(),
            ChatwootAbsent::NotConfigured | ChatwootAbsent::Unusable(_) => Self {
                error: ApiError::new(ErrorCode::NotFound, error.to_string()),
                error_code: Some("NOT_CONFIGURED"),
            },
        }
    }
}

impl From<ChatwootError> for Failure {
    fn from(error: ChatwootError) -> Self {
        let status = StatusCode::from_u16(error.http_status_code()).unwrap_or(StatusCode::BAD_GATEWAY);
        let mut told = ApiError::new(ErrorCode::ChatwootError, error.user_message())
            .with_status(status)
            .with_detail("retryable", error.is_retryable())
            .with_detail("certain", error.certain());
        if !error.message().is_empty() {
            told = told.with_detail("message", error.message());
        }
        if !error.attributes().is_empty() {
            told = told.with_detail("attributes", error.attributes());
        }
        if let Some(wait) = error.retry_after() {
            told = told.with_retry_after(wait.as_secs().max(1));
        }
        if error.is_retryable() {
            // Once, here: whoever asked is only told what to do.
            tracing::warn!(error = &error as &dyn std::error::Error, "Chatwoot did not answer as asked");
        }
        Self { error: told, error_code: Some(error.error_code()) }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error_code = self.error_code.unwrap_or_else(|| self.error.code().as_str());
        let (status, headers, error) = self.error.told();
        (status, headers, Json(ChatwootErrorBody { success: false, error_code, error })).into_response()
    }
}

/// What a handler takes, refused in the shape of these routes.
pub(super) struct Asked<T>(pub T);

impl<T: FromRequestParts<HttpState, Rejection = ApiError>> FromRequestParts<HttpState> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, Failure> {
        Ok(Self(T::from_request_parts(parts, state).await?))
    }
}

/// The same for the body.
pub(super) struct Given<T>(pub T);

impl<T: FromRequest<HttpState, Rejection = ApiError>> FromRequest<HttpState> for Given<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &HttpState) -> Result<Self, Failure> {
        Ok(Self(T::from_request(request, state).await?))
    }
}
