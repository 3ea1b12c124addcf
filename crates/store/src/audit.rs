//! The audit trail: who changed what.

use frontdesk_model::{AccountId, Timestamp, TokenId, UserId};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    INSERT = both(
        "INSERT INTO audit_entries (account_id, user_id, token_id, action, subject_type, subject_id, details, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    LIST = both(
        "SELECT a.id, a.user_id, u.name, a.action, a.subject_type, a.subject_id, a.details, a.created_at
         FROM audit_entries a LEFT JOIN users u ON u.account_id = a.account_id AND u.id = a.user_id
         WHERE a.account_id = $1 AND a.id < $2 ORDER BY a.id DESC LIMIT $3");
    DELETE_OLDEST = both(
        "DELETE FROM audit_entries WHERE created_at < $1 AND id IN (SELECT id FROM audit_entries ORDER BY id LIMIT $2)");
}

/// An entry to write.
#[derive(Debug, Clone, Copy)]
pub struct NewAuditEntry<'a> {
    /// Where it happened.
    pub account_id: AccountId,
    /// Who did it; `None` for the server itself and its command line.
    pub user_id: Option<UserId>,
    /// The token they used.
    pub token_id: Option<TokenId>,
    /// What they did: `inbox.updated`.
    pub action: &'a str,
    /// To what kind of thing: `inbox`.
    pub subject_type: &'a str,
    /// To which one.
    pub subject_id: Option<i64>,
    /// What changed, as JSON; never a secret.
    pub details: Option<&'a str>,
}

/// An entry of the trail.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Its number on this server.
    pub id: i64,
    /// Who did it; `None` for the server itself and its command line.
    pub user_id: Option<UserId>,
    /// Their name.
    pub user_name: Option<String>,
    /// What they did: `inbox.updated`.
    pub action: String,
    /// To what kind of thing: `inbox`.
    pub subject_type: String,
    /// To which one.
    pub subject_id: Option<i64>,
    /// What changed.
    pub details: serde_json::Map<String, serde_json::Value>,
    /// When.
    pub created_at: Timestamp,
}

impl FromRow for AuditRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            user_id: row.next()?,
            user_name: row.next()?,
            action: row.next()?,
            subject_type: row.next()?,
            subject_id: row.next()?,
            details: row.next_json()?,
            created_at: row.next()?,
        })
    }
}

/// Writes an entry.
pub fn insert(tx: &mut Tx<'_>, entry: NewAuditEntry<'_>, now: Timestamp) -> Result<(), StoreError> {
    let params = p![
        entry.account_id,
        entry.user_id,
        entry.token_id,
        entry.action,
        entry.subject_type,
        entry.subject_id,
        entry.details,
        now
    ];
    tx.execute(&INSERT, params).map(drop)
}

/// The entries of an account before an id, the newest first.
pub fn list_before(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: i64,
    limit: i64,
) -> Result<Vec<AuditRow>, StoreError> {
    tx.query(&LIST, p![account, before, limit])
}

/// Forgets those of the `limit` oldest entries that are older than `before`.
pub fn delete_oldest(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OLDEST, p![before, limit])
}
