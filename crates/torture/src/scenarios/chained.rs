//! `kill -9` of either of two programs in a chain: the first has a linked phone, the second is a client of its gateway API. Every
//! message of a customer is at both ends once, every answer is on the phone and at both ends once, and is known to have arrived.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use frontdesk_sandbox::inbox::Inbox;
use frontdesk_sandbox::linked::phone as linked;
use frontdesk_sandbox::phone::{self, action::CustomerMessage};
use serde_json::{Value, json};

use crate::agent::Agent;
use crate::database::{Database, Stored};
use crate::program::{EMAIL, PASSWORD, Program};
use crate::provider::{MARK, Provider};
use crate::report::Report;
use crate::trial::Trial;

/// The session, its inbox in the sandbox, and what people call it.
const SESSION: &str = "chained-1";
/// The number of the phone.
const NUMBER: &str = "6281211004400";
const CUSTOMERS: usize = 8;
/// Everything has to be where it belongs this long after the last kill. A journal that could not be read is read again after a minute.
const PATIENCE: Duration = Duration::from_secs(150);
/// Outages end sooner here than among strangers.
const QUICK: [(&str, &str); 6] = [
    ("FRONTDESK_OUTBOX_UNKNOWN_SETTLE_MS", "1000"),
    ("FRONTDESK_OUTBOX_RETRY_LADDER_MS", "200,400,800,1600,3000"),
    ("FRONTDESK_OUTBOX_BREAKER_OPEN_MS", "1000"),
    ("FRONTDESK_WEBHOOKS_RETRY_LADDER_MS", "200,500,1000,2000"),
    ("FRONTDESK_LINKED_WHATSAPP_LEASE_MS", "3000"),
    ("FRONTDESK_LINKED_WHATSAPP_BACKOFF_FIRST_MS", "100"),
];

/// One of the programs.
struct End {
    program: Program,
    database: Database,
    agent: Agent,
}

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let folder = tempfile::Builder::new().prefix("torture-").tempdir()?;
    let provider = Provider::open(CUSTOMERS).await?;
    provider
        .sandbox
        .world()
        .inboxes
        .insert(SESSION.to_owned(), Inbox::linked_phone(SESSION, NUMBER, "Reception"));
    let mut ends = Vec::new();
    for name in ["first", "second"] {
        let place = folder.path().join(name);
        std::fs::create_dir_all(&place)?;
        ends.push(open(&trial, &place, &provider).await?);
    }
    connect(&ends, &provider).await?;
    for n in 0..CUSTOMERS {
        write(&provider, n)?;
    }
    let conversations = known(&ends[1]).await?;
    let written = Arc::new(std::sync::atomic::AtomicUsize::new(CUSTOMERS));
    let over = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn(keep_writing(provider.clone(), written.clone(), over.clone()));
    let answering = tokio::spawn(keep_answering(ends[1].agent.clone(), conversations, over.clone()));
    let kills = trial.pick(6, 60);
    for n in 0..kills {
        tokio::time::sleep(Duration::from_millis(rand::random_range(400..1_600))).await;
        let end = &mut ends[n % 2];
        end.program.kill()?;
        // Sometimes the other one finds nobody for a while.
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..800))).await;
        report.recoveries.push(end.program.start().await?);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    over.store(true, Ordering::Relaxed);
    writing.await??;
    let answers = answering.await??;
    let written = written.load(Ordering::Relaxed);
    let began = Instant::now();
    while !is_through(&ends, written, answers).await? && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    report.figure(format!("everything was in its place {:.0?} after the last kill", began.elapsed()));
    judge(&ends, &provider, written, answers, &mut report).await?;
    report.size = format!("{written} messages of customers, {answers} answers, {kills} kills");
    for end in &mut ends {
        let status = end.program.terminate().await?;
        report.expect(status.code() == Some(0), || format!("it did not stop well: {status}"));
        let panics = end.program.logged("panicked at")?;
        report.expect(panics == 0, || format!("it panicked {panics} times"));
    }
    if !report.findings.is_empty() {
        report.figure(format!("logs and databases are kept in {}", folder.keep().display()));
    }
    Ok(report)
}

/// A program with a database, a user and a token, running.
async fn open(trial: &Trial, place: &std::path::Path, provider: &Provider) -> anyhow::Result<End> {
    let database = Database::make(trial.kind, place).await?;
    let mut program = Program::new(trial, place, &database, &provider.graph_url)?;
    QUICK.iter().for_each(|(name, value)| program.set(name, value));
    program.set("WHATSAPP_SIMULATOR_URL", provider.graph_url.trim_end_matches("/graph"));
    let url = program.url();
    program.set("FRONTDESK_PUBLIC_URL", &url);
    program.run(&["migrate"], "")?;
    let user = ["user", "create", "--email", EMAIL, "--name", "Ana", "--role", "admin", "--password-stdin"];
    program.run(&user, PASSWORD)?;
    let token = program.run(&["token", "create", "--email", EMAIL], "")?;
    program.start().await?;
    Ok(End { agent: Agent::new(&url, &token)?, program, database })
}

