//! Ordinary traffic for long: memory, handles and the write-ahead log stay as they are.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;

use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::socket::Socket;
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

const SOCKETS: usize = 50;
/// The log is written back often enough.
const WAL_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// What memory may grow by after the first part, in percent, and what does not count.
const GROWTH_PERCENT: u64 = 10;
const GROWTH_FREE_BYTES: u64 = 16 * 1024 * 1024;
/// How long, when nothing else is asked for.
const MINUTES: u64 = 10;

/// Runs it. `TORTURE_SOAK_MINUTES` says how long at full size.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let minutes = match std::env::var("TORTURE_SOAK_MINUTES") {
        Ok(text) => text.parse().context("TORTURE_SOAK_MINUTES is a number")?,
        Err(_) => MINUTES,
    };
    let length = trial.pick(Duration::from_secs(3), Duration::from_secs(minutes * 60));
    let scene = Scene::open(&trial, Plan::default()).await?;
    let mut sockets = JoinSet::new();
    for _ in 0..SOCKETS {
        let mut socket = Socket::listen(&scene.agent).await?;
        sockets.spawn(async move { while socket.next_number().await.is_ok() {} });
    }
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 50, replies_per_second: 10 });
    let (began, mut settled, mut most, mut log) = (Instant::now(), None, (0, 0), 0);
    while began.elapsed() < length {
        tokio::time::sleep(length / 60).await;
        let now = (scene.nodes[0].memory()?, scene.nodes[0].handles()?);
        if began.elapsed() > length / 6 {
            // Caches are warm by now: this is what it needs.
            settled.get_or_insert(now);
            most = (most.0.max(now.0), most.1.max(now.1));
        }
        log = log.max(wal_bytes(&scene));
    }
    let lost = SOCKETS - sockets.len();
    report.expect(lost == 0, || format!("{lost} sockets ended"));
    let settled = settled.context("it was looked at")?;
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    let allowed = settled.0 * (100 + GROWTH_PERCENT) / 100 + GROWTH_FREE_BYTES;
    report.expect(most.0 <= allowed, || {
        format!("memory grew from {} to {} KiB", settled.0 / 1024, most.0 / 1024)
    });
    report.expect(most.1 <= settled.1 + 16, || format!("handles grew from {} to {}", settled.1, most.1));
    report.expect(log < WAL_MAX_BYTES, || format!("the write-ahead log had {} KiB", log / 1024));
    report.size =
        format!("{} webhooks, {} replies", scene.ledger.count_written(), scene.ledger.count_accepted());
    report.figure(format!(
        "memory {} to {} KiB, handles {} to {}, write-ahead log up to {} KiB",
        settled.0 / 1024,
        most.0 / 1024,
        settled.1,
        most.1,
        log / 1024
    ));
    scene.close(report).await
}

fn wal_bytes(scene: &Scene) -> u64 {
    let log = scene.folder.path().join("frontdesk.db-wal");
    std::fs::metadata(log).map_or(0, |found| found.len())
}
