//! What providers answer.

use frontdesk_meta_graph_client::decision::decide_graph;
use frontdesk_meta_graph_client::{GraphError, Product};
use frontdesk_provider_http::error::StatusAnswer;
use frontdesk_provider_http::retry::LONGEST_WAIT;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::line;

/// First line: the status; second: `Retry-After`; third: a usage header; then the body. Whatever it is, there is a
/// decision, and nobody waits for longer than a day because a provider said so.
pub fn error(bytes: &[u8]) {
    let (status, rest) = line(bytes);
    let (retry_after, rest) = line(rest);
    let (usage, body) = line(rest);
    let status =
        String::from_utf8_lossy(status).parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("retry-after", retry_after),
        ("x-app-usage", usage),
        ("x-business-use-case-usage", usage),
        ("x-page-usage", usage),
    ] {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let answer = StatusAnswer {
        status: status.unwrap_or(StatusCode::BAD_REQUEST),
        headers,
        body: body.to_vec().into(),
    };
    let Some(error) = GraphError::read(&answer) else { return };
    assert!(error.details().len() <= body.len());
    assert!(error.retry_after.is_none_or(|wait| wait <= LONGEST_WAIT), "{:?}", error.retry_after);
    for product in [Product::WhatsApp, Product::Messaging] {
        for attempts in [0, 1, 50, u32::MAX] {
            assert!(!decide_graph(product, &error, attempts).advice.is_empty());
        }
    }
}
