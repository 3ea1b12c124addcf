//! Where providers deliver: hands over the raw request, answers 200 when it is durable.
//!
//! Every channel's door gets its routes from the registry; nothing here knows a provider.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use frontdesk_channels::contract::{Door, Refusal};
use frontdesk_channels::registry;
use frontdesk_engine::intake::{self, ReceiveError};

use crate::error::{ApiError, ErrorCode};
use crate::input::too_large;
use crate::state::HttpState;

/// A body has to arrive within this time: providers send at once.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest challenge repeated.
const MAX_CHALLENGE: usize = 1024;

/// One route per door.
pub(crate) fn routes() -> Router<HttpState> {
    registry::doors().into_iter().fold(Router::new(), |router, door| {
        let asked = move |state, query| answer_challenge(door, state, query);
        let delivered = move |state, request| take(door, state, request);
        let route = post(delivered);
        let route = if door.asks() { route.get(asked) } else { route };
        let router = door.aliases().iter().fold(router, |router, path| router.route(path, route.clone()));
        router.route(door.path(), route)
    })
}

/// Answers the provider's question when the webhook is set up: the challenge as plain text.
async fn answer_challenge(
    door: &'static dyn Door,
    State(state): State<HttpState>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let challenge = intake::challenge(&state.engine, door, &query).await?;
    if challenge.len() > MAX_CHALLENGE {
        return Err(ReceiveError::Refused(Refusal::BadChallenge).into());
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response())
}

/// Takes a delivery: an empty 200 once its body is committed.
async fn take(
    door: &'static dyn Door,
    State(state): State<HttpState>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let (parts, body) = request.into_parts();
    refuse_encoding(&parts.headers)?;
    let max_bytes = door.max_body_bytes(&state.engine.settings.doors);
    let body = read_body(body, max_bytes, &parts.headers).await?;
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        // A value that is no text is still there: a door that counts signatures must not overlook one.
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    intake::receive(&state.engine, door, &headers, body).await?;
    Ok(StatusCode::OK)
}

/// Compressed bodies could hide any size.
pub(crate) fn refuse_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    if encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    let sentence = "Webhook bodies must not be compressed: send them without Content-Encoding.";
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, sentence))
}

pub(crate) async fn read_body(
    body: Body,
    max_bytes: usize,
    headers: &HeaderMap,
) -> Result<bytes::Bytes, ApiError> {
    let declared =
        headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    if declared.is_some_and(|length: usize| length > max_bytes) {
        return Err(too_large());
    }
    let read = tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, max_bytes)).await;
    let slow = || ApiError::new(ErrorCode::BadRequest, "The body did not arrive in time.");
    read.map_err(|_| slow())?.map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        if cause.contains("length limit") {
            too_large()
        } else {
            ApiError::new(ErrorCode::BadRequest, "The body ended before it was complete.")
        }
    })
}

impl From<ReceiveError> for ApiError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Refused(Refusal::BadChallenge) => {
                Self::new(ErrorCode::BadRequest, Refusal::BadChallenge.to_string())
            }
            ReceiveError::Refused(refusal) => Self::new(ErrorCode::InvalidSignature, refusal.to_string()),
            ReceiveError::Unreadable(error) => Self::new(ErrorCode::ValidationError, error.to_string()),
            ReceiveError::NotStored => {
                let sentence = "The webhook could not be stored. Deliver it again.";
                Self::new(ErrorCode::StorageUnavailable, sentence).with_retry_after(5)
            }
        }
    }
}
