//! From the event log to jobs. A bridge's place in the log moves in the transaction that queues the jobs, so that each event
//! becomes work once, whatever dies when, and on however many nodes.

use std::time::Duration;

use frontdesk_model::ConversationId;
use frontdesk_store::bridges::{self, BridgeNews, BridgeRow};
use frontdesk_store::events::{self, EventKind};
use frontdesk_store::{StoreError, Topic, Tx, bridge_jobs, bridge_links};

use super::jobs::{Job, our_lane, queue};
use crate::Engine;

/// Events that become work in one transaction.
const SLICE: i64 = 500;
/// Looks again at least this often, should a bell be lost.
const MAX_SLEEP: Duration = Duration::from_secs(1);
/// Rests between two looks: while it rains events, many become work at once.
const REST: Duration = Duration::from_millis(20);

/// Follows the log until the engine stops.
pub(super) async fn run(engine: &Engine) {
    let mut bell = engine.store.signals().listen(Topic::Events);
    while !engine.shutdown.is_cancelled() {
        bell.mark_unchanged();
        if let Err(error) = follow(engine).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the events of bridges could not be read"
            );
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => return,
            () = tokio::time::sleep(REST) => {}
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => return,
            _ = bell.changed() => {}
            () = tokio::time::sleep(MAX_SLEEP) => {}
        }
    }
}

async fn follow(engine: &Engine) -> Result<(), StoreError> {
    for bridge in engine.store.read(bridges::behind).await? {
        let mut after = bridge.event_cursor;
        while !engine.shutdown.is_cancelled() {
            let from = BridgeRow { event_cursor: after, ..bridge.clone() };
            let now = engine.clock.now();
            let reached = engine.store.write(move |tx| step(tx, &from, now)).await?;
            engine.bridges().work.notify_one();
            match reached {
                Some(reached) if reached > after => after = reached,
                _ => break,
            }
        }
    }
    Ok(())
}

/// Turns the next events into work; returns how far it came, `None` when another node is at it.
fn step(
    tx: &mut Tx<'_>,
    bridge: &BridgeRow,
    now: frontdesk_model::Timestamp,
) -> Result<Option<i64>, StoreError> {
    let head = events::last_seq(tx, bridge.account_id)?;
    let until = head.min(bridge.event_cursor + SLICE);
    if until <= bridge.event_cursor {
        return Ok(Some(bridge.event_cursor));
    }
    if !bridges::move_cursor(tx, bridge, until)? {
        return Ok(None);
    }
    for news in bridges::news(tx, bridge, bridge.event_cursor, until)? {
        apply(tx, bridge, &news, now)?;
    }
    Ok(Some(until))
}

fn apply(
    tx: &mut Tx<'_>,
    bridge: &BridgeRow,
    news: &BridgeNews,
    now: frontdesk_model::Timestamp,
) -> Result<(), StoreError> {
    let (Some(conversation), Some(kind)) = (news.conversation_id, EventKind::parse(&news.kind)) else {
        return Ok(());
    };
    let job = match (kind, news.message_id) {
        (EventKind::MessageReceived, Some(message)) => Job::Message { message },
        (EventKind::MessageUpdated | EventKind::ReactionFailed, Some(message)) => Job::Change { message },
        (EventKind::MessageRemoved, Some(message)) => Job::Removed { message },
        (EventKind::MessageStatusUpdated, Some(message)) => Job::Status { message },
        (EventKind::ConversationStatusChanged, _) => Job::State { conversation },
        (EventKind::ConversationUpdated, _) => Job::Seen { conversation },
        (EventKind::ConversationMerged, _) => return join(tx, bridge, conversation, news.data.as_deref()),
        _ => return Ok(()),
    };
    let key = format!("e{}", news.seq);
    queue(tx, (bridge.account_id, bridge.id), &our_lane(conversation), &key, &job, now).map(drop)
}

/// Two conversations with one customer became one.
fn join(
    tx: &mut Tx<'_>,
    bridge: &BridgeRow,
    gone: ConversationId,
    stays: Option<&str>,
) -> Result<(), StoreError> {
    let Some(stays) = stays.and_then(|id| id.trim_matches('"').parse().ok()).map(ConversationId) else {
        return Ok(());
    };
    bridge_links::move_threads(tx, bridge.account_id, bridge.id, gone, stays)?;
    bridge_jobs::move_lane(tx, bridge.account_id, bridge.id, &our_lane(gone), &our_lane(stays))
}
