//! Looks at the rules and at the states of inboxes: fires and ends alerts, and puts their news on its way, all in one
//! transaction.
//!
//! One node at a time does it; that two did would change nothing, as the database takes one firing alert of a rule and
//! an inbox. What is remembered is in the database alone.

use std::collections::{BTreeMap, HashMap};

use frontdesk_model::alert::AlertState;
use frontdesk_model::{AccountId, AlertId, InboxId, Timestamp};
use frontdesk_store::alert_deliveries::{self, AlertTarget, NewAlertDelivery};
use frontdesk_store::alert_rules::{self, AlertRule};
use frontdesk_store::alerts::{self, AlertRow};
use frontdesk_store::inboxes::TroubledInbox;
use frontdesk_store::metric_slots::{self, MetricSlot};
use frontdesk_store::{
    StoreError, Tx, accounts, alert_targets, inboxes as stored_inboxes, leases, webhook_endpoints,
};

use super::condition::{self, Series};
use super::figures::Figures;
use super::meter::{SLOT_MS, SLOT_SECS, slot_start};
use super::news::{self, AlertEvent, AlertView};
use super::switched_off::{self, SwitchedOff};
use super::{built_in, rules, slots};
use crate::realtime::{channel_name, protocol, render};
use crate::{Engine, inboxes};

const LEASE: &str = "monitoring";
/// A node that died leaves the rules to another after this long.
const LEASE_MS: i64 = 20_000;
/// How often the present figure of a firing alert is written down.
pub(super) const SEEN_EVERY_MS: i64 = 60_000;
/// Nothing may have happened for this long before an alert ends: so far the slots are read at least.
const LOOK_BACK_MS: i64 = 300_000;

/// An inbox, or nobody's webhooks (inbox 0), or Chatwoot, with what happened in it lately.
struct Watched {
    name: String,
    series: Vec<(Timestamp, Figures)>,
}

/// What is to be written.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    /// An alert begins.
    Fire(Box<AlertRow>),
    /// It is over.
    Resolve(Box<AlertRow>),
    /// It stands: its figure, and its reason when that is another now.
    See(AccountId, AlertId, Option<f64>, Option<String>),
}

/// Looks at all rules once, as far as this node is the one to do it.
pub async fn evaluate(engine: &Engine) -> Result<(), StoreError> {
    if !is_ours(engine).await? {
        return Ok(());
    }
    rules::ensure_all(engine).await?;
    slots::flush(engine).await?;
    let now = engine.clock.now();
    let Ground { rules, firing, troubled, off } = read(engine, now).await?;
    if rules.is_empty() && firing.is_empty() && troubled.is_empty() && off.is_empty() {
        return Ok(());
    }
    let watched = watch(engine, &rules, now).await?;
    let (of_webhooks, firing): (Vec<_>, Vec<_>) = firing.into_iter().partition(switched_off::is_one);
    let (of_states, of_rules) = firing.into_iter().partition(built_in::is_one);
    // What ends comes first: the database takes one firing alert of a name and an inbox.
    let mut changes = built_in::decide(&troubled, of_states, now);
    changes.extend(switched_off::decide(&off, of_webhooks, now));
    changes.extend(decide(&rules, &watched, of_rules, now));
    if changes.is_empty() {
        return Ok(());
    }
    let written = engine.store.write(move |tx| write(tx, &changes, now)).await?;
    let book = inboxes::book(engine).await?;
    for (event, alert) in written {
        let channel = book.find(alert.inbox_id).map(|inbox| inbox.channel.info().name);
        tell(engine, event, alert, channel, now);
    }
    Ok(())
}

/// What is looked at, besides figures.
struct Ground {
    rules: Vec<AlertRule>,
    firing: Vec<AlertRow>,
    troubled: Vec<TroubledInbox>,
    off: Vec<SwitchedOff>,
}

async fn read(engine: &Engine, now: Timestamp) -> Result<Ground, StoreError> {
    let book = inboxes::book(engine).await?;
    let name = move |inbox: InboxId| book.find(inbox).map(|inbox| inbox.name.clone());
    engine
        .store
        .read(move |tx| {
            Ok(Ground {
                rules: alert_rules::enabled(tx)?,
                firing: alerts::firing(tx)?,
                troubled: stored_inboxes::troubled(tx, built_in::used_up_since(now))?,
                off: webhook_endpoints::disabled(tx)?
                    .into_iter()
                    .map(|(account, inbox, url, error)| SwitchedOff {
                        account,
                        inbox,
                        inbox_name: inbox.and_then(&name),
                        url,
                        error,
                    })
                    .collect(),
            })
        })
        .await
}

