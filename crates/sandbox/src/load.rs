//! The load generator: many customers write at a set rate; a ledger says what was sent and how it was answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::channel::Channel;
use crate::chat::Author;
use crate::clock::TimeMs;
use crate::customer::{Customer, NewCustomer};
use crate::graph::{messaging, whatsapp};
use crate::inbox::Inbox;
use crate::sandbox::{Sandbox, WeakSandbox};
use crate::webhooks::event::envelope;
use crate::webhooks::{Event, EventClass, PreparedPost, post};

/// Messages of one run at most.
pub const MESSAGES_MAX: u64 = 2_000_000;

/// A load run to start.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadPlan {
    /// Inbox written to.
    pub inbox_id: String,
    /// How many customers write, in turn. They are made as `load-{run}-{number}`.
    #[serde(default = "default_customers")]
    pub customers: usize,
    /// Messages a second.
    pub rate: f64,
    /// Messages in all.
    pub messages: u64,
    /// POSTs under way at the same time.
    #[serde(default = "default_concurrency")]
    pub concurrency: usize,
    /// Messages in one POST.
    #[serde(default = "default_batch")]
    pub batch: usize,
    /// Length of each text, in characters; it begins with the message's number.
    #[serde(default = "default_text_characters")]
    pub text_characters: usize,
    /// A POST that is not answered with 2xx is repeated up to so many times in all, 100 ms apart.
    #[serde(default = "default_attempts")]
    pub max_attempts: u32,
    /// Each POST is sent so many times, whatever the answer (duplicates).
    #[serde(default = "default_copies")]
    pub copies: u32,
}

fn default_customers() -> usize {
    100
}

fn default_concurrency() -> usize {
    64
}

fn default_batch() -> usize {
    1
}

fn default_text_characters() -> usize {
    60
}

fn default_attempts() -> u32 {
    1
}

fn default_copies() -> u32 {
    1
}

/// One message of a run and how its POST was answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LoadRecord {
    /// Place in the run, from 0.
    pub number: u64,
    /// Customer who wrote.
    pub customer_id: String,
    /// The provider's message id.
    pub message_id: String,
    /// The text.
    pub text: String,
    /// When it was first sent, in milliseconds since 1970.
    pub sent_at_ms: TimeMs,
    /// Status of the last answer; `null`: none came.
    pub http_status: Option<u16>,
    /// Why none came.
    pub error: Option<String>,
    /// How long the last answer took, in milliseconds.
    pub duration_ms: u64,
    /// POSTs of it.
    pub attempts: u32,
    /// At least one POST was answered with 2xx: the server promised to keep it.
    pub acknowledged: bool,
}

/// A load run.
#[derive(Debug)]
pub struct Load {
    /// What was asked.
    pub plan: LoadPlan,
    /// Finished messages, in order of their answers.
    pub records: Vec<LoadRecord>,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: TimeMs,
    /// When it ended.
    pub finished_at_ms: Option<TimeMs>,
    stop: Arc<AtomicBool>,
}

/// Figures of a run.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LoadSummary {
    /// Id of the run.
    pub id: String,
    /// What was asked.
    pub plan: LoadPlan,
    /// Messages answered or given up.
    pub done: u64,
    /// Messages acknowledged with 2xx.
    pub acknowledged: u64,
    /// The others.
    pub failed: u64,
    /// False once all is done or the run was stopped.
    pub running: bool,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: TimeMs,
    /// When it ended.
    pub finished_at_ms: Option<TimeMs>,
    /// Half of the answers took at most this long, in milliseconds.
    pub p50_ms: u64,
    /// 95 of 100 answers.
    pub p95_ms: u64,
    /// 99 of 100 answers.
    pub p99_ms: u64,
    /// The slowest answer.
    pub max_ms: u64,
}

impl Load {
    /// Figures of this run.
    #[must_use]
    pub fn summary(&self, id: &str) -> LoadSummary {
        let mut durations: Vec<u64> = self.records.iter().map(|record| record.duration_ms).collect();
        durations.sort_unstable();
        let quantile = |percent: usize| {
            let index = (durations.len() * percent).div_ceil(100).saturating_sub(1);
            durations.get(index).copied().unwrap_or_default()
        };
        let acknowledged = self.records.iter().filter(|record| record.acknowledged).count() as u64;
        let done = self.records.len() as u64;
        LoadSummary {
            id: id.to_owned(),
            plan: self.plan.clone(),
            done,
            acknowledged,
            failed: done - acknowledged,
            running: self.finished_at_ms.is_none(),
            started_at_ms: self.started_at_ms,
            finished_at_ms: self.finished_at_ms,
            p50_ms: quantile(50),
            p95_ms: quantile(95),
            p99_ms: quantile(99),
            max_ms: durations.last().copied().unwrap_or_default(),
        }
    }

