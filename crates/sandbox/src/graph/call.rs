//! One Graph call, read leniently: bearer header or `access_token`, JSON, form or multipart, any version prefix.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{Method, Request};
use bytes::Bytes;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::error::GraphError;

/// A file of a multipart body.
#[derive(Debug, Clone)]
pub struct UploadedFile {
    /// Name of the form field.
    pub field: String,
    /// MIME type of the part.
    pub mime_type: Option<String>,
    /// File name of the part.
    pub file_name: Option<String>,
    /// Content.
    pub bytes: Bytes,
}

/// One Graph call.
#[derive(Debug)]
pub struct Call {
    /// HTTP method.
    pub method: Method,
    /// Path below `/graph`, without version.
    pub segments: Vec<String>,
    /// Query parameters.
    pub query: BTreeMap<String, String>,
    /// Access token from header, query or body.
    pub token: Option<String>,
    /// Body parameters: the JSON object, or form fields with JSON values decoded.
    pub body: Map<String, Value>,
    /// Uploaded files.
    pub files: Vec<UploadedFile>,
}

impl Call {
    /// Reads a request whose body is collected already.
    ///
    /// Errors: [`GraphError`] 100 when the body is not what its type says.
    pub async fn read(parts: Parts, bytes: Bytes) -> Result<Self, GraphError> {
        let mut call = Self {
            segments: segments(parts.uri.path()),
            query: parts.uri.query().map(pairs).unwrap_or_default(),
            token: bearer(&parts),
            body: Map::new(),
            files: Vec::new(),
            method: parts.method.clone(),
        };
        let content_type = header(&parts, &CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        if content_type.starts_with("multipart/form-data") {
            call.read_multipart(parts, bytes).await?;
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            let fields = form_urlencoded::parse(&bytes);
            call.body = fields.map(|(name, value)| (name.into_owned(), decoded(&value))).collect();
        } else if !bytes.is_empty() {
            let value = serde_json::from_slice(&bytes)
                .map_err(|_unreadable| GraphError::parameter("The request body is not valid JSON"))?;
            let Value::Object(map) = value else {
                return Err(GraphError::parameter("The request body must be a JSON object"));
            };
            call.body = map;
        }
        let in_body =
            call.body.remove("access_token").and_then(|value| value.as_str().map(ToOwned::to_owned));
        call.token = call.token.or_else(|| call.query.get("access_token").cloned()).or(in_body);
        call.token = call.token.filter(|token| !token.is_empty());
        Ok(call)
    }

    /// A parameter from the body or the query.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let in_body = self.body.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        in_body.or_else(|| self.query.get(name).cloned())
    }

    /// The whole body as a JSON value.
    #[must_use]
    pub fn body_value(&self) -> Value {
        Value::Object(self.body.clone())
    }

    async fn read_multipart(&mut self, parts: Parts, bytes: Bytes) -> Result<(), GraphError> {
        let unreadable = |_error| GraphError::parameter("The multipart body cannot be read");
        let request = Request::from_parts(parts, Body::from(bytes));
        let mut multipart = Multipart::from_request(request, &())
            .await
            .map_err(|_rejected| GraphError::parameter("The multipart body has no boundary"))?;
        while let Some(field) = multipart.next_field().await.map_err(unreadable)? {
            let name = field.name().unwrap_or_default().to_owned();
            let mime_type = field.content_type().map(ToOwned::to_owned);
            let file_name = field.file_name().map(ToOwned::to_owned);
            let bytes = field.bytes().await.map_err(unreadable)?;
            if file_name.is_some() || matches!(name.as_str(), "file" | "filedata") {
                self.files.push(UploadedFile { field: name, mime_type, file_name, bytes });
            } else {
                self.body.insert(name, decoded(&String::from_utf8_lossy(&bytes)));
            }
        }
        Ok(())
    }
}

/// Path segments without an empty one and without a leading `v25.0`.
pub(super) fn segments(path: &str) -> Vec<String> {
    let mut parts: Vec<String> =
        path.split('/').filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect();
    if parts.first().is_some_and(|first| is_version(first)) {
        parts.remove(0);
    }
    parts
}

fn is_version(segment: &str) -> bool {
    let numbers = segment.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(major, minor)| digits(major) && digits(minor))
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn bearer(parts: &Parts) -> Option<String> {
    let (scheme, token) = header(parts, &AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

fn header<'a>(parts: &'a Parts, name: &axum::http::HeaderName) -> Option<&'a str> {
    parts.headers.get(name)?.to_str().ok()
}

/// Form values are text, but objects and lists come as JSON in them.
fn decoded(text: &str) -> Value {
    let structured = text.starts_with(['{', '[']);
    let parsed = structured.then(|| serde_json::from_str(text).ok()).flatten();
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_version_or_none() {
        assert_eq!(segments("/v25.0/123/messages"), ["123", "messages"]);
        assert_eq!(segments("/me/messages"), ["me", "messages"]);
        assert_eq!(segments("/video/x"), ["video", "x"]);
    }

    #[tokio::test]
    async fn forms_carry_json_values() {
        let request = Request::post("/v2.0/1/messages?access_token=T")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(())
            .unwrap();
        let body = Bytes::from_static(b"recipient=%7B%22id%22%3A%221%22%7D&messaging_type=RESPONSE");
        let call = Call::read(request.into_parts().0, body).await.unwrap();
        assert_eq!(call.token.as_deref(), Some("T"));
        assert_eq!(call.body["recipient"]["id"], "1");
    }
}
