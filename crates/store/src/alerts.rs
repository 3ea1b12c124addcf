//! Alerts: rules that hold for an inbox, and those that did.

use frontdesk_model::alert::{AlertMetric, AlertOperator, AlertSeverity, AlertState};
use frontdesk_model::{AccountId, AlertId, InboxId, Timestamp};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "id, account_id, rule_name, rule_title, inbox_id, inbox_name, metric, operator, threshold, duration_secs, severity,
         state, value, last_value, fired_at, seen_at, resolved_at, reason"
    };
}

statements! {
    // The index lets one alert of a rule and an inbox fire at a time, whoever notices it first.
    INSERT = inserting!(
        "INSERT INTO alerts (account_id, rule_name, rule_title, inbox_id, inbox_name, metric, operator, threshold,
            duration_secs, severity, state, value, last_value, fired_at, seen_at, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'firing', $11, $11, $12, $12, $13)
         ON CONFLICT (account_id, rule_name, inbox_id) WHERE state = 'firing' DO NOTHING");
    RESOLVE = both(
        "UPDATE alerts SET state = 'resolved', resolved_at = $3, last_value = COALESCE($4, last_value)
         WHERE account_id = $1 AND id = $2 AND state = 'firing'");
    SET_SEEN = both(
        "UPDATE alerts SET seen_at = $3, last_value = $4, reason = COALESCE($5, reason)
         WHERE account_id = $1 AND id = $2 AND state = 'firing'");
    FIND = both(concat!("SELECT ", columns!(), " FROM alerts WHERE account_id = $1 AND id = $2"));
    FIRING = both(concat!("SELECT ", columns!(), " FROM alerts WHERE state = 'firing' ORDER BY id"));
    LIST = both(concat!("SELECT ", columns!(),
        " FROM alerts WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"));
    LIST_OF_STATE = both(concat!("SELECT ", columns!(),
        " FROM alerts WHERE account_id = $1 AND id < $2 AND state = $4 ORDER BY id DESC LIMIT $3"));
    DELETE_OLDEST = both(
        "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE state = 'resolved' AND resolved_at < $1 LIMIT $2)");
}

/// An alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRow {
    /// Its id.
    pub id: AlertId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The rule, as it was.
    pub rule_name: String,
    /// Its name for people.
    pub rule_title: String,
    /// Which inbox; 0 for what is no inbox's.
    pub inbox_id: InboxId,
    /// What it was called.
    pub inbox_name: String,
    /// What was watched. Says nothing when there is a `reason`.
    pub metric: AlertMetric,
    /// How it was compared.
    pub operator: AlertOperator,
    /// With what.
    pub threshold: f64,
    /// For how long it had to be so.
    pub duration_secs: i64,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// Whether it stands.
    pub state: AlertState,
    /// The figure when it fired.
    pub value: f64,
    /// The figure when it was last looked at.
    pub last_value: Option<f64>,
    /// When it fired.
    pub fired_at: Timestamp,
    /// When it was last looked at.
    pub seen_at: Timestamp,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// What is the matter, for people, when no rule made it.
    pub reason: Option<String>,
}

impl FromRow for AlertRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            rule_name: row.next()?,
            rule_title: row.next()?,
            inbox_id: row.next()?,
            inbox_name: row.next()?,
            metric: row.next()?,
            operator: row.next()?,
            threshold: row.next()?,
            duration_secs: row.next()?,
            severity: row.next()?,
            state: row.next()?,
            value: row.next()?,
            last_value: row.next()?,
            fired_at: row.next()?,
            seen_at: row.next()?,
            resolved_at: row.next()?,
            reason: row.next()?,
        })
    }
}

/// Stores an alert that fires; `None` when it fires already. Its id is ignored.
pub fn insert(tx: &mut Tx<'_>, alert: &AlertRow) -> Result<Option<AlertId>, StoreError> {
    let params = p![
        alert.account_id,
        alert.rule_name,
        alert.rule_title,
        alert.inbox_id,
        alert.inbox_name,
        alert.metric,
        alert.operator,
        alert.threshold,
        alert.duration_secs,
        alert.severity,
        alert.value,
        alert.fired_at,
        alert.reason
    ];
    tx.insert(&INSERT, params)
}

/// Ends a firing alert; false when somebody else did.
pub fn resolve(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: AlertId,
    now: Timestamp,
    value: Option<f64>,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&RESOLVE, p![account, id, now, value])? > 0)
}

/// Notes the present figure of a firing alert, and the reason when there is another.
pub fn set_seen(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: AlertId,
    now: Timestamp,
    value: Option<f64>,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    tx.execute(&SET_SEEN, p![account, id, now, value, reason]).map(drop)
}

/// One alert.
pub fn find(tx: &mut Tx<'_>, account: AccountId, id: AlertId) -> Result<Option<AlertRow>, StoreError> {
    tx.find(&FIND, p![account, id])
}

/// What fires now, in all accounts.
pub fn firing(tx: &mut Tx<'_>) -> Result<Vec<AlertRow>, StoreError> {
    tx.query(&FIRING, p![])
}

/// The alerts of an account before an id, the newest first.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    state: Option<AlertState>,
    before: AlertId,
    limit: i64,
) -> Result<Vec<AlertRow>, StoreError> {
    match state {
        Some(state) => tx.query(&LIST_OF_STATE, p![account, before, limit, state]),
        None => tx.query(&LIST, p![account, before, limit]),
    }
}

/// Forgets at most `limit` alerts that were over before `before`.
pub fn delete_oldest(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OLDEST, p![before, limit])
}
