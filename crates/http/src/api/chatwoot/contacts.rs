//! People in Chatwoot.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::chatwoot::{self, Contact, ContactChanges, NewContact};
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

use super::failure::{Asked, Failure, Given};
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{Ids, JsonBody, Query};
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(search_chatwoot_contacts))
        .routes(routes!(create_chatwoot_contact))
        .routes(routes!(get_chatwoot_contact, change_chatwoot_contact))
}

/// A contact.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(examples(json!({ "success": true, "contact": { "id": 77, "name": "João Silva", "email": "joao@example.com",
    "phone_number": "+5511999999999", "custom_attributes": {} } })))]
struct ChatwootContactAnswer {
    /// True.
    success: bool,
    /// As Chatwoot writes it.
    #[schema(value_type = Object)]
    contact: Arc<Contact>,
}

/// What to look for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ChatwootContactsQuery {
    /// Letters of name, e-mail, number or identifier.
    #[param(min_length = 1, max_length = 200, pattern = "\\S", required = true)]
    q: Option<String>,
    /// From 1; fifteen on each.
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<u32>,
}

/// Contacts that were found.
#[derive(Serialize, utoipa::ToSchema)]
struct ChatwootContactsAnswer {
    /// True.
    success: bool,
    /// As Chatwoot writes them.
    #[schema(value_type = Vec<Object>)]
    contacts: Vec<Contact>,
    /// `count`, `current_page`, `has_more`, as Chatwoot says them.
    #[schema(value_type = Object)]
    meta: Map<String, Value>,
}

/// Searches contacts. Not kept: Chatwoot is asked each time, a hundred times a minute at most.
#[utoipa::path(get, path = "/api/v1/chatwoot/contacts/search", tag = "chatwoot", security(("token" = ["inbox:read"])),
    params(ChatwootContactsQuery), responses((status = 200, body = ChatwootContactsAnswer)))]
async fn search_chatwoot_contacts(
    State(state): State<HttpState>,
    Asked(InboxReader(caller)): Asked<InboxReader>,
    Asked(Query(wanted)): Asked<Query<ChatwootContactsQuery>>,
) -> Result<Json<ChatwootContactsAnswer>, Failure> {
    let words = wanted.q.as_deref().map(str::trim).filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| ApiError::invalid("q", "The q field is required."))?;
    if words.chars().count() > 200 {
        return Err(ApiError::invalid("q", "The q field must not be longer than 200 characters.").into());
    }
    let page = wanted.page.unwrap_or(1);
    if !(1..=1_000_000).contains(&page) {
        return Err(ApiError::invalid("page", "The page field must be between 1 and 1000000.").into());
    }
    let chatwoot = chatwoot::of(&state.engine, caller.account_id).await?;
    let found = chatwoot.client().search_contacts(words, page).await?;
    Ok(Json(ChatwootContactsAnswer { success: true, contacts: found.data, meta: found.meta }))
}

/// Shows a contact, at most ten minutes old; what changed is fetched anew at once.
#[utoipa::path(get, path = "/api/v1/chatwoot/contacts/{id}", tag = "chatwoot", security(("token" = ["inbox:read"])),
    params(("id" = i64, Path, description = "Its id in Chatwoot")), responses((status = 200, body = ChatwootContactAnswer)))]
async fn get_chatwoot_contact(
    State(state): State<HttpState>,
    Asked(InboxReader(caller)): Asked<InboxReader>,
    Asked(Ids(id)): Asked<Ids<i64>>,
) -> Result<Json<ChatwootContactAnswer>, Failure> {
    let contact = chatwoot::of(&state.engine, caller.account_id).await?.get_contact(id).await?;
    Ok(Json(ChatwootContactAnswer { success: true, contact }))
}

