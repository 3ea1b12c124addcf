//! What the answers of the gateway, the CRM and the sync have around them: `{success, data}`, with a `message` where programs
//! show one, and the usual refusal with `success: false`, `data: null` and `message` added, whoever refuses.

use axum::Json;
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

/// An answer.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Success<T> {
    /// True.
    success: bool,
    data: T,
}

impl<T> Success<T> {
    pub(crate) fn of(data: T) -> Json<Self> {
        Json(Self { success: true, data })
    }
}

/// An answer with a sentence.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Told<T> {
    /// True.
    success: bool,
    data: T,
    /// What was done, for people.
    message: &'static str,
}

impl<T> Told<T> {
    pub(crate) fn of(data: T, message: &'static str) -> Json<Self> {
        Json(Self { success: true, data, message })
    }
}

/// The body of every refusal.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct EnvelopeRefusal {
    /// False.
    success: bool,
    /// Null.
    #[schema(required = true)]
    data: Option<bool>,
    /// What is wrong. Beside `errors` the gateway says their first sentence, the others `The given data was invalid.`
    message: String,
    #[serde(flatten)]
    error: ErrorBody,
}

/// Puts refusals into the envelope.
pub(crate) async fn refuse(request: Request, next: Next) -> Response {
    in_envelope(next.run(request).await, |refusal| refusal.get("message").or_else(|| refusal.get("error")))
        .await
}

/// The same for clients that show `message` alone, which says more than that something was wrong.
pub(crate) async fn refuse_in_detail(request: Request, next: Next) -> Response {
    in_envelope(next.run(request).await, first_sentence).await
}

async fn in_envelope(response: Response, message: fn(&Map<String, Value>) -> Option<&Value>) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_REFUSAL_BYTES).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let Ok(Value::Object(mut refusal)) = serde_json::from_slice(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let message = message(&refusal).cloned().unwrap_or_default();
    refusal.insert("success".to_owned(), json!(false));
    refusal.insert("data".to_owned(), Value::Null);
    refusal.insert("message".to_owned(), message);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(Value::Object(refusal).to_string()))
}

fn first_sentence(refusal: &Map<String, Value>) -> Option<&Value> {
    let of_field = refusal
        .get("errors")
        .and_then(Value::as_object)
        .and_then(|errors| errors.values().next())
        .and_then(|sentences| sentences.get(0));
    of_field.or_else(|| refusal.get("error"))
}
