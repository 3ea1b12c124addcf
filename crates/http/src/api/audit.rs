//! The audit trail.

use axum::Json;
use axum::extract::State;
use frontdesk_engine::audit;
use frontdesk_model::Timestamp;
use frontdesk_routes::{Gather, routes};
use frontdesk_store::audit::AuditRow;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::auth::AdminUser;
use crate::error::ApiError;
use crate::input::Query;
use crate::paging::{Page, PageQuery};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(list_audit))
}

/// Who changed what.
#[derive(Serialize, utoipa::ToSchema)]
struct AuditEntry {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Null for the server itself and its command line.
    #[schema(required = true)]
    user: Option<AuditUser>,
    /// `inbox.updated`.
    action: String,
    /// `inbox`.
    subject_type: String,
    #[schema(required = true)]
    subject_id: Option<i64>,
    /// What changed; never a secret.
    #[schema(value_type = BTreeMap<String, Value>)]
    details: Map<String, Value>,
}

/// Who did it.
#[derive(Serialize, utoipa::ToSchema)]
struct AuditUser {
    id: i64,
    name: String,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        let name = row.user_name.unwrap_or_default();
        Self {
            id: row.id,
            at: row.created_at,
            user: row.user_id.map(|id| AuditUser { id: id.0, name }),
            action: row.action,
            subject_type: row.subject_type,
            subject_id: row.subject_id,
            details: row.details,
        }
    }
}

/// Lists who changed what, the newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", security(("token" = ["admin"])), params(PageQuery),
    responses((status = 200, body = Page<AuditEntry>)))]
async fn list_audit(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AuditEntry>>, ApiError> {
    let (limit, before) = (page.limit()?, page.key(i64::MAX)?);
    let rows = audit::list(&state.engine, caller.account_id, before, limit + 1).await?;
    Ok(Json(Page::of(rows, limit, |row| row.id, AuditEntry::from)))
}
