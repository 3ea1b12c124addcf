//! Imports: what an inbox had before its bridge is brought into the inbox there, as a run that is looked at, stopped and
//! resumed like those of sync.
//!
//! A run goes through the inbox ([`walk`]) and queues a little at a time ([`plan`]) as jobs of the bridge, so that what happens
//! meanwhile is not kept waiting, comes in order with it, and nothing is shown twice: in the lane of a conversation one thing
//! is done after the other, whoever asked for it. [`cursor`] is where it stands, [`outcome`] what became of it.

mod cursor;
mod outcome;
mod plan;
mod walk;

use frontdesk_model::sync::{SyncCause, SyncDirection, SyncEntity};
use frontdesk_model::{AccountId, BridgeId};
use frontdesk_store::bridges::{self, BridgeStatus};
use frontdesk_store::sync_runs::{self, NewSyncRun, SyncRunRow};
use frontdesk_store::{Topic, bridge_jobs, sync_connections};
use serde::{Deserialize, Serialize};

use self::cursor::Cursor;
use crate::Engine;
use crate::caller::Actor;
use crate::sync::claim::{Claim, Stop};
use crate::sync::progress;
use crate::sync::runs::{self, RunError};
use crate::sync::worker::Ended;

/// The longest time to look back, in days.
pub const MAX_DAYS: u32 = 3_650;

/// What is asked of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOptions {
    /// Counts alone; nothing is written there.
    pub dry_run: bool,
    /// Looks back so many days; as far as there is something when not given.
    pub days: Option<u32>,
    /// Those who wrote.
    pub contacts: bool,
    /// What was written, by them and to them.
    pub messages: bool,
}

/// How much of one kind was brought over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportTally)]
pub struct Tally {
    /// Brought over; of a dry run: there to be brought over.
    pub created: i64,
    /// There already, or gone here meanwhile.
    pub skipped: i64,
    /// Refused by Chatwoot.
    pub errors: i64,
}

impl Tally {
    fn add(&mut self, more: Self) {
        self.created += more.created;
        self.skipped += more.skipped;
        self.errors += more.errors;
    }
}

/// An import as it is shown: what was asked for, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncImport)]
pub struct ImportView {
    /// The bridge whose inbox is filled.
    pub bridge_id: i64,
    /// It counts alone.
    pub dry_run: bool,
    /// How far it looks back; null: as far as there is something.
    #[schema(required = true)]
    pub days: Option<u32>,
    /// Of those who wrote.
    pub contacts: Tally,
    /// Of what was written.
    pub messages: Tally,
}

/// What is shown of a run that is an import.
pub(crate) fn view(run: &SyncRunRow) -> Option<ImportView> {
    let (bridge, options) = (run.bridge_id?, options(run)?);
    let cursor = Cursor::of(run);
    let tally = |of: fn(&Cursor) -> Tally| cursor.as_ref().map(of).unwrap_or_default();
    Some(ImportView {
        bridge_id: bridge.0,
        dry_run: options.dry_run,
        days: options.days,
        contacts: tally(|cursor| cursor.contacts),
        messages: tally(|cursor| cursor.messages),
    })
}

fn options(run: &SyncRunRow) -> Option<ImportOptions> {
    serde_json::from_str(run.options.as_deref()?).ok()
}

/// Asks for an import; the same one when it is under way.
///
/// Errors: [`RunError`].
pub async fn start(
    engine: &Engine,
    actor: Actor,
    bridge: BridgeId,
    wanted: ImportOptions,
) -> Result<SyncRunRow, RunError> {
    if !wanted.contacts && !wanted.messages {
        let sentence =
            "The messages field must be true when contacts is false: else there is nothing to import.";
        return Err(RunError::Invalid("messages", sentence.to_owned()));
    }
    if wanted.days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
        return Err(RunError::Invalid("days", format!("The days field must be between 1 and {MAX_DAYS}.")));
    }
    let (account, now) = (actor.account_id, engine.clock.now());
    let run = engine
        .store
        .write(move |tx| -> Result<_, RunError> {
            let row = bridges::find(tx, account, bridge)?.ok_or(RunError::NotFound("bridge"))?;
            if row.status == BridgeStatus::Paused || row.remote_inbox_id.is_none() {
                return Err(RunError::Conflict("The bridge carries nothing: switch it on first."));
            }
            let connection = sync_connections::find(tx, account, row.connection_id)?;
            let connection = connection.ok_or(RunError::NotFound("connection"))?;
            let new = NewSyncRun {
                account_id: account,
                connection_id: connection.id,
                provider: connection.provider,
                entity_type: SyncEntity::History,
                direction: SyncDirection::Push,
                cause: SyncCause::Manual,
            };
            let text = serde_json::to_string(&wanted).unwrap_or_default();
            let run = sync_runs::start_import(tx, new, bridge, &text, now)?;
            if run.bridge_id != Some(bridge) || options(&run) != Some(wanted) {
                return Err(RunError::Conflict(
                    "Another import into this Chatwoot is under way: wait for its end, or cancel it.",
                ));
            }
            if run.created_at == now {
                runs::record(tx, actor, "sync_run.started", run.id, now)?;
            }
            tx.signal(Topic::Sync);
            Ok(run)
        })
        .await?;
    progress::tell(engine, &run);
    Ok(run)
}

/// Works on an import until it has ended.
pub(crate) async fn carry_out(engine: &Engine, claim: &mut Claim) -> Result<(), Ended> {
    let (Some(bridge), Some(wanted)) = (claim.run.bridge_id, options(&claim.run)) else {
        return Err(Ended::Cannot("This version does not know such an import.".to_owned()));
    };
    let account = claim.run.account_id;
    let ended = walk::go(engine, claim, (account, bridge), wanted).await;
    if matches!(ended, Err(Ended::Stop(Stop::Cancelled) | Ended::Cannot(_))) {
        forget_queued(engine, account, bridge).await?;
    }
    ended
}

/// What was queued and not begun is not to be done any more; a run that is resumed queues it again.
async fn forget_queued(engine: &Engine, account: AccountId, bridge: BridgeId) -> Result<(), Ended> {
    engine.store.write(move |tx| bridge_jobs::forget_queued_imports(tx, account, bridge)).await?;
    Ok(())
}
