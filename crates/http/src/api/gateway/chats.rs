//! Chats of a session and their messages.

use axum::Json;
use axum::extract::State;
use frontdesk_engine::conversations;
use frontdesk_engine::views::{ConversationView, MessageView};
use frontdesk_engine::webhooks::event::message_id;
use frontdesk_model::message::{Direction, MessageKind, MessageStatus};
use frontdesk_model::{InboxId, Timestamp};
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};

use super::{ToldPage, session};
use crate::api::conversations::page_of;
use crate::api::crm::inbox::{ChatDirection, ChatsQuery, check_limit, find_chats, in_short};
use crate::api::envelope::Told;
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{Ids, Query, Word};
use crate::paging::Position;
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_session_chats))
        .routes(routes!(search_session_chats))
        .routes(routes!(list_session_messages))
        .routes(routes!(mark_session_chat_read))
}

/// A chat of a session.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionChat {
    /// Names it in addresses and queries.
    id: String,
    name: String,
    /// Digits with the country code; null for somebody without a number.
    #[schema(required = true)]
    phone: Option<String>,
    /// The newest message on one line; `[image]` where it has no words.
    #[schema(required = true)]
    last_message: Option<String>,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    unread_count: i64,
    is_starred: bool,
}

impl From<ConversationView> for SessionChat {
    fn from(row: ConversationView) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.customer.name,
            phone: row.customer.phone.as_deref().map(session::digits),
            last_message: row.last_message.map(in_short),
            timestamp: row.last_message_at,
            unread_count: row.unread_count,
            is_starred: row.starred,
        }
    }
}

/// Lists the chats of a session, the one with the newest message first.
#[utoipa::path(get, path = "/api/v1/sessions/{session_id}/chats", tag = "gateway", security(("token" = ["inbox:read"])),
    params(("session_id" = String, Path), ChatsQuery), responses((status = 200, body = ToldPage<SessionChat>)))]
async fn list_session_chats(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Word(id): Word,
    Query(query): Query<ChatsQuery>,
) -> Result<Json<ToldPage<SessionChat>>, ApiError> {
    let inbox = session::find(&state, caller.account_id, &id).await?.config.id;
    list(&state, caller.account_id, inbox, query).await
}

/// What to look for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ChatSearch {
    /// Words in the name, e-mail, phone or the messages.
    #[param(max_length = 1000, min_length = 1)]
    query: String,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}\\.[0-9]{1,18}$")]
    cursor: Option<String>,
    /// Rows wanted; 50 unless told.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// Looks for chats of a session.
#[utoipa::path(get, path = "/api/v1/sessions/{session_id}/chats/search", tag = "gateway", security(("token" = ["inbox:read"])),
    params(("session_id" = String, Path), ChatSearch), responses((status = 200, body = ToldPage<SessionChat>)))]
async fn search_session_chats(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Word(id): Word,
    Query(wanted): Query<ChatSearch>,
) -> Result<Json<ToldPage<SessionChat>>, ApiError> {
    let inbox = session::find(&state, caller.account_id, &id).await?.config.id;
    let ChatSearch { query, cursor, limit } = wanted;
    if query.trim().is_empty() {
        return Err(ApiError::invalid("query", "The query field is required."));
    }
    let query = ChatsQuery { search: Some(query), cursor, limit, ..ChatsQuery::default() };
    list(&state, caller.account_id, inbox, query).await
}

async fn list(
    state: &HttpState,
    account: frontdesk_model::AccountId,
    inbox: InboxId,
    query: ChatsQuery,
) -> Result<Json<ToldPage<SessionChat>>, ApiError> {
    let (found, next_cursor) = find_chats(state, account, query, Some(inbox)).await?;
    let data = found.into_iter().map(SessionChat::from).collect();
    Ok(Json(ToldPage { success: true, data, message: "Success", next_cursor }))
}

