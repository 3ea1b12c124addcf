//! Conversations for the page and for machines: paged by key, without side effects.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::conversations::{self, ConversationChanges};
use frontdesk_engine::views::{MessageView, OpenConversationView, Viewer};
use frontdesk_model::{AccountId, ConversationId, MessageId, Timestamp, UserId};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::conversations::Page as StorePage;
use frontdesk_store::{StoreError, conversations as rows, events, messages};
use serde::{Deserialize, Deserializer, Serialize};

use super::conversation_filter::FilterQuery;
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{Ids, JsonBody, Query};
use crate::paging::Position;
use crate::state::HttpState;

const MAX_LIMIT: i64 = 200;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_conversations))
        .routes(routes!(get_conversation, change_conversation))
        .routes(routes!(list_messages))
        .routes(routes!(mark_conversation_read))
        .routes(routes!(mark_conversation_unread))
        .routes(routes!(show_typing))
}

/// A page by key.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct KeyPage {
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}\\.[0-9]{1,18}$")]
    cursor: Option<String>,
    /// Rows wanted.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// A page of messages by key.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct MessagesBefore {
    /// `previous_cursor` of the page after.
    #[param(pattern = "^[0-9]{1,18}\\.[0-9]{1,18}$")]
    before: Option<String>,
    /// Rows wanted.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// One page of the list, with the number of the newest event it includes.
#[derive(Serialize, utoipa::ToSchema)]
struct ConversationList {
    data: Vec<OpenConversationView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
    /// Events up to this number are in the data; ask for those after it.
    event_seq: i64,
}

/// One page of messages in the order of time, with the number of the newest event it includes.
#[derive(Serialize, utoipa::ToSchema)]
struct MessageList {
    data: Vec<MessageView>,
    #[schema(required = true)]
    previous_cursor: Option<String>,
    /// Events up to this number are in the data; ask for those after it.
    event_seq: i64,
}

/// What is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "starred": true, "assignee_id": null, "labels": ["booking"] })))]
struct ChangeConversation {
    starred: Option<bool>,
    /// Null gives it to nobody.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    assignee_id: Option<Option<UserId>>,
    #[schema(max_items = 20)]
    labels: Option<Vec<String>>,
}

/// Tells a field that is null from one that is absent.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(reader).map(Some)
}

/// Lists conversations by key, the one with the newest message first.
#[utoipa::path(get, path = "/api/v1/conversations", tag = "conversations", security(("token" = ["inbox:read"])),
    params(FilterQuery, KeyPage), responses((status = 200, body = ConversationList)))]
async fn list_conversations(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(filter): Query<FilterQuery>,
    Query(page): Query<KeyPage>,
) -> Result<Json<ConversationList>, ApiError> {
    let limit = check_limit(page.limit, 50)?;
    let start = match &page.cursor {
        Some(cursor) => {
            let at = Position::decode(cursor, "cursor")?;
            StorePage::After(Timestamp::from_millis(at.at_ms), ConversationId(at.id))
        }
        None => StorePage::Offset(0),
    };
    let account = caller.account_id;
    let filter = filter.check(&state, &caller).await?;
    let viewer = Viewer::new(&state.engine).await?;
    let (event_seq, more, data) = state
        .engine
        .store
        .read(move |tx| {
            let event_seq = events::last_seq(tx, account)?;
            let mut found = rows::list(tx, account, &filter, start, limit + 1)?;
            let more = cut(&mut found, limit);
            Ok::<_, StoreError>((event_seq, more, viewer.open_all(viewer.conversations(tx, found)?)))
        })
        .await?;
    let last = data.last().map(|row| &row.conversation).filter(|_| more);
    let next_cursor =
        last.map(|row| Position { at_ms: row.last_message_at.as_millis(), id: row.id.0 }.encode());
    Ok(Json(ConversationList { data, next_cursor, event_seq }))
}

/// Shows a conversation. Changes nothing.
#[utoipa::path(get, path = "/api/v1/conversations/{id}", tag = "conversations", security(("token" = ["inbox:read"])),
    params(("id" = i64, Path)), responses((status = 200, body = OpenConversationView)))]
async fn get_conversation(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids(id): Ids<ConversationId>,
) -> Result<Json<OpenConversationView>, ApiError> {
    show(&state, caller.account_id, id).await.map(Json)
}

/// Stars, assigns or labels a conversation.
#[utoipa::path(patch, path = "/api/v1/conversations/{id}", tag = "conversations", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), request_body = ChangeConversation, responses((status = 200, body = OpenConversationView)))]
async fn change_conversation(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ConversationId>,
    JsonBody(body): JsonBody<ChangeConversation>,
) -> Result<Json<OpenConversationView>, ApiError> {
    let changes =
        ConversationChanges { starred: body.starred, assignee: body.assignee_id, labels: body.labels };
    conversations::change(&state.engine, caller.actor(), id, changes).await?;
    show(&state, caller.account_id, id).await.map(Json)
}

