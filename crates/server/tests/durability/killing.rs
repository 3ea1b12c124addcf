//! `kill -9` in the middle of webhooks and replies.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use frontdesk_sandbox::Sandbox;
use serde_json::Value;

use super::database::{Database, Stored};
use super::program::{ACCESS_TOKEN, APP_SECRET, PASSWORD, PUSHER_SECRET, Program, VERIFY_TOKEN};
use super::traffic::{Ledger, MARK, NUMBERS, agent, customers, greet, open_provider};

const KILLS: usize = 5;
const AGENTS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::sqlite(folder.path()).await;
    torture(folder.path(), &database).await;
    let report = frontdesk_store::sqlite_file::examine(&folder.path().join("frontdesk.db"), true).unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    let folder = tempfile::tempdir().unwrap();
    torture(folder.path(), &database).await;
}

async fn torture(folder: &Path, database: &Database) {
    let (sandbox, provider) = open_provider().await;
    let mut program = Program::new(folder, database, &format!("{provider}/graph"));
    let token = furnish(&program, &sandbox);
    program.start().await;
    sandbox.world().settings.webhook.url = Some(format!("{}/api/webhooks/messages", program.url()));

    let (ledger, stop) = (Arc::new(Ledger::default()), Arc::new(AtomicBool::new(false)));
    greet(&sandbox, &ledger);
    assert!(sandbox.webhooks().wait_idle(Duration::from_secs(20)).await);
    let conversations = conversations(&program, &token).await;
    let mut traffic = vec![tokio::spawn(customers(sandbox.clone(), ledger.clone(), stop.clone()))];
    for theirs in conversations.chunks(conversations.len().div_ceil(AGENTS)) {
        let (url, token, theirs) = (program.url(), token.clone(), theirs.to_vec());
        traffic.push(tokio::spawn(agent(url, token, theirs, ledger.clone(), stop.clone())));
    }

    let mut starts = Vec::new();
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        program.kill();
        starts.push(program.start().await);
    }
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    stop.store(true, Ordering::Relaxed);
    for task in traffic {
        task.await.unwrap();
    }
    starts.sort();
    assert!(starts[KILLS / 2] <= Duration::from_secs(2), "ready again only after {starts:?}");

    assert!(sandbox.webhooks().wait_idle(Duration::from_secs(60)).await, "webhooks are still under way");
    let stored = settled(database, &ledger).await;
    check_inbound(database, &sandbox, &ledger, &stored).await;
    check_replies(&sandbox, &ledger, &stored);

    let status = program.terminate().await;
    assert_eq!(status.code(), Some(0), "it drains and says that all went well");
    check_secrets(&program, folder, database, &token).await;
}

/// A user with a token, and the inbox; secrets go in by stdin. Returns the token.
fn furnish(program: &Program, sandbox: &Sandbox) -> String {
    program.run(&["migrate"], "");
    let user = [
        "user",
        "create",
        "--email",
        "ana@example.org",
        "--name",
        "Ana",
        "--role",
        "admin",
        "--password-stdin",
    ];
    program.run(&user, PASSWORD);
    let token = program.run(&["token", "create", "--email", "ana@example.org"], "");
    let number = sandbox.world().inboxes["whatsapp"].clone();
    let id = format!("phone_number_id={}", number.account_id);
    let business = format!("business_account_id={}", number.business_account_id.unwrap());
    let add = [
        "inbox",
        "add",
        "whatsapp_cloud",
        "--name",
        "W",
        "--set",
        &id,
        "--set",
        &business,
        "--set",
        "access_token=-",
    ];
    program.run(&add, ACCESS_TOKEN);
    token
}

async fn conversations(program: &Program, token: &str) -> Vec<i64> {
    let path = format!("{}/api/v1/conversations?limit=100", program.url());
    let answer = reqwest::Client::new().get(path).bearer_auth(token).send().await.unwrap();
    let list: Value = answer.json().await.unwrap();
    list["data"].as_array().unwrap().iter().map(|c| c["id"].as_i64().unwrap()).collect()
}

