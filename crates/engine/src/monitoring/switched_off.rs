//! Alerts about webhooks of the account that were switched off because their endpoints took nothing for days, or said that they
//! are gone. They need no rule, and stand until people start the webhook again or remove it.

use std::collections::BTreeMap;

use frontdesk_model::alert::{AlertMetric, AlertOperator, AlertSeverity, AlertState, WEBHOOK_DISABLED};
use frontdesk_model::{AccountId, AlertId, InboxId, Timestamp};
use frontdesk_store::alerts::AlertRow;
use url::Url;

use super::evaluate::{Change, SEEN_EVERY_MS, ended};

/// What such an alert is about when the webhook is not of one inbox.
const EVERY_INBOX: &str = "All inboxes";

/// A webhook that is not called any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SwitchedOff {
    pub(super) account: AccountId,
    pub(super) inbox: Option<InboxId>,
    pub(super) inbox_name: Option<String>,
    pub(super) url: String,
    pub(super) error: Option<String>,
}

/// True for an alert of this kind.
pub(super) fn is_one(alert: &AlertRow) -> bool {
    alert.rule_name == WEBHOOK_DISABLED.name
}

/// What is to be changed about `firing`, which are alerts of this kind.
pub(super) fn decide(off: &[SwitchedOff], firing: Vec<AlertRow>, now: Timestamp) -> Vec<Change> {
    let mut reasons: BTreeMap<(AccountId, InboxId), (String, Vec<String>)> = BTreeMap::new();
    for one in off {
        let key = (one.account, one.inbox.unwrap_or(InboxId(0)));
        let name = one.inbox_name.clone().unwrap_or_else(|| EVERY_INBOX.to_owned());
        let host = Url::parse(&one.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let error = one.error.as_deref().unwrap_or_default();
        // The host alone: an address may hold a password.
        let reason = format!("The webhook at {} was switched off. {error}", host.unwrap_or_default());
        reasons.entry(key).or_insert_with(|| (name, Vec::new())).1.push(reason.trim_end().to_owned());
    }
    let mut changes = Vec::new();
    for alert in firing {
        match reasons.remove(&(alert.account_id, alert.inbox_id)) {
            Some((_, reasons)) => {
                let reason = reasons.join(" ");
                let other = (alert.reason.as_ref() != Some(&reason)).then_some(reason);
                if other.is_some() || now.millis_since(alert.seen_at) >= SEEN_EVERY_MS {
                    changes.push(Change::See(alert.account_id, alert.id, alert.last_value, other));
                }
            }
            None => {
                let value = alert.last_value;
                changes.push(Change::Resolve(Box::new(ended(alert, value, now))));
            }
        }
    }
    for ((account_id, inbox_id), (inbox_name, reasons)) in reasons {
        changes.push(Change::Fire(Box::new(AlertRow {
            id: AlertId(0),
            account_id,
            rule_name: WEBHOOK_DISABLED.name.to_owned(),
            rule_title: WEBHOOK_DISABLED.title.to_owned(),
            inbox_id,
            inbox_name,
            // These columns may not be empty, and take words that nodes of the version before know.
            metric: AlertMetric::BreakerOpen,
            operator: AlertOperator::AtLeast,
            threshold: 1.0,
            duration_secs: 0,
            severity: AlertSeverity::Critical,
            state: AlertState::Firing,
            value: 1.0,
            last_value: Some(1.0),
            fired_at: now,
            seen_at: now,
            resolved_at: None,
            reason: Some(reasons.join(" ")),
        })));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    #[test]
    fn an_alert_stands_as_long_as_a_webhook_is_off_and_names_its_host_alone() {
        let off = [SwitchedOff {
            account: AccountId(1),
            inbox: None,
            inbox_name: None,
            url: "https://crm.example.org/hook?token=secret".to_owned(),
            error: Some("The endpoint answered with 500.".to_owned()),
        }];
        let Some(Change::Fire(alert)) = decide(&off, Vec::new(), NOW).pop() else { panic!("it fires") };
        let reason = alert.reason.clone().unwrap_or_default();
        assert_eq!(
            reason,
            "The webhook at crm.example.org was switched off. The endpoint answered with 500."
        );
        assert_eq!(decide(&off, vec![(*alert).clone()], NOW), []);
        assert!(matches!(decide(&[], vec![*alert], NOW).as_slice(), [Change::Resolve(_)]));
    }
}
