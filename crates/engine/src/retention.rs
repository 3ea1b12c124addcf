//! What is forgotten after a time. One node does it, by a lease; each step is a short transaction, and what was
//! interrupted goes on an hour later.

use frontdesk_model::Timestamp;
use frontdesk_store::{
    StoreError, attachments, audit, conversations, erasures, events, leases, pending_updates, rate_limits,
    sessions, webhook_logs,
};

use crate::{Engine, erase, media};

const DAY_MS: i64 = 86_400_000;
/// How many rows one transaction removes, so that nobody waits long for it.
const SLICE: i64 = 2_000;
/// News about messages that never came, and uploads never sent, are forgotten after this long.
const WAIT_DAYS: i64 = 8;
/// The longest window of a rate limit is a day.
const WINDOW_DAYS: i64 = 2;
/// Contacts noted for erasing at once.
const CONTACTS: i64 = 100;
const LEASE: &str = "retention";
/// A node that died gives the work free after this long.
const LEASE_MS: i64 = 60 * 60 * 1_000;

/// Forgets what is older than the settings allow, unless another node is at it.
pub(crate) async fn tidy(engine: &Engine) -> Result<(), StoreError> {
    // Files of this node that the database knows nothing of: every node has its own.
    if let Err(error) = engine.media().remove_unknown(&engine.store, engine.clock.now()).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "unknown files could not be removed");
    }
    if let Err(error) = engine.media().remove_half_written(engine.clock.now()).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "half-written files could not be removed");
    }
    let (me, now) = (engine.node_id.clone(), engine.clock.now());
    let claim =
        move |tx: &mut frontdesk_store::Tx<'_>| leases::claim(tx, LEASE, &me, now.plus_ms(LEASE_MS), now);
    if !engine.store.write(claim).await? {
        return Ok(());
    }
    let done = forget(engine).await;
    let me = engine.node_id.clone();
    engine.store.write(move |tx| leases::release(tx, LEASE, &me)).await?;
    done
}

async fn forget(engine: &Engine) -> Result<(), StoreError> {
    let (store, now) = (&engine.store, engine.clock.now());
    let keep = engine.settings.retention.clone();
    let ago = |days: i64| now.plus_ms(-days.max(1) * DAY_MS);

    erase::resume(engine).await?;
    let before = ago(keep.webhook_log_days);
    while store.write(move |tx| webhook_logs::delete_oldest(tx, before, SLICE)).await? > 0 {}
    let before = ago(keep.event_days);
    for (account, _) in store.read(events::heads).await? {
        while store.write(move |tx| events::delete_oldest(tx, account, before, SLICE)).await? > 0 {}
    }
    let before = ago(keep.audit_days);
    while store.write(move |tx| audit::delete_oldest(tx, before, SLICE)).await? > 0 {}
    let before = ago(WAIT_DAYS);
    store.write(move |tx| pending_updates::delete_before(tx, before)).await?;
    store.write(move |tx| sessions::delete_expired(tx, now)).await?;
    let windows = ago(WINDOW_DAYS);
    store.write(move |tx| rate_limits::delete_before(tx, windows)).await?;
    store.write(move |tx| attachments::discard_unsent(tx, before)).await?;
    if keep.media_days > 0 {
        media::expire(engine, ago(keep.media_days)).await?;
    }
    if keep.message_days > 0 {
        forget_messages(engine, ago(keep.message_days)).await?;
    }
    media::sweep_discarded(engine).await
}

/// Messages older than that, and then the customers of whom nothing is left.
async fn forget_messages(engine: &Engine, before: Timestamp) -> Result<(), StoreError> {
    let (store, now) = (&engine.store, engine.clock.now());
    loop {
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
        if touched == 0 || engine.shutdown.is_cancelled() {
            break;
        }
    }
    for (account, _) in store.read(events::heads).await? {
        loop {
            let noted = store
                .write(move |tx| {
                    let silent = erasures::silent(tx, account, before, CONTACTS)?;
                    for (account, contact) in &silent {
                        erasures::note(tx, *account, *contact, now)?;
                    }
                    Ok::<_, StoreError>(silent.len())
                })
                .await?;
            if noted == 0 || engine.shutdown.is_cancelled() {
                break;
            }
            erase::resume(engine).await?;
        }
    }
    Ok(())
}