    /// Ends the run after the POSTs under way.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Why a run could not start.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LoadError {
    /// No such inbox.
    #[error("there is no such inbox")]
    NoInbox,
    /// The inbox has no webhook URL.
    #[error("no webhook URL is set for this inbox")]
    NoTarget,
    /// A figure is out of range.
    #[error(
        "rate, messages, customers, batch, concurrency, copies and max_attempts must be positive and within limits"
    )]
    OutOfRange,
    /// The customers could not be made.
    #[error(transparent)]
    Customers(#[from] crate::world::CustomerError),
}

/// Starts a run and returns its id.
///
/// Errors: [`LoadError`]; nothing is sent then.
pub fn start(sandbox: &Sandbox, plan: LoadPlan) -> Result<String, LoadError> {
    check(&plan)?;
    let mut world = sandbox.world();
    let inbox = world.inboxes.get(&plan.inbox_id).cloned().ok_or(LoadError::NoInbox)?;
    let target = inbox.webhook_target(&world.settings.webhook);
    let url = target.url.ok_or(LoadError::NoTarget)?;
    let id = world.ids.word();
    let mut customers = Vec::with_capacity(plan.customers);
    for number in 0..plan.customers {
        let new = NewCustomer {
            id: Some(format!("load-{id}-{number}")),
            name: format!("Load {number}"),
            ..NewCustomer::default()
        };
        customers.push(world.add_customer(new)?);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let load = Load {
        plan: plan.clone(),
        records: Vec::new(),
        started_at_ms: sandbox.clock().now(),
        finished_at_ms: None,
        stop: Arc::clone(&stop),
    };
    world.loads.insert(id.clone(), load);
    drop(world);
    let run = Run {
        sandbox: sandbox.downgrade(),
        id: id.clone(),
        plan,
        inbox,
        customers,
        url,
        app_secret: target.app_secret,
        stop,
    };
    tokio::spawn(Arc::new(run).run());
    Ok(id)
}

fn check(plan: &LoadPlan) -> Result<(), LoadError> {
    let positive = plan.customers > 0
        && plan.batch > 0
        && plan.concurrency > 0
        && plan.copies > 0
        && plan.max_attempts > 0;
    let bounded = plan.customers <= 100_000
        && plan.batch <= 1_000
        && plan.concurrency <= 4_096
        && plan.text_characters <= 4_096;
    let paced = plan.rate > 0.0 && plan.rate <= 1_000_000.0 && (1..=MESSAGES_MAX).contains(&plan.messages);
    if positive && bounded && paced { Ok(()) } else { Err(LoadError::OutOfRange) }
}

struct Run {
    sandbox: WeakSandbox,
    id: String,
    plan: LoadPlan,
    inbox: Inbox,
    customers: Vec<Customer>,
    url: String,
    app_secret: Option<String>,
    stop: Arc<AtomicBool>,
}

impl Run {
    /// Open loop: the pace does not wait for answers, but for a free place among `concurrency`.
    async fn run(self: Arc<Self>) {
        let places = Arc::new(Semaphore::new(self.plan.concurrency));
        let started = Instant::now();
        let mut number = 0;
        while number < self.plan.messages && !self.stop.load(Ordering::Relaxed) {
            let count = (self.plan.batch as u64).min(self.plan.messages - number);
            #[expect(clippy::cast_precision_loss, reason = "at most two million messages")]
            let due = started + Duration::from_secs_f64(number as f64 / self.plan.rate);
            tokio::time::sleep_until(due).await;
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let run = Arc::clone(&self);
            tokio::spawn(async move {
                // The sandbox may be gone: then nobody asks for the record.
                let _gone = run.send(number, count).await;
                drop(place);
            });
            number += count;
        }
        let all = u32::try_from(self.plan.concurrency).unwrap_or(u32::MAX);
        drop(places.acquire_many(all).await);
        if let Some(sandbox) = self.sandbox.upgrade() {
            let now = sandbox.clock().now();
            if let Some(load) = sandbox.world().loads.get_mut(&self.id) {
                load.finished_at_ms = Some(now);
            }
        }
    }

    async fn send(&self, first: u64, count: u64) -> Option<()> {
        let (prepared, mut records) = {
            let sandbox = self.sandbox.upgrade()?;
            let (events, records) = self.write(&sandbox, first, count)?;
            let body = envelope(self.inbox.channel, &events, sandbox.clock().now());
            (PreparedPost::new(self.url.clone(), self.app_secret.as_deref(), &body), records)
        };
        let (http, limit) = {
            let sandbox = self.sandbox.upgrade()?;
            let limit = sandbox.world().settings.retry.timeout_ms;
            (sandbox.http().clone(), Duration::from_millis(limit))
        };
        let mut attempts = 0;
        let (mut acknowledged, mut last) = (false, None);
        while attempts < self.plan.copies || (!acknowledged && attempts < self.plan.max_attempts) {
            if attempts >= self.plan.copies {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            let answer = post(&http, &prepared, limit).await;
            attempts += 1;
            acknowledged |= answer.is_success();
            last = Some(answer);
        }
        let answer = last?;
        for record in &mut records {
            record.http_status = answer.http_status;
            record.error.clone_from(&answer.error);
            record.duration_ms = answer.duration_ms;
            record.attempts = attempts;
            record.acknowledged = acknowledged;
        }
        self.sandbox.upgrade()?.world().loads.get_mut(&self.id)?.records.extend(records);
        Some(())
    }

    fn write(&self, sandbox: &Sandbox, first: u64, count: u64) -> Option<(Vec<Event>, Vec<LoadRecord>)> {
        let mut events = Vec::new();
        let mut records = Vec::new();
        for number in first..first + count {
            let index = usize::try_from(number).ok()? % self.customers.len();
            let customer = &self.customers[index];
            let text = self.text(number);
            let now = sandbox.clock().now();
            let message_id = {
                let mut world = sandbox.world();
                world.chat_mut(&customer.id, &self.inbox.id).last_customer_message_ms = Some(now);
                world.message_id(self.inbox.channel, customer.whatsapp_address(), Author::Customer)
            };
            events.push(self.event(sandbox, customer, &message_id, &text)?);
            records.push(LoadRecord {
                number,
                customer_id: customer.id.clone(),
                message_id,
                text,
                sent_at_ms: now,
                http_status: None,
                error: None,
                duration_ms: 0,
                attempts: 0,
                acknowledged: false,
            });
        }
        Some((events, records))
    }

    fn event(&self, sandbox: &Sandbox, customer: &Customer, message_id: &str, text: &str) -> Option<Event> {
        if self.inbox.channel == Channel::WhatsappCloud {
            let content = json!({"type": "text", "text": {"body": text}});
            return Some(whatsapp::events::message(
                sandbox,
                &self.inbox,
                customer,
                message_id,
                content,
                true,
            ));
        }
        let content = json!({"message": {"mid": message_id, "text": text}});
        let ids = vec![message_id.to_owned()];
        messaging::events::from_customer(
            sandbox,
            &self.inbox,
            &customer.id,
            ids,
            EventClass::Message,
            content,
        )
    }

    fn text(&self, number: u64) -> String {
        let mut text = format!("load {} message {number} ", self.id);
        while text.chars().count() < self.plan.text_characters {
            text.push_str("kopi ");
        }
        text.chars().take(self.plan.text_characters.max(24)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_from_the_records() {
        let plan: LoadPlan =
            serde_json::from_value(json!({"inbox_id": "whatsapp", "rate": 10.0, "messages": 4})).unwrap();
        let record = |number: u64, duration_ms| LoadRecord {
            number,
            customer_id: String::new(),
            message_id: String::new(),
            text: String::new(),
            sent_at_ms: 0,
            http_status: Some(200),
            error: None,
            duration_ms,
            attempts: 1,
            acknowledged: number != 3,
        };
        let load = Load {
            plan,
            records: [5, 1, 9, 3].into_iter().enumerate().map(|(n, ms)| record(n as u64, ms)).collect(),
            started_at_ms: 0,
            finished_at_ms: Some(1),
            stop: Arc::default(),
        };
        let summary = load.summary("x");
        assert_eq!((summary.p50_ms, summary.p95_ms, summary.max_ms), (3, 9, 9));
        assert_eq!((summary.acknowledged, summary.failed, summary.running), (3, 1, false));
    }
}
