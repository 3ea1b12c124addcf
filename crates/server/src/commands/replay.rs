//! `frontdesk replay`: webhooks that were kept but could not be applied when they came.

use std::process::ExitCode;

use clap::Args;
use frontdesk_engine::intake::replay::{self, ReplayError};
use frontdesk_model::WebhookLogId;
use frontdesk_store::webhook_logs::WebhookState;

use super::{Surroundings, UsageError, output};

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Replay {
    /// All that are kept and not applied: failed, unreadable, or for an inbox that was not there
    #[arg(long)]
    failed: bool,
    /// One entry of the webhook log
    #[arg(long)]
    id: Option<i64>,
}

pub async fn run(command: &Replay, surroundings: &Surroundings) -> anyhow::Result<ExitCode> {
    let engine = surroundings.engine().await?;
    let Some(id) = command.id else {
        let report = replay::replay_open(&engine).await?;
        output::json(&report)?;
        // Something left is something to look at: scripts notice by the exit code.
        return Ok(if report.remaining == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    };
    let state = match replay::replay(&engine, WebhookLogId(id)).await {
        Ok(state) => state,
        Err(ReplayError::NotFound) => {
            return Err(UsageError(format!("the webhook log has no entry {id}")).into());
        }
        Err(error) => return Err(error.into()),
    };
    output::json(&serde_json::json!({ "id": id, "state": state }))?;
    Ok(if state == WebhookState::Applied { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
