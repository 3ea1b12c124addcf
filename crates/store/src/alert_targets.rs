//! Where the news of an account's alerts go.

use frontdesk_model::{AccountId, Timestamp};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    INSERT = both(
        "INSERT INTO alert_targets (account_id, emails, created_at, updated_at) VALUES ($1, '[]', $2, $2)
         ON CONFLICT (account_id) DO NOTHING");
    FIND = both("SELECT webhook_url, webhook_secret, emails, updated_at FROM alert_targets WHERE account_id = $1");
    UPDATE = both(
        "UPDATE alert_targets SET webhook_url = $2, webhook_secret = $3, emails = $4, updated_at = $5
         WHERE account_id = $1");
    ACCOUNTS_WITHOUT = both(
        "SELECT id FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM alert_targets t WHERE t.account_id = a.id)");
}

/// Where the news of one account go.
#[derive(Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct AlertTargets {
    pub webhook_url: Option<String>,
    /// What the webhook is signed with, sealed.
    pub webhook_secret: Option<Vec<u8>>,
    pub emails: Vec<String>,
    pub updated_at: Timestamp,
}

impl FromRow for AlertTargets {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            webhook_url: row.next()?,
            webhook_secret: row.next()?,
            emails: row.next_json()?,
            updated_at: row.next()?,
        })
    }
}

/// Notes that an account is watched; false when it was already.
pub fn insert(tx: &mut Tx<'_>, account: AccountId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&INSERT, p![account, now])? > 0)
}

/// Where the news of an account go.
pub fn find(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<AlertTargets>, StoreError> {
    tx.find(&FIND, p![account])
}

/// Stores where they go.
pub fn update(
    tx: &mut Tx<'_>,
    account: AccountId,
    targets: &AlertTargets,
    now: Timestamp,
) -> Result<(), StoreError> {
    let emails = serde_json::json!(targets.emails).to_string();
    tx.execute(&UPDATE, p![account, targets.webhook_url, targets.webhook_secret, emails, now]).map(drop)
}

/// The accounts that are not watched yet.
pub fn accounts_without(tx: &mut Tx<'_>) -> Result<Vec<AccountId>, StoreError> {
    Ok(tx.query::<(AccountId,)>(&ACCOUNTS_WITHOUT, p![])?.into_iter().map(|(id,)| id).collect())
}
