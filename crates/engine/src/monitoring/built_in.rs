//! Alerts that need no rule: what inboxes say of themselves. An inbox that cannot work until somebody does something, and
//! one whose allowance at the provider is used up.
//!
//! They follow what the database knows of the inbox, which every node reads alike, and whatever its channel is:
//!
//! - **Needs attention** stands from a state that only people end (signed out, banned, restricted) until the inbox is
//!   connected, switched off or removed. A provider that cannot be reached says nothing about that: then it stays as it was.
//!   Outages themselves are what the rules are for.
//! - **Allowance used up** stands until the provider has not said so for a day: nobody tells when it is over.

use frontdesk_model::alert::{
    ALLOWANCE_USED_UP, AlertMetric, AlertOperator, AlertSeverity, AlertState, BuiltInAlert, NEEDS_ATTENTION,
};
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_model::{AlertId, InboxId, Timestamp};
use frontdesk_store::alerts::AlertRow;
use frontdesk_store::inboxes::TroubledInbox;

use super::evaluate::{Change, SEEN_EVERY_MS, ended};

/// What the provider said of an allowance counts for this long.
const USED_UP_MS: i64 = 86_400_000;

/// What an inbox says about one of the alerts.
enum Verdict {
    /// It is so, this bad and for this reason.
    Bad(AlertSeverity, String),
    /// Nothing can be said.
    Unclear,
    /// It is not so.
    Clear,
}

/// What was said of an allowance since then still counts.
pub(super) fn used_up_since(now: Timestamp) -> Timestamp {
    now.plus_ms(-USED_UP_MS)
}

/// True for an alert that no rule made.
pub(super) fn is_one(alert: &AlertRow) -> bool {
    alert.reason.is_some()
}

/// What is to be changed about `firing`, which are alerts of this kind.
pub(super) fn decide(troubled: &[TroubledInbox], firing: Vec<AlertRow>, now: Timestamp) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut standing: Vec<(InboxId, String)> = Vec::new();
    for alert in firing {
        let inbox =
            troubled.iter().find(|inbox| (inbox.account_id, inbox.id) == (alert.account_id, alert.inbox_id));
        match verdict(&alert.rule_name, inbox, now) {
            Verdict::Bad(severity, reason) if severity == alert.severity => {
                let other = (alert.reason.as_ref() != Some(&reason)).then_some(reason);
                if other.is_some() || now.millis_since(alert.seen_at) >= SEEN_EVERY_MS {
                    changes.push(Change::See(alert.account_id, alert.id, alert.last_value, other));
                }
                standing.push((alert.inbox_id, alert.rule_name));
            }
            Verdict::Unclear => standing.push((alert.inbox_id, alert.rule_name)),
            Verdict::Clear | Verdict::Bad(..) => {
                let value = alert.last_value;
                changes.push(Change::Resolve(Box::new(ended(alert, value, now))));
            }
        }
    }
    for inbox in troubled {
        for kind in [NEEDS_ATTENTION, ALLOWANCE_USED_UP] {
            let stands = standing.iter().any(|(id, name)| *id == inbox.id && name == kind.name);
            if let Verdict::Bad(severity, reason) = verdict(kind.name, Some(inbox), now)
                && !stands
            {
                changes.push(Change::Fire(Box::new(fired(kind, inbox, severity, reason, now))));
            }
        }
    }
    changes
}

/// What the inbox says about an alert; `None` is one that is well, switched off or removed.
fn verdict(name: &str, inbox: Option<&TroubledInbox>, now: Timestamp) -> Verdict {
    let Some(inbox) = inbox else { return Verdict::Clear };
    if name == NEEDS_ATTENTION.name {
        return of_state(&inbox.state);
    }
    match &inbox.used_up {
        Some((at, message)) if *at > used_up_since(now) => {
            Verdict::Bad(AlertSeverity::Warning, message.clone())
        }
        _ => Verdict::Clear,
    }
}

fn of_state(state: &ConnectionState) -> Verdict {
    let reason = || match &state.action {
        Some(action) => format!("{} {action}", state.message),
        None => state.message.clone(),
    };
    match state.code {
        ConnectionCode::Reconnect | ConnectionCode::Paused => Verdict::Bad(AlertSeverity::Critical, reason()),
        ConnectionCode::Degraded => Verdict::Bad(AlertSeverity::Warning, reason()),
        ConnectionCode::Connecting | ConnectionCode::Unreachable => Verdict::Unclear,
        ConnectionCode::Connected => Verdict::Clear,
    }
}

