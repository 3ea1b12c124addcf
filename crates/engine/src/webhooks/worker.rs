//! Claims what is due and calls, many endpoints at once, each in order.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_model::Timestamp;
use frontdesk_store::webhook_endpoints::{self, EndpointRow, EndpointStatus};
use frontdesk_store::webhook_sends::{self, DueEndpoint, Lease, WebhookSendRow};
use frontdesk_store::{StoreError, Tx};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::call::{self, Called};
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::outbox::schedule::later;

/// A claim that was not ended holds for so much longer than a call may take.
const LEASE_SLACK_MS: i64 = 30_000;
/// Looks again at least this often: other nodes die, and clocks go on.
const MAX_SLEEP: Duration = Duration::from_secs(1);
/// Looks again this soon when what is due waits behind others.
const BLOCKED_PAUSE: Duration = Duration::from_millis(50);
/// Endpoints looked at in one go.
const ENDPOINTS: i64 = 100;
/// So many tries in a row are held against later deliveries of the lane; then they pass.
const HOLDS: i64 = 3;
/// While the endpoint takes nothing at all, it is no sign against a delivery that it was not taken: the order stands for so many
/// tries, which is more than an hour.
const HOLDS_WHILE_DOWN: i64 = 16;
/// So many deliveries in a row that were not taken: then the endpoint is asked with one at a time.
pub(super) const DOWN_AFTER: i64 = 5;
/// An endpoint that does not answer is asked at least this often.
const LONGEST_REST_MS: u64 = 300_000;

/// Something to be told that this worker holds.
struct Claim {
    row: WebhookSendRow,
    token: Arc<str>,
}

/// Works until the engine stops, then finishes what it holds.
pub(super) async fn run(engine: &Engine) {
    let places = Arc::new(Semaphore::new(engine.settings.webhooks.concurrency.max(1)));
    let calls = TaskTracker::new();
    while !engine.shutdown.is_cancelled() {
        let pause = match claim(engine, places.available_permits()).await {
            Ok(claims) if claims.is_empty() => time_to_next(engine).await.unwrap_or(MAX_SLEEP),
            Ok(claims) => {
                for claim in claims {
                    let Ok(place) = places.clone().acquire_owned().await else { return };
                    let engine = engine.clone();
                    calls.spawn(async move {
                        if let Err(error) = carry_out(&engine, claim).await {
                            let error = &error as &dyn std::error::Error;
                            tracing::warn!(error, "what came of a webhook could not be written");
                        }
                        drop(place);
                        engine.webhooks().work.notify_one();
                    });
                }
                Duration::ZERO
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "webhooks could not be read");
                MAX_SLEEP
            }
        };
        if places.available_permits() == 0 || !pause.is_zero() {
            tokio::select! {
                () = engine.shutdown.cancelled() => {}
                () = engine.webhooks().work.notified() => {}
                () = tokio::time::sleep(pause.max(BLOCKED_PAUSE)) => {}
            }
        }
    }
    calls.close();
    calls.wait().await;
}

/// Delivers what is due now, one after the other, until nothing is due any more. For tests and for whoever stops the clock.
pub async fn deliver_due(engine: &Engine) -> Result<usize, StoreError> {
    release_expired(engine).await?;
    let mut count = 0;
    loop {
        let claims = claim(engine, 1).await?;
        if claims.is_empty() {
            return Ok(count);
        }
        for claim in claims {
            carry_out(engine, claim).await?;
            count += 1;
        }
    }
}

async fn claim(engine: &Engine, free: usize) -> Result<Vec<Claim>, StoreError> {
    let now = engine.clock.now();
    let mut free = i64::try_from(free).unwrap_or(i64::MAX);
    if free == 0 {
        return Ok(Vec::new());
    }
    let share = i64::try_from(engine.settings.webhooks.concurrency / 4).unwrap_or(1).max(1);
    let until = now.plus_ms(lease_ms(engine));
    let mut claims = Vec::new();
    for endpoint in engine.store.read(move |tx| webhook_sends::due_endpoints(tx, now, ENDPOINTS)).await? {
        let wanted = may_begin(endpoint, share).min(free);
        if wanted <= 0 {
            continue;
        }
        let token: Arc<str> = format!("{}:{:016x}", engine.node_id, rand::random::<u64>()).into();
        let claimed = token.clone();
        let rows = engine
            .store
            .write(move |tx| {
                let lease = Lease { until, token: &claimed };
                let holds = if endpoint.failures >= DOWN_AFTER { HOLDS_WHILE_DOWN } else { HOLDS };
                webhook_sends::claim(tx, endpoint, now, lease, wanted, holds)
            })
            .await?;
        free -= i64::try_from(rows.len()).unwrap_or(0);
        claims.extend(rows.into_iter().map(|row| Claim { row, token: token.clone() }));
        if free <= 0 {
            break;
        }
    }
    Ok(claims)
}

