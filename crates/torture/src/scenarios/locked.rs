//! Another process holds the database's lock for longer than anyone waits.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::database::{Database, connect};
use crate::provider::MARK;
use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

/// A request that cannot be carried out is told so within this time.
const TOLD_WITHIN: Duration = Duration::from_secs(8);
/// Writes are taken again this soon after the lock is gone.
const BACK_WITHIN: Duration = Duration::from_secs(7);

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let scene = Scene::open(&trial, Plan::default()).await?;
    // Meta waits twenty seconds.
    scene.provider.sandbox.world().settings.retry.timeout_ms = 20_000;
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 100, replies_per_second: 20 });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let hold = trial.pick(Duration::from_secs(7), Duration::from_secs(30));
    let lock = Lock::take(&scene.database).await?;
    let end = Instant::now() + hold;
    let began = Instant::now();
    let told = refusal(&scene).await?;
    report.figure(format!("a write was answered {} after {:.1?}", told.0, began.elapsed()));
    report.expect(told.0 == 503 && told.1, || {
        format!("a write was answered {}, Retry-After: {}", told.0, told.1)
    });
    report.expect(began.elapsed() <= TOLD_WITHIN, || {
        format!("a write was answered only after {:.1?}", began.elapsed())
    });
    while Instant::now() < end {
        let read = scene.agent.get("/api/v1/conversations").await;
        report.expect(read.is_ok(), || format!("nothing can be read while the database is locked: {read:?}"));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let (taken, began) = (scene.provider.answered(200), Instant::now());
    lock.release().await?;
    while scene.provider.answered(200) <= taken && began.elapsed() < BACK_WITHIN * 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    report.recoveries.push(began.elapsed());
    report.expect_recovery(BACK_WITHIN, BACK_WITHIN);
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    let (webhooks, refused) = (scene.ledger.count_written(), scene.provider.answered(503));
    report.size = format!("{webhooks} webhooks, {} replies", scene.ledger.count_accepted());
    report.figure(format!("{refused} webhooks were answered 503 in {hold:?}, and came again"));
    report.expect(refused > 0, || "no webhook was told to come again".to_owned());
    scene.close(report).await
}

/// How a write is answered that cannot be carried out: the status, and whether it says when to come again.
async fn refusal(scene: &Scene) -> anyhow::Result<(u16, bool)> {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
    let path = format!("{}/admin/inbox/{}/messages", scene.agent.url(), scene.conversations[0]);
    let body = json!({"content": format!("{MARK} under lock"), "client_key": "under lock"});
    let answer = http.post(path).bearer_auth(scene.agent.token()).json(&body).send().await?;
    Ok((answer.status().as_u16(), answer.headers().contains_key("retry-after")))
}

/// The lock of someone else.
enum Lock {
    Sqlite(mpsc::Sender<()>, std::thread::JoinHandle<Result<(), rusqlite::Error>>),
    Postgres(tokio_postgres::Client),
}

impl Lock {
    /// Keeps everybody else from writing.
    async fn take(database: &Database) -> anyhow::Result<Self> {
        match database {
            Database::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path)?;
                connection.busy_timeout(Duration::from_secs(10))?;
                connection.execute_batch("BEGIN IMMEDIATE")?;
                let (release, released) = mpsc::channel();
                let holding = std::thread::spawn(move || {
                    let _ = released.recv(); // or the scenario is over
                    connection.execute_batch("ROLLBACK")
                });
                Ok(Self::Sqlite(release, holding))
            }
            Database::Postgres { url, .. } => {
                // Every change of anything numbers an event of its account.
                let client = connect(url).await?;
                client.batch_execute("BEGIN; LOCK TABLE messages IN EXCLUSIVE MODE").await?;
                Ok(Self::Postgres(client))
            }
        }
    }

    async fn release(self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(release, holding) => {
                drop(release);
                let ended = tokio::task::spawn_blocking(move || holding.join()).await?;
                Ok(ended.map_err(|_| anyhow::anyhow!("the holder of the lock panicked"))??)
            }
            Self::Postgres(client) => Ok(client.batch_execute("ROLLBACK").await?),
        }
    }
}
