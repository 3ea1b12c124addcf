//! Gifts.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::crm::Key;
use frontdesk_engine::crm::donations::{self, DonationChanges, NewDonation, Noted};
use frontdesk_engine::crm::profile::{self, Metrics};
use frontdesk_model::crm::donation::DonationStatus;
use frontdesk_model::crm::money::Currency;
use frontdesk_model::{DonationId, Timestamp};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::crm::donations::{DonationRow, Place, START};
use serde::{Deserialize, Serialize};

use super::{Listed, RemovedDonorThing};
use crate::api::conversations::given;
use crate::api::envelope::{EnvelopeRefusal, Success};
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{Ids, JsonBody, MaybeJson, Query, Word};
use crate::paging::{PageQuery, Position};
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_donor_donations, add_donation))
        .routes(routes!(list_donations))
        .routes(routes!(get_donation, change_donation, remove_donation))
        .routes(routes!(refund_donation))
}

/// A gift. Amounts are whole minor units of `currency`: `currency_digits` of them stand behind the point.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Donation {
    id: i64,
    contact_id: i64,
    /// What was given, before fees.
    amount: i64,
    /// What of it was given back.
    refunded: i64,
    /// What it cost us.
    fee: i64,
    #[schema(value_type = String, example = "IDR")]
    currency: Currency,
    currency_digits: u32,
    status: DonationStatus,
    /// It is in the figures of its donor.
    counts: bool,
    /// It only tried whether paying works.
    is_test: bool,
    #[schema(required = true)]
    method: Option<String>,
    #[schema(required = true)]
    campaign: Option<String>,
    #[schema(required = true)]
    note: Option<String>,
    /// What another program calls it.
    #[schema(required = true)]
    external_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl Donation {
    pub(super) fn of(row: DonationRow, now: Timestamp) -> Self {
        Self {
            counts: row.gift().counted(now).is_some(),
            id: row.id.0,
            contact_id: row.contact_id.0,
            amount: row.amount,
            refunded: row.refunded,
            fee: row.fee,
            currency: row.currency,
            currency_digits: row.currency.digits(),
            status: row.status,
            is_test: row.is_test,
            method: row.method,
            campaign: row.campaign,
            note: row.note,
            external_id: row.external_id,
            received_at: row.received_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A gift to note.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "amount": 250000, "currency": "IDR", "method": "transfer", "campaign": "Ramadan",
    "external_id": "INV-2041" })))]
struct AddDonation {
    /// In whole minor units, before fees; at most a million million.
    #[schema(minimum = 1)]
    amount: i64,
    /// Absent: the account's.
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z]{3}$")]
    currency: Option<Currency>,
    /// Absent: `completed`.
    status: Option<DonationStatus>,
    #[serde(default)]
    #[schema(minimum = 0)]
    fee: i64,
    #[serde(default)]
    is_test: bool,
    #[schema(max_length = 120)]
    method: Option<String>,
    #[schema(max_length = 120)]
    campaign: Option<String>,
    #[schema(max_length = 2000)]
    note: Option<String>,
    /// What another program calls it: noted again it is the same gift.
    #[schema(max_length = 120)]
    external_id: Option<String>,
    /// Absent: now.
    #[serde(alias = "date")]
    #[schema(value_type = Option<String>, format = DateTime)]
    received_at: Option<Timestamp>,
}

/// A gift that was noted, and what its donor's gifts come to now.
#[derive(Serialize, utoipa::ToSchema)]
struct NotedDonation {
    /// True.
    success: bool,
    data: Donation,
    metrics: Metrics,
}

/// Notes a gift. Whoever has the number is made when nobody has.
#[utoipa::path(post, path = "/api/crm/contacts/{phone}/donations", tag = "crm", security(("token" = ["inbox:write"])),
    params(("phone" = String, Path)), request_body = AddDonation,
    responses((status = 201, body = NotedDonation),
        (status = 200, body = NotedDonation, description = "Noted before under the same external_id"),
        (status = 409, body = EnvelopeRefusal, description = "Another donation has the external_id")))]
async fn add_donation(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Word(phone): Word,
    JsonBody(body): JsonBody<AddDonation>,
) -> Result<(StatusCode, Json<NotedDonation>), ApiError> {
    let new = NewDonation {
        amount: body.amount,
        currency: body.currency,
        status: body.status.unwrap_or(DonationStatus::Completed),
        fee: body.fee,
        is_test: body.is_test,
        method: body.method,
        campaign: body.campaign,
        note: body.note,
        external_id: body.external_id,
        received_at: body.received_at,
    };
    let Noted { row, is_new } =
        donations::add(&state.engine, caller.actor(), Key::parse(&phone), new).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let donor = profile::show(&state.engine, caller.account_id, Key::Contact(row.contact_id)).await?;
    let data = Donation::of(row, state.engine.clock.now());
    Ok((status, Json(NotedDonation { success: true, data, metrics: donor.metrics })))
}

/// Which page of gifts.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct DonationsPage {
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}\\.[0-9]{1,18}$")]
    cursor: Option<String>,
    /// Rows wanted.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// Which gifts of all.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct DonationsQuery {
    /// Only with this status.
    status: Option<DonationStatus>,
    /// Only those given from this moment on.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}\\.[0-9]{1,18}$")]
    cursor: Option<String>,
    /// Rows wanted.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// Lists the gifts of a donor, the newest first.
