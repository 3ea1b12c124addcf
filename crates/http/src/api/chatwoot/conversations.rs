//! Conversations and their messages.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::chatwoot::{self, Conversation, Message, MessageQuery, MessageType, NewMessage};
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::failure::{Asked, Failure, Given};
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{Ids, JsonBody, Query};
use crate::state::HttpState;

/// Messages of one answer: Chatwoot gives twenty at a time, so this is fifty requests.
const MAX_MESSAGES: usize = 1_000;
/// Chatwoot's own limit.
const MAX_CONTENT_CHARS: usize = 150_000;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(get_chatwoot_conversation))
        .routes(routes!(list_chatwoot_messages, create_chatwoot_message))
}

/// A conversation.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(examples(json!({ "success": true, "conversation": { "id": 123, "status": "open", "inbox_id": 3,
    "contact": { "id": 77, "name": "Ana Souza", "phone_number": "+5511987654321" }, "labels": ["vip"], "unread_count": 1 } })))]
struct ChatwootConversationAnswer {
    /// True.
    success: bool,
    /// As Chatwoot writes it, with `contact`: who wrote it. `messages` holds the last one only.
    #[schema(value_type = Object)]
    conversation: Arc<Conversation>,
}

/// Shows a conversation, at most five minutes old; what changed is fetched anew at once.
#[utoipa::path(get, path = "/api/v1/chatwoot/conversations/{id}", tag = "chatwoot", security(("token" = ["inbox:read"])),
    params(("id" = i64, Path, description = "Its number in Chatwoot, as its page's address shows it")),
    responses((status = 200, body = ChatwootConversationAnswer)))]
async fn get_chatwoot_conversation(
    State(state): State<HttpState>,
    Asked(InboxReader(caller)): Asked<InboxReader>,
    Asked(Ids(id)): Asked<Ids<i64>>,
) -> Result<Json<ChatwootConversationAnswer>, Failure> {
    let conversation = chatwoot::of(&state.engine, caller.account_id).await?.get_conversation(id).await?;
    Ok(Json(ChatwootConversationAnswer { success: true, conversation }))
}

/// Which messages.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ChatwootMessagesQuery {
    /// As many at most, the newest of them; 20 unless said otherwise.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Older than this message.
    #[param(minimum = 1)]
    before_id: Option<i64>,
}

impl ChatwootMessagesQuery {
    fn check(&self) -> Result<MessageQuery, ApiError> {
        if self.limit.is_some_and(|limit| !(1..=MAX_MESSAGES).contains(&limit)) {
            let sentence = format!("The limit field must be between 1 and {MAX_MESSAGES}.");
            return Err(ApiError::invalid("limit", sentence));
        }
        if self.before_id.is_some_and(|id| id < 1) {
            return Err(ApiError::invalid("before_id", "The before_id field must be at least 1."));
        }
        Ok(MessageQuery { limit: self.limit, before_id: self.before_id, ..MessageQuery::default() })
    }
}

/// Messages of a conversation.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(examples(json!({ "success": true, "messages": [{ "id": 9001, "content": "Hi, is my order out?", "message_type": 0,
    "private": false, "sender": { "id": 77, "name": "Ana Souza" }, "created_at": 1787048130 }], "meta": {} })))]
struct ChatwootMessagesAnswer {
    /// True.
    success: bool,
    /// As Chatwoot writes them, the oldest first. `message_type`: 0 of the customer, 1 of an agent, 2 a note of what
    /// happened, 3 of an automation.
    #[schema(value_type = Vec<Object>)]
    messages: Vec<Message>,
    /// What Chatwoot says beside them.
    #[schema(value_type = Object)]
    meta: Map<String, Value>,
}

/// Lists messages of a conversation, at most a minute old; what changed is fetched anew at once.
#[utoipa::path(get, path = "/api/v1/chatwoot/conversations/{id}/messages", tag = "chatwoot",
    security(("token" = ["inbox:read"])), params(("id" = i64, Path), ChatwootMessagesQuery),
    responses((status = 200, body = ChatwootMessagesAnswer)))]
