//! Totals of long lists: exact while they are short, a few seconds old beyond that.
//!
//! A page with numbers says how many rows there are, and databases count row by row.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use frontdesk_model::AccountId;
use frontdesk_store::conversations::{self, ConversationFilter};
use frontdesk_store::{StoreError, Tx};
use tokio::time::Instant;

/// Lists up to this length are counted each time.
const EXACT: i64 = 10_000;
/// How old the total of a longer one may be.
const FRESH: Duration = Duration::from_secs(10);
/// How many totals are remembered.
const MAX_KEPT: usize = 1_000;

/// The totals of this node.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    counted: Mutex<HashMap<(AccountId, String), (Instant, i64)>>,
}

impl Totals {
    /// How many conversations the filter finds.
    pub(crate) fn count(
        &self,
        tx: &mut Tx<'_>,
        account: AccountId,
        filter: &ConversationFilter,
    ) -> Result<i64, StoreError> {
        let few = conversations::count(tx, account, filter, EXACT + 1)?;
        if few <= EXACT {
            return Ok(few);
        }
        let key = (account, format!("{filter:?}"));
        if let Some((at, total)) = self.counted().get(&key)
            && at.elapsed() < FRESH
        {
            return Ok(*total);
        }
        let total = conversations::count(tx, account, filter, i64::MAX)?;
        let mut counted = self.counted();
        if counted.len() >= MAX_KEPT {
            counted.clear();
        }
        counted.insert(key, (Instant::now(), total));
        Ok(total)
    }

    fn counted(&self) -> std::sync::MutexGuard<'_, HashMap<(AccountId, String), (Instant, i64)>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
