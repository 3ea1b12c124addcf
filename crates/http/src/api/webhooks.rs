//! Outgoing webhooks: who is told what happens, what they were told, and telling it once more.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::webhooks::endpoints::{self, NewWebhook, WebhookChanges, WebhookError, WithSecret};
use frontdesk_engine::webhooks::event::WebhookEvent;
use frontdesk_engine::webhooks::log::{self, Depth};
use frontdesk_model::{InboxId, Timestamp, WebhookEndpointId, WebhookSendId};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::webhook_endpoints::{EndpointRow, EndpointStatus};
use frontdesk_store::webhook_sends::{Attempt, SendFilter, WebhookSendRow, WebhookSendState};
use serde::{Deserialize, Serialize};

use crate::auth::AdminUser;
use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::input::{Ids, JsonBody, Query};
use crate::paging::{Page, PageQuery};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_webhooks, create_webhook))
        .routes(routes!(get_webhook, update_webhook, delete_webhook))
        .routes(routes!(rotate_webhook_secret))
        .routes(routes!(test_webhook))
        .routes(routes!(list_webhook_deliveries))
        .routes(routes!(get_webhook_delivery))
        .routes(routes!(replay_webhook_delivery))
        .routes(routes!(replay_webhook_failures))
}

/// Somebody who is told what happens.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Webhook)]
struct WebhookView {
    id: i64,
    /// Where deliveries go.
    url: String,
    /// What it is for.
    description: String,
    /// What it wants to be told; empty: everything, also what is added later.
    events: Vec<String>,
    /// Only what happens in this inbox; null for all.
    #[schema(required = true)]
    inbox_id: Option<i64>,
    status: EndpointStatus,
    /// Why the last delivery was not taken; null when it was.
    #[schema(required = true)]
    last_error: Option<String>,
    /// Since when none is taken; null while all is well.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    failing_since: Option<Timestamp>,
    /// When the last one was taken.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    delivered_at: Option<Timestamp>,
    /// Until when deliveries are signed with the secret before too; null when there is none.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    old_secret_until: Option<Timestamp>,
    /// Deliveries that wait.
    waiting: i64,
    /// Since when the oldest of them does.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    oldest_waiting_at: Option<Timestamp>,
    /// Deliveries that were given up and are still kept, counted up to 1000.
    failed: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl WebhookView {
    fn of(row: EndpointRow, depth: Depth, now: Timestamp) -> Self {
        Self {
            id: row.id.0,
            url: row.url,
            description: row.description,
            events: row.events,
            inbox_id: row.inbox_id.map(|id| id.0),
            status: row.status,
            last_error: row.last_error,
            failing_since: row.failing_since,
            delivered_at: row.delivered_at,
            old_secret_until: row.old_secret_until.filter(|until| *until > now),
            waiting: depth.waiting,
            oldest_waiting_at: depth.oldest_at,
            failed: depth.failed,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A webhook that was made, or got a new secret.
#[derive(Serialize, utoipa::ToSchema)]
struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: WebhookView,
    /// What deliveries are signed with. Shown this once.
    #[schema(pattern = "^whsec_")]
    secret: String,
}

/// Somebody to be told what happens.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "url": "https://crm.example.org/webhook/whatsapp", "events": ["message.received", "message.status"] })))]
struct CreateWebhook {
    /// An https address on the public internet, or a host of `providers.allow_private_hosts`.
    #[schema(max_length = 2000)]
    url: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 200)]
    description: String,
    /// Names of events; absent, empty or `*`: all, also what is added later.
    #[serde(default)]
    #[schema(max_items = 20, value_type = Vec<WebhookEvent>)]
    events: Vec<String>,
    /// Only what happens in this inbox. Absent or null: all.
    inbox_id: Option<i64>,
}

/// What becomes of a webhook; what is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
struct UpdateWebhook {
    #[schema(max_length = 2000)]
    url: Option<String>,
    #[schema(max_length = 200)]
    description: Option<String>,
    /// Empty: all.
    #[schema(max_items = 20, value_type = Option<Vec<WebhookEvent>>)]
    events: Option<Vec<String>>,
    /// Only what happens in this inbox; 0: all.
    inbox_id: Option<i64>,
    /// False stops it; true starts it again, and tells what happened meanwhile.
    enabled: Option<bool>,
}

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::NotFound(thing) => Self::not_found(thing),
            WebhookError::Invalid(fields) => Self::invalid_fields(fields),
            WebhookError::Conflict(sentence) => Self::new(ErrorCode::Conflict, sentence),
            WebhookError::Vault(_) => Self::internal(error),
            WebhookError::Store(error) => error.into(),
        }
    }
}

async fn show(state: &HttpState, row: EndpointRow) -> Result<WebhookView, ApiError> {
    let depth = log::depths(&state.engine, row.account_id, vec![row.id]).await?.pop().unwrap_or_default();
    Ok(WebhookView::of(row, depth, state.engine.clock.now()))
}

async fn show_with_secret(state: &HttpState, made: WithSecret) -> Result<WebhookWithSecret, ApiError> {
    Ok(WebhookWithSecret { webhook: show(state, made.row).await?, secret: made.secret })
}

