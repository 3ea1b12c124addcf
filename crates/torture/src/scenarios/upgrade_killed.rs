//! `kill -9` in the middle of an upgrade of a filled database of the first version: it is the old one or the new one,
//! never something between, and the next start makes it the new one with every row.

use std::time::{Duration, Instant};

use crate::database::{Database, Kind};
use crate::program::Program;
use crate::provider::Provider;
use crate::report::Report;
use crate::trial::Trial;

/// The schema of the first version, which never changes any more.
const SQLITE: &str = include_str!("../../../store/src/migrations/sqlite/0001_start.sql");
const POSTGRES: &str = include_str!("../../../store/src/migrations/postgres/0001_start.sql");
const FILL: &str = include_str!("../first_version.sql");
/// Kills of one database before it is left in peace.
const KILLS: usize = 3;
/// What has to be there afterwards as before.
const TABLES: [&str; 5] = ["messages", "contacts", "conversations", "events", "webhook_logs"];

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let provider = Provider::open(0).await?;
    let (messages, rounds) = (trial.pick(2_000, 100_000), trial.pick(3, 25));
    // How long it takes when nobody disturbs it, and what it leads to.
    let undisturbed = Old::make(&trial, &provider, messages).await?;
    let old = undisturbed.shape().await?;
    let began = Instant::now();
    undisturbed.program.run(&["migrate"], "")?;
    let took = began.elapsed();
    let new = undisturbed.shape().await?;
    report.expect(old.schema < new.schema, || "there is nothing to upgrade".to_owned());
    let (mut early, mut late) = (0, 0);
    for round in 0..rounds {
        let mut place = Old::make(&trial, &provider, messages).await?;
        for kill in 1..=KILLS {
            place.program.spawn(&["migrate"])?;
            // The first comes early: a small database is upgraded long before the program has ended.
            let latest = 0.9 * (kill as f64 / KILLS as f64).powi(2);
            tokio::time::sleep(took.mul_f64(rand::random_range(0.0..latest))).await;
            place.program.kill()?;
            let found = place.shape().await?;
            report.expect(found == old || found == new, || {
                format!("round {round}: half an upgrade: {found:?}")
            });
            if found == old { early += 1 } else { late += 1 }
        }
        let began = Instant::now();
        place.program.run(&["migrate"], "")?;
        report.recoveries.push(began.elapsed());
        let found = place.shape().await?;
        report.expect(found == new, || format!("round {round}: {found:?} instead of {new:?}"));
        let faults = place.database.faults().await?;
        report.expect(faults.is_empty(), || format!("round {round}: the database is not whole: {faults:?}"));
    }
    report.size = format!("{rounds} upgrades of {messages} messages, {} kills", rounds * KILLS);
    report
        .figure(format!("undisturbed it takes {took:.2?}; {early} kills came before its end, {late} after"));
    report.expect(early > 0, || "no kill struck an upgrade".to_owned());
    // What it waits for longest is the end of a killed one's transaction.
    report.expect_recovery(took * 3 + Duration::from_secs(2), took * 5 + Duration::from_secs(10));
    Ok(report)
}

/// A database of the first version, and the program that is to upgrade it.
struct Old {
    _folder: tempfile::TempDir,
    database: Database,
    program: Program,
}

/// What tells old and new apart: the number of the schema, how many tables and indexes there are, and how many rows.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    schema: i64,
    relations: i64,
    rows: Vec<i64>,
}

impl Old {
    async fn make(trial: &Trial, provider: &Provider, messages: usize) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("torture-").tempdir()?;
        let database = Database::make(trial.kind, folder.path()).await?;
        let (schema, secret) = match trial.kind {
            Kind::Sqlite => (SQLITE, "x'00ff'"),
            Kind::Postgres => (POSTGRES, "'\\x00ff'"),
        };
        let fill = FILL
            .replace("{messages}", &messages.to_string())
            .replace("{contacts}", &(messages / 10).to_string())
            .replace("{secret}", secret);
        database.execute(&format!("BEGIN; {schema} {fill} COMMIT;")).await?;
        let program = Program::new(trial, folder.path(), &database, &provider.graph_url)?;
        Ok(Self { _folder: folder, database, program })
    }

    async fn shape(&self) -> anyhow::Result<Shape> {
        match &self.database {
            Database::Postgres { .. } => Shape::of(&self.database).await,
            // Looking makes SQLite clear up what a kill left behind; the program is to do that. So a copy is looked at.
            Database::Sqlite(path) => {
                let folder = tempfile::Builder::new().prefix("torture-").tempdir()?;
                for beside in ["", "-wal", "-journal"] {
                    let file = format!("{}{beside}", path.display());
                    if std::fs::exists(&file)? {
                        std::fs::copy(&file, folder.path().join(format!("copy.db{beside}")))?;
                    }
                }
                let copy = Database::Sqlite(folder.path().join("copy.db"));
                copy.execute("BEGIN IMMEDIATE; COMMIT").await?;
                Shape::of(&copy).await
            }
        }
    }
}

impl Shape {
    async fn of(database: &Database) -> anyhow::Result<Self> {
        let relations = match database {
            // Without the statistics that SQLite keeps of itself.
            Database::Sqlite(_) => "SELECT COUNT(*) FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'",
            Database::Postgres { .. } => {
                "SELECT COUNT(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            }
        };
        let mut rows = Vec::new();
        for table in TABLES {
            rows.push(database.number(&format!("SELECT COUNT(*) FROM {table}")).await?);
        }
        Ok(Self {
            schema: database.number("SELECT MAX(number) FROM schema_migrations").await?,
            relations: database.number(relations).await?,
            rows,
        })
    }
}
