//! Chats with what is known of the donor beside each.

use axum::Json;
use axum::extract::State;
use frontdesk_engine::conversations::{self, ConversationChanges};
use frontdesk_engine::crm::profile::{self, Metrics};
use frontdesk_engine::search_index;
use frontdesk_engine::views::{ConversationView, LastMessageView, MessageView, Viewer};
use frontdesk_model::crm::money::Currency;
use frontdesk_model::crm::segment::Segment;
use frontdesk_model::message::{Direction, MessageKind, MessageStatus};
use frontdesk_model::{AccountId, ConversationId, InboxId, Timestamp, text};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::conversations::{self as rows, ConversationFilter, Page as StorePage, Search};
use serde::{Deserialize, Serialize};

use crate::api::conversations::page_of;
use crate::api::envelope::Success;
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{Ids, MaybeJson, Query};
use crate::paging::{PageQuery, Position};
use crate::state::HttpState;

/// Chats and messages of a page unless the client asks for another number.
const DEFAULT_LIMIT: i64 = 50;
/// The longest search, in characters.
const MAX_SEARCH: usize = 1_000;
/// How much of the last message a list shows, in characters.
const PREVIEW: usize = 200;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_chats))
        .routes(routes!(get_chat))
        .routes(routes!(mark_chat_read))
        .routes(routes!(star_chat))
}

/// Which chats. An empty value is none.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ChatsQuery {
    /// `all`, `unread` or `starred`.
    #[param(pattern = "^(all|unread|starred)?$")]
    pub(in crate::api) filter: Option<String>,
    /// Words in the donor's name, e-mail, phone or the messages.
    #[param(max_length = 1000)]
    pub(in crate::api) search: Option<String>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}\\.[0-9]{1,18}$")]
    pub(in crate::api) cursor: Option<String>,
    /// Rows wanted; 50 unless told.
    #[param(minimum = 1, maximum = 200)]
    pub(in crate::api) limit: Option<i64>,
}

impl ChatsQuery {
    fn filter(&self) -> Result<ConversationFilter, ApiError> {
        let all = ConversationFilter::default();
        let filter = match self.filter.as_deref() {
            None | Some("" | "all") => all,
            Some("unread") => ConversationFilter { unread: Some(true), ..all },
            Some("starred") => ConversationFilter { starred: true, ..all },
            Some(_) => return Err(ApiError::invalid("filter", "The selected filter is invalid.")),
        };
        let words = self.search.as_deref().map(str::trim).filter(|words| !words.is_empty());
        if words.is_some_and(|words| words.chars().count() > MAX_SEARCH) {
            let sentence = format!("The search field must not be greater than {MAX_SEARCH} characters.");
            return Err(ApiError::invalid("search", sentence));
        }
        let search = words.and_then(Search::parse);
        // Words without a letter are found nowhere.
        let inboxes = (words.is_some() && search.is_none()).then(Vec::new);
        Ok(ConversationFilter { search, inboxes, ..filter })
    }
}

