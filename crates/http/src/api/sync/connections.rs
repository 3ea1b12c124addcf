//! Connections: one account at one Chatwoot each.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::chatwoot::webhook;
use frontdesk_engine::sync::connections::{
    self, ConnectionChanges, ConnectionError, DEFAULT_API_URL, Made, NewConnection,
};
use frontdesk_engine::sync::{SyncConnectionRow, SyncConnectionStatus, SyncProvider};
use frontdesk_model::{SyncConnectionId, Timestamp};
use frontdesk_routes::{Gather, routes};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::api::conversations::given;
use crate::api::envelope::{EnvelopeRefusal, Success};
use crate::auth::{AdminUser, InboxReader};
use crate::error::{ApiError, ErrorCode};
use crate::input::{Ids, JsonBody};
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_sync_connections, create_sync_connection))
        .routes(routes!(get_sync_connection, update_sync_connection, delete_sync_connection))
        .routes(routes!(test_sync_connection))
        .routes(routes!(pause_sync_connection))
        .routes(routes!(resume_sync_connection))
}

/// What stands before the number of a connection.
const PREFIX: &str = "conn_";

/// A connection's id: `conn_12`, or its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConnectionKey(pub SyncConnectionId);

impl std::str::FromStr for ConnectionKey {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix(PREFIX).unwrap_or(text).parse().map(|id| Self(SyncConnectionId(id)))
    }
}

impl<'de> Deserialize<'de> for ConnectionKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|_| de::Error::custom("no id of a connection"))
    }
}

/// The id as it is shown.
pub(super) fn shown(id: SyncConnectionId) -> String {
    format!("{PREFIX}{id}")
}

/// A connection.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({ "id": "conn_1", "provider": "chatwoot", "name": "Chatwoot 1", "status": "connected", "error": null,
    "config": { "accountId": "1", "apiUrl": "https://app.chatwoot.com", "webhookSecrets": 1 }, "schedule": "0 3 * * *",
    "nextRunAt": "2026-08-19T03:00:00.000Z", "lastSyncAt": null,
    "webhookUrl": "https://inbox.example.org/api/v1/sync/chatwoot/webhook", "createdAt": "2026-08-18T10:00:00.000Z",
    "updatedAt": "2026-08-18T10:00:00.000Z" })))]
pub(super) struct SyncConnection {
    /// `conn_` and a number.
    id: String,
    provider: SyncProvider,
    /// What people call it.
    name: String,
    status: SyncConnectionStatus,
    /// What to put right; null when it works.
    #[schema(required = true)]
    error: Option<String>,
    config: SyncConnectionConfig,
    /// When it runs by itself, as a cron expression in UTC.
    #[schema(required = true)]
    schedule: Option<String>,
    /// When it runs next by itself.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    next_run_at: Option<Timestamp>,
    /// When a run last came to its end.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_sync_at: Option<Timestamp>,
    /// Where the other program delivers its webhooks.
    webhook_url: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Where it leads to.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct SyncConnectionConfig {
    /// The account there.
    account_id: String,
    /// Where it is.
    api_url: String,
    /// How many secrets of webhooks are known.
    webhook_secrets: usize,
}

fn view(state: &HttpState, row: SyncConnectionRow) -> SyncConnection {
    SyncConnection {
        id: shown(row.id),
        provider: row.provider,
        status: row.status,
        error: row.error.clone(),
        config: SyncConnectionConfig {
            account_id: row.remote_account.clone(),
            api_url: row.api_url.clone(),
            webhook_secrets: connections::count_webhook_secrets(&state.engine, &row),
        },
        name: row.name,
        schedule: row.schedule,
        next_run_at: row.next_run_at,
        last_sync_at: row.last_sync_at,
        webhook_url: format!("{}{}", state.engine.settings.public_url, webhook::PATH),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// Lists the connections, the oldest first.
#[utoipa::path(get, path = "/api/v1/sync/connections", tag = "sync", security(("token" = ["inbox:read"])),
    responses((status = 200, body = Success<Vec<SyncConnection>>)))]
async fn list_sync_connections(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
) -> Result<Json<Success<Vec<SyncConnection>>>, ApiError> {
    let rows = connections::list(&state.engine, caller.account_id).await?;
    Ok(Success::of(rows.into_iter().map(|row| view(&state, row)).collect()))
}

/// An account to connect.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({ "provider": "chatwoot", "apiKey": "your_api_access_token",
    "config": { "accountId": "123", "apiUrl": "https://app.chatwoot.com" } })))]
