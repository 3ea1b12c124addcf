//! The fake Chatwoot: its operator's settings, its accounts, and what customers do there.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Body;
use super::error::{ControlError, ControlErrorBody};
use super::settings::patched;
use crate::chatwoot::refusal::Refusal;
use crate::chatwoot::{ChatwootSettings, customers};
use crate::sandbox::Sandbox;

/// The server's settings.
#[utoipa::path(get, path = "/chatwoot", tag = "chatwoot",
    responses((status = 200, description = "Done", body = ChatwootSettings)))]
pub(super) async fn read(State(sandbox): State<Sandbox>) -> Json<ChatwootSettings> {
    Json(sandbox.world().chatwoot.settings.clone())
}

/// Changes the settings given (merge patch); `tokens` replaces all tokens.
#[utoipa::path(patch, path = "/chatwoot", tag = "chatwoot", request_body = ChatwootSettings,
    responses((status = 200, description = "Done", body = ChatwootSettings),
        (status = 422, description = "Cannot be carried out as it stands", body = ControlErrorBody)))]
pub(super) async fn change(
    State(sandbox): State<Sandbox>,
    Body(mut patch): Body<Map<String, Value>>,
) -> Result<Json<ChatwootSettings>, ControlError> {
    let tokens = patch.remove("tokens");
    let mut world = sandbox.world();
    let mut changed = patched(&world.chatwoot.settings, patch)?;
    if let Some(tokens) = tokens {
        let invalid = |error: serde_json::Error| ControlError::Invalid(error.to_string());
        changed.tokens = serde_json::from_value(tokens).map_err(invalid)?;
    }
    world.chatwoot.settings = changed;
    Ok(Json(world.chatwoot.settings.clone()))
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccount {
    /// Its id.
    id: i64,
    /// Its name.
    name: String,
}

/// Makes an account with two agents (1 is an administrator), an API inbox with the account's id, a team and two labels.
#[utoipa::path(post, path = "/chatwoot/accounts", tag = "chatwoot", request_body = NewAccount,
    responses((status = 201, description = "Made"),
        (status = 422, description = "Cannot be carried out as it stands", body = ControlErrorBody)))]
pub(super) async fn add_account(
    State(sandbox): State<Sandbox>,
    Body(account): Body<NewAccount>,
) -> Result<StatusCode, ControlError> {
    let mut world = sandbox.world();
    let crate::world::World { chatwoot, ids, .. } = &mut *world;
    if chatwoot.accounts.contains_key(&account.id) {
        return Err(ControlError::Invalid("an account has this id".to_owned()));
    }
    chatwoot.add_account(account.id, &account.name, ids);
    Ok(StatusCode::CREATED)
}

/// Something a customer writes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomerText {
    /// Inbox of Chatwoot; absent: the account's first.
    inbox_id: Option<i64>,
    /// The customer's number.
    phone: String,
    /// The customer's name, for a new contact.
    name: Option<String>,
    /// What it says.
    text: String,
}

/// Where it went.
#[derive(Serialize, ToSchema)]
pub(super) struct Written {
    /// Conversation, by the id that addresses show.
    conversation_id: i64,
    /// Message.
    message_id: i64,
}

/// Writes as a customer; contact and conversation are made where they lack.
#[utoipa::path(post, path = "/chatwoot/accounts/{account_id}/messages", tag = "chatwoot",
    params(("account_id" = i64, Path)), request_body = CustomerText,
    responses((status = 201, description = "Made", body = Written),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn write(
    State(sandbox): State<Sandbox>,
    Path(account_id): Path<i64>,
    Body(text): Body<CustomerText>,
) -> Result<(StatusCode, Json<Written>), ControlError> {
    let first = sandbox
        .world()
        .chatwoot
        .accounts
        .get(&account_id)
        .and_then(|account| account.inboxes.keys().next().copied());
    let inbox_id = text.inbox_id.or(first).ok_or(ControlError::NotFound { what: "account of Chatwoot" })?;
    let written =
        customers::write(&sandbox, account_id, inbox_id, &text.phone, text.name.as_deref(), &text.text);
    let (conversation_id, message_id) = written.map_err(refused)?;
    Ok((StatusCode::CREATED, Json(Written { conversation_id, message_id })))
}

/// Whether a customer types.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Typing {
    /// True: begins.
    on: bool,
}

/// The customer of a conversation begins or stops to type.
#[utoipa::path(post, path = "/chatwoot/accounts/{account_id}/conversations/{id}/typing", tag = "chatwoot",
    params(("account_id" = i64, Path), ("id" = i64, Path)), request_body = Typing,
    responses((status = 204, description = "Done"),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn typing(
    State(sandbox): State<Sandbox>,
    Path((account_id, id)): Path<(i64, i64)>,
    Body(typing): Body<Typing>,
) -> Result<StatusCode, ControlError> {
    customers::typing(&sandbox, account_id, id, typing.on).map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// How many.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Crowd {
    /// Contacts, at most 100,000.
    contacts: usize,
    /// Messages of each contact, in a conversation of its own; 0: no conversation.
    #[serde(default)]
    messages_each: usize,
}

/// Makes people and threads by the thousand; no webhook tells of them.
#[utoipa::path(post, path = "/chatwoot/accounts/{account_id}/crowd", tag = "chatwoot",
    params(("account_id" = i64, Path)), request_body = Crowd,
    responses((status = 201, description = "Made"),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody),
        (status = 422, description = "Cannot be carried out as it stands", body = ControlErrorBody)))]
pub(super) async fn crowd(
    State(sandbox): State<Sandbox>,
    Path(account_id): Path<i64>,
    Body(crowd): Body<Crowd>,
) -> Result<(StatusCode, Json<Value>), ControlError> {
    if crowd.contacts.saturating_mul(crowd.messages_each.max(1)) > customers::LOAD_MAX {
        return Err(ControlError::Invalid(format!("at most {} at a time", customers::LOAD_MAX)));
    }
    let made = customers::load(&sandbox, account_id, crowd.contacts, crowd.messages_each);
    Ok((StatusCode::CREATED, Json(made.map_err(refused)?)))
}

fn refused(refusal: Refusal) -> ControlError {
    match refusal {
        Refusal::NotFound => ControlError::NotFound { what: "account, inbox or conversation of Chatwoot" },
        other => ControlError::Invalid(format!("{other:?}")),
    }
}
