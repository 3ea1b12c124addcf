//! Meta's Graph API: WhatsApp Cloud API, Messenger and Instagram messaging, with their errors and webhooks.
//!
//! Any `vNN.0` prefix or none. Calls are read by [`call`], struck by faults here, carried out by `whatsapp` and
//! `messaging`, and refused with [`error::GraphError`] in Meta's own words.

mod access;
pub mod call;
mod download;
pub mod error;
pub(crate) mod messaging;
pub(crate) mod progress;
pub(crate) mod whatsapp;

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::channel::Channel;
use crate::faults::{Fault, FaultScope, FaultStage};
use crate::misbehaviour;
use crate::sandbox::Sandbox;
use crate::world::ApiCall;
use call::Call;
pub(crate) use download::{cdn_url, file_response};
use error::GraphError;

/// Largest request: WhatsApp documents are 100 MB, and a form around them.
pub const BODY_MAX_BYTES: usize = 105 * 1024 * 1024;
/// Longer bodies are not recorded.
const RECORDED_BODY_MAX_BYTES: usize = 64 * 1024;

/// Everything below `/graph`.
pub fn router(sandbox: Sandbox) -> Router {
    Router::new().fallback(handle).with_state(sandbox)
}

/// What is known of a call before its body is read.
struct Subject {
    inbox_id: Option<String>,
    channel: Channel,
    scope: FaultScope,
}

async fn handle(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let subject = subject_of(&sandbox, &parts);
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let Ok(bytes) = to_bytes(body, BODY_MAX_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let recordable = bytes.len() <= RECORDED_BODY_MAX_BYTES;
    let read = Call::read(parts, bytes).await;
    let recorded = read.as_ref().ok().filter(|_call| recordable).map_or(Value::Null, Call::body_value);
    misbehaviour::delay(draw(&sandbox, &subject, FaultStage::Delay)).await;
    let fault = draw(&sandbox, &subject, FaultStage::Answer);
    let struck = fault.as_ref().and_then(|fault| serde_json::to_value(fault).ok());
    let response = match fault {
        Some(Fault::CutAfter) => misbehaviour::cut_when_done(answer(&sandbox, read)),
        Some(Fault::LateAnswer { late_ms }) => {
            let answered = answer(&sandbox, read);
            tokio::time::sleep(Duration::from_millis(late_ms)).await;
            answered
        }
        Some(fault) => misbehave(&sandbox, &fault),
        None => answer(&sandbox, read),
    };
    let cut = misbehaviour::is_cut(&response);
    sandbox.world().api_calls.push(ApiCall {
        at_ms: sandbox.clock().now(),
        method,
        path,
        inbox_id: subject.inbox_id,
        http_status: (!cut).then(|| response.status().as_u16()),
        fault: struck,
        request: recorded,
    });
    response
}

fn subject_of(sandbox: &Sandbox, parts: &Parts) -> Subject {
    let segments = call::segments(parts.uri.path());
    let position = if segments.first().is_some_and(|first| first == download::SEGMENT) { 2 } else { 0 };
    let first = segments.get(position).map_or("", String::as_str);
    let world = sandbox.world();
    let inbox = world
        .find_inbox_by_account(first)
        .or_else(|| world.inboxes.get(&world.media.find(first)?.inbox_id))
        .or_else(|| world.find_scoped_anywhere(first).map(|(inbox, _)| inbox));
    let edge = segments.get(1).map(String::as_str);
    let scope = match edge {
        Some("messages") => FaultScope::Messages,
        Some("media" | "message_attachments") => FaultScope::Media,
        _ if world.media.find(first).is_some() => FaultScope::Media,
        _ => FaultScope::All,
    };
    let fallback = if first == "me" { Channel::Messenger } else { Channel::WhatsappCloud };
    Subject {
        inbox_id: inbox.map(|inbox| inbox.id.clone()),
        channel: inbox.map_or(fallback, |inbox| inbox.channel),
        scope,
    }
}

/// Faults of scope `messages` or `media` spare other calls; those of scope `all` strike everywhere.
fn draw(sandbox: &Sandbox, subject: &Subject, stage: FaultStage) -> Option<Fault> {
    sandbox.draw_fault(subject.channel, stage, subject.scope)
}

fn answer(sandbox: &Sandbox, read: Result<Call, GraphError>) -> Response {
    let answered = read.and_then(|call| {
        if call.segments.first().is_some_and(|first| first == download::SEGMENT) {
            return download::get(sandbox, &call);
        }
        access::check_token(sandbox, &call)?;
        dispatch(sandbox, &call)
    });
    answered.unwrap_or_else(|error| error.answer(&sandbox.world().ids.trace_id()))
}

/// The table of edges.
fn dispatch(sandbox: &Sandbox, call: &Call) -> Result<Response, GraphError> {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let [object, edge @ ..] = segments.as_slice() else {
        return Err(GraphError::unknown_object(call.method.as_str(), ""));
    };
    let unknown = || GraphError::unknown_object(call.method.as_str(), object);
    if edge.is_empty() && sandbox.world().media.find(object).is_some() {
        return whatsapp::media::describe_or_delete(sandbox, call, object).map(ok);
    }
    if let Some(inbox) = access::find_inbox(sandbox, call, object)? {
        access::check_inbox_token(&inbox, call)?;
        let answer = match inbox.channel {
            Channel::WhatsappCloud => whatsapp::answer(sandbox, call, &inbox, object, edge),
            Channel::Messenger | Channel::Instagram => messaging::answer(sandbox, call, &inbox, edge),
            Channel::GreenApi | Channel::LinkedWhatsapp | Channel::Chatwoot | Channel::Openai => {
                Err(unknown())
            }
        };
        return answer.map(ok);
    }
    if edge.is_empty() && call.method == Method::GET {
        return messaging::profile::get(sandbox, call, object).map(ok);
    }
    Err(unknown())
}

fn ok(body: Value) -> Response {
    Json(body).into_response()
}

fn misbehave(sandbox: &Sandbox, fault: &Fault) -> Response {
    let refuse = |error: GraphError| error.answer(&sandbox.world().ids.trace_id());
    match fault {
        Fault::TooManyRequests { retry_after_s } => {
            let mut response = refuse(GraphError { http_status: 429, ..GraphError::of_code(130_429) });
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*retry_after_s));
            response
        }
        Fault::InternalError => refuse(GraphError { http_status: 500, ..GraphError::of_code(1) }),
        Fault::Unavailable => refuse(GraphError { http_status: 503, ..GraphError::of_code(2) }),
        Fault::ErrorCode { code, http_status } => {
            let error = GraphError::of_code(*code);
            refuse(GraphError { http_status: http_status.unwrap_or(error.http_status), ..error })
        }
        other => misbehaviour::answer(other),
    }
}

/// Keeps of `all` what the `fields` parameter asks for; without one everything.
fn selected(all: Value, call: &Call) -> Value {
    let Some(fields) = call.parameter("fields") else { return all };
    let Value::Object(mut map) = all else { return all };
    let wanted: Map<String, Value> =
        fields.split(',').chain(["id"]).filter_map(|name| map.remove_entry(name.trim())).collect();
    Value::Object(wanted)
}

fn success() -> Value {
    json!({"success": true})
}
