//! Users: for admins to manage, and their names for everyone.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::users::{self, NewUser, UserChanges};
use frontdesk_model::user::Role;
use frontdesk_model::{Timestamp, UserId};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::users::UserRow;
use serde::{Deserialize, Serialize};

use crate::auth::{AdminUser, SignedIn};
use crate::error::ApiError;
use crate::input::{Ids, JsonBody, Query};
use crate::paging::{Page, PageQuery};
use crate::state::HttpState;

/// Colleagues shown to choose from.
const MAX_AGENTS: i64 = 1000;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_users, create_user))
        .routes(routes!(list_agents))
        .routes(routes!(update_user))
}

/// Someone who signs in.
#[derive(Serialize, utoipa::ToSchema)]
struct User {
    id: i64,
    email: String,
    name: String,
    role: Role,
    disabled: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_seen_at: Option<Timestamp>,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id.0,
            email: row.email,
            name: row.name,
            role: row.role,
            disabled: row.disabled_at.is_some(),
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
        }
    }
}

/// Someone to add.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({
    "email": "ayu@example.org", "name": "Ayu Lestari", "role": "agent", "password": "correct horse battery",
})))]
struct CreateUser {
    #[schema(max_length = 254, pattern = "^[^@\\s\\x00-\\x1f\\x7f-\\x9f]+@[^@\\s\\x00-\\x1f\\x7f-\\x9f]+$")]
    email: String,
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    name: String,
    role: Role,
    #[schema(format = Password, min_length = 10, max_length = 256)]
    password: String,
}

/// What is absent or null stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "name": "Ayu Lestari", "role": "admin" })))]
struct UpdateUser {
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    name: Option<String>,
    role: Option<Role>,
    /// Ends all sign-ins and tokens of the user.
    #[schema(format = Password, min_length = 10, max_length = 256)]
    password: Option<String>,
    /// True ends all sign-ins and tokens of the user and refuses new ones.
    disabled: Option<bool>,
}

/// A colleague.
#[derive(Serialize, utoipa::ToSchema)]
struct Agent {
    id: i64,
    name: String,
}

/// All colleagues who can sign in.
#[derive(Serialize, utoipa::ToSchema)]
struct Agents {
    data: Vec<Agent>,
}

/// Lists the users of the account, the oldest first.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", security(("token" = ["admin"])), params(PageQuery),
    responses((status = 200, body = Page<User>)))]
async fn list_users(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<User>>, ApiError> {
    let (limit, after) = (page.limit()?, UserId(page.key(0)?));
    let rows = users::list(&state.engine, caller.account_id, after, limit + 1).await?;
    Ok(Json(Page::of(rows, limit, |row| row.id.0, User::from)))
}

/// Adds a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", security(("token" = ["admin"])), request_body = CreateUser,
    responses((status = 201, body = User)))]
async fn create_user(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    JsonBody(body): JsonBody<CreateUser>,
) -> Result<(StatusCode, Json<User>), ApiError> {
    let new = NewUser { email: body.email, name: body.name, role: body.role, password: body.password };
    let row = users::create(&state.engine, caller.actor(), new).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Changes a user. The last admin who can sign in can be neither demoted nor disabled.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", security(("token" = ["admin"])),
    params(("id" = i64, Path)), request_body = UpdateUser, responses((status = 200, body = User)))]
async fn update_user(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<UserId>,
    JsonBody(body): JsonBody<UpdateUser>,
) -> Result<Json<User>, ApiError> {
    let changes =
        UserChanges { name: body.name, role: body.role, password: body.password, disabled: body.disabled };
    Ok(Json(users::update(&state.engine, caller.actor(), id, changes).await?.into()))
}

/// Lists the colleagues a conversation can be assigned to, by name.
#[utoipa::path(get, path = "/api/v1/users/agents", tag = "users", security(("token" = [])),
    responses((status = 200, body = Agents)))]
async fn list_agents(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
) -> Result<Json<Agents>, ApiError> {
    let account = caller.account_id;
    let list =
        move |tx: &mut frontdesk_store::Tx<'_>| frontdesk_store::users::list_active(tx, account, MAX_AGENTS);
    let rows = state.engine.store.read(list).await?;
    Ok(Json(Agents { data: rows.into_iter().map(|(id, name)| Agent { id: id.0, name }).collect() }))
}
