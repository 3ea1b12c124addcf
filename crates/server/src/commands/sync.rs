//! `frontdesk sync …`: runs of a sync from the command line, with a bar, beside a running server or without one.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use frontdesk_engine::Engine;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::sync::progress::RunView;
use frontdesk_engine::sync::runs::{self, RunError, Wanted};
use frontdesk_engine::sync::{
    SyncDirection, SyncEntity, SyncProvider, SyncRunRow, SyncRunStatus, connections, worker,
};
use frontdesk_model::{AccountId, SyncConnectionId, SyncRunId};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::account::get_or_create;
use super::{Surroundings, UsageError, output};

/// How often the bar is drawn.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Runs shown.
const SHOWN: i64 = 20;

#[derive(Subcommand)]
pub enum SyncCommand {
    /// Keep people or conversations in step with Chatwoot now; prints what became of it as JSON
    Run(Run),
    /// List connections and the last runs
    Status(Status),
}

#[derive(Args)]
pub struct Run {
    /// Connection, as `conn_1`; can be left out while there is only one that works
    #[arg(long, value_name = "ID")]
    connection: Option<String>,
    /// What
    #[arg(long, value_enum, default_value = "contacts")]
    entity: Entity,
    /// Which way
    #[arg(long, value_enum, default_value = "pull")]
    direction: Direction,
    /// Account whose they are
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Entity {
    /// People
    Contacts,
    /// Conversations with their messages and files, from Chatwoot to here only
    Conversations,
}

#[derive(Clone, Copy, ValueEnum)]
enum Direction {
    /// From Chatwoot to here
    Pull,
    /// From here to Chatwoot
    Push,
}

#[derive(Args)]
pub struct Status {
    /// Account whose they are
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(command: SyncCommand, surroundings: &Surroundings) -> anyhow::Result<ExitCode> {
    let engine = surroundings.engine().await?;
    match command {
        SyncCommand::Run(run) => carry_out(&engine, run).await,
        SyncCommand::Status(status) => show(&engine, status).await.map(|()| ExitCode::SUCCESS),
    }
}

async fn carry_out(engine: &Engine, run: Run) -> anyhow::Result<ExitCode> {
    let account = get_or_create(engine, run.account.as_deref()).await?.id;
    let direction = match run.direction {
        Direction::Pull => SyncDirection::Pull,
        Direction::Push => SyncDirection::Push,
    };
    let entity = match run.entity {
        Entity::Contacts => SyncEntity::Contacts,
        Entity::Conversations => SyncEntity::Conversations,
    };
    let wanted = Wanted { entity, direction };
    let actor = Actor::server(account);
    let asked = match &run.connection {
        Some(text) => {
            let number = text.strip_prefix("conn_").unwrap_or(text).parse();
            let id =
                number.map_err(|_| UsageError(format!("{text} is no connection: give one as conn_1")))?;
            runs::start(engine, actor, SyncConnectionId(id), wanted).await
        }
        None => runs::start_of_provider(engine, actor, SyncProvider::Chatwoot, wanted).await,
    };
    let asked = asked.map_err(explained)?;
    let ended = follow(engine, account, asked.id).await?;
    output::json(&RunView::from(&ended))?;
    // What was not taken over is something to look at: scripts notice by the exit code.
    let is_good = ended.status == SyncRunStatus::Completed && ended.counts.errors == 0;
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Works on the run here unless a server does, and draws how far it is until it has ended.
async fn follow(engine: &Engine, account: AccountId, id: SyncRunId) -> anyhow::Result<SyncRunRow> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {per_sec} {msg}")?);
    let worked = async {
        loop {
            // A server that died leaves it after a while.
            if let Err(error) = worker::work_on(engine, id).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "the run could not be taken");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let drawn = async {
        loop {
            let run = runs::get(engine, account, id).await?;
            draw(&bar, &run);
            if !matches!(run.status, SyncRunStatus::Queued | SyncRunStatus::Running) {
                return Ok::<_, RunError>(run);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        ended = drawn => {
            bar.finish_and_clear();
            Ok(ended?)
        }
        () = worked => unreachable!("it is worked on until it has ended"),
    }
}

fn draw(bar: &ProgressBar, run: &SyncRunRow) {
    let counts = &run.counts;
    let done = counts.created + counts.updated + counts.skipped + counts.errors;
    if let Some(total) = counts.total {
        bar.set_length(u64::try_from(total.max(done)).unwrap_or_default());
    }
    bar.set_position(u64::try_from(done).unwrap_or_default());
    bar.set_message(format!(
        "{} new, {} changed, {} the same, {} errors{}",
        counts.created,
        counts.updated,
        counts.skipped,
        counts.errors,
        run.error.as_deref().map(|why| format!(" ({why})")).unwrap_or_default()
    ));
}

async fn show(engine: &Engine, status: Status) -> anyhow::Result<()> {
    let account = get_or_create(engine, status.account.as_deref()).await?.id;
    let all = connections::list(engine, account).await?;
    let last = runs::list(engine, account, None, SyncRunId(i64::MAX), SHOWN).await?;
    if status.json {
        let all = all.iter().map(|row| {
            json!({ "id": format!("conn_{}", row.id), "name": row.name, "status": row.status, "error": row.error,
                "schedule": row.schedule, "next_run_at": row.next_run_at, "last_sync_at": row.last_sync_at })
        });
        let last: Vec<RunView> = last.iter().map(RunView::from).collect();
        return output::json(&json!({ "connections": all.collect::<Vec<_>>(), "runs": last }));
    }
    let rows: Vec<[String; 4]> = all
        .iter()
        .map(|row| {
            let error = row.error.clone().unwrap_or_default();
            [format!("conn_{}", row.id), row.name.clone(), row.status.as_str().to_owned(), error]
        })
        .collect();
    output::table(["connection", "name", "status", ""], &rows)?;
    let rows: Vec<[String; 5]> = last
        .iter()
        .map(|run| {
            let counts = &run.counts;
            [
                format!("run_{}", run.id),
                format!("conn_{}", run.connection_id),
                run.direction.as_str().to_owned(),
                run.status.as_str().to_owned(),
                format!(
                    "{} new, {} changed, {} the same, {} errors",
                    counts.created, counts.updated, counts.skipped, counts.errors
                ),
            ]
        })
        .collect();
    output::table(["run", "connection", "direction", "status", ""], &rows)?;
    Ok(())
}

fn explained(error: RunError) -> anyhow::Error {
    match error {
        RunError::Store(error) => error.into(),
        RunError::Invalid(_, sentence) => UsageError(sentence).into(),
        RunError::NotFound(_) => UsageError(
            "there is no such connection: make one with POST /api/v1/sync/connections, `frontdesk sync status` lists them"
                .to_owned(),
        )
        .into(),
        error @ RunError::Conflict(_) => UsageError(error.to_string()).into(),
    }
}
