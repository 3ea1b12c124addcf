//! Killed after the provider took a reply and before that could be written down: the reply is never sent again by
//! itself.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;

use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic;
use crate::trial::Trial;

const PATIENCE: Duration = Duration::from_secs(30);

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut scene = Scene::open(&trial, Plan { customers: trial.pick(10, 50), ..Plan::default() }).await?;
    // The status webhook would tell at once that it arrived; here only the program's own memory counts.
    let faults = json!([{"fault": "dropped_status", "rate": 1.0}, {"fault": "late_answer", "late_ms": 2_000, "rate": 1.0}]);
    scene.provider.misbehave(faults)?;
    let sends = trial.pick(4, 200);
    let mut interrupted = 0;
    for place in 0..sends {
        let arrived = scene.provider.arrived();
        let conversation = scene.conversations[place % scene.conversations.len()];
        traffic::post(&scene.agent, conversation, place, &scene.ledger).await?;
        let began = Instant::now();
        // The provider has taken it, and its answer is still to come.
        while scene.provider.arrived() == arrived {
            ensure!(began.elapsed() < PATIENCE, "reply {place} never leaves");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        scene.node().kill()?;
        let took = scene.node().start().await?;
        report.recoveries.push(took);
        let sending = "SELECT COUNT(*) FROM messages WHERE status IN ('sending', 'unknown')";
        interrupted = scene.database.number(sending).await?;
    }
    scene.settle(&mut report).await?;
    report.size = format!("{sends} sends, {sends} kills");
    report.figure(format!(
        "{interrupted} kills struck after the provider took the reply and before that was written down"
    ));
    report.expect(usize::try_from(interrupted)? == sends, || "not every kill struck in time".to_owned());
    report.expect(i64::try_from(report.tally.unknown)? >= interrupted, || {
        "an interrupted send is not unknown".to_owned()
    });
    report.expect(scene.provider.arrived() == sends, || {
        format!("{} of {sends} arrived", scene.provider.arrived())
    });
    scene.close(report).await
}