fn fired(
    kind: BuiltInAlert,
    inbox: &TroubledInbox,
    severity: AlertSeverity,
    reason: String,
    now: Timestamp,
) -> AlertRow {
    AlertRow {
        id: AlertId(0),
        account_id: inbox.account_id,
        rule_name: kind.name.to_owned(),
        rule_title: kind.title.to_owned(),
        inbox_id: inbox.id,
        inbox_name: inbox.name.clone(),
        // These columns may not be empty, and take words that nodes of the version before know.
        metric: AlertMetric::BreakerOpen,
        operator: AlertOperator::AtLeast,
        threshold: 1.0,
        duration_secs: 0,
        severity,
        state: AlertState::Firing,
        value: 1.0,
        last_value: Some(1.0),
        fired_at: now,
        seen_at: now,
        resolved_at: None,
        reason: Some(reason),
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_model::AccountId;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    fn inbox(code: ConnectionCode) -> TroubledInbox {
        let state = ConnectionState::new(code, "It is so.").with_action("Do something.");
        TroubledInbox {
            account_id: AccountId(1),
            id: InboxId(7),
            name: "Lobby".to_owned(),
            state,
            used_up: None,
        }
    }

    fn look(troubled: &[TroubledInbox], firing: Vec<AlertRow>) -> Vec<Change> {
        decide(troubled, firing, NOW)
    }

    fn fire(code: ConnectionCode) -> AlertRow {
        match look(&[inbox(code)], Vec::new()).pop() {
            Some(Change::Fire(alert)) => *alert,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_states_that_people_end_raise_an_alert() {
        let signed_out = fire(ConnectionCode::Reconnect);
        assert_eq!(signed_out.severity, AlertSeverity::Critical);
        assert_eq!(signed_out.reason.as_deref(), Some("It is so. Do something."));
        assert_eq!(fire(ConnectionCode::Paused).severity, AlertSeverity::Critical);
        assert_eq!(fire(ConnectionCode::Degraded).severity, AlertSeverity::Warning);
        for code in [ConnectionCode::Connecting, ConnectionCode::Unreachable, ConnectionCode::Connected] {
            assert_eq!(look(&[inbox(code)], Vec::new()), []);
        }
    }

    #[test]
    fn an_outage_neither_ends_an_alert_nor_makes_another() {
        let alert = fire(ConnectionCode::Reconnect);
        assert_eq!(look(&[inbox(ConnectionCode::Unreachable)], vec![alert.clone()]), []);
        assert_eq!(look(&[inbox(ConnectionCode::Reconnect)], vec![alert.clone()]), []);
        let ends = look(&[], vec![alert]);
        assert!(matches!(ends.as_slice(), [Change::Resolve(_)]), "{ends:?}");
    }

    #[test]
    fn what_becomes_worse_is_told_anew_and_what_is_put_in_other_words_is_not() {
        let alert = fire(ConnectionCode::Degraded);
        let worse = look(&[inbox(ConnectionCode::Reconnect)], vec![alert.clone()]);
        assert!(matches!(worse.as_slice(), [Change::Resolve(_), Change::Fire(_)]), "{worse:?}");
        let mut other = inbox(ConnectionCode::Degraded);
        other.state.message = "It is still so.".to_owned();
        let seen = look(&[other], vec![alert]);
        assert!(
            matches!(seen.as_slice(), [Change::See(.., Some(reason))] if reason.starts_with("It is still")),
            "{seen:?}"
        );
    }

    #[test]
    fn a_used_up_allowance_stands_for_a_day_after_it_was_last_said() {
        let mut used_up = inbox(ConnectionCode::Connected);
        used_up.used_up = Some((NOW.plus_ms(-USED_UP_MS + 1), "Used up.".to_owned()));
        let Some(Change::Fire(alert)) = look(std::slice::from_ref(&used_up), Vec::new()).pop() else {
            panic!("it fires")
        };
        assert_eq!(
            (alert.rule_name.as_str(), alert.severity),
            (ALLOWANCE_USED_UP.name, AlertSeverity::Warning)
        );
        used_up.used_up = Some((NOW.plus_ms(-USED_UP_MS), "Used up.".to_owned()));
        assert!(matches!(look(&[used_up], vec![*alert]).as_slice(), [Change::Resolve(_)]));
    }
}
