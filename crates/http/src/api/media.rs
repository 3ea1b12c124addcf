//! Files: uploading them to be sent, and serving them by signed address.

use axum::Json;
use axum::body::Body;
use axum::extract::multipart::Field;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Multipart, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use frontdesk_engine::caller::Actor;
use frontdesk_engine::media::{self, MediaAddress, MediaStoreError, Upload, UploadError};
use frontdesk_engine::views::{AttachmentView, Viewer};
use frontdesk_model::{AccountId, AttachmentId};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::attachments::AttachmentRow;
use serde::Deserialize;
use tower::ServiceExt;
use tower_http::services::ServeFile;

use crate::auth::InboxWriter;
use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::input::{Ids, Query, too_large};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    // Uploads are streamed to disk under the limit of the settings, not held in memory.
    R::default()
        .routes(routes!(upload_media))
        .map(|router| router.layer(DefaultBodyLimit::disable()))
        .routes(routes!(refetch_media))
        .routes(routes!(serve_media))
}

/// A file in a form.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form")]
struct UploadForm {
    #[schema(value_type = String, format = Binary, min_length = 1)]
    file: String,
}

/// Uploads a file (form field `file`) to be sent with a reply.
#[utoipa::path(post, path = "/api/v1/media", tag = "conversations", security(("token" = ["inbox:write"])),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "Kept until a reply takes it", body = AttachmentView)))]
async fn upload_media(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<(StatusCode, Json<AttachmentView>), ApiError> {
    let mut form = form.map_err(|_| {
        let sentence = "Send the file as multipart/form-data in the field \"file\".";
        ApiError::new(ErrorCode::UnsupportedMediaType, sentence)
    })?;
    while let Some(field) = form.next_field().await.map_err(|_| broken_form())? {
        if field.name() != Some("file") {
            continue;
        }
        let row = keep_field(&state, caller.actor(), field).await?;
        let view = Viewer::new(&state.engine).await?.attachment(&row);
        return Ok((StatusCode::CREATED, Json(view)));
    }
    Err(ApiError::invalid("file", "The file field is required."))
}

/// Keeps the file in a field of a form.
pub(super) async fn keep_field(
    state: &HttpState,
    actor: Actor,
    mut field: Field<'_>,
) -> Result<AttachmentRow, ApiError> {
    let name = field.file_name().unwrap_or("file").to_owned();
    let claimed = field.content_type().map(str::to_owned);
    let mut upload = Upload::begin(&state.engine).await?;
    while let Some(bytes) = field.chunk().await.map_err(|_| broken_form())? {
        upload.write(&bytes).await?;
    }
    Ok(upload.finish(&state.engine, actor, &name, claimed.as_deref()).await?)
}

/// Tries again to fetch a file that could not be had.
#[utoipa::path(post, path = "/api/v1/attachments/{id}/fetch", tag = "conversations",
    security(("token" = ["inbox:write"])), params(("id" = i64, Path)), responses((status = 204)))]
async fn refetch_media(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<AttachmentId>,
) -> Result<StatusCode, ApiError> {
    let asked = frontdesk_engine::conversations::refetch_media(&state.engine, caller.actor(), id).await?;
    if asked { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found("file to fetch")) }
}

/// What makes the address of a file good.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Signed {
    /// Whose it is.
    account: i64,
    /// Until when the address is good, in seconds since 1970.
    expires: i64,
    signature: String,
}