struct ConnectSync {
    provider: SyncProvider,
    /// An access token of the other program, an administrator's. It is tried, kept sealed, and never told again.
    #[schema(format = Password, min_length = 1, max_length = 500, pattern = "^[!-~]+$")]
    api_key: String,
    config: ConnectSyncConfig,
    /// What people call it. Absent: `Chatwoot` and the account.
    #[schema(max_length = 120)]
    name: Option<String>,
    /// When it runs by itself, as a cron expression of five fields in UTC. Absent: when asked.
    schedule: Option<String>,
}

/// Where it leads to.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConnectSyncConfig {
    /// The account there: the number in the addresses of its pages.
    #[serde(deserialize_with = "text_or_number")]
    #[schema(pattern = "^[1-9][0-9]{0,16}$")]
    account_id: String,
    /// Where it is. Absent: `https://app.chatwoot.com`.
    api_url: Option<String>,
    /// What its webhooks are signed with: each webhook and API inbox has a secret of its own.
    #[serde(default)]
    #[schema(max_items = 20)]
    webhook_secrets: Vec<String>,
}

/// Connects an account of Chatwoot, and tries whether that works.
///
/// When it does not, it is kept as `error`, and the answer is 422 `CONNECTION_TEST_FAILED`: `error` says what to put right
/// and `details.connection` what was kept. An account there that is connected already gets the new key, with 200.
#[utoipa::path(post, path = "/api/v1/sync/connections", tag = "sync", security(("token" = ["admin"])),
    request_body = ConnectSync, responses((status = 201, body = Success<SyncConnection>),
        (status = 200, body = Success<SyncConnection>, description = "It was connected already: its key is the new one"),
        (status = 409, body = EnvelopeRefusal, description = "The account has as many as it may have")))]
async fn create_sync_connection(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    JsonBody(body): JsonBody<ConnectSync>,
) -> Result<(StatusCode, Json<Success<SyncConnection>>), ApiError> {
    let new = NewConnection {
        provider: body.provider,
        name: body.name,
        api_key: body.api_key.into(),
        remote_account: body.config.account_id,
        api_url: body.config.api_url.or_else(|| Some(DEFAULT_API_URL.to_owned())),
        webhook_secrets: secrets(body.config.webhook_secrets),
        schedule: body.schedule,
    };
    let Made { row, is_new } = connections::create(&state.engine, caller.actor(), new).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, working(&state, row)?))
}

/// Shows a connection.
#[utoipa::path(get, path = "/api/v1/sync/connections/{id}", tag = "sync", security(("token" = ["inbox:read"])),
    params(("id" = String, Path, pattern = "^(conn_)?[0-9]{1,18}$")), responses((status = 200, body = Success<SyncConnection>)))]
async fn get_sync_connection(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids(ConnectionKey(id)): Ids<ConnectionKey>,
) -> Result<Json<Success<SyncConnection>>, ApiError> {
    let row = connections::get(&state.engine, caller.account_id, id).await?;
    Ok(Success::of(view(&state, row)))
}

/// What changes of a connection. What is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeSyncConnection {
    /// What people call it.
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
    /// Another access token.
    #[schema(format = Password, min_length = 1, max_length = 500, pattern = "^[!-~]+$")]
    api_key: Option<String>,
    config: Option<ChangeSyncConnectionConfig>,
    /// Null: it no longer runs by itself.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    schedule: Option<Option<String>>,
}

/// Where it leads to from now on.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeSyncConnectionConfig {
    /// The account there.
    #[serde(default, deserialize_with = "maybe_text_or_number")]
    #[schema(pattern = "^[1-9][0-9]{0,16}$")]
    account_id: Option<String>,
    /// Where it is.
    api_url: Option<String>,
    /// In place of all that were known.
    #[schema(max_items = 20)]
    webhook_secrets: Option<Vec<String>>,
}

/// Changes a connection, and tries it unless it is paused. One that does not work is kept, and 422 says what to put right.
#[utoipa::path(patch, path = "/api/v1/sync/connections/{id}", tag = "sync", security(("token" = ["admin"])),
    params(("id" = String, Path, pattern = "^(conn_)?[0-9]{1,18}$")), request_body = ChangeSyncConnection,
    responses((status = 200, body = Success<SyncConnection>),
        (status = 409, body = EnvelopeRefusal, description = "Another connection leads there")))]
async fn update_sync_connection(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(ConnectionKey(id)): Ids<ConnectionKey>,
    JsonBody(body): JsonBody<ChangeSyncConnection>,
) -> Result<Json<Success<SyncConnection>>, ApiError> {
    let config = body.config.unwrap_or_default();
    let changes = ConnectionChanges {
        name: body.name,
        api_key: body.api_key.map(Into::into),
        remote_account: config.account_id,
        api_url: config.api_url,
        webhook_secrets: config.webhook_secrets.map(secrets),
        schedule: body.schedule,
    };
    let row = connections::update(&state.engine, caller.actor(), id, changes).await?;
    working(&state, row)
}

