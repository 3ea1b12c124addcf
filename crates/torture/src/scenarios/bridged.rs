//! `kill -9` while an inbox is shown in a Chatwoot, its history is imported there and people are pushed there: every
//! message is there once, every customer is there once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::program::ACCESS_TOKEN;
use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

/// The only bridge.
const BRIDGE: &str = "/api/v1/sync/bridges/1";
/// The fake Chatwoot's account.
const ACCOUNT: i64 = 1;
/// What waits and what runs has to be through this long after the last kill.
const PATIENCE: Duration = Duration::from_secs(180);

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut scene = Scene::open(&trial, Plan::default()).await?;
    let before = Load { webhooks_per_second: 40, replies_per_second: 10 };
    let traffic = Traffic::start(&scene, before);
    tokio::time::sleep(trial.pick(Duration::from_secs(2), Duration::from_secs(30))).await;
    traffic.stop().await?;
    scene.rest().await?;
    let history = scene.database.number("SELECT COUNT(*) FROM messages").await?;
    let runs = connect(&scene).await?;
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 10, replies_per_second: 5 });
    let kills = trial.pick(4, 60);
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(rand::random_range(300..1_500))).await;
        scene.node().kill()?;
        report.recoveries.push(scene.node().start().await?);
    }
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    let began = Instant::now();
    through(&scene, &runs).await?;
    report.figure(format!("bridge and runs were through {:.0?} after the last kill", began.elapsed()));
    judge(&scene, &mut report).await?;
    let all = scene.database.number("SELECT COUNT(*) FROM messages").await?;
    report.size = format!("{history} messages of before, {} meanwhile, {kills} kills", all - history);
    scene.close(report).await
}

/// Connects the fake Chatwoot, bridges the inbox, and asks for an import and a push; the addresses of the runs.
async fn connect(scene: &Scene) -> anyhow::Result<Vec<String>> {
    let url = scene.provider.graph_url.replace("/graph", "/chatwoot");
    let new = json!({ "provider": "chatwoot", "apiKey": ACCESS_TOKEN,
        "config": { "accountId": ACCOUNT.to_string(), "apiUrl": url } });
    let made = scene.agent.post("/api/v1/sync/connections", new).await?;
    let connection = made["data"]["id"].as_str().context("a connection has an id")?.to_owned();
    let inbox = scene.database.number("SELECT MIN(id) FROM inboxes").await?;
    let bridge = json!({ "connectionId": connection, "inboxId": inbox });
    scene.agent.post("/api/v1/sync/bridges", bridge).await?;
    let import = scene.agent.post(&format!("{BRIDGE}/import"), json!({ "wait": 0 })).await?;
    let push = format!("/api/v1/sync/connections/{connection}/sync?direction=push&wait=0");
    let push = scene.agent.post(&push, Value::Null).await?;
    let address = |run: &Value| -> anyhow::Result<String> {
        let id = run["data"]["runId"].as_str().context("a run has an id")?;
        Ok(format!("/api/v1/sync/runs/{id}"))
    };
    [import, push].iter().map(address).collect()
}

/// Waits until the runs have come to their end and nothing of the bridge waits.
async fn through(scene: &Scene, runs: &[String]) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let bridge = scene.agent.get(BRIDGE).await?["data"].clone();
        let mut open = Vec::new();
        for run in runs {
            let run = scene.agent.get(run).await?["data"].clone();
            ensure!(!["failed", "cancelled"].iter().any(|end| run["status"] == *end), "a run ended: {run}");
            if run["status"] != "completed" {
                open.push(run);
            }
        }
        if open.is_empty() && bridge["waiting"] == 0 {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "still under way: {bridge} {open:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Compares what is there with what is here.
async fn judge(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let mut shown: HashMap<i64, usize> = HashMap::new();
    let people = {
        let world = scene.provider.sandbox.world();
        let there = world.chatwoot.accounts.get(&ACCOUNT).context("the account is there")?;
        for message in there.conversations.values().flat_map(|found| &found.messages) {
            let ours = message.source_id.as_deref().and_then(|id| id.strip_prefix("frontdesk-"));
            if let Some(id) = ours.and_then(|id| id.parse().ok()) {
                *shown.entry(id).or_default() += 1;
            }
        }
        let ours = there.contacts.values().filter(|contact| contact.identifier.is_some());
        let mut people: HashMap<Option<String>, usize> = HashMap::new();
        ours.for_each(|contact| *people.entry(contact.phone_number.clone()).or_default() += 1);
        people
    };
    let stored = scene.database.messages().await?;
    let lost = stored.iter().filter(|message| !shown.contains_key(&message.id)).count();
    let doubled = shown.values().filter(|times| **times > 1).count();
    report.expect(lost == 0, || format!("{lost} of {} messages are not in Chatwoot", stored.len()));
    report.expect(doubled == 0, || format!("{doubled} messages are more than once in Chatwoot"));
    report.expect(people.values().all(|times| *times == 1), || {
        format!("somebody is more than once in Chatwoot: {people:?}")
    });
    report.expect(people.len() == scene.provider.customers, || {
        format!("{} people in Chatwoot, {} customers here", people.len(), scene.provider.customers)
    });
    report.figure(format!("{} messages looked up in Chatwoot", stored.len()));
    Ok(())
}
