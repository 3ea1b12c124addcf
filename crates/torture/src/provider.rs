//! The provider: the sandbox, with customers who write and phones that receive.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Context;
use frontdesk_sandbox::faults::FaultRule;
use frontdesk_sandbox::phone::{self, action::CustomerMessage};
use frontdesk_sandbox::{Channel, Sandbox, SandboxSettings};
use serde_json::{Value, json};

use crate::ledger::Ledger;
use crate::program::{ACCESS_TOKEN, APP_SECRET};

/// In every text of a customer and an agent: may be found in the database and nowhere else.
pub const MARK: &str = "strictly-between-us";
/// Begins every customer's number.
pub const NUMBERS: &str = "62877665";
/// Where webhooks come in.
pub const DOOR: &str = "/api/webhooks/messages";
/// Longer than any kill takes.
const HELD_MS: u64 = 60_000;
/// A reply is sent within this time, also on a machine that is far behind.
const HOLD_WITHIN: Duration = Duration::from_secs(120);
/// What is remembered of each kind; enough for the longest run.
const KEPT: usize = 2_000_000;

/// A provider under our control, reached over HTTP by the program under torture.
#[derive(Clone)]
pub struct Provider {
    /// The provider's world.
    pub sandbox: Sandbox,
    /// Where its Graph API is.
    pub graph_url: String,
    /// How many customers write.
    pub customers: usize,
}

impl Provider {
    /// Starts one with so many customers; it stops with the test.
    pub async fn open(customers: usize) -> anyhow::Result<Self> {
        let mut settings = SandboxSettings { kept: KEPT, ..SandboxSettings::default() };
        settings.live.webhook.app_secret = Some(APP_SECRET.to_owned());
        settings.live.retry.base_ms = 50;
        settings.live.retry.max_attempts = 30;
        settings.live.retry.timeout_ms = 5_000;
        settings.live.limits.pair_burst = None;
        settings.live.limits.messages_per_second = None;
        let (router, sandbox) = Sandbox::new(settings)?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        sandbox.set_public_url(&url);
        tokio::spawn(async move { axum::serve(listener, router).await });
        {
            let mut world = sandbox.world();
            let inbox = world.inboxes.get_mut("whatsapp").context("the sandbox has a WhatsApp number")?;
            inbox.access_token = Some(ACCESS_TOKEN.to_owned());
            for n in 0..customers {
                let phone = format!("{NUMBERS}{n:05}");
                let new = json!({"id": format!("c{n}"), "name": format!("Customer {n}"), "phone": phone});
                world.add_customer(serde_json::from_value(new)?)?;
            }
        }
        Ok(Self { sandbox, graph_url: format!("{url}/graph"), customers })
    }

    /// Says where webhooks go.
    pub fn deliver_to(&self, url: &str) {
        self.sandbox.world().settings.webhook.url = Some(format!("{url}{DOOR}"));
    }

    /// Replaces the faults of its API: `[{"fault": "unavailable", "rate": 1.0}]`.
    pub fn misbehave(&self, faults: Value) -> anyhow::Result<()> {
        self.sandbox.world().faults.insert(Channel::WhatsappCloud, serde_json::from_value(faults)?);
        Ok(())
    }

    /// Waits for the next reply and neither takes nor answers it: a kill now strikes a send for sure.
    pub async fn hold_a_send(&self) -> anyhow::Result<()> {
        let hold = json!({"fault": "latency", "latency_ms": HELD_MS, "next": 1});
        let hold: FaultRule = serde_json::from_value(hold)?;
        self.sandbox.world().faults.entry(Channel::WhatsappCloud).or_default().insert(0, hold);
        let began = Instant::now();
        while self.sandbox.world().faults[&Channel::WhatsappCloud][0].hits == 0 {
            anyhow::ensure!(began.elapsed() < HOLD_WITHIN, "no reply is sent");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.sandbox.world().faults.entry(Channel::WhatsappCloud).or_default().remove(0);
        Ok(())
    }

    /// The customer `n` (counted round) writes the text number `n`; the ledger notes it.
    pub fn write(&self, ledger: &Ledger, n: usize) -> anyhow::Result<()> {
        let text = format!("{MARK} {n}");
        let message = json!({"inbox_id": "whatsapp", "kind": "text", "text": text});
        let message: CustomerMessage = serde_json::from_value(message)?;
        let written = phone::act(&self.sandbox, &format!("c{}", n % self.customers), &message)
            .map_err(|error| anyhow::anyhow!("a customer cannot write: {error}"))?;
        ledger.wrote(written.message_id, text);
        Ok(())
    }

    /// Waits until every webhook was taken or given up: for as long as they become fewer, and `patience` longer.
    pub async fn idle(&self, patience: Duration) -> anyhow::Result<()> {
        let (mut fewest, mut since) = (usize::MAX, Instant::now());
        while !self.sandbox.webhooks().wait_idle(Duration::from_millis(500)).await {
            let backlog = self.sandbox.webhooks().backlog();
            if backlog.pending < fewest {
                (fewest, since) = (backlog.pending, Instant::now());
            }
            anyhow::ensure!(since.elapsed() < patience, "webhooks are still under way: {backlog:?}");
        }
        Ok(())
    }

    /// How many replies reached phones.
    pub fn arrived(&self) -> usize {
        self.sandbox.world().deliveries.iter().count()
    }

    /// How many webhooks were answered so.
    pub fn answered(&self, status: u16) -> usize {
        let world = self.sandbox.world();
        world.webhooks.iter().filter(|post| post.entry.http_status == Some(status)).count()
    }

    /// The messages of customers that were acknowledged by now.
    pub fn acknowledged(&self) -> HashSet<String> {
        let world = self.sandbox.world();
        let taken = world.webhooks.iter().filter(|post| post.entry.http_status == Some(200));
        // Statuses name replies; what customers wrote has no status.
        let written = taken
            .filter(|post| !post.entry.body.as_deref().is_some_and(|body| body.contains("\"statuses\"")));
        written.flat_map(|post| post.entry.message_ids.iter().cloned()).collect()
    }

    /// Answers to webhooks that were neither 200 nor 503, nor missing: the program said something strange.
    pub fn strange_answers(&self) -> Vec<u16> {
        let world = self.sandbox.world();
        let mut strange: Vec<u16> = world
            .webhooks
            .iter()
            .filter_map(|post| post.entry.http_status)
            .filter(|s| ![200, 503].contains(s))
            .collect();
        strange.sort_unstable();
        strange.dedup();
        strange
    }
}
