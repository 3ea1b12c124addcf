//! Pairs that are old, or more than are kept.

use frontdesk_store::{StoreError, events, suggest_pairs, suggest_settings};

use super::drafts;
use crate::Engine;
use crate::turn::Turn;

const DAY_MS: i64 = 86_400_000;
/// Pairs taken away by one transaction.
const SLICE: i64 = 1_000;
/// What is left of removed pairs is kept for nodes that have not heard of it yet, in days.
const HEARD_DAYS: i64 = 2;
/// What language models used is kept for so many days.
const USAGE_DAYS: i64 = 800;

/// Forgets what is too old or too much.
pub(crate) async fn forget(engine: &Engine, turn: &mut Turn) -> Result<(), StoreError> {
    let (store, now, settings) = (&engine.store, engine.clock.now(), &engine.settings.suggestions);
    let kept = i64::try_from(settings.pairs_in_memory).unwrap_or(i64::MAX);
    let aged = (settings.keep_days > 0).then(|| now.plus_ms(-settings.keep_days * DAY_MS));
    for (account, _) in store.read(events::heads).await? {
        let beyond = store.read(move |tx| suggest_pairs::newest_beyond(tx, account, kept)).await?;
        if let Some(before) = aged.max(beyond) {
            while turn.goes_on().await? {
                let gone = store.write(move |tx| {
                    let old = suggest_pairs::oldest(tx, account, before, SLICE)?;
                    if !old.is_empty() {
                        let version = suggest_pairs::next_version(tx, account)?;
                        suggest_pairs::remove(tx, account, &old, version, now)?;
                    }
                    Ok::<_, StoreError>(old.len())
                });
                if gone.await? == 0 {
                    break;
                }
            }
        }
        let heard = now.plus_ms(-HEARD_DAYS * DAY_MS);
        store.write(move |tx| suggest_pairs::forget_removed(tx, account, heard, now)).await?;
    }
    let before = drafts::settings::month(now.plus_ms(-USAGE_DAYS * DAY_MS));
    store.write(move |tx| suggest_settings::forget_usage(tx, &before)).await
}
