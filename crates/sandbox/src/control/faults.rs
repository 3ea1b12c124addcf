//! Fault rules per channel.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::Body;
use super::error::{ControlError, ControlErrorBody};
use crate::channel::Channel;
use crate::faults::FaultRule;
use crate::sandbox::Sandbox;

/// Rules of one channel at most.
const RULES_MAX: usize = 100;

/// All rules with how often they struck.
#[utoipa::path(get, path = "/faults", tag = "faults",
    responses((status = 200, description = "Done", body = BTreeMap<String, Vec<FaultRule>>)))]
pub(super) async fn list(State(sandbox): State<Sandbox>) -> Json<BTreeMap<&'static str, Vec<FaultRule>>> {
    let world = sandbox.world();
    let rules = |channel: &Channel| world.faults.get(channel).cloned().unwrap_or_default();
    Json(Channel::ALL.iter().map(|channel| (channel.name(), rules(channel))).collect())
}

/// Takes all rules away.
#[utoipa::path(delete, path = "/faults", tag = "faults", responses((status = 204, description = "Done")))]
pub(super) async fn clear_all(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.world().faults.clear();
    sandbox.changed("faults", None, None);
    StatusCode::NO_CONTENT
}

/// Replaces a channel's rules. The first rule that strikes wins.
#[utoipa::path(put, path = "/faults/{channel}", tag = "faults", params(("channel" = Channel, Path)),
    request_body = Vec<FaultRule>,
    responses((status = 200, description = "Done", body = Vec<FaultRule>),
        (status = 422, description = "Cannot be carried out as it stands", body = ControlErrorBody)))]
pub(super) async fn replace(
    State(sandbox): State<Sandbox>,
    Path(channel): Path<Channel>,
    Body(rules): Body<Vec<FaultRule>>,
) -> Result<Json<Vec<FaultRule>>, ControlError> {
    check(&rules)?;
    sandbox.world().faults.insert(channel, rules.clone());
    sandbox.changed("faults", None, None);
    Ok(Json(rules))
}

/// Adds a rule to a channel.
#[utoipa::path(post, path = "/faults/{channel}", tag = "faults", params(("channel" = Channel, Path)),
    request_body = FaultRule,
    responses((status = 201, description = "Made", body = Vec<FaultRule>),
        (status = 422, description = "Cannot be carried out as it stands", body = ControlErrorBody)))]
pub(super) async fn add(
    State(sandbox): State<Sandbox>,
    Path(channel): Path<Channel>,
    Body(rule): Body<FaultRule>,
) -> Result<(StatusCode, Json<Vec<FaultRule>>), ControlError> {
    let mut world = sandbox.world();
    let rules = world.faults.entry(channel).or_default();
    let mut all = rules.clone();
    all.push(rule);
    check(&all)?;
    rules.clone_from(&all);
    drop(world);
    sandbox.changed("faults", None, None);
    Ok((StatusCode::CREATED, Json(all)))
}

/// Takes a channel's rules away.
#[utoipa::path(delete, path = "/faults/{channel}", tag = "faults", params(("channel" = Channel, Path)),
    responses((status = 204, description = "Done")))]
pub(super) async fn clear(State(sandbox): State<Sandbox>, Path(channel): Path<Channel>) -> StatusCode {
    sandbox.world().faults.remove(&channel);
    sandbox.changed("faults", None, None);
    StatusCode::NO_CONTENT
}

fn check(rules: &[FaultRule]) -> Result<(), ControlError> {
    if rules.len() > RULES_MAX {
        return Err(ControlError::Invalid(format!("a channel has at most {RULES_MAX} rules")));
    }
    if rules.iter().any(|rule| !(0.0..=1.0).contains(&rule.rate)) {
        return Err(ControlError::Invalid("rate must be between 0 and 1".to_owned()));
    }
    Ok(())
}
