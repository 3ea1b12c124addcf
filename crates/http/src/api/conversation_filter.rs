//! The filters every list of conversations takes.

use std::collections::BTreeSet;

use frontdesk_channels::registry::CHANNELS;
use frontdesk_engine::caller::Caller;
use frontdesk_engine::{inboxes, search_index};
use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::{AccountId, InboxId, UserId};
use frontdesk_store::conversations::{Assignee, ConversationFilter, Search};
use serde::Deserialize;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};

use crate::error::ApiError;
use crate::paging::decode;
use crate::state::HttpState;

/// The longest search, in characters: longer ones would not fit into an address.
const MAX_SEARCH: usize = 1_000;

/// Filters of a list of conversations. An empty value is no filter.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilterQuery {
    /// Only in this status.
    #[param(required = false, schema_with = statuses)]
    status: Option<String>,
    /// Only on this platform.
    #[param(required = false, schema_with = platforms)]
    platform: Option<String>,
    #[param(required = false, schema_with = inbox_ids)]
    inbox_id: Option<String>,
    /// `true` or `1`: only with unread messages; `false` or `0`: only without.
    #[param(required = false, schema_with = yes_and_no)]
    unread: Option<String>,
    /// `me`, `none` for those of nobody, or the id of a user.
    #[param(pattern = "^(me|none|[0-9]{1,18})?$")]
    assignee: Option<String>,
    /// Words in the customer's name, e-mail, phone or the messages.
    #[param(max_length = 1000)]
    q: Option<String>,
}

impl FilterQuery {
    /// Reads the words. Errors: 422 naming the filter.
    pub(crate) async fn check(
        &self,
        state: &HttpState,
        caller: &Caller,
    ) -> Result<ConversationFilter, ApiError> {
        let assignee = match given(&self.assignee) {
            Some("me") => Some(Assignee::User(caller.user_id)),
            Some("none") => Some(Assignee::Nobody),
            Some(id) => Some(Assignee::User(UserId(decode(id).ok_or_else(|| wrong("assignee"))?))),
            None => None,
        };
        let status = match given(&self.status) {
            Some(word) => Some(ConversationStatus::parse(word).ok_or_else(|| wrong("status"))?),
            None => None,
        };
        let unread = match given(&self.unread) {
            Some("true" | "1") => Some(true),
            Some("false" | "0") => Some(false),
            Some(_) => return Err(wrong("unread")),
            None => None,
        };
        let search = match given(&self.q) {
            Some(q) if q.chars().count() > MAX_SEARCH => {
                let sentence = format!("The q field must not be greater than {MAX_SEARCH} characters.");
                return Err(ApiError::invalid("q", sentence));
            }
            Some(q) => Search::parse(q),
            None => None,
        };
        if search.is_some()
            && let Err(error) = search_index::catch_up(&state.engine).await
        {
            // What cannot be written now can still be searched as far as it was.
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the search index is behind");
        }
        let mut inboxes = self.inboxes(state, caller.account_id).await?;
        if given(&self.q).is_some() && search.is_none() {
            inboxes = Some(Vec::new()); // words without a letter are found nowhere
        }
        Ok(ConversationFilter { status, inboxes, unread, starred: false, assignee, search })
    }

    async fn inboxes(&self, state: &HttpState, account: AccountId) -> Result<Option<Vec<InboxId>>, ApiError> {
        if let Some(id) = given(&self.inbox_id) {
            let id = id.parse().map_err(|_| wrong("inbox_id"))?;
            return Ok(Some(vec![InboxId(id)]));
        }
        let Some(platform) = given(&self.platform) else { return Ok(None) };
        if !CHANNELS.iter().any(|channel| channel.info().platform == platform) {
            return Err(wrong("platform"));
        }
        let book = inboxes::book(&state.engine).await?;
        let of_platform = book
            .all()
            .filter(|i| i.config.account_id == account && i.channel.info().platform == platform)
            .map(|i| i.config.id);
        Ok(Some(of_platform.collect()))
    }
}

/// The words a filter takes, the empty one among them.
fn words(about: &str, words: impl Iterator<Item = &'static str>) -> Object {
    let words: BTreeSet<&str> = words.chain([""]).collect();
    ObjectBuilder::new().schema_type(Type::String).description(Some(about)).enum_values(Some(words)).build()
}

fn statuses() -> Object {
    words("Only in this status.", ConversationStatus::ALL.iter().map(|status| status.as_str()))
}

fn platforms() -> Object {
    words("Only on this platform.", CHANNELS.iter().map(|channel| channel.info().platform))
}

fn yes_and_no() -> Object {
    words(
        "`true` or `1`: only with unread messages; `false` or `0`: only without.",
        ["true", "false", "1", "0"].into_iter(),
    )
}

fn inbox_ids() -> Schema {
    let id = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
    Schema::AnyOf(AnyOfBuilder::new().item(id).item(words("All inboxes.", [].into_iter())).build())
}

fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().map(str::trim).filter(|v| !v.is_empty())
}

fn wrong(field: &str) -> ApiError {
    ApiError::invalid(field, format!("The selected {field} is invalid."))
}
