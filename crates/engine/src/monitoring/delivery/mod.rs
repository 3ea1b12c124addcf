//! Takes news of alerts to where they are wanted: at least once, tried again for a day, every outcome noted.

mod mail;
pub mod webhook;

use std::sync::Arc;
use std::time::Duration;

use frontdesk_model::alert::{AlertMetric, AlertOperator, AlertSeverity, AlertState};
use frontdesk_model::{AccountId, AlertId, InboxId};
use frontdesk_store::alert_deliveries::{self, AlertDelivery, AlertDeliveryState, AlertTarget};
use frontdesk_store::alerts::AlertRow;
use frontdesk_store::{StoreError, alert_targets};
use tokio::sync::Semaphore;

use super::evaluate::put_on_way;
use super::news::{AlertEvent, AlertView};
use super::targets::TargetError;
use crate::Engine;

/// Looks again at least this often.
const MAX_SLEEP: Duration = Duration::from_secs(2);
/// How many are under way at once on one node.
const CONCURRENCY: usize = 8;
/// Whoever took a delivery and died leaves it to another after this long; longer than any call may take.
const CLAIM_MS: i64 = 120_000;
/// Waits between tries, in milliseconds; then it is given up, about a day after it began.
const LADDER_MS: [i64; 9] =
    [5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 14_400_000, 28_800_000, 36_000_000];

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Whether it was taken.
    pub taken: bool,
    /// Trying again will not help.
    pub is_final: bool,
    /// The answer's status, if there was one.
    pub http_status: Option<u16>,
    /// Why it was not taken, for people.
    pub error: Option<String>,
}

impl Tried {
    fn refused(error: impl Into<String>, http_status: Option<u16>, is_final: bool) -> Self {
        Self { taken: false, is_final, http_status, error: Some(error.into()) }
    }
}

/// Works until the engine stops, then finishes what it holds.
pub(super) async fn run(engine: &Engine) {
    let places = Arc::new(Semaphore::new(CONCURRENCY));
    while !engine.shutdown.is_cancelled() {
        if let Err(error) = start_due(engine, &places).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "news of alerts could not be read");
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => {}
            () = engine.monitoring().news.notified() => {}
            () = tokio::time::sleep(MAX_SLEEP) => {}
        }
    }
    drop(places.acquire_many(u32::try_from(CONCURRENCY).unwrap_or(1)).await);
}

/// Starts what is due, as far as there are places.
async fn start_due(engine: &Engine, places: &Arc<Semaphore>) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let free = i64::try_from(places.available_permits()).unwrap_or(0);
    for delivery in engine.store.read(move |tx| alert_deliveries::due(tx, now, free)).await? {
        let Ok(place) = places.clone().acquire_owned().await else { return Ok(()) };
        let engine = engine.clone();
        tokio::spawn(async move {
            if let Err(error) = deliver(&engine, delivery).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the outcome of an alert's news could not be written"
                );
            }
            drop(place);
            engine.monitoring().news.notify_one();
        });
    }
    Ok(())
}

/// Delivers what is due now, one after the other. For tests and for whoever stops the clock.
pub async fn deliver_due(engine: &Engine) -> Result<(), StoreError> {
    let now = engine.clock.now();
    for delivery in engine.store.read(move |tx| alert_deliveries::due(tx, now, 100)).await? {
        deliver(engine, delivery).await?;
    }
    Ok(())
}

async fn deliver(engine: &Engine, delivery: AlertDelivery) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let claimed = delivery.clone();
    if !engine.store.write(move |tx| alert_deliveries::claim(tx, &claimed, now.plus_ms(CLAIM_MS))).await? {
        return Ok(()); // another node was quicker
    }
    let tried = match delivery.target {
        AlertTarget::Webhook => post(engine, &delivery).await?,
        AlertTarget::Email => mail::send(engine, &delivery).await,
    };
    note(engine, &delivery, tried).await
}

/// Calls the account's address, as far as it is still the one the news is for.
async fn post(engine: &Engine, delivery: &AlertDelivery) -> Result<Tried, StoreError> {
    let account = delivery.account_id;
    let targets = engine.store.read(move |tx| alert_targets::find(tx, account)).await?.unwrap_or_default();
    if targets.webhook_url.as_ref() != Some(&delivery.address) {
        return Ok(Tried::refused("The address was changed.", None, true));
    }
    let sealed = targets.webhook_secret.unwrap_or_default();
    Ok(match super::targets::open_secret(&engine.vault, account, &sealed) {
        Ok(secret) => webhook::post(engine, delivery, &secret).await,
        Err(error) => Tried::refused(error.to_string(), None, true),
    })
}

async fn note(engine: &Engine, delivery: &AlertDelivery, tried: Tried) -> Result<(), StoreError> {
    let (id, now) = (delivery.id, engine.clock.now());
    let tries = usize::try_from(delivery.attempts).unwrap_or(usize::MAX);
    let wait = LADDER_MS.get(tries).filter(|_| !tried.is_final);
    let outcome = match (tried.taken, wait) {
        (true, _) => "delivered",
        (false, Some(_)) => "retry",
        (false, None) => "failed",
    };
    metrics::counter!("frontdesk_alert_deliveries_total", "target" => delivery.target.as_str(), "outcome" => outcome)
        .increment(1);
    if !tried.taken {
        tracing::warn!(
            delivery.id = id.0,
            alert.id = delivery.alert_id.0,
            target = delivery.target.as_str(),
            http_status = tried.http_status,
            error = tried.error,
            outcome,
            "news of an alert was not taken"
        );
    }
    let due_at = wait.map(|ms| now.plus_ms(*ms));
    engine
        .store
        .write(move |tx| {
            let (status, error) = (tried.http_status.map(i64::from), tried.error.as_deref());
            match (tried.taken, due_at) {
                (true, _) => alert_deliveries::end(tx, id, AlertDeliveryState::Delivered, status, None, now),
                (false, Some(due_at)) => {
                    alert_deliveries::retry(tx, id, due_at, status, error.unwrap_or_default())
                }
                (false, None) => {
                    alert_deliveries::end(tx, id, AlertDeliveryState::Failed, status, error, now)
                }
            }
        })
        .await
}

/// Sends news of nothing to everywhere the account wants news, to see whether it arrives.
pub async fn send_test(engine: &Engine, account: AccountId) -> Result<usize, TargetError> {
    let now = engine.clock.now();
    let alert = AlertView::from(AlertRow {
        id: AlertId(0),
        account_id: account,
        rule_name: "test".to_owned(),
        rule_title: "Test".to_owned(),
        inbox_id: InboxId(0),
        inbox_name: "Nothing is wrong".to_owned(),
        metric: AlertMetric::ErrorRate,
        operator: AlertOperator::AtLeast,
        threshold: 0.1,
        duration_secs: 300,
        severity: AlertSeverity::Info,
        state: AlertState::Resolved,
        value: 0.0,
        last_value: None,
        fired_at: now,
        seen_at: now,
        resolved_at: Some(now),
        reason: None,
    });
    let count = engine.store.write(move |tx| put_on_way(tx, account, AlertEvent::Test, &alert, now)).await?;
    if count == 0 {
        return Err(TargetError::Nowhere);
    }
    engine.monitoring().news.notify_one();
    Ok(count)
}