/// How many deliveries to an endpoint may be begun: its share of the places, and one at a time while it does not answer.
fn may_begin(endpoint: DueEndpoint, share: i64) -> i64 {
    let limit = if endpoint.failures >= DOWN_AFTER { 1 } else { share };
    limit - endpoint.under_way
}

fn lease_ms(engine: &Engine) -> i64 {
    i64::try_from(engine.settings.webhooks.timeout_ms).unwrap_or(LEASE_SLACK_MS) + LEASE_SLACK_MS
}

async fn time_to_next(engine: &Engine) -> Result<Duration, StoreError> {
    // Looked for where an idle moment is.
    if release_expired(engine).await? {
        return Ok(BLOCKED_PAUSE);
    }
    let now = engine.clock.now();
    let Some(due) = engine.store.read(webhook_sends::next_due).await? else { return Ok(MAX_SLEEP) };
    let wait_ms = due.millis_since(now);
    Ok(u64::try_from(wait_ms).map_or(BLOCKED_PAUSE, Duration::from_millis).clamp(BLOCKED_PAUSE, MAX_SLEEP))
}

/// Gives free what workers that died had claimed; true when there was such.
async fn release_expired(engine: &Engine) -> Result<bool, StoreError> {
    let now = engine.clock.now();
    let is_any = engine.store.read(move |tx| webhook_sends::is_any_expired(tx, now)).await?;
    if is_any {
        engine.store.write(move |tx| webhook_sends::release_expired(tx, now)).await?;
    }
    Ok(is_any)
}

async fn carry_out(engine: &Engine, claim: Claim) -> Result<(), StoreError> {
    let Claim { row, token } = claim;
    let (account, id) = (row.account_id, row.endpoint_id);
    let endpoint = engine.store.read(move |tx| webhook_endpoints::find(tx, account, id)).await?;
    let Some(endpoint) = endpoint.filter(|endpoint| endpoint.status == EndpointStatus::Enabled) else {
        // Stopped or removed meanwhile: what was not begun waits with it, or went with it.
        return engine.store.write(move |tx| webhook_sends::unclaim(tx, &row, &token)).await.map(drop);
    };
    let called = call::post(engine, &endpoint, &row).await;
    let outcome = note(engine, endpoint, row, token, called).await?;
    metrics::counter!("frontdesk_webhook_sends_total", "outcome" => outcome).increment(1);
    Ok(())
}

