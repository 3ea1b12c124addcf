//! What a client needs for live updates: where to connect, permission for channels, and what it missed.

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HOST};
use bytes::Bytes;
use frontdesk_engine::caller::Caller;
use frontdesk_engine::realtime::apps::{self, App};
use frontdesk_engine::realtime::catch_up::{self, CatchUpError};
use frontdesk_engine::realtime::channel_name::{self, PRIVATE_INBOX};
use frontdesk_engine::realtime::hub::Whose;
use frontdesk_engine::realtime::logins::Login;
use frontdesk_engine::realtime::render::ViewRenderer;
use frontdesk_engine::realtime::trigger::is_socket_id;
use frontdesk_model::text;
use frontdesk_routes::{Gather, routes};
use frontdesk_store::{StoreError, conversations};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use std::sync::Arc;

use crate::auth::{InboxReader, session_token};
use crate::error::{ApiError, ErrorCode};
use crate::input::{Query, parse_json, unreadable};
use crate::state::HttpState;

/// How much of a user's name the others on a presence channel see.
const NAME_CHARS: usize = 100;
const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 500;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(get_realtime))
        .routes(routes!(list_events))
        .routes(routes!(authorize_channel))
        .routes(routes!(authorize_channel_as_pusher))
        .routes(routes!(authorize_user))
        .routes(routes!(authorize_user_as_pusher))
}

/// Where and how to connect.
#[derive(Serialize, utoipa::ToSchema)]
struct RealtimeSettings {
    /// In the address of the socket: `/app/{key}`.
    key: String,
    host: String,
    port: u16,
    /// `http` (then the socket is `ws`) or `https` (`wss`).
    scheme: String,
    /// The channels that carry the account's events.
    channels: [String; 2],
    /// Where permission for private channels is asked.
    auth_endpoint: &'static str,
}

/// Tells where and how to connect for live updates.
#[utoipa::path(get, path = "/api/v1/realtime", tag = "realtime", security(("token" = ["inbox:read"])),
    responses((status = 200, body = RealtimeSettings)))]
async fn get_realtime(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    headers: HeaderMap,
) -> Result<Json<RealtimeSettings>, ApiError> {
    let app = app_of(&state, &caller).await?;
    let (scheme, host, port) = address(&headers, &state.engine.settings.public_url);
    Ok(Json(RealtimeSettings {
        key: app.signer.key().to_owned(),
        host,
        port,
        scheme,
        channels: [channel_name::of_account(caller.account_id), PRIVATE_INBOX.to_owned()],
        auth_endpoint: "/broadcasting/auth",
    }))
}

async fn app_of(state: &HttpState, caller: &Caller) -> Result<Arc<App>, ApiError> {
    let app = apps::find_by_account(&state.engine, caller.account_id).await.map_err(ApiError::internal)?;
    app.ok_or_else(|| ApiError::not_found("account"))
}

/// The address the client reached us at: the one it asked for, with the scheme of the public address when it is that
/// one, else as the proxy in between says, else without TLS, which we do not speak ourselves.
fn address(headers: &HeaderMap, public_url: &str) -> (String, String, u16) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let public = url::Url::parse(public_url).ok();
    let forwarded = text("x-forwarded-proto").filter(|scheme| ["http", "https"].contains(scheme));
    let asked = text(HOST.as_str()).and_then(|host| {
        let of_scheme = |scheme: &str| url::Url::parse(&format!("{scheme}://{host}")).ok();
        let as_public =
            public.as_ref().and_then(|p| of_scheme(p.scheme()).filter(|url| url.origin() == p.origin()));
        as_public.or_else(|| of_scheme(forwarded.unwrap_or("http")))
    });
    let url = asked.filter(url::Url::has_host).or(public);
    let host = url.as_ref().and_then(url::Url::host_str).unwrap_or("127.0.0.1").to_owned();
    let port = url.as_ref().and_then(url::Url::port_or_known_default).unwrap_or(80);
    (url.map_or_else(|| "http".to_owned(), |url| url.scheme().to_owned()), host, port)
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct After {
    /// The last number known.
    #[param(minimum = 0)]
    after: i64,
    /// How many at most; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// What happened after a number.
#[derive(Serialize, utoipa::ToSchema)]
struct EventPage {
    data: Vec<EventEntry>,
    /// The newest number of the account.
    last_seq: i64,
    /// There are more: ask again after the last one.
    more: bool,
    /// What was missed is forgotten: load everything afresh and go on from `last_seq`.
    resync: bool,
}

/// One event, as it was pushed.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Event)]
struct EventEntry {
    /// Its number: dense and rising per account.
    seq: i64,
    /// `MessageReceived`…; on the wire `App\Events\MessageReceived`.
    name: &'static str,
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    data: Box<RawValue>,
}

/// Lists what happened after a number, for clients that were away.
///
/// Ask after the subscription was confirmed, so that nothing falls in between.
#[utoipa::path(get, path = "/api/v1/events", tag = "realtime", security(("token" = ["inbox:read"])), params(After),
    responses((status = 200, body = EventPage)))]
