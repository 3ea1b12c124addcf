//! Bridges: an inbox of ours and an API inbox of a connected Chatwoot that show the same.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::bridge::import::{self, ImportOptions};
use frontdesk_engine::bridge::setup::{self, BridgeChanges, BridgeError, BridgeView, NewBridgeOf};
use frontdesk_engine::bridge::{BeginAs, BridgeSettings, ConversationPolicy};
use frontdesk_engine::sync::progress::RunView;
use frontdesk_model::{BridgeId, InboxId, Timestamp};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::bridges::BridgeStatus;
use serde::{Deserialize, Serialize};

use super::connections::{ConnectionKey, shown};
use super::runs;
use crate::api::envelope::{EnvelopeRefusal, Success};
use crate::auth::AdminUser;
use crate::error::{ApiError, ErrorCode};
use crate::input::{Ids, JsonBody, Query};
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_bridges, create_bridge))
        .routes(routes!(get_bridge, update_bridge, delete_bridge))
        .routes(routes!(import_into_bridge))
}

/// A bridge.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({ "id": 1, "connectionId": "conn_1", "inboxId": 1, "remoteInboxId": 3,
    "webhookUrl": "https://inbox.example.org/api/v1/sync/chatwoot/webhook/5d…", "signed": true,
    "settings": { "conversations": "single", "beginAs": "open", "signature": true, "followStatus": true },
    "status": "enabled", "lastError": null, "warnings": [], "waiting": 0, "failed": 0, "oldestWaitingAt": null,
    "createdAt": "2026-08-18T10:00:00.000Z", "updatedAt": "2026-08-18T10:00:00.000Z" })))]
struct Bridge {
    id: i64,
    /// The Chatwoot.
    connection_id: String,
    /// Our inbox.
    inbox_id: i64,
    /// The API inbox there; null while it could not be made.
    #[schema(required = true)]
    remote_inbox_id: Option<i64>,
    /// Where that inbox delivers; nobody can guess it.
    webhook_url: String,
    /// Chatwoot signs what it delivers (4.13 and later).
    signed: bool,
    settings: BridgeChoices,
    status: BridgeStatus,
    /// What to put right.
    #[schema(required = true)]
    last_error: Option<String>,
    /// What may go wrong, and what to do about it.
    warnings: Vec<&'static str>,
    /// How much waits to be carried, both ways.
    waiting: i64,
    /// How much Chatwoot refused for good; switching the bridge on tries it again.
    failed: i64,
    /// Since when the oldest waits.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    oldest_waiting_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// What people choose about a bridge.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct BridgeChoices {
    /// `single` also locks the API inbox to one conversation for each contact.
    conversations: ConversationPolicy,
    /// Where new conversations stand there.
    begin_as: BeginAs,
    /// Whoever writes there is named in bold above what they write; there, whoever wrote here is too.
    signature: bool,
    /// Resolved or opened there is closed or opened here, and the other way round.
    follow_status: bool,
}