async fn note(
    engine: &Engine,
    endpoint: EndpointRow,
    row: WebhookSendRow,
    token: Arc<str>,
    called: Called,
) -> Result<&'static str, StoreError> {
    let now = engine.clock.now();
    if called.is_taken {
        let seconds =
            std::time::Duration::from_millis(u64::try_from(now.millis_since(row.created_at)).unwrap_or(0));
        metrics::histogram!("frontdesk_webhook_send_seconds").record(seconds.as_secs_f64());
        let was_down = endpoint.failures >= DOWN_AFTER;
        engine
            .store
            .write(move |tx| {
                webhook_sends::note_attempt(tx, &row, &called.attempt)?;
                webhook_sends::delivered(tx, &row, &token, called.attempt.http_status, now)?;
                webhook_endpoints::note_well(tx, endpoint.account_id, endpoint.id, now)?;
                if was_down {
                    // It answers again: nothing has to wait any longer.
                    webhook_sends::wake(tx, endpoint.account_id, endpoint.id, now)?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
        return Ok("delivered");
    }
    let error = called.attempt.error.clone().unwrap_or_default();
    tracing::debug!(
        endpoint.id = endpoint.id.0,
        delivery.id = row.id.0,
        http_status = called.attempt.http_status,
        error,
        "a webhook was not taken"
    );
    let plan = Plan::make(engine, &endpoint, &row, &called, now);
    let (told, is_off) = (plan.outcome(), plan.is_off);
    let (account, id) = (endpoint.account_id, endpoint.id);
    engine.store.write(move |tx| write_failure(tx, &endpoint, &row, &token, &called, &plan, now)).await?;
    if is_off {
        tracing::warn!(
            endpoint.id = id.0,
            account.id = account.0,
            error,
            "a webhook endpoint was switched off"
        );
    }
    Ok(told)
}

/// What becomes of a delivery that was not taken, and of its endpoint.
struct Plan {
    /// When it is tried again; `None` when it is given up.
    due_at: Option<Timestamp>,
    /// The endpoint is left alone until then.
    rest_until: Timestamp,
    /// The endpoint is not called any more.
    is_off: bool,
}

impl Plan {
    fn make(
        engine: &Engine,
        endpoint: &EndpointRow,
        row: &WebhookSendRow,
        called: &Called,
        now: Timestamp,
    ) -> Self {
        let settings = &engine.settings.webhooks;
        let asked_ms = called.wait.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(0));
        let rung = |tries: i64| {
            let rung = usize::try_from(tries.saturating_sub(1)).unwrap_or(0);
            let ladder = &settings.retry_ladder_ms;
            ladder.get(rung).or(ladder.last()).copied().unwrap_or(60_000)
        };
        let failures = endpoint.failures + 1;
        // What is down sets the pace for all its deliveries: each of them may be the one that finds it up again.
        let (due_at, rest_until) = if failures >= DOWN_AFTER {
            let rest_ms = rung(failures - DOWN_AFTER + 1).min(LONGEST_REST_MS);
            let rest_until = later(rest_ms, settings.jitter, asked_ms, rand::random(), now);
            (rest_until, rest_until)
        } else {
            let due_at = later(rung(row.attempts), settings.jitter, asked_ms, rand::random(), now);
            (due_at, now.plus_ms(i64::try_from(asked_ms).unwrap_or(0)))
        };
        let is_tired =
            endpoint.failing_since.is_some_and(|since| now.millis_since(since) >= settings.disable_after_ms);
        Self {
            due_at: (due_at <= row.give_up_at && !called.is_gone).then_some(due_at),
            rest_until,
            is_off: called.is_gone || is_tired,
        }
    }

    fn outcome(&self) -> &'static str {
        if self.due_at.is_some() { "retry" } else { "failed" }
    }
}

fn write_failure(
    tx: &mut Tx<'_>,
    endpoint: &EndpointRow,
    row: &WebhookSendRow,
    token: &str,
    called: &Called,
    plan: &Plan,
    now: Timestamp,
) -> Result<(), StoreError> {
    let error = called.attempt.error.as_deref().unwrap_or_default();
    webhook_sends::note_attempt(tx, row, &called.attempt)?;
    match plan.due_at {
        Some(due_at) => webhook_sends::requeue(tx, row, token, &called.attempt, due_at)?,
        None => webhook_sends::fail(tx, row, token, &called.attempt, now)?,
    };
    let (account, id) = (endpoint.account_id, endpoint.id);
    webhook_endpoints::note_failure(tx, account, id, error, now, plan.rest_until)?;
    if plan.is_off && webhook_endpoints::disable(tx, account, id, error, now)? {
        let deed = Deed { action: "webhook.disabled", subject_type: "webhook", subject_id: id.0 };
        let details =
            json!({ "http_status": called.attempt.http_status, "failing_since": endpoint.failing_since });
        audit::record(tx, Actor::server(account), deed, Some(&details), now)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use frontdesk_model::{AccountId, WebhookEndpointId};

    use super::*;

    #[test]
    fn an_endpoint_gets_its_share_and_one_at_a_time_while_it_is_down() {
        let endpoint = |failures, under_way| DueEndpoint {
            account_id: AccountId(1),
            id: WebhookEndpointId(1),
            failures,
            under_way,
        };
        assert_eq!(may_begin(endpoint(0, 0), 8), 8);
        assert_eq!(may_begin(endpoint(4, 6), 8), 2);
        assert_eq!(may_begin(endpoint(DOWN_AFTER, 0), 8), 1);
        assert_eq!(may_begin(endpoint(DOWN_AFTER, 1), 8), 0);
    }
}