/// A page of chats.
#[derive(Serialize, utoipa::ToSchema)]
struct Chats {
    /// True.
    success: bool,
    conversations: Vec<Chat>,
    /// Give it as `cursor` to go on; null on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// A chat and its donor.
#[derive(Serialize, utoipa::ToSchema)]
struct Chat {
    /// Names it in addresses.
    id: String,
    name: String,
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
    /// Who that is, and what their gifts come to.
    #[schema(required = true)]
    donatur: Option<ChatDonor>,
}

/// The figures of a donor in short; the rest is in their profile.
#[derive(Serialize, utoipa::ToSchema)]
struct ChatDonor {
    id: i64,
    #[schema(required = true)]
    phone: Option<String>,
    /// Whole minor units of `currency`.
    lifetime_value: i64,
    #[schema(value_type = String, example = "IDR")]
    currency: Currency,
    currency_digits: u32,
    donation_count: i64,
    #[schema(required = true)]
    avg_donation: Option<i64>,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_donation: Option<Timestamp>,
    #[schema(required = true)]
    segment: Option<Segment>,
    engagement_score: i64,
}

impl Chat {
    fn of(row: ConversationView, metrics: Option<Metrics>) -> Self {
        let customer = row.customer;
        let donatur = metrics.map(|metrics| ChatDonor {
            id: customer.id.0,
            phone: customer.phone.clone(),
            lifetime_value: metrics.lifetime_value,
            currency: metrics.currency,
            currency_digits: metrics.currency_digits,
            donation_count: metrics.donation_count,
            avg_donation: metrics.avg_donation,
            last_donation: metrics.last_donation,
            segment: metrics.segment,
            engagement_score: metrics.engagement_score,
        });
        Self {
            id: row.id.to_string(),
            name: customer.name,
            phone: customer.phone,
            last_message: row.last_message.map(in_short),
            timestamp: row.last_message_at,
            unread_count: row.unread_count,
            is_starred: row.starred,
            donatur,
        }
    }
}

pub(in crate::api) fn in_short(message: LastMessageView) -> String {
    let words = message.content.filter(|_| message.deleted_at.is_none());
    words.map_or_else(|| format!("[{}]", message.kind), |words| text::preview(&words, PREVIEW))
}

/// Lists chats, the one with the newest message first, with what is known of the donor.
#[utoipa::path(get, path = "/api/crm/inbox", tag = "crm", security(("token" = ["inbox:read"])), params(ChatsQuery),
    responses((status = 200, body = Chats)))]
async fn list_chats(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(query): Query<ChatsQuery>,
) -> Result<Json<Chats>, ApiError> {
    let account = caller.account_id;
    let (found, next_cursor) = find_chats(&state, account, query, None).await?;
    let people = found.iter().map(|row| row.customer_id).collect();
    let metrics = profile::metrics_of(&state.engine, account, people).await?;
    // One person may write in several inboxes.
    let show = |row: ConversationView| {
        let metrics = metrics.get(&row.customer_id).cloned();
        Chat::of(row, metrics)
    };
    let conversations = found.into_iter().map(show).collect();
    Ok(Json(Chats { success: true, conversations, next_cursor }))
}

/// A page of chats, of one inbox or of all, and where the next one begins.
pub(in crate::api) async fn find_chats(
    state: &HttpState,
    account: AccountId,
    query: ChatsQuery,
    inbox: Option<InboxId>,
) -> Result<(Vec<ConversationView>, Option<String>), ApiError> {
    let limit = check_limit(query.limit)?;
    let mut filter = query.filter()?;
    if let Some(inbox) = inbox {
        // Words that are found nowhere have left no inbox to look into.
        filter.inboxes.get_or_insert_with(|| vec![inbox]);
    }
    let start = match &query.cursor {
        Some(cursor) => {
            let at = Position::decode(cursor, "cursor")?;
            StorePage::After(Timestamp::from_millis(at.at_ms), ConversationId(at.id))
        }
        None => StorePage::Offset(0),
    };
    if filter.search.is_some()
        && let Err(error) = search_index::catch_up(&state.engine).await
    {
        // What cannot be written now can still be searched as far as it was.
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the search index is behind");
    }
    let viewer = Viewer::new(&state.engine).await?;
    let found = state.engine.store.read(move |tx| {
        let found = rows::list(tx, account, &filter, start, limit + 1)?;
        viewer.conversations(tx, found)
    });
    let mut found: Vec<ConversationView> = found.await?;
    let more = found.len() as i64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last = found.last().filter(|_| more);
    let next_cursor =
        last.map(|row| Position { at_ms: row.last_message_at.as_millis(), id: row.id.0 }.encode());
    Ok((found, next_cursor))
}

pub(in crate::api) fn check_limit(limit: Option<i64>) -> Result<i64, ApiError> {
    PageQuery { cursor: None, limit: Some(limit.unwrap_or(DEFAULT_LIMIT)) }.limit()
}

/// Which messages.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct MessagesQuery {
    /// `previous_cursor` of a page: those before it.
    #[param(pattern = "^[0-9]{1,18}\\.[0-9]{1,18}$")]
    before: Option<String>,
    /// Rows wanted; 50 unless told.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// The messages of a chat, the oldest first. `data` and `messages` are the same.
