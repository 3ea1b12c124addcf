//! Load runs.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{ControlError, ControlErrorBody};
use super::{Body, Params};
use crate::load::{self, LoadError, LoadPlan, LoadRecord, LoadSummary};
use crate::sandbox::Sandbox;

/// Runs that are remembered; the oldest finished ones go first.
const LOADS_KEPT: usize = 20;
/// Records on a page at most.
const PAGE_MAX: usize = 100_000;

/// All runs.
#[utoipa::path(get, path = "/loads", tag = "load",
    responses((status = 200, description = "Done", body = Vec<LoadSummary>)))]
pub(super) async fn list(State(sandbox): State<Sandbox>) -> Json<Vec<LoadSummary>> {
    Json(sandbox.world().loads.iter().map(|(id, load)| load.summary(id)).collect())
}

/// Starts a run: customers write at a steady rate, past the queue, faults and chats of the sandbox.
#[utoipa::path(post, path = "/loads", tag = "load", request_body = LoadPlan,
    responses((status = 201, description = "Made", body = LoadSummary),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody),
        (status = 422, description = "Cannot be carried out as it stands", body = ControlErrorBody)))]
pub(super) async fn start(
    State(sandbox): State<Sandbox>,
    Body(plan): Body<LoadPlan>,
) -> Result<(StatusCode, Json<LoadSummary>), ControlError> {
    forget_oldest(&sandbox)?;
    let id = load::start(&sandbox, plan).map_err(|error| match error {
        LoadError::NoInbox => ControlError::NotFound { what: "inbox" },
        LoadError::Customers(inner) => inner.into(),
        LoadError::NoTarget | LoadError::OutOfRange => ControlError::Invalid(error.to_string()),
    })?;
    Ok((StatusCode::CREATED, summary(&sandbox, &id)?))
}

fn forget_oldest(sandbox: &Sandbox) -> Result<(), ControlError> {
    let mut world = sandbox.world();
    if world.loads.len() < LOADS_KEPT {
        return Ok(());
    }
    let finished =
        world.loads.iter().filter_map(|(id, load)| load.finished_at_ms.map(|at| (at, id.clone()))).min();
    let (_, oldest) =
        finished.ok_or_else(|| ControlError::Conflict(format!("{LOADS_KEPT} runs are under way")))?;
    world.loads.remove(&oldest);
    Ok(())
}

/// One run with its figures.
#[utoipa::path(get, path = "/loads/{id}", tag = "load", params(("id" = String, Path)),
    responses((status = 200, description = "Done", body = LoadSummary),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn read(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Result<Json<LoadSummary>, ControlError> {
    summary(&sandbox, &id)
}

/// Ends a run after the POSTs under way; its ledger stays.
#[utoipa::path(delete, path = "/loads/{id}", tag = "load", params(("id" = String, Path)),
    responses((status = 204, description = "Done"),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn stop(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Result<StatusCode, ControlError> {
    let world = sandbox.world();
    world.loads.get(&id).ok_or(ControlError::NotFound { what: "load run" })?.stop();
    Ok(StatusCode::NO_CONTENT)
}

/// Which records of a run.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LedgerParams {
    /// How many to skip.
    #[serde(default)]
    offset: usize,
    /// Records on the page, at most 100,000.
    #[serde(default = "default_limit")]
    limit: usize,
}

fn default_limit() -> usize {
    10_000
}

/// A part of a run's ledger.
#[derive(Serialize, ToSchema)]
pub(super) struct LedgerPage {
    /// Messages in the order of their answers.
    data: Vec<LoadRecord>,
    /// Records in all.
    total: usize,
}

/// What was sent and how it was answered: acknowledged ids minus stored ids must be empty.
#[utoipa::path(get, path = "/loads/{id}/ledger", tag = "load", params(("id" = String, Path), LedgerParams),
    responses((status = 200, description = "Done", body = LedgerPage),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn ledger(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Params(params): Params<LedgerParams>,
) -> Result<Json<LedgerPage>, ControlError> {
    let world = sandbox.world();
    let load = world.loads.get(&id).ok_or(ControlError::NotFound { what: "load run" })?;
    let data = load.records.iter().skip(params.offset).take(params.limit.min(PAGE_MAX)).cloned().collect();
    Ok(Json(LedgerPage { data, total: load.records.len() }))
}

fn summary(sandbox: &Sandbox, id: &str) -> Result<Json<LoadSummary>, ControlError> {
    let world = sandbox.world();
    let load = world.loads.get(id).ok_or(ControlError::NotFound { what: "load run" })?;
    Ok(Json(load.summary(id)))
}
