//! Sessions: phones linked to this server.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use frontdesk_channels::contract::SessionQuestion;
use frontdesk_engine::Engine;
use frontdesk_engine::caller::Caller;
use frontdesk_engine::linked::{self, NewSession, Session};
use frontdesk_model::contact::parse_phone;
use frontdesk_model::linked::{SessionState, SessionStatus};
use frontdesk_model::{InboxId, Timestamp};
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};

use super::code::{self, CodeQuery, ShownCode};
use crate::api::envelope::{EnvelopeRefusal, Told};
use crate::auth::{AdminUser, InboxReader};
use crate::error::ApiError;
use crate::input::{JsonBody, Query, Word};
use crate::paging::{PageQuery, encode};
use crate::state::HttpState;

/// The longest address of a webhook.
const MAX_URL_BYTES: usize = 2_000;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_sessions, create_session))
        .routes(routes!(delete_session))
        .routes(routes!(get_session_qr))
        .routes(routes!(get_session_status))
        .routes(routes!(ask_pairing_code))
        .routes(routes!(answer_challenge))
        .routes(routes!(restart_session))
}

/// A session.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct LinkedSession {
    /// The inbox behind it.
    id: i64,
    session_id: String,
    #[schema(required = true)]
    user_id: Option<i64>,
    name: String,
    /// What simple clients know.
    status: SessionStatus,
    /// How far it really is.
    state: SessionState,
    /// What is told beside the state, for people.
    #[schema(required = true)]
    reason: Option<String>,
    /// In this state since.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    banned_until: Option<Timestamp>,
    /// The number of the phone, digits.
    #[schema(required = true)]
    phone_number: Option<String>,
    /// Conversations with something unread.
    active_chats: i64,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_activity: Option<Timestamp>,
    /// Where its webhooks go.
    #[schema(required = true)]
    webhook_url: Option<String>,
    /// What signs them, `whsec_…`: shown when the session is made, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_secret: Option<String>,
    /// A send with an `Idempotency-Key` that is known is not sent again.
    idempotent_sends: bool,
    driver: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Session> for LinkedSession {
    fn from(session: Session) -> Self {
        let Session { row, active_chats, webhook_secret } = session;
        Self {
            id: row.inbox_id.0,
            session_id: row.session_id,
            user_id: row.user_id.map(|id| id.0),
            name: row.name,
            status: row.state.status(),
            state: row.state,
            reason: row.reason,
            since: row.since,
            banned_until: row.banned_until,
            phone_number: row.phone.phone.map(|phone| phone.trim_start_matches('+').to_owned()),
            active_chats,
            last_activity: row.last_activity,
            webhook_url: row.webhook_url,
            webhook_secret,
            idempotent_sends: true,
            driver: row.driver,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The sessions of a page.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionList {
    /// True.
    success: bool,
    data: Vec<LinkedSession>,
    message: &'static str,
    /// Give it as `cursor` to go on; null on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// A session to make.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "session_id": "reception-1", "webhook_url": "https://crm.example.org/webhook/whatsapp" })))]
struct CreateSession {
    /// What programs call it; unique within the account.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    session_id: String,
    /// The name for people; the session's own when absent.
    #[serde(default)]
    #[schema(max_length = 100)]
    name: Option<String>,
    /// Where its webhooks are to go.
    #[serde(default)]
    #[schema(max_length = 2000)]
    webhook_url: Option<String>,
}

/// A phone to link by a code that is typed on it.
#[derive(Deserialize, utoipa::ToSchema)]
struct PairPhone {
    /// Its number with the country code, however written.
    #[schema(min_length = 5, max_length = 40, example = "+62 813-9004-5512")]
    phone: String,
}

/// An answer to the proof that the network wants.
#[derive(Deserialize, utoipa::ToSchema)]
struct ChallengeAnswer {
    /// As the network's own page or app gives it.
    #[schema(value_type = Object)]
    answer: serde_json::Value,
}

/// The session of this name in the caller's account.
pub(crate) async fn session_of(
    engine: &Engine,
    caller: &Caller,
    session_id: &str,
) -> Result<Session, ApiError> {
    Ok(linked::find(engine, caller.account_id, session_id).await?)
}

/// Lists the sessions of the account, the oldest first.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "gateway", security(("token" = ["inbox:read"])), params(PageQuery),
    responses((status = 200, body = SessionList)))]
async fn list_sessions(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(page): Query<PageQuery>,
) -> Result<Json<SessionList>, ApiError> {
    let (data, next_cursor) = page_of(&state.engine, &caller, &page).await?;
    Ok(Json(SessionList { success: true, data, message: "The sessions of the account.", next_cursor }))
}

/// One page of sessions, and where the next one begins.
pub(crate) async fn page_of(
    engine: &Engine,
    caller: &Caller,
    page: &PageQuery,
) -> Result<(Vec<LinkedSession>, Option<String>), ApiError> {
    let (limit, after) = (page.limit()?, InboxId(page.key(0)?));
    let mut sessions = linked::list(engine, caller.account_id, after, limit + 1).await?;
    let more = i64::try_from(sessions.len()).unwrap_or(i64::MAX) > limit;
    sessions.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = sessions.last().filter(|_| more).map(|session| encode(session.row.inbox_id.0));
    Ok((sessions.into_iter().map(LinkedSession::from).collect(), next))
}

/// Makes a session, with an inbox of its own. It is connected at once: ask for its code and scan it.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "gateway", security(("token" = ["admin"])),
    request_body = CreateSession, responses((status = 201, body = Told<LinkedSession>)))]
