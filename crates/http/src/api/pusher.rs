//! The HTTP API of Pusher, for other programs: send events, see who listens, close connections.
//!
//! Laravel's broadcaster and Pusher's own libraries speak it. Every request is signed with the application's secret;
//! statuses are Pusher's: 400 wrong, 401 not signed by the application, 404 no such application, 413 too large.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use frontdesk_engine::realtime::apps::{self, App};
use frontdesk_engine::realtime::auth::RequestRefused;
use frontdesk_engine::realtime::channel_name::{self, ChannelKind};
use frontdesk_engine::realtime::hub::Whose;
use frontdesk_engine::realtime::trigger::{self, MAX_BATCH, Trigger, TriggerRefused};
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};

use crate::error::{ApiError, ErrorCode};
use crate::input::{parse_json, unreadable};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(send_event))
        .routes(routes!(send_batch))
        .routes(routes!(list_live_channels))
        .routes(routes!(get_live_channel))
        .routes(routes!(list_live_users))
        .routes(routes!(terminate_connections))
}

/// What every request carries.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the signer reads")]
struct SignedQuery {
    /// The key of the application.
    auth_key: String,
    /// Now, in seconds since 1970; at most ten minutes off.
    auth_timestamp: i64,
    #[param(pattern = "^1\\.0$")]
    auth_version: String,
    /// MD5 of the body in hex, when there is one.
    #[param(pattern = "^[0-9a-f]{32}$")]
    body_md5: Option<String>,
}

/// What is told about channels.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what is read from the query")]
struct InfoQuery {
    /// `user_count` (presence channels only), `subscription_count`, comma-separated.
    info: Option<String>,
}

/// Which channels are listed.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what is read from the query")]
struct PrefixQuery {
    /// Only channels whose name begins so.
    filter_by_prefix: Option<String>,
}

/// A request whose signature holds.
struct Signed {
    state: HttpState,
    app: Arc<App>,
    /// What stands in the braces of the path.
    path: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    body: Bytes,
}

impl FromRequest<HttpState> for Signed {
    type Rejection = Response;

    async fn from_request(request: Request, state: &HttpState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let names = Path::<BTreeMap<String, String>>::from_request_parts(&mut parts, state).await;
        let Path(names) = names.map_err(|_| wrong("The address cannot be read.").into_response())?;
        let app_id = names.get("app_id").map(String::as_str).unwrap_or_default();
        let app = apps::find_by_id(&state.engine, app_id).await;
        let app = app.map_err(|error| ApiError::internal(error).into_response())?;
        let app = app.ok_or_else(|| ApiError::not_found("application").into_response())?;
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
            .map_err(|_| wrong("The query cannot be read.").into_response())?;
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let body = Bytes::from_request(Request::from_parts(parts, body), state).await;
        let body = body.map_err(|rejection| unreadable(rejection).into_response())?;
        let now = state.engine.clock.now();
        app.signer.check_request(method.as_str(), &path, &pairs, &body, now).map_err(unsigned)?;
        Ok(Self { state: state.clone(), app, path: names, query: pairs.into_iter().collect(), body })
    }
}

/// 401, where our own signatures answer 403: Pusher's libraries know it.
fn unsigned(refused: RequestRefused) -> Response {
    let mut response = ApiError::new(ErrorCode::InvalidSignature, refused.to_string()).into_response();
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

fn wrong(sentence: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::BadRequest, sentence.into())
}

impl From<TriggerRefused> for ApiError {
    fn from(refused: TriggerRefused) -> Self {
        let sentence = refused.to_string();
        match refused {
            TriggerRefused::TooLarge(_) => Self::new(ErrorCode::PayloadTooLarge, sentence),
            TriggerRefused::Busy => Self::new(ErrorCode::StorageUnavailable, sentence).with_retry_after(1),
            _ => wrong(sentence),
        }
    }
}

/// An event to send.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "name": "booking-made", "channels": ["private-inbox"], "data": "{\"room\":7}" })))]
struct EventRequest {
    /// The name clients listen for.
    name: String,
    /// Text, usually JSON.
    data: String,
    /// Where to: this, or `channel`.
    channels: Option<Vec<String>>,
    channel: Option<String>,
    /// The connection that must not get it.
    #[schema(pattern = "^[0-9]{1,20}\\.[0-9]{1,20}$")]
    socket_id: Option<String>,
    /// What to tell about the channels: `user_count`, `subscription_count`, comma-separated.
    info: Option<String>,
}

