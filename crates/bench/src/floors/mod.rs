//! Floors: the least a program must do to answer as the product does, with the same libraries. What is measured beside
//! them says how much of the machine the product leaves unused, whatever machine it is.
//!
//! Each runs as a process of its own, as the product does: `frontdesk-bench floor`.

mod fan_out;
mod ingest;
mod sqlite;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use clap::{Args, ValueEnum};
use tokio::net::TcpListener;

use crate::bench::Bench;
use crate::process::{self, Process};

/// What a floor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Floor {
    /// Checks the signature, keeps nothing.
    Hmac,
    /// Checks the signature, commits to SQLite with `synchronous = FULL`: what came while the last commit ran goes
    /// into the next one.
    SqliteFull,
    /// Checks the signature, commits to PostgreSQL: what came while the last commit ran is one statement.
    PgGroup,
    /// Passes events on to sockets.
    FanOut,
}

impl Floor {
    /// As the table names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hmac => "floor: http_hmac",
            Self::SqliteFull => "floor: http_sqlite_full",
            Self::PgGroup => "floor: http_pg_group",
            Self::FanOut => "floor: axum fan-out",
        }
    }

    /// Where it takes webhooks.
    pub const PATH: &str = "/hook";
}

/// How a floor is started.
#[derive(Debug, Args)]
pub struct FloorCommand {
    /// What it does
    #[arg(long)]
    floor: Floor,
    /// Address to listen on
    #[arg(long)]
    listen: String,
    /// Folder for its database file
    #[arg(long)]
    folder: PathBuf,
    /// PostgreSQL database
    #[arg(long)]
    postgres: Option<String>,
}

/// Serves until it is killed.
pub async fn serve(command: FloorCommand) -> anyhow::Result<()> {
    let router = match command.floor {
        Floor::Hmac => ingest::router(ingest::Keep::Nothing),
        Floor::SqliteFull => ingest::router(ingest::Keep::Queue(sqlite::writer(&command.folder)?)),
        Floor::PgGroup => {
            let url = command.postgres.context("--postgres is missing")?;
            ingest::router(ingest::Keep::Queue(ingest::postgres_writer(&url).await?))
        }
        Floor::FanOut => fan_out::router(),
    };
    let listener = TcpListener::bind(&command.listen).await?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        let _ = stream.set_nodelay(true); // without it an answer is late, but it comes
    });
    Ok(axum::serve(listener, router).await?)
}

/// A floor that runs, with the database it was given.
pub struct Running {
    /// Where it listens.
    pub address: String,
    /// The process.
    pub process: Process,
    database: Option<String>,
    _folder: tempfile::TempDir,
}

impl Running {
    /// Starts this program once more, as a floor.
    pub async fn start(bench: &Bench, floor: Floor) -> anyhow::Result<Self> {
        let folder = tempfile::TempDir::with_prefix_in("floor-", &bench.folder)?;
        let address = process::free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        let name = floor.to_possible_value().context("a floor without a name")?;
        command
            .args(["floor", "--floor", name.get_name(), "--listen", &address, "--folder"])
            .arg(folder.path());
        let mut database = None;
        if floor == Floor::PgGroup {
            let url = bench.postgres()?.create().await?;
            command.args(["--postgres", &url]);
            database = Some(url);
        }
        let mut process = Process::start(command, floor.name(), folder.path())?;
        process.ready(&address, "/healthz").await?;
        Ok(Self { address, process, database, _folder: folder })
    }

    /// Stops it and removes its database.
    pub async fn stop(self, bench: &Bench) -> anyhow::Result<()> {
        self.process.stop().await?;
        match &self.database {
            Some(url) => bench.postgres()?.remove(url).await,
            None => Ok(()),
        }
    }
}
