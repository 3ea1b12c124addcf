//! Two contacts that are one person.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::crm::Key;
use frontdesk_engine::crm::merges::{self, Choices, Side};
use frontdesk_model::{MergeId, Timestamp};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::crm::merges::MergeRow;
use serde::{Deserialize, Serialize};

use super::Listed;
use crate::api::envelope::{EnvelopeRefusal, Success};
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{Ids, JsonBody, Query};
use crate::paging::{PageQuery, encode};
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(merge_donors)).routes(routes!(list_merges)).routes(routes!(undo_merge))
}

/// Who becomes part of whom.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "keep": "6281390045512", "merge": "id:12", "fields": { "name": "merge" } })))]
struct MergeDonors {
    /// Who stays: a number in any notation, or `id:12`.
    keep: String,
    /// Who becomes part of them; the old id leads to the one that stays.
    merge: String,
    /// Whose fields are kept.
    #[serde(default)]
    fields: MergeFields,
}

/// Whose fields are kept; absent: `keep`. What one side lacks is the other's anyhow.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
struct MergeFields {
    name: MergeSide,
    email: MergeSide,
    /// The number that is shown; both reach the contact afterwards.
    phone: MergeSide,
    /// Those that both have.
    custom_fields: MergeSide,
}

/// Of the two.
#[derive(Clone, Copy, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum MergeSide {
    /// Who stays.
    #[default]
    Keep,
    /// Who becomes part of them.
    Merge,
}

impl From<MergeSide> for Side {
    fn from(side: MergeSide) -> Self {
        match side {
            MergeSide::Keep => Self::Keep,
            MergeSide::Merge => Self::Merge,
        }
    }
}

/// A merge.
#[derive(Serialize, utoipa::ToSchema)]
struct DonorMerge {
    id: i64,
    /// Who stayed.
    contact_id: i64,
    /// Who became part of them.
    merged_id: i64,
    /// What that one was called.
    #[schema(required = true)]
    merged_name: Option<String>,
    #[schema(required = true)]
    merged_by: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// It can be undone until then.
    #[schema(value_type = String, format = DateTime)]
    undo_until: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    undone_at: Option<Timestamp>,
}

impl From<MergeRow> for DonorMerge {
    fn from(row: MergeRow) -> Self {
        Self {
            id: row.id.0,
            contact_id: row.winner_id.0,
            merged_id: row.loser_id.0,
            merged_name: merges::called(&row.before.loser).map(str::to_owned),
            merged_by: row.merged_by.map(|id| id.0),
            created_at: row.created_at,
            undo_until: merges::undo_until(&row),
            undone_at: row.undone_at,
        }
    }
}

/// Makes one contact part of another: gifts, notes, reminders, numbers and conversations move.
#[utoipa::path(post, path = "/api/crm/contacts/merge", tag = "crm", security(("token" = ["inbox:write"])),
    request_body = MergeDonors, responses((status = 201, body = Success<DonorMerge>),
        (status = 404, body = EnvelopeRefusal, description = "One of the two is not known here"),
        (status = 409, body = EnvelopeRefusal, description = "One of the two was merged meanwhile"),
        (status = 422, body = EnvelopeRefusal, description = "A field is wrong, or the two are one already")))]
async fn merge_donors(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    JsonBody(body): JsonBody<MergeDonors>,
) -> Result<(StatusCode, Json<Success<DonorMerge>>), ApiError> {
    let MergeFields { name, email, phone, custom_fields } = body.fields;
    let choices = Choices {
        name: name.into(),
        email: email.into(),
        phone: phone.into(),
        custom_fields: custom_fields.into(),
    };
    let (keep, merge) = (Key::parse(&body.keep), Key::parse(&body.merge));
    let row = merges::merge(&state.engine, caller.actor(), keep, merge, choices).await?;
    Ok((StatusCode::CREATED, Success::of(row.into())))
}

/// Lists the merges of the last thirty days, the newest first.
#[utoipa::path(get, path = "/api/crm/merges", tag = "crm", security(("token" = ["inbox:read"])),
    params(PageQuery), responses((status = 200, body = Listed<DonorMerge>)))]
async fn list_merges(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(query): Query<PageQuery>,
) -> Result<Json<Listed<DonorMerge>>, ApiError> {
    let (limit, before) = (query.limit()?, MergeId(query.key(i64::MAX)?));
    let rows = merges::list(&state.engine, caller.account_id, before, limit + 1).await?;
    Ok(Listed::of(rows, limit, |row| encode(row.id.0), DonorMerge::from))
}

/// Makes two contacts of one again. What came since stays with the one that was kept.
#[utoipa::path(post, path = "/api/crm/merges/{id}/undo", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), responses((status = 200, body = Success<DonorMerge>),
        (status = 409, body = EnvelopeRefusal, description = "Undone already, too old, or merged further since")))]
async fn undo_merge(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<MergeId>,
) -> Result<Json<Success<DonorMerge>>, ApiError> {
    let row = merges::undo(&state.engine, caller.actor(), id).await?;
    Ok(Success::of(row.into()))
}
