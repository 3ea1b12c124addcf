//! Texts to answer with. What a provider approved is beside them, under `/api/v1/inboxes/{id}/templates`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::crm::Key;
use frontdesk_engine::crm::quick_replies::{self, NewQuickReply, QuickReplyChanges};
use frontdesk_model::crm::variables::Text;
use frontdesk_model::{QuickReplyId, Timestamp};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::crm::quick_replies::QuickReplyRow;
use serde::{Deserialize, Serialize};

use super::RemovedDonorThing;
use crate::api::envelope::{EnvelopeRefusal, Success};
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{Ids, JsonBody};
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_quick_replies, add_quick_reply))
        .routes(routes!(change_quick_reply, remove_quick_reply))
        .routes(routes!(preview_quick_reply))
}

/// A text to answer with.
#[derive(Serialize, utoipa::ToSchema)]
struct QuickReply {
    id: i64,
    /// What is typed after the slash.
    shortcut: String,
    title: String,
    /// With variables: `{{first_name|friend}}`.
    content: String,
    /// The names of its variables.
    variables: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<QuickReplyRow> for QuickReply {
    fn from(row: QuickReplyRow) -> Self {
        let text = Text::parse(&row.content);
        let variables = text.map(|text| text.names().into_iter().map(str::to_owned).collect());
        Self {
            id: row.id.0,
            shortcut: row.shortcut,
            title: row.title,
            content: row.content,
            variables: variables.unwrap_or_default(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Lists all texts by their shortcuts.
#[utoipa::path(get, path = "/api/crm/quick-replies", tag = "crm", security(("token" = ["inbox:read"])),
    responses((status = 200, body = Success<Vec<QuickReply>>)))]
async fn list_quick_replies(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
) -> Result<Json<Success<Vec<QuickReply>>>, ApiError> {
    let rows = quick_replies::list(&state.engine, caller.account_id).await?;
    Ok(Success::of(rows.into_iter().map(QuickReply::from).collect()))
}

/// A text to keep.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "shortcut": "thanks", "title": "Thank you",
    "content": "Terima kasih, {{first_name|kak}}! Donasi Anda sudah kami terima." })))]
struct AddQuickReply {
    /// What is typed after the slash: letters, digits, `-` and `_`.
    #[schema(min_length = 1, max_length = 40)]
    shortcut: String,
    /// Absent: the shortcut.
    #[serde(default)]
    #[schema(max_length = 120)]
    title: String,
    /// `{{name}} {{first_name}} {{phone}} {{email}} {{agent}} {{last_donation}} {{lifetime_value}} {{donation_count}}
    /// {{segment}}`, `{{custom.KEY}}` and what is given when it is sent; `{{name|default}}` for those who have none.
    #[schema(min_length = 1, max_length = 2000)]
    content: String,
}

/// Keeps a text.
#[utoipa::path(post, path = "/api/crm/quick-replies", tag = "crm", security(("token" = ["inbox:write"])),
    request_body = AddQuickReply, responses((status = 201, body = Success<QuickReply>),
        (status = 409, body = EnvelopeRefusal, description = "There are as many as there may be")))]
async fn add_quick_reply(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    JsonBody(body): JsonBody<AddQuickReply>,
) -> Result<(StatusCode, Json<Success<QuickReply>>), ApiError> {
    let new = NewQuickReply { shortcut: body.shortcut, title: body.title, content: body.content };
    let row = quick_replies::add(&state.engine, caller.actor(), new).await?;
    Ok((StatusCode::CREATED, Success::of(row.into())))
}

/// What is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
struct ChangeQuickReply {
    #[schema(min_length = 1, max_length = 40)]
    shortcut: Option<String>,
    #[schema(max_length = 120)]
    title: Option<String>,
    #[schema(min_length = 1, max_length = 2000)]
    content: Option<String>,
}

/// Changes a text.
#[utoipa::path(patch, path = "/api/crm/quick-replies/{id}", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), request_body = ChangeQuickReply, responses((status = 200, body = Success<QuickReply>)))]
async fn change_quick_reply(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<QuickReplyId>,
    JsonBody(body): JsonBody<ChangeQuickReply>,
) -> Result<Json<Success<QuickReply>>, ApiError> {
    let changes = QuickReplyChanges { shortcut: body.shortcut, title: body.title, content: body.content };
    let row = quick_replies::change(&state.engine, caller.actor(), id, changes).await?;
    Ok(Success::of(row.into()))
}

/// Takes a text away.
#[utoipa::path(delete, path = "/api/crm/quick-replies/{id}", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), responses((status = 200, body = Success<RemovedDonorThing>)))]
async fn remove_quick_reply(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<QuickReplyId>,
) -> Result<Json<Success<RemovedDonorThing>>, ApiError> {
    quick_replies::remove(&state.engine, caller.actor(), id).await?;
    Ok(RemovedDonorThing::of(id.0))
}

/// For whom a text is filled in.
#[derive(Deserialize, utoipa::ToSchema)]
struct PreviewQuickReply {
    /// A number in any notation, or `id:12`.
    phone: String,
    /// Values beside those that are known; they stand before them.
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

/// A text as it would be sent.
#[derive(Serialize, utoipa::ToSchema)]
struct FilledQuickReply {
    content: String,
}

/// Fills a text in for somebody without sending it. 422 names the variables that have no value.
#[utoipa::path(post, path = "/api/crm/quick-replies/{id}/preview", tag = "crm", security(("token" = ["inbox:read"])),
    params(("id" = i64, Path)), request_body = PreviewQuickReply,
    responses((status = 200, body = Success<FilledQuickReply>)))]
async fn preview_quick_reply(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids(id): Ids<QuickReplyId>,
    JsonBody(body): JsonBody<PreviewQuickReply>,
) -> Result<Json<Success<FilledQuickReply>>, ApiError> {
    let key = Key::parse(&body.phone);
    let content = quick_replies::fill(&state.engine, &caller, id, key, body.variables).await?;
    Ok(Success::of(FilledQuickReply { content }))
}
