//! How long after its 200 a message can be seen: asked while the load runs, with messages of a customer apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::task::JoinHandle;

use crate::load::http::{Connection, find};
use crate::product::Product;
use crate::webhook::{self, Message};

/// The customer who writes the probes; no load has so many others.
const CUSTOMER: u64 = 90_000_000;
const PAUSE: Duration = Duration::from_millis(200);
/// After this a message counts as never seen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Probes under way.
pub struct Backlog {
    stop: Arc<AtomicBool>,
    task: JoinHandle<anyhow::Result<Probes>>,
}

/// What they found.
#[derive(Debug, Default)]
pub struct Probes {
    /// Messages sent, which count among those to be applied.
    pub sent: u64,
    /// The longest time from a 200 to the message's appearance.
    pub longest: Duration,
}

impl Backlog {
    /// Begins to probe.
    pub async fn watch(product: &Product) -> anyhow::Result<Self> {
        let mut connection = product.connection();
        product.deliver(&mut connection, &[Message::of(CUSTOMER)]).await?;
        product.settled(1).await?;
        let found = format!("/api/v1/conversations?limit=5&q=Customer%20{CUSTOMER}");
        let found = product.get(&mut connection, &found).await?;
        let id = found["data"][0]["id"].as_i64().context("the probes' conversation is not found")?;
        let ask = product.get_request(&format!("/api/v1/conversations/{id}/messages?limit=1"));
        let (address, stop) = (product.address().to_owned(), Arc::new(AtomicBool::new(false)));
        let task = tokio::spawn(probe(address, ask, stop.clone()));
        Ok(Self { stop, task })
    }

    /// Ends it.
    pub async fn end(self) -> anyhow::Result<Probes> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

async fn probe(address: String, ask: Vec<u8>, stop: Arc<AtomicBool>) -> anyhow::Result<Probes> {
    let (mut writer, mut reader) = (Connection::new(&address), Connection::new(&address));
    let mut probes = Probes { sent: 1, longest: Duration::ZERO };
    while !stop.load(Ordering::Relaxed) {
        let message = Message::of(CUSTOMER);
        let body = webhook::body(std::slice::from_ref(&message));
        let status = writer.send(&webhook::request(&address, webhook::PATH, &body)).await?.0;
        if status != 200 {
            bail!("a probe was answered {status}");
        }
        let acknowledged = Instant::now();
        probes.sent += 1;
        loop {
            let (_, shown) = reader.send(&ask).await?;
            if find(&shown, message.text.as_bytes()).is_some() {
                break;
            }
            if acknowledged.elapsed() > PATIENCE {
                bail!("an acknowledged message is not shown after {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        probes.longest = probes.longest.max(acknowledged.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(probes)
}
