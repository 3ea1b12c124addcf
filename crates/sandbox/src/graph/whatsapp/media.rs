//! WhatsApp files: upload, description, deletion. The download is in `graph::download`.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::error::GraphError;
use super::super::{download, success};
use crate::inbox::Inbox;
use crate::media::StoredMedia;
use crate::sandbox::Sandbox;

const MEGABYTE: usize = 1024 * 1024;

/// MIME types that can be uploaded, and up to which size.
const ACCEPTED: &[(&[&str], usize)] = &[
    (&["image/jpeg", "image/png"], 5 * MEGABYTE),
    (&["image/webp"], 500 * 1024),
    (&["video/mp4", "video/3gpp"], 16 * MEGABYTE),
    (&["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/opus"], 16 * MEGABYTE),
    (
        &[
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ],
        100 * MEGABYTE,
    ),
];

/// `POST /{phone-number-id}/media`.
///
/// Errors: 100 for missing parameters, an unknown MIME type or a file above its type's size.
pub(super) fn upload(sandbox: &Sandbox, call: &Call, inbox: &Inbox) -> Result<Value, GraphError> {
    if call.body.get("messaging_product").and_then(Value::as_str) != Some("whatsapp") {
        return Err(GraphError::missing("messaging_product"));
    }
    let file = call.files.first().ok_or_else(|| GraphError::missing("file"))?;
    let declared = file.mime_type.clone().or_else(|| call.parameter("type"));
    let mime_type = declared.ok_or_else(|| GraphError::missing("type"))?;
    let essence = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let accepted = ACCEPTED.iter().find(|(types, _)| types.contains(&essence.as_str()));
    let (_, max_bytes) = accepted.ok_or_else(|| {
        GraphError::parameter(format!(
            "Param file must be a file with one of the supported types. Received file of type '{essence}'."
        ))
    })?;
    if file.bytes.len() > *max_bytes {
        return Err(GraphError::parameter(format!(
            "File size exceeds the limit of {max_bytes} bytes for {essence}"
        )));
    }
    let mut world = sandbox.world();
    let id = world.ids.decimal(16);
    world.media.put(StoredMedia {
        id: id.clone(),
        inbox_id: inbox.id.clone(),
        mime_type,
        file_name: file.file_name.clone(),
        bytes: file.bytes.clone(),
        stored_at_ms: sandbox.clock().now(),
    });
    Ok(json!({ "id": id }))
}

/// `GET` or `DELETE /{media-id}`.
pub(in crate::graph) fn describe_or_delete(
    sandbox: &Sandbox,
    call: &Call,
    media_id: &str,
) -> Result<Value, GraphError> {
    let unknown = || GraphError::unknown_object(call.method.as_str(), media_id);
    if let Some(number) = call.parameter("phone_number_id") {
        let world = sandbox.world();
        let owner = world.media.find(media_id).map(|media| media.inbox_id.clone());
        let asked = world.find_inbox_by_account(&number).map(|inbox| inbox.id.clone());
        if owner != asked {
            return Err(unknown());
        }
    }
    match call.method {
        Method::GET => {
            let url = download::lookaside_url(sandbox, media_id);
            let world = sandbox.world();
            let media = world.media.find(media_id).ok_or_else(unknown)?;
            Ok(json!({
                "messaging_product": "whatsapp",
                "url": url,
                "mime_type": media.mime_type,
                "sha256": hex::encode(media.sha256()),
                "file_size": media.bytes.len(),
                "id": media_id,
            }))
        }
        Method::DELETE if sandbox.world().media.remove(media_id) => Ok(success()),
        _ => Err(unknown()),
    }
}
