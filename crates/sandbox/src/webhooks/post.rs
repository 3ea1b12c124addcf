//! One webhook body, signed, and the POST of it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use serde_json::Value;

use super::signature::{escape_wire, sign};

/// Longer bodies are sent, but not recorded.
const RECORDED_BODY_MAX_BYTES: usize = 64 * 1024;

/// A body ready to be sent, any number of times.
#[derive(Debug, Clone)]
pub struct PreparedPost {
    /// Where it goes.
    pub url: String,
    /// `X-Hub-Signature-256`.
    pub signature: Option<String>,
    /// Wire bytes.
    pub body: Bytes,
}

/// How a POST was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status, if an answer came.
    pub http_status: Option<u16>,
    /// Why none came.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Answer {
    /// 2xx: the business has it.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.http_status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl PreparedPost {
    /// Serialises as Meta does and signs if there is a secret.
    #[must_use]
    pub fn new(url: String, app_secret: Option<&str>, body: &Value) -> Self {
        let body = Bytes::from(escape_wire(&body.to_string()));
        Self { url, signature: app_secret.map(|secret| sign(secret, &body)), body }
    }

    pub(super) fn body_to_record(&self) -> Option<String> {
        (self.body.len() <= RECORDED_BODY_MAX_BYTES).then(|| String::from_utf8_lossy(&self.body).into_owned())
    }
}

/// Sends it once. The answer's body is ignored, as Meta does.
pub async fn post(http: &reqwest::Client, prepared: &PreparedPost, limit: Duration) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static("facebookexternalua"));
    if let Some(signature) = prepared.signature.as_deref().and_then(|value| HeaderValue::from_str(value).ok())
    {
        headers.insert("x-hub-signature-256", signature);
    }
    let started = Instant::now();
    let answer =
        http.post(&prepared.url).headers(headers).body(prepared.body.clone()).timeout(limit).send().await;
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match answer {
        Ok(response) => Answer { http_status: Some(response.status().as_u16()), error: None, duration_ms },
        Err(error) => Answer { http_status: None, error: Some(describe(&error)), duration_ms },
    }
}

fn describe(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
