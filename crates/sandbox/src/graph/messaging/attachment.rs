//! Attachments of sends: checks, uploads, and what the phone shows of them.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::error::GraphError;
use crate::channel::Channel;
use crate::chat::ChatMedia;
use crate::inbox::Inbox;
use crate::media::StoredMedia;
use crate::sandbox::Sandbox;
use crate::world::World;

const MEGABYTE: usize = 1024 * 1024;

/// `POST /{page-id}/message_attachments`: multipart with `filedata`, or JSON with a link.
///
/// Errors: 100 for a missing message, 100/2018109 for a file that is too large, 100/2018074 for a bad link.
pub(super) fn upload(sandbox: &Sandbox, call: &Call, inbox: &Inbox) -> Result<Value, GraphError> {
    let attachment = call.body.get("message").and_then(|message| message.get("attachment"));
    let attachment =
        attachment.ok_or_else(|| GraphError::parameter("(param message[attachment]) is required"))?;
    let kind = check_kind(attachment)?;
    let (mime_type, file_name, bytes) = match call.files.first() {
        Some(file) => {
            check_size(kind, file.bytes.len())?;
            (file.mime_type.clone(), file.file_name.clone(), file.bytes.clone())
        }
        None => (None, Some(check_link(attachment)?.to_owned()), bytes::Bytes::new()),
    };
    let mut world = sandbox.world();
    let id = world.ids.decimal(16);
    world.media.put(StoredMedia {
        id: id.clone(),
        inbox_id: inbox.id.clone(),
        mime_type: mime_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
        file_name,
        bytes,
        stored_at_ms: sandbox.clock().now(),
    });
    Ok(json!({"attachment_id": id}))
}

/// Checks `message.attachment` of a send; returns the kind and what the phone shows.
///
/// Errors: 100 for an unknown type, 100/2018074 for a bad link or attachment id.
pub(super) fn check(
    world: &World,
    call: &Call,
    inbox: &Inbox,
    attachment: &Value,
) -> Result<(String, Option<ChatMedia>), GraphError> {
    let kind = check_kind(attachment)?;
    if kind == "template" {
        check_template(&attachment["payload"])?;
        return Ok((kind.to_owned(), None));
    }
    let payload = &attachment["payload"];
    let media = match (payload["attachment_id"].as_str(), call.files.first()) {
        (Some(id), _) => {
            let stored = world.media.find(id).filter(|media| media.inbox_id == inbox.id);
            let stored = stored
                .ok_or_else(|| GraphError::parameter("Invalid attachment_id").with_subcode(2_018_074))?;
            let link = stored.bytes.is_empty().then(|| stored.file_name.clone()).flatten();
            ChatMedia {
                media_id: Some(id.to_owned()),
                url: link.unwrap_or_else(|| format!("/control/media/{id}")),
                mime_type: Some(stored.mime_type.clone()),
                file_name: stored.file_name.clone(),
            }
        }
        (None, Some(file)) => {
            check_size(kind, file.bytes.len())?;
            ChatMedia {
                media_id: None,
                url: String::new(),
                mime_type: file.mime_type.clone(),
                file_name: file.file_name.clone(),
            }
        }
        (None, None) => ChatMedia {
            media_id: None,
            url: check_link(attachment)?.to_owned(),
            mime_type: None,
            file_name: None,
        },
    };
    if inbox.channel == Channel::Instagram && kind == "file" {
        let known_other = media.mime_type.as_deref().is_some_and(|mime| mime != "application/pdf");
        if known_other {
            return Err(GraphError::parameter("Instagram accepts PDF files only").with_subcode(2_018_047));
        }
    }
    Ok((kind.to_owned(), Some(media)))
}

fn check_kind(attachment: &Value) -> Result<&str, GraphError> {
    let kind = attachment["type"].as_str().unwrap_or_default();
    if matches!(kind, "image" | "video" | "audio" | "file" | "template" | "MEDIA_SHARE") {
        return Ok(kind);
    }
    Err(GraphError::parameter(
        "Param message[attachment][type] must be one of {audio, file, image, video, template}",
    ))
}

fn check_link(attachment: &Value) -> Result<&str, GraphError> {
    let link = attachment["payload"]["url"].as_str().unwrap_or_default();
    if link.starts_with("https://") || link.starts_with("http://") {
        return Ok(link);
    }
    Err(GraphError::parameter("message[attachment][payload][url] should represent a valid URL")
        .with_subcode(2_018_074))
}

fn check_size(kind: &str, size_bytes: usize) -> Result<(), GraphError> {
    let max_bytes = if kind == "image" { 8 * MEGABYTE } else { 25 * MEGABYTE };
    if size_bytes <= max_bytes {
        return Ok(());
    }
    Err(GraphError::parameter("Attachment size exceeds allowable limit").with_subcode(2_018_109))
}

fn check_template(payload: &Value) -> Result<(), GraphError> {
    let kind = payload["template_type"].as_str().unwrap_or_default();
    let count = |name: &str| payload[name].as_array().map_or(0, Vec::len);
    let within = match kind {
        "button" => {
            (1..=3).contains(&count("buttons"))
                && payload["text"].as_str().is_some_and(|text| text.chars().count() <= 640)
        }
        "generic" => (1..=10).contains(&count("elements")),
        "media" | "receipt" | "coupon" | "product" | "customer_feedback" => true,
        _ => {
            return Err(GraphError::parameter(
                "Param message[attachment][payload][template_type] is not supported",
            ));
        }
    };
    if within {
        Ok(())
    } else {
        Err(GraphError::parameter("(param) message template elements are out of range"))
    }
}
