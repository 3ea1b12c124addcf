//! Chatwoot: its Application API for any number of accounts, and its webhooks.
//!
//! Addresses are Chatwoot's: `/chatwoot/api/v1/accounts/{account_id}/…`. Calls are read by [`call`], counted as rack-attack
//! counts them, struck by faults, answered by the file of their noun and refused with [`refusal::Refusal`]. Webhooks go out
//! once and never again ([`delivery`]).

pub mod call;
mod contacts;
mod conversations;
pub(crate) mod customers;
pub(crate) mod delivery;
mod directory;
mod files;
mod filter;
mod messages;
pub mod refusal;
mod routes;
mod shape;
pub mod signature;
pub mod state;
mod turn;

use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::channel::Channel;
use crate::faults::{Fault, FaultScope, FaultStage};
use crate::graph::BODY_MAX_BYTES;
use crate::misbehaviour;
use crate::sandbox::Sandbox;
use crate::world::{ApiCall, World};
use call::Call;
use refusal::Refusal;
use state::Agent;
pub use state::{Chatwoot, ChatwootSettings};
use turn::{Told, Turn};

/// Everything below `/chatwoot`.
pub fn router(sandbox: Sandbox) -> Router {
    Router::new().fallback(handle).with_state(sandbox)
}

async fn handle(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_MAX_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path().to_owned();
    let call = Call::read(parts, bytes).await;
    let scope = call.fault_scope();
    misbehaviour::delay(draw(&sandbox, scope, FaultStage::Delay)).await;
    let fault = draw(&sandbox, scope, FaultStage::Answer);
    let response = match &fault {
        Some(Fault::CutAfter) => misbehaviour::cut_when_done(answer(&sandbox, &call)),
        Some(Fault::LateAnswer { late_ms }) => {
            let answered = answer(&sandbox, &call);
            tokio::time::sleep(Duration::from_millis(*late_ms)).await;
            answered
        }
        Some(Fault::TooManyRequests { retry_after_s: 0 }) => Refusal::RetryLater.into_response(),
        Some(Fault::TooManyRequests { retry_after_s }) => {
            ([(RETRY_AFTER, retry_after_s.to_string())], Refusal::RetryLater).into_response()
        }
        Some(Fault::InternalError) => Refusal::Page(500).into_response(),
        Some(Fault::Unavailable) => Refusal::Page(503).into_response(),
        Some(Fault::ErrorCode { code, http_status }) => {
            let status = http_status.or_else(|| u16::try_from(*code).ok()).unwrap_or(500);
            // The page of a proxy that waited in vain: what it passed on is carried out all the same.
            if status == 504 {
                drop(answer(&sandbox, &call));
            }
            match status {
                422 => Refusal::Unprocessable(
                    "PG::QueryCanceled: ERROR: canceling statement due to statement timeout".to_owned(),
                )
                .into_response(),
                _ => Refusal::Page(status).into_response(),
            }
        }
        Some(fault) => misbehaviour::answer(fault),
        None => answer(&sandbox, &call),
    };
    let cut = misbehaviour::is_cut(&response);
    sandbox.world().api_calls.push(ApiCall {
        at_ms: sandbox.clock().now(),
        method: call.verb.to_string(),
        path: format!("/chatwoot{}", path.strip_prefix("/chatwoot").unwrap_or(&path)),
        inbox_id: None,
        http_status: (!cut).then(|| response.status().as_u16()),
        fault: fault.and_then(|fault| serde_json::to_value(fault).ok()),
        request: Value::Object(call.body),
    });
    response
}

fn draw(sandbox: &Sandbox, scope: FaultScope, stage: FaultStage) -> Option<Fault> {
    sandbox.draw_fault(Channel::Chatwoot, stage, scope)
}

