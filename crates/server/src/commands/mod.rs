//! The command line. Names, exit codes and what goes to stdout are a contract: scripts and packagers rely on them.
//!
//! Data goes to stdout, everything else to stderr. Exit codes: 0 done, 2 wrong usage or settings, 1 anything else.

mod account;
mod archive;
mod backup;
mod demo;
mod doctor;
mod erase;
mod inbox;
mod migrate;
mod migrate_database;
mod output;
mod replay;
mod restore;
mod sandbox;
mod serve;
mod suggest_eval;
mod suggest_rebuild;
mod sync;
mod token;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};
use frontdesk_engine::Engine;
use frontdesk_model::SharedClock;
use frontdesk_model::clock::SystemClock;

use crate::settings::{Environment, Settings, SettingsError};
use crate::traces::Traces;
use crate::{logging, wiring};

/// The inbox where a small team answers every customer: WhatsApp, Messenger and Instagram in one place.
#[derive(Parser)]
#[command(name = "frontdesk", version = crate::native::VERSION, max_term_width = 100)]
#[command(
    after_help = "Settings come from the defaults, the file given with --config, and the environment, the later \
    before the earlier; config.example.toml explains them all. `frontdesk doctor` looks them over.\n\n\
    Exit codes: 0 done, 2 wrong usage or settings, 1 anything else."
)]
struct Cli {
    /// Settings file (TOML); only the lines that differ from the defaults are needed
    #[arg(long, value_name = "FILE", env = "FRONTDESK_CONFIG", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve,
    /// Run the server with fake providers on a fresh data folder, to try everything out
    Demo(demo::Demo),
    /// Run the fake providers alone: for tests and integrators
    Sandbox(sandbox::SandboxCommand),
    /// Bring the database's schema up to date (`serve` does it too)
    Migrate,
    /// Move everything to another, empty database; the server must be stopped
    MigrateDatabase(migrate_database::MigrateDatabase),
    /// Check settings, key, database, disk, clock, webhooks and every inbox, and say what to do
    Doctor(doctor::Doctor),
    /// Write a copy of the database, while the server runs
    Backup(backup::Backup),
    /// Put a backup in place; the server must be stopped
    Restore(restore::Restore),
    /// Apply webhooks again that could not be applied when they came
    Replay(replay::Replay),
    /// Erase one customer for good: messages, files, names, raw webhooks
    Erase(erase::Erase),
    /// Users who sign in
    #[command(subcommand)]
    User(user::UserCommand),
    /// API tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Inboxes: connected accounts
    #[command(subcommand)]
    Inbox(inbox::InboxCommand),
    /// Keep people in step with Chatwoot: run, show runs
    #[command(subcommand)]
    Sync(sync::SyncCommand),
    /// Measure on labelled questions of your own how well replies are suggested
    SuggestEval(suggest_eval::SuggestEval),
    /// Learn again, from all conversations, what replies are suggested from
    SuggestRebuild(suggest_rebuild::SuggestRebuild),
}

/// A command that was given wrongly: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct UsageError(String);

/// What every command has to start with.
struct Surroundings {
    settings: Settings,
    environment: Environment,
    config: Option<PathBuf>,
    clock: SharedClock,
}

impl Surroundings {
    /// The engine on the database of the settings, for one command: no workers run.
    async fn engine(&self) -> anyhow::Result<Engine> {
        wiring::build_engine(&self.settings, self.clock.clone()).await
    }
}

/// Reads the command line, carries it out and says how it ended.
pub fn run() -> ExitCode {
    frontdesk_provider_http::install_crypto();
    let cli = Cli::parse(); // ends the program with 2 and a hint when the command line is wrong
    match start(cli) {
        Ok(code) => code,
        Err(error) => {
            output::explain(&error);
            let wrongly_used = error.chain().any(|e| e.is::<SettingsError>() || e.is::<UsageError>());
            ExitCode::from(if wrongly_used { 2 } else { 1 })
        }
    }
}

fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    let environment = Environment::of_process();
    let settings = Settings::load(cli.config.as_deref(), &environment)?;
    let long_running = matches!(cli.command, Command::Serve | Command::Sandbox(_));
    let traces = if long_running { Traces::start(&settings.traces)? } else { None };
    logging::start(&settings.log, traces.as_ref(), long_running)?;
    let clock = Arc::new(SystemClock);
    let surroundings = Surroundings { settings, environment, config: cli.config, clock };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the threads of the program could not be started")?;
    let result = runtime.block_on(carry_out(cli.command, surroundings));
    // A blocking call that hangs (a dead network disk) must not keep the program from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    if let Some(traces) = traces {
        traces.finish();
    }
    result
}

async fn carry_out(command: Command, surroundings: Surroundings) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve => serve::run(surroundings).await?,
        Command::Demo(demo) => demo::run(demo, surroundings).await?,
        Command::Sandbox(sandbox) => sandbox::run(sandbox).await?,
        Command::Migrate => migrate::run(&surroundings).await?,
        Command::MigrateDatabase(command) => migrate_database::run(command, &surroundings).await?,
        Command::Doctor(doctor) => return doctor::run(&doctor, &surroundings).await,
        Command::Backup(backup) => backup::run(backup, &surroundings).await?,
        Command::Restore(restore) => restore::run(restore, &surroundings).await?,
        Command::Replay(replay) => return replay::run(&replay, &surroundings).await,
        Command::Erase(command) => erase::run(&command, &surroundings).await?,
        Command::User(command) => user::run(command, &surroundings).await?,
        Command::Token(command) => token::run(command, &surroundings).await?,
        Command::Inbox(command) => inbox::run(command, &surroundings).await?,
        Command::Sync(command) => return sync::run(command, &surroundings).await,
        Command::SuggestEval(command) => return suggest_eval::run(&command),
        Command::SuggestRebuild(command) => suggest_rebuild::run(&command, &surroundings).await?,
    }
    Ok(ExitCode::SUCCESS)
}
