//! Suggested replies: `GET /admin/inbox/{id}/suggest-ai` of seed 002, the same in pieces, what becomes of what was suggested, and the
//! language model an account may have for it.

mod live;
mod settings;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use frontdesk_engine::suggest::answer::{
    Item, ItemId, MAX_CONTEXT, MAX_COUNT, SourceKind, SuggestError, Wanted,
};
use frontdesk_engine::suggest::drafts::{self, DraftError, Suggestions, Trouble};
use frontdesk_engine::suggest::feedback::{self, Deed};
use frontdesk_model::{ConversationId, Timestamp};
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};

use crate::auth::InboxWriter;
use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::input::{Ids, JsonBody, Query};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(suggest_replies))
        .routes(routes!(note_suggestion))
        .merge(live::routes())
        .merge(settings::routes())
}

/// Why a language model did not write what is answered.
const FALLBACK: HeaderName = HeaderName::from_static("x-suggestions-fallback");

/// What is asked for. Read as text, so that whatever is wrong is told as 400.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SuggestQuery {
    /// Suggestions at most.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 5)]
    count: Option<String>,
    /// Messages of the conversation that are looked at, the newest ones.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 50)]
    context_messages: Option<String>,
    /// `local`: the team's own replies, also where a language model is set up.
    #[param(pattern = "^local$")]
    engine: Option<String>,
}

impl SuggestQuery {
    fn check(&self) -> Result<Wanted, ApiError> {
        let most = i64::try_from(MAX_COUNT).unwrap_or(i64::MAX);
        if self.engine.as_deref().is_some_and(|engine| engine != "local") {
            let sentence = "The engine field must be local, or be left out.";
            return Err(ApiError::invalid("engine", sentence).as_bad_request());
        }
        let count = number("count", self.count.as_deref(), 3, most)?;
        Ok(Wanted {
            count: usize::try_from(count).unwrap_or(MAX_COUNT),
            context_messages: number("context_messages", self.context_messages.as_deref(), 5, MAX_CONTEXT)?,
        })
    }
}

fn number(field: &str, text: Option<&str>, default: i64, most: i64) -> Result<i64, ApiError> {
    let Some(text) = text else { return Ok(default) };
    match text.parse::<i64>() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => {
            let sentence = format!("The {field} field must be an integer from 1 to {most}.");
            Err(ApiError::invalid(field, sentence).as_bad_request())
        }
    }
}

/// Replies that may fit.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(examples(json!({ "suggestions": ["Your parcel is on its way, {{first_name}}."], "tokens_used": 0,
    "created_at": "2026-01-15T08:00:00Z", "engine": "local", "items": [{ "id": "reply-812",
    "text": "Your parcel is on its way, {{first_name}}.", "score": 0.71, "source": { "kind": "reply",
    "said_at": "2025-05-03T10:12:00Z", "said_by": null, "is_own": true, "shortcut": null, "alike": 4,
    "sentence": "from your reply of 3 May 2025 to a similar question" } }],
    "tokens_estimated": false, "fallback": null, "drafts_from": null })))]
struct Suggested {
    /// The texts, the best first; empty when nothing fits well enough. `{{…}}` stands where something is to be filled in.
    suggestions: Vec<String>,
    /// Tokens of a language model; 0 for what is found among the team's own replies.
    tokens_used: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    engine: SuggestionEngine,
    /// The same with where they come from.
    items: Vec<SuggestedItem>,
    /// Nobody counted `tokens_used`: it is an estimate.
    tokens_estimated: bool,
    /// Why a language model did not write them, where one is set up and was asked; the same as the header `X-Suggestions-Fallback`.
    #[schema(required = true)]
    fallback: Option<Trouble>,
    /// The host of the language model that may be asked; null when there is none.
    #[schema(required = true)]
    drafts_from: Option<String>,
}

/// Who made suggestions.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum SuggestionEngine {
    /// Frontdesk itself, from the team's own replies.
    Local,
    /// The account's language model.
    Llm,
}

/// A reply that may fit.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SuggestedItem {
    /// Its name, for telling what became of it.
    id: String,
    text: String,
    /// How sure it is, 0 to 1; null for what a language model wrote.
    #[schema(required = true)]
    score: Option<f32>,
    source: SuggestionSource,
}

/// Where a suggestion comes from.
#[derive(Serialize, utoipa::ToSchema)]
struct SuggestionSource {
    kind: SourceKind,
    /// When it was said.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    said_at: Option<Timestamp>,
    /// Who said it; null for the caller, and where nobody knows.
    #[schema(required = true)]
    said_by: Option<String>,
    /// The caller said it.
    is_own: bool,
    /// The shortcut of a quick reply.
    #[schema(required = true)]
    shortcut: Option<String>,
    /// How many replies much like it were given to questions like this one.
    alike: usize,
    /// The same in words.
    sentence: String,
}

