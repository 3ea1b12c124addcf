//! Contacts and gifts as spreadsheets: in, with a rehearsal, and out.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use frontdesk_engine::crm::export::Export;
use frontdesk_engine::crm::import::{self, Report, Sheet};
use frontdesk_routes::{Gather, routes};
use futures_util::stream;
use serde::{Deserialize, Serialize};

use crate::api::envelope::{EnvelopeRefusal, Success};
use crate::auth::AdminUser;
use crate::error::{ApiError, ErrorCode};
use crate::input::{Query, unreadable};
use crate::state::HttpState;

/// The largest sheet, in bytes.
const MAX_BYTES: usize = 10 * 1024 * 1024;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(import_contacts))
        .routes(routes!(import_donations))
        .map(|router| router.layer(DefaultBodyLimit::max(MAX_BYTES)))
        .merge(R::default().routes(routes!(export_contacts)).routes(routes!(export_donations)))
}

/// How a sheet is taken.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// True tells what would become of it, and changes nothing.
    dry_run: Option<bool>,
}

/// What became of a sheet.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct SheetReport {
    /// Nothing was changed.
    #[serde(rename = "dry_run")]
    dry_run: bool,
    /// Lines that are here now as the sheet has them: created, updated and skipped.
    synced: usize,
    created: usize,
    updated: usize,
    /// Lines that were here already.
    skipped: usize,
    /// Lines that were left out.
    errors: usize,
    /// The first hundred of them.
    error_messages: Vec<SheetError>,
}

/// A line that was left out.
#[derive(Serialize, utoipa::ToSchema)]
struct SheetError {
    /// Its number in the file; the head is line 1.
    line: u64,
    /// The column; empty where it is the line as a whole.
    field: String,
    message: String,
}

impl SheetReport {
    fn of(report: Report, dry_run: bool) -> Self {
        let told = report.wrong.into_iter().map(|wrong| SheetError {
            line: wrong.line,
            field: wrong.field,
            message: wrong.message,
        });
        Self {
            dry_run,
            synced: report.created + report.updated + report.skipped,
            created: report.created,
            updated: report.updated,
            skipped: report.skipped,
            errors: report.errors,
            error_messages: told.collect(),
        }
    }
}

/// Takes contacts out of a CSV sheet with the columns `phone`, `name`, `email`, `opted_out` and `custom.NAME`.
///
/// Known again by number: the same sheet a second time changes nothing. An empty cell leaves what is there. Commas or semicolons,
/// at most 50,000 lines. A line that is wrong is told and left out.
#[utoipa::path(post, path = "/api/crm/import/contacts", tag = "crm", security(("token" = ["admin"])), params(ImportQuery),
    request_body(content = String, content_type = "text/csv", example = "phone,name,custom.city\n+6281390045512,Siti,Bandung\n"),
    responses((status = 200, body = Success<SheetReport>),
        (status = 413, body = EnvelopeRefusal, description = "More than 10 MiB")))]
async fn import_contacts(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    file: Result<Bytes, BytesRejection>,
) -> Result<Json<Success<SheetReport>>, ApiError> {
    take(&state, caller.actor(), Sheet::Contacts, &headers, file, query).await
}

/// Takes gifts out of a CSV sheet with the columns `external_id`, `phone`, `amount`, and where wanted `currency`, `received_at`,
/// `status`, `method`, `campaign`, `fee`, `is_test` and `note`.
///
/// Known again by `external_id`: the same line changes nothing, another one changes the gift. Amounts are of the currency, with
/// a point: `12.50`. Whoever has the number is made when nobody has.
#[utoipa::path(post, path = "/api/crm/import/donations", tag = "crm", security(("token" = ["admin"])), params(ImportQuery),
    request_body(content = String, content_type = "text/csv",
        example = "external_id,phone,amount,received_at\nINV-2041,+6281390045512,250000,2026-01-31\n"),
    responses((status = 200, body = Success<SheetReport>),
        (status = 413, body = EnvelopeRefusal, description = "More than 10 MiB")))]
async fn import_donations(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    file: Result<Bytes, BytesRejection>,
) -> Result<Json<Success<SheetReport>>, ApiError> {
    take(&state, caller.actor(), Sheet::Donations, &headers, file, query).await
}

async fn take(
    state: &HttpState,
    actor: frontdesk_engine::caller::Actor,
    sheet: Sheet,
    headers: &HeaderMap,
    file: Result<Bytes, BytesRejection>,
    query: ImportQuery,
) -> Result<Json<Success<SheetReport>>, ApiError> {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = declared.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    // What browsers call a sheet depends on what is installed beside them.
    let is_sheet = ["text/csv", "application/csv", "text/plain", "application/vnd.ms-excel"];
    if !is_sheet.contains(&essence.as_str()) {
        let sentence = "The body must be the file itself, with the header Content-Type: text/csv.";
        return Err(ApiError::new(ErrorCode::UnsupportedMediaType, sentence));
    }
    let file = file.map_err(unreadable)?;
    let dry_run = query.dry_run.unwrap_or(false);
    let report = import::import(&state.engine, actor, sheet, &file, dry_run).await?;
    Ok(Success::of(SheetReport::of(report, dry_run)))
}

/// Writes all contacts as a CSV sheet that can be taken back. Cells that a spreadsheet would take for a formula begin with `'`.
#[utoipa::path(get, path = "/api/crm/export/contacts.csv", tag = "crm", security(("token" = ["admin"])),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn export_contacts(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
) -> Result<Response, ApiError> {
    write(&state, Export::begin(&state.engine, caller.actor(), Sheet::Contacts).await?, "contacts.csv")
}

/// Writes all gifts as a CSV sheet, the newest first. Those that have an `external_id` can be taken back.
#[utoipa::path(get, path = "/api/crm/export/donations.csv", tag = "crm", security(("token" = ["admin"])),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn export_donations(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
) -> Result<Response, ApiError> {
    write(&state, Export::begin(&state.engine, caller.actor(), Sheet::Donations).await?, "donations.csv")
}

fn write(state: &HttpState, export: Export, name: &str) -> Result<Response, ApiError> {
    let pages = stream::try_unfold((export, state.engine.clone()), |(mut export, engine)| async move {
        let page = export.next(&engine).await?;
        Ok::<_, frontdesk_store::StoreError>(page.map(|page| (page, (export, engine))))
    });
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(pages)).into_response())
}