/// Links the phone to the first, and makes the second a client of it.
async fn connect(ends: &[End], provider: &Provider) -> anyhow::Result<()> {
    let [first, second] = ends else { anyhow::bail!("a chain has two ends") };
    let hook = format!("{}/api/webhook/whatsapp", second.program.url());
    let new = json!({ "session_id": SESSION, "webhook_url": hook });
    let made = first.agent.post("/api/v1/sessions", new).await?;
    let secret = made["data"]["webhook_secret"].as_str().context("a session has a secret")?.to_owned();
    first.agent.get(&format!("/api/v1/sessions/{SESSION}/qr")).await?;
    let inbox = provider.sandbox.world().inboxes.get(SESSION).cloned().context("the phone is there")?;
    linked::scan(&provider.sandbox, &inbox, None, Some(SESSION))?;
    let began = Instant::now();
    while first.agent.get(&format!("/api/v1/sessions/{SESSION}/status")).await?["data"]["state"]
        != "connected"
    {
        ensure!(began.elapsed() < PATIENCE, "the phone is not linked");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let settings = json!({
        "api_url": format!("{}/api/v1", first.program.url()),
        "session_id": SESSION,
        "email": EMAIL,
        "password": PASSWORD,
        "webhook_secret": secret,
        "rate_limit_per_minute": "0",
    });
    let new = json!({ "channel": "whatsapp_gateway", "name": "Chain", "settings": settings });
    second.agent.post("/api/v1/inboxes", new).await.map(drop)
}

/// A customer writes to the phone.
fn write(provider: &Provider, n: usize) -> anyhow::Result<()> {
    let message = json!({ "inbox_id": SESSION, "kind": "text", "text": format!("{MARK} {n}") });
    let message: CustomerMessage = serde_json::from_value(message)?;
    phone::act(&provider.sandbox, &format!("c{}", n % CUSTOMERS), &message)
        .map(drop)
        .map_err(|error| anyhow::anyhow!("a customer cannot write: {error}"))
}

/// Waits until everybody is known at the second; their conversations.
async fn known(second: &End) -> anyhow::Result<Vec<i64>> {
    let began = Instant::now();
    loop {
        let conversations = second.agent.conversations().await?;
        if conversations.len() == CUSTOMERS {
            return Ok(conversations);
        }
        ensure!(began.elapsed() < PATIENCE, "{} of {CUSTOMERS} customers are known", conversations.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn keep_writing(
    provider: Provider,
    written: Arc<std::sync::atomic::AtomicUsize>,
    over: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    while !over.load(Ordering::Relaxed) {
        write(&provider, written.load(Ordering::Relaxed))?;
        written.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    Ok(())
}

/// Answers until it is over, each until it is taken; how many were.
async fn keep_answering(
    agent: Agent,
    conversations: Vec<i64>,
    over: Arc<AtomicBool>,
) -> anyhow::Result<usize> {
    let mut taken = 0;
    while !over.load(Ordering::Relaxed) {
        let (conversation, text) =
            (conversations[taken % conversations.len()], format!("{MARK} answer {taken}"));
        let began = Instant::now();
        loop {
            let answer = agent.reply(conversation, &text, &format!("chained-{taken}")).await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            ensure!(began.elapsed() < PATIENCE, "answer {taken} is not taken");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        taken += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(taken)
}

/// The messages of a side, and how far ours came.
async fn stored(end: &End) -> anyhow::Result<(Vec<Stored>, Vec<Stored>)> {
    Ok(end.database.messages().await?.into_iter().partition(|message| message.inbound))
}

fn has_arrived(message: &Stored) -> bool {
    ["delivered", "read", "played"].contains(&message.status.as_str())
}

async fn is_through(ends: &[End], written: usize, answers: usize) -> anyhow::Result<bool> {
    for end in ends {
        let (inbound, ours) = stored(end).await?;
        if inbound.len() < written || ours.iter().filter(|message| has_arrived(message)).count() < answers {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Compares both ends and the phone with what was written.
async fn judge(
    ends: &[End],
    provider: &Provider,
    written: usize,
    answers: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let texts: Vec<String> = {
        let world = provider.sandbox.world();
        let sent = world.deliveries.iter().filter(|one| one.entry.inbox_id == SESSION);
        sent.filter_map(|one| one.entry.text.clone()).collect()
    };
    let answer = |n: usize| format!("{MARK} answer {n}");
    compare("the phone", texts, (0..answers).map(answer), report);
    for (end, name) in ends.iter().zip(["the first", "the second"]) {
        let (inbound, ours) = stored(end).await?;
        let texts = inbound.into_iter().filter_map(|message| message.content);
        compare(name, texts, (0..written).map(|n| format!("{MARK} {n}")), report);
        let late: Vec<&Stored> = ours.iter().filter(|message| !has_arrived(message)).collect();
        report.expect(late.is_empty(), || {
            format!("{name} does not know that {} answers arrived: {late:?}", late.len())
        });
        let texts = ours.into_iter().filter_map(|message| message.content);
        compare(&format!("the outbox of {name}"), texts, (0..answers).map(answer), report);
        let faults = end.database.faults().await?;
        report.expect(faults.is_empty(), || format!("the database of {name} is not whole: {faults:?}"));
    }
    Ok(())
}

/// Each text has to be there once.
fn compare(
    place: &str,
    there: impl IntoIterator<Item = String>,
    wanted: impl Iterator<Item = String>,
    report: &mut Report,
) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    there.into_iter().for_each(|text| *counts.entry(text).or_default() += 1);
    for text in wanted {
        report.tally.promised += 1;
        match counts.remove(&text) {
            Some(1) => {}
            None => {
                report.tally.lost += 1;
                report.findings.push(format!("{place} lacks \"{text}\""));
            }
            Some(times) => {
                report.tally.doubled += 1;
                report.findings.push(format!("{place} has \"{text}\" {times} times"));
            }
        }
    }
    report.tally.ghosts += counts.len();
    report.expect(counts.is_empty(), || {
        format!("{place} has what nobody wrote: {:?}", Value::from_iter(counts.keys().cloned()))
    });
}