/// One call carried out; what it told of goes out afterwards.
fn answer(sandbox: &Sandbox, call: &Call) -> Response {
    if let Some(file) = files::find(sandbox, &call.segments) {
        return file;
    }
    match carry_out(sandbox, call) {
        Ok(Value::Null) => StatusCode::OK.into_response(),
        Ok(value) => axum::Json(value).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn carry_out(sandbox: &Sandbox, call: &Call) -> Result<Value, Refusal> {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    if segments == ["api"] && call.verb == Method::GET {
        let world = sandbox.world();
        let health = if world.chatwoot.settings.services_failing { "failing" } else { "ok" };
        return Ok(json!({
            "version": world.chatwoot.settings.version, "timestamp": shape::iso(sandbox.clock().now()),
            "queue_services": health, "data_services": health,
        }));
    }
    if call.unreadable {
        return Err(Refusal::Page(400));
    }
    match segments.as_slice() {
        ["api", "v1", "profile"] if call.verb == Method::GET => {
            let world = sandbox.world();
            let agent = caller(&world, call, None)?;
            let accounts = world.chatwoot.accounts.values().filter_map(|account| {
                let agent = account.agents.get(&agent.id)?;
                Some(json!({"id": account.id, "name": account.name, "status": "active", "role": agent.role,
                    "active_at": null, "permissions": [agent.role], "availability": "online"}))
            });
            Ok(directory::profile(&agent, accounts.collect()))
        }
        ["api", "v1", "accounts", account, rest @ ..] => {
            let account_id = account.parse().map_err(|_| Refusal::NotFound)?;
            within(sandbox, account_id, Some(call), |turn, version| routes::answer(turn, call, rest, version))
        }
        _ => Err(Refusal::NoRoute),
    }
}

/// Does something within an account, for the caller or (without a call) for its first agent, and tells of it.
fn within<T>(
    sandbox: &Sandbox,
    account_id: i64,
    call: Option<&Call>,
    act: impl FnOnce(&mut Turn<'_>, &str) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let base_url = format!("{}/chatwoot", sandbox.public_url());
    let now = sandbox.clock().now();
    let mut world = sandbox.world();
    if let Some(call) = call {
        rack_attack(&mut world, call, account_id, now)?;
    }
    let agent = match call {
        Some(call) => caller(&world, call, Some(account_id))?,
        None => anyone(&world, account_id)?,
    };
    let World { chatwoot, media, ids, .. } = &mut *world;
    let (per_page, version) = (chatwoot.settings.conversations_per_page, chatwoot.settings.version.clone());
    let account = chatwoot.accounts.get_mut(&account_id).ok_or(Refusal::NotFound)?;
    let last_id = &mut chatwoot.last_id;
    let told = Vec::new();
    let mut turn = Turn { account, last_id, media, ids, now, agent, base_url: &base_url, per_page, told };
    let result = act(&mut turn, &version);
    let told: Vec<Told> = std::mem::take(&mut turn.told);
    drop(world);
    delivery::tell(sandbox, account_id, told);
    sandbox.changed("chatwoot", None, None);
    result
}

fn anyone(world: &World, account_id: i64) -> Result<Agent, Refusal> {
    let account = world.chatwoot.accounts.get(&account_id).ok_or(Refusal::NotFound)?;
    account.agents.values().next().cloned().ok_or(Refusal::NotFound)
}

fn rack_attack(world: &mut World, call: &Call, account_id: i64, now: i64) -> Result<(), Refusal> {
    let settings = world.chatwoot.settings.clone();
    let mut fits = world.chatwoot.may("all", settings.requests_per_minute, now);
    if call.segments.last().is_some_and(|last| last == "search") {
        fits &= world.chatwoot.may(&format!("search {account_id}"), settings.searches_per_minute, now);
    }
    if fits { Ok(()) } else { Err(Refusal::RetryLater) }
}

/// Whose token it is.
fn caller(world: &World, call: &Call, account_id: Option<i64>) -> Result<Agent, Refusal> {
    let token = call.token.as_ref().ok_or(Refusal::NoToken)?;
    let tokens = &world.chatwoot.settings.tokens;
    let id = if tokens.is_empty() { 1 } else { *tokens.get(token).ok_or(Refusal::WrongToken)? };
    let accounts = &world.chatwoot.accounts;
    match account_id {
        Some(account_id) => {
            let account = accounts.get(&account_id).ok_or(Refusal::NotFound)?;
            account.agents.get(&id).cloned().ok_or(Refusal::NotAllowed)
        }
        None => {
            accounts.values().find_map(|account| account.agents.get(&id)).cloned().ok_or(Refusal::WrongToken)
        }
    }
}
