//! Refusals in Green API's words: JSON for validation and quotas, plain text or a gateway's page for the rest.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

/// A refused call.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    status: u16,
    body: Body,
}

#[derive(Debug, Clone, PartialEq)]
enum Body {
    Json(Value),
    Text(String),
    Page(&'static str),
}

impl Refusal {
    fn text(status: u16, text: impl Into<String>) -> Self {
        Self { status, body: Body::Text(text.into()) }
    }

    /// 400 with the name of the field that is wrong.
    #[must_use]
    pub fn invalid(details: &str) -> Self {
        let message = format!("Validation failed. Details: {details}");
        Self { status: 400, body: Body::Json(json!({"statusCode": 400, "message": message})) }
    }

    pub(super) fn bad_request(text: &str) -> Self {
        Self::text(400, text)
    }

    pub(super) fn bad_phone() -> Self {
        Self::text(400, "bad phone number, valid from 11 to 16 digits")
    }

    pub(super) fn starting() -> Self {
        Self::text(400, "instance in starting process try later")
    }

    pub(super) fn not_authorized() -> Self {
        Self::text(400, "instance account not authorized")
    }

    pub(super) fn wrong_token() -> Self {
        Self::of_status(401, None)
    }

    pub(super) fn wrong_instance() -> Self {
        Self::of_status(403, None)
    }

    pub(super) fn not_found() -> Self {
        Self { status: 404, body: Body::Json(json!({"statusCode": 404, "message": "Not Found"})) }
    }

    pub(super) fn too_many_requests() -> Self {
        Self::of_status(429, None)
    }

    /// 466 after the last check of a number that the tariff allows.
    pub(super) fn checks_used_up(total: u32) -> Self {
        let body = json!({"invokeStatus": {
            "method": "checkwhatsapp", "used": total, "total": total, "status": "QUOTE_EXCEEDED",
            "description": "Monthly quota has been exceeded",
        }});
        Self { status: 466, body: Body::Json(body) }
    }

    /// 466 for a chat that is not one of those the tariff allows.
    pub(super) fn chat_not_allowed(allowed: &[String]) -> Self {
        let total = allowed.len();
        let body = json!({
            "invokeStatus": {"method": "sendMessage", "used": 0, "total": 0, "status": "QUOTE_ALLOWED"},
            "correspondentsStatus": {
                "method": "correspondents", "used": total, "total": total,
                "status": "CORRESPONDENTS_QUOTE_EXCEEDED",
                "description": format!("Only these numbers are allowed: {}", allowed.join(", ")),
            },
        });
        Self { status: 466, body: Body::Json(body) }
    }

    /// The usual words of a status.
    #[must_use]
    pub fn of_status(status: u16, text: Option<&str>) -> Self {
        if let Some(text) = text {
            return Self::text(status, text);
        }
        match status {
            400 => Self::text(400, "bad request data"),
            401 => Self { status, body: Body::Json(json!({"statusCode": 401, "message": "Unauthorized"})) },
            403 => {
                Self { status, body: Body::Page("<html><head><title>403 Forbidden</title></head></html>") }
            }
            429 => Self::text(429, "Too Many Requests"),
            466 => Self::checks_used_up(100),
            499 => Self::text(499, ""),
            500 => Self {
                status,
                body: Body::Json(json!({"statusCode": 500, "message": "Internal server error"})),
            },
            _ => Self { status, body: Body::Page("<html><head><title>Bad Gateway</title></head></html>") },
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match self.body {
            Body::Json(body) => (status, Json(body)).into_response(),
            Body::Text(text) => (status, text).into_response(),
            Body::Page(page) => (status, Html(page)).into_response(),
        }
    }
}
