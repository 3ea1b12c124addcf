//! Thousands of contacts are pulled from a Chatwoot: undisturbed, again, after some changed, and with a `kill -9` in the
//! middle again and again. Nobody is missing, nobody is there twice, and memory stays as it is.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use frontdesk_sandbox::chatwoot::state::Contact;
use serde_json::{Value, json};

use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::trial::Trial;

/// Longest wait for the end of a pull, or of the part of one between two kills: on PostgreSQL a run stays the dead node's until
/// its lease of 15 seconds ends.
const PATIENCE: Duration = Duration::from_secs(240);
/// What Chatwoot shows on one page.
const PAGE: usize = 15;
/// Contacts that change between two pulls.
const CHANGED: usize = 40;
/// What memory may grow by while all are pulled.
const GROWTH_MAX_BYTES: u64 = 48 * 1024 * 1024;

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let (people, kills) = (trial.pick(600, 10_000), trial.pick(2, 8));
    let mut scene = Scene::open(&trial, Plan { customers: 1, ..Plan::default() }).await?;
    let connection = connect(&scene).await?;

    crowd(&scene, people).await?;
    let before = scene.node().memory()?;
    let first = pull(&mut scene, &connection).await?;
    report.expect(first.became == [people, 0, 0, 0], || format!("the first pull: {:?}", first.became));
    report.expect(first.memory <= before + GROWTH_MAX_BYTES, || {
        format!("memory grew from {} to {} KiB", before / 1024, first.memory / 1024)
    });

    let stood = written(&scene).await?;
    let second = pull(&mut scene, &connection).await?;
    report.expect(second.became == [0, 0, people, 0], || format!("the second pull: {:?}", second.became));
    report.expect(written(&scene).await? == stood, || "the second pull wrote something".to_owned());

    change_some(&scene)?;
    let third = pull(&mut scene, &connection).await?;
    let expected = [0, CHANGED, people - CHANGED, 0];
    report.expect(third.became == expected, || format!("the third pull: {:?}", third.became));

    crowd(&scene, people).await?;
    let struck = pull_killed(&mut scene, &connection, kills, &mut report).await?;
    report.expect(struck == kills, || format!("only {struck} of {kills} kills struck in the middle"));
    let all = i64::try_from(people * 2)?;
    for (what, sql) in [
        ("contacts", "SELECT COUNT(*) FROM contacts WHERE phone IS NOT NULL AND custom_fields IS NOT NULL"),
        ("numbers", "SELECT COUNT(DISTINCT phone) FROM contacts WHERE custom_fields IS NOT NULL"),
        ("pairs", "SELECT COUNT(*) FROM external_entity_maps"),
        ("contacts in pairs", "SELECT COUNT(DISTINCT internal_id) FROM external_entity_maps"),
    ] {
        let found = scene.database.number(sql).await?;
        report.expect(found == all, || format!("{found} {what} instead of {all}"));
    }

    report.size = format!("{} contacts, {kills} kills", people * 2);
    for (name, pull) in [("first", &first), ("second", &second), ("third", &third)] {
        let seconds = pull.took.as_secs_f64();
        let pages = people.div_ceil(PAGE) as f64 / seconds;
        let memory = pull.memory / 1024;
        report.figure(format!(
            "the {name} pull of {people}: {seconds:.1} s, {pages:.0} pages/s, memory {memory} KiB at most"
        ));
    }
    report.figure(format!("memory before the first pull: {} KiB", before / 1024));
    scene.settle(&mut report).await?;
    scene.close(report).await
}

/// What one pull did.
struct Pull {
    /// Created, updated, skipped, errors.
    became: [usize; 4],
    took: Duration,
    /// The most resident memory.
    memory: u64,
}

async fn connect(scene: &Scene) -> anyhow::Result<String> {
    let url = format!("{}/chatwoot", base(scene));
    let body = json!({ "provider": "chatwoot", "apiKey": "an-administrators-token",
        "config": { "accountId": "1", "apiUrl": url } });
    let made = scene.agent.post("/api/v1/sync/connections", body).await?;
    Ok(made["data"]["id"].as_str().context("a connection has an id")?.to_owned())
}

fn base(scene: &Scene) -> &str {
    scene.provider.graph_url.trim_end_matches("/graph")
}

