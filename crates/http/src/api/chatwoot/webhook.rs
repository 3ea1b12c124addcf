//! Where Chatwoot delivers. Its webhooks say that something changed; what is kept of that is forgotten on every node.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use frontdesk_engine::bridge::door::{self, DeliveryRefused};
use frontdesk_engine::chatwoot::webhook::{self, Taken, WebhookHeaders, WebhookRefused};
use frontdesk_engine::chatwoot::{EventError, WebhookRejection};
use frontdesk_routes::{Gather, routes};
use serde::Serialize;

use super::failure::Failure;
use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::input::{Word, too_large};
use crate::state::HttpState;
use crate::webhooks::{read_body, refuse_encoding};

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(deliver_chatwoot)).routes(routes!(deliver_to_bridge))
}

/// A webhook that was taken.
#[derive(Serialize, utoipa::ToSchema)]
struct ChatwootWebhookTaken {
    /// True.
    success: bool,
    /// True when it came before, and changed nothing.
    duplicate: bool,
}

/// Takes what Chatwoot delivers.
///
/// What it is about is fetched anew when it is next asked for, on every node. The same again changes nothing.
#[utoipa::path(post, path = "/api/v1/sync/chatwoot/webhook", tag = "webhooks",
    params(
        ("X-Chatwoot-Signature" = Option<String>, Header, description = "`sha256=` and the HMAC-SHA256 over `timestamp.body` \
            in hex, made with the secret of the webhook or API inbox"),
        ("X-Chatwoot-Timestamp" = Option<String>, Header, description = "When it was sent, in seconds since 1970"),
        ("X-Chatwoot-Delivery" = Option<String>, Header, description = "The same for every repetition"),
    ),
    request_body(content = Object, content_type = "application/json", description = "The event, as Chatwoot writes it."),
    responses((status = 200, body = ChatwootWebhookTaken),
        (status = 400, body = ErrorBody, description = "The body did not arrive completely"),
        (status = 403, body = ErrorBody, description = "It is not genuine, or too old"),
        (status = 404, body = ErrorBody, description = "No Chatwoot is connected")))]
async fn deliver_chatwoot(
    State(state): State<HttpState>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ChatwootWebhookTaken>, Response> {
    let refused = |error: ApiError| Failure::from(error).into_response();
    refuse_encoding(&headers).map_err(refused)?;
    let body = read_body(body, webhook::max_bytes(&state.engine), &headers).await.map_err(refused)?;
    match webhook::receive(&state.engine, signed(&headers), &body).await {
        Ok(taken) => Ok(Json(ChatwootWebhookTaken { success: true, duplicate: taken == Taken::Repeated })),
        Err(error) => Err(Failure::from(error).into_response()),
    }
}

/// Takes what the API inbox of a bridge delivers.
///
/// What agents there write is kept before this is answered, and sent. The same again changes nothing.
#[utoipa::path(post, path = "/api/v1/sync/chatwoot/webhook/{key}", tag = "webhooks",
    params(
        ("key" = String, Path, description = "The bridge's own, part of its `webhookUrl`"),
        ("X-Chatwoot-Signature" = Option<String>, Header, description = "`sha256=` and the HMAC-SHA256 over `timestamp.body` \
            in hex, made with the secret of the API inbox"),
        ("X-Chatwoot-Timestamp" = Option<String>, Header, description = "When it was sent, in seconds since 1970"),
        ("X-Chatwoot-Delivery" = Option<String>, Header, description = "The same for every repetition"),
    ),
    request_body(content = Object, content_type = "application/json", description = "The event, as Chatwoot writes it."),
    responses((status = 200, body = ChatwootWebhookTaken),
        (status = 400, body = ErrorBody, description = "The body did not arrive completely"),
        (status = 403, body = ErrorBody, description = "It is not genuine, or too old"),
        (status = 404, body = ErrorBody, description = "No bridge has this address")))]
async fn deliver_to_bridge(
    State(state): State<HttpState>,
    Word(key): Word,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ChatwootWebhookTaken>, Response> {
    let refused = |error: ApiError| Failure::from(error).into_response();
    refuse_encoding(&headers).map_err(refused)?;
    let body = read_body(body, door::MAX_BYTES, &headers).await.map_err(refused)?;
    match door::receive(&state.engine, &key, signed(&headers), &body).await {
        Ok(is_new) => Ok(Json(ChatwootWebhookTaken { success: true, duplicate: !is_new })),
        Err(error) => Err(Failure::from(error).into_response()),
    }
}

fn signed(headers: &HeaderMap) -> WebhookHeaders<'_> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    WebhookHeaders {
        signature: text("x-chatwoot-signature"),
        timestamp: text("x-chatwoot-timestamp"),
        delivery: text("x-chatwoot-delivery"),
    }
}

impl From<DeliveryRefused> for Failure {
    fn from(error: DeliveryRefused) -> Self {
        match error {
            DeliveryRefused::NotFound => ApiError::not_found("address").into(),
            DeliveryRefused::Rejected(rejection) => rejected(rejection),
            DeliveryRefused::Unreadable(error) => unreadable(error),
            DeliveryRefused::Vault(error) => ApiError::internal(error).into(),
            DeliveryRefused::Store(error) => ApiError::from(error).into(),
        }
    }
}

fn rejected(rejection: WebhookRejection) -> Failure {
    if rejection.http_status() == 413 {
        return too_large().into();
    }
    ApiError::new(ErrorCode::InvalidSignature, format!("Invalid signature: {rejection}.")).into()
}

fn unreadable(error: EventError) -> Failure {
    ApiError::invalid("body", format!("The webhook cannot be read: {error}.")).into()
}

impl From<WebhookRefused> for Failure {
    fn from(error: WebhookRefused) -> Self {
        match error {
            WebhookRefused::Absent(absent) => absent.into(),
            WebhookRefused::Rejected(rejection) => rejected(rejection),
            WebhookRefused::Unreadable(error) => unreadable(error),
        }
    }
}
