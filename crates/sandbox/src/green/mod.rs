//! Green API: any number of WhatsApp instances, each with a state, a queue of messages, a queue of notifications that is
//! delivered to a URL or polled, settings and journals. Files of instances are below `/green/files`.
//!
//! An instance is an inbox of channel `green_api`: `account_id` is `idInstance`, `access_token` is `apiTokenInstance`
//! (none: any is taken). Addresses are Green API's: `/green/waInstance{id}/{method}/{token}`, for both its hosts, and the
//! method in any case. Calls are read by [`call`], struck by faults here, answered by the file of their part of the
//! reference, and refused with [`refusal::Refusal`].

mod account;
pub mod call;
mod chats;
pub(crate) mod delivery;
pub(crate) mod events;
mod files;
mod groups;
pub mod instance;
mod journals;
mod lookups;
pub(crate) mod queue;
mod receiving;
pub mod refusal;
mod sends;

use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::channel::Channel;
use crate::faults::{Fault, FaultScope, FaultStage};
use crate::graph::BODY_MAX_BYTES;
use crate::inbox::Inbox;
use crate::misbehaviour;
use crate::sandbox::Sandbox;
use crate::world::ApiCall;
use call::Call;
pub(crate) use files::file_url;
pub use instance::{GreenInstance, InstanceState};
use refusal::Refusal;
pub(crate) use sends::quoted;

/// Longer bodies are not recorded.
const RECORDED_BODY_MAX_BYTES: usize = 64 * 1024;
/// Green API's own limit of sends.
const SENDS_PER_SECOND: u32 = 50;

/// Everything below `/green`.
pub fn router(sandbox: Sandbox) -> Router {
    Router::new().fallback(handle).with_state(sandbox)
}

async fn handle(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_MAX_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    if let Some(file) = files::find(&sandbox, parts.uri.path()) {
        return file;
    }
    let small = bytes.len() <= RECORDED_BODY_MAX_BYTES;
    let (http_method, read) = (parts.method.to_string(), Call::read(parts, bytes).await);
    let Ok(call) = read else { return Refusal::not_found().into_response() };
    let inbox = sandbox.world().find_inbox_by_account(&call.instance).cloned();
    let inbox = inbox.filter(|inbox| inbox.channel == Channel::GreenApi);
    let scope = call.fault_scope();
    misbehaviour::delay(draw(&sandbox, scope, FaultStage::Delay)).await;
    let fault = draw(&sandbox, scope, FaultStage::Answer);
    let response = match &fault {
        Some(Fault::CutAfter) => {
            let answered = answer(&sandbox, inbox.as_ref(), &call).await;
            misbehaviour::cut_when_done(answered.unwrap_or_else(IntoResponse::into_response))
        }
        Some(Fault::LateAnswer { late_ms }) => {
            let answered = answer(&sandbox, inbox.as_ref(), &call).await;
            tokio::time::sleep(Duration::from_millis(*late_ms)).await;
            answered.unwrap_or_else(IntoResponse::into_response)
        }
        Some(fault) => misbehave(fault),
        None => answer(&sandbox, inbox.as_ref(), &call).await.unwrap_or_else(IntoResponse::into_response),
    };
    let cut = misbehaviour::is_cut(&response);
    sandbox.world().api_calls.push(ApiCall {
        at_ms: sandbox.clock().now(),
        method: http_method,
        path: call.path_without_token(),
        inbox_id: inbox.map(|inbox| inbox.id),
        http_status: (!cut).then(|| response.status().as_u16()),
        fault: fault.and_then(|fault| serde_json::to_value(fault).ok()),
        request: if small { call.body_value() } else { Value::Null },
    });
    response
}

fn draw(sandbox: &Sandbox, scope: FaultScope, stage: FaultStage) -> Option<Fault> {
    sandbox.draw_fault(Channel::GreenApi, stage, scope)
}

/// The table of methods.
async fn answer(sandbox: &Sandbox, inbox: Option<&Inbox>, call: &Call) -> Result<Response, Refusal> {
    let inbox = inbox.ok_or_else(Refusal::wrong_instance)?;
    if call.token.is_empty() || inbox.access_token.as_ref().is_some_and(|token| *token != call.token) {
        return Err(Refusal::wrong_token());
    }
    if call.method == "receivenotification" {
        return receiving::receive(sandbox, inbox, call).await;
    }
    let found = sends::answer(sandbox, inbox, call)
        .or_else(|| receiving::answer(sandbox, inbox, call))
        .or_else(|| chats::answer(sandbox, inbox, call))
        .or_else(|| lookups::answer(sandbox, inbox, call))
        .or_else(|| journals::answer(sandbox, inbox, call))
        .or_else(|| account::answer(sandbox, inbox, call))
        .or_else(|| groups::answer(sandbox, inbox, call));
    match found.unwrap_or_else(|| Err(Refusal::not_found()))? {
        Value::Null => Ok(StatusCode::OK.into_response()),
        value => Ok(axum::Json(value).into_response()),
    }
}

fn misbehave(fault: &Fault) -> Response {
    match fault {
        Fault::TooManyRequests { retry_after_s } => {
            ([(RETRY_AFTER, retry_after_s.to_string())], Refusal::too_many_requests()).into_response()
        }
        Fault::InternalError => Refusal::of_status(500, None).into_response(),
        Fault::Unavailable => Refusal::of_status(503, None).into_response(),
        Fault::ErrorCode { code, http_status } => {
            let status = http_status.or_else(|| u16::try_from(*code).ok()).unwrap_or(500);
            Refusal::of_status(status, None).into_response()
        }
        other => misbehaviour::answer(other),
    }
}
