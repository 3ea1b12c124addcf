//! Settings, clock and the webhook verification handshake.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Body;
use super::error::ControlError;
use crate::clock::TimeMs;
use crate::sandbox::Sandbox;
use crate::settings::LiveSettings;

/// All settings that can change.
#[utoipa::path(get, path = "/settings", tag = "settings",
    responses((status = 200, description = "Done", body = LiveSettings)))]
pub(super) async fn read(State(sandbox): State<Sandbox>) -> Json<LiveSettings> {
    Json(sandbox.world().settings.clone())
}

/// Changes the settings given (merge patch: absent fields stay, `null` takes a value away).
#[utoipa::path(patch, path = "/settings", tag = "settings", request_body = LiveSettings,
    responses((status = 200, description = "Done", body = LiveSettings),
        (status = 422, description = "Cannot be carried out as it stands", body = super::error::ControlErrorBody)))]
pub(super) async fn change(
    State(sandbox): State<Sandbox>,
    Body(patch): Body<Map<String, Value>>,
) -> Result<Json<LiveSettings>, ControlError> {
    let mut world = sandbox.world();
    let changed = patched(&world.settings, patch)?;
    world.settings = changed;
    Ok(Json(world.settings.clone()))
}

/// JSON merge patch over anything that serialises.
pub(super) fn patched<T>(current: &T, patch: Map<String, Value>) -> Result<T, ControlError>
where
    T: Serialize + serde::de::DeserializeOwned,
{
    let invalid = |error: serde_json::Error| ControlError::Invalid(error.to_string());
    let mut merged = serde_json::to_value(current).map_err(invalid)?;
    merge(&mut merged, Value::Object(patch));
    serde_json::from_value(merged).map_err(invalid)
}

fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

/// The fake world's time.
#[derive(Serialize, ToSchema)]
pub(super) struct ClockView {
    /// Now, in milliseconds since 1970.
    now_ms: TimeMs,
    /// How far ahead of the machine's clock.
    shift_ms: TimeMs,
}

/// What time it is in the fake world.
#[utoipa::path(get, path = "/clock", tag = "settings",
    responses((status = 200, description = "Done", body = ClockView)))]
pub(super) async fn clock(State(sandbox): State<Sandbox>) -> Json<ClockView> {
    Json(ClockView { now_ms: sandbox.clock().now(), shift_ms: sandbox.clock().shift_ms() })
}

/// How far to move the clock.
#[derive(Deserialize, ToSchema)]
pub(super) struct ClockShift {
    /// Milliseconds forward; negative: back.
    by_ms: TimeMs,
}

/// Moves the fake world's clock: windows, link expiry, rates and the times in webhooks follow it.
#[utoipa::path(post, path = "/clock/shift", tag = "settings", request_body = ClockShift,
    responses((status = 200, description = "Done", body = ClockView)))]
pub(super) async fn shift_clock(
    State(sandbox): State<Sandbox>,
    Body(shift): Body<ClockShift>,
) -> Json<ClockView> {
    sandbox.clock().shift(shift.by_ms);
    clock(State(sandbox)).await
}

/// Which target to verify.
#[derive(Deserialize, ToSchema)]
pub(super) struct VerifyRequest {
    /// Inbox whose target is meant; absent: the general one.
    #[serde(default)]
    inbox_id: Option<String>,
}

/// How the verification GET was answered.
#[derive(Serialize, ToSchema)]
pub(super) struct Verification {
    /// 200 and exactly the challenge came back.
    verified: bool,
    /// Status answered.
    http_status: u16,
    /// The challenge sent.
    challenge: String,
}

/// Sends Meta's verification GET (`hub.mode`, `hub.challenge`, `hub.verify_token`) to the callback URL.
#[utoipa::path(post, path = "/webhook/verify", tag = "settings", request_body = VerifyRequest,
    responses((status = 200, description = "Done", body = Verification),
        (status = 422, description = "Cannot be carried out as it stands", body = super::error::ControlErrorBody),
              (status = 502, description = "The business's server did not answer", body = super::error::ControlErrorBody)))]
pub(super) async fn verify_webhook(
    State(sandbox): State<Sandbox>,
    Body(request): Body<VerifyRequest>,
) -> Result<Json<Verification>, ControlError> {
    let (target, challenge) = {
        let mut world = sandbox.world();
        let general = world.settings.webhook.clone();
        let target = match &request.inbox_id {
            Some(id) => world
                .inboxes
                .get(id)
                .ok_or(ControlError::NotFound { what: "inbox" })?
                .webhook_target(&general),
            None => general,
        };
        (target, world.ids.decimal(10))
    };
    let url = target.url.ok_or_else(|| ControlError::Invalid("no webhook URL is set".to_owned()))?;
    let token = target.verify_token.unwrap_or_default();
    let query = [
        ("hub.mode", "subscribe"),
        ("hub.challenge", challenge.as_str()),
        ("hub.verify_token", token.as_str()),
    ];
    let answer = sandbox.http().get(&url).query(&query).send().await;
    let answer =
        answer.map_err(|error| ControlError::Gateway(format!("the callback did not answer: {error}")))?;
    let http_status = answer.status().as_u16();
    let text = answer.text().await.unwrap_or_default();
    Ok(Json(Verification { verified: http_status == 200 && text == challenge, http_status, challenge }))
}
