//! The log of webhooks: what came in, what became of it, and applying it again.

use axum::Json;
use axum::extract::State;
use frontdesk_engine::intake::replay::{self, ReplayError};
use frontdesk_model::{AccountId, Timestamp, WebhookLogId};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::webhook_logs::{self, WebhookLogRow, WebhookState};
use serde::{Deserialize, Serialize};

use crate::auth::AdminUser;
use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::input::{Ids, Query};
use crate::paging::{Page, PageQuery};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(list_webhook_logs)).routes(routes!(replay_webhook))
}

/// Which entries.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct StateQuery {
    /// `pending`, `applied`, `failed`, `unrouted` or `unreadable`.
    #[param(pattern = "^(pending|applied|failed|unrouted|unreadable)?$")]
    state: Option<String>,
}

/// A webhook that came in.
#[derive(Serialize, utoipa::ToSchema)]
struct WebhookLog {
    id: i64,
    #[schema(required = true)]
    inbox_id: Option<i64>,
    /// The address it came to.
    path: String,
    state: WebhookState,
    /// Why it was not applied, or what of it was left out: not used, or unreadable.
    #[schema(required = true)]
    error: Option<String>,
    /// How many events it held.
    events: i64,
    attempts: i64,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    applied_at: Option<Timestamp>,
}

impl From<WebhookLogRow> for WebhookLog {
    fn from(row: WebhookLogRow) -> Self {
        Self {
            id: row.id.0,
            inbox_id: row.inbox_id.map(|id| id.0),
            path: row.door,
            state: row.state,
            error: row.error,
            events: row.events,
            attempts: row.attempts,
            received_at: row.created_at,
            applied_at: row.applied_at,
        }
    }
}

/// Lists the webhooks for the account's inboxes, the newest first.
///
/// Those for no inbox, and unreadable ones, are shown when the server has only this account.
#[utoipa::path(get, path = "/api/v1/webhook-logs", tag = "operations", security(("token" = ["admin"])),
    params(StateQuery, PageQuery), responses((status = 200, body = Page<WebhookLog>)))]
async fn list_webhook_logs(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Query(wanted): Query<StateQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<WebhookLog>>, ApiError> {
    let wanted = match wanted.state.as_deref().filter(|s| !s.is_empty()) {
        Some(word) => {
            let parsed = WebhookState::parse(word);
            Some(parsed.ok_or_else(|| ApiError::invalid("state", "The selected state is invalid."))?)
        }
        None => None,
    };
    let (limit, before) = (page.limit()?, WebhookLogId(page.key(i64::MAX)?));
    let account = caller.account_id;
    let rows = state
        .engine
        .store
        .read(move |tx| webhook_logs::list(tx, account, wanted, Some(before), limit + 1))
        .await?;
    Ok(Json(Page::of(rows, limit, |row| row.id.0, WebhookLog::from)))
}

/// Applies a webhook again.
///
/// What was applied before does not change.
#[utoipa::path(post, path = "/api/v1/webhook-logs/{id}/replay", tag = "operations", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 200, body = WebhookLog),
        (status = 409, body = ErrorBody, description = "No channel of this program has the address it came to")))]
async fn replay_webhook(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<WebhookLogId>,
) -> Result<Json<WebhookLog>, ApiError> {
    get(&state, caller.account_id, id).await?;
    replay::replay(&state.engine, id).await?;
    get(&state, caller.account_id, id).await.map(|row| Json(row.into()))
}

async fn get(state: &HttpState, account: AccountId, id: WebhookLogId) -> Result<WebhookLogRow, ApiError> {
    let found = state.engine.store.read(move |tx| webhook_logs::find(tx, account, id)).await?;
    found.ok_or_else(|| ApiError::not_found("webhook"))
}

impl From<ReplayError> for ApiError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::NotFound => Self::not_found("webhook"),
            ReplayError::NoDoor(_) => Self::new(ErrorCode::Conflict, error.to_string()),
            ReplayError::Store(error) => error.into(),
        }
    }
}
