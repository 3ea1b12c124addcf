//! PostgreSQL crashes and comes back under load, again and again: nodes answer "later" meanwhile and go on by
//! themselves.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::database::{Database, connect};
use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

/// Webhooks are taken again this soon after the database is back.
const BACK_WITHIN: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs it. `TEST_DATABASE_RESTART` names a command that crashes the server and starts it again; without one, as
/// among the tests, which share a server, all connections of the nodes are cut.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let plan = Plan { nodes: 2, ..Plan::default() };
    let scene = Scene::open(&trial, plan).await?;
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 100, replies_per_second: 30 });
    let restarts = trial.pick(1, 20);
    let restart = std::env::var("TEST_DATABASE_RESTART").ok();
    for _ in 0..restarts {
        tokio::time::sleep(trial.pick(Duration::from_secs(1), Duration::from_secs(4))).await;
        match &restart {
            Some(command) => {
                let command = command.clone();
                let done = tokio::task::spawn_blocking(move || Command::new(command).output()).await??;
                ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
            }
            None => cut_all(&scene.database).await?,
        }
        let (taken, began) = (scene.provider.answered(200), Instant::now());
        while scene.provider.answered(200) <= taken {
            ensure!(began.elapsed() < PATIENCE, "nothing is taken after the database is back");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        report.recoveries.push(began.elapsed());
    }
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    let (webhooks, replies) = (scene.ledger.count_written(), scene.ledger.count_accepted());
    let how = if restart.is_some() { "crashes of the server" } else { "cuts of all connections" };
    report.size = format!("2 nodes, {webhooks} webhooks, {replies} replies, {restarts} {how}");
    report.figure(format!("{} webhooks were answered 503 and came again", scene.provider.answered(503)));
    report.expect_recovery(BACK_WITHIN, BACK_WITHIN);
    scene.close(report).await
}

/// Ends every connection of the nodes.
async fn cut_all(database: &Database) -> anyhow::Result<()> {
    let Database::Postgres { url, schema } = database else { return Ok(()) };
    let sql = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{schema}' AND pid <> pg_backend_pid()"
    );
    connect(url).await?.simple_query(&sql).await.context("the connections can be cut").map(drop)
}