#[derive(Serialize, utoipa::ToSchema)]
struct ChatMessages {
    /// True.
    success: bool,
    data: Vec<ChatMessage>,
    messages: Vec<ChatMessage>,
    /// Give it as `before` to go back; null where the chat begins.
    #[schema(required = true)]
    previous_cursor: Option<String>,
}

/// A message.
#[derive(Clone, Serialize, utoipa::ToSchema)]
struct ChatMessage {
    id: i64,
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
    wa_message_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
}

/// Which way.
#[derive(Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum ChatDirection {
    Incoming,
    Outgoing,
}

impl From<MessageView> for ChatMessage {
    fn from(view: MessageView) -> Self {
        Self {
            id: view.id.0,
            message: view.content,
            kind: view.kind,
            direction: match view.direction {
                Direction::Inbound => ChatDirection::Incoming,
                Direction::Outbound => ChatDirection::Outgoing,
            },
            status: view.status,
            sender_name: view.sender_name,
            media_url: view.media_url,
            wa_message_id: view.platform_message_id,
            timestamp: view.created_at,
        }
    }
}

/// Shows the messages of a chat, the oldest first; the newest page unless told. Changes nothing.
#[utoipa::path(get, path = "/api/crm/inbox/{id}", tag = "crm", security(("token" = ["inbox:read"])),
    params(("id" = i64, Path), MessagesQuery), responses((status = 200, body = ChatMessages)))]
async fn get_chat(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids(id): Ids<ConversationId>,
    Query(query): Query<MessagesQuery>,
) -> Result<Json<ChatMessages>, ApiError> {
    let limit = check_limit(query.limit)?;
    let page = page_of(&state, caller.account_id, id, query.before.as_deref(), limit).await?;
    let data: Vec<ChatMessage> = page.messages.into_iter().map(ChatMessage::from).collect();
    let previous_cursor = page.oldest.map(Position::encode);
    Ok(Json(ChatMessages { success: true, messages: data.clone(), data, previous_cursor }))
}

/// What became of a chat.
#[derive(Serialize, utoipa::ToSchema)]
struct ChatState {
    id: String,
    unread_count: i64,
    is_starred: bool,
}

/// Marks a chat as read, and tells the donor where the network can.
#[utoipa::path(post, path = "/api/crm/inbox/{id}/read", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), responses((status = 200, body = Success<ChatState>)))]
async fn mark_chat_read(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ConversationId>,
) -> Result<Json<Success<ChatState>>, ApiError> {
    conversations::mark_read(&state.engine, caller.actor(), id).await?;
    show(&state, caller.account_id, id).await
}

/// Whether a chat has a star.
#[derive(Default, Deserialize, utoipa::ToSchema)]
struct StarChat {
    /// Absent: the other way than before.
    starred: Option<bool>,
}

/// Stars a chat, or takes its star away.
#[utoipa::path(post, path = "/api/crm/inbox/{id}/star", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), request_body = Option<StarChat>, responses((status = 200, body = Success<ChatState>)))]
async fn star_chat(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ConversationId>,
    MaybeJson(body): MaybeJson<StarChat>,
) -> Result<Json<Success<ChatState>>, ApiError> {
    let account = caller.account_id;
    let row = state.engine.store.read(move |tx| rows::find(tx, account, id)).await?;
    let row = row.ok_or_else(|| ApiError::not_found("conversation"))?;
    let starred = Some(body.starred.unwrap_or(!row.starred));
    let changes = ConversationChanges { starred, ..ConversationChanges::default() };
    conversations::change(&state.engine, caller.actor(), id, changes).await?;
    show(&state, account, id).await
}

async fn show(
    state: &HttpState,
    account: frontdesk_model::AccountId,
    id: ConversationId,
) -> Result<Json<Success<ChatState>>, ApiError> {
    let row = state.engine.store.read(move |tx| rows::find(tx, account, id)).await?;
    let row = row.ok_or_else(|| ApiError::not_found("conversation"))?;
    let (id, unread_count, is_starred) = (row.id.to_string(), row.unread_count, row.starred);
    Ok(Success::of(ChatState { id, unread_count, is_starred }))
}
