//! One span and one measurement per request. Addresses are told by route, never with ids, queries or bodies.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use frontdesk_engine::origin::Origin;
use tracing::Instrument;
use tracing::field::Empty;

use crate::headers;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The caller's span, by [W3C Trace Context](https://www.w3.org/TR/trace-context/).
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const MAX_ID_BYTES: usize = 64;

/// Middleware, the outermost: names the request, measures it, returns its name in `x-request-id` and adds the headers
/// every answer carries.
pub(crate) async fn follow(request: Request, next: Next) -> Response {
    let id = request_id(request.headers().get(REQUEST_ID));
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = known_method(request.method().as_str());
    let span =
        tracing::info_span!("request", otel.kind = "server", request.id = id, method, route, status = Empty);
    let trace_parent = request.headers().get(TRACE_PARENT).and_then(|value| value.to_str().ok());
    let origin = Origin::of_request(&id, &span, trace_parent);
    let started = tokio::time::Instant::now();
    let mut response = origin.scope(next.run(request)).instrument(span.clone()).await;

    let duration = started.elapsed();
    let status = response.status().as_u16();
    span.record("status", status);
    span.in_scope(|| {
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(status, duration_ms, "Answered");
    });
    let labels = [("method", method.to_owned()), ("route", route), ("status", status.to_string())];
    metrics::histogram!("frontdesk_http_request_seconds", &labels).record(duration.as_secs_f64());
    headers::add_missing(response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The id a proxy gave, when it is a sensible one, or a new one.
fn request_id(given: Option<&HeaderValue>) -> String {
    let sensible = |id: &&str| {
        !id.is_empty()
            && id.len() <= MAX_ID_BYTES
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    match given.and_then(|v| v.to_str().ok()).filter(sensible) {
        Some(id) => id.to_owned(),
        None => Origin::new_id(),
    }
}

/// Methods are the client's to invent; labels of a metric must be few.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("OTHER")
}
