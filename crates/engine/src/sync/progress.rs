//! Who looks at the page sees a run go on: told to the account's sockets as it happens, and kept nowhere.

use frontdesk_model::Timestamp;
use frontdesk_model::sync::{SyncCause, SyncDirection, SyncEntity, SyncProvider, SyncRunStatus};
use frontdesk_store::sync_runs::SyncRunRow;
use serde::Serialize;

use crate::Engine;
use crate::bridge::import::{self, ImportView};
use crate::realtime::trigger::Trigger;

/// The event's name on the wire.
pub const EVENT: &str = "App\\Events\\SyncProgress";

/// A run as it is shown, over the API and live.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncRun)]
pub struct RunView {
    /// `run_` and a number.
    pub run_id: String,
    /// `conn_` and a number.
    pub connection_id: String,
    /// The program.
    pub provider: SyncProvider,
    /// What is kept in step.
    pub entity_type: SyncEntity,
    /// Which way.
    pub direction: SyncDirection,
    /// Who asked for it.
    pub cause: SyncCause,
    /// How far it is.
    pub status: SyncRunStatus,
    /// How many there are, as far as it is known.
    #[schema(required = true)]
    pub total: Option<i64>,
    /// `created`, `updated` and `skipped` together.
    pub synced: i64,
    /// Made.
    pub created: i64,
    /// Changed.
    pub updated: i64,
    /// The same already.
    pub skipped: i64,
    /// Not taken over.
    pub errors: i64,
    /// Why not: the first hundred.
    pub error_messages: Vec<String>,
    /// Why it cannot go on, or why it waits.
    #[schema(required = true)]
    pub error: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it began.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub finished_at: Option<Timestamp>,
    /// What an import was asked for and what became of it; absent of other runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportView>,
}

impl From<&SyncRunRow> for RunView {
    fn from(run: &SyncRunRow) -> Self {
        let counts = &run.counts;
        Self {
            run_id: format!("run_{}", run.id),
            connection_id: format!("conn_{}", run.connection_id),
            provider: run.provider,
            entity_type: run.entity_type,
            direction: run.direction,
            cause: run.cause,
            status: run.status,
            total: counts.total,
            synced: counts.created + counts.updated + counts.skipped,
            created: counts.created,
            updated: counts.updated,
            skipped: counts.skipped,
            errors: counts.errors,
            error_messages: counts.error_messages.clone(),
            error: run.error.clone(),
            created_at: run.created_at,
            started_at: run.started_at,
            finished_at: run.finished_at,
            import: import::view(run),
        }
    }
}

/// Tells the account's sockets on all nodes how far a run is.
pub(crate) fn tell(engine: &Engine, run: &SyncRunRow) {
    // The page needs no list of what went wrong to draw a bar.
    let view = RunView { error_messages: Vec::new(), ..RunView::from(run) };
    let event = Trigger {
        name: EVENT.to_owned(),
        data: serde_json::to_string(&view).unwrap_or_default(),
        channels: vec![format!("private-account.{}", run.account_id)],
        socket_id: None,
    };
    if let Err(refused) = engine.realtime().trigger(run.account_id, &event) {
        tracing::debug!(%refused, "the progress of a sync was not told");
    }
}