/// Lists who is told what happens, the oldest first.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "outgoing-webhooks", security(("token" = ["admin"])), params(PageQuery),
    responses((status = 200, body = Page<WebhookView>)))]
async fn list_webhooks(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<WebhookView>>, ApiError> {
    let (limit, after) = (page.limit()?, WebhookEndpointId(page.key(0)?));
    let (engine, account) = (&state.engine, caller.account_id);
    let rows = endpoints::list(engine, account, after, limit + 1).await?;
    let depths = log::depths(engine, account, rows.iter().map(|row| row.id).collect()).await?;
    let now = engine.clock.now();
    let rows = rows.into_iter().zip(depths).collect();
    Ok(Json(Page::of(rows, limit, |(row, _)| row.id.0, |(row, depth)| WebhookView::of(row, depth, now))))
}

/// Tells somebody what happens from now on. The secret is shown this once.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "outgoing-webhooks", security(("token" = ["admin"])),
    request_body = CreateWebhook, responses((status = 201, body = WebhookWithSecret),
        (status = 409, body = ErrorBody, description = "The account has as many webhooks as it may")))]
async fn create_webhook(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    JsonBody(body): JsonBody<CreateWebhook>,
) -> Result<(StatusCode, Json<WebhookWithSecret>), ApiError> {
    let CreateWebhook { url, description, events, inbox_id } = body;
    let new = NewWebhook { url, description, events, inbox: inbox_id.map(InboxId) };
    let made = endpoints::create(&state.engine, caller.actor(), new).await?;
    Ok((StatusCode::CREATED, Json(show_with_secret(&state, made).await?)))
}

/// Shows who is told, and how that goes.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", tag = "outgoing-webhooks", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 200, body = WebhookView)))]
async fn get_webhook(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<WebhookEndpointId>,
) -> Result<Json<WebhookView>, ApiError> {
    let row = endpoints::get(&state.engine, caller.account_id, id).await?;
    show(&state, row).await.map(Json)
}

/// Changes who is told what, stops it, or starts it again.
#[utoipa::path(patch, path = "/api/v1/webhooks/{id}", tag = "outgoing-webhooks", security(("token" = ["admin"])),
    params(("id" = i64, Path)), request_body = UpdateWebhook, responses((status = 200, body = WebhookView)))]
async fn update_webhook(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<WebhookEndpointId>,
    JsonBody(body): JsonBody<UpdateWebhook>,
) -> Result<Json<WebhookView>, ApiError> {
    let UpdateWebhook { url, description, events, inbox_id, enabled } = body;
    let inbox = inbox_id.map(|id| (id != 0).then_some(InboxId(id)));
    let changes = WebhookChanges { url, description, events, inbox, enabled };
    let row = endpoints::change(&state.engine, caller.actor(), id, changes).await?;
    show(&state, row).await.map(Json)
}

/// Tells somebody nothing more, and forgets what they were told.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "outgoing-webhooks", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 204)))]
async fn delete_webhook(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<WebhookEndpointId>,
) -> Result<StatusCode, ApiError> {
    endpoints::remove(&state.engine, caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a new secret, shown this once. For a day deliveries are signed with both.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/secret", tag = "outgoing-webhooks", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 200, body = WebhookWithSecret)))]
async fn rotate_webhook_secret(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<WebhookEndpointId>,
) -> Result<Json<WebhookWithSecret>, ApiError> {
    let made = endpoints::rotate_secret(&state.engine, caller.actor(), id).await?;
    show_with_secret(&state, made).await.map(Json)
}

/// Something that was told, or is to be.
#[derive(Serialize, utoipa::ToSchema)]
struct WebhookDelivery {
    id: i64,
    /// The `webhook-id` that the receiver sees: the same at every try and replay.
    webhook_id: String,
    event: String,
    state: WebhookSendState,
    /// Tries since it was made or replayed.
    attempts: i64,
    /// The status of the last answer.
    #[schema(required = true)]
    http_status: Option<i64>,
    /// Why it was not taken; null when it was.
    #[schema(required = true)]
    last_error: Option<String>,
    /// When it is tried next, while it waits.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    due_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    ended_at: Option<Timestamp>,
}

impl From<WebhookSendRow> for WebhookDelivery {
    fn from(row: WebhookSendRow) -> Self {
        Self {
            id: row.id.0,
            webhook_id: log::id_of(&row),
            due_at: (row.state == WebhookSendState::Queued).then_some(row.due_at),
            event: row.event,
            state: row.state,
            attempts: row.attempts,
            http_status: row.http_status,
            last_error: row.last_error,
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}

/// Something that was told, with its body and its tries.
#[derive(Serialize, utoipa::ToSchema)]
struct WebhookDeliveryDetail {
    #[serde(flatten)]
    delivery: WebhookDelivery,
    /// As it is sent: `{event, data}`.
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    body: serde_json::Value,
    /// The newest first, at most 50.
    tries: Vec<WebhookTry>,
}

/// One try.
#[derive(Serialize, utoipa::ToSchema)]
struct WebhookTry {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    duration_ms: i64,
    #[schema(required = true)]
    http_status: Option<i64>,
    #[schema(required = true)]
    error: Option<String>,
    /// The first 500 characters of the answer.
    #[schema(required = true)]
    answer: Option<String>,
}

impl From<Attempt> for WebhookTry {
    fn from(attempt: Attempt) -> Self {
        let Attempt { tried_at, duration_ms, http_status, error, answer } = attempt;
        Self { at: tried_at, duration_ms, http_status, error, answer }
    }
}

/// Which deliveries. An empty value is none.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct DeliveriesQuery {
    /// `queued` (those under way too), `delivered` or `failed`.
    #[param(pattern = "^(queued|claimed|delivered|failed)?$")]
    state: Option<String>,
    /// The name of an event.
    #[param(max_length = 100)]
    event: Option<String>,
}

impl DeliveriesQuery {
    fn filter(self) -> Result<SendFilter, ApiError> {
        let state = match self.state.as_deref().filter(|word| !word.is_empty()) {
            Some(word) => Some(
                WebhookSendState::parse(word)
                    .ok_or_else(|| ApiError::invalid("state", "The selected state is invalid."))?,
            ),
            None => None,
        };
        let event = self.event.filter(|name| !name.is_empty());
        if event.as_deref().is_some_and(|name| WebhookEvent::parse(name).is_none()) {
            return Err(ApiError::invalid("event", "The selected event is invalid."));
        }
        Ok(SendFilter { state, event })
    }
}

/// Tells something that did not happen, to see whether it arrives. What came of it stands in the deliveries.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", tag = "outgoing-webhooks", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 202, body = WebhookDelivery),
        (status = 409, body = ErrorBody, description = "It is switched off")))]