impl EventRequest {
    fn split(self) -> (Trigger, Option<Info>) {
        let channels = self.channels.unwrap_or_default().into_iter().chain(self.channel).collect();
        let trigger = Trigger { name: self.name, data: self.data, channels, socket_id: self.socket_id };
        (trigger, self.info.as_deref().map(Info::parse))
    }
}

/// Several events at once.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "batch": [{ "name": "booking-made", "channel": "private-inbox", "data": "{\"room\":7}" }] })))]
struct BatchRequest {
    /// At most 10, each to one `channel`.
    #[schema(max_items = 10)]
    batch: Vec<EventRequest>,
}

/// What became of an event.
#[derive(Serialize, Default, utoipa::ToSchema)]
struct EventAnswer {
    /// When `info` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    channels: Option<BTreeMap<String, ChannelFigures>>,
}

/// What became of several events, in their order.
#[derive(Serialize, utoipa::ToSchema)]
struct BatchAnswer {
    batch: Vec<ChannelFigures>,
}

/// Who listens on a channel, as far as was asked.
#[derive(Serialize, Default, utoipa::ToSchema)]
struct ChannelFigures {
    /// Users, on presence channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_count: Option<usize>,
    /// Connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    subscription_count: Option<usize>,
}

#[derive(Clone, Copy, Default)]
struct Info {
    user_count: bool,
    subscription_count: bool,
}

impl Info {
    fn parse(list: &str) -> Self {
        let has = |word: &str| list.split(',').any(|asked| asked.trim() == word);
        Self { user_count: has("user_count"), subscription_count: has("subscription_count") }
    }
}

impl Signed {
    /// The channel in the path.
    fn channel(&self) -> Result<&str, ApiError> {
        let channel = self.path.get("channel").map(String::as_str).unwrap_or_default();
        if !channel_name::is_valid(channel) {
            return Err(wrong("There can be no channel of this name."));
        }
        Ok(channel)
    }

    fn info(&self) -> Info {
        self.query.get("info").map(|list| Info::parse(list)).unwrap_or_default()
    }

    /// Where an event may go is checked before any event of a batch is sent.
    fn check(&self, event: &Trigger) -> Result<(), ApiError> {
        Ok(self.state.engine.realtime().check_trigger(event)?)
    }

    fn send(&self, event: &Trigger) -> Result<(), ApiError> {
        Ok(self.state.engine.realtime().trigger(self.app.account_id, event)?)
    }

    async fn figures(&self, channel: &str, info: Info) -> Result<ChannelFigures, ApiError> {
        let (engine, account) = (&self.state.engine, self.app.account_id);
        let mut figures = ChannelFigures::default();
        if info.user_count && ChannelKind::of(channel) == ChannelKind::Presence {
            figures.user_count = Some(trigger::present_users(engine, account, channel).await?.len());
        }
        if info.subscription_count {
            figures.subscription_count = Some(trigger::subscriptions(engine, account, channel).await?);
        }
        Ok(figures)
    }
}

/// Sends an event to channels.
#[utoipa::path(post, path = "/apps/{app_id}/events", tag = "pusher", security(("application" = [])), params(("app_id" = String, Path), SignedQuery),
    request_body = EventRequest,
    responses((status = 200, body = EventAnswer)))]
async fn send_event(signed: Signed) -> Result<Json<EventAnswer>, ApiError> {
    let request: EventRequest = parse_json(&signed.body).map_err(ApiError::as_bad_request)?;
    let (event, info) = request.split();
    signed.check(&event)?;
    signed.send(&event)?;
    let Some(info) = info else { return Ok(Json(EventAnswer::default())) };
    let mut channels = BTreeMap::new();
    for channel in event.channels {
        let figures = signed.figures(&channel, info).await?;
        channels.insert(channel, figures);
    }
    Ok(Json(EventAnswer { channels: Some(channels) }))
}

/// Sends several events.
///
/// All are checked first: either all are sent or none.
#[utoipa::path(post, path = "/apps/{app_id}/batch_events", tag = "pusher", security(("application" = [])), params(("app_id" = String, Path), SignedQuery),
    request_body = BatchRequest,
    responses((status = 200, body = BatchAnswer)))]
async fn send_batch(signed: Signed) -> Result<Json<BatchAnswer>, ApiError> {
    let request: BatchRequest = parse_json(&signed.body).map_err(ApiError::as_bad_request)?;
    if request.batch.len() > MAX_BATCH {
        return Err(wrong(format!("A batch has at most {MAX_BATCH} events.")));
    }
    let events: Vec<_> = request.batch.into_iter().map(EventRequest::split).collect();
    for (event, _) in &events {
        signed.check(event)?;
    }
    let mut batch = Vec::with_capacity(events.len());
    for (event, info) in events {
        signed.send(&event)?;
        let channel = event.channels.first().map(String::as_str).unwrap_or_default();
        batch.push(signed.figures(channel, info.unwrap_or_default()).await?);
    }
    Ok(Json(BatchAnswer { batch }))
}

