//! What happened, in order: messages on phones, API calls, webhook POSTs.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Params;
use crate::ledger::Numbered;
use crate::sandbox::Sandbox;
use crate::webhooks::WebhookDelivery;
use crate::world::{ApiCall, PhoneDelivery};

/// Records on a page at most.
const PAGE_MAX: usize = 10_000;

/// Which records.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RecordParams {
    /// Number after which the page begins.
    #[serde(default)]
    after: u64,
    /// Records on the page, at most 10,000.
    #[serde(default = "default_limit")]
    limit: usize,
    /// Only this inbox.
    inbox_id: Option<String>,
    /// Only this customer (deliveries).
    customer_id: Option<String>,
    /// Only this message (deliveries, webhooks).
    message_id: Option<String>,
    /// Only messages with this reference of the business (deliveries).
    reference: Option<String>,
}

fn default_limit() -> usize {
    1_000
}

/// A page of records.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// Oldest first.
    data: Vec<T>,
    /// Number to ask `after` next time.
    last_seq: u64,
}

impl<T: Clone> Page<Numbered<T>> {
    fn of<'a>(records: impl Iterator<Item = &'a Numbered<T>>, params: &RecordParams) -> Json<Self>
    where
        T: 'a,
    {
        let data: Vec<Numbered<T>> = records.take(params.limit.min(PAGE_MAX)).cloned().collect();
        let last_seq = data.last().map_or(params.after, |record| record.seq);
        Json(Self { data, last_seq })
    }
}

/// Messages that the providers took, in order: the ledger to compare with. Faulty calls are not among them unless
/// they were carried out (`cut_after`).
#[utoipa::path(get, path = "/deliveries", tag = "records", params(RecordParams),
    responses((status = 200, description = "Done", body = Page<Numbered<PhoneDelivery>>)))]
pub(super) async fn deliveries(
    State(sandbox): State<Sandbox>,
    Params(params): Params<RecordParams>,
) -> Json<Page<Numbered<PhoneDelivery>>> {
    let world = sandbox.world();
    let matching = world.deliveries.after(params.after).filter(|record| {
        let entry = &record.entry;
        is(&params.inbox_id, &entry.inbox_id)
            && is(&params.customer_id, &entry.customer_id)
            && is(&params.message_id, &entry.message_id)
            && (params.reference.is_none() || params.reference == entry.reference)
    });
    Page::of(matching, &params)
}

/// Calls of the fake APIs with their answers, refused and faulty ones included.
#[utoipa::path(get, path = "/api-calls", tag = "records", params(RecordParams),
    responses((status = 200, description = "Done", body = Page<Numbered<ApiCall>>)))]
pub(super) async fn api_calls(
    State(sandbox): State<Sandbox>,
    Params(params): Params<RecordParams>,
) -> Json<Page<Numbered<ApiCall>>> {
    let world = sandbox.world();
    let matching = world
        .api_calls
        .after(params.after)
        .filter(|record| params.inbox_id.is_none() || record.entry.inbox_id == params.inbox_id);
    Page::of(matching, &params)
}

/// Webhook POSTs with their answers, each attempt one record.
#[utoipa::path(get, path = "/webhooks", tag = "records", params(RecordParams),
    responses((status = 200, description = "Done", body = Page<Numbered<WebhookDelivery>>)))]
pub(super) async fn webhooks(
    State(sandbox): State<Sandbox>,
    Params(params): Params<RecordParams>,
) -> Json<Page<Numbered<WebhookDelivery>>> {
    let world = sandbox.world();
    let among =
        |wanted: &Option<String>, all: &[String]| wanted.as_ref().is_none_or(|wanted| all.contains(wanted));
    let matching = world.webhooks.after(params.after).filter(|record| {
        among(&params.inbox_id, &record.entry.inbox_ids)
            && among(&params.message_id, &record.entry.message_ids)
    });
    Page::of(matching, &params)
}

fn is(wanted: &Option<String>, actual: &str) -> bool {
    wanted.as_deref().is_none_or(|wanted| wanted == actual)
}
