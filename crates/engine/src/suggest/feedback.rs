//! What people do with suggestions.

use frontdesk_model::AccountId;
use frontdesk_store::{StoreError, suggest_pairs};

use super::answer::ItemId;
use crate::Engine;

frontdesk_model::words! {
    /// What somebody did with a suggestion.
    pub enum Deed {
        /// It stood before somebody's eyes.
        Shown = "shown",
        /// It was put into the reply.
        Inserted = "inserted",
        /// It was changed there before it was sent.
        Edited = "edited",
        /// It was sent as it was.
        Sent = "sent",
        /// It was waved away.
        Dismissed = "dismissed",
    }
}

/// Learns from what somebody did; false when there is no such suggestion in this account. Putting in and sending as it was
/// each raise an answer, waving away twice lowers it.
pub async fn note(engine: &Engine, account: AccountId, item: ItemId, deed: Deed) -> Result<bool, StoreError> {
    let source = if matches!(item, ItemId::Draft(_)) { "model" } else { "own" };
    metrics::counter!("frontdesk_suggestions_total", "engine" => source, "deed" => deed.as_str())
        .increment(1);
    let Some(pair) = item.pair() else { return Ok(true) };
    engine
        .store
        .write(move |tx| match deed {
            Deed::Inserted | Deed::Sent => suggest_pairs::accept(tx, account, pair),
            Deed::Dismissed => suggest_pairs::dismiss(tx, account, pair),
            Deed::Shown | Deed::Edited => suggest_pairs::exists(tx, account, pair),
        })
        .await
}