async fn list_events(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(query): Query<After>,
) -> Result<Json<EventPage>, ApiError> {
    if query.after < 0 {
        return Err(ApiError::invalid("after", "The after field must be 0 or more."));
    }
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(ApiError::invalid("limit", format!("The limit field must be 1 to {MAX_LIMIT}.")));
    }
    let renderer = ViewRenderer::new(state.engine.clone());
    let missed =
        catch_up::events_after(&state.engine, &renderer, caller.account_id, query.after, limit).await;
    let missed = missed.map_err(|error| match error {
        CatchUpError::Store(error) => ApiError::from(error),
        CatchUpError::Render(error) => ApiError::internal(error),
    })?;
    let entry = |event: frontdesk_engine::realtime::render::Rendered| {
        let data = RawValue::from_string(event.data).map_err(ApiError::internal)?;
        Ok(EventEntry { seq: event.seq, name: event.name, data })
    };
    Ok(Json(EventPage {
        data: missed.events.into_iter().map(entry).collect::<Result<_, ApiError>>()?,
        last_seq: missed.last_seq,
        more: missed.more,
        resync: missed.resync,
    }))
}

/// A channel a client wants to listen on.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "socket_id": "123.456", "channel_name": "private-inbox" })))]
struct ChannelRequest {
    /// What the socket was told when it connected.
    #[schema(pattern = "^[0-9]{1,20}\\.[0-9]{1,20}$")]
    socket_id: String,
    channel_name: String,
}

/// Permission to listen on a channel.
#[derive(Serialize, utoipa::ToSchema)]
struct ChannelPermission {
    /// `key:signature`.
    auth: String,
    /// On presence channels: who the others see, a string of JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    channel_data: Option<String>,
}

/// A socket that wants to sign in.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "socket_id": "123.456" })))]
struct UserRequest {
    /// What the socket was told when it connected.
    #[schema(pattern = "^[0-9]{1,20}\\.[0-9]{1,20}$")]
    socket_id: String,
}

/// Permission to sign in on a socket.
#[derive(Serialize, utoipa::ToSchema)]
struct UserPermission {
    /// `key:signature`.
    auth: String,
    /// Who it is, a string of JSON.
    user_data: String,
}

/// Form fields or JSON: Echo sends a form, other clients JSON.
struct Fields<T>(T);

impl<T: serde::de::DeserializeOwned, S: Send + Sync> FromRequest<S> for Fields<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let declared = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let is_json = declared.to_ascii_lowercase().contains("json");
        let body = Bytes::from_request(request, state).await.map_err(unreadable)?;
        if is_json {
            return parse_json(&body).map(Self);
        }
        let fields = serde_urlencoded::from_bytes(&body);
        fields
            .map(Self)
            .map_err(|error| ApiError::invalid("body", format!("The form is incomplete: {error}.")))
    }
}

/// Gives permission to listen on a private or presence channel of the caller's account.
#[utoipa::path(post, path = "/broadcasting/auth", tag = "realtime", security(("token" = ["inbox:read"])),
    request_body(content((ChannelRequest = "application/x-www-form-urlencoded"), (ChannelRequest = "application/json"))),
    responses((status = 200, body = ChannelPermission)))]
async fn authorize_channel(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    headers: HeaderMap,
    Fields(wanted): Fields<ChannelRequest>,
) -> Result<Json<ChannelPermission>, ApiError> {
    check_socket_id(&wanted.socket_id)?;
    if !may_listen(&state, &caller, &wanted.channel_name).await? {
        return Err(ApiError::new(ErrorCode::Unauthorized, "This user may not listen on this channel."));
    }
    let app = app_of(&state, &caller).await?;
    remember(&state, &caller, &headers, &wanted.socket_id);
    let is_presence = wanted.channel_name.starts_with("presence-");
    let channel_data = is_presence.then(|| {
        json!({ "user_id": caller.user_id.to_string(), "user_info": { "name": shown_name(&caller) } })
            .to_string()
    });
    let auth = app.signer.sign_channel(&wanted.socket_id, &wanted.channel_name, channel_data.as_deref());
    Ok(Json(ChannelPermission { auth, channel_data }))
}

