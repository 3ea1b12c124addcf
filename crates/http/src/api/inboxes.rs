//! Inboxes: connecting, changing, checking and disconnecting accounts on channels.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_channels::registry::find_channel;
use frontdesk_engine::Engine;
use frontdesk_engine::inboxes::{self, InboxBook, InboxChanges, NewInbox, SettingChange};
use frontdesk_model::inbox::ConnectionCode;
use frontdesk_model::{InboxId, Timestamp};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::inboxes::InboxRow;
use serde::{Deserialize, Serialize};

use crate::auth::{AdminUser, InboxReader};
use crate::error::ApiError;
use crate::input::{Ids, JsonBody, Query};
use crate::paging::{Page, PageQuery};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_inboxes, create_inbox))
        .routes(routes!(get_inbox, update_inbox, delete_inbox))
        .routes(routes!(check_inbox))
}

/// A connected account.
#[derive(Serialize, utoipa::ToSchema)]
struct Inbox {
    id: i64,
    name: String,
    channel: String,
    /// The platform word of its conversations.
    platform: String,
    /// The fields by name; `true` stands for a secret that is set.
    settings: BTreeMap<String, ShownSetting>,
    /// Where its provider delivers webhooks.
    #[schema(required = true)]
    webhook_url: Option<String>,
    enabled: bool,
    state: InboxState,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_webhook_at: Option<Timestamp>,
    /// How much waits to be sent.
    queue_depth: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A value, or `true` for a secret that is set.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
enum ShownSetting {
    Open(String),
    Secret(bool),
}

/// Whether it works.
#[derive(Serialize, utoipa::ToSchema)]
struct InboxState {
    code: ConnectionCode,
    /// What is the matter, for people.
    message: String,
    /// What helps.
    #[schema(required = true)]
    action: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    since: Option<Timestamp>,
}

impl Inbox {
    fn show(engine: &Engine, book: &InboxBook, row: InboxRow) -> Self {
        let (config, state) = (row.config, row.state);
        let channel = find_channel(&config.channel);
        let filled_in = book.find(config.id).into_iter().flat_map(|inbox| inbox.config.settings.keys());
        let mut settings: BTreeMap<String, ShownSetting> =
            filled_in.map(|key| (key.clone(), ShownSetting::Secret(true))).collect();
        settings.extend(config.settings.into_iter().map(|(key, value)| (key, ShownSetting::Open(value))));
        Self {
            id: config.id.0,
            name: config.name,
            platform: channel.map_or("unknown", |c| c.info().platform).to_owned(),
            webhook_url: channel.and_then(|c| inboxes::webhook_url(engine, c)),
            channel: config.channel,
            settings,
            enabled: config.enabled,
            state: InboxState {
                code: state.code,
                message: state.message,
                action: state.action,
                since: state.since,
            },
            last_webhook_at: row.last_webhook_at,
            queue_depth: row.queue_depth,
            created_at: row.created_at,
        }
    }
}

/// An account of a channel to connect.
#[derive(Deserialize, utoipa::ToSchema)]
struct CreateInbox {
    /// The channel's name.
    channel: String,
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    name: String,
    /// The channel's fields by name.
    settings: BTreeMap<String, String>,
}

/// What is absent or null stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "name": "Reception", "settings": { "app_secret": null } })))]
struct UpdateInbox {
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    name: Option<String>,
    /// Fields to change: text sets, null clears, `true` leaves a secret as it is.
    settings: Option<BTreeMap<String, GivenSetting>>,
    /// False stops sending and checking.
    enabled: Option<bool>,
}

/// Text, `true` as it was shown, or null.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
enum GivenSetting {
    Text(String),
    Shown(bool),
    Nothing,
}

impl From<GivenSetting> for SettingChange {
    fn from(given: GivenSetting) -> Self {
        match given {
            GivenSetting::Text(value) => Self::Set(value),
            GivenSetting::Shown(true) => Self::Keep,
            GivenSetting::Shown(false) | GivenSetting::Nothing => Self::Clear,
        }
    }
}

/// Lists the inboxes of the account, the oldest first.
#[utoipa::path(get, path = "/api/v1/inboxes", tag = "inboxes", security(("token" = ["inbox:read"])), params(PageQuery),
    responses((status = 200, body = Page<Inbox>)))]
async fn list_inboxes(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Inbox>>, ApiError> {
    let (limit, after) = (page.limit()?, InboxId(page.key(0)?));
    let rows = inboxes::list(&state.engine, caller.account_id, after, limit + 1).await?;
    let book = inboxes::book(&state.engine).await?;
    Ok(Json(Page::of(rows, limit, |row| row.config.id.0, |row| Inbox::show(&state.engine, &book, row))))
}

/// Connects an account of a channel. The provider is not asked, see the check.
#[utoipa::path(post, path = "/api/v1/inboxes", tag = "inboxes", security(("token" = ["admin"])),
    request_body = CreateInbox, responses((status = 201, body = Inbox)))]
async fn create_inbox(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    JsonBody(body): JsonBody<CreateInbox>,
) -> Result<(StatusCode, Json<Inbox>), ApiError> {
    let new = NewInbox { channel: body.channel, name: body.name, settings: body.settings };
    let row = inboxes::create(&state.engine, caller.actor(), new).await?;
    Ok((StatusCode::CREATED, show(&state.engine, row).await?))
}

/// Shows an inbox.
#[utoipa::path(get, path = "/api/v1/inboxes/{id}", tag = "inboxes", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 200, body = Inbox)))]
async fn get_inbox(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<InboxId>,
) -> Result<Json<Inbox>, ApiError> {
    let row = inboxes::get(&state.engine, caller.account_id, id).await?;
    show(&state.engine, row).await
}

/// Changes an inbox.
#[utoipa::path(patch, path = "/api/v1/inboxes/{id}", tag = "inboxes", security(("token" = ["admin"])),
    params(("id" = i64, Path)), request_body = UpdateInbox, responses((status = 200, body = Inbox)))]
async fn update_inbox(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<InboxId>,
    JsonBody(body): JsonBody<UpdateInbox>,
) -> Result<Json<Inbox>, ApiError> {
    let settings = body.settings.unwrap_or_default().into_iter();
    let changes = InboxChanges {
        name: body.name,
        settings: settings.map(|(key, given)| (key, given.into())).collect(),
        enabled: body.enabled,
    };
    let row = inboxes::update(&state.engine, caller.actor(), id, changes).await?;
    show(&state.engine, row).await
}

/// Disconnects an inbox and forgets its secrets. Its conversations stay readable.
#[utoipa::path(delete, path = "/api/v1/inboxes/{id}", tag = "inboxes", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 204)))]
async fn delete_inbox(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<InboxId>,
) -> Result<StatusCode, ApiError> {
    inboxes::delete(&state.engine, caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks the provider now whether the credentials work.
#[utoipa::path(post, path = "/api/v1/inboxes/{id}/check", tag = "inboxes", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 200, body = Inbox)))]
async fn check_inbox(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<InboxId>,
) -> Result<Json<Inbox>, ApiError> {
    let row = inboxes::check(&state.engine, caller.account_id, id).await?;
    show(&state.engine, row).await
}

async fn show(engine: &Engine, row: InboxRow) -> Result<Json<Inbox>, ApiError> {
    let book = inboxes::book(engine).await?;
    Ok(Json(Inbox::show(engine, &book, row)))
}
