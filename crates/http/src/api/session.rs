//! Signing in to the page, and out.

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use frontdesk_engine::caller::Caller;
use frontdesk_engine::{own_password, sessions};
use frontdesk_model::user::Role;
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};

use crate::address::ClientAddress;
use crate::auth::{self, AccountHolder, COOKIE_NAME, SignedIn};
use crate::error::{ApiError, ErrorBody};
use crate::input::JsonBody;
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(sign_in, get_session, sign_out)).routes(routes!(change_password))
}

/// Who signs in.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "email": "ayu@example.org", "password": "correct horse battery" })))]
struct Credentials {
    #[schema(format = Password)]
    password: String,
    email: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
struct ChangePassword {
    #[schema(format = Password)]
    current_password: String,
    /// At least 10 characters.
    #[schema(format = Password, min_length = 10, max_length = 256)]
    new_password: String,
}

/// Who is signed in.
#[derive(Serialize, utoipa::ToSchema)]
struct Me {
    id: i64,
    name: String,
    email: String,
    role: Role,
    account: MyAccount,
}

/// Where they belong.
#[derive(Serialize, utoipa::ToSchema)]
struct MyAccount {
    id: i64,
    name: String,
}

impl From<Caller> for Me {
    fn from(caller: Caller) -> Self {
        Self {
            id: caller.user_id.0,
            name: caller.name,
            email: caller.email,
            role: caller.role,
            account: MyAccount { id: caller.account_id.0, name: caller.account_name },
        }
    }
}

/// Signs in: the answer sets the cookie of the page.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = Credentials,
    responses((status = 200, description = "Signed in", body = Me, headers(("Set-Cookie" = String, description = "The cookie"))),
        (status = 401, body = ErrorBody, description = "Wrong e-mail address or password"),
        (status = 403, body = ErrorBody, description = "A page of another site asked")))]
async fn sign_in(
    State(state): State<HttpState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    JsonBody(body): JsonBody<Credentials>,
) -> Result<impl IntoResponse, ApiError> {
    if headers.contains_key("sec-fetch-site") || headers.contains_key("origin") {
        auth::check_same_origin(&Method::POST, &headers, &state.engine.settings.public_url)?;
    }
    let signed_in = sessions::sign_in(&state.engine, &body.email, &body.password, address).await?;
    let cookie = cookie(&state, &signed_in.token, signed_in.max_age_secs);
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(Me::from(signed_in.caller))))
}

/// Tells who is signed in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", security(("token" = [])), responses((status = 200, body = Me)))]
async fn get_session(SignedIn(caller): SignedIn) -> Json<Me> {
    Json(caller.into())
}

/// Signs out. Fine when nobody is signed in.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", 
    responses((status = 204), (status = 403, body = ErrorBody, description = "A page of another site asked")))]
async fn sign_out(State(state): State<HttpState>, headers: HeaderMap) -> Result<impl IntoResponse, ApiError> {
    if let Some(token) = auth::session_token(&headers) {
        auth::check_same_origin(&Method::DELETE, &headers, &state.engine.settings.public_url)?;
        sessions::sign_out(&state.engine, token).await?;
    }
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie(&state, "", 0))])))
}

/// Changes one's own password. All other sign-ins of the user end; API tokens stay.
#[utoipa::path(post, path = "/api/v1/session/password", tag = "session", security(("token" = ["*"])),
    request_body = ChangePassword, responses((status = 204), (status = 429, body = ErrorBody)))]
async fn change_password(
    State(state): State<HttpState>,
    AccountHolder(caller): AccountHolder,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ChangePassword>,
) -> Result<StatusCode, ApiError> {
    let cookie = auth::session_token(&headers).filter(|_| caller.token.is_none());
    let ChangePassword { current_password, new_password } = body;
    own_password::change(&state.engine, &caller, cookie, current_password, new_password, address).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The cookie; `Secure` wherever the page is reached by HTTPS.
fn cookie(state: &HttpState, token: &str, max_age_secs: i64) -> String {
    let secure = if state.engine.settings.public_url.starts_with("https://") { "; Secure" } else { "" };
    format!("{COOKIE_NAME}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_secs}{secure}")
}
