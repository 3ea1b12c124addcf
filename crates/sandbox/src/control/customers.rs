//! Customers and their chats.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{ControlError, ControlErrorBody};
use super::{Body, Params};
use crate::channel::Channel;
use crate::chat::Chat;
use crate::customer::{Customer, CustomerPatch, NewCustomer};
use crate::linked::events;
use crate::phone::action::CustomerMessage;
use crate::phone::{self, Written};
use crate::sandbox::Sandbox;

/// Customers on a page at most.
const PAGE_MAX: usize = 1_000;

/// A part of the customers.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Id after which the page begins.
    #[serde(default)]
    after: String,
    /// Customers on the page, at most 1000.
    #[serde(default = "default_limit")]
    limit: usize,
}

fn default_limit() -> usize {
    100
}

/// Customers, by id.
#[utoipa::path(get, path = "/customers", tag = "customers", params(ListParams),
    responses((status = 200, description = "Done", body = Vec<Customer>)))]
pub(super) async fn list(
    State(sandbox): State<Sandbox>,
    Params(params): Params<ListParams>,
) -> Json<Vec<Customer>> {
    let world = sandbox.world();
    let later = world.customers.range(params.after.clone()..).filter(|(id, _)| **id != params.after);
    Json(later.take(params.limit.min(PAGE_MAX)).map(|(_, customer)| customer.clone()).collect())
}

/// Makes a customer; what is absent is made up.
#[utoipa::path(post, path = "/customers", tag = "customers", request_body = NewCustomer,
    responses((status = 201, description = "Made", body = Customer),
        (status = 409, description = "Id or address is taken", body = ControlErrorBody)))]
pub(super) async fn create(
    State(sandbox): State<Sandbox>,
    Body(new): Body<NewCustomer>,
) -> Result<(StatusCode, Json<Customer>), ControlError> {
    let customer = sandbox.world().add_customer(new)?;
    sandbox.changed("customer", Some(&customer.id), None);
    Ok((StatusCode::CREATED, Json(customer)))
}

