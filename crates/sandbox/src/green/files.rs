//! Files of instances: uploaded by the business or sent by customers, below `/green/files`, for 15 days.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::call::Call;
use super::refusal::Refusal;
use crate::clock::DAY_MS;
use crate::graph::file_response;
use crate::inbox::Inbox;
use crate::media::StoredMedia;
use crate::sandbox::Sandbox;

/// First path segment of all links made here.
const SEGMENT: &str = "/files/";
/// A link is valid this long.
const VALID_DAYS: i64 = 15;

/// Where a file is.
pub(crate) fn file_url(sandbox: &Sandbox, media: &StoredMedia) -> String {
    let name = media.file_name.as_deref().unwrap_or("file");
    let ending = name.rsplit_once('.').map(|(_, ending)| format!(".{ending}")).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let ending: String = ending.chars().filter(|c| plain(*c)).collect();
    format!("{}/green{SEGMENT}{}{ending}", sandbox.public_url(), media.id)
}

/// The file at a path; `None`: the path is not a file's.
pub(super) fn find(sandbox: &Sandbox, path: &str) -> Option<Response> {
    let name = path.strip_prefix(SEGMENT)?;
    let id = name.split_once('.').map_or(name, |(id, _)| id);
    let found = sandbox.world().media.find(id).cloned();
    let now = sandbox.clock().now();
    let valid = found.filter(|media| now - media.stored_at_ms < VALID_DAYS * DAY_MS);
    Some(valid.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |media| file_response(&media)))
}

/// Keeps the file of a call.
pub(super) fn keep_upload(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<StoredMedia, Refusal> {
    let file = call.file.clone().filter(|file| !file.bytes.is_empty());
    let file = file.ok_or_else(|| Refusal::invalid("'file' is required"))?;
    let name = call.text("fileName").map(ToOwned::to_owned).or(file.name);
    let guessed =
        || name.as_deref().map(|name| mime_guess::from_path(name).first_or_octet_stream().to_string());
    let mut world = sandbox.world();
    let media = StoredMedia {
        id: world.ids.decimal(16),
        inbox_id: inbox.id.clone(),
        mime_type: file.mime_type.filter(|mime| !mime.is_empty()).or_else(guessed).unwrap_or_default(),
        file_name: name,
        bytes: file.bytes,
        stored_at_ms: sandbox.clock().now(),
    };
    world.media.put(media.clone());
    Ok(media)
}
