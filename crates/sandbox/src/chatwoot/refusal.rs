//! How Chatwoot says no.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal in Chatwoot's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No token.
    NoToken,
    /// A token that is nobody's.
    WrongToken,
    /// A token whose owner may not do this.
    NotAllowed,
    /// No such thing.
    NotFound,
    /// No such route: nothing that Chatwoot has, or nothing that is imitated.
    NoRoute,
    /// Validation: a sentence and the fields at fault.
    Invalid(String, Vec<&'static str>),
    /// Any other 422.
    Unprocessable(String),
    /// 403 with words of its own.
    Forbidden(String),
    /// rack-attack: plain text and no header.
    RetryLater,
    /// A fault: this status with the page of a proxy.
    Page(u16),
}

impl Refusal {
    pub(super) fn taken(field: &'static str, shown: &str) -> Self {
        Self::Invalid(format!("{shown} has already been taken"), vec![field])
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::Unprocessable(format!("param is missing or the value is empty: {field}"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = |status: StatusCode, text: &str| (status, Json(json!({"error": text}))).into_response();
        match self {
            Self::NoToken => {
                let body = json!({"errors": ["You need to sign in or sign up before continuing."]});
                (StatusCode::UNAUTHORIZED, Json(body)).into_response()
            }
            Self::WrongToken => error(StatusCode::UNAUTHORIZED, "Invalid Access Token"),
            Self::NotAllowed => error(StatusCode::UNAUTHORIZED, "You are not authorized to do this action"),
            Self::NotFound => error(StatusCode::NOT_FOUND, "Resource could not be found"),
            Self::NoRoute => {
                (StatusCode::NOT_FOUND, Json(json!({"status": 404, "error": "Not Found"}))).into_response()
            }
            Self::Invalid(message, attributes) => {
                let body = json!({"message": message, "attributes": attributes});
                (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
            }
            Self::Unprocessable(text) => error(StatusCode::UNPROCESSABLE_ENTITY, &text),
            Self::Forbidden(text) => error(StatusCode::FORBIDDEN, &text),
            Self::RetryLater => {
                (StatusCode::TOO_MANY_REQUESTS, [(CONTENT_TYPE, "text/plain")], "Retry later\n")
                    .into_response()
            }
            Self::Page(status) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let page = format!(
                    "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
                );
                (status, [(CONTENT_TYPE, "text/html")], page).into_response()
            }
        }
    }
}