async fn create_session(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    JsonBody(body): JsonBody<CreateSession>,
) -> Result<(StatusCode, Json<Told<LinkedSession>>), ApiError> {
    let webhook_url = webhook_url(body.webhook_url)?;
    let made = make(&state.engine, &caller, body.session_id, body.name, webhook_url).await?;
    Ok((StatusCode::CREATED, Told::of(made, "The session was made: ask for its code and scan it.")))
}

/// Makes a session.
pub(crate) async fn make(
    engine: &Engine,
    caller: &Caller,
    session_id: String,
    name: Option<String>,
    webhook_url: Option<String>,
) -> Result<LinkedSession, ApiError> {
    let new = NewSession { session_id, name, webhook_url };
    Ok(linked::create(engine, caller.actor(), new).await?.into())
}

/// An address that webhooks may go to.
fn webhook_url(given: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(given) = given.map(|url| url.trim().to_owned()).filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    let is_web = url::Url::parse(&given)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    if is_web && given.len() <= MAX_URL_BYTES {
        Ok(Some(given))
    } else {
        Err(ApiError::invalid(
            "webhook_url",
            "The webhook url field must be an address that begins with https://.",
        ))
    }
}

/// Unlinks the phone and removes the session with its inbox. Conversations stay readable.
#[utoipa::path(delete, path = "/api/v1/sessions/{session_id}", tag = "gateway", security(("token" = ["admin"])),
    params(("session_id" = String, Path)), responses((status = 200, body = Told<RemovedSession>)))]
async fn delete_session(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Word(session_id): Word,
) -> Result<Json<Told<RemovedSession>>, ApiError> {
    let removed = remove(&state.engine, &caller, session_id).await?;
    Ok(Told::of(removed, "The phone was unlinked and the session removed."))
}

/// A session that is gone.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RemovedSession {
    session_id: String,
    /// `disconnected`.
    status: SessionStatus,
}

/// Unlinks a phone and removes its session.
pub(crate) async fn remove(
    engine: &Engine,
    caller: &Caller,
    session_id: String,
) -> Result<RemovedSession, ApiError> {
    linked::delete(engine, caller.actor(), &session_id).await?;
    Ok(RemovedSession { session_id, status: SessionStatus::Disconnected })
}

