//! Health, waiting until nothing is under way, start over, and the live stream of changes.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use utoipa::{IntoParams, ToSchema};

use super::Params;
use super::error::ControlError;
use crate::sandbox::Sandbox;
use crate::webhooks::WebhookBacklog;

/// Longest wait of `GET /control/idle`.
const LONGEST_WAIT_MS: u64 = 120_000;

/// How the sandbox is.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
    /// Webhooks not yet answered.
    webhooks: WebhookBacklog,
}

/// Answers when the sandbox serves.
#[utoipa::path(get, path = "/health", tag = "world",
    responses((status = 200, description = "Done", body = Health)))]
pub(super) async fn health(State(sandbox): State<Sandbox>) -> Json<Health> {
    Json(Health { status: "ok", webhooks: sandbox.webhooks().backlog() })
}

/// How long to wait.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct IdleParams {
    /// Milliseconds, at most 120,000.
    #[serde(default = "default_wait")]
    timeout_ms: u64,
}

fn default_wait() -> u64 {
    10_000
}

/// What was found after the wait.
#[derive(Serialize, ToSchema)]
pub(super) struct Idle {
    /// True: every event so far was told and every message has come as far as it will.
    idle: bool,
    /// What is left.
    webhooks: WebhookBacklog,
}

/// Waits until no message is on its way and no webhook is unanswered or waits for another attempt.
#[utoipa::path(get, path = "/idle", tag = "world", params(IdleParams),
    responses((status = 200, description = "Done", body = Idle)))]
pub(super) async fn idle(
    State(sandbox): State<Sandbox>,
    Params(params): Params<IdleParams>,
) -> Result<Json<Idle>, ControlError> {
    let limit = Duration::from_millis(params.timeout_ms.min(LONGEST_WAIT_MS));
    let idle = sandbox.webhooks().wait_idle(limit).await;
    Ok(Json(Idle { idle, webhooks: sandbox.webhooks().backlog() }))
}

/// Forgets customers, chats, files, faults, records, load runs and clock shift; settings and inboxes stay.
#[utoipa::path(post, path = "/reset", tag = "world", responses((status = 204, description = "Done")))]
pub(super) async fn reset(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.reset();
    StatusCode::NO_CONTENT
}

/// Server-sent events: one `change` each time something changed; a slow reader gets `resync`.
pub(super) async fn stream(
    State(sandbox): State<Sandbox>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = sandbox.changes();
    let events = stream::unfold(changes, |mut changes| async move {
        let event = match changes.recv().await {
            Ok(change) => Event::default().event("change").json_data(&change).unwrap_or_default(),
            Err(RecvError::Lagged(_)) => Event::default().event("resync").data("{}"),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), changes))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
