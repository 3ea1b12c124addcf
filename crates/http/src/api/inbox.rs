//! The inbox of seed 002: `/admin/inbox`, with page numbers for people and cursors for machines.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use frontdesk_engine::conversations;
use frontdesk_engine::views::{MessageView, OpenConversationView, Viewer};
use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::user::Ability;
use frontdesk_model::{ConversationId, Timestamp};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::conversations::{ConversationFilter, Page as StorePage};
use frontdesk_store::{StoreError, conversations as rows, messages};
use serde::{Deserialize, Serialize};

use super::conversation_filter::FilterQuery;
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{Ids, JsonBody, Query};
use crate::state::HttpState;

const MAX_PER_PAGE: i64 = 100;
/// Pages beyond this one are refused: nobody reads them, and they cost much. Programs page by key.
const MAX_PAGE: i64 = 10_000;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_inbox))
        .routes(routes!(get_inbox_conversation))
        .routes(routes!(set_conversation_status))
}

/// Page numbers, for lists of people.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct NumberedPage {
    /// Page number, from 1.
    #[param(minimum = 1, maximum = 10000)]
    page: Option<i64>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 100)]
    per_page: Option<i64>,
}

impl NumberedPage {
    /// Page number, rows per page and the rows before the page.
    fn check(&self, default_per_page: i64) -> Result<(i64, i64, i64), ApiError> {
        let page = self.page.unwrap_or(1);
        let per_page = self.per_page.unwrap_or(default_per_page);
        if !(1..=MAX_PER_PAGE).contains(&per_page) {
            let sentence = format!("The per_page field must be between 1 and {MAX_PER_PAGE}.");
            return Err(ApiError::invalid("per_page", sentence));
        }
        if !(1..=MAX_PAGE).contains(&page) {
            let sentence = format!("The page field must be between 1 and {MAX_PAGE}.");
            return Err(ApiError::invalid("page", sentence));
        }
        Ok((page, per_page, (page - 1) * per_page))
    }
}

/// One page of the list.
#[derive(Serialize, utoipa::ToSchema)]
struct ConversationPage {
    data: Vec<OpenConversationView>,
    meta: PageMeta,
    links: PageLinks,
}

/// Where a page stands.
#[derive(Serialize, utoipa::ToSchema)]
struct PageMeta {
    current_page: i64,
    /// Number of the first row shown; null when there is none.
    #[schema(required = true)]
    from: Option<i64>,
    last_page: i64,
    per_page: i64,
    /// Number of the last row shown; null when there is none.
    #[schema(required = true)]
    to: Option<i64>,
    total: i64,
}

/// Addresses of other pages.
#[derive(Serialize, utoipa::ToSchema)]
struct PageLinks {
    first: String,
    last: String,
    #[schema(required = true)]
    prev: Option<String>,
    #[schema(required = true)]
    next: Option<String>,
}

/// A conversation with a page of its messages.
#[derive(Serialize, utoipa::ToSchema)]
struct ConversationDetail {
    conversation: OpenConversationView,
    messages: MessagePage,
}

/// A page of messages, the oldest first.
#[derive(Serialize, utoipa::ToSchema)]
struct MessagePage {
    data: Vec<MessageView>,
    meta: MessagePageMeta,
}

/// Where a page of messages stands.
#[derive(Serialize, utoipa::ToSchema)]
struct MessagePageMeta {
    current_page: i64,
    last_page: i64,
    per_page: i64,
    total: i64,
}

/// The status wanted.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "status": "archived" })))]
struct SetStatus {
    #[schema(value_type = ConversationStatus)]
    status: String,
}

/// What a conversation's status is now.
#[derive(Serialize, utoipa::ToSchema)]
struct StatusAnswer {
    id: i64,
    status: ConversationStatus,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Lists conversations, the one with the newest message first.
#[utoipa::path(get, path = "/admin/inbox", tag = "inbox", security(("token" = ["inbox:read"])),
    params(FilterQuery, NumberedPage), responses((status = 200, body = ConversationPage)))]