/// On SQLite there is one node, which need not write every few seconds that it is the one.
async fn is_ours(engine: &Engine) -> Result<bool, StoreError> {
    if !engine.store.is_postgres() {
        return Ok(true);
    }
    let (me, now) = (engine.node_id.clone(), engine.clock.now());
    engine.store.write(move |tx| leases::claim(tx, LEASE, &me, now.plus_ms(LEASE_MS), now)).await
}

/// Everything the rules may look at.
async fn watch(
    engine: &Engine,
    rules: &[AlertRule],
    now: Timestamp,
) -> Result<HashMap<(AccountId, InboxId), Watched>, StoreError> {
    let longest = rules.iter().map(|rule| rule.duration_secs * 1000).max().unwrap_or(0);
    let since = slot_start(now).plus_ms(-longest.clamp(LOOK_BACK_MS, condition::LONGEST_MS) - 2 * SLOT_MS);
    let (rows, first) = engine
        .store
        .read(move |tx| {
            Ok::<_, StoreError>((metric_slots::recent(tx, SLOT_SECS, since)?, accounts::first(tx)?))
        })
        .await?;
    let mut watched: HashMap<_, _> = inboxes::book(engine)
        .await?
        .all()
        .map(|inbox| {
            let key = (inbox.config.account_id, inbox.config.id);
            (key, Watched { name: inbox.name.clone(), series: Vec::new() })
        })
        .collect();
    for ((account, inbox), series) in series(&rows) {
        let account = if account == AccountId(0) { first } else { Some(account) };
        let Some(account) = account else { continue };
        let name = match inbox {
            InboxId(0) => Some(""),
            super::CHATWOOT => Some(super::CHATWOOT_NAME),
            _ => None,
        };
        if let Some(name) = name {
            watched.insert((account, inbox), Watched { name: name.to_owned(), series });
        } else if let Some(known) = watched.get_mut(&(account, inbox)) {
            known.series = series;
        }
    }
    Ok(watched)
}

/// The slots of each inbox in order, those of several nodes together.
fn series(rows: &[MetricSlot]) -> BTreeMap<(AccountId, InboxId), Vec<(Timestamp, Figures)>> {
    let mut all: BTreeMap<(AccountId, InboxId), Vec<(Timestamp, Figures)>> = BTreeMap::new();
    for row in rows {
        let series = all.entry((row.account_id, row.inbox_id)).or_default();
        let figures = Figures::read(row);
        match series.last_mut() {
            Some((at, together)) if *at == row.slot_at => together.add(&figures),
            _ => series.push((row.slot_at, figures)),
        }
    }
    all
}

fn decide(
    rules: &[AlertRule],
    watched: &HashMap<(AccountId, InboxId), Watched>,
    firing: Vec<AlertRow>,
    now: Timestamp,
) -> Vec<Change> {
    let rule_of = |account, name: &str| rules.iter().find(|r| r.account_id == account && r.name == name);
    let mut changes = Vec::new();
    let mut standing = HashMap::new();
    for alert in firing {
        let rule = rule_of(alert.account_id, &alert.rule_name)
            .filter(|rule| rule.inbox_id.is_none_or(|inbox| inbox == alert.inbox_id));
        let series: Option<&Series> = match watched.get(&(alert.account_id, alert.inbox_id)) {
            Some(watched) => Some(&watched.series),
            None if [InboxId(0), super::CHATWOOT].contains(&alert.inbox_id) => Some(&[]),
            None => None,
        };
        standing.insert((alert.account_id, alert.rule_name.clone(), alert.inbox_id), ());
        match (rule, series) {
            (Some(rule), Some(series)) => {
                let value = condition::value_now(rule, series, now);
                if condition::is_over(rule, series, now) {
                    changes.push(Change::Resolve(Box::new(ended(alert, value, now))));
                } else if now.millis_since(alert.seen_at) >= SEEN_EVERY_MS {
                    changes.push(Change::See(alert.account_id, alert.id, value, None));
                }
            }
            // The rule was removed or switched off, or the inbox was.
            _ => changes.push(Change::Resolve(Box::new(ended(alert, None, now)))),
        }
    }
    for ((account, inbox), watched) in watched {
        for rule in rules.iter().filter(|rule| rule.account_id == *account) {
            let is_wanted = rule.inbox_id.is_none_or(|wanted| wanted == *inbox);
            let stands = standing.contains_key(&(*account, rule.name.clone(), *inbox));
            if !is_wanted || stands {
                continue;
            }
            if let Some(value) = condition::holds(rule, &watched.series, now) {
                changes.push(Change::Fire(Box::new(fired(rule, *inbox, &watched.name, value, now))));
            }
        }
    }
    changes
}