/// The code to scan. One is asked for when none waits; 409 when a phone is linked already.
#[utoipa::path(get, path = "/api/v1/sessions/{session_id}/qr", tag = "gateway", security(("token" = ["admin"])),
    params(("session_id" = String, Path), CodeQuery), responses(
        (status = 200, content((Told<ShownCode> = "application/json"), (Vec<u8> = "image/png"),
            (String = "image/svg+xml"), (String = "text/plain"))),
        (status = 409, body = EnvelopeRefusal, description = "A phone is linked, or no code came in time; `details` tells the state")))]
async fn get_session_qr(
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
#[utoipa::path(get, path = "/api/v1/sessions/{session_id}/status", tag = "gateway", security(("token" = ["inbox:read"])),
    params(("session_id" = String, Path)), responses((status = 200, body = Told<LinkedSession>)))]
async fn get_session_status(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Word(session_id): Word,
) -> Result<Json<Told<LinkedSession>>, ApiError> {
    let session = session_of(&state.engine, &caller, &session_id).await?;
    Ok(Told::of(session.into(), "How far the session is."))
}

/// Asks for a code to be typed on the phone, in place of scanning.
#[utoipa::path(post, path = "/api/v1/sessions/{session_id}/pairing-code", tag = "gateway", security(("token" = ["admin"])),
    params(("session_id" = String, Path)), request_body = PairPhone, responses(
        (status = 200, body = Told<ShownCode>),
        (status = 409, body = EnvelopeRefusal, description = "A phone is linked, or no code came in time")))]
async fn ask_pairing_code(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Word(session_id): Word,
    JsonBody(body): JsonBody<PairPhone>,
) -> Result<Json<Told<ShownCode>>, ApiError> {
    let phone = parse_phone(&body.phone).ok_or_else(|| {
        ApiError::invalid("phone", "The phone field must be a number with its country code.")
    })?;
    let digits = phone.trim_start_matches('+');
    let code = linked::pairing_code(&state.engine, caller.actor(), &session_id, digits).await?;
    Ok(Told::of(ShownCode::of(&code)?, "Type this on the phone: Linked devices, Link with phone number."))
}

/// Answers the proof that the network wants before it links the phone.
#[utoipa::path(post, path = "/api/v1/sessions/{session_id}/challenge", tag = "gateway", security(("token" = ["admin"])),
    params(("session_id" = String, Path)), request_body = ChallengeAnswer, responses(
        (status = 200, body = Told<LinkedSession>),
        (status = 409, body = EnvelopeRefusal, description = "No proof is waited for, or it was not taken")))]
async fn answer_challenge(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Word(session_id): Word,
    JsonBody(body): JsonBody<ChallengeAnswer>,
) -> Result<Json<Told<LinkedSession>>, ApiError> {
    let session = session_of(&state.engine, &caller, &session_id).await?;
    if session.row.state != SessionState::Challenge {
        return Err(linked::SessionError::State(session.row.state).into());
    }
    let question = SessionQuestion::Challenge(body.answer);
    linked::ask(&state.engine, caller.account_id, &session_id, question).await?;
    let session = session_of(&state.engine, &caller, &session_id).await?;
    Ok(Told::of(session.into(), "The proof was handed on."))
}

/// Closes the connection of a session and opens it again; one that rests is connected.
#[utoipa::path(post, path = "/api/v1/sessions/{session_id}/restart", tag = "gateway", security(("token" = ["admin"])),
    params(("session_id" = String, Path)), responses((status = 200, body = Told<LinkedSession>),
        (status = 409, body = EnvelopeRefusal, description = "The node that holds the session did not answer")))]
async fn restart_session(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Word(session_id): Word,
) -> Result<Json<Told<LinkedSession>>, ApiError> {
    let session = linked::restart(&state.engine, caller.actor(), &session_id).await?;
    Ok(Told::of(session.into(), "The session is being restarted."))
}
