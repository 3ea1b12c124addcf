//! The approved templates of an inbox: what can be sent to customers who have not written for a while.

use axum::Json;
use axum::extract::State;
use frontdesk_engine::inboxes;
use frontdesk_model::InboxId;
use frontdesk_model::template::ApprovedTemplate;
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};

use crate::auth::InboxReader;
use crate::error::{ApiError, ErrorBody};
use crate::input::{Ids, Query};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(list_templates))
}

/// How they are looked up.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct TemplatesQuery {
    /// True asks the provider now; otherwise what it told within the last five minutes will do.
    anew: Option<bool>,
}

/// The approved templates of an inbox.
#[derive(Serialize, utoipa::ToSchema)]
struct ApprovedTemplates {
    data: Vec<ApprovedTemplate>,
}

/// Lists the approved templates of an inbox by name and language, at most a thousand.
///
/// Send one as `template` with `components` that fill its variables. The provider is asked when nobody did for five
/// minutes.
#[utoipa::path(get, path = "/api/v1/inboxes/{id}/templates", tag = "inboxes", security(("token" = ["inbox:read"])),
    params(("id" = i64, Path), TemplatesQuery), responses((status = 200, body = ApprovedTemplates),
        (status = 409, body = ErrorBody, description = "Its channel has no such thing, it is off, or the provider refused")))]
async fn list_templates(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids(id): Ids<InboxId>,
    Query(wanted): Query<TemplatesQuery>,
) -> Result<Json<ApprovedTemplates>, ApiError> {
    let anew = wanted.anew.unwrap_or(false);
    let found = inboxes::templates(&state.engine, caller.account_id, id, anew).await?;
    Ok(Json(ApprovedTemplates { data: found.to_vec() }))
}
