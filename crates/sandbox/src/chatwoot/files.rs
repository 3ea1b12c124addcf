//! Files of messages: the address in a message redirects to where the file is.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::{IntoResponse, Response};

use crate::sandbox::Sandbox;

/// The answer to a request for a file; `None`: it is not one.
pub(super) fn find(sandbox: &Sandbox, segments: &[String]) -> Option<Response> {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let ["rails", "active_storage", rest @ ..] = segments.as_slice() else { return None };
    let found = match rest {
        ["blobs", "redirect", id, name] => sandbox.world().media.find(id).map(|_| {
            let location = format!("{}/chatwoot/rails/active_storage/disk/{id}/{name}", sandbox.public_url());
            (StatusCode::FOUND, [(LOCATION, location)]).into_response()
        }),
        ["disk", id, _] => sandbox
            .world()
            .media
            .find(id)
            .map(|file| ([(CONTENT_TYPE, file.mime_type.clone())], file.bytes.clone()).into_response()),
        _ => None,
    };
    Some(found.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response()))
}
