//! Messages of a conversation: replying, marking, deleting, sending again.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use frontdesk_engine::conversations;
use frontdesk_engine::replies::{self, Author, NewReaction, Reply, ReplyError, Special, Verdict};
use frontdesk_engine::views::{MessageView, Viewer};
use frontdesk_model::content::{ContactCard, Location, Template};
use frontdesk_model::message::DeliveryOutcome;
use frontdesk_model::outbound::Interactive;
use frontdesk_model::{AccountId, AttachmentId, ConversationId, MessageId, Timestamp};
use frontdesk_store::{StoreError, deliveries, messages as rows};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{InboxReader, InboxWriter};
use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::input::{Ids, JsonBody};
use crate::state::HttpState;

/// The longest `Idempotency-Key`, as long as a `client_key`.
const MAX_KEY: usize = 200;

pub(crate) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .routes(routes!(send_message))
        .routes(routes!(mark_message_read))
        .routes(routes!(delete_message))
        .routes(routes!(retry_message))
        .routes(routes!(resolve_message))
        .routes(routes!(list_deliveries))
}

/// A reply: text, files, or one of the special kinds.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "content": "We have it in red too.", "client_key": "7b0c2a9e-5d0f-4d6f-8a51-1f5f7f6f0c11" })))]
#[serde(default)]
struct SendMessage {
    /// Text, or the caption of the files. 1 to 2000 characters by default; a channel may take less.
    #[schema(min_length = 1, max_length = 2000, pattern = "\\S")]
    content: Option<String>,
    /// Ids of uploaded files, see `POST /api/v1/media`.
    #[schema(value_type = Vec<i64>, max_items = 10)]
    attachments: Vec<AttachmentId>,
    /// Absent: what the other fields make it.
    #[serde(rename = "type")]
    kind: Option<ReplyKind>,
    /// An approved template: the only kind possible outside WhatsApp's 24-hour window.
    template: Option<Template>,
    /// A place.
    location: Option<Location>,
    /// Contact cards.
    contacts: Vec<ContactCard>,
    /// Buttons, or a list.
    interactive: Option<Interactive>,
    /// A reaction to a message of this conversation, answered with that message. It goes alone.
    reaction: Option<Reaction>,
    /// The message to quote.
    #[schema(value_type = Option<i64>)]
    reply_to_message_id: Option<MessageId>,
    /// Made by the client: the same key is the same message. The header `Idempotency-Key` does the same.
    #[schema(min_length = 1, max_length = 200, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    client_key: Option<String>,
    /// The newest message the agent had seen. A newer reply of a colleague stops the send with 409.
    #[schema(value_type = Option<i64>)]
    last_seen_message_id: Option<MessageId>,
    /// Send although a colleague was faster.
    force: bool,
}

/// What one of us thinks of a message.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = NewReaction)]
struct Reaction {
    /// The message reacted to.
    #[schema(value_type = i64)]
    message_id: MessageId,
    /// One emoji; empty or absent takes the reaction back.
    #[serde(default)]
    #[schema(max_length = 32)]
    emoji: String,
}

/// What a reply is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum ReplyKind {
    /// Text, files or both.
    Text,
    /// An approved template.
    Template,
    /// A place.
    Location,
    /// Contact cards.
    Contacts,
    /// Buttons or a list.
    Interactive,
    /// A reaction to a message.
    Reaction,
}

/// A stored reply. Text and files that the network carries apart become several messages: the first is answered with,
/// the others are beside it.
#[derive(Serialize, utoipa::ToSchema)]
struct SentMessage {
    #[serde(flatten)]
    message: MessageView,
    /// The other messages of the same reply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    companions: Vec<MessageView>,
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

/// Replies to the customer.
///
/// The message is stored and queued; its status tells how far it has come. A reaction is shown at once, its `status`
/// beside it; when it cannot be sent, it is taken back and the event `ReactionFailed` says why.
#[utoipa::path(post, path = "/admin/inbox/{id}/messages", tag = "inbox", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path), ("Idempotency-Key" = Option<String>, Header, max_length = 200, pattern = "^[!-~]([ -~]*[!-~])?$",
        description = "The same as `client_key`, which goes before it.", example = "7b0c2a9e-5d0f-4d6f-8a51-1f5f7f6f0c11")),
    request_body = SendMessage,
    responses((status = 201, description = "Stored and queued", body = SentMessage),
        (status = 200, description = "Stored before under the same key", body = SentMessage),
        (status = 409, body = ErrorBody, description = "`CONVERSATION_CLOSED`, `NEWER_MESSAGES` (a colleague was faster), \
            `IDEMPOTENCY_CONFLICT` (the key was used for something else) or `CONFLICT` (the inbox was removed)"),
        (status = 422, body = ErrorBody, description = "A field is wrong, or `WINDOW_CLOSED`: the network takes no such \
            message now")))]
async fn send_message(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ConversationId>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SendMessage>,
) -> Result<(StatusCode, Json<SentMessage>), ApiError> {
    let key = idempotency_key(&headers)?;
    let author = Author { actor: caller.actor(), name: caller.name.clone() };
    if let Some(reaction) = read_reaction(&body, key.clone())? {
        let message = reaction.message;
        let new = replies::react(&state.engine, author, id, reaction).await?;
        let Json(message) = show(&state, caller.account_id, message).await?;
        let status = if new { StatusCode::CREATED } else { StatusCode::OK };
        return Ok((status, Json(SentMessage { message, companions: Vec::new() })));
    }
    let reply = read_reply(body, key)?;
    let stored = match replies::reply(&state.engine, author, id, reply).await {
        Ok(stored) => stored,
        Err(ReplyError::Newer(ids)) => {
            let messages = views_of(&state, caller.account_id, ids).await?;
            return Err(colleague_was_faster(&messages));
        }
        Err(error) => return Err(error.into()),
    };
    let mut views = views_of(&state, caller.account_id, stored.messages).await?.into_iter();
    let message = views.next().ok_or_else(|| ApiError::not_found("message"))?;
    let status = if stored.new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(SentMessage { message, companions: views.collect() })))
}