/// Waits until no reply is under way any more.
async fn settled(database: &Database, ledger: &Ledger) -> Vec<Stored> {
    for _ in 0..600 {
        let stored = database.messages().await;
        let waits = |m: &&Stored| !m.inbound && matches!(m.status.as_str(), "queued" | "sending");
        if stored.iter().find(waits).is_none() {
            return stored;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("some of {} replies are still under way on {}", ledger.accepted().len(), database.kind());
}

async fn check_inbound(database: &Database, sandbox: &Sandbox, ledger: &Ledger, stored: &[Stored]) {
    let written = ledger.written();
    let unacknowledged = {
        let world = sandbox.world();
        let mut acknowledged = HashSet::new();
        for post in world.webhooks.iter().filter(|w| w.entry.http_status == Some(200)) {
            acknowledged.extend(post.entry.message_ids.iter().cloned());
        }
        written.iter().filter(|id| !acknowledged.contains(*id)).count()
    };
    assert_eq!(unacknowledged, 0, "the provider gave some up: the ledger proves nothing about them");
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for message in stored.iter().filter(|m| m.inbound) {
        *seen.entry(message.remote_id.as_deref().unwrap()).or_default() += 1;
    }
    let lost = written.iter().filter(|id| !seen.contains_key(id.as_str())).count();
    let doubled = seen.values().filter(|count| **count > 1).count();
    let ghosts = seen.keys().filter(|id| !written.contains(**id)).count();
    let summary = format!("of {} on {}", written.len(), database.kind());
    assert_eq!((lost, doubled, ghosts), (0, 0, 0), "lost, doubled, ghosts {summary}");
    assert!(written.len() > 500, "too little traffic to prove anything: {summary}");
    let unread = database.number("SELECT COALESCE(SUM(unread_count), 0) FROM conversations").await;
    assert_eq!(unread, i64::try_from(written.len()).unwrap(), "each counts as unread once");
    assert_eq!(database.number("SELECT COUNT(*) FROM webhook_logs WHERE state <> 'applied'").await, 0);
}

fn check_replies(sandbox: &Sandbox, ledger: &Ledger, stored: &[Stored]) {
    let accepted = ledger.accepted();
    let ours: HashMap<i64, &Stored> = stored.iter().filter(|m| !m.inbound).map(|m| (m.id, m)).collect();
    let mut arrived: HashMap<String, usize> = HashMap::new();
    for delivery in sandbox.world().deliveries.iter() {
        *arrived.entry(delivery.entry.text.clone().unwrap()).or_default() += 1;
    }
    let mut unknown = 0;
    for (id, text) in &accepted {
        let message = ours.get(id).unwrap_or_else(|| panic!("reply {id} is lost"));
        assert_eq!(message.content.as_ref(), Some(text));
        let times = arrived.remove(text).unwrap_or(0);
        match message.status.as_str() {
            "unknown" => {
                unknown += 1;
                assert!(times <= 1, "{text} arrived {times} times");
            }
            "sent" | "delivered" | "read" => assert_eq!(times, 1, "{text} is {}", message.status),
            other => panic!("{text} is {other}"),
        }
    }
    assert_eq!(ours.len(), accepted.len(), "a reply was stored twice or without being asked for");
    assert!(arrived.is_empty(), "customers got what nobody sent: {arrived:?}");
    assert!(accepted.len() > 50, "too few replies to prove anything: {}", accepted.len());
    assert!(unknown > 0, "no kill struck a send: too little to prove anything");
    assert!(unknown <= accepted.len() / 4, "{unknown} of {} are unknown", accepted.len());
}

/// Nothing secret in files, logs or tables; nothing of customers in logs.
async fn check_secrets(program: &Program, folder: &Path, database: &Database, token: &str) {
    let token_secret = token.split_once('|').unwrap().1;
    let secrets = [ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN, PASSWORD, PUSHER_SECRET, token_secret];
    let tables = database.everything().await;
    assert!(tables.contains(MARK), "the search finds what is there");
    let log = std::fs::read(program.log()).unwrap();
    assert!(contains(&log, "Ready") && log.len() > 1_000, "the log is there");
    for secret in secrets {
        assert!(
            !tables.contains(secret) && !tables.contains(&hex::encode(secret)),
            "{secret} is in the database"
        );
        for file in files_below(folder) {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!contains(&bytes, secret), "{secret} is in {}", file.display());
        }
    }
    for private in [MARK, NUMBERS] {
        let line = log.split(|byte| *byte == b'\n').find(|line| contains(line, private));
        assert!(line.is_none(), "the log tells of customers: {}", String::from_utf8_lossy(line.unwrap()));
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}
