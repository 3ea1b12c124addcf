//! The fake language model.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};

use super::Body;
use super::error::{ControlError, ControlErrorBody};
use super::settings::patched;
use crate::openai::OpenaiSettings;
use crate::sandbox::Sandbox;

/// How it behaves.
#[utoipa::path(get, path = "/openai", tag = "openai",
    responses((status = 200, description = "Done", body = OpenaiSettings)))]
pub(super) async fn read(State(sandbox): State<Sandbox>) -> Json<OpenaiSettings> {
    Json(sandbox.world().openai.clone())
}

/// Changes the settings given; `manner` and `answers` as a whole. What it was sent is among the calls.
#[utoipa::path(patch, path = "/openai", tag = "openai", request_body = OpenaiSettings,
    responses((status = 200, description = "Done", body = OpenaiSettings),
        (status = 422, description = "Cannot be carried out as it stands", body = ControlErrorBody)))]
pub(super) async fn change(
    State(sandbox): State<Sandbox>,
    Body(mut patch): Body<Map<String, Value>>,
) -> Result<Json<OpenaiSettings>, ControlError> {
    let invalid = |error: serde_json::Error| ControlError::Invalid(error.to_string());
    let (manner, answers) = (patch.remove("manner"), patch.remove("answers"));
    let mut world = sandbox.world();
    let mut changed: OpenaiSettings = patched(&world.openai, patch)?;
    if let Some(manner) = manner {
        changed.manner = serde_json::from_value(manner).map_err(invalid)?;
    }
    if let Some(answers) = answers {
        changed.answers = serde_json::from_value(answers).map_err(invalid)?;
    }
    world.openai = changed;
    Ok(Json(world.openai.clone()))
}
