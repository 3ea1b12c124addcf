//! Alert rules: what an account wants to hear of.

use frontdesk_model::alert::{
    AlertMetric, AlertOperator, AlertSeverity, BUILT_IN_ALERTS, DEFAULT_RULES, rule_name,
};
use frontdesk_model::{AccountId, InboxId, Timestamp};
use frontdesk_store::alert_rules::{self, AlertRule};
use frontdesk_store::{StoreError, Tx, alert_targets, inboxes};
use serde_json::json;

use super::condition::LONGEST_MS;
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;

/// Rules an account may have.
pub const MAX_RULES: i64 = 100;
/// The longest name.
pub const MAX_TITLE: usize = 100;
/// The shortest time a rule may look at: a slot.
const MIN_DURATION_SECS: i64 = 10;

/// A rule as people give it.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleInput {
    /// Its name for people; the one in addresses comes from it when the rule is made.
    pub title: String,
    /// What it watches.
    pub metric: AlertMetric,
    /// How it compares.
    pub operator: AlertOperator,
    /// With what.
    pub threshold: f64,
    /// For how long it has to be so, in seconds.
    pub duration_secs: i64,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// Only this inbox; `None` for each.
    pub inbox_id: Option<InboxId>,
    /// False while it is switched off.
    pub enabled: bool,
}

/// Why a rule was not stored.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A field is wrong: which, and why.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// The account has one of this name.
    #[error("There is a rule of this name already.")]
    Taken,
    /// The account has as many as it may.
    #[error("An account may have {MAX_RULES} rules.")]
    TooMany,
    /// There is no such rule.
    #[error("there is no such rule")]
    NotFound,
    /// The database failed.
    #[error("the rule could not be stored")]
    Store(#[from] StoreError),
}

/// Gives the default rules to an account that was not watched yet. What people removed stays removed.
pub fn ensure(tx: &mut Tx<'_>, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
    if !alert_targets::insert(tx, account, now)? {
        return Ok(());
    }
    for default in DEFAULT_RULES {
        let rule = AlertRule {
            account_id: account,
            name: default.name.to_owned(),
            title: default.title.to_owned(),
            metric: default.metric,
            operator: default.operator,
            threshold: default.threshold,
            duration_secs: default.duration_secs,
            severity: default.severity,
            inbox_id: None,
            enabled: true,
            created_at: now,
            updated_at: now,
        };
        alert_rules::insert(tx, &rule)?;
    }
    Ok(())
}

/// Gives the default rules to every account that was not watched yet.
pub(super) async fn ensure_all(engine: &Engine) -> Result<(), StoreError> {
    let accounts = engine.store.read(alert_targets::accounts_without).await?;
    for account in accounts {
        ensure_one(engine, account).await?;
    }
    Ok(())
}

async fn ensure_one(engine: &Engine, account: AccountId) -> Result<(), StoreError> {
    if engine.store.read(move |tx| alert_targets::find(tx, account)).await?.is_some() {
        return Ok(());
    }
    let now = engine.clock.now();
    engine.store.write(move |tx| ensure(tx, account, now)).await
}

/// The rules of an account, the oldest first.
pub async fn list(engine: &Engine, account: AccountId) -> Result<Vec<AlertRule>, StoreError> {
    ensure_one(engine, account).await?;
    engine.store.read(move |tx| alert_rules::list(tx, account)).await
}

/// One rule, by its name in addresses or by its name for people.
pub async fn get(engine: &Engine, account: AccountId, name: &str) -> Result<AlertRule, RuleError> {
    ensure_one(engine, account).await?;
    let name = rule_name(name);
    engine.store.read(move |tx| alert_rules::find(tx, account, &name)).await?.ok_or(RuleError::NotFound)
}

