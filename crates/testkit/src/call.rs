//! One request to a server under test, and its answer.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use bytes::Bytes;
use serde_json::Value;

use crate::server::TestServer;

/// A request being put together: `server.post("/api/v1/users").bearer(&token).json(&body).send().await`.
pub struct Call<'a> {
    server: &'a TestServer,
    request: axum::http::request::Builder,
    body: Body,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl<'a> Call<'a> {
    pub(crate) fn new(server: &'a TestServer, method: Method, path: &str) -> Self {
        let request = Request::builder().method(method).uri(path);
        Self { server, request, body: Body::empty() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        Self { request: self.request.header(name, value.as_ref()), ..self }
    }

    /// Comes with an API token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Comes from a page of the server, with its cookie.
    #[must_use]
    pub fn cookie(self, token: &str) -> Self {
        self.header("cookie", format!("frontdesk_session={token}")).header("sec-fetch-site", "same-origin")
    }

    /// Carries JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// Carries these bytes.
    #[must_use]
    pub fn body(self, body: impl Into<Body>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Sends it.
    ///
    /// # Panics
    /// When the request cannot be built or the answer does not end.
    #[expect(clippy::expect_used, reason = "a test cannot go on without an answer")]
    pub async fn send(self) -> Answer {
        use tower::ServiceExt;
        let request = self.request.body(self.body).expect("the request can be built");
        let response = self.server.router().oneshot(request).await.expect("the router always answers");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("the answer ends");
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error}: {} {}", self.status, self.text()),
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("")
    }

    /// The token of the session cookie that was set.
    pub fn session(&self) -> Option<String> {
        let cookie = self.header("set-cookie").strip_prefix("frontdesk_session=")?;
        cookie.split(';').next().map(str::to_owned)
    }

    /// Checks status and code, as every refusal has them; returns the body.
    ///
    /// # Panics
    /// When it is another answer.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/json", "{}", self.text());
        let json = self.json();
        assert_eq!(json["code"], code, "{json}");
        assert!(json["error"].as_str().is_some_and(|s| !s.is_empty()), "{json}");
        assert!(json["details"].is_object(), "{json}");
        json
    }

    /// Checks the status; returns the body.
    ///
    /// # Panics
    /// When it is another one.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}
