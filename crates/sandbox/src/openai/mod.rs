//! A server that speaks OpenAI's chat completions, at `/openai` and `/openai/v1`: it records what it is sent, obeys whatever
//! stands there, and misbehaves on demand.
//!
//! It knows no model. What it writes is set by `PATCH /control/openai` ([`OpenaiSettings`]); what it was sent is among the
//! calls (`GET /control/api-calls`).

mod obey;
mod settings;
mod stream;

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::channel::Channel;
use crate::faults::{Fault, FaultScope, FaultStage};
use crate::misbehaviour;
use crate::sandbox::Sandbox;
use crate::world::ApiCall;

pub use settings::{Manner, OpenaiSettings, PreparedAnswer};

/// The largest body that is read.
const BODY_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Everything below `/openai`.
pub(crate) fn router(sandbox: Sandbox) -> Router {
    Router::new().fallback(call).with_state(sandbox)
}

async fn call(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, BODY_MAX_BYTES).await.unwrap_or_default();
    let sent: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    misbehaviour::delay(draw(&sandbox, FaultStage::Delay)).await;
    let fault = draw(&sandbox, FaultStage::Answer);
    let path = parts.uri.path().trim_start_matches("/openai").to_owned();
    let response = match &fault {
        Some(Fault::CutAfter) => {
            misbehaviour::cut_when_done(answer(&sandbox, &parts.method, &path, &parts.headers, &sent))
        }
        Some(Fault::LateAnswer { late_ms }) => {
            let answered = answer(&sandbox, &parts.method, &path, &parts.headers, &sent);
            tokio::time::sleep(Duration::from_millis(*late_ms)).await;
            answered
        }
        Some(Fault::TooManyRequests { retry_after_s }) => {
            let refused = refusal(429, "rate_limit_exceeded", "Rate limit reached for requests");
            ([(RETRY_AFTER, retry_after_s.to_string())], refused).into_response()
        }
        Some(Fault::InternalError) => refusal(500, "server_error", "The server had an error"),
        Some(Fault::Unavailable) => refusal(503, "overloaded", "The engine is currently overloaded"),
        Some(Fault::ErrorCode { code, http_status }) => {
            let status = http_status.or_else(|| u16::try_from(*code).ok()).unwrap_or(500);
            refusal(status, &code.to_string(), "It failed as it was told to")
        }
        Some(fault) => misbehaviour::answer(fault),
        None => answer(&sandbox, &parts.method, &path, &parts.headers, &sent),
    };
    let cut = misbehaviour::is_cut(&response);
    sandbox.world().api_calls.push(ApiCall {
        at_ms: sandbox.clock().now(),
        method: parts.method.to_string(),
        path: format!("/openai{path}"),
        inbox_id: None,
        http_status: (!cut).then(|| response.status().as_u16()),
        fault: fault.and_then(|fault| serde_json::to_value(fault).ok()),
        request: sent,
    });
    response
}

fn draw(sandbox: &Sandbox, stage: FaultStage) -> Option<Fault> {
    sandbox.draw_fault(Channel::Openai, stage, FaultScope::Messages)
}

/// A refusal in OpenAI's words.
fn refusal(status: u16, code: &str, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let error = json!({ "error": { "message": message, "type": code, "param": null, "code": code } });
    (status, axum::Json(error)).into_response()
}

fn answer(sandbox: &Sandbox, method: &Method, path: &str, headers: &HeaderMap, sent: &Value) -> Response {
    let mut world = sandbox.world();
    let openai = &mut world.openai;
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|v| v.strip_prefix("Bearer "));
    let is_known = match &openai.api_key {
        Some(key) => token == Some(key.as_str()),
        None => token.is_some_and(|token| !token.trim().is_empty()),
    };
    if !is_known {
        return refusal(401, "invalid_api_key", "Incorrect API key provided");
    }
    if !openai.answers.is_empty() {
        return prepared(openai.answers.remove(0));
    }
    match (method, path.strip_prefix("/v1").unwrap_or(path)) {
        (&Method::GET, "/models") => {
            let model = json!({ "id": openai.model, "object": "model", "created": 0, "owned_by": "sandbox" });
            axum::Json(json!({ "object": "list", "data": [model] })).into_response()
        }
        (&Method::POST, "/chat/completions") => complete(sandbox, openai, sent),
        _ => refusal(404, "not_found", "Unknown request URL"),
    }
}

fn complete(sandbox: &Sandbox, settings: &OpenaiSettings, sent: &Value) -> Response {
    let now_ms = sandbox.clock().now();
    if !sent["messages"].is_array() {
        return refusal(400, "invalid_request_error", "you must provide a messages parameter");
    }
    if sent["model"] != json!(settings.model) {
        return refusal(404, "model_not_found", "The model does not exist or you do not have access to it");
    }
    let length: usize = sent["messages"].to_string().chars().count();
    if settings.context_characters.is_some_and(|most| length > most) {
        return refusal(400, "context_length_exceeded", "This model's maximum context length is exceeded");
    }
    let drafts = match &settings.manner {
        Manner::Helpful => obey::helpful(sent),
        Manner::Obey => obey::drafts(sent),
        Manner::Write { drafts } => drafts.clone(),
    };
    let tokens = settings.total_tokens.unwrap_or_else(|| i64::try_from(length / 4).unwrap_or(0));
    if sent["stream"] == json!(true) {
        let with_usage =
            sent.pointer("/stream_options/include_usage") == Some(&json!(true)) && settings.tells_usage;
        return stream::answer(sandbox, settings, &drafts.join(" "), with_usage.then_some(tokens));
    }
    let content = serde_json::to_string(&drafts).unwrap_or_default();
    let mut body = json!({
        "id": "chatcmpl-sandbox", "object": "chat.completion", "created": now_ms / 1000, "model": settings.model,
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": content }, "finish_reason": "stop" }],
    });
    if settings.tells_usage {
        body["usage"] = json!({ "prompt_tokens": tokens / 2, "completion_tokens": tokens - tokens / 2, "total_tokens": tokens });
    }
    axum::Json(body).into_response()
}

fn prepared(answer: PreparedAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match answer.body {
        Value::String(text) => (status, text).into_response(),
        body => (status, axum::Json(body)).into_response(),
    };
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
