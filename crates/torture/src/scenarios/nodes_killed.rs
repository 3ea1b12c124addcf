//! Several nodes on one PostgreSQL, one of them killed every few seconds and started again; what reached the
//! customers' phones is the judge.

use std::time::Duration;

use serde_json::json;

use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

const READY: Duration = Duration::from_secs(2);

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let plan = Plan { nodes: trial.pick(2, 3), customers: trial.pick(40, 200), ..Plan::default() };
    let mut scene = Scene::open(&trial, plan).await?;
    scene.provider.misbehave(json!([{"fault": "latency", "latency_ms": 60, "rate": 1.0}]))?;
    let kills = trial.pick(2, 40);
    let traffic = Traffic::start(
        &scene,
        Load { webhooks_per_second: trial.pick(50, 100), replies_per_second: trial.pick(50, 100) },
    );
    for number in 0..kills {
        tokio::time::sleep(trial.pick(Duration::from_secs(1), Duration::from_secs(3))).await;
        let victim = number % plan.nodes;
        scene.nodes[victim].kill()?;
        // For a while the others are alone.
        let pause = rand::random_range(0..trial.pick(500, 2_000));
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let took = scene.nodes[victim].start().await?;
        report.recoveries.push(took);
    }
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    let (webhooks, replies) = (scene.ledger.count_written(), scene.ledger.count_accepted());
    report.size = format!("{} nodes, {webhooks} webhooks, {replies} replies, {kills} kills", plan.nodes);
    report.figure(format!("{} replies are unknown and wait for a person", report.tally.unknown));
    report.expect_recovery(READY, trial.pick(READY * 5, READY));
    scene.close(report).await
}