async fn list_chatwoot_messages(
    State(state): State<HttpState>,
    Asked(InboxReader(caller)): Asked<InboxReader>,
    Asked(Ids(id)): Asked<Ids<i64>>,
    Asked(Query(wanted)): Asked<Query<ChatwootMessagesQuery>>,
) -> Result<Json<ChatwootMessagesAnswer>, Failure> {
    let query = wanted.check()?;
    let page = chatwoot::of(&state.engine, caller.account_id).await?.get_messages(id, &query).await?;
    let (messages, meta) = (page.data.clone(), page.meta.clone());
    Ok(Json(ChatwootMessagesAnswer { success: true, messages, meta }))
}

/// Whose a message is.
#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum ChatwootMessageType {
    /// An agent's.
    Outgoing,
    /// The customer's; in API inboxes alone.
    Incoming,
}

/// A message to write in Chatwoot.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "content": "Olá! Como posso ajudar?", "message_type": "outgoing", "content_type": "text" })))]
struct CreateChatwootMessage {
    /// What it says.
    #[schema(min_length = 1, max_length = 150_000, pattern = "\\S")]
    content: String,
    /// Absent: `outgoing`.
    message_type: Option<ChatwootMessageType>,
    /// Absent: `text`.
    content_type: Option<String>,
    /// `in_reply_to`, `items`…
    #[schema(value_type = Option<Object>)]
    content_attributes: Option<Map<String, Value>>,
    /// True: a note that the customer does not see.
    private: Option<bool>,
    /// Its id in the channel. Chatwoot sends an outgoing message that has one to nobody: it is for mirroring.
    source_id: Option<String>,
    /// Comes back in the answer.
    echo_id: Option<String>,
}

impl CreateChatwootMessage {
    fn check(self) -> Result<NewMessage, ApiError> {
        if self.content.trim().is_empty() {
            return Err(ApiError::invalid("content", "The content field is required."));
        }
        if self.content.chars().count() > MAX_CONTENT_CHARS {
            let sentence =
                format!("The content field must not be longer than {MAX_CONTENT_CHARS} characters.");
            return Err(ApiError::invalid("content", sentence));
        }
        Ok(NewMessage {
            content: Some(self.content),
            message_type: self.message_type.map(|kind| match kind {
                ChatwootMessageType::Outgoing => MessageType::Outgoing,
                ChatwootMessageType::Incoming => MessageType::Incoming,
            }),
            content_type: self.content_type,
            content_attributes: self.content_attributes.unwrap_or_default(),
            private: self.private.unwrap_or(false),
            source_id: self.source_id,
            echo_id: self.echo_id,
            ..NewMessage::default()
        })
    }
}

/// A message that was written.
#[derive(Serialize, utoipa::ToSchema)]
struct ChatwootMessageAnswer {
    /// True.
    success: bool,
    /// As Chatwoot writes it.
    #[schema(value_type = Object)]
    message: Message,
}

/// Writes a message. When Chatwoot's answer is lost and the message cannot be found there, the refusal has
/// `details.certain` false: look before writing it again.
#[utoipa::path(post, path = "/api/v1/chatwoot/conversations/{id}/messages", tag = "chatwoot",
    security(("token" = ["inbox:write"])), params(("id" = i64, Path)), request_body = CreateChatwootMessage,
    responses((status = 201, body = ChatwootMessageAnswer)))]
async fn create_chatwoot_message(
    State(state): State<HttpState>,
    Asked(InboxWriter(caller)): Asked<InboxWriter>,
    Asked(Ids(id)): Asked<Ids<i64>>,
    Given(JsonBody(body)): Given<JsonBody<CreateChatwootMessage>>,
) -> Result<(StatusCode, Json<ChatwootMessageAnswer>), Failure> {
    let new = body.check()?;
    let message = chatwoot::of(&state.engine, caller.account_id).await?.create_message(id, &new).await?;
    Ok((StatusCode::CREATED, Json(ChatwootMessageAnswer { success: true, message })))
}
