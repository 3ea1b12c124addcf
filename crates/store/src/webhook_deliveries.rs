//! Webhooks of programs that hold the same people, by what names a delivery: taken once, whichever node the repetition
//! comes to.

use frontdesk_model::{AccountId, Timestamp};

use crate::db::statement::both;
use crate::{StoreError, Tx};

statements! {
    INSERT = both(
        "INSERT INTO webhook_deliveries (account_id, delivery_key, received_at) VALUES ($1, $2, $3)
         ON CONFLICT (account_id, delivery_key) DO UPDATE SET received_at = excluded.received_at
         WHERE webhook_deliveries.received_at < $4");
    DELETE_BEFORE = both("DELETE FROM webhook_deliveries WHERE received_at < $1");
}

/// Notes a delivery; false when the account was told it since `kept_since`.
pub fn is_first(
    tx: &mut Tx<'_>,
    account: AccountId,
    key: &str,
    kept_since: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&INSERT, p![account, key, now, kept_since])? > 0)
}

/// Forgets deliveries of before that.
pub fn delete_before(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&DELETE_BEFORE, p![before])
}
