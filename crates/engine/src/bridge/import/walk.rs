//! Goes through an inbox: first counting, then queueing a little, waiting until it is done, noting what became of it.

use std::time::Duration;

use frontdesk_model::{AccountId, BridgeId, ContactId};
use frontdesk_store::bridges::{self, BridgeRow, BridgeStatus};
use frontdesk_store::sync_runs::SyncCounts;
use frontdesk_store::{StoreError, Tx, bridge_history, bridge_jobs};
use tokio::time::Instant;

use super::cursor::{Cursor, Place};
use super::outcome::{done, note};
use super::plan::{self, known, page, whole};
use super::{ImportOptions, Tally};
use crate::Engine;
use crate::bridge::jobs::queue;
use crate::sync::claim::Claim;
use crate::sync::worker::Ended;

/// Conversations counted in one step.
const COUNTED_AT_ONCE: i64 = 50;

/// Goes on from where the run stands.
pub(super) async fn go(
    engine: &Engine,
    claim: &mut Claim,
    of: (AccountId, BridgeId),
    wanted: ImportOptions,
) -> Result<(), Ended> {
    let mut cursor = match Cursor::of(&claim.run) {
        Some(cursor) => cursor,
        None => {
            let head = engine.store.read(bridge_history::head).await?;
            Cursor::new(wanted, head, engine.clock.now())
        }
    };
    while !cursor.counted {
        count(engine, claim, of, wanted, &mut cursor).await?;
    }
    if wanted.dry_run {
        return Ok(());
    }
    let mut rested = Instant::now();
    loop {
        // What a run that was stopped had queued may have been taken away: the same key is queued once.
        let pace = if cursor.queued.is_empty() {
            claim.waiting(tokio::time::sleep_until(rested)).await?;
            queue_next(engine, claim, of, wanted, &mut cursor).await?
        } else {
            enqueue(engine, claim, of, &cursor, 0).await?;
            Duration::ZERO
        };
        if cursor.queued.is_empty() {
            if cursor.place.over && cursor.open.is_empty() {
                return Ok(());
            }
            continue;
        }
        rested = Instant::now() + pace;
        done(engine, claim, of, &cursor).await?;
        note(engine, claim, of, &mut cursor).await?;
    }
}

/// The bridge, as long as it carries.
pub(super) async fn standing(
    engine: &Engine,
    (account, bridge): (AccountId, BridgeId),
) -> Result<BridgeRow, Ended> {
    let row = engine.store.read(move |tx| bridges::find(tx, account, bridge)).await?;
    match row {
        None => Err(Ended::Cannot("The bridge was removed.".to_owned())),
        Some(row) if row.status == BridgeStatus::Paused => {
            Err(Ended::Cannot("The bridge is paused. Switch it on, then resume the run.".to_owned()))
        }
        Some(row) => Ok(row),
    }
}

/// Counts the next conversations: a dry run does no more, any other knows then how much there is.
async fn count(
    engine: &Engine,
    claim: &mut Claim,
    of: (AccountId, BridgeId),
    wanted: ImportOptions,
    cursor: &mut Cursor,
) -> Result<(), Ended> {
    let bridge = standing(engine, of).await?;
    let from = cursor.clone();
    let (place, contacts, messages) = engine
        .store
        .read(move |tx| -> Result<_, StoreError> {
            let (threads, place) = page(tx, &bridge, &from, COUNTED_AT_ONCE)?;
            let (mut contacts, mut messages) = (Tally::default(), Tally::default());
            if wanted.contacts {
                let people: Vec<ContactId> = threads.iter().map(|(_, contact, _)| *contact).collect();
                contacts.skipped = whole(known(tx, &bridge, &people)?.len());
                contacts.created = whole(people.len()) - contacts.skipped;
            }
            for (id, ..) in threads.iter().filter(|_| wanted.messages) {
                let (all, linked) = bridge_history::count(tx, of, *id, from.since(), from.head)?;
                messages.skipped += linked;
                messages.created += all - linked;
            }
            Ok((place, contacts, messages))
        })
        .await?;
    cursor.place = place;
    if place.over {
        cursor.counted = true;
        cursor.place = Place::default();
    }
    if wanted.dry_run {
        cursor.contacts.add(contacts);
        cursor.messages.add(messages);
    }
    let step = move |_: &mut Tx<'_>, counts: &mut SyncCounts, _| {
        let (created, skipped) = (contacts.created + messages.created, contacts.skipped + messages.skipped);
        counts.total = Some(counts.total.unwrap_or(0) + created + skipped);
        if wanted.dry_run {
            counts.created += created;
            counts.skipped += skipped;
        }
        Ok(())
    };
    Ok(claim.step(cursor.to_json(), step).await?)
}

/// Queues the next slices, and tells how long they should take at least.
async fn queue_next(
    engine: &Engine,
    claim: &mut Claim,
    of: (AccountId, BridgeId),
    wanted: ImportOptions,
    cursor: &mut Cursor,
) -> Result<Duration, Ended> {
    let bridge = standing(engine, of).await?;
    let from = cursor.clone();
    let plan = engine.store.read(move |tx| plan::next(tx, &bridge, &from, wanted)).await?;
    let (pace, skipped) = (plan.pace(), plan.contacts.skipped + plan.messages.skipped);
    cursor.contacts.add(plan.contacts);
    cursor.messages.add(plan.messages);
    (cursor.place, cursor.open, cursor.queued) = (plan.place, plan.open, plan.queued);
    enqueue(engine, claim, of, cursor, skipped).await?;
    Ok(pace)
}

/// Queues what the cursor says is queued, in the transaction that keeps the cursor. What was given up before is tried again.
async fn enqueue(
    engine: &Engine,
    claim: &mut Claim,
    of: (AccountId, BridgeId),
    cursor: &Cursor,
    skipped: i64,
) -> Result<(), Ended> {
    let queued = cursor.queued.clone();
    claim
        .step(cursor.to_json(), move |tx, counts, now| {
            counts.skipped += skipped;
            for part in &queued {
                for (key, job) in part.jobs() {
                    if !queue(tx, of, &part.lane(), &key, &job, now)? {
                        bridge_jobs::revive_one(tx, of.0, of.1, &key, now)?;
                    }
                }
            }
            Ok(())
        })
        .await?;
    engine.bridges().work.notify_one();
    Ok(())
}