/// Makes people there.
async fn crowd(scene: &Scene, people: usize) -> anyhow::Result<()> {
    let url = format!("{}/control/chatwoot/accounts/1/crowd", base(scene));
    let asked = reqwest::Client::new().post(url).json(&json!({ "contacts": people }));
    asked.send().await?.error_for_status()?;
    Ok(())
}

/// People there change in a way that a list shows.
fn change_some(scene: &Scene) -> anyhow::Result<()> {
    let mut world = scene.provider.sandbox.world();
    let now =
        world.chatwoot.accounts.values().flat_map(|a| a.contacts.values()).map(|c| c.updated_at_ms).max();
    let account = world.chatwoot.accounts.get_mut(&1).context("account 1 is there")?;
    let change = |contact: &mut Contact| {
        contact.name = format!("Changed {}", contact.id);
        contact.updated_at_ms = now.unwrap_or_default() + 1;
    };
    account.contacts.values_mut().take(CHANGED).for_each(change);
    Ok(())
}

async fn start(scene: &Scene, connection: &str) -> anyhow::Result<String> {
    let path = format!("/api/v1/sync/connections/{connection}/sync?wait=0");
    let asked = scene.agent.post(&path, Value::Null).await?;
    Ok(asked["data"]["runId"].as_str().context("a run has an id")?.to_owned())
}

/// Pulls all people and watches.
async fn pull(scene: &mut Scene, connection: &str) -> anyhow::Result<Pull> {
    let began = Instant::now();
    let run = start(scene, connection).await?;
    let mut memory = 0;
    loop {
        memory = memory.max(scene.node().memory()?);
        let found = shown(scene, &run).await?;
        match found["status"].as_str() {
            Some("completed") => return Ok(Pull { became: became(&found), took: began.elapsed(), memory }),
            Some("queued" | "running") => {}
            other => anyhow::bail!("the run is {other:?}: {found}"),
        }
        ensure!(began.elapsed() < PATIENCE, "the run does not end: {found}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn shown(scene: &Scene, run: &str) -> anyhow::Result<Value> {
    Ok(scene.agent.get(&format!("/api/v1/sync/runs/{run}")).await?["data"].take())
}

fn became(run: &Value) -> [usize; 4] {
    ["created", "updated", "skipped", "errors"]
        .map(|name| run[name].as_u64().and_then(|count| count.try_into().ok()).unwrap_or(usize::MAX))
}

/// Pulls all people, killed as often, after equal parts of the way; how many kills struck in the middle.
async fn pull_killed(
    scene: &mut Scene,
    connection: &str,
    kills: usize,
    report: &mut Report,
) -> anyhow::Result<usize> {
    let run = start(scene, connection).await?;
    let number = run.trim_start_matches("run_");
    let there = scene.provider.sandbox.world().chatwoot.accounts[&1].contacts.len();
    let mut struck = 0;
    for kill in 1..=kills {
        let began = Instant::now();
        let part = i64::try_from(there * kill / (kills + 1))?;
        let done = format!("SELECT created + updated + skipped FROM sync_runs WHERE id = {number}");
        while scene.database.number(&done).await? < part {
            ensure!(began.elapsed() < PATIENCE, "the run does not go on after kill {}", kill - 1);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        scene.node().kill()?;
        let open = format!("SELECT COUNT(*) FROM sync_runs WHERE id = {number} AND status = 'running'");
        struck += usize::try_from(scene.database.number(&open).await?)?;
        let took = scene.node().start().await?;
        report.recoveries.push(took);
    }
    let began = Instant::now();
    loop {
        let found = shown(scene, &run).await?;
        if found["status"] == "completed" {
            let [created, _, _, errors] = became(&found);
            report.expect((created, errors) == (there / 2, 0), || format!("the killed pull: {found}"));
            return Ok(struck);
        }
        ensure!(began.elapsed() < PATIENCE, "the run does not end: {found}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whatever a pull may write about people.
async fn written(scene: &Scene) -> anyhow::Result<[i64; 2]> {
    let contacts = scene.database.number("SELECT COALESCE(SUM(updated_at), 0) FROM contacts").await?;
    let pairs =
        scene.database.number("SELECT COALESCE(SUM(updated_at), 0) FROM external_entity_maps").await?;
    Ok([contacts, pairs])
}
