//! Looks at the inbox there from time to time: what its webhooks did not tell is fetched.

use std::time::Duration;

use frontdesk_chatwoot_client::{Conversation, MessageQuery};
use frontdesk_model::Timestamp;
use frontdesk_store::bridge_links;
use frontdesk_store::bridges::{self, BridgeRow};

use super::jobs::{Job, queue, their_lane};
use super::line::{self, Line};
use super::trouble::Trouble;
use super::{answer, door};
use crate::Engine;

/// How often each bridge is looked at.
const EVERY_MS: i64 = 60_000;
/// How often it is looked whether one is due.
const LOOK: Duration = Duration::from_secs(1);
/// What happened shortly before the last look is looked at again: clocks differ, and what is being written is not seen.
const OVERLAP_MS: i64 = 120_000;
/// Nothing is asked for that is older than this.
const LONGEST_MS: i64 = 30 * 86_400_000;
/// A message younger than this may have an older one beside it that is not to be seen yet.
const SETTLED_MS: i64 = 30_000;
/// Messages of one conversation fetched at a look.
const MESSAGES: usize = 1_000;

/// Looks until the engine stops.
pub(super) async fn run(engine: &Engine) {
    while !engine.shutdown.is_cancelled() {
        let now = engine.clock.now();
        match engine.store.read(move |tx| bridges::due_pulls(tx, now)).await {
            Ok(due) => {
                for bridge in due {
                    look(engine, bridge).await;
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the bridges could not be read");
            }
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn look(engine: &Engine, bridge: BridgeRow) {
    let (now, id, account) = (engine.clock.now(), bridge.id, bridge.account_id);
    let claimed = bridge.clone();
    let claim =
        move |tx: &mut frontdesk_store::Tx<'_>| bridges::claim_pull(tx, &claimed, now.plus_ms(EVERY_MS), now);
    let looked = match engine.store.write(claim).await {
        Ok(true) => pull(engine, bridge.clone(), now).await,
        Ok(false) => return,
        Err(error) => Err(error.into()),
    };
    let written = match &looked {
        Ok(()) => {
            let note = move |tx: &mut frontdesk_store::Tx<'_>| {
                bridges::note_pulled(tx, &bridge, now)?;
                bridges::note_well(tx, account, id, now).map(drop)
            };
            engine.store.write(note).await
        }
        Err(Trouble::People(sentence)) => {
            let sentence = sentence.clone();
            engine.store.write(move |tx| bridges::note_error(tx, account, id, &sentence, now)).await
        }
        Err(_) => Ok(()),
    };
    if let Err(trouble) = looked {
        tracing::debug!(bridge.id = id.0, error = %trouble, "the inbox of a bridge could not be looked at");
    }
    if let Err(error) = written {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "what a look at a bridge told could not be written"
        );
    }
}

async fn pull(engine: &Engine, bridge: BridgeRow, now: Timestamp) -> Result<(), Trouble> {
    let line = line::of_row(engine, bridge).await?;
    let span_ms = (now.millis_since(line.bridge.pulled_until) + OVERLAP_MS).clamp(OVERLAP_MS, LONGEST_MS);
    let seconds = u64::try_from(span_ms / 1_000).unwrap_or_default();
    let changed = line.client.conversations_updated_within(seconds).await?;
    for conversation in changed.data {
        if conversation.inbox_id == Some(line.remote_inbox) {
            fetch(engine, &line, &conversation, now).await?;
        }
    }
    engine.bridges().work.notify_one();
    Ok(())
}

/// What happened in one conversation becomes work where it is not yet.
async fn fetch(engine: &Engine, line: &Line, found: &Conversation, now: Timestamp) -> Result<(), Trouble> {
    let (account, bridge, remote) = (line.account(), line.bridge.id, found.id);
    let known = engine.store.read(move |tx| bridge_links::find_thread(tx, account, bridge, remote)).await?;
    let after = known.as_ref().map_or(0, |known| known.pulled_message_id);
    let query = MessageQuery { limit: Some(MESSAGES), public_only: true, ..MessageQuery::after(after) };
    let messages = match line.client.get_messages(remote, &query).await.map_err(Trouble::from) {
        Err(Trouble::Gone(_)) => return Ok(()),
        messages => messages?.data,
    };
    let is_settled = |at: Option<frontdesk_chatwoot_client::Timestamp>| {
        at.is_none_or(|at| at.0 < now.as_millis() - SETTLED_MS)
    };
    let mut settled = after;
    for message in &messages {
        if !is_settled(message.created_at) {
            break;
        }
        settled = settled.max(message.id);
    }
    let status = found.status.as_ref().map(|status| status.as_str().to_owned());
    let moved = known.as_ref().zip(status).filter(|(known, status)| known.remote_status != *status);
    let moved = moved.map(|(_, status)| format!("s{remote}-{status}-{}", now.as_secs()));
    let answers: Vec<i64> =
        messages.iter().filter(|message| answer::is_answer(message)).map(|message| message.id).collect();
    let deleted: Vec<i64> =
        messages.iter().filter(|message| message.is_deleted()).map(|message| message.id).collect();
    engine
        .store
        .write(move |tx| {
            let (of, lane) = ((account, bridge), their_lane(remote));
            for message in answers.iter().copied() {
                if bridge_links::find_by_remote(tx, account, bridge, message)?.is_empty() {
                    let job = Job::Answer { conversation: remote, message, written: None };
                    queue(tx, of, &lane, &door::answer_key(message), &job, now)?;
                }
            }
            for message in deleted.iter().copied() {
                if bridge_links::find_by_remote(tx, account, bridge, message)?
                    .iter()
                    .any(|link| link.is_theirs)
                {
                    queue(tx, of, &lane, &format!("d{message}"), &Job::Deleted { message }, now)?;
                }
            }
            if let Some(key) = &moved {
                queue(tx, of, &lane, key, &Job::Moved { conversation: remote }, now)?;
            }
            bridge_links::set_pulled(tx, account, bridge, remote, settled)
        })
        .await?;
    Ok(())
}
