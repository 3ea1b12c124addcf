//! Signing in as a program does.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::Method;
use frontdesk_engine::web_tokens;
use frontdesk_model::Timestamp;
use frontdesk_model::user::Role;
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};

use crate::address::ClientAddress;
use crate::api::envelope::{EnvelopeRefusal, Told};
use crate::auth;
use crate::error::ApiError;
use crate::input::JsonBody;
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(log_in))
}

/// Who signs in.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "email": "ayu@example.org", "password": "correct horse battery" })))]
struct GatewayCredentials {
    email: String,
    #[schema(format = Password)]
    password: String,
}

/// A token just given.
#[derive(Serialize, utoipa::ToSchema)]
struct GatewayToken {
    /// To be sent as `Authorization: Bearer …`.
    token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// How long it holds, in seconds.
    expires_in: i64,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    user: GatewayUser,
}

/// Whose it is.
#[derive(Serialize, utoipa::ToSchema)]
struct GatewayUser {
    id: i64,
    name: String,
    email: String,
    role: Role,
}

/// Signs in: the token in `data.token` holds for 24 hours, for every route of the API.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "gateway", request_body = GatewayCredentials,
    responses((status = 200, description = "Signed in", body = Told<GatewayToken>),
        (status = 401, body = EnvelopeRefusal, description = "Wrong e-mail address or password"),
        (status = 403, body = EnvelopeRefusal, description = "A page of another site asked")))]
async fn log_in(
    State(state): State<HttpState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    JsonBody(body): JsonBody<GatewayCredentials>,
) -> Result<Json<Told<GatewayToken>>, ApiError> {
    if headers.contains_key("sec-fetch-site") || headers.contains_key("origin") {
        auth::check_same_origin(&Method::POST, &headers, &state.engine.settings.public_url)?;
    }
    let given = web_tokens::sign_in(&state.engine, &body.email, &body.password, address).await?;
    let caller = given.caller;
    let user =
        GatewayUser { id: caller.user_id.0, name: caller.name, email: caller.email, role: caller.role };
    let token = GatewayToken {
        token: given.token,
        token_type: "Bearer",
        expires_in: web_tokens::HOLDS_SECS,
        expires_at: given.expires_at,
        user,
    };
    Ok(Told::of(token, "Signed in."))
}
