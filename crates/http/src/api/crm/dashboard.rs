//! What waits, at a glance.

use axum::Json;
use axum::extract::State;
use frontdesk_engine::crm::dashboard::{self, Dashboard, Session};
use frontdesk_model::Timestamp;
use frontdesk_model::inbox::ConnectionCode;
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};

use crate::auth::InboxReader;
use crate::error::ApiError;
use crate::input::Query;
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(show_dashboard))
}

/// Whose.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct DashboardQuery {
    /// `me` counts only the chats that are assigned to the caller, and their reminders; absent: `all`.
    #[param(inline)]
    user: Option<DashboardUser>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum DashboardUser {
    Me,
    All,
}

/// What waits.
#[derive(Serialize, utoipa::ToSchema)]
struct CrmDashboard {
    /// True.
    success: bool,
    /// The WhatsApp accounts, the oldest first.
    sessions: Vec<CrmSession>,
    summary: CrmSummary,
}

/// A WhatsApp account and what waits in it.
#[derive(Serialize, utoipa::ToSchema)]
struct CrmSession {
    /// The inbox.
    id: i64,
    /// What its provider calls it.
    session_id: String,
    name: String,
    status: CrmSessionStatus,
    /// Chats with unread messages.
    active_chats: i64,
    /// When something was last said there.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_activity: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Whether it works, in a word.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum CrmSessionStatus {
    Connected,
    Connecting,
    Disconnected,
}

/// All of it together.
#[derive(Serialize, utoipa::ToSchema)]
struct CrmSummary {
    total_sessions: usize,
    connected: usize,
    /// Chats with unread messages in these accounts.
    total_active_chats: i64,
    /// The same on whatever network.
    unread_chats: i64,
    /// The median until a new customer was answered, over thirty days; null without any.
    #[schema(required = true)]
    first_response_median_secs: Option<i64>,
    /// For how long the customer who waits longest has waited; null when nobody does.
    #[schema(required = true)]
    waiting_longest_secs: Option<i64>,
    /// Reminders whose time has come and that are not done.
    reminders_due: i64,
}

impl From<Session> for CrmSession {
    fn from(session: Session) -> Self {
        let status = match session.state {
            ConnectionCode::Connected | ConnectionCode::Degraded => CrmSessionStatus::Connected,
            ConnectionCode::Connecting => CrmSessionStatus::Connecting,
            ConnectionCode::Reconnect | ConnectionCode::Paused | ConnectionCode::Unreachable => {
                CrmSessionStatus::Disconnected
            }
        };
        Self {
            id: session.inbox.0,
            session_id: session.session_id,
            name: session.name,
            status,
            active_chats: session.active_chats,
            last_activity: session.last_activity,
            created_at: session.created_at,
        }
    }
}

/// Shows what waits: the WhatsApp accounts with their unread chats, how fast customers are answered, and reminders.
#[utoipa::path(get, path = "/api/crm/dashboard", tag = "crm", security(("token" = ["inbox:read"])),
    params(DashboardQuery), responses((status = 200, body = CrmDashboard)))]
async fn show_dashboard(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(query): Query<DashboardQuery>,
) -> Result<Json<CrmDashboard>, ApiError> {
    let of = (query.user == Some(DashboardUser::Me)).then_some(caller.user_id);
    let Dashboard { sessions, unread_chats, first_response_ms, waiting_ms, reminders_due } =
        dashboard::look(&state.engine, caller.account_id, of).await?;
    let sessions: Vec<CrmSession> = sessions.into_iter().map(CrmSession::from).collect();
    let summary = CrmSummary {
        total_sessions: sessions.len(),
        connected: sessions.iter().filter(|s| matches!(s.status, CrmSessionStatus::Connected)).count(),
        total_active_chats: sessions.iter().map(|session| session.active_chats).sum(),
        unread_chats,
        first_response_median_secs: first_response_ms.map(|ms| ms / 1_000),
        waiting_longest_secs: waiting_ms.map(|ms| ms / 1_000),
        reminders_due,
    };
    Ok(Json(CrmDashboard { success: true, sessions, summary }))
}
