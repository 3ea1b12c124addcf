//! One call, whatever it was written in: JSON, a form, or a form with files.

use axum::body::Body;
use axum::extract::{FromRequest, Multipart};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{Method, Request};
use bytes::Bytes;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::faults::FaultScope;

/// A file of a call.
#[derive(Debug, Clone)]
pub struct CallFile {
    /// Its name.
    pub name: String,
    /// Its type.
    pub mime_type: String,
    /// Its content.
    pub bytes: Bytes,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    /// Verb.
    pub verb: Method,
    /// Parts of the path, without empty ones.
    pub segments: Vec<String>,
    /// Query parameters, in order; names with `[]` without it.
    pub query: Vec<(String, String)>,
    /// Fields of the body.
    pub body: Map<String, Value>,
    /// Files of the body.
    pub files: Vec<CallFile>,
    /// The body was there and could not be read.
    pub unreadable: bool,
    /// The access token.
    pub token: Option<String>,
}

impl Call {
    /// Reads a request whose body is collected already.
    pub async fn read(parts: Parts, bytes: Bytes) -> Self {
        // nginx drops names with underscores unless told not to; both spellings mean the same to Rack.
        let token = ["api_access_token", "api-access-token"]
            .into_iter()
            .find_map(|name| parts.headers.get(name)?.to_str().ok())
            .map(ToOwned::to_owned);
        let path = parts.uri.path().trim_end_matches(".json");
        let mut call = Self {
            verb: parts.method.clone(),
            segments: path.split('/').filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect(),
            query: parts.uri.query().map(pairs).unwrap_or_default(),
            body: Map::new(),
            files: Vec::new(),
            unreadable: false,
            token: token.filter(|token| !token.is_empty()),
        };
        let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        if bytes.is_empty() {
        } else if content_type.starts_with("multipart/form-data") {
            call.unreadable = call.read_form(parts, bytes).await.is_none();
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            for (name, value) in pairs(&String::from_utf8_lossy(&bytes)) {
                call.body.insert(name, Value::String(value));
            }
        } else {
            match serde_json::from_slice(&bytes) {
                Ok(Value::Object(body)) => call.body = body,
                Ok(_) | Err(_) => call.unreadable = true,
            }
        }
        call
    }

    async fn read_form(&mut self, parts: Parts, bytes: Bytes) -> Option<()> {
        let request = Request::from_parts(parts, Body::from(bytes));
        let mut form = Multipart::from_request(request, &()).await.ok()?;
        while let Some(field) = form.next_field().await.ok()? {
            let name = field.name().unwrap_or_default().trim_end_matches("[]").to_owned();
            let file_name = field.file_name().map(ToOwned::to_owned);
            let mime_type = field.content_type().unwrap_or("application/octet-stream").to_owned();
            let bytes = field.bytes().await.ok()?;
            match file_name {
                Some(file_name) if name == "attachments" || name == "avatar" => {
                    self.files.push(CallFile { name: file_name, mime_type, bytes });
                }
                _ => {
                    self.body.insert(name, Value::String(String::from_utf8_lossy(&bytes).into_owned()));
                }
            }
        }
        Some(())
    }

    /// A query parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// A number among the query parameters.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.param(name)?.parse().ok()
    }

    /// The page asked for, counted from 0.
    #[must_use]
    pub fn page(&self) -> usize {
        let page = self.number("page").unwrap_or(1).max(1) - 1;
        usize::try_from(page).unwrap_or(0)
    }

    /// A text of the body; numbers as text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        text(self.body.get(name)?)
    }

    /// A number of the body, also as text.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        integer(self.body.get(name)?)
    }

    /// A yes or no of the body, also as text.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.body.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => Some(text == "true" || text == "1"),
            Value::Number(number) => Some(number.as_i64() == Some(1)),
            _ => None,
        }
    }

    /// An object of the body, also as JSON in a text.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<Map<String, Value>> {
        match self.body.get(name)? {
            Value::Object(object) => Some(object.clone()),
            Value::String(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }

    /// A list of texts of the body.
    #[must_use]
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        match self.body.get(name)? {
            Value::Array(items) => Some(items.iter().filter_map(text).collect()),
            Value::String(text) => Some(vec![text.clone()]),
            _ => None,
        }
    }

    /// The fields below a name, or those of the body when it lacks: `{"webhook": {…}}` or `{…}`.
    #[must_use]
    pub fn wrapped(&self, name: &str) -> Map<String, Value> {
        self.object(name).unwrap_or_else(|| self.body.clone())
    }

    pub(super) fn fault_scope(&self) -> FaultScope {
        match (&self.verb, self.segments.last().map(String::as_str)) {
            (&Method::POST, Some("messages")) => FaultScope::Messages,
            (_, _) if self.segments.iter().any(|segment| segment == "rails") => FaultScope::Media,
            _ => FaultScope::All,
        }
    }
}

pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.trim_end_matches("[]").to_owned(), value.into_owned()))
        .collect()
}
