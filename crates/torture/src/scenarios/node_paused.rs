//! One of several nodes stands still (SIGSTOP) for longer than its leases last, and then goes on as if nothing had
//! happened: what it claimed has been taken over meanwhile, and it must not write or send any of it again.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

/// Longer than a claim (3 s here) and than a send (12 s: twice the provider's time-out of 1 s, and 10 s more).
const LONGER_THAN_LEASES: Duration = Duration::from_secs(15);
/// After so long the balancer has noticed.
const HEALTH_CHECKED: Duration = Duration::from_secs(2);
/// A transaction that it was in the middle of holds up the others no longer than this.
const SILENT: Duration = Duration::from_secs(10);

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let plan = Plan { nodes: trial.pick(2, 3), ..Plan::default() };
    let scene = Scene::open(&trial, plan).await?;
    let balancer = scene.balancer.as_ref().context("several nodes have a balancer")?;
    // A provider does not wait long for a node that stands still; another answers the next time.
    scene.provider.sandbox.world().settings.retry.timeout_ms = 1_000;
    scene.provider.misbehave(json!([{"fault": "latency", "latency_ms": 60, "rate": 1.0}]))?;
    let pauses = trial.pick(1, 12);
    let (mut fewest, mut longest) = (usize::MAX, Duration::ZERO);
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 20, replies_per_second: 50 });
    for number in 0..pauses {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let number = number % plan.nodes;
        let node = &scene.nodes[number];
        node.pause()?;
        let (before, began) = (scene.provider.arrived(), Instant::now());
        let (mut seen, mut since) = (before, began);
        while began.elapsed() < LONGER_THAN_LEASES {
            balancer.rest(number, began.elapsed() > HEALTH_CHECKED);
            tokio::time::sleep(Duration::from_millis(20)).await;
            if scene.provider.arrived() > seen {
                longest = longest.max(since.elapsed());
                (seen, since) = (scene.provider.arrived(), Instant::now());
            }
        }
        longest = longest.max(since.elapsed());
        fewest = fewest.min(seen - before);
        node.resume()?;
        balancer.rest(number, false);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    report.figure(format!("while one stood still, the others sent at least {fewest} replies, never silent for more than {longest:.1?}"));
    report.expect(longest <= SILENT, || {
        format!("nothing was sent for {longest:.1?} while one node stood still")
    });
    let (webhooks, replies) = (scene.ledger.count_written(), scene.ledger.count_accepted());
    report.size = format!("{} nodes, {webhooks} webhooks, {replies} replies, {pauses} pauses", plan.nodes);
    report.figure(format!("{} replies are unknown and wait for a person", report.tally.unknown));
    scene.close(report).await
}
