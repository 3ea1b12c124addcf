//! Runs: asked for, waited for a while, looked at, stopped and resumed.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::sync::progress::RunView;
use frontdesk_engine::sync::runs::{self, RunError, Wanted};
use frontdesk_engine::sync::{SyncDirection, SyncEntity, SyncProvider, SyncRunRow, SyncRunStatus};
use frontdesk_model::SyncRunId;
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};

use super::connections::ConnectionKey;
use crate::api::envelope::{EnvelopeRefusal, Success};
use crate::auth::{AdminUser, InboxReader};
use crate::error::{ApiError, ErrorCode};
use crate::input::{Ids, JsonBody, Query};
use crate::paging::{Page, PageQuery};
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(sync_connection))
        .routes(routes!(run_sync))
        .routes(routes!(list_sync_runs))
        .routes(routes!(get_sync_run))
        .routes(routes!(cancel_sync_run))
        .routes(routes!(resume_sync_run))
}

/// How long an answer waits for the end of a run unless said otherwise, and at most, in seconds.
const WAIT_SECS: u64 = 30;
const MAX_WAIT_SECS: u64 = 60;

/// A run's id: `run_12`, or its number.
struct RunKey(SyncRunId);

impl<'de> Deserialize<'de> for RunKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.strip_prefix("run_").unwrap_or(&text).parse();
        number.map(|id| Self(SyncRunId(id))).map_err(|_| serde::de::Error::custom("no id of a run"))
    }
}

/// How long to wait for the end.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SyncWait {
    /// Seconds; 30 unless said otherwise. 0: not at all.
    #[param(minimum = 0, maximum = 60)]
    wait: Option<u64>,
    /// What is kept in step; `contacts` unless said otherwise.
    #[serde(rename = "entityType")]
    entity_type: Option<SyncEntity>,
    /// Which way; `pull` unless said otherwise.
    direction: Option<SyncDirection>,
}

/// Runs a connection: people of Chatwoot are taken over here, unless said otherwise.
///
/// 200 with what became of it when it ended in time, else 202: it goes on, and `GET /api/v1/sync/runs/{id}` tells. While
/// one run of a kind is under way, no other begins.
#[utoipa::path(post, path = "/api/v1/sync/connections/{id}/sync", tag = "sync", security(("token" = ["admin"])),
    params(("id" = String, Path, pattern = "^(conn_)?[0-9]{1,18}$"), SyncWait), responses((status = 200, body = Success<RunView>),
        (status = 202, body = Success<RunView>, description = "It goes on"),
        (status = 409, body = EnvelopeRefusal, description = "The connection is paused")))]
async fn sync_connection(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(ConnectionKey(id)): Ids<ConnectionKey>,
    Query(asked): Query<SyncWait>,
) -> Result<(StatusCode, Json<Success<RunView>>), ApiError> {
    let wait = check_wait(asked.wait)?;
    let wanted = Wanted {
        entity: asked.entity_type.unwrap_or(SyncEntity::Contacts),
        direction: asked.direction.unwrap_or(SyncDirection::Pull),
    };
    let run = runs::start(&state.engine, caller.actor(), id, wanted).await?;
    answer(&state, run, wait).await
}

/// What to run.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({ "provider": "chatwoot", "entityType": "contacts", "direction": "push" })))]
struct RunSync {
    provider: SyncProvider,
    /// What is kept in step.
    entity_type: SyncEntity,
    /// Which way.
    direction: SyncDirection,
    /// Which connection; needed when there are several.
    #[schema(pattern = "^(conn_)?[0-9]{1,18}$")]
    connection_id: Option<String>,
    /// Seconds to wait for the end; 30 unless said otherwise.
    #[schema(minimum = 0, maximum = 60)]
    wait: Option<u64>,
}

/// Runs what is asked for, as `POST /api/v1/sync/connections/{id}/sync` does.
#[utoipa::path(post, path = "/api/v1/sync/run", tag = "sync", security(("token" = ["admin"])), request_body = RunSync,
    responses((status = 200, body = Success<RunView>),
        (status = 202, body = Success<RunView>, description = "It goes on"),
        (status = 404, body = EnvelopeRefusal, description = "There is no such connection"),
        (status = 409, body = EnvelopeRefusal, description = "The connection is paused")))]
async fn run_sync(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    JsonBody(body): JsonBody<RunSync>,
) -> Result<(StatusCode, Json<Success<RunView>>), ApiError> {
    let wait = check_wait(body.wait)?;
    let wanted = Wanted { entity: body.entity_type, direction: body.direction };
    let run = match &body.connection_id {
        Some(text) => {
            let key: Result<ConnectionKey, _> = text.parse();
            let key =
                key.map_err(|_| ApiError::invalid("connectionId", "The selected connectionId is invalid."))?;
            runs::start(&state.engine, caller.actor(), key.0, wanted).await?
        }
        None => runs::start_of_provider(&state.engine, caller.actor(), body.provider, wanted).await?,
    };
    answer(&state, run, wait).await
}

