//! Inboxes and templates.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::Body;
use super::error::{ControlError, ControlErrorBody};
use super::settings::patched;
use crate::channel::Channel;
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;
use crate::template::Template;

/// Inboxes at most.
const INBOXES_MAX: usize = 1_000;

/// All inboxes.
#[utoipa::path(get, path = "/inboxes", tag = "inboxes",
    responses((status = 200, description = "Done", body = Vec<Inbox>)))]
pub(super) async fn list(State(sandbox): State<Sandbox>) -> Json<Vec<Inbox>> {
    Json(sandbox.world().inboxes.values().cloned().collect())
}

/// Adds an inbox.
#[utoipa::path(post, path = "/inboxes", tag = "inboxes", request_body = Inbox,
    responses((status = 201, description = "Made", body = Inbox),
        (status = 409, description = "Id or address is taken", body = ControlErrorBody),
        (status = 422, description = "Cannot be carried out as it stands", body = ControlErrorBody)))]
pub(super) async fn create(
    State(sandbox): State<Sandbox>,
    Body(inbox): Body<Inbox>,
) -> Result<(StatusCode, Json<Inbox>), ControlError> {
    let message = match inbox.channel {
        Channel::Chatwoot => Some("inboxes of Chatwoot are made by its own API, below /chatwoot"),
        Channel::Openai => Some("a language model has no inboxes"),
        _ => None,
    };
    if let Some(message) = message {
        return Err(ControlError::Invalid(message.to_owned()));
    }
    let mut world = sandbox.world();
    let taken = |other: &Inbox| other.id == inbox.id || other.account_id == inbox.account_id;
    if world.inboxes.len() >= INBOXES_MAX || world.inboxes.values().any(taken) {
        return Err(ControlError::Conflict("another inbox has this id or account id".to_owned()));
    }
    world.inboxes.insert(inbox.id.clone(), inbox.clone());
    Ok((StatusCode::CREATED, Json(inbox)))
}

/// One inbox.
#[utoipa::path(get, path = "/inboxes/{id}", tag = "inboxes", params(("id" = String, Path)),
    responses((status = 200, description = "Done", body = Inbox),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn read(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Result<Json<Inbox>, ControlError> {
    sandbox.world().inboxes.get(&id).cloned().map(Json).ok_or(ControlError::NotFound { what: "inbox" })
}

/// Changes the fields given (merge patch); the id stays.
#[utoipa::path(patch, path = "/inboxes/{id}", tag = "inboxes", params(("id" = String, Path)), request_body = Inbox,
    responses((status = 200, description = "Done", body = Inbox),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn change(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(mut patch): Body<Map<String, Value>>,
) -> Result<Json<Inbox>, ControlError> {
    patch.remove("id");
    let mut world = sandbox.world();
    let inbox = world.inboxes.get_mut(&id).ok_or(ControlError::NotFound { what: "inbox" })?;
    let changed: Inbox = patched(&*inbox, patch)?;
    *inbox = changed.clone();
    Ok(Json(changed))
}

/// Removes an inbox.
#[utoipa::path(delete, path = "/inboxes/{id}", tag = "inboxes", params(("id" = String, Path)),
    responses((status = 204, description = "Done"),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn delete(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Result<StatusCode, ControlError> {
    let removed = sandbox.world().inboxes.remove(&id);
    removed.map(|_inbox| StatusCode::NO_CONTENT).ok_or(ControlError::NotFound { what: "inbox" })
}

/// WhatsApp templates of the fake business account.
#[utoipa::path(get, path = "/templates", tag = "inboxes",
    responses((status = 200, description = "Done", body = Vec<Template>)))]
pub(super) async fn templates(State(sandbox): State<Sandbox>) -> Json<Vec<Template>> {
    Json(sandbox.world().templates.clone())
}

/// Adds a template, or replaces the one of the same name and language.
#[utoipa::path(post, path = "/templates", tag = "inboxes", request_body = Template,
    responses((status = 200, description = "Done", body = Template)))]
pub(super) async fn put_template(
    State(sandbox): State<Sandbox>,
    Body(template): Body<Template>,
) -> Json<Template> {
    let mut world = sandbox.world();
    world.templates.retain(|other| other.name != template.name || other.language != template.language);
    world.templates.push(template.clone());
    Json(template)
}