fn fired(rule: &AlertRule, inbox: InboxId, inbox_name: &str, value: f64, now: Timestamp) -> AlertRow {
    AlertRow {
        id: AlertId(0),
        account_id: rule.account_id,
        rule_name: rule.name.clone(),
        rule_title: rule.title.clone(),
        inbox_id: inbox,
        inbox_name: inbox_name.to_owned(),
        metric: rule.metric,
        operator: rule.operator,
        threshold: rule.threshold,
        duration_secs: rule.duration_secs,
        severity: rule.severity,
        state: AlertState::Firing,
        value,
        last_value: Some(value),
        fired_at: now,
        seen_at: now,
        resolved_at: None,
        reason: None,
    }
}

pub(super) fn ended(alert: AlertRow, value: Option<f64>, now: Timestamp) -> AlertRow {
    AlertRow { state: AlertState::Resolved, last_value: value, resolved_at: Some(now), ..alert }
}

fn write(
    tx: &mut Tx<'_>,
    changes: &[Change],
    now: Timestamp,
) -> Result<Vec<(AlertEvent, AlertRow)>, StoreError> {
    let mut written = Vec::new();
    for change in changes {
        match change {
            Change::Fire(alert) => {
                if let Some(id) = alerts::insert(tx, alert)? {
                    written.push((AlertEvent::Fired, AlertRow { id, ..(**alert).clone() }));
                }
            }
            Change::Resolve(alert) => {
                if alerts::resolve(tx, alert.account_id, alert.id, now, alert.last_value)? {
                    written.push((AlertEvent::Resolved, (**alert).clone()));
                }
            }
            Change::See(account, id, value, reason) => {
                alerts::set_seen(tx, *account, *id, now, *value, reason.as_deref())?;
            }
        }
    }
    for (event, alert) in &written {
        let view = AlertView::from(alert.clone());
        put_on_way(tx, alert.account_id, *event, &view, now)?;
    }
    Ok(written)
}

/// Puts news on its way to everywhere the account wants it; tells how much.
pub(super) fn put_on_way(
    tx: &mut Tx<'_>,
    account: AccountId,
    event: AlertEvent,
    alert: &AlertView,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let Some(targets) = alert_targets::find(tx, account)? else { return Ok(0) };
    let body = news::body(event, alert, now).to_string();
    let webhook = targets.webhook_url.iter().map(|url| (AlertTarget::Webhook, url));
    let letters = targets.emails.iter().map(|email| (AlertTarget::Email, email));
    let mut count = 0;
    for (target, address) in webhook.chain(letters) {
        let new = NewAlertDelivery {
            account_id: account,
            alert_id: AlertId(alert.id),
            event: event.as_str(),
            target,
            address,
            body: &body,
        };
        alert_deliveries::insert(tx, new, now)?;
        count += 1;
    }
    Ok(count)
}

/// The log line, the pages that are open, and the courier.
fn tell(engine: &Engine, event: AlertEvent, alert: AlertRow, channel: Option<&'static str>, now: Timestamp) {
    let account = alert.account_id;
    let view = AlertView::from(alert);
    match event {
        AlertEvent::Resolved => tracing::info!(
            alert.id = view.id,
            rule = view.rule,
            inbox.id = view.inbox_id,
            channel,
            severity = view.severity.as_str(),
            "alert resolved"
        ),
        _ => tracing::warn!(
            alert.id = view.id,
            rule = view.rule,
            inbox.id = view.inbox_id,
            channel,
            severity = view.severity.as_str(),
            value = view.value,
            threshold = view.threshold,
            "alert fired"
        ),
    }
    metrics::counter!("frontdesk_alerts_total", "event" => event.as_str()).increment(1);
    let channel = channel_name::of_account(account);
    let name = render::wire_name(event.wire_word());
    let data = news::body(event, &view, now).to_string();
    engine.realtime().publish_everywhere(account, &channel, &protocol::event(&name, &channel, &data), None);
    engine.monitoring().news.notify_one();
}
