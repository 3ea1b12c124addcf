//! Refusals of the gateway's routes: the usual body with `success: false`, `data: null` and a `message` that says what is wrong.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::ErrorBody;

/// More than any refusal has.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// The body of every refusal of these routes.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = GatewayError)]
pub(crate) struct GatewayErrorBody {
    /// False.
    success: bool,
    /// Null.
    #[schema(required = true)]
    data: Option<bool>,
    /// What is wrong: the first sentence of `errors`, else `error`.
    message: String,
    #[serde(flatten)]
    error: ErrorBody,
}

/// Adds what the usual refusal lacks. Clients of gateways show `message` alone, so it says more than that something was wrong.
pub(super) async fn in_shape(request: Request, next: Next) -> Response {
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
    let message = first_sentence(&told);
    told.insert("success".to_owned(), json!(false));
    told.insert("data".to_owned(), Value::Null);
    told.insert("message".to_owned(), message);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(Value::Object(told).to_string()))
}

fn first_sentence(told: &Map<String, Value>) -> Value {
    let of_field = told
        .get("errors")
        .and_then(Value::as_object)
        .and_then(|errors| errors.values().next())
        .and_then(|sentences| sentences.get(0));
    of_field.or_else(|| told.get("error")).cloned().unwrap_or_default()
}
