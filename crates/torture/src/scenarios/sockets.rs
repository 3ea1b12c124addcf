//! Browsers whose sockets break (closed by them, by a killed node) and who catch up by number: each sees every event
//! once, whatever happened to its socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;

use crate::agent::Agent;
use crate::database::Kind;
use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::socket::Socket;
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

/// Between two tries to connect.
const AGAIN: Duration = Duration::from_millis(100);
/// The longest a browser stays away.
const AWAY_MS: u64 = 3_000;

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    // On PostgreSQL a browser comes back to another node.
    let nodes = if trial.kind == Kind::Postgres { 2 } else { 1 };
    let mut scene = Scene::open(&trial, Plan { nodes, ..Plan::default() }).await?;
    let browsers = trial.pick(10, 100);
    let from = scene.database.number("SELECT event_seq FROM accounts").await?;
    let over = Arc::new(AtomicBool::new(false));
    let mut watching = JoinSet::new();
    for _ in 0..browsers {
        watching.spawn(watch(scene.agent.clone(), from, over.clone()));
    }
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 100, replies_per_second: 20 });
    let kills = trial.pick(1, 20);
    for number in 0..kills {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let victim = number % nodes;
        scene.nodes[victim].kill()?;
        let took = scene.nodes[victim].start().await?;
        report.recoveries.push(took);
    }
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    let last = scene.database.number("SELECT event_seq FROM accounts").await?;
    over.store(true, Ordering::Relaxed);
    let (mut breaks, mut behind, mut disorder) = (0, Vec::new(), Vec::new());
    while let Some(seen) = watching.join_next().await {
        let Seen { to, broke, wrong } = seen??;
        breaks += broke;
        disorder.extend(wrong);
        if to != last {
            behind.push(to);
        }
    }
    report.expect(disorder.is_empty(), || format!("{} times {:?}", disorder.len(), disorder.first()));
    report.expect(behind.is_empty(), || format!("{} browsers are behind {last}: {behind:?}", behind.len()));
    report.size = format!("{browsers} browsers, {} events each, {kills} kills", last - from);
    report.figure(format!("sockets broke {breaks} times"));
    scene.close(report).await
}

/// What a browser saw.
struct Seen {
    /// The last number, with none missing before it.
    to: i64,
    /// How often its socket broke.
    broke: usize,
    /// Numbers that came in disorder.
    wrong: Vec<String>,
}

/// Listens, leaves and comes back until it is over and everything was seen.
async fn watch(agent: Agent, from: i64, over: Arc<AtomicBool>) -> anyhow::Result<Seen> {
    let mut seen = Seen { to: from, broke: 0, wrong: Vec::new() };
    while !over.load(Ordering::Relaxed) {
        let stay = Duration::from_millis(rand::random_range(500..AWAY_MS));
        // Whatever ends the visit, the next begins where it ended.
        let _ = tokio::time::timeout(stay, visit(&agent, &mut seen)).await;
        seen.broke += 1;
        let away = if over.load(Ordering::Relaxed) {
            AGAIN
        } else {
            Duration::from_millis(rand::random_range(0..AWAY_MS))
        };
        tokio::time::sleep(away).await;
    }
    let missed = agent.events_after(seen.to).await?.context("the server says that it was too long ago")?;
    take(&mut seen, missed.iter().filter_map(|event| event["seq"].as_i64()));
    Ok(seen)
}

/// One connection: listens first, then asks for what was missed, then follows.
async fn visit(agent: &Agent, seen: &mut Seen) -> anyhow::Result<()> {
    let mut socket = Socket::listen(agent).await?;
    let missed = agent.events_after(seen.to).await?.context("the server says that it was too long ago")?;
    take(seen, missed.iter().filter_map(|event| event["seq"].as_i64()));
    let caught_up = seen.to;
    loop {
        let number = socket.next_number().await?;
        // What came between listening and asking is in both.
        if number > caught_up {
            take(seen, [number]);
        }
    }
}

/// Takes the next numbers: each must follow the one before.
fn take(seen: &mut Seen, numbers: impl IntoIterator<Item = i64>) {
    for number in numbers {
        if number != seen.to + 1 {
            seen.wrong.push(format!("a browser saw {number} after {}", seen.to));
        }
        seen.to = seen.to.max(number);
    }
}