async fn list_inbox(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    uri: Uri,
    Query(filter): Query<FilterQuery>,
    Query(page): Query<NumberedPage>,
) -> Result<Json<ConversationPage>, ApiError> {
    let (number, per_page, offset) = page.check(20)?;
    let account = caller.account_id;
    let filter: ConversationFilter = filter.check(&state, &caller).await?;
    let viewer = Viewer::new(&state.engine).await?;
    let counting = state.clone();
    let (total, data) = state
        .engine
        .store
        .read(move |tx| {
            let total = counting.totals.count(tx, account, &filter)?;
            let found = rows::list(tx, account, &filter, StorePage::Offset(offset), per_page)?;
            Ok::<_, StoreError>((total, viewer.open_all(viewer.conversations(tx, found)?)))
        })
        .await?;
    let last_page = last_page(total, per_page);
    let shown = i64::try_from(data.len()).unwrap_or(0);
    let link = |number: i64| link_to(&state.engine.settings.public_url, &uri, number);
    Ok(Json(ConversationPage {
        meta: PageMeta {
            current_page: number,
            from: (shown > 0).then_some(offset + 1),
            last_page,
            per_page,
            to: (shown > 0).then_some(offset + shown),
            total,
        },
        links: PageLinks {
            first: link(1),
            last: link(last_page),
            prev: (number > 1).then(|| link(number - 1)),
            next: (number < last_page).then(|| link(number + 1)),
        },
        data,
    }))
}

/// Shows a conversation with its messages, the oldest first, and marks it as read.
///
/// A token that may only read leaves it as it is.
#[utoipa::path(get, path = "/admin/inbox/{id}", tag = "inbox", security(("token" = ["inbox:read"])),
    params(("id" = i64, Path), NumberedPage), responses((status = 200, body = ConversationDetail)))]
async fn get_inbox_conversation(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids(id): Ids<ConversationId>,
    Query(page): Query<NumberedPage>,
) -> Result<Json<ConversationDetail>, ApiError> {
    let (number, per_page, offset) = page.check(50)?;
    if caller.may(Ability::InboxWrite) {
        conversations::mark_read(&state.engine, caller.actor(), id).await?;
    }
    let account = caller.account_id;
    let viewer = Viewer::new(&state.engine).await?;
    let found = state
        .engine
        .store
        .read(move |tx| {
            let Some(conversation) = viewer.conversation_by_id(tx, account, id)? else { return Ok(None) };
            let total = messages::count(tx, account, id)?;
            let page = messages::list_page(tx, account, id, per_page, offset)?;
            Ok::<_, StoreError>(Some((viewer.open(conversation), total, viewer.messages(tx, page)?)))
        })
        .await?;
    let (conversation, total, data) = found.ok_or_else(|| ApiError::not_found("conversation"))?;
    let meta =
        MessagePageMeta { current_page: number, last_page: last_page(total, per_page), per_page, total };
    Ok(Json(ConversationDetail { conversation, messages: MessagePage { data, meta } }))
}

/// Opens, archives or closes a conversation.
#[utoipa::path(post, path = "/admin/inbox/{id}/status", tag = "inbox", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), request_body = SetStatus, responses((status = 200, body = StatusAnswer)))]
async fn set_conversation_status(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ConversationId>,
    JsonBody(body): JsonBody<SetStatus>,
) -> Result<Json<StatusAnswer>, ApiError> {
    let Some(status) = ConversationStatus::parse(&body.status) else {
        return Err(ApiError::invalid("status", "The selected status is invalid.").as_bad_request());
    };
    conversations::set_status(&state.engine, caller.actor(), id, status).await?;
    let account = caller.account_id;
    let row = state.engine.store.read(move |tx| rows::find(tx, account, id)).await?;
    let row = row.ok_or_else(|| ApiError::not_found("conversation"))?;
    Ok(Json(StatusAnswer { id: row.id.0, status: row.status, updated_at: row.updated_at }))
}

fn last_page(total: i64, per_page: i64) -> i64 {
    ((total + per_page - 1) / per_page).max(1)
}

/// The address of another page of the same list.
fn link_to(public_url: &str, uri: &Uri, page: i64) -> String {
    let kept =
        url::form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()).filter(|(name, _)| name != "page");
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("page", &page.to_string())
        .finish();
    format!("{public_url}{}?{query}", uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_filters() {
        let uri: Uri = "/admin/inbox?status=active&page=3&q=a%20b".parse().unwrap();
        assert_eq!(
            link_to("https://desk.example.org", &uri, 4),
            "https://desk.example.org/admin/inbox?status=active&q=a+b&page=4"
        );
    }

    #[test]
    fn pages_have_bounds() {
        let check = |page, per_page| NumberedPage { page, per_page }.check(20).ok();
        assert_eq!(check(None, None), Some((1, 20, 0)));
        assert_eq!(check(Some(3), Some(50)), Some((3, 50, 100)));
        for (page, per_page) in [
            (Some(0), None),
            (Some(-1), None),
            (None, Some(0)),
            (None, Some(101)),
            (Some(10_001), Some(1)),
            (Some(i64::MAX), None),
        ] {
            assert_eq!(check(page, per_page), None, "{page:?} {per_page:?}");
        }
        assert_eq!((last_page(0, 20), last_page(20, 20), last_page(21, 20)), (1, 1, 2));
    }
}
