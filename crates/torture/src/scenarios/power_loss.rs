//! The power goes at a random write or sync: what was not synced is lost, whole or in part.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::disk::Disk;
use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

/// Power is lost within so many writes and syncs after a start.
const OPERATIONS: std::ops::Range<u32> = 1..600;
/// With a disk that lies, power is lost after so many.
const ENOUGH: u32 = 400;
const LOAD: Load = Load { webhooks_per_second: 200, replies_per_second: 40 };
/// A start and its share of the traffic.
const PATIENCE: Duration = Duration::from_secs(30);
const KILLED: i32 = 9;

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let noticed = lose_what_a_lying_disk_promised(&trial).await?;
    ensure!(noticed > 0, "a disk that lies loses nothing: the shim proves nothing");
    let mut scene = Scene::open(&trial, Plan::default()).await?;
    let disk = put_disk_under(&mut scene).await?;
    let losses = trial.pick(4, 500);
    let traffic = Traffic::start(&scene, LOAD);
    let mut at_start = 0;
    for number in 1..=losses {
        Disk::lose_power_at(scene.node(), rand::random_range(OPERATIONS), rand::random());
        if lose_power(&mut scene, &mut report).await? {
            at_start += 1;
        }
        if number % 20 == 0 {
            look_over(&mut scene, &mut report).await?;
        }
    }
    Disk::keep_power(scene.node());
    let took = scene.node().start().await?;
    report.recoveries.push(took);
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    drop(disk);
    let (webhooks, replies) = (scene.ledger.count_written(), scene.ledger.count_accepted());
    report.size = format!("{webhooks} webhooks, {replies} replies, {losses} power losses");
    report.figure(format!("{at_start} of {losses} losses struck while it was starting"));
    report.figure(format!(
        "with a disk that lies about syncs, {noticed} promises were lost, and it was noticed"
    ));
    scene.close(report).await
}

async fn put_disk_under(scene: &mut Scene) -> anyhow::Result<Disk> {
    let files = scene.folder.path().join("frontdesk.db");
    let disk = Disk::build(scene.folder.path(), &files)?;
    scene.node().terminate().await?;
    disk.under(scene.node());
    Ok(disk)
}

/// Starts the program and waits until the power is gone; true when it never came to be ready.
async fn lose_power(scene: &mut Scene, report: &mut Report) -> anyhow::Result<bool> {
    let began = Instant::now();
    let node = scene.node();
    node.launch()?;
    let mut ready = None;
    while node.ended()?.is_none() {
        if ready.is_none() && node.is_ready().await {
            ready = Some(began.elapsed());
        }
        ensure!(began.elapsed() < PATIENCE, "there was too little traffic to lose power in");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    report.recoveries.extend(ready);
    let status = node.wait(PATIENCE).await?;
    report.expect(status.signal() == Some(KILLED), || {
        format!("it ended by itself after a power loss: {status}")
    });
    ensure!(
        status.signal() == Some(KILLED),
        "it does not start after a power loss: see {}",
        node.log().display()
    );
    Ok(ready.is_none())
}

/// Starts it with power, and asks SQLite whether the file is whole.
async fn look_over(scene: &mut Scene, report: &mut Report) -> anyhow::Result<()> {
    Disk::keep_power(scene.node());
    scene.node().start().await?;
    let faults = scene.database.faults().await?;
    report.expect(faults.is_empty(), || format!("the database is not whole: {faults:?}"));
    scene.node().kill()
}

/// How many promises are lost when syncs do nothing: the check of the check.
async fn lose_what_a_lying_disk_promised(trial: &Trial) -> anyhow::Result<usize> {
    let mut scene = Scene::open(trial, Plan::default()).await?;
    let _disk = put_disk_under(&mut scene).await?;
    // All is lost, nothing survives in part: the file stays readable.
    Disk::lose_power_at(scene.node(), ENOUGH, 3);
    scene.node().set("TORTURE_DISK_LIES", "1");
    let traffic = Traffic::start(&scene, Load { replies_per_second: 0, ..LOAD });
    lose_power(&mut scene, &mut Report::default()).await?;
    let account = {
        traffic.stop().await?;
        scene.ledger.settle(&scene.database, &scene.provider).await?
    };
    Ok(account.tally.lost)
}
