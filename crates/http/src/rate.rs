//! Requests counted per user and endpoint, and the headers that tell clients how many are left.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use frontdesk_engine::limits::{self, Allowance, Endpoint};

use crate::auth::authenticate;
use crate::error::ApiError;
use crate::state::HttpState;

/// What is counted: method, route, and under which limit. Everything else is not limited per user.
pub const LIMITED: [(&str, &str, Endpoint); 16] = [
    ("GET", "/admin/inbox", Endpoint::ListConversations),
    ("GET", "/admin/inbox/{id}/suggest-ai", Endpoint::Suggest),
    ("GET", "/admin/inbox/{id}/suggest-ai/stream", Endpoint::Suggest),
    ("POST", "/admin/inbox/{id}/messages", Endpoint::SendMessage),
    ("POST", "/api/v1/messages", Endpoint::SendMessage),
    ("POST", "/api/crm/messages/send", Endpoint::SendMessage),
    ("POST", "/api/crm/messages/template", Endpoint::SendMessage),
    ("POST", "/api/crm/messages/quick-reply", Endpoint::SendMessage),
    ("POST", "/api/v1/sessions/{session_id}/messages/text", Endpoint::SendMessage),
    ("POST", "/api/v1/sessions/{session_id}/messages/image", Endpoint::SendMessage),
    ("POST", "/api/v1/sessions/{session_id}/messages/document", Endpoint::SendMessage),
    ("POST", "/api/v1/sessions/{session_id}/messages/audio", Endpoint::SendMessage),
    ("POST", "/api/v1/sessions/{session_id}/messages/video", Endpoint::SendMessage),
    ("POST", "/api/v1/sessions/{session_id}/messages/template", Endpoint::SendMessage),
    ("POST", "/api/v1/sessions/{session_id}/messages/location", Endpoint::SendMessage),
    ("POST", "/api/v1/sessions/{session_id}/messages/contact", Endpoint::SendMessage),
];

/// Middleware: counts requests to the routes of [`LIMITED`] and refuses those beyond the limit.
pub(crate) async fn limit(State(state): State<HttpState>, request: Request, next: Next) -> Response {
    let Some(endpoint) = endpoint_of(&request) else { return next.run(request).await };
    let (mut parts, body) = request.into_parts();
    let caller = match authenticate(&mut parts, &state).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    let allowance = match limits::check(&state.engine, caller.user_id, endpoint).await {
        Ok(allowance) => allowance,
        Err(error) => return ApiError::from(error).into_response(),
    };
    let mut response = if allowance.allowed {
        next.run(Request::from_parts(parts, body)).await
    } else {
        let wait = allowance.retry_after_secs(state.engine.clock.now());
        ApiError::rate_limited("Too Many Requests", wait).into_response()
    };
    write_headers(response.headers_mut(), &allowance);
    response
}

fn endpoint_of(request: &Request) -> Option<Endpoint> {
    let route = request.extensions().get::<MatchedPath>()?.as_str();
    let method = if request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
    LIMITED.iter().find(|(m, path, _)| *m == method && *path == route).map(|(_, _, endpoint)| *endpoint)
}

fn write_headers(headers: &mut HeaderMap, allowance: &Allowance) {
    headers.insert("x-ratelimit-limit", HeaderValue::from(allowance.limit));
    headers.insert("x-ratelimit-remaining", HeaderValue::from(allowance.remaining));
    headers.insert("x-ratelimit-reset", HeaderValue::from(allowance.resets_at.plus_ms(999).as_secs()));
}
