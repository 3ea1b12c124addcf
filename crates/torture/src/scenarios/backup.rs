//! Backups taken while customers write and agents reply, each restored elsewhere: everything promised before it began
//! is in it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::database::{Database, Kind};
use crate::program::Program;
use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let scene = Scene::open(&trial, Plan::default()).await?;
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 200, replies_per_second: 20 });
    let backups = trial.pick(1, 12);
    let (mut longest, mut lost, mut promised) = (Duration::ZERO, 0, 0);
    for number in 0..backups {
        tokio::time::sleep(trial.pick(Duration::from_secs(1), Duration::from_secs(5))).await;
        let (webhooks, replies) = (scene.provider.acknowledged(), scene.ledger.accepted());
        let began = Instant::now();
        let file = scene.folder.path().join(format!("backup-{number}.tar"));
        let name = file.to_str().context("a path is text")?;
        scene.nodes[0].run(&["backup", name], "")?;
        longest = longest.max(began.elapsed());
        let place = scene.folder.path().join(format!("restored-{number}"));
        let database = Database::make(Kind::Sqlite, &place).await?;
        let restored = Program::new(&trial, &place, &database, &scene.provider.graph_url)?;
        restored.run(&["restore", name], "")?;
        let stored = database.messages().await?;
        let remote: HashSet<&str> = stored.iter().filter_map(|m| m.remote_id.as_deref()).collect();
        let ids: HashSet<i64> = stored.iter().map(|m| m.id).collect();
        lost += webhooks.iter().filter(|id| !remote.contains(id.as_str())).count();
        lost += replies.iter().filter(|reply| !ids.contains(&reply.id)).count();
        promised += webhooks.len() + replies.len();
        let faults = database.faults().await?;
        report.expect(faults.is_empty(), || format!("backup {number} is not whole: {faults:?}"));
    }
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    report.expect(lost == 0, || format!("{lost} promises are not in the backups that were begun after them"));
    report.size = format!("{} webhooks, {backups} backups", scene.ledger.count_written());
    report.figure(format!(
        "{promised} promises looked up in {backups} restored backups; the longest took {longest:.1?}"
    ));
    scene.close(report).await
}
