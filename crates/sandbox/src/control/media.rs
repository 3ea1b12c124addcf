//! Files that customers send: bundled samples and uploads; and files of chats, for the phones page.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Params;
use super::error::{ControlError, ControlErrorBody};
use crate::graph::file_response;
use crate::media::{StoredMedia, find_sample, sample_names};
use crate::sandbox::Sandbox;

/// A bundled file.
#[derive(Serialize, ToSchema)]
pub(super) struct SampleView {
    /// Name, as used in `sample`.
    name: String,
    /// MIME type.
    mime_type: &'static str,
    /// Size.
    size_bytes: usize,
}

/// The bundled files.
#[utoipa::path(get, path = "/samples", tag = "media",
    responses((status = 200, description = "Done", body = Vec<SampleView>)))]
pub(super) async fn samples() -> Json<Vec<SampleView>> {
    let samples = sample_names().filter_map(|name| find_sample(&name));
    Json(
        samples
            .map(|sample| SampleView {
                size_bytes: sample.bytes.len(),
                mime_type: sample.mime_type,
                name: sample.name,
            })
            .collect(),
    )
}

/// Name of an upload.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadParams {
    /// File name.
    file_name: Option<String>,
}

/// An uploaded file.
#[derive(Serialize, ToSchema)]
pub(super) struct Uploaded {
    /// Id to use in a customer's message.
    media_id: String,
}

/// Keeps the request body as a file that customers can send; `Content-Type` is its MIME type, true or not.
#[utoipa::path(post, path = "/media", tag = "media", params(UploadParams),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "Made", body = Uploaded)))]
pub(super) async fn upload(
    State(sandbox): State<Sandbox>,
    Params(params): Params<UploadParams>,
    headers: HeaderMap,
    bytes: Bytes,
) -> (StatusCode, Json<Uploaded>) {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut world = sandbox.world();
    let media_id = world.ids.decimal(16);
    world.media.put(StoredMedia {
        id: media_id.clone(),
        inbox_id: String::new(),
        mime_type: declared.unwrap_or("application/octet-stream").to_owned(),
        file_name: params.file_name,
        bytes,
        stored_at_ms: sandbox.clock().now(),
    });
    (StatusCode::CREATED, Json(Uploaded { media_id }))
}

/// A file of a chat, whoever sent it.
#[utoipa::path(get, path = "/media/{id}", tag = "media", params(("id" = String, Path)),
    responses((status = 200, description = "Done", content_type = "application/octet-stream"),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn download(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Result<Response, ControlError> {
    let found = sandbox.world().media.find(&id).cloned();
    found.map(|media| file_response(&media)).ok_or(ControlError::NotFound { what: "file" })
}