/// Lists messages by key, in the order of time; the newest page first.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages", tag = "conversations",
    security(("token" = ["inbox:read"])), params(("id" = i64, Path), MessagesBefore),
    responses((status = 200, body = MessageList)))]
async fn list_messages(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids(id): Ids<ConversationId>,
    Query(page): Query<MessagesBefore>,
) -> Result<Json<MessageList>, ApiError> {
    let limit = check_limit(page.limit, 50)?;
    let page = page_of(&state, caller.account_id, id, page.before.as_deref(), limit).await?;
    let previous_cursor = page.oldest.map(|oldest| oldest.encode());
    Ok(Json(MessageList { data: page.messages, previous_cursor, event_seq: page.event_seq }))
}

/// Some messages of a conversation, the oldest first.
pub(super) struct MessagePage {
    /// How far the events were when it was read.
    pub event_seq: i64,
    /// The oldest of them, when there are older ones.
    pub oldest: Option<Position>,
    /// They.
    pub messages: Vec<MessageView>,
}

/// Reads the newest `limit` messages, or those before the one that the cursor `before` names. 404 for an unknown conversation.
pub(super) async fn page_of(
    state: &HttpState,
    account: AccountId,
    id: ConversationId,
    before: Option<&str>,
    limit: i64,
) -> Result<MessagePage, ApiError> {
    let before = match before {
        Some(cursor) => {
            let at = Position::decode(cursor, "before")?;
            Some((Timestamp::from_millis(at.at_ms), MessageId(at.id)))
        }
        None => None,
    };
    let viewer = Viewer::new(&state.engine).await?;
    let found = state
        .engine
        .store
        .read(move |tx| {
            if rows::find(tx, account, id)?.is_none() {
                return Ok(None);
            }
            let event_seq = events::last_seq(tx, account)?;
            let mut found = messages::list_before(tx, account, id, before, limit + 1)?;
            let more = cut(&mut found, limit);
            let oldest =
                found.last().filter(|_| more).map(|m| Position { at_ms: m.sent_at.as_millis(), id: m.id.0 });
            found.reverse();
            let messages = viewer.messages(tx, found)?;
            Ok::<_, StoreError>(Some(MessagePage { event_seq, oldest, messages }))
        })
        .await?;
    found.ok_or_else(|| ApiError::not_found("conversation"))
}

/// Marks a conversation as read, and tells the customer where the network can.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/read", tag = "conversations",
    security(("token" = ["inbox:write"])), params(("id" = i64, Path)),
    responses((status = 200, body = OpenConversationView)))]
async fn mark_conversation_read(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ConversationId>,
) -> Result<Json<OpenConversationView>, ApiError> {
    conversations::mark_read(&state.engine, caller.actor(), id).await?;
    show(&state, caller.account_id, id).await.map(Json)
}

/// Marks a conversation as unread by its newest message of the customer, to come back to it. The customer is told nothing.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/unread", tag = "conversations",
    security(("token" = ["inbox:write"])), params(("id" = i64, Path)),
    responses((status = 200, body = OpenConversationView)))]
async fn mark_conversation_unread(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ConversationId>,
) -> Result<Json<OpenConversationView>, ApiError> {
    conversations::mark_unread(&state.engine, caller.actor(), id).await?;
    show(&state, caller.account_id, id).await.map(Json)
}

/// Shows the customer that someone is typing, where the network can.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/typing", tag = "conversations",
    security(("token" = ["inbox:write"])), params(("id" = i64, Path)), responses((status = 204)))]
async fn show_typing(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ConversationId>,
) -> Result<StatusCode, ApiError> {
    conversations::show_typing(&state.engine, caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show(
    state: &HttpState,
    account: frontdesk_model::AccountId,
    id: ConversationId,
) -> Result<OpenConversationView, ApiError> {
    let viewer = Viewer::new(&state.engine).await?;
    let found = state
        .engine
        .store
        .read(move |tx| {
            Ok::<_, StoreError>(viewer.conversation_by_id(tx, account, id)?.map(|found| viewer.open(found)))
        })
        .await?;
    found.ok_or_else(|| ApiError::not_found("conversation"))
}

fn check_limit(limit: Option<i64>, default: i64) -> Result<i64, ApiError> {
    match limit.unwrap_or(default) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        _ => Err(ApiError::invalid("limit", format!("The limit field must be between 1 and {MAX_LIMIT}."))),
    }
}

/// Cuts a list that was asked for with one row more; true when that row was there.
fn cut<T>(found: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    more
}

impl From<conversations::ConversationError> for ApiError {
    fn from(error: conversations::ConversationError) -> Self {
        use frontdesk_engine::conversations::ConversationError;
        match error {
            ConversationError::NotFound => Self::not_found("conversation or message"),
            ConversationError::Invalid(fields) => Self::invalid_fields(fields),
            ConversationError::Store(error) => error.into(),
        }
    }
}