/// One customer.
#[utoipa::path(get, path = "/customers/{id}", tag = "customers", params(("id" = String, Path)),
    responses((status = 200, description = "Done", body = Customer),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn read(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Result<Json<Customer>, ControlError> {
    sandbox.world().customers.get(&id).cloned().map(Json).ok_or(ControlError::NotFound { what: "customer" })
}

/// Changes the fields given. Turning the phone on delivers what waited.
#[utoipa::path(patch, path = "/customers/{id}", tag = "customers", params(("id" = String, Path)),
    request_body = CustomerPatch,
    responses((status = 200, description = "Done", body = Customer),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn change(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(patch): Body<CustomerPatch>,
) -> Result<Json<Customer>, ControlError> {
    let (customer, came_online) = {
        let mut world = sandbox.world();
        let customer = world.customers.get_mut(&id).ok_or(ControlError::NotFound { what: "customer" })?;
        let was_online = customer.online;
        customer.name = patch.name.unwrap_or_else(|| customer.name.clone());
        customer.username = patch.username.or_else(|| customer.username.clone());
        customer.on_whatsapp = patch.on_whatsapp.unwrap_or(customer.on_whatsapp);
        customer.online = patch.online.unwrap_or(customer.online);
        customer.blocked = patch.blocked.unwrap_or(customer.blocked);
        (customer.clone(), customer.online && !was_online)
    };
    if came_online {
        phone::came_online(&sandbox, &id);
    }
    sandbox.changed("customer", Some(&id), None);
    Ok(Json(customer))
}

/// Removes a customer with all chats.
#[utoipa::path(delete, path = "/customers/{id}", tag = "customers", params(("id" = String, Path)),
    responses((status = 204, description = "Done"),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn delete(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Result<StatusCode, ControlError> {
    if !sandbox.world().remove_customer(&id) {
        return Err(ControlError::NotFound { what: "customer" });
    }
    sandbox.changed("customer", Some(&id), None);
    Ok(StatusCode::NO_CONTENT)
}

/// Does something as the customer: write, react, edit, unsend, press a button. The webhook follows.
#[utoipa::path(post, path = "/customers/{id}/messages", tag = "customers", params(("id" = String, Path)),
    request_body = CustomerMessage,
    responses((status = 201, description = "Made", body = Written),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody),
        (status = 422, description = "Cannot be carried out as it stands", body = ControlErrorBody)))]
pub(super) async fn write(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(mut message): Body<CustomerMessage>,
) -> Result<(StatusCode, Json<Written>), ControlError> {
    message.action = message.action.with_usual_sample();
    Ok((StatusCode::CREATED, Json(phone::act(&sandbox, &id, &message)?)))
}

/// A new number.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewNumber {
    /// In any spelling.
    phone: String,
}

/// Gives the customer another number and user id; WhatsApp inboxes that know them get a `system` message.
#[utoipa::path(post, path = "/customers/{id}/number", tag = "customers", params(("id" = String, Path)),
    request_body = NewNumber,
    responses((status = 200, description = "Done", body = Customer),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn change_number(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(number): Body<NewNumber>,
) -> Result<Json<Customer>, ControlError> {
    Ok(Json(phone::change_number(&sandbox, &id, &number.phone)?))
}

/// A chat with the customer's side of the inbox.
#[derive(Serialize, ToSchema)]
pub(super) struct ChatView {
    /// The chat.
    #[serde(flatten)]
    chat: Chat,
    /// Whether the reply window is open now.
    window_open: bool,
    /// Whether the business shows "typing…" now.
    business_typing: bool,
}

/// The chat as the customer's phone shows it; empty when none was begun.
#[utoipa::path(get, path = "/customers/{id}/chats/{inbox_id}", tag = "customers",
    params(("id" = String, Path), ("inbox_id" = String, Path)),
    responses((status = 200, description = "Done", body = ChatView),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn chat(
    State(sandbox): State<Sandbox>,
    Path((id, inbox_id)): Path<(String, String)>,
) -> Result<Json<ChatView>, ControlError> {
    let world = sandbox.world();
    if !world.customers.contains_key(&id) || !world.inboxes.contains_key(&inbox_id) {
        return Err(ControlError::NotFound { what: "customer or inbox" });
    }
    let chat = world.find_chat(&id, &inbox_id).cloned().unwrap_or_default();
    let now = sandbox.clock().now();
    let window_open = chat.wrote_within(world.settings.limits.window_hours, now);
    let business_typing = chat.business_typing_until_ms.is_some_and(|until| now < until);
    Ok(Json(ChatView { chat, window_open, business_typing }))
}

/// The customer opens the chat: everything in it is read, and what comes later is read at once.
#[utoipa::path(post, path = "/customers/{id}/chats/{inbox_id}/open", tag = "customers",
    params(("id" = String, Path), ("inbox_id" = String, Path)),
    responses((status = 204, description = "Done"),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn open(
    State(sandbox): State<Sandbox>,
    Path((id, inbox_id)): Path<(String, String)>,
) -> Result<StatusCode, ControlError> {
    phone::open(&sandbox, &id, &inbox_id, true)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The customer leaves the chat.
#[utoipa::path(post, path = "/customers/{id}/chats/{inbox_id}/close", tag = "customers",
    params(("id" = String, Path), ("inbox_id" = String, Path)),
    responses((status = 204, description = "Done"),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn close(
    State(sandbox): State<Sandbox>,
    Path((id, inbox_id)): Path<(String, String)>,
) -> Result<StatusCode, ControlError> {
    phone::open(&sandbox, &id, &inbox_id, false)?;
    Ok(StatusCode::NO_CONTENT)
}

/// How long the customer was silent.
#[derive(Deserialize, ToSchema)]
pub(super) struct Silence {
    /// Hours.
    #[serde(default = "default_silence")]
    hours: u32,
}

fn default_silence() -> u32 {
    24
}

/// Makes the customer's last message older by so many hours, as if time had passed: 24 closes the reply window.
#[utoipa::path(post, path = "/customers/{id}/chats/{inbox_id}/silence", tag = "customers", request_body = Silence,
    params(("id" = String, Path), ("inbox_id" = String, Path)),
    responses((status = 204, description = "Done"),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn silence(
    State(sandbox): State<Sandbox>,
    Path((id, inbox_id)): Path<(String, String)>,
    Body(silence): Body<Silence>,
) -> Result<StatusCode, ControlError> {
    phone::silence(&sandbox, &id, &inbox_id, silence.hours)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether the customer types.
#[derive(Deserialize, ToSchema)]
pub(super) struct Typing {
    /// True while typing.
    typing: bool,
}

/// The customer types. Meta tells nobody, so no webhook follows; networks that do tell use this.
#[utoipa::path(post, path = "/customers/{id}/chats/{inbox_id}/typing", tag = "customers", request_body = Typing,
    params(("id" = String, Path), ("inbox_id" = String, Path)),
    responses((status = 204, description = "Done"),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn typing(
    State(sandbox): State<Sandbox>,
    Path((id, inbox_id)): Path<(String, String)>,
    Body(typing): Body<Typing>,
) -> Result<StatusCode, ControlError> {
    let mut world = sandbox.world();
    if !world.customers.contains_key(&id) || !world.inboxes.contains_key(&inbox_id) {
        return Err(ControlError::NotFound { what: "customer or inbox" });
    }
    world.chat_mut(&id, &inbox_id).customer_typing = typing.typing;
    let linked = world.inboxes.get(&inbox_id).filter(|inbox| inbox.channel == Channel::LinkedWhatsapp);
    let told = linked.cloned().zip(world.customers.get(&id).cloned());
    drop(world);
    if let Some((inbox, customer)) = told {
        events::typing(&sandbox, &inbox, &customer, typing.typing);
    }
    sandbox.changed("chat", Some(&id), Some(&inbox_id));
    Ok(StatusCode::NO_CONTENT)
}
