//! Refusals of these routes, whoever refuses: the usual body with `success: false` and `message`.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::ErrorBody;

/// More than any refusal has.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// The body of every refusal of these routes.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SyncError)]
pub(crate) struct SyncErrorBody {
    /// False.
    success: bool,
    /// The same as `error`; `The given data was invalid.` beside `errors`.
    message: String,
    #[serde(flatten)]
    error: ErrorBody,
}

/// Adds what the usual refusal lacks.
pub(crate) async fn refuse_in_shape(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_REFUSAL_BYTES).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let Ok(Value::Object(mut told)) = serde_json::from_slice(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    told.insert("success".to_owned(), json!(false));
    let sentence = told.get("error").cloned().unwrap_or_default();
    told.entry("message").or_insert(sentence);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(Value::Object(told).to_string()))
}
