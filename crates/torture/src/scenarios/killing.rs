//! `kill -9` at random moments in the middle of webhooks and replies, restarted at once.

use std::time::Duration;

use serde_json::json;

use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::secrets;
use crate::traffic::{Load, Traffic};
use crate::trial::{Size, Trial};

/// Ready again within this time.
const READY: Duration = Duration::from_secs(2);

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut scene = Scene::open(&trial, Plan::default()).await?;
    // Slow enough that kills at any moment strike sends too.
    scene.provider.misbehave(json!([{"fault": "latency", "latency_ms": 150, "rate": 1.0}]))?;
    let kills = trial.pick(3, 100);
    let load = Load { webhooks_per_second: trial.pick(200, 300), replies_per_second: 50 };
    let traffic = Traffic::start(&scene, load);
    for kill in 0..kills {
        let pause = rand::random_range(trial.pick(800..1_600, 500..3_000));
        tokio::time::sleep(Duration::from_millis(pause)).await;
        // At any moment, and every second one in the middle of a send.
        if kill % 2 == 0 {
            scene.provider.hold_a_send().await?;
        }
        scene.node().kill()?;
        let took = scene.node().start().await?;
        report.recoveries.push(took);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    let (webhooks, replies) = (scene.ledger.count_written(), scene.ledger.count_accepted());
    report.size = format!("{webhooks} webhooks, {replies} replies, {kills} kills");
    report.expect_recovery(READY, trial.pick(READY * 5, READY));
    let unknown = report.tally.unknown;
    report.figure(format!("{unknown} replies are unknown and wait for a person"));
    report.expect(unknown > 0, || "no kill struck a send: too little to prove anything".to_owned());
    report.expect(unknown <= replies / 4, || format!("{unknown} of {replies} replies are unknown"));
    if trial.size == Size::Quick {
        secrets::search(&scene, &mut report).await?;
    }
    scene.close(report).await
}