/// Serves a file to whoever holds its signed address, as messages tell it.
///
/// Takes ranges. Nothing a browser would run is shown in place.
#[utoipa::path(get, path = "/media/{id}/{file_name}", tag = "conversations",
    params(("id" = i64, Path), ("file_name" = String, Path, description = "For people; any will do"), Signed,
        ("Range" = Option<String>, Header, description = "Which bytes", example = "bytes=0-1023"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` known")),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "*/*"),
        (status = 206, description = "A part of the file", body = Vec<u8>, content_type = "*/*"),
        (status = 304, description = "It is as the client knows it"),
        (status = 404, body = ErrorBody, description = "There is no such file, or the address is no longer good"),
        (status = 416, body = ErrorBody, description = "The range lies beyond the end of the file")))]
async fn serve_media(
    State(state): State<HttpState>,
    address: Result<Path<(String, String)>, PathRejection>,
    Query(signed): Query<Signed>,
    request: Request,
) -> Result<Response, ApiError> {
    let not_found = || ApiError::not_found("file");
    let Path((id, _)) = address.map_err(|_| not_found())?;
    let address = MediaAddress {
        account: AccountId(signed.account),
        id: AttachmentId(id.parse().map_err(|_| not_found())?),
        expires: signed.expires,
        signature: signed.signature,
    };
    let file = media::find_served(&state.engine, &address).await?.ok_or_else(not_found)?;
    let etag = HeaderValue::from_str(&format!("\"{}\"", file.sha256)).map_err(ApiError::internal)?;
    if request.headers().get(header::IF_NONE_MATCH) == Some(&etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let mime: mime_guess::Mime = file.mime_type.parse().unwrap_or(mime_guess::mime::APPLICATION_OCTET_STREAM);
    let served = ServeFile::new_with_mime(&file.path, &mime).oneshot(request).await;
    let mut response = match served {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    };
    match response.status() {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT => {}
        StatusCode::RANGE_NOT_SATISFIABLE => return Ok(beyond_the_end(&response)),
        StatusCode::NOT_FOUND => return Err(not_found()),
        _ => return Ok(response),
    }
    let shown = matches!(mime.type_().as_str(), "image" | "audio" | "video") && mime.subtype() != "svg";
    let disposition = content_disposition(shown, &file.file_name);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400, immutable"));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_str(&disposition).map_err(ApiError::internal)?,
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    );
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    Ok(response)
}

/// The refusal of a range, with the size of the file.
fn beyond_the_end(response: &Response) -> Response {
    let sentence = "The range lies beyond the end of the file.";
    let mut refusal = ApiError::new(ErrorCode::RangeNotSatisfiable, sentence).into_response();
    if let Some(size) = response.headers().get(header::CONTENT_RANGE) {
        refusal.headers_mut().insert(header::CONTENT_RANGE, size.clone());
    }
    refusal
}

/// `inline` only for pictures, sound and films; the name in the form every browser reads.
fn content_disposition(shown: bool, name: &str) -> String {
    let kind = if shown { "inline" } else { "attachment" };
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' { c } else { '_' })
        .collect();
    let encoded: String =
        url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

pub(super) fn broken_form() -> ApiError {
    ApiError::new(ErrorCode::BadRequest, "The form ended before it was complete.")
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::TooLarge { max_bytes } => too_large().with_detail("max_bytes", max_bytes),
            UploadError::Empty => Self::invalid("file", "The file field must not be empty."),
            UploadError::NotKept(error) => error.into(),
            UploadError::Store(error) => error.into(),
        }
    }
}

impl From<MediaStoreError> for ApiError {
    fn from(error: MediaStoreError) -> Self {
        match error {
            MediaStoreError::Missing => Self::not_found("file"),
            MediaStoreError::Database(error) => error.into(),
            MediaStoreError::Folder(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                let sentence = "The disk is full: the file could not be kept.";
                Self::new(ErrorCode::StorageUnavailable, sentence).with_retry_after(60)
            }
            MediaStoreError::Folder(error) => Self::internal(error),
            MediaStoreError::Bucket(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "The bucket of media.s3 failed");
                let sentence = "The store of files does not answer as it should: try again in a moment.";
                Self::new(ErrorCode::StorageUnavailable, sentence).with_retry_after(10)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::content_disposition;

    #[test]
    fn names_cannot_break_out_of_the_header() {
        assert_eq!(
            content_disposition(false, "bill \"x\".pdf"),
            "attachment; filename=\"bill _x_.pdf\"; filename*=UTF-8''bill%20%22x%22.pdf"
        );
        assert_eq!(
            content_disposition(true, "é.png"),
            "inline; filename=\"_.png\"; filename*=UTF-8''%C3%A9.png"
        );
    }
}
