//! Linked phones, as a page of the CRM links them: the same sessions as those of the gateway.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use frontdesk_engine::caller::Caller;
use frontdesk_engine::linked;
use frontdesk_model::linked::SessionStatus;
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};

use crate::api::envelope::{EnvelopeRefusal, Told};
use crate::api::gateway::code::{self, CodeQuery, ShownCode};
use crate::api::gateway::sessions::{self, LinkedSession, RemovedSession};
use crate::auth::{AdminUser, InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{JsonBody, Query, Word};
use crate::paging::PageQuery;
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_crm_sessions, create_crm_session))
        .routes(routes!(get_crm_session_qr))
        .routes(routes!(get_crm_session_status))
        .routes(routes!(delete_crm_session))
        .routes(routes!(switch_session))
}

/// A session to make.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "session_name": "cs-ayu" })))]
struct CreateCrmSession {
    /// What programs call it; unique within the account.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    session_name: String,
}

/// The sessions, and what goes on in them.
#[derive(Serialize, utoipa::ToSchema)]
struct CrmSessionList {
    /// True.
    success: bool,
    data: Vec<LinkedSession>,
    message: &'static str,
    /// Give it as `cursor` to go on; null on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// Which session to write with.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "session_id": "cs-ayu" })))]
struct SwitchSession {
    #[schema(min_length = 1, max_length = 64)]
    session_id: String,
}

/// The session written with from now on.
#[derive(Serialize, utoipa::ToSchema)]
struct ActiveSession {
    session_id: String,
    status: SessionStatus,
}

/// Lists the sessions of the account, the oldest first.
#[utoipa::path(get, path = "/api/crm/whatsapp/sessions", tag = "crm", security(("token" = ["inbox:read"])), params(PageQuery),
    responses((status = 200, body = CrmSessionList)))]
async fn list_crm_sessions(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(page): Query<PageQuery>,
) -> Result<Json<CrmSessionList>, ApiError> {
    let (data, next_cursor) = sessions::page_of(&state.engine, &caller, &page).await?;
    Ok(Json(CrmSessionList { success: true, data, message: "The sessions of the account.", next_cursor }))
}

/// Makes a session: ask for its code and scan it.
#[utoipa::path(post, path = "/api/crm/whatsapp/sessions", tag = "crm", security(("token" = ["admin"])),
    request_body = CreateCrmSession, responses((status = 201, body = Told<LinkedSession>)))]
async fn create_crm_session(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    JsonBody(body): JsonBody<CreateCrmSession>,
) -> Result<(StatusCode, Json<Told<LinkedSession>>), ApiError> {
    let made = sessions::make(&state.engine, &caller, body.session_name, None, None).await;
    let made = made.map_err(|error| error.renamed("session_id", "session_name"))?;
    Ok((StatusCode::CREATED, Told::of(made, "The session was made: ask for its code and scan it.")))
}

/// The code to scan; 409 when a phone is linked already.
#[utoipa::path(get, path = "/api/crm/whatsapp/sessions/{session_id}/qr", tag = "crm", security(("token" = ["admin"])),
    params(("session_id" = String, Path), CodeQuery), responses(
        (status = 200, content((Told<ShownCode> = "application/json"), (Vec<u8> = "image/png"),
            (String = "image/svg+xml"), (String = "text/plain"))),
        (status = 409, body = EnvelopeRefusal, description = "A phone is linked, or no code came in time; `details` tells the state")))]
async fn get_crm_session_qr(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Word(session_id): Word,
    Query(query): Query<CodeQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let code = linked::code(&state.engine, caller.actor(), &session_id).await?;
    code::answer(&code, &query, &headers)
}

/// How far a session is.
#[utoipa::path(get, path = "/api/crm/whatsapp/sessions/{session_id}/status", tag = "crm", security(("token" = ["inbox:read"])),
    params(("session_id" = String, Path)), responses((status = 200, body = Told<LinkedSession>)))]
async fn get_crm_session_status(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Word(session_id): Word,
) -> Result<Json<Told<LinkedSession>>, ApiError> {
    let session = sessions::session_of(&state.engine, &caller, &session_id).await?;
    Ok(Told::of(session.into(), "How far the session is."))
}

/// Unlinks the phone and removes the session with its inbox. Conversations stay readable.
#[utoipa::path(delete, path = "/api/crm/whatsapp/sessions/{session_id}", tag = "crm", security(("token" = ["admin"])),
    params(("session_id" = String, Path)), responses((status = 200, body = Told<RemovedSession>)))]
async fn delete_crm_session(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Word(session_id): Word,
) -> Result<Json<Told<RemovedSession>>, ApiError> {
    let removed = sessions::remove(&state.engine, &caller, session_id).await?;
    Ok(Told::of(removed, "The phone was unlinked and the session removed."))
}

/// Has the caller write with this session from now on, unless a request names another.
#[utoipa::path(post, path = "/api/crm/switch-session", tag = "crm", security(("token" = ["inbox:write"])),
    request_body = SwitchSession, responses((status = 200, body = Told<ActiveSession>)))]
async fn switch_session(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    JsonBody(body): JsonBody<SwitchSession>,
) -> Result<Json<Told<ActiveSession>>, ApiError> {
    let switched = linked::switch(&state.engine, caller.account_id, caller.user_id, &body.session_id).await;
    let session = switched.map_err(|error| match error {
        // As a form says it: the name is a field and no address.
        linked::SessionError::NotFound => {
            ApiError::invalid("session_id", "The selected session id is invalid.")
        }
        error => error.into(),
    })?;
    let active = ActiveSession { session_id: session.row.session_id, status: session.row.state.status() };
    Ok(Told::of(active, "Session switched"))
}

/// The session that a request names, else the one that its caller switched to.
pub(super) async fn chosen(
    state: &HttpState,
    caller: &Caller,
    named: Option<String>,
) -> Result<Option<String>, ApiError> {
    match named {
        Some(named) => Ok(Some(named)),
        None => Ok(linked::active(&state.engine, caller.account_id, caller.user_id).await?),
    }
}
