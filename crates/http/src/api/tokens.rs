//! API tokens: everyone their own, admins all of the account.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::caller::Caller;
use frontdesk_engine::tokens::{self, NewToken};
use frontdesk_model::user::Ability;
use frontdesk_model::{Timestamp, TokenId, UserId};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::api_tokens::TokenRow;
use serde::{Deserialize, Serialize};

use crate::auth::AccountHolder;
use crate::error::ApiError;
use crate::input::{Ids, JsonBody, Query};
use crate::paging::{Page, PageQuery};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(list_tokens, create_token)).routes(routes!(revoke_token))
}

/// A token without its secret.
#[derive(Serialize, utoipa::ToSchema)]
struct Token {
    id: i64,
    name: String,
    user: TokenUser,
    abilities: Vec<Ability>,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_used_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Whose it is.
#[derive(Serialize, utoipa::ToSchema)]
struct TokenUser {
    id: i64,
    name: String,
}

/// A token just made, with its secret.
#[derive(Serialize, utoipa::ToSchema)]
struct IssuedToken {
    /// `id|secret`: shown now and never again.
    token: String,
    #[serde(flatten)]
    shown: Token,
}

impl From<TokenRow> for Token {
    fn from(row: TokenRow) -> Self {
        Self {
            id: row.id.0,
            name: row.name,
            user: TokenUser { id: row.user_id.0, name: row.user_name },
            abilities: row.abilities,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            created_at: row.created_at,
        }
    }
}

/// A token to make.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "name": "Nightly report", "abilities": ["inbox:read"], "expires_at": "2031-01-31T00:00:00Z" })))]
struct CreateToken {
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    name: String,
    /// Absent: `*`, all its user may. Only an administrator can give `admin`.
    #[schema(min_items = 1)]
    abilities: Option<Vec<Ability>>,
    /// When it ends, in the future. Absent or null: not by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// Lists the caller's tokens; for admins, those of everyone.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", security(("token" = ["*"])), params(PageQuery),
    responses((status = 200, body = Page<Token>)))]
async fn list_tokens(
    State(state): State<HttpState>,
    AccountHolder(caller): AccountHolder,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Token>>, ApiError> {
    let (limit, after) = (page.limit()?, TokenId(page.key(0)?));
    let of_user = visible_user(&caller);
    let rows = tokens::list(&state.engine, caller.account_id, of_user, after, limit + 1).await?;
    Ok(Json(Page::of(rows, limit, |row| row.id.0, Token::from)))
}

/// Makes a token of the caller's own.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", security(("token" = ["*"])), request_body = CreateToken,
    responses((status = 201, body = IssuedToken)))]
async fn create_token(
    State(state): State<HttpState>,
    AccountHolder(caller): AccountHolder,
    JsonBody(body): JsonBody<CreateToken>,
) -> Result<(StatusCode, Json<IssuedToken>), ApiError> {
    let abilities = body.abilities.unwrap_or_else(|| vec![Ability::All]);
    if let Some(refused) = abilities.iter().find(|ability| !caller.may(**ability)) {
        let sentence = format!("Only an administrator can make a token with the ability {refused}.");
        return Err(ApiError::invalid("abilities", sentence));
    }
    let new = NewToken { user_id: caller.user_id, name: body.name, abilities, expires_at: body.expires_at };
    let issued = tokens::create(&state.engine, caller.actor(), new).await?;
    Ok((StatusCode::CREATED, Json(IssuedToken { token: issued.token, shown: issued.row.into() })))
}

/// Ends a token: one's own, or as an admin anyone's.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens", security(("token" = ["*"])),
    params(("id" = i64, Path)), responses((status = 204)))]
async fn revoke_token(
    State(state): State<HttpState>,
    AccountHolder(caller): AccountHolder,
    Ids(id): Ids<TokenId>,
) -> Result<StatusCode, ApiError> {
    tokens::revoke(&state.engine, caller.actor(), id, visible_user(&caller)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose tokens the caller sees: their own, or everyone's.
fn visible_user(caller: &Caller) -> Option<UserId> {
    (!caller.may(Ability::Admin)).then_some(caller.user_id)
}