/// The channels somebody listens on.
#[derive(Serialize, utoipa::ToSchema)]
struct ChannelList {
    channels: BTreeMap<String, ChannelFigures>,
}

/// Lists the channels somebody listens on.
#[utoipa::path(get, path = "/apps/{app_id}/channels", tag = "pusher", security(("application" = [])), params(("app_id" = String, Path), SignedQuery, PrefixQuery, InfoQuery),
    responses((status = 200, body = ChannelList)))]
async fn list_live_channels(signed: Signed) -> Result<Json<ChannelList>, ApiError> {
    let prefix = signed.query.get("filter_by_prefix").cloned().unwrap_or_default();
    let info = signed.info();
    if info.user_count && !prefix.starts_with("presence-") {
        return Err(wrong(
            "user_count is for presence channels: filter_by_prefix must begin with presence-.",
        ));
    }
    let mut channels = BTreeMap::new();
    let account = signed.app.account_id;
    for occupied in trigger::occupied_channels(&signed.state.engine, account, &prefix).await? {
        let user_count = Info { user_count: info.user_count, subscription_count: false };
        let mut figures = signed.figures(&occupied.channel, user_count).await?;
        figures.subscription_count = info.subscription_count.then_some(occupied.subscriptions);
        channels.insert(occupied.channel, figures);
    }
    Ok(Json(ChannelList { channels }))
}

/// One channel.
#[derive(Serialize, utoipa::ToSchema)]
struct ChannelState {
    /// Whether anybody listens.
    occupied: bool,
    #[serde(flatten)]
    figures: ChannelFigures,
}

/// Tells whether anybody listens on a channel.
#[utoipa::path(get, path = "/apps/{app_id}/channels/{channel}", tag = "pusher", security(("application" = [])),
    params(("app_id" = String, Path), ("channel" = String, Path, pattern = "^#?[A-Za-z0-9_=@,.;-]{1,190}$"), SignedQuery, InfoQuery),
    responses((status = 200, body = ChannelState)))]
async fn get_live_channel(signed: Signed) -> Result<Json<ChannelState>, ApiError> {
    let channel = signed.channel()?;
    let info = signed.info();
    if info.user_count && ChannelKind::of(channel) != ChannelKind::Presence {
        return Err(wrong("user_count is for presence channels."));
    }
    let mut figures = signed.figures(channel, Info { subscription_count: true, ..info }).await?;
    let occupied = figures.subscription_count.is_some_and(|count| count > 0);
    figures.subscription_count = figures.subscription_count.filter(|_| info.subscription_count);
    Ok(Json(ChannelState { occupied, figures }))
}

/// Who is on a presence channel.
#[derive(Serialize, utoipa::ToSchema)]
struct UserList {
    users: Vec<PresentUser>,
}

/// A user on a presence channel.
#[derive(Serialize, utoipa::ToSchema)]
struct PresentUser {
    id: String,
}

/// Lists who is on a presence channel.
#[utoipa::path(get, path = "/apps/{app_id}/channels/{channel}/users", tag = "pusher", security(("application" = [])),
    params(("app_id" = String, Path), ("channel" = String, Path, pattern = "^presence-[A-Za-z0-9_=@,.;-]{1,190}$"), SignedQuery),
    responses((status = 200, body = UserList)))]
async fn list_live_users(signed: Signed) -> Result<Json<UserList>, ApiError> {
    let channel = signed.channel()?;
    if ChannelKind::of(channel) != ChannelKind::Presence {
        return Err(wrong("Only presence channels know their users."));
    }
    let present = trigger::present_users(&signed.state.engine, signed.app.account_id, channel).await?;
    Ok(Json(UserList { users: present.into_iter().map(|user| PresentUser { id: user.user_id }).collect() }))
}

/// Nothing to tell.
#[derive(Serialize, utoipa::ToSchema)]
struct Done {}

/// Closes all connections of a user.
#[utoipa::path(post, path = "/apps/{app_id}/users/{user_id}/terminate_connections", tag = "pusher", security(("application" = [])),
    params(("app_id" = String, Path), ("user_id" = String, Path), SignedQuery),
    responses((status = 200, body = Done)))]
async fn terminate_connections(signed: Signed) -> Json<Done> {
    let user_id = signed.path.get("user_id").cloned().unwrap_or_default();
    signed.state.engine.realtime().terminate(signed.app.account_id, Whose::User(user_id));
    Json(Done {})
}