#[utoipa::path(get, path = "/api/crm/contacts/{phone}/donations", tag = "crm", security(("token" = ["inbox:read"])),
    params(("phone" = String, Path), DonationsPage), responses((status = 200, body = Listed<Donation>)))]
async fn list_donor_donations(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Word(phone): Word,
    Query(query): Query<DonationsPage>,
) -> Result<Json<Listed<Donation>>, ApiError> {
    let (limit, before) = page(query.cursor, query.limit)?;
    let key = Key::parse(&phone);
    let rows = donations::of_person(&state.engine, caller.account_id, key, before, limit + 1).await?;
    Ok(listed(&state, rows, limit))
}

/// Lists the gifts of all donors, the newest first.
#[utoipa::path(get, path = "/api/crm/donations", tag = "crm", security(("token" = ["inbox:read"])),
    params(DonationsQuery), responses((status = 200, body = Listed<Donation>)))]
async fn list_donations(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(query): Query<DonationsQuery>,
) -> Result<Json<Listed<Donation>>, ApiError> {
    let (limit, before) = page(query.cursor, query.limit)?;
    let since = query.since.unwrap_or_default();
    let account = caller.account_id;
    let rows = donations::list(&state.engine, account, query.status, since, before, limit + 1).await?;
    Ok(listed(&state, rows, limit))
}

fn page(cursor: Option<String>, limit: Option<i64>) -> Result<(i64, Place), ApiError> {
    let limit = PageQuery { cursor: None, limit }.limit()?;
    let Some(cursor) = cursor else { return Ok((limit, START)) };
    let Position { at_ms, id } = Position::decode(&cursor, "cursor")?;
    Ok((limit, (Timestamp::from_millis(at_ms), DonationId(id))))
}

fn listed(state: &HttpState, rows: Vec<DonationRow>, limit: i64) -> Json<Listed<Donation>> {
    let now = state.engine.clock.now();
    let position = |row: &DonationRow| Position { at_ms: row.received_at.as_millis(), id: row.id.0 };
    Listed::by_time(rows, limit, position, |row| Donation::of(row, now))
}

/// Shows a gift.
#[utoipa::path(get, path = "/api/crm/donations/{id}", tag = "crm", security(("token" = ["inbox:read"])),
    params(("id" = i64, Path)), responses((status = 200, body = Success<Donation>)))]
async fn get_donation(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids(id): Ids<DonationId>,
) -> Result<Json<Success<Donation>>, ApiError> {
    let row = donations::get(&state.engine, caller.account_id, id).await?;
    Ok(shown(&state, row))
}

/// What changes of a gift. What is absent stays; null empties a text.
#[derive(Deserialize, utoipa::ToSchema)]
struct ChangeDonation {
    #[schema(minimum = 1)]
    amount: Option<i64>,
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z]{3}$")]
    currency: Option<Currency>,
    status: Option<DonationStatus>,
    #[schema(minimum = 0)]
    fee: Option<i64>,
    is_test: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 120)]
    method: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 120)]
    campaign: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    note: Option<Option<String>>,
    #[schema(value_type = Option<String>, format = DateTime)]
    received_at: Option<Timestamp>,
}

/// Changes a gift.
#[utoipa::path(patch, path = "/api/crm/donations/{id}", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), request_body = ChangeDonation, responses((status = 200, body = Success<Donation>)))]
async fn change_donation(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<DonationId>,
    JsonBody(body): JsonBody<ChangeDonation>,
) -> Result<Json<Success<Donation>>, ApiError> {
    let changes = DonationChanges {
        amount: body.amount,
        currency: body.currency,
        status: body.status,
        fee: body.fee,
        is_test: body.is_test,
        method: body.method,
        campaign: body.campaign,
        note: body.note,
        received_at: body.received_at,
    };
    let row = donations::change(&state.engine, caller.actor(), id, changes).await?;
    Ok(shown(&state, row))
}

/// Takes a gift out of the books: it counts nowhere any more.
#[utoipa::path(delete, path = "/api/crm/donations/{id}", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), responses((status = 200, body = Success<RemovedDonorThing>)))]
async fn remove_donation(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<DonationId>,
) -> Result<Json<Success<RemovedDonorThing>>, ApiError> {
    donations::remove(&state.engine, caller.actor(), id).await?;
    Ok(RemovedDonorThing::of(id.0))
}

/// What is given back.
#[derive(Default, Deserialize, utoipa::ToSchema)]
struct RefundDonation {
    /// In whole minor units; absent: all that is left.
    #[schema(minimum = 1)]
    amount: Option<i64>,
}

/// Notes that a gift, or a part of it, was given back. No money is moved.
#[utoipa::path(post, path = "/api/crm/donations/{id}/refund", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), request_body = Option<RefundDonation>, responses((status = 200, body = Success<Donation>)))]
async fn refund_donation(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<DonationId>,
    MaybeJson(body): MaybeJson<RefundDonation>,
) -> Result<Json<Success<Donation>>, ApiError> {
    let row = donations::refund(&state.engine, caller.actor(), id, body.amount).await?;
    Ok(shown(&state, row))
}

fn shown(state: &HttpState, row: DonationRow) -> Json<Success<Donation>> {
    Success::of(Donation::of(row, state.engine.clock.now()))
}
