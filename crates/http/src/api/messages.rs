//! Messages of a conversation: marking, deleting, sending again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::conversations;
use frontdesk_engine::replies::{self, Verdict};
use frontdesk_engine::views::{MessageView, Viewer};
use frontdesk_model::message::DeliveryOutcome;
use frontdesk_model::{AccountId, ConversationId, MessageId, Timestamp};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::{StoreError, deliveries, messages as rows};
use serde::{Deserialize, Serialize};

use crate::auth::{InboxReader, InboxWriter};
use crate::error::{ApiError, ErrorBody};
use crate::input::{Ids, JsonBody};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(mark_message_read))
        .routes(routes!(delete_message))
        .routes(routes!(retry_message))
        .routes(routes!(resolve_message))
        .routes(routes!(list_deliveries))
}

/// What became of a message.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "outcome": "sent" })))]
struct ResolveMessage {
    outcome: Outcome,
}

/// What became of a message whose fate was unknown.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// It arrived.
    Sent,
    /// It did not: send it again.
    Resend,
}

/// Every attempt to send a message.
#[derive(Serialize, utoipa::ToSchema)]
struct Deliveries {
    data: Vec<Delivery>,
}

/// One attempt.
#[derive(Serialize, utoipa::ToSchema)]
struct Delivery {
    id: i64,
    /// `message`, or `reaction` when a reaction to the message was sent.
    kind: String,
    attempt: i64,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    finished_at: Option<Timestamp>,
    /// Null while under way.
    #[schema(required = true)]
    outcome: Option<DeliveryOutcome>,
    #[schema(required = true)]
    http_status: Option<i64>,
    #[schema(required = true)]
    provider_code: Option<String>,
    #[schema(required = true)]
    error: Option<String>,
}

/// Marks one message as read.
#[utoipa::path(patch, path = "/admin/inbox/{id}/messages/{message_id}/read", tag = "inbox",
    security(("token" = ["inbox:write"])), params(("id" = i64, Path), ("message_id" = i64, Path)),
    responses((status = 200, body = MessageView)))]
async fn mark_message_read(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids((id, message)): Ids<(ConversationId, MessageId)>,
) -> Result<Json<MessageView>, ApiError> {
    conversations::mark_message_read(&state.engine, caller.actor(), id, message).await?;
    show(&state, caller.account_id, message).await
}

/// Deletes a message here.
///
/// The row stays for the audit, and the customer keeps what was delivered.
#[utoipa::path(delete, path = "/admin/inbox/{id}/messages/{message_id}", tag = "inbox",
    security(("token" = ["inbox:write"])), params(("id" = i64, Path), ("message_id" = i64, Path)),
    responses((status = 204)))]
async fn delete_message(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids((id, message)): Ids<(ConversationId, MessageId)>,
) -> Result<StatusCode, ApiError> {
    conversations::delete_message(&state.engine, caller.actor(), id, message).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a failed message again.
#[utoipa::path(post, path = "/admin/inbox/{id}/messages/{message_id}/retry", tag = "inbox",
    security(("token" = ["inbox:write"])), params(("id" = i64, Path), ("message_id" = i64, Path)),
    responses((status = 200, body = MessageView),
        (status = 409, body = ErrorBody, description = "The message neither failed nor is its fate unknown")))]
async fn retry_message(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids((id, message)): Ids<(ConversationId, MessageId)>,
) -> Result<Json<MessageView>, ApiError> {
    replies::settle(&state.engine, caller.actor(), id, message, Verdict::Resend).await?;
    show(&state, caller.account_id, message).await
}

/// Says what became of a message whose fate is unknown.
#[utoipa::path(post, path = "/admin/inbox/{id}/messages/{message_id}/resolve", tag = "inbox",
    security(("token" = ["inbox:write"])), params(("id" = i64, Path), ("message_id" = i64, Path)),
    request_body = ResolveMessage, responses((status = 200, body = MessageView),
        (status = 409, body = ErrorBody, description = "The fate of the message is known")))]
async fn resolve_message(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids((id, message)): Ids<(ConversationId, MessageId)>,
    JsonBody(body): JsonBody<ResolveMessage>,
) -> Result<Json<MessageView>, ApiError> {
    let verdict = match body.outcome {
        Outcome::Sent => Verdict::Sent,
        Outcome::Resend => Verdict::Resend,
    };
    replies::settle(&state.engine, caller.actor(), id, message, verdict).await?;
    show(&state, caller.account_id, message).await
}

/// Lists every attempt to send a message, or a reaction to it, the first one first.
#[utoipa::path(get, path = "/api/v1/messages/{id}/deliveries", tag = "conversations",
    security(("token" = ["inbox:read"])), params(("id" = i64, Path)), responses((status = 200, body = Deliveries)))]
async fn list_deliveries(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids(id): Ids<MessageId>,
) -> Result<Json<Deliveries>, ApiError> {
    let account = caller.account_id;
    let found = state
        .engine
        .store
        .read(move |tx| {
            if rows::find(tx, account, id)?.is_none() {
                return Ok(None);
            }
            Ok::<_, StoreError>(Some(deliveries::list(tx, account, id)?))
        })
        .await?;
    let found = found.ok_or_else(|| ApiError::not_found("message"))?;
    let data = found.into_iter().map(|row| Delivery {
        id: row.id,
        kind: row.kind,
        attempt: row.attempt,
        started_at: row.started_at,
        finished_at: row.finished_at,
        outcome: row.outcome.as_deref().and_then(DeliveryOutcome::parse),
        http_status: row.http_status,
        provider_code: row.provider_code,
        error: row.error,
    });
    Ok(Json(Deliveries { data: data.collect() }))
}

async fn show(state: &HttpState, account: AccountId, id: MessageId) -> Result<Json<MessageView>, ApiError> {
    let viewer = Viewer::new(&state.engine).await?;
    let found = state.engine.store.read(move |tx| viewer.message_by_id(tx, account, id)).await?;
    found.map(Json).ok_or_else(|| ApiError::not_found("message"))
}