async fn test_webhook(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<WebhookEndpointId>,
) -> Result<(StatusCode, Json<WebhookDelivery>), ApiError> {
    let row = endpoints::send_test(&state.engine, caller.account_id, id).await?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

/// Lists what was told and what waits, the newest first.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries", tag = "outgoing-webhooks", security(("token" = ["admin"])),
    params(("id" = i64, Path), DeliveriesQuery, PageQuery), responses((status = 200, body = Page<WebhookDelivery>)))]
async fn list_webhook_deliveries(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<WebhookEndpointId>,
    Query(wanted): Query<DeliveriesQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<WebhookDelivery>>, ApiError> {
    let (limit, before) = (page.limit()?, WebhookSendId(page.key(i64::MAX)?));
    let filter = wanted.filter()?;
    let rows = log::list(&state.engine, caller.account_id, id, filter, before, limit + 1).await?;
    Ok(Json(Page::of(rows, limit, |row| row.id.0, WebhookDelivery::from)))
}

/// Shows what was told, and every try.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries/{delivery_id}", tag = "outgoing-webhooks",
    security(("token" = ["admin"])), params(("id" = i64, Path), ("delivery_id" = i64, Path)),
    responses((status = 200, body = WebhookDeliveryDetail)))]
async fn get_webhook_delivery(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids((id, delivery)): Ids<(WebhookEndpointId, WebhookSendId)>,
) -> Result<Json<WebhookDeliveryDetail>, ApiError> {
    let (row, tries) = log::get(&state.engine, caller.account_id, id, delivery).await?;
    let body = serde_json::from_str(&row.body).unwrap_or_default();
    let tries = tries.into_iter().map(WebhookTry::from).collect();
    Ok(Json(WebhookDeliveryDetail { delivery: row.into(), body, tries }))
}

/// Tells something once more, with the same `webhook-id`.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/deliveries/{delivery_id}/replay", tag = "outgoing-webhooks",
    security(("token" = ["admin"])), params(("id" = i64, Path), ("delivery_id" = i64, Path)),
    responses((status = 202, body = WebhookDelivery),
        (status = 409, body = ErrorBody, description = "It is still on its way")))]
async fn replay_webhook_delivery(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids((id, delivery)): Ids<(WebhookEndpointId, WebhookSendId)>,
) -> Result<(StatusCode, Json<WebhookDelivery>), ApiError> {
    let row = log::replay(&state.engine, caller.actor(), id, delivery).await?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

/// Since when.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "since": "2026-01-15T08:00:00Z" })))]
struct ReplayWebhook {
    /// What happened then or later.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// How much is told once more.
#[derive(Serialize, utoipa::ToSchema)]
struct ReplayedWebhook {
    /// At most 10,000: ask again for more.
    count: u64,
}

/// Tells once more what was given up.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/replay", tag = "outgoing-webhooks", security(("token" = ["admin"])),
    params(("id" = i64, Path)), request_body = ReplayWebhook, responses((status = 202, body = ReplayedWebhook)))]
async fn replay_webhook_failures(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<WebhookEndpointId>,
    JsonBody(body): JsonBody<ReplayWebhook>,
) -> Result<(StatusCode, Json<ReplayedWebhook>), ApiError> {
    let count = log::replay_failed(&state.engine, caller.actor(), id, body.since).await?;
    Ok((StatusCode::ACCEPTED, Json(ReplayedWebhook { count })))
}
