//! `make bench`: how fast the finished program is, beside what this machine allows at best and what others run.
//!
//! Everything is measured in one run, in turns, and said as medians and ratios: figures of different machines cannot be
//! compared, ratios can. The product is known from outside alone, by HTTP, WebSocket and its commands: whatever its
//! inside becomes, the measure stays the same.
//!
//! To add a scenario: a file in `scenarios/` and a variant in [`scenarios::Scenario`].

mod bench;
mod clock;
mod figures;
mod floors;
mod load;
mod machine;
mod peers;
mod postgres;
mod process;
mod product;
mod progress;
mod scenarios;
mod table;
mod webhook;
mod words;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::bench::{Bench, Sizes};
use crate::postgres::Postgres;
use crate::scenarios::Scenario;

/// Measures Frontdesk beside the floor of this machine.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Subcommand)]
enum Command {
    /// Serves as a floor (the benchmark starts it by itself)
    #[command(hide = true)]
    Floor(floors::FloorCommand),
}

#[derive(Args)]
struct Run {
    /// Only this scenario; repeat for several
    #[arg(long, value_enum)]
    only: Vec<Scenario>,
    /// How often everyone is measured, in turn
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// How long each load counts; before it counts it runs a quarter of that
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Small and short: shows that everything works, its figures mean little
    #[arg(long)]
    quick: bool,
    /// Messages that are there when the flow is measured again, rising; repeat or separate by commas
    #[arg(long, value_delimiter = ',')]
    history: Vec<u64>,
    /// Conversations of the inbox page
    #[arg(long)]
    conversations: Option<u64>,
    /// Messages of the inbox page
    #[arg(long)]
    messages: Option<u64>,
    /// The program
    #[arg(long, default_value = "target/release/frontdesk")]
    product: PathBuf,
    /// Where databases are put while it runs: a disk like the one that will be used, not one in memory
    #[arg(long, default_value = "target")]
    folder: PathBuf,
    /// Write the tables to this file too
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// PostgreSQL server where databases may be made; without it everything runs on SQLite alone
    #[arg(long, env = "TEST_DATABASE_URL", hide_env_values = true)]
    postgres: Option<String>,
    /// Folder that scripts/bench-peers installed others' servers in
    #[arg(long, env = "BENCH_PEERS")]
    peers: Option<PathBuf>,
}

fn main() -> ExitCode {
    let done = match Cli::parse() {
        Cli { command: Some(Command::Floor(floor)), .. } => serve_floor(floor),
        Cli { command: None, run } => measure(run),
    };
    done.unwrap_or_else(|error| {
        progress::note(format_args!("bench: {error:#}"));
        ExitCode::FAILURE
    })
}

/// As many threads as the product has.
fn serve_floor(command: floors::FloorCommand) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(floors::serve(command))?;
    Ok(ExitCode::SUCCESS)
}

/// The clients live on one thread.
fn measure(run: Run) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let only = run.only.clone();
        let write = run.write.clone();
        let bench = prepare(run)?;
        let machine = machine::describe(&bench.binary, &bench.folder, bench.postgres.as_ref()).await?;
        progress::note(format_args!("{machine}"));
        let mut report = format!("{}\n{machine}\n", include_str!("report_head.md"));
        let mut failures = 0;
        for scenario in Scenario::value_variants().iter().filter(|one| only.is_empty() || only.contains(one))
        {
            let text = match scenario.run(&bench).await {
                Ok(table) => {
                    failures += table.failures();
                    format!("\n{table}")
                }
                Err(error) => {
                    failures += 1;
                    format!("\n{scenario:?} failed: {error:#}\n")
                }
            };
            std::io::stdout().write_all(text.as_bytes())?;
            report.push_str(&text);
        }
        if let Some(file) = write {
            std::fs::write(&file, report).with_context(|| format!("{} cannot be written", file.display()))?;
        }
        Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// The usual sizes, but for those that were given.
fn sizes(run: &Run) -> Sizes {
    let mut sizes = if run.quick { Sizes::quick() } else { Sizes::full() };
    if !run.history.is_empty() {
        sizes.history.clone_from(&run.history);
    }
    sizes.conversations = run.conversations.unwrap_or(sizes.conversations);
    sizes.messages = run.messages.unwrap_or(sizes.messages);
    sizes
}

fn prepare(run: Run) -> anyhow::Result<Bench> {
    let sizes = sizes(&run);
    let binary = run.product.canonicalize();
    let binary = binary.with_context(|| format!("there is no program {}", run.product.display()))?;
    std::fs::create_dir_all(&run.folder)?;
    let seconds = if run.quick { 1 } else { run.seconds };
    Ok(Bench {
        binary,
        folder: run.folder.canonicalize()?,
        peers: run.peers,
        rounds: if run.quick { 1 } else { run.rounds.into() },
        measured: Duration::from_secs(seconds),
        warm_up: Duration::from_millis(seconds * 250),
        sizes,
        postgres: run.postgres.map(Postgres::new),
    })
}
