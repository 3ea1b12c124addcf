//! Slots on their way to the database and back: every node writes what it saw, reading puts it together, and what is
//! older is kept in longer slots.

use std::collections::BTreeMap;

use frontdesk_model::{AccountId, InboxId, Timestamp};
use frontdesk_store::metric_slots::{self, MetricSlot};
use frontdesk_store::{StoreError, alerts, outbox};

use super::figures::Figures;
use super::meter::SLOT_SECS;
use super::news::AlertEvent;
use crate::Engine;
use crate::inboxes;

/// Slots of ten seconds are kept this long; then they become longer ones.
pub const FINE_MS: i64 = 65 * 60 * 1000;
/// The length of the longer slots, in seconds.
pub const LONG_SLOT_SECS: i64 = 300;
const LONG_SLOT_MS: i64 = LONG_SLOT_SECS * 1000;
/// Longer slots are kept this long.
pub const KEEP_MS: i64 = 8 * 86_400_000;

/// Writes what this node saw since it last did. One at a time, so that no older state is written over a newer one.
pub async fn flush(engine: &Engine) -> Result<(), StoreError> {
    let _turn = engine.monitoring().flushing.lock().await;
    let now = engine.clock.now();
    for (inbox, until) in engine.connections().breakers() {
        if let Some(meter) = engine.monitoring().find_meter(inbox) {
            meter.note_breaker(now, until);
        }
    }
    // An account may reach its Chatwoot by several clients: the worst of them counts.
    let of_settings = engine.chatwoot().breaker(now).map(|(meter, until)| (meter.account, until));
    let mut there: BTreeMap<AccountId, Option<Timestamp>> = BTreeMap::new();
    for (account, until) in of_settings.into_iter().chain(engine.sync_clients().breakers(now)) {
        let worst = there.entry(account).or_default();
        *worst = until.max(*worst);
    }
    for (account, until) in there {
        engine.monitoring().meter(account, super::CHATWOOT).note_breaker(now, until);
    }
    let unwritten: Vec<_> =
        engine.monitoring().meters().iter().flat_map(|meter| meter.unwritten(&engine.node_id)).collect();
    if unwritten.is_empty() {
        return Ok(());
    }
    let rows: Vec<MetricSlot> = unwritten.iter().map(|slot| slot.row.clone()).collect();
    engine.store.write(move |tx| metric_slots::put_many(tx, &rows)).await?;
    for slot in unwritten {
        slot.is_written(now);
    }
    Ok(())
}

/// Looks at what waits to be sent, and at what fires: levels that every node tells, whoever caused them.
pub(super) async fn sample(engine: &Engine) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let (depths, firing) =
        engine.store.read(|tx| Ok::<_, StoreError>((outbox::depths(tx)?, alerts::firing(tx)?))).await?;
    let depths: BTreeMap<InboxId, (i64, Timestamp)> =
        depths.into_iter().map(|(inbox, depth, since)| (inbox, (depth, since))).collect();
    let book = inboxes::book(engine).await?;
    for inbox in book.all() {
        let meter = engine.monitoring().meter(inbox.config.account_id, inbox.config.id);
        let (depth, age_ms) = depths
            .get(&inbox.config.id)
            .map_or((0, 0), |(depth, since)| (*depth, now.millis_since(*since).max(0)));
        let whole = |number: i64| u64::try_from(number).unwrap_or(0);
        meter.note_queue(now, whole(depth), whole(age_ms / 1000));
    }
    for event in [AlertEvent::Fired, AlertEvent::Resolved] {
        metrics::counter!("frontdesk_alerts_total", "event" => event.as_str()).increment(0);
    }
    for severity in frontdesk_model::alert::AlertSeverity::ALL {
        let count = firing.iter().filter(|alert| alert.severity == *severity).count();
        metrics::gauge!("frontdesk_alerts_firing", "severity" => severity.as_str())
            .set(super::figures::float(count as u64));
    }
    Ok(())
}

/// Puts slots that have grown old together into longer ones, and forgets the oldest. What one node does is done: it
/// changes nothing to do it again.
pub async fn age(engine: &Engine) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let store = &engine.store;
    let fine_until = long_start(now.plus_ms(-FINE_MS));
    while let Some(oldest) = store.read(|tx| metric_slots::oldest(tx, SLOT_SECS)).await? {
        let from = long_start(oldest);
        if from >= fine_until || engine.shutdown.is_cancelled() {
            break;
        }
        let to = from.plus_ms(LONG_SLOT_MS);
        let (fine, before) = store
            .read(move |tx| {
                let fine = metric_slots::between(tx, SLOT_SECS, from, to)?;
                Ok::<_, StoreError>((fine, metric_slots::between(tx, LONG_SLOT_SECS, from, to)?))
            })
            .await?;
        let long = put_together(fine.iter().chain(&before), from);
        store
            .write(move |tx| {
                metric_slots::put_many(tx, &long)?;
                metric_slots::delete_before(tx, SLOT_SECS, to).map(drop)
            })
            .await?;
    }
    let forget = now.plus_ms(-KEEP_MS);
    if store.read(|tx| metric_slots::oldest(tx, LONG_SLOT_SECS)).await?.is_some_and(|oldest| oldest < forget)
    {
        store.write(move |tx| metric_slots::delete_before(tx, LONG_SLOT_SECS, forget)).await?;
    }
    Ok(())
}

fn put_together<'a>(slots: impl Iterator<Item = &'a MetricSlot>, at: Timestamp) -> Vec<MetricSlot> {
    let mut together: BTreeMap<(AccountId, InboxId), Figures> = BTreeMap::new();
    for slot in slots {
        let figures = Figures::read(slot);
        together.entry((slot.account_id, slot.inbox_id)).or_default().add(&figures);
    }
    let row = |((account_id, inbox_id), figures): ((AccountId, InboxId), Figures)| {
        figures.write(MetricSlot {
            account_id,
            span_secs: LONG_SLOT_SECS,
            slot_at: at,
            inbox_id,
            node_id: String::new(),
            counts: String::new(),
            durations: None,
            last_request_at: None,
        })
    };
    together.into_iter().map(row).collect()
}

fn long_start(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis() - at.as_millis() % LONG_SLOT_MS)
}
