//! One call: `/waInstance{id}/{method}/{token}[/{tail}]` with JSON, a form with a file, or raw bytes.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{Method, Request};
use bytes::Bytes;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::refusal::Refusal;
use crate::faults::FaultScope;

/// A file of a call.
#[derive(Debug, Clone)]
pub struct CallFile {
    /// Its name.
    pub name: Option<String>,
    /// Its type.
    pub mime_type: Option<String>,
    /// Its content.
    pub bytes: Bytes,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    /// `GET`, `POST` or `DELETE`.
    pub verb: Method,
    /// `idInstance`.
    pub instance: String,
    /// Name of the method, in lower case.
    pub method: String,
    /// `apiTokenInstance`.
    pub token: String,
    /// What follows the token.
    pub tail: Option<String>,
    /// Query parameters.
    pub query: BTreeMap<String, String>,
    /// Fields of the body; empty when it is none, or raw bytes.
    pub body: Map<String, Value>,
    /// The body was there and was no JSON object.
    pub unreadable: bool,
    /// The uploaded file.
    pub file: Option<CallFile>,
}

impl Call {
    /// Reads a request whose body is collected already.
    ///
    /// Errors: 404 when the path is not that of an instance's method.
    pub async fn read(parts: Parts, bytes: Bytes) -> Result<Self, Refusal> {
        let segments: Vec<&str> = parts.uri.path().split('/').filter(|part| !part.is_empty()).collect();
        let [instance, method, rest @ ..] = segments.as_slice() else { return Err(Refusal::not_found()) };
        let instance = instance.strip_prefix("waInstance").ok_or_else(Refusal::not_found)?;
        let mut call = Self {
            verb: parts.method.clone(),
            instance: instance.to_owned(),
            method: method.to_ascii_lowercase(),
            token: rest.first().copied().unwrap_or_default().to_owned(),
            tail: rest.get(1).map(|tail| (*tail).to_owned()),
            query: parts.uri.query().map(pairs).unwrap_or_default(),
            body: Map::new(),
            unreadable: false,
            file: None,
        };
        let header = |name: &str| parts.headers.get(name)?.to_str().ok().map(ToOwned::to_owned);
        let content_type = header(CONTENT_TYPE.as_str()).unwrap_or_default();
        if call.method == "uploadfile" {
            let name = header("ga-filename");
            call.file = Some(CallFile { name, mime_type: Some(content_type), bytes });
        } else if content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
            call.unreadable = call.read_form(parts, bytes).await.is_none();
        } else if !bytes.is_empty() {
            match serde_json::from_slice(&bytes) {
                Ok(Value::Object(body)) => call.body = body,
                _ => call.unreadable = true,
            }
        }
        Ok(call)
    }

    async fn read_form(&mut self, parts: Parts, bytes: Bytes) -> Option<()> {
        let request = Request::from_parts(parts, Body::from(bytes));
        let mut form = Multipart::from_request(request, &()).await.ok()?;
        while let Some(field) = form.next_field().await.ok()? {
            let name = field.name().unwrap_or_default().to_owned();
            let (mime_type, file_name) =
                (field.content_type().map(ToOwned::to_owned), field.file_name().map(ToOwned::to_owned));
            let bytes = field.bytes().await.ok()?;
            if name == "file" {
                self.file = Some(CallFile { name: file_name, mime_type, bytes });
            } else {
                self.body.insert(name, Value::String(String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        Some(())
    }

    /// A text of the body.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// A text of the body that has to be there.
    ///
    /// Errors: 400 with its name.
    pub fn required(&self, name: &str) -> Result<&str, Refusal> {
        if self.unreadable {
            return Err(Refusal::bad_request("bad request data"));
        }
        self.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Refusal::invalid(&format!("'{name}' is not allowed to be empty")))
    }

    /// The whole body as a JSON value.
    #[must_use]
    pub fn body_value(&self) -> Value {
        Value::Object(self.body.clone())
    }

    /// For records.
    #[must_use]
    pub fn path_without_token(&self) -> String {
        format!("/waInstance{}/{}", self.instance, self.method)
    }

    /// The method as Green API spells it, for those that send.
    pub(super) fn method_name(&self) -> &'static str {
        match self.method.as_str() {
            "sendfilebyurl" => "sendFileByUrl",
            "sendfilebyupload" => "sendFileByUpload",
            "sendlocation" => "sendLocation",
            "sendcontact" => "sendContact",
            "sendpoll" => "sendPoll",
            "sendinteractivebuttons" => "sendInteractiveButtons",
            "sendinteractivebuttonsreply" => "sendInteractiveButtonsReply",
            "forwardmessages" => "forwardMessages",
            _ => "sendMessage",
        }
    }

    pub(super) fn fault_scope(&self) -> FaultScope {
        match self.method.as_str() {
            "sendtyping" => FaultScope::All,
            "uploadfile" | "downloadfile" => FaultScope::Media,
            method if method.starts_with("send") || method == "forwardmessages" => FaultScope::Messages,
            _ => FaultScope::All,
        }
    }
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}
