//! Refusals of the control API.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::phone::PhoneError;
use crate::world::CustomerError;

/// Body of a refusal.
#[derive(Debug, Serialize, ToSchema)]
pub struct ControlErrorBody {
    /// What is wrong, in a sentence.
    pub error: String,
    /// `NOT_FOUND`, `CONFLICT`, `VALIDATION_ERROR` or `BAD_GATEWAY`.
    pub code: &'static str,
    /// Always an object.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
}

/// A refused control call.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nothing has this id.
    #[error("there is no such {what}")]
    NotFound {
        /// Kind of thing.
        what: &'static str,
    },
    /// The id or address is taken.
    #[error("{0}")]
    Conflict(String),
    /// The request cannot be carried out as it stands.
    #[error("{0}")]
    Invalid(String),
    /// The business's server did not answer as it should.
    #[error("{0}")]
    Gateway(String),
}

impl ControlError {
    fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound { .. } => (StatusCode::NOT_FOUND, "NOT_FOUND"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "CONFLICT"),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR"),
            Self::Gateway(_) => (StatusCode::BAD_GATEWAY, "BAD_GATEWAY"),
        }
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let (status, code) = self.parts();
        (status, Json(ControlErrorBody { error: self.to_string(), code, details: json!({}) })).into_response()
    }
}

impl From<PhoneError> for ControlError {
    fn from(error: PhoneError) -> Self {
        match error {
            PhoneError::NoCustomer => Self::NotFound { what: "customer" },
            PhoneError::NoInbox => Self::NotFound { what: "inbox" },
            PhoneError::NoMessage => Self::NotFound { what: "message in this chat" },
            PhoneError::NoFile => Self::NotFound { what: "sample or uploaded file" },
            PhoneError::NotOnChannel { .. } | PhoneError::NotOwn => Self::Invalid(error.to_string()),
            PhoneError::Customer(inner) => inner.into(),
        }
    }
}

impl From<CustomerError> for ControlError {
    fn from(error: CustomerError) -> Self {
        Self::Conflict(error.to_string())
    }
}

impl From<JsonRejection> for ControlError {
    fn from(rejection: JsonRejection) -> Self {
        Self::Invalid(rejection.body_text())
    }
}

impl From<QueryRejection> for ControlError {
    fn from(rejection: QueryRejection) -> Self {
        Self::Invalid(rejection.body_text())
    }
}
