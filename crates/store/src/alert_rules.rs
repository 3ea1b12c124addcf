//! Alert rules: what each account wants to hear of.

use frontdesk_model::alert::{AlertMetric, AlertOperator, AlertSeverity};
use frontdesk_model::{AccountId, InboxId, Timestamp};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "account_id, name, title, metric, operator, threshold, duration_secs, severity, inbox_id, enabled, created_at,
         updated_at"
    };
}

statements! {
    INSERT = both(concat!("INSERT INTO alert_rules (", columns!(), ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) ON CONFLICT (account_id, name) DO NOTHING"));
    UPDATE = both(
        "UPDATE alert_rules SET title = $3, metric = $4, operator = $5, threshold = $6, duration_secs = $7,
            severity = $8, inbox_id = $9, enabled = $10, updated_at = $11
         WHERE account_id = $1 AND name = $2");
    DELETE = both("DELETE FROM alert_rules WHERE account_id = $1 AND name = $2");
    FIND = both(concat!("SELECT ", columns!(), " FROM alert_rules WHERE account_id = $1 AND name = $2"));
    LIST = both(concat!("SELECT ", columns!(), " FROM alert_rules WHERE account_id = $1 ORDER BY created_at, name"));
    COUNT = both("SELECT COUNT(*) FROM alert_rules WHERE account_id = $1");
    ENABLED = both(concat!("SELECT ", columns!(), " FROM alert_rules WHERE enabled = TRUE ORDER BY account_id, name"));
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRule {
    /// Whose it is.
    pub account_id: AccountId,
    /// Its name in addresses; unique in the account.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it watches.
    pub metric: AlertMetric,
    /// How it compares.
    pub operator: AlertOperator,
    /// With what.
    pub threshold: f64,
    /// For how long it has to be so.
    pub duration_secs: i64,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// Only this inbox; `None` for each.
    pub inbox_id: Option<InboxId>,
    /// False while it is switched off.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl FromRow for AlertRule {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            account_id: row.next()?,
            name: row.next()?,
            title: row.next()?,
            metric: row.next()?,
            operator: row.next()?,
            threshold: row.next()?,
            duration_secs: row.next()?,
            severity: row.next()?,
            inbox_id: row.next()?,
            enabled: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

/// Adds a rule; false when the account has one of this name.
pub fn insert(tx: &mut Tx<'_>, rule: &AlertRule) -> Result<bool, StoreError> {
    let params = p![
        rule.account_id,
        rule.name,
        rule.title,
        rule.metric,
        rule.operator,
        rule.threshold,
        rule.duration_secs,
        rule.severity,
        rule.inbox_id,
        rule.enabled,
        rule.created_at
    ];
    Ok(tx.execute(&INSERT, params)? > 0)
}

/// Stores everything about a rule but its name; false when there is none of this name.
pub fn update(tx: &mut Tx<'_>, rule: &AlertRule) -> Result<bool, StoreError> {
    let params = p![
        rule.account_id,
        rule.name,
        rule.title,
        rule.metric,
        rule.operator,
        rule.threshold,
        rule.duration_secs,
        rule.severity,
        rule.inbox_id,
        rule.enabled,
        rule.updated_at
    ];
    Ok(tx.execute(&UPDATE, params)? > 0)
}

/// Removes a rule; false when there is none of this name.
pub fn delete(tx: &mut Tx<'_>, account: AccountId, name: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, p![account, name])? > 0)
}

/// One rule.
pub fn find(tx: &mut Tx<'_>, account: AccountId, name: &str) -> Result<Option<AlertRule>, StoreError> {
    tx.find(&FIND, p![account, name])
}

/// The rules of an account, the oldest first.
pub fn list(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<AlertRule>, StoreError> {
    tx.query(&LIST, p![account])
}

/// How many rules an account has.
pub fn count(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&COUNT, p![account])?.map_or(0, |(count,)| count))
}

/// The rules of all accounts that are switched on.
pub fn enabled(tx: &mut Tx<'_>) -> Result<Vec<AlertRule>, StoreError> {
    tx.query(&ENABLED, p![])
}