impl From<Item> for SuggestedItem {
    fn from(item: Item) -> Self {
        let source = item.source;
        Self {
            id: item.id.to_string(),
            text: item.text,
            score: item.score,
            source: SuggestionSource {
                kind: source.kind,
                said_at: source.said_at,
                said_by: source.said_by,
                is_own: source.is_own,
                shortcut: source.shortcut,
                alike: source.alike,
                sentence: source.sentence,
            },
        }
    }
}

/// Suggests replies to what the customer wrote last, from what the team replied to questions like it; where the account has a
/// language model and `engine` is left out, that one writes them.
///
/// Nothing is sent. What belongs to another customer is never shown: `{{…}}` stands in its place.
#[utoipa::path(get, path = "/admin/inbox/{id}/suggest-ai", tag = "inbox", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path), SuggestQuery), responses((status = 200, body = Suggested),
        (status = 402, body = ErrorBody, description = "What was paid for at the language model's server is used up, or the account's own tokens of the month are")))]
async fn suggest_replies(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ConversationId>,
    Query(query): Query<SuggestQuery>,
) -> Result<Response, ApiError> {
    let wanted = query.check()?;
    let found = drafts::suggest(&state.engine, &caller, id, wanted, query.engine.is_some()).await?;
    let fallback = found.fallback;
    let mut response = Json(Suggested::of(found, state.engine.clock.now())).into_response();
    if let Some(trouble) = fallback {
        response.headers_mut().insert(FALLBACK, HeaderValue::from_static(trouble.as_str()));
    }
    Ok(response)
}

impl Suggested {
    fn of(found: Suggestions, now: Timestamp) -> Self {
        Self {
            suggestions: found.items.iter().map(|item| item.text.clone()).collect(),
            tokens_used: found.tokens_used,
            created_at: now,
            engine: if found.is_model { SuggestionEngine::Llm } else { SuggestionEngine::Local },
            items: found.items.into_iter().map(SuggestedItem::from).collect(),
            tokens_estimated: found.is_estimate,
            fallback: found.fallback,
            drafts_from: found.host,
        }
    }
}

/// What became of a suggestion.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "item": "reply-812", "action": "inserted" })))]
struct NoteSuggestion {
    /// Its `id`.
    item: String,
    action: Deed,
}

/// Tells what became of a suggestion: what is taken comes sooner, what was waved away twice comes later.
#[utoipa::path(post, path = "/admin/inbox/{id}/suggest-ai/feedback", tag = "inbox", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), request_body = NoteSuggestion, responses((status = 204)))]
async fn note_suggestion(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ConversationId>,
    JsonBody(body): JsonBody<NoteSuggestion>,
) -> Result<StatusCode, ApiError> {
    let Some(item) = ItemId::parse(&body.item) else {
        return Err(ApiError::invalid("item", "The item field must be the id of a suggestion."));
    };
    let account = caller.account_id;
    let known =
        state.engine.store.read(move |tx| frontdesk_store::conversations::find(tx, account, id)).await?;
    known.ok_or_else(|| ApiError::not_found("conversation"))?;
    match feedback::note(&state.engine, account, item, body.action).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("suggestion")),
    }
}

impl From<SuggestError> for ApiError {
    fn from(error: SuggestError) -> Self {
        match error {
            SuggestError::NotFound => Self::not_found("conversation"),
            SuggestError::Store(error) => error.into(),
        }
    }
}

impl From<DraftError> for ApiError {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::Suggest(error) => error.into(),
            DraftError::Trouble(trouble) => trouble.into(),
        }
    }
}

impl From<Trouble> for ApiError {
    fn from(trouble: Trouble) -> Self {
        let (code, sentence) = match trouble {
            Trouble::ProviderQuota => (ErrorCode::AiProviderQuota, "OpenAI API quota exceeded"),
            Trouble::Quota => (
                ErrorCode::AiQuota,
                "This account has used its tokens of the month. Ask with engine=local, or have an administrator raise the limit.",
            ),
            Trouble::Auth => (
                ErrorCode::AiAuth,
                "The language model's server does not take the key. Have an administrator correct it in the settings.",
            ),
            Trouble::BadRequest => (
                ErrorCode::AiBadRequest,
                "The language model's server does not take the request. Have an administrator check the model in the settings.",
            ),
            Trouble::Unavailable | Trouble::TooFast | Trouble::Withheld => (
                ErrorCode::AiUnavailable,
                "The language model brought no answer. Try again, or ask with engine=local.",
            ),
        };
        Self::new(code, sentence)
    }
}
