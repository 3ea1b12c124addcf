//! Donors in a list.

use axum::Json;
use axum::extract::State;
use frontdesk_engine::crm::donors::{self, Listed as ListedDonor};
use frontdesk_engine::crm::profile::Metrics;
use frontdesk_model::crm::segment::Segment;
use frontdesk_model::{ContactId, Timestamp};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::crm::donors::{DonorFilter, Order, START};
use serde::{Deserialize, Serialize};

use super::Listed;
use crate::auth::InboxReader;
use crate::error::ApiError;
use crate::input::Query;
use crate::paging::{PageQuery, Position};
use crate::state::HttpState;

/// The longest search, in characters.
const MAX_WORDS: usize = 200;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(list_donors))
}

/// Which donors, and in which order.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct DonorsQuery {
    /// Words in name, e-mail and phone, or in one note about them; all are to be found, four at most are looked for.
    #[param(max_length = 200)]
    q: Option<String>,
    /// In this group, as the account shows it.
    segment: Option<Segment>,
    /// Their gifts come to this much at least, in whole minor units of the account's currency.
    #[param(minimum = 0)]
    min_lifetime: Option<i64>,
    /// Of those who gave: their score is this at least.
    #[param(minimum = 0, maximum = 100)]
    min_score: Option<i64>,
    /// `newest` (the default) lists everybody; `lifetime`, `score` and `last_donation` those who gave, the highest first.
    #[param(inline)]
    sort: Option<DonorOrder>,
    /// `next_cursor` of the page before, in the same order.
    #[param(pattern = "^[0-9]{1,18}\\.[0-9]{1,18}$")]
    cursor: Option<String>,
    /// Rows wanted.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum DonorOrder {
    Newest,
    Lifetime,
    Score,
    LastDonation,
}

/// A donor of a list.
#[derive(Serialize, utoipa::ToSchema)]
struct DonorInList {
    id: i64,
    #[schema(required = true)]
    name: Option<String>,
    #[schema(required = true)]
    phone: Option<String>,
    #[schema(required = true)]
    email: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    metrics: Metrics,
}

impl From<ListedDonor> for DonorInList {
    fn from(listed: ListedDonor) -> Self {
        Self {
            id: listed.contact.id.0,
            name: listed.contact.name,
            phone: listed.contact.phone,
            email: listed.contact.email,
            created_at: listed.contact.created_at,
            metrics: listed.metrics,
        }
    }
}

/// Lists contacts as donors: by words, by group, by what their gifts come to.
#[utoipa::path(get, path = "/api/crm/contacts", tag = "crm", security(("token" = ["inbox:read"])),
    params(DonorsQuery), responses((status = 200, body = Listed<DonorInList>)))]
async fn list_donors(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(query): Query<DonorsQuery>,
) -> Result<Json<Listed<DonorInList>>, ApiError> {
    let limit = PageQuery { cursor: None, limit: query.limit }.limit()?;
    if query.q.as_ref().is_some_and(|words| words.chars().count() > MAX_WORDS) {
        let sentence = format!("The q field must not be greater than {MAX_WORDS} characters.");
        return Err(ApiError::invalid("q", sentence));
    }
    for (name, least, most) in
        [("min_lifetime", query.min_lifetime, i64::MAX), ("min_score", query.min_score, 100)]
    {
        if least.is_some_and(|least| !(0..=most).contains(&least)) {
            return Err(ApiError::invalid(name, format!("The {name} field must be between 0 and {most}.")));
        }
    }
    let after = match &query.cursor {
        Some(cursor) => {
            let at = Position::decode(cursor, "cursor")?;
            (at.at_ms, ContactId(at.id))
        }
        None => START,
    };
    let order = match query.sort {
        None | Some(DonorOrder::Newest) => Order::Newest,
        Some(DonorOrder::Lifetime) => Order::Lifetime,
        Some(DonorOrder::Score) => Order::Score,
        Some(DonorOrder::LastDonation) => Order::LastGift,
    };
    let filter = DonorFilter {
        words: query.q,
        segment: query.segment,
        is_folded: false,
        min_lifetime: query.min_lifetime.unwrap_or(0),
        min_score: query.min_score.unwrap_or(0),
    };
    let rows = donors::list(&state.engine, caller.account_id, filter, order, after, limit + 1).await?;
    let cursor = |row: &ListedDonor| Position { at_ms: row.place.0, id: row.place.1.0 }.encode();
    Ok(Listed::of(rows, limit, cursor, DonorInList::from))
}
