//! Nodes are replaced by those of a newer version one after the other, under load: for a while old and new work on one
//! database, whose schema is already the new one.

use std::time::Duration;

use anyhow::Context;

use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

const READY: Duration = Duration::from_secs(2);
const SCHEMA: &str = "SELECT MAX(number) FROM schema_migrations";

/// Runs it. `scripts/rolling-upgrade` builds an older program and names it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let Some(old) = trial.old.clone() else {
        report.size = "left out: no older program was named (--old FILE, scripts/rolling-upgrade)".to_owned();
        return Ok(report);
    };
    let plan = Plan { nodes: trial.pick(2, 3), customers: 100, ..Plan::default() };
    let mut scene = Scene::open(&Trial { binary: old, ..trial.clone() }, plan).await?;
    let before = scene.database.number(SCHEMA).await?;
    let each = trial.pick(Duration::from_secs(5), Duration::from_secs(30));
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 100, replies_per_second: 30 });
    tokio::time::sleep(each).await;
    for number in 0..plan.nodes {
        let node = scene.nodes.get_mut(number).context("every node of the plan")?;
        let status = node.terminate().await?;
        report.expect(status.code() == Some(0), || format!("node {number} did not stop well: {status}"));
        node.replace_by(&trial.binary);
        let took = node.start().await?;
        report.recoveries.push(took);
        // Old and new side by side.
        tokio::time::sleep(each).await;
    }
    let after = scene.database.number(SCHEMA).await?;
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    let (webhooks, replies) = (scene.ledger.count_written(), scene.ledger.count_accepted());
    report.size =
        format!("{} nodes, schema {before} to {after}, {webhooks} webhooks, {replies} replies", plan.nodes);
    report.figure(format!("{} replies are unknown", report.tally.unknown));
    report.expect(after > before, || format!("both programs have schema {after}: nothing was upgraded"));
    report.expect_recovery(READY, trial.pick(READY * 5, READY));
    scene.close(report).await
}