impl Bridge {
    fn show(view: BridgeView) -> Self {
        let BridgeView { row, settings, webhook_url, warnings, waiting, failed, oldest_waiting_at } = view;
        Self {
            id: row.id.0,
            connection_id: shown(row.connection_id),
            inbox_id: row.inbox_id.0,
            remote_inbox_id: row.remote_inbox_id,
            webhook_url,
            signed: row.secret.is_some(),
            settings: BridgeChoices {
                conversations: settings.conversations,
                begin_as: settings.begin_as,
                signature: settings.signature,
                follow_status: settings.follow_status,
            },
            status: row.status,
            last_error: row.last_error,
            warnings,
            waiting,
            failed,
            oldest_waiting_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// What to choose; what is absent or null stays, or is the default of a new bridge.
#[derive(Deserialize, Default, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct GivenChoices {
    conversations: Option<ConversationPolicy>,
    begin_as: Option<BeginAs>,
    signature: Option<bool>,
    follow_status: Option<bool>,
}

impl GivenChoices {
    fn over(self, before: BridgeSettings) -> BridgeSettings {
        BridgeSettings {
            conversations: self.conversations.unwrap_or(before.conversations),
            begin_as: self.begin_as.unwrap_or(before.begin_as),
            signature: self.signature.unwrap_or(before.signature),
            follow_status: self.follow_status.unwrap_or(before.follow_status),
        }
    }
}

/// An inbox to bridge.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct CreateBridge {
    /// The Chatwoot, by the id of its connection.
    #[schema(value_type = String, pattern = "^(conn_)?[0-9]{1,18}$")]
    connection_id: ConnectionKey,
    /// Our inbox.
    inbox_id: i64,
    /// What the API inbox there is called; the name of our inbox if absent.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    name: Option<String>,
    settings: Option<GivenChoices>,
}

/// What is absent or null stays.
#[derive(Deserialize, utoipa::ToSchema)]
struct UpdateBridge {
    settings: Option<GivenChoices>,
    status: Option<GivenStatus>,
}

/// On or off.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum GivenStatus {
    /// It carries; address, lock and secret are set anew there, and what failed is tried again.
    Enabled,
    /// It stands still; what happens meanwhile is carried when it goes on.
    Paused,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct DeleteQuery {
    /// True: the API inbox there goes too, with its conversations.
    with_inbox: Option<bool>,
}

/// A bridge that is gone.
#[derive(Serialize, utoipa::ToSchema)]
struct DeletedBridge {
    id: i64,
    /// True.
    deleted: bool,
}

/// Lists the bridges, the oldest first.
#[utoipa::path(get, path = "/api/v1/sync/bridges", tag = "sync", security(("token" = ["admin"])),
    responses((status = 200, body = Success<Vec<Bridge>>)))]
async fn list_bridges(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
) -> Result<Json<Success<Vec<Bridge>>>, ApiError> {
    let bridges = setup::list(&state.engine, caller.account_id).await?;
    Ok(Success::of(bridges.into_iter().map(Bridge::show).collect()))
}

/// Bridges an inbox: an API inbox is made in Chatwoot, where customers' messages appear and can be answered.
#[utoipa::path(post, path = "/api/v1/sync/bridges", tag = "sync", security(("token" = ["admin"])),
    request_body = CreateBridge, responses((status = 201, body = Success<Bridge>),
        (status = 409, body = EnvelopeRefusal, description = "The inbox has a bridge"),
        (status = 502, body = EnvelopeRefusal, description = "Chatwoot refused or failed")))]
async fn create_bridge(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    JsonBody(body): JsonBody<CreateBridge>,
) -> Result<(StatusCode, Json<Success<Bridge>>), ApiError> {
    let name = body.name.map(|name| name.trim().to_owned());
    let is_wrong =
        |name: &String| name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control);
    if name.as_ref().is_some_and(is_wrong) {
        return Err(ApiError::invalid("name", "The name field must have 1 to 100 printable characters."));
    }
    let new = NewBridgeOf {
        connection: body.connection_id.0,
        inbox: InboxId(body.inbox_id),
        name,
        settings: body.settings.unwrap_or_default().over(BridgeSettings::default()),
    };
    let bridge = setup::create(&state.engine, caller.actor(), new).await?;
    Ok((StatusCode::CREATED, Success::of(Bridge::show(bridge))))
}

/// Shows a bridge.
#[utoipa::path(get, path = "/api/v1/sync/bridges/{id}", tag = "sync", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 200, body = Success<Bridge>)))]
async fn get_bridge(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<BridgeId>,
) -> Result<Json<Success<Bridge>>, ApiError> {
    Ok(Success::of(Bridge::show(setup::get(&state.engine, caller.account_id, id).await?)))
}

/// Changes a bridge, or switches it on or off.
#[utoipa::path(patch, path = "/api/v1/sync/bridges/{id}", tag = "sync", security(("token" = ["admin"])),
    params(("id" = i64, Path)), request_body = UpdateBridge, responses((status = 200, body = Success<Bridge>),
        (status = 502, body = EnvelopeRefusal, description = "Chatwoot refused or failed")))]
