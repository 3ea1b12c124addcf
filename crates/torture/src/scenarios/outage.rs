//! The provider answers 503 for ten minutes (as told by the settings, which make time pass faster) while replies pile
//! up; afterwards everything goes out once and in order.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{self, Load, Traffic};
use crate::trial::Trial;

/// How long the breaker stays open: 30 s by default, here thirty times as fast.
const BREAKER_OPEN_MS: u64 = 1_000;
/// Everything is out this soon after the provider is back.
const DRAIN_WITHIN: Duration = Duration::from_secs(120);
const SETTINGS: &[(&str, &str)] = &[
    // A busy machine must not make an outcome uncertain.
    ("FRONTDESK_PROVIDERS_TIMEOUT_MS", "30000"),
    ("FRONTDESK_OUTBOX_RETRY_LADDER_MS", "33,66,133,266,533,1066,2000,10000"),
    ("FRONTDESK_OUTBOX_BREAKER_OPEN_MS", "1000"),
];

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let scene = Scene::open(&trial, Plan { customers: 50, nodes: 1, set: SETTINGS }).await?;
    // Ten minutes, thirty times as fast; the ladder ends at five minutes, so some waits end after the outage.
    let outage = trial.pick(Duration::from_secs(4), Duration::from_secs(20));
    scene.provider.misbehave(json!([{"fault": "unavailable", "rate": 1.0}]))?;
    let (began, calls_before) = (Instant::now(), calls(&scene));
    for place in 0..trial.pick(2, 10) {
        for conversation in &scene.conversations {
            traffic::post(&scene.agent, *conversation, place, &scene.ledger).await?;
        }
    }
    tokio::time::sleep(outage.saturating_sub(began.elapsed())).await;
    let (lasted, calls_made) = (began.elapsed(), calls(&scene) - calls_before);
    report.expect(scene.provider.arrived() == 0, || "something arrived during the outage".to_owned());
    // One probe each time the breaker half-opens; before it opened, the sends that were under way at once.
    let probes = usize::try_from(lasted.as_millis())? / usize::try_from(BREAKER_OPEN_MS)?;
    let allowed = 64 + probes * 2;
    report.expect(calls_made <= allowed, || {
        format!("{calls_made} calls in an outage of {lasted:.1?}: more than {allowed}")
    });
    scene.provider.misbehave(json!([]))?;
    let back = Instant::now();
    scene.rest().await?;
    let drained = back.elapsed();
    report.expect(drained <= DRAIN_WITHIN, || {
        format!("drained only {drained:.1?} after the provider was back")
    });
    scene.settle(&mut report).await?;
    let replies = scene.ledger.count_accepted();
    report.expect(scene.provider.arrived() == replies, || {
        format!("{} of {replies} arrived", scene.provider.arrived())
    });
    report.size = format!("{replies} replies, outage of {lasted:.0?} (x30)");
    report.figure(format!("{calls_made} calls during the outage, drained {drained:.1?} after it"));
    // And it works as before.
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 20, replies_per_second: 20 });
    tokio::time::sleep(Duration::from_secs(1)).await;
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    scene.close(report).await
}

/// Calls the provider has seen.
fn calls(scene: &Scene) -> usize {
    scene.provider.sandbox.world().api_calls.iter().count()
}