/// How long to wait for the end.
pub(super) fn check_wait(wait: Option<u64>) -> Result<Duration, ApiError> {
    match wait.unwrap_or(WAIT_SECS) {
        wait @ 0..=MAX_WAIT_SECS => Ok(Duration::from_secs(wait)),
        _ => Err(ApiError::invalid("wait", format!("The wait field must be between 0 and {MAX_WAIT_SECS}."))),
    }
}

/// A run, when it has ended or was waited for long enough.
pub(super) async fn answer(
    state: &HttpState,
    run: SyncRunRow,
    wait: Duration,
) -> Result<(StatusCode, Json<Success<RunView>>), ApiError> {
    let run = runs::wait(&state.engine, run.account_id, run.id, wait).await?;
    let is_over = !matches!(run.status, SyncRunStatus::Queued | SyncRunStatus::Running);
    let status = if is_over { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Success::of(RunView::from(&run))))
}

/// Which runs.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SyncRunsQuery {
    /// Of this connection alone.
    #[serde(rename = "connectionId")]
    #[param(pattern = "^(conn_)?[0-9]{1,18}$")]
    connection_id: Option<String>,
}

/// Runs.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct SyncRuns {
    /// True.
    success: bool,
    data: Vec<RunView>,
    /// Give it as `cursor` to go on; null on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// Lists the runs, the newest first. They are kept for ninety days.
#[utoipa::path(get, path = "/api/v1/sync/runs", tag = "sync", security(("token" = ["inbox:read"])),
    params(SyncRunsQuery, PageQuery), responses((status = 200, body = SyncRuns)))]
async fn list_sync_runs(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(wanted): Query<SyncRunsQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<SyncRuns>, ApiError> {
    let connection = wanted.connection_id.as_deref().map(str::parse);
    let connection: Option<ConnectionKey> = connection
        .transpose()
        .map_err(|_| ApiError::invalid("connectionId", "The selected connectionId is invalid."))?;
    let (limit, before) = (page.limit()?, SyncRunId(page.key(i64::MAX)?));
    let connection = connection.map(|key| key.0);
    let rows = runs::list(&state.engine, caller.account_id, connection, before, limit + 1).await?;
    let Page { data, next_cursor } = Page::of(rows, limit, |row| row.id.0, |row| RunView::from(&row));
    Ok(Json(SyncRuns { success: true, data, next_cursor }))
}

/// Shows a run: how far it is, or what became of it.
#[utoipa::path(get, path = "/api/v1/sync/runs/{id}", tag = "sync", security(("token" = ["inbox:read"])),
    params(("id" = String, Path, pattern = "^(run_)?[0-9]{1,18}$")), responses((status = 200, body = Success<RunView>)))]
async fn get_sync_run(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids(RunKey(id)): Ids<RunKey>,
) -> Result<Json<Success<RunView>>, ApiError> {
    let run = runs::get(&state.engine, caller.account_id, id).await?;
    Ok(Success::of(RunView::from(&run)))
}

/// Stops a run: at once while it waits, else at its next step.
#[utoipa::path(post, path = "/api/v1/sync/runs/{id}/cancel", tag = "sync", security(("token" = ["admin"])),
    params(("id" = String, Path, pattern = "^(run_)?[0-9]{1,18}$")), responses((status = 200, body = Success<RunView>),
        (status = 409, body = EnvelopeRefusal, description = "It has ended")))]
async fn cancel_sync_run(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(RunKey(id)): Ids<RunKey>,
) -> Result<Json<Success<RunView>>, ApiError> {
    let run = runs::cancel(&state.engine, caller.actor(), id).await?;
    Ok(Success::of(RunView::from(&run)))
}

/// Has a run that failed or was cancelled go on where it was.
#[utoipa::path(post, path = "/api/v1/sync/runs/{id}/resume", tag = "sync", security(("token" = ["admin"])),
    params(("id" = String, Path, pattern = "^(run_)?[0-9]{1,18}$")), responses((status = 200, body = Success<RunView>),
        (status = 409, body = EnvelopeRefusal, description = "It neither failed nor was cancelled")))]
async fn resume_sync_run(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(RunKey(id)): Ids<RunKey>,
) -> Result<Json<Success<RunView>>, ApiError> {
    let run = runs::resume(&state.engine, caller.actor(), id).await?;
    Ok(Success::of(RunView::from(&run)))
}

impl From<RunError> for ApiError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Invalid(field, sentence) => Self::invalid(field, sentence),
            RunError::NotFound(what) => Self::not_found(what),
            RunError::Conflict(sentence) => Self::new(ErrorCode::Conflict, sentence),
            RunError::Store(error) => error.into(),
        }
    }
}