/// Makes a rule.
pub async fn create(engine: &Engine, actor: Actor, input: RuleInput) -> Result<AlertRule, RuleError> {
    ensure_one(engine, actor.account_id).await?;
    let now = engine.clock.now();
    let rule = checked(actor.account_id, rule_name(&input.title), input, now)?;
    if BUILT_IN_ALERTS.iter().any(|alert| alert.name == rule.name) {
        return Err(RuleError::Taken);
    }
    engine
        .store
        .write(move |tx| -> Result<_, RuleError> {
            check_inbox(tx, &rule)?;
            if alert_rules::count(tx, actor.account_id)? >= MAX_RULES {
                return Err(RuleError::TooMany);
            }
            if !alert_rules::insert(tx, &rule)? {
                return Err(RuleError::Taken);
            }
            note(tx, actor, "alert_rule.created", &rule, now)?;
            Ok(rule.clone())
        })
        .await
}

/// Stores everything about a rule but its name in addresses.
pub async fn update(
    engine: &Engine,
    actor: Actor,
    name: &str,
    input: RuleInput,
) -> Result<AlertRule, RuleError> {
    let before = get(engine, actor.account_id, name).await?;
    let now = engine.clock.now();
    let rule =
        AlertRule { created_at: before.created_at, ..checked(actor.account_id, before.name, input, now)? };
    engine
        .store
        .write(move |tx| -> Result<_, RuleError> {
            check_inbox(tx, &rule)?;
            if !alert_rules::update(tx, &rule)? {
                return Err(RuleError::NotFound);
            }
            note(tx, actor, "alert_rule.updated", &rule, now)?;
            Ok(rule.clone())
        })
        .await
}

/// Removes a rule. Its alerts end with the next look at the rules.
pub async fn delete(engine: &Engine, actor: Actor, name: &str) -> Result<(), RuleError> {
    let rule = get(engine, actor.account_id, name).await?;
    let now = engine.clock.now();
    engine
        .store
        .write(move |tx| -> Result<_, RuleError> {
            if !alert_rules::delete(tx, actor.account_id, &rule.name)? {
                return Err(RuleError::NotFound);
            }
            note(tx, actor, "alert_rule.deleted", &rule, now)?;
            Ok(())
        })
        .await
}

fn checked(
    account: AccountId,
    name: String,
    input: RuleInput,
    now: Timestamp,
) -> Result<AlertRule, RuleError> {
    let wrong = |field, why: &str| Err(RuleError::Invalid(field, why.to_owned()));
    let title = input.title.trim();
    let says_nothing = rule_name(title).is_empty();
    if says_nothing || title.chars().count() > MAX_TITLE || title.chars().any(char::is_control) {
        return wrong("name", "The name must have 1 to 100 characters, letters or digits among them.");
    }
    if !input.threshold.is_finite() || !(0.0..=1e9).contains(&input.threshold) {
        return wrong("threshold", "The threshold must be a number from 0 to 1000000000.");
    }
    if input.metric.is_share() && input.threshold > 1.0 {
        return wrong("threshold", "The threshold of a share is a number from 0 to 1: 10 % is 0.1.");
    }
    if !(MIN_DURATION_SECS..=LONGEST_MS / 1000).contains(&input.duration_secs) {
        return wrong("duration_secs", "The duration must be 10 to 3600 seconds.");
    }
    Ok(AlertRule {
        account_id: account,
        name,
        title: title.to_owned(),
        metric: input.metric,
        operator: input.operator,
        threshold: input.threshold,
        duration_secs: input.duration_secs,
        severity: input.severity,
        inbox_id: input.inbox_id,
        enabled: input.enabled,
        created_at: now,
        updated_at: now,
    })
}

fn check_inbox(tx: &mut Tx<'_>, rule: &AlertRule) -> Result<(), RuleError> {
    match rule.inbox_id {
        Some(inbox) if inboxes::find(tx, rule.account_id, inbox)?.is_none() => {
            Err(RuleError::Invalid("inbox_id", "There is no such inbox.".to_owned()))
        }
        _ => Ok(()),
    }
}

fn note(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &str,
    rule: &AlertRule,
    now: Timestamp,
) -> Result<(), StoreError> {
    let details = json!({
        "name": rule.name, "metric": rule.metric, "operator": rule.operator, "threshold": rule.threshold,
        "duration_secs": rule.duration_secs, "severity": rule.severity, "inbox_id": rule.inbox_id,
        "enabled": rule.enabled,
    });
    let deed = Deed { action, subject_type: "alert_rule", subject_id: 0 };
    audit::record(tx, actor, deed, Some(&details), now)
}
