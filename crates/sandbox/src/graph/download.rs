//! Where files are fetched from: WhatsApp's `lookaside` (5 minutes, bearer demanded) and the attachment CDN of
//! Messenger and Instagram (signed link, no bearer).

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::call::Call;
use super::error::GraphError;
use crate::clock::{DAY_MS, SECOND_MS, TimeMs};
use crate::media::StoredMedia;
use crate::sandbox::Sandbox;
use crate::webhooks::signature::app_secret_proof;

/// First path segment of all links made here.
pub(super) const SEGMENT: &str = "download";
/// A WhatsApp link is valid this long.
const LOOKASIDE_VALID_MS: TimeMs = 5 * 60 * SECOND_MS;
/// A CDN link is valid this long.
const CDN_VALID_MS: TimeMs = 4 * DAY_MS;
/// Key of the link signatures; they keep links from being guessed by mistake, not from an attacker.
const LINK_KEY: &str = "sandbox-links";

/// WhatsApp's link to a file, from `GET /{media-id}`.
pub(crate) fn lookaside_url(sandbox: &Sandbox, media_id: &str) -> String {
    link(sandbox, "lookaside", media_id, LOOKASIDE_VALID_MS)
}

/// Messenger's or Instagram's link to a file, as in webhooks.
pub(crate) fn cdn_url(sandbox: &Sandbox, media_id: &str) -> String {
    link(sandbox, "cdn", media_id, CDN_VALID_MS)
}

fn link(sandbox: &Sandbox, kind: &str, media_id: &str, valid_ms: TimeMs) -> String {
    let expires = (sandbox.clock().now() + valid_ms) / SECOND_MS;
    let hash = link_hash(kind, media_id, expires);
    format!("{}/graph/{SEGMENT}/{kind}/{media_id}?ext={expires}&hash={hash}", sandbox.public_url())
}

fn link_hash(kind: &str, media_id: &str, expires: TimeMs) -> String {
    app_secret_proof(LINK_KEY, &format!("{kind}/{media_id}/{expires}")).chars().take(32).collect()
}

/// Serves a link made by this module. Expired or altered: 404, without JSON, as Meta's hosts do.
pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Response, GraphError> {
    let [_, kind, media_id] = call.segments.as_slice() else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    if kind == "lookaside" && call.token.is_none() {
        return Err(GraphError::of_code(190).with_message("Authentication Error"));
    }
    let expires: TimeMs = call.query.get("ext").and_then(|text| text.parse().ok()).unwrap_or_default();
    let genuine = call.query.get("hash").is_some_and(|hash| *hash == link_hash(kind, media_id, expires));
    if !genuine || expires * SECOND_MS < sandbox.clock().now() {
        return Ok((StatusCode::NOT_FOUND, "URL signature expired").into_response());
    }
    let found = sandbox.world().media.find(media_id).cloned();
    Ok(found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |media| file_response(&media)))
}

/// A file as HTTP answer.
pub(crate) fn file_response(media: &StoredMedia) -> Response {
    let mut response = media.bytes.clone().into_response();
    let headers = response.headers_mut();
    let fallback = HeaderValue::from_static("application/octet-stream");
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(&media.mime_type).unwrap_or(fallback));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    if !media.mime_type.starts_with("image/")
        && !media.mime_type.starts_with("audio/")
        && !media.mime_type.starts_with("video/")
    {
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    response
}
