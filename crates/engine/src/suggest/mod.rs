//! Suggested replies: what the team answered to questions like this one, found by [`frontdesk_suggest`].
//!
//! [`pairing`] says what is learned from a conversation. [`follow`] keeps the pairs of each account in step with the event log,
//! from a place that is kept, so that the paths on which messages come to be have nothing to do with it. [`shelf`] holds
//! the indexes of the accounts that ask, in memory, and follows the pairs by the numbers of their changes: every node for itself.
//! [`answer`] answers; [`feedback`] learns from what people do with the answers. [`drafts`] are what a language model writes, where an
//! account has one.

pub mod answer;
pub mod drafts;
pub mod feedback;
mod follow;
mod pairing;
mod retention;
mod shelf;

use frontdesk_model::AccountId;
use frontdesk_store::{StoreError, suggest_pairs};
use serde::Deserialize;

pub use follow::catch_up;
pub(crate) use follow::run;
pub(crate) use retention::forget;
pub(crate) use shelf::Shelf;

use crate::Engine;

/// Suggested replies, as the settings file has them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuggestionSettings {
    /// Pairs that one node keeps in memory, of all accounts together, and of one account at most; one takes somewhat less than a kilobyte.
    pub pairs_in_memory: usize,
    /// A question waits so long at most for pairs that are not in memory yet, in milliseconds; then it is answered from those that are.
    pub wait_ms: u64,
    /// An account that has not asked for so many minutes has its pairs put out of memory.
    pub idle_minutes: i64,
    /// Pairs are forgotten after so many days, if their messages are not before; 0: never.
    pub keep_days: i64,
}

impl Default for SuggestionSettings {
    fn default() -> Self {
        Self { pairs_in_memory: 100_000, wait_ms: 150, idle_minutes: 60, keep_days: 730 }
    }
}

/// Pairs that this node has in memory, of all accounts together.
pub fn pairs_held(engine: &Engine) -> usize {
    engine.shelf().held()
}

/// Puts the pairs of accounts out of memory that have not asked for long.
pub fn put_away_idle(engine: &Engine) {
    engine.shelf().put_away_idle(engine.clock.now(), engine.settings.suggestions.idle_minutes);
}

/// Reads everything of an account anew; returns how many pairs it has then.
pub async fn rebuild(engine: &Engine, account: AccountId) -> Result<i64, StoreError> {
    engine.store.write(move |tx| suggest_pairs::begin_anew(tx, account)).await?;
    follow::catch_up_with(engine, account).await?;
    engine.store.read(move |tx| suggest_pairs::count(tx, account)).await
}
