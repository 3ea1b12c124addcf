//! Notes about donors: never sent.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::crm::Key;
use frontdesk_engine::crm::notes;
use frontdesk_model::{NoteId, Timestamp};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::crm::notes::{NoteEdit, NoteRow};
use serde::{Deserialize, Serialize};

use super::{Listed, RemovedDonorThing};
use crate::api::envelope::{EnvelopeRefusal, Success};
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{Ids, JsonBody, Query, Word};
use crate::paging::{PageQuery, encode};
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_notes, add_note))
        .routes(routes!(change_note, remove_note))
        .routes(routes!(list_note_edits))
}

/// What somebody of ours noted.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DonorNote)]
pub(super) struct Note {
    id: i64,
    contact_id: i64,
    note: String,
    pinned: bool,
    author: String,
    #[schema(required = true)]
    author_id: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<NoteRow> for Note {
    fn from(row: NoteRow) -> Self {
        Self {
            id: row.id.0,
            contact_id: row.contact_id.0,
            note: row.body,
            pinned: row.pinned,
            author: row.author_name,
            author_id: row.author_id.map(|id| id.0),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Something to note.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "note": "Prefers to be called after five." })))]
struct AddNote {
    #[serde(alias = "body")]
    #[schema(min_length = 1, max_length = 10_000)]
    note: String,
    /// It stands before the others.
    #[serde(default)]
    pinned: bool,
}

/// Notes something about a donor. Whoever has the number is made when nobody has.
#[utoipa::path(post, path = "/api/crm/contacts/{phone}/notes", tag = "crm", security(("token" = ["inbox:write"])),
    params(("phone" = String, Path)), request_body = AddNote, responses((status = 201, body = Success<Note>),
        (status = 409, body = EnvelopeRefusal, description = "There are as many as there may be")))]
async fn add_note(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Word(phone): Word,
    JsonBody(body): JsonBody<AddNote>,
) -> Result<(StatusCode, Json<Success<Note>>), ApiError> {
    let row = notes::add(&state.engine, &caller, Key::parse(&phone), &body.note, body.pinned).await?;
    Ok((StatusCode::CREATED, Success::of(row.into())))
}

/// Lists what was noted about a donor: what is pinned, then the newest.
#[utoipa::path(get, path = "/api/crm/contacts/{phone}/notes", tag = "crm", security(("token" = ["inbox:read"])),
    params(("phone" = String, Path), PageQuery), responses((status = 200, body = Listed<Note>)))]
async fn list_notes(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Word(phone): Word,
    Query(query): Query<PageQuery>,
) -> Result<Json<Listed<Note>>, ApiError> {
    let (limit, skip) = (query.limit()?, query.key(0)?);
    let key = Key::parse(&phone);
    let mut rows = notes::of_person(&state.engine, caller.account_id, key, skip, limit + 1).await?;
    let more = rows.len() as i64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let data = rows.into_iter().map(Note::from).collect();
    Ok(Json(Listed { success: true, data, next_cursor: more.then(|| encode(skip + limit)) }))
}

/// What is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
struct ChangeNote {
    #[serde(alias = "body")]
    #[schema(min_length = 1, max_length = 10_000)]
    note: Option<String>,
    pinned: Option<bool>,
}

/// Rewords a note (its author, or an administrator), or pins it (everybody). What it said before is kept.
#[utoipa::path(patch, path = "/api/crm/notes/{id}", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), request_body = ChangeNote, responses((status = 200, body = Success<Note>)))]
async fn change_note(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<NoteId>,
    JsonBody(body): JsonBody<ChangeNote>,
) -> Result<Json<Success<Note>>, ApiError> {
    let row = notes::change(&state.engine, &caller, id, body.note.as_deref(), body.pinned).await?;
    Ok(Success::of(row.into()))
}

/// Removes a note and what it said before: its author, or an administrator.
#[utoipa::path(delete, path = "/api/crm/notes/{id}", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), responses((status = 200, body = Success<RemovedDonorThing>)))]
async fn remove_note(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<NoteId>,
) -> Result<Json<Success<RemovedDonorThing>>, ApiError> {
    notes::remove(&state.engine, &caller, id).await?;
    Ok(RemovedDonorThing::of(id.0))
}

/// What a note said before.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DonorNoteEdit)]
struct Edit {
    /// 1 is the first wording.
    version: i64,
    note: String,
    /// Who changed it.
    editor: String,
    #[schema(value_type = String, format = DateTime)]
    edited_at: Timestamp,
}

impl From<NoteEdit> for Edit {
    fn from(edit: NoteEdit) -> Self {
        Self { version: edit.version, note: edit.body, editor: edit.editor_name, edited_at: edit.edited_at }
    }
}

/// Lists what a note said before, the first wording first.
#[utoipa::path(get, path = "/api/crm/notes/{id}/edits", tag = "crm", security(("token" = ["inbox:read"])),
    params(("id" = i64, Path)), responses((status = 200, body = Success<Vec<Edit>>)))]
async fn list_note_edits(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids(id): Ids<NoteId>,
) -> Result<Json<Success<Vec<Edit>>>, ApiError> {
    let edits = notes::edits(&state.engine, caller.account_id, id).await?;
    Ok(Success::of(edits.into_iter().map(Edit::from).collect()))
}
