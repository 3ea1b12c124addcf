//! Long queues in many conversations while the provider fails at random: each conversation arrives in order, and one
//! that is stuck does not hold up the others.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic;
use crate::trial::Trial;

/// Failures are tried again soon: what is asked is order, not patience.
const SETTINGS: &[(&str, &str)] = &[
    // A busy machine must not make an outcome uncertain.
    ("FRONTDESK_PROVIDERS_TIMEOUT_MS", "30000"),
    ("FRONTDESK_OUTBOX_RETRY_LADDER_MS", "50,100,200,400"),
    ("FRONTDESK_OUTBOX_BREAKER_FAILURES", "1000"),
    ("FRONTDESK_OUTBOX_PER_INBOX_PER_SECOND", "1000"),
];
/// Agents who reply side by side.
const SIDE_BY_SIDE: usize = 8;

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let plan = Plan { customers: trial.pick(20, 200), nodes: 1, set: SETTINGS };
    let scene = Scene::open(&trial, plan).await?;
    scene.provider.misbehave(json!([{"fault": "internal_error", "rate": 0.2}]))?;
    let sends = trial.pick(8, 50);
    let mut agents = JoinSet::new();
    for theirs in scene.conversations.chunks(scene.conversations.len().div_ceil(SIDE_BY_SIDE)) {
        let (agent, theirs, ledger) = (scene.agent.clone(), theirs.to_vec(), scene.ledger.clone());
        agents.spawn(async move {
            for place in 0..sends {
                for conversation in &theirs {
                    traffic::post(&agent, *conversation, place, &ledger).await?;
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = agents.join_next().await {
        done??;
    }
    tokio::time::timeout(Duration::from_secs(150), scene.rest()).await??;
    scene.settle(&mut report).await?;
    let refused = {
        let world = scene.provider.sandbox.world();
        world.api_calls.iter().filter(|call| call.entry.http_status == Some(500)).count()
    };
    let total = plan.customers * sends;
    report.expect(scene.provider.arrived() == total, || {
        format!("{} of {total} arrived", scene.provider.arrived())
    });
    report.size = format!("{} conversations x {sends} sends", plan.customers);
    report.figure(format!("{refused} sends were answered 500 and tried again"));
    scene.close(report).await
}
