//! The audit trail: written in the transaction that makes the change, so that neither is without the other.

use frontdesk_model::{AccountId, Timestamp};
use frontdesk_store::audit::{self, AuditRow, NewAuditEntry};
use frontdesk_store::{StoreError, Tx};
use serde_json::Value;

use crate::Engine;
use crate::caller::Actor;

/// What was done to what.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// `inbox.updated`.
    pub action: &'a str,
    /// `inbox`.
    pub subject_type: &'a str,
    /// Which one.
    pub subject_id: i64,
}

/// Writes an entry. `details` say what changed and never hold a secret or what a customer wrote.
pub fn record(
    tx: &mut Tx<'_>,
    actor: Actor,
    deed: Deed<'_>,
    details: Option<&Value>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let details = details.map(Value::to_string);
    let entry = NewAuditEntry {
        account_id: actor.account_id,
        user_id: actor.user_id,
        token_id: actor.token_id,
        action: deed.action,
        subject_type: deed.subject_type,
        subject_id: Some(deed.subject_id),
        details: details.as_deref(),
    };
    audit::insert(tx, entry, now)
}

/// The entries of an account before an id, the newest first.
pub async fn list(
    engine: &Engine,
    account: AccountId,
    before: i64,
    limit: i64,
) -> Result<Vec<AuditRow>, StoreError> {
    engine.store.read(move |tx| audit::list_before(tx, account, before, limit)).await
}
