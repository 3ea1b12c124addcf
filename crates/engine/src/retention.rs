//! What is forgotten after a time. One node does it at a time; each step is a short transaction, and what was interrupted
//! goes on an hour later.

use frontdesk_model::Timestamp;
use frontdesk_store::{
    StoreError, alert_deliveries, alerts, attachments, audit, bridge_jobs, conversations, erasures, events,
    pending_updates, rate_limits, sessions, sync_runs, webhook_deliveries, webhook_logs, webhook_sends,
};

use crate::turn::Turn;
use crate::{Engine, erase, media, suggest};

const DAY_MS: i64 = 86_400_000;
/// How many rows one transaction removes, so that nobody waits long for it.
const SLICE: i64 = 2_000;
/// News about messages that never came, and uploads never sent, are forgotten after this long.
const WAIT_DAYS: i64 = 8;
/// The longest window of a rate limit is a day.
const WINDOW_DAYS: i64 = 2;
/// Runs of a sync that ended are shown this long.
const RUN_DAYS: i64 = 90;
/// Contacts noted for erasing at once.
const CONTACTS: i64 = 100;
const TURN: &str = "retention";
/// A node that died gives the work free after this long.
const TURN_MS: i64 = 60 * 60 * 1_000;

/// Forgets what is older than the settings allow, unless another node is at it.
pub(crate) async fn tidy(engine: &Engine) -> Result<(), StoreError> {
    // Files of this node that the database knows nothing of: every node has its own.
    if let Err(error) = engine.media().remove_unknown(&engine.store, engine.clock.now()).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "unknown files could not be removed");
    }
    if let Err(error) = engine.media().remove_half_written(engine.clock.now()).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "half-written files could not be removed");
    }
    let Some(mut turn) = Turn::take(engine, TURN, TURN_MS).await? else { return Ok(()) };
    let done = forget(engine, &mut turn).await;
    turn.end().await?;
    done
}

async fn forget(engine: &Engine, turn: &mut Turn) -> Result<(), StoreError> {
    let (store, now) = (&engine.store, engine.clock.now());
    let keep = engine.settings.retention.clone();
    let ago = |days: i64| now.plus_ms(-days.max(1) * DAY_MS);

    erase::resume(engine, turn).await?;
    let before = ago(keep.webhook_log_days);
    while turn.goes_on().await?
        && store.write(move |tx| webhook_logs::delete_oldest(tx, before, SLICE)).await? > 0
    {}
    let before = ago(keep.event_days);
    for (account, _) in store.read(events::heads).await? {
        while turn.goes_on().await?
            && store.write(move |tx| events::delete_oldest(tx, account, before, SLICE)).await? > 0
        {}
    }
    let before = ago(keep.audit_days);
    while turn.goes_on().await? && store.write(move |tx| audit::delete_oldest(tx, before, SLICE)).await? > 0 {
    }
    if !turn.goes_on().await? {
        return Ok(());
    }
    let before = ago(keep.alert_days);
    while store.write(move |tx| alerts::delete_oldest(tx, before, SLICE)).await? > 0 {}
    while store.write(move |tx| alert_deliveries::delete_oldest(tx, before, SLICE)).await? > 0 {}
    while store.write(move |tx| bridge_jobs::delete_oldest(tx, before, SLICE)).await? > 0 {}
    let before = ago(WAIT_DAYS);
    store.write(move |tx| pending_updates::delete_before(tx, before)).await?;
    store.write(move |tx| sessions::delete_expired(tx, now)).await?;
    let before_runs = ago(RUN_DAYS);
    while store.write(move |tx| sync_runs::delete_oldest(tx, before_runs, SLICE)).await? > 0 {}
    let before_deliveries = ago(keep.webhook_log_days);
    store.write(move |tx| webhook_deliveries::delete_before(tx, before_deliveries)).await?;
    let before_sends = ago(keep.webhook_delivery_days);
    while turn.goes_on().await?
        && store.write(move |tx| webhook_sends::delete_oldest(tx, before_sends, SLICE)).await? > 0
    {}
    let windows = ago(WINDOW_DAYS);
    store.write(move |tx| rate_limits::delete_before(tx, windows)).await?;
    store.write(move |tx| attachments::discard_unsent(tx, before)).await?;
    suggest::forget(engine, turn).await?;
    if keep.media_days > 0 {
        media::expire(engine, ago(keep.media_days)).await?;
    }
    if keep.message_days > 0 {
        forget_messages(engine, turn, ago(keep.message_days)).await?;
    }
    media::sweep_discarded(engine).await
}

/// Messages older than that, and then the customers of whom nothing is left.
async fn forget_messages(engine: &Engine, turn: &mut Turn, before: Timestamp) -> Result<(), StoreError> {
    let (store, now) = (&engine.store, engine.clock.now());
    while turn.goes_on().await? {
        let touched = store
            .write(move |tx| {
                let touched = erasures::remove_oldest_messages(tx, before, erase::SLICE)?;
                for (account, conversation) in &touched {
                    conversations::count_unread(tx, *account, *conversation, now)?;
                    conversations::refresh_last_message(tx, *account, *conversation)?;
                }
                Ok::<_, StoreError>(touched.len())
            })
            .await?;
        if touched == 0 {
            break;
        }
    }
    for (account, _) in store.read(events::heads).await? {
        while turn.goes_on().await? {
            let noted = store
                .write(move |tx| {
                    let silent = erasures::silent(tx, account, before, CONTACTS)?;
                    for (account, contact) in &silent {
                        erasures::note(tx, *account, *contact, now)?;
                    }
                    Ok::<_, StoreError>(silent.len())
                })
                .await?;
            if noted == 0 {
                break;
            }
            erase::resume(engine, turn).await?;
        }
    }
    Ok(())
}