/// A connection that is gone.
#[derive(Serialize, utoipa::ToSchema)]
struct RemovedSyncConnection {
    id: String,
    /// True.
    deleted: bool,
}

/// Removes a connection and its key. What it brought stays; connected again, nothing is there twice.
#[utoipa::path(delete, path = "/api/v1/sync/connections/{id}", tag = "sync", security(("token" = ["admin"])),
    params(("id" = String, Path, pattern = "^(conn_)?[0-9]{1,18}$")), responses((status = 200, body = Success<RemovedSyncConnection>)))]
async fn delete_sync_connection(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(ConnectionKey(id)): Ids<ConnectionKey>,
) -> Result<Json<Success<RemovedSyncConnection>>, ApiError> {
    connections::delete(&state.engine, caller.actor(), id).await?;
    Ok(Success::of(RemovedSyncConnection { id: shown(id), deleted: true }))
}

/// Tries whether a connection works. 422 says what to put right. A paused one goes on.
#[utoipa::path(post, path = "/api/v1/sync/connections/{id}/test", tag = "sync", security(("token" = ["admin"])),
    params(("id" = String, Path, pattern = "^(conn_)?[0-9]{1,18}$")), responses((status = 200, body = Success<SyncConnection>),
        (status = 422, body = EnvelopeRefusal, description = "It does not work")))]
async fn test_sync_connection(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(ConnectionKey(id)): Ids<ConnectionKey>,
) -> Result<Json<Success<SyncConnection>>, ApiError> {
    let row = connections::resume(&state.engine, caller.actor(), id).await?;
    working(&state, row)
}

/// Pauses a connection: it does not run and takes no webhooks.
#[utoipa::path(post, path = "/api/v1/sync/connections/{id}/pause", tag = "sync", security(("token" = ["admin"])),
    params(("id" = String, Path, pattern = "^(conn_)?[0-9]{1,18}$")), responses((status = 200, body = Success<SyncConnection>)))]
async fn pause_sync_connection(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(ConnectionKey(id)): Ids<ConnectionKey>,
) -> Result<Json<Success<SyncConnection>>, ApiError> {
    let row = connections::pause(&state.engine, caller.actor(), id).await?;
    Ok(Success::of(view(&state, row)))
}

/// Switches a paused connection on, once it was tried. 422 says what to put right.
#[utoipa::path(post, path = "/api/v1/sync/connections/{id}/resume", tag = "sync", security(("token" = ["admin"])),
    params(("id" = String, Path, pattern = "^(conn_)?[0-9]{1,18}$")), responses((status = 200, body = Success<SyncConnection>),
        (status = 422, body = EnvelopeRefusal, description = "It does not work")))]
async fn resume_sync_connection(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(ConnectionKey(id)): Ids<ConnectionKey>,
) -> Result<Json<Success<SyncConnection>>, ApiError> {
    let row = connections::resume(&state.engine, caller.actor(), id).await?;
    working(&state, row)
}

fn secrets<S: From<String>>(given: Vec<String>) -> Vec<S> {
    given.into_iter().map(S::from).collect()
}

/// The connection, or what to put right about it.
fn working(state: &HttpState, row: SyncConnectionRow) -> Result<Json<Success<SyncConnection>>, ApiError> {
    match (row.status, row.error.clone()) {
        (SyncConnectionStatus::Error, Some(sentence)) => {
            let kept = serde_json::to_value(view(state, row)).unwrap_or_default();
            Err(ApiError::new(ErrorCode::ConnectionTestFailed, sentence).with_detail("connection", kept))
        }
        _ => Ok(Success::of(view(state, row))),
    }
}

impl From<ConnectionError> for ApiError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::Invalid(fields) => Self::invalid_fields(fields),
            ConnectionError::NotFound => Self::not_found("connection"),
            ConnectionError::Taken(id) => {
                Self::new(ErrorCode::Conflict, format!("This account is connected already, as {}.", shown(id)))
            }
            ConnectionError::TooMany => Self::new(ErrorCode::Conflict, error.to_string()),
            ConnectionError::Unusable(reason) => {
                Self::new(ErrorCode::ConnectionTestFailed, format!("Connection test failed: {reason}."))
            }
            ConnectionError::Vault(_) => Self::new(
                ErrorCode::ConnectionTestFailed,
                "Connection test failed: the stored API key was sealed with another FRONTDESK_SECRET_KEY. Enter it again.",
            )
            .with_source(error),
            ConnectionError::Store(error) => error.into(),
        }
    }
}

/// The number of an account, however it is written.
struct TextOrNumber;

impl Visitor<'_> for TextOrNumber {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.trim().to_owned())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_any(TextOrNumber)
}

fn maybe_text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text_or_number(deserializer).map(Some)
}