/// A contact of Chatwoot: what it is to be, or what changes of it. Attributes are merged with those it has.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "name": "João Silva", "email": "joao@example.com", "phone_number": "+5511999999999" })))]
struct ChatwootContactFields {
    /// Its name.
    name: Option<String>,
    /// Its e-mail; no two contacts have the same.
    email: Option<String>,
    /// Its number, `+` and digits; no two contacts have the same.
    phone_number: Option<String>,
    /// The id that another system gave it; no two contacts have the same.
    identifier: Option<String>,
    /// Where its picture is.
    avatar_url: Option<String>,
    /// True: what it writes is dropped.
    blocked: Option<bool>,
    /// Attributes that people define.
    #[schema(value_type = Option<Object>)]
    custom_attributes: Option<Map<String, Value>>,
    /// Attributes that the server keeps: city, company…
    #[schema(value_type = Option<Object>)]
    additional_attributes: Option<Map<String, Value>>,
}

impl ChatwootContactFields {
    /// A contact that nothing names would never be found again.
    fn into_new(self) -> Result<NewContact, ApiError> {
        let texts = [&self.name, &self.email, &self.phone_number, &self.identifier];
        if texts.into_iter().flatten().all(|text| text.trim().is_empty()) {
            return Err(ApiError::invalid("name", "A name, email, phone_number or identifier is required."));
        }
        Ok(NewContact {
            name: self.name,
            email: self.email,
            phone_number: self.phone_number,
            identifier: self.identifier,
            avatar_url: self.avatar_url,
            blocked: self.blocked,
            custom_attributes: self.custom_attributes.unwrap_or_default(),
            additional_attributes: self.additional_attributes.unwrap_or_default(),
            ..NewContact::default()
        })
    }

    fn into_changes(self) -> ContactChanges {
        // An empty text takes the value away, as Chatwoot's own page does it.
        let changed = |text: Option<String>| text.map(|text| Some(text).filter(|text| !text.is_empty()));
        ContactChanges {
            name: self.name,
            email: changed(self.email),
            phone_number: changed(self.phone_number),
            identifier: changed(self.identifier),
            avatar_url: self.avatar_url,
            blocked: self.blocked,
            custom_attributes: self.custom_attributes.unwrap_or_default(),
            additional_attributes: self.additional_attributes.unwrap_or_default(),
        }
    }
}

/// Makes a contact. 409 `CONFLICT` when another has its e-mail, number or identifier.
#[utoipa::path(post, path = "/api/v1/chatwoot/contacts", tag = "chatwoot", security(("token" = ["inbox:write"])),
    request_body = ChatwootContactFields, responses((status = 201, body = ChatwootContactAnswer)))]
async fn create_chatwoot_contact(
    State(state): State<HttpState>,
    Asked(InboxWriter(caller)): Asked<InboxWriter>,
    Given(JsonBody(body)): Given<JsonBody<ChatwootContactFields>>,
) -> Result<(StatusCode, Json<ChatwootContactAnswer>), Failure> {
    let new = body.into_new()?;
    let made = chatwoot::of(&state.engine, caller.account_id).await?.create_contact(&new).await?;
    let answer = ChatwootContactAnswer { success: true, contact: Arc::new(made.contact) };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Changes a contact. What is absent stays; an empty e-mail, number or identifier is taken away.
#[utoipa::path(patch, path = "/api/v1/chatwoot/contacts/{id}", tag = "chatwoot", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), request_body = ChatwootContactFields,
    responses((status = 200, body = ChatwootContactAnswer)))]
async fn change_chatwoot_contact(
    State(state): State<HttpState>,
    Asked(InboxWriter(caller)): Asked<InboxWriter>,
    Asked(Ids(id)): Asked<Ids<i64>>,
    Given(JsonBody(body)): Given<JsonBody<ChatwootContactFields>>,
) -> Result<Json<ChatwootContactAnswer>, Failure> {
    let chatwoot = chatwoot::of(&state.engine, caller.account_id).await?;
    let contact = Arc::new(chatwoot.update_contact(id, &body.into_changes()).await?);
    Ok(Json(ChatwootContactAnswer { success: true, contact }))
}