/// Gives permission to listen, at the address pusher-js asks when it is not told another one.
#[utoipa::path(post, path = "/pusher/auth", tag = "realtime", security(("token" = ["inbox:read"])),
    request_body(content((ChannelRequest = "application/x-www-form-urlencoded"), (ChannelRequest = "application/json"))),
    responses((status = 200, body = ChannelPermission)))]
async fn authorize_channel_as_pusher(
    state: State<HttpState>,
    caller: InboxReader,
    headers: HeaderMap,
    wanted: Fields<ChannelRequest>,
) -> Result<Json<ChannelPermission>, ApiError> {
    authorize_channel(state, caller, headers, wanted).await
}

/// Gives permission to sign in on a socket as the caller.
#[utoipa::path(post, path = "/broadcasting/user-auth", tag = "realtime", security(("token" = ["inbox:read"])),
    request_body(content((UserRequest = "application/x-www-form-urlencoded"), (UserRequest = "application/json"))),
    responses((status = 200, body = UserPermission)))]
async fn authorize_user(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    headers: HeaderMap,
    Fields(wanted): Fields<UserRequest>,
) -> Result<Json<UserPermission>, ApiError> {
    check_socket_id(&wanted.socket_id)?;
    let app = app_of(&state, &caller).await?;
    remember(&state, &caller, &headers, &wanted.socket_id);
    let user = json!({ "id": caller.user_id.to_string(), "user_info": { "name": shown_name(&caller) } });
    let user_data = user.to_string();
    Ok(Json(UserPermission { auth: app.signer.sign_user(&wanted.socket_id, &user_data), user_data }))
}

/// Gives permission to sign in, at the address pusher-js asks when it is not told another one.
#[utoipa::path(post, path = "/pusher/user-auth", tag = "realtime", security(("token" = ["inbox:read"])),
    request_body(content((UserRequest = "application/x-www-form-urlencoded"), (UserRequest = "application/json"))),
    responses((status = 200, body = UserPermission)))]
async fn authorize_user_as_pusher(
    state: State<HttpState>,
    caller: InboxReader,
    headers: HeaderMap,
    wanted: Fields<UserRequest>,
) -> Result<Json<UserPermission>, ApiError> {
    authorize_user(state, caller, headers, wanted).await
}

/// A strange id could make one signature say something else.
fn check_socket_id(id: &str) -> Result<(), ApiError> {
    if is_socket_id(id) {
        return Ok(());
    }
    Err(ApiError::invalid("socket_id", "The socket_id field must look like 123.456."))
}

async fn may_listen(state: &HttpState, caller: &Caller, channel: &str) -> Result<bool, ApiError> {
    if channel == PRIVATE_INBOX || channel == channel_name::of_account(caller.account_id) {
        return Ok(true);
    }
    let Some(conversation) = channel_name::conversation_of(channel) else { return Ok(false) };
    let account = caller.account_id;
    let found = state.engine.store.read(move |tx| conversations::find(tx, account, conversation)).await;
    found.map(|row| row.is_some()).map_err(|error: StoreError| error.into())
}

/// The socket is closed when the sign-in or token ends that authenticated it.
fn remember(state: &HttpState, caller: &Caller, headers: &HeaderMap, socket_id: &str) {
    let login = Login::of(caller, session_token(headers)).map(Whose::Login);
    let whose = [Whose::User(caller.user_id.to_string())].into_iter().chain(login).collect();
    state.engine.realtime().remember(caller.account_id, socket_id, whose);
}

fn shown_name(caller: &Caller) -> String {
    text::preview(&caller.name, NAME_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(pairs: &[(&'static str, &str)]) -> (String, String, u16) {
        let headers =
            pairs.iter().map(|(n, v)| (axum::http::HeaderName::from_static(n), v.parse().unwrap())).collect();
        address(&headers, "https://desk.example.org")
    }

    #[test]
    fn a_client_is_told_the_address_it_came_by() {
        let told = |scheme: &str, host: &str, port| (scheme.to_owned(), host.to_owned(), port);
        assert_eq!(reached(&[]), told("https", "desk.example.org", 443));
        assert_eq!(reached(&[("host", "desk.example.org")]), told("https", "desk.example.org", 443));
        assert_eq!(reached(&[("host", "10.0.0.5:8080")]), told("http", "10.0.0.5", 8080));
        let proxied = [("host", "chat.example.org"), ("x-forwarded-proto", "https")];
        assert_eq!(reached(&proxied), told("https", "chat.example.org", 443));
        let odd = [("host", "chat.example.org"), ("x-forwarded-proto", "javascript")];
        assert_eq!(reached(&odd), told("http", "chat.example.org", 80));
        assert_eq!(reached(&[("host", "[::1]:8080")]), told("http", "[::1]", 8080));
    }
}
