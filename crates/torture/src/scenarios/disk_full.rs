//! The disk runs full under load, and has room again later.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::disk::Disk;
use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

/// Writes are taken again this soon after there is room.
const BACK_WITHIN: Duration = Duration::from_secs(10);
/// Until the first write no longer fits.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut scene = Scene::open(&trial, Plan::default()).await?;
    let disk = Disk::build(scene.folder.path(), &scene.folder.path().join("frontdesk.db"))?;
    scene.node().terminate().await?;
    disk.under(scene.node());
    scene.node().start().await?;
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 200, replies_per_second: 20 });
    for _ in 0..trial.pick(1, 5) {
        tokio::time::sleep(trial.pick(Duration::from_secs(1), Duration::from_secs(10))).await;
        disk.run_full()?;
        until_refused(&scene).await?;
        let before = count(&scene, 503);
        let full_for = trial.pick(Duration::from_secs(1), Duration::from_secs(20));
        let end = Instant::now() + full_for;
        while Instant::now() < end {
            let read = scene.agent.get("/api/v1/conversations").await;
            report.expect(read.is_ok(), || format!("nothing can be read while the disk is full: {read:?}"));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        report.expect(count(&scene, 503) > before, || {
            "webhooks were not refused while the disk was full".to_owned()
        });
        let (taken, began) = (count(&scene, 200), Instant::now());
        disk.make_room()?;
        while count(&scene, 200) <= taken {
            ensure!(began.elapsed() < PATIENCE, "nothing is taken again after there is room");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        report.recoveries.push(began.elapsed());
    }
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    let (webhooks, refused) = (scene.ledger.count_written(), count(&scene, 503));
    report.size = format!("{webhooks} webhooks, {} replies", scene.ledger.count_accepted());
    report.figure(format!("{refused} webhooks were answered 503 while the disk was full, and came again"));
    report.expect_recovery(BACK_WITHIN, BACK_WITHIN);
    scene.close(report).await
}

/// Waits until a webhook is refused: until then what is written fits into the room that was there.
async fn until_refused(scene: &Scene) -> anyhow::Result<()> {
    let (before, began) = (count(scene, 503), Instant::now());
    while count(scene, 503) <= before {
        ensure!(began.elapsed() < PATIENCE, "nothing is refused though the disk is full");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// How many webhooks were answered so.
fn count(scene: &Scene, status: u16) -> usize {
    scene.provider.answered(status)
}
