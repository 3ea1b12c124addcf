//! Contacts: who a customer is.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::contacts::{self, ContactChanges};
use frontdesk_engine::erase;
use frontdesk_engine::views::{ContactView, Viewer};
use frontdesk_model::{AccountId, ContactId};
use frontdesk_routes::{Gather, routes};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::conversations::given;
use crate::auth::{AdminUser, InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{Ids, JsonBody};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(get_contact, change_contact, erase_contact))
}

/// What is absent stays; null or empty removes it.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "name": "Sheena Nelson", "email": "sheena@example.org", "custom_fields": { "city": "Bandung" } })))]
struct ChangeContact {
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 120)]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 254, pattern = "^$|^[^@\\s\\x00-\\x1f\\x7f-\\x9f]+@[^@\\s\\x00-\\x1f\\x7f-\\x9f]+$")]
    email: Option<Option<String>>,
    /// What people note beside it: up to 50 fields, each a text of at most 500 characters, a number, true or false; null
    /// takes one away. Names are of a-z, 0-9 and _; what begins with `chatwoot_` is Chatwoot's.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    custom_fields: Map<String, Value>,
}

/// Shows a contact with the names networks know it by and its conversations.
#[utoipa::path(get, path = "/api/v1/contacts/{id}", tag = "contacts", security(("token" = ["inbox:read"])),
    params(("id" = i64, Path)), responses((status = 200, body = ContactView)))]
async fn get_contact(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids(id): Ids<ContactId>,
) -> Result<Json<ContactView>, ApiError> {
    show(&state, caller.account_id, id).await
}

/// Changes a contact. A name given here is not replaced by profile names any more.
#[utoipa::path(patch, path = "/api/v1/contacts/{id}", tag = "contacts", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), request_body = ChangeContact, responses((status = 200, body = ContactView)))]
async fn change_contact(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ContactId>,
    JsonBody(body): JsonBody<ChangeContact>,
) -> Result<Json<ContactView>, ApiError> {
    let changes = ContactChanges { name: body.name, email: body.email, custom_fields: body.custom_fields };
    contacts::change(&state.engine, caller.actor(), id, changes).await?;
    show(&state, caller.account_id, id).await
}

/// Erases a contact for good: their conversations, messages, files, names and raw webhooks. The audit trail keeps ids.
/// Open pages are told by `ConversationMerged` into none. Answers when it is done.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}", tag = "contacts", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 204)))]
async fn erase_contact(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<ContactId>,
) -> Result<StatusCode, ApiError> {
    erase::erase(&state.engine, caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show(state: &HttpState, account: AccountId, id: ContactId) -> Result<Json<ContactView>, ApiError> {
    let viewer = Viewer::new(&state.engine).await?;
    let found = state.engine.store.read(move |tx| viewer.contact(tx, account, id)).await?;
    found.map(Json).ok_or_else(|| ApiError::not_found("contact"))
}
