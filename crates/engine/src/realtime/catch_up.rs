//! What a client missed, by number.

use frontdesk_model::AccountId;
use frontdesk_store::{StoreError, events};

use super::render::{EventRenderer, RenderError, Rendered};
use crate::Engine;

/// What happened after a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// In order, without a gap.
    pub events: Vec<Rendered>,
    /// The newest number of the account.
    pub last_seq: i64,
    /// There are more than were asked for.
    pub more: bool,
    /// The numbers in between are forgotten (or were never ours): load everything afresh, go on from `last_seq`.
    pub resync: bool,
}

/// Why it cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum CatchUpError {
    /// The database does not answer.
    #[error("the event log cannot be read")]
    Store(#[from] StoreError),
    /// An event cannot be shown.
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// The events of an account after `after`, at most `limit`.
pub async fn events_after(
    engine: &Engine,
    renderer: &dyn EventRenderer,
    account: AccountId,
    after: i64,
    limit: i64,
) -> Result<Missed, CatchUpError> {
    engine.store.number_events().await?;
    let (page, last_seq) = engine
        .store
        .read(move |tx| {
            Ok::<_, StoreError>((
                events::list_after(tx, account, after, limit)?,
                events::last_seq(tx, account)?,
            ))
        })
        .await?;
    let is_gapless = match page.first() {
        Some(first) => first.seq == after + 1,
        None => after == last_seq,
    };
    if !is_gapless {
        return Ok(Missed { events: Vec::new(), last_seq, more: false, resync: true });
    }
    let more = page.last().is_some_and(|last| last.seq < last_seq);
    Ok(Missed { events: renderer.render(&page, true).await?, last_seq, more, resync: false })
}