async fn views_of(
    state: &HttpState,
    account: AccountId,
    ids: Vec<MessageId>,
) -> Result<Vec<MessageView>, ApiError> {
    let viewer = Viewer::new(&state.engine).await?;
    let views = state.engine.store.read(move |tx| {
        let mut found = Vec::with_capacity(ids.len());
        for id in &ids {
            found.extend(viewer.message_by_id(tx, account, *id)?);
        }
        Ok::<_, StoreError>(found)
    });
    Ok(views.await?)
}

fn colleague_was_faster(messages: &[MessageView]) -> ApiError {
    let sentence = "A colleague has replied since. Read it, or send with \"force\": true.";
    ApiError::new(ErrorCode::NewerMessages, sentence).with_detail("messages", json!(messages))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let wrong = || {
        let sentence = format!("The Idempotency-Key header must have 1 to {MAX_KEY} printable characters.");
        ApiError::invalid("Idempotency-Key", sentence)
    };
    let text = value.to_str().map_err(|_| wrong())?.trim();
    if text.is_empty() || text.len() > MAX_KEY { Err(wrong()) } else { Ok(Some(text.to_owned())) }
}

/// The reaction of a request; `None` when it is a reply.
fn read_reaction(body: &SendMessage, key: Option<String>) -> Result<Option<NewReaction>, ApiError> {
    let reaction = match (&body.reaction, body.kind) {
        (Some(reaction), None | Some(ReplyKind::Reaction)) => reaction,
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("reaction", "A reaction needs the type reaction, or none."));
        }
        (None, _) => return Ok(None),
    };
    if body.content.is_some() || !body.attachments.is_empty() {
        return Err(ApiError::invalid("reaction", "A reaction goes alone: send text and files apart."));
    }
    Ok(Some(NewReaction {
        message: reaction.message_id,
        emoji: Some(reaction.emoji.clone()).filter(|emoji| !emoji.is_empty()),
        client_key: body.client_key.clone().or(key),
    }))
}

fn read_reply(body: SendMessage, key: Option<String>) -> Result<Reply, ApiError> {
    let missing = |field: &str| ApiError::invalid(field, format!("The {field} field is required."));
    let kind = body.kind.unwrap_or({
        if body.template.is_some() {
            ReplyKind::Template
        } else if body.location.is_some() {
            ReplyKind::Location
        } else if !body.contacts.is_empty() {
            ReplyKind::Contacts
        } else if body.interactive.is_some() {
            ReplyKind::Interactive
        } else {
            ReplyKind::Text
        }
    });
    let special = match kind {
        ReplyKind::Text => None,
        ReplyKind::Template => Some(Special::Template(body.template.ok_or_else(|| missing("template"))?)),
        ReplyKind::Location => Some(Special::Location(body.location.ok_or_else(|| missing("location"))?)),
        ReplyKind::Contacts if body.contacts.is_empty() => return Err(missing("contacts")),
        ReplyKind::Contacts => Some(Special::Contacts(body.contacts)),
        ReplyKind::Interactive => {
            Some(Special::Interactive(body.interactive.ok_or_else(|| missing("interactive"))?))
        }
        ReplyKind::Reaction => return Err(missing("reaction")), // with one it would be no reply
    };
    Ok(Reply {
        content: body.content,
        attachments: body.attachments,
        special,
        reply_to: body.reply_to_message_id,
        client_key: body.client_key.or(key),
        last_seen: body.last_seen_message_id,
        force: body.force,
    })
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

impl From<ReplyError> for ApiError {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::NotFound => Self::not_found("conversation or message"),
            ReplyError::Closed => Self::new(
                ErrorCode::ConversationClosed,
                "The conversation is closed. Set its status to active to reply.",
            ),
            ReplyError::WindowClosed { expired_at, templates } => {
                let sentence = if templates {
                    "The customer's last message is more than 24 hours old: only a template can be sent."
                } else {
                    "The customer's last message is too old: the network takes no reply until they write again."
                };
                Self::new(ErrorCode::WindowClosed, sentence)
                    .with_detail("expired_at", json!(expired_at))
                    .with_detail("templates", templates)
            }
            ReplyError::Invalid(fields) => Self::invalid_fields(fields),
            ReplyError::KeyConflict(id) => Self::new(
                ErrorCode::IdempotencyConflict,
                "This key was used for a message with other content.",
            )
            .with_detail("message_id", id.0),
            ReplyError::Newer(_) => colleague_was_faster(&[]),
            ReplyError::InboxGone => Self::new(
                ErrorCode::Conflict,
                "The inbox of this conversation was removed. Connect it again to reply.",
            ),
            ReplyError::NotSentYet => Self::new(
                ErrorCode::Conflict,
                "This message has not been sent yet. React when it has one tick.",
            ),
            ReplyError::NotSettleable => Self::new(
                ErrorCode::Conflict,
                "Only a message that failed, or whose fate is unknown, can be sent again.",
            ),
            ReplyError::Store(error) => error.into(),
        }
    }
}