async fn update_bridge(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<BridgeId>,
    JsonBody(body): JsonBody<UpdateBridge>,
) -> Result<Json<Success<Bridge>>, ApiError> {
    let before = setup::get(&state.engine, caller.account_id, id).await?;
    let changes = BridgeChanges {
        settings: body.settings.map(|given| given.over(before.settings)),
        is_on: body.status.map(|status| status == GivenStatus::Enabled),
    };
    Ok(Success::of(Bridge::show(setup::update(&state.engine, caller.actor(), id, changes).await?)))
}

/// Ends a bridge. What was shown in Chatwoot stays there, unless its inbox is to go too.
#[utoipa::path(delete, path = "/api/v1/sync/bridges/{id}", tag = "sync", security(("token" = ["admin"])),
    params(("id" = i64, Path), DeleteQuery), responses((status = 200, body = Success<DeletedBridge>),
        (status = 502, body = EnvelopeRefusal, description = "Chatwoot refused or failed")))]
async fn delete_bridge(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<BridgeId>,
    Query(query): Query<DeleteQuery>,
) -> Result<Json<Success<DeletedBridge>>, ApiError> {
    setup::delete(&state.engine, caller.actor(), id, query.with_inbox.unwrap_or(false)).await?;
    Ok(Success::of(DeletedBridge { id: id.0, deleted: true }))
}

/// What to bring over.
#[derive(Deserialize, Default, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(examples(json!({ "dryRun": true, "days": 90 })))]
struct ImportHistory {
    /// True: counts alone, nothing is written there.
    dry_run: Option<bool>,
    /// How far to look back; as far as there is something if absent.
    #[schema(minimum = 1, maximum = 3650)]
    days: Option<u32>,
    /// Those who wrote; true unless said otherwise.
    contacts: Option<bool>,
    /// What was written, by them and to them; true unless said otherwise.
    messages: Option<bool>,
    /// Seconds to wait for the end; 30 unless said otherwise.
    #[schema(minimum = 0, maximum = 60)]
    wait: Option<u64>,
}

/// Brings what the inbox had before its bridge into the inbox there.
///
/// 200 with what became of it when it ended in time, else 202: it goes on, and `GET /api/v1/sync/runs/{id}` tells; it can be
/// cancelled and resumed as any run. Nothing is brought over twice, however often it is asked for.
#[utoipa::path(post, path = "/api/v1/sync/bridges/{id}/import", tag = "sync", security(("token" = ["admin"])),
    params(("id" = i64, Path)), request_body = ImportHistory, responses((status = 200, body = Success<RunView>),
        (status = 202, body = Success<RunView>, description = "It goes on"),
        (status = 409, body = EnvelopeRefusal,
            description = "The bridge or its connection is paused, or another import into this Chatwoot is under way")))]
async fn import_into_bridge(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<BridgeId>,
    JsonBody(body): JsonBody<ImportHistory>,
) -> Result<(StatusCode, Json<Success<RunView>>), ApiError> {
    let wait = runs::check_wait(body.wait)?;
    let wanted = ImportOptions {
        dry_run: body.dry_run.unwrap_or(false),
        days: body.days,
        contacts: body.contacts.unwrap_or(true),
        messages: body.messages.unwrap_or(true),
    };
    let run = import::start(&state.engine, caller.actor(), id, wanted).await?;
    runs::answer(&state, run, wait).await
}

impl From<BridgeError> for ApiError {
    fn from(error: BridgeError) -> Self {
        match error {
            BridgeError::NotFound => Self::not_found("bridge"),
            BridgeError::Invalid(field, sentence) => Self::invalid(field, sentence),
            BridgeError::Taken(id) => Self::new(ErrorCode::Conflict, "This inbox has a bridge already.")
                .with_detail("bridgeId", id.0),
            BridgeError::Connection(error) => error.into(),
            BridgeError::Chatwoot(_) => Self::new(ErrorCode::ChatwootError, error.to_string()),
            BridgeError::Vault(error) => Self::internal(error),
            BridgeError::Store(error) => error.into(),
        }
    }
}