/// Which messages.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SessionMessagesQuery {
    /// The chat, by its id or the number it is with.
    #[serde(rename = "chatId")]
    #[param(max_length = 100, rename = "chatId")]
    chat_id: String,
    /// `next_cursor` of a page: the messages before it.
    #[param(pattern = "^[0-9]{1,18}\\.[0-9]{1,18}$")]
    before: Option<String>,
    /// Rows wanted; 50 unless told.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// A message of a session.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionMessage {
    /// A customer's as their network calls it; ours by our number, which is known before it is sent.
    id: String,
    /// Our own number of the message.
    message_id: i64,
    chat_id: String,
    /// The number of whoever wrote it; null for ours.
    #[schema(required = true)]
    from: Option<String>,
    from_me: bool,
    /// Words or caption; null where there are none.
    #[schema(required = true)]
    message: Option<String>,
    /// What it holds.
    #[serde(rename = "type")]
    kind: MessageKind,
    direction: ChatDirection,
    status: MessageStatus,
    #[schema(required = true)]
    sender_name: Option<String>,
    /// Signed address of the first file.
    #[schema(required = true)]
    media_url: Option<String>,
    #[schema(required = true)]
    media_type: Option<String>,
    /// What its network calls it, once that is known.
    #[schema(required = true)]
    wa_message_id: Option<String>,
    /// The key that came with a message of ours.
    #[schema(required = true)]
    client_key: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
}

impl SessionMessage {
    fn of(state: &HttpState, view: MessageView, phone: Option<&str>) -> Self {
        let from_me = view.direction == Direction::Outbound;
        Self {
            id: message_id(&view),
            message_id: view.id.0,
            chat_id: view.conversation_id.to_string(),
            from: phone.filter(|_| !from_me).map(session::digits),
            from_me,
            direction: if from_me { ChatDirection::Outgoing } else { ChatDirection::Incoming },
            message: view.content,
            kind: view.kind,
            status: view.status,
            sender_name: view.sender_name,
            media_url: view.media_url.map(|path| session::absolute(state, &path)),
            media_type: view.media_type,
            wa_message_id: view.platform_message_id,
            client_key: view.client_key,
            timestamp: view.created_at,
        }
    }
}

/// Shows the messages of a chat, the oldest first; the newest page unless told. Changes nothing.
#[utoipa::path(get, path = "/api/v1/sessions/{session_id}/messages", tag = "gateway", security(("token" = ["inbox:read"])),
    params(("session_id" = String, Path), SessionMessagesQuery), responses((status = 200, body = ToldPage<SessionMessage>)))]
async fn list_session_messages(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Word(id): Word,
    Query(query): Query<SessionMessagesQuery>,
) -> Result<Json<ToldPage<SessionMessage>>, ApiError> {
    let account = caller.account_id;
    let inbox = session::find(&state, account, &id).await?;
    let limit = check_limit(query.limit)?;
    if query.chat_id.trim().is_empty() {
        return Err(ApiError::invalid("chatId", "The chatId field is required."));
    }
    let chat = session::find_chat(&state, account, &inbox, &query.chat_id).await?;
    let contact = chat.contact_id;
    let found =
        state.engine.store.read(move |tx| frontdesk_store::contacts::find(tx, account, contact)).await?;
    let phone = found.and_then(|contact| contact.phone);
    let page = page_of(&state, account, chat.id, query.before.as_deref(), limit).await?;
    let data =
        page.messages.into_iter().map(|view| SessionMessage::of(&state, view, phone.as_deref())).collect();
    let next_cursor = page.oldest.map(Position::encode);
    Ok(Json(ToldPage { success: true, data, message: "Success", next_cursor }))
}

/// What became of a chat.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionChatState {
    id: String,
    unread_count: i64,
}

/// Marks a chat as read, and tells whoever wrote it where the network can.
#[utoipa::path(post, path = "/api/v1/sessions/{session_id}/chats/{chat_id}/read", tag = "gateway",
    security(("token" = ["inbox:write"])), params(("session_id" = String, Path), ("chat_id" = String, Path)),
    responses((status = 200, body = Told<SessionChatState>)))]
async fn mark_session_chat_read(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids((id, chat)): Ids<(String, String)>,
) -> Result<Json<Told<SessionChatState>>, ApiError> {
    let account = caller.account_id;
    let inbox = session::find(&state, account, &id).await?;
    let chat = session::find_chat(&state, account, &inbox, &chat).await?.id;
    conversations::mark_read(&state.engine, caller.actor(), chat).await?;
    let row =
        state.engine.store.read(move |tx| frontdesk_store::conversations::find(tx, account, chat)).await?;
    let unread_count = row.map_or(0, |row| row.unread_count);
    Ok(Told::of(SessionChatState { id: chat.to_string(), unread_count }, "The chat is marked as read."))
}
