//! Replies to many conversations through a provider that takes its time.

use std::collections::HashMap;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::load::http::{self, Connection};
use crate::process::{self, Process};
use crate::product::{Database, Product};
use crate::table::{Reading, Table};
use crate::webhook;

const RATE: &str = "sends per second";
const DISORDER: &str = "out of order";
const WRONG: &str = "lost or doubled";
/// The provider answers after this.
const LATENCY_MS: u64 = 50;
/// Agents who write at the same time.
const AGENTS: usize = 16;
/// How long sends may take after the last reply was written.
const PATIENCE: Duration = Duration::from_secs(120);

/// Each database.
pub async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let (conversations, replies) = (bench.sizes.answered, bench.sizes.answered * bench.sizes.replies);
    let mut table = Table::new(
        "Sending replies",
        &format!(
            "{replies} replies in {conversations} conversations of one inbox, written through the API by {AGENTS} clients while \
             they are sent to the sandbox, which answers each call after {LATENCY_MS} ms and reports `sent` and `delivered` by \
             webhook. From the first send to the last. Settings: `outbox.concurrency = 256`, no limit per second."
        ),
    );
    let contestants: Vec<(String, Database)> =
        bench.databases().into_iter().map(|database| (name(database), database)).collect();
    bench.alternate(&mut table, &contestants, async |database| measure(bench, *database).await).await?;
    for (name, _) in &contestants {
        table.at_least_value(name, RATE, 500.0);
        table.at_most(name, DISORDER, 0.0);
        table.at_most(name, WRONG, 0.0);
    }
    Ok(table)
}

fn name(database: Database) -> String {
    format!("Frontdesk, {}", database.name())
}

async fn measure(bench: &Bench, database: Database) -> anyhow::Result<Reading> {
    let provider = Provider::start(bench).await?;
    let graph = format!("http://{}/graph", provider.address);
    let settings = [
        ("META_GRAPH_URL", graph),
        ("FRONTDESK_OUTBOX_CONCURRENCY", "256".to_owned()),
        ("FRONTDESK_OUTBOX_PER_INBOX_PER_SECOND", "100000".to_owned()),
    ];
    let product = bench.product(database, &settings).await?;
    let process = product.start().await?;
    provider.prepare(product.address(), bench.sizes.answered).await?;
    product.settled(bench.sizes.answered).await?;

    let written = write(&product, bench).await?;
    let deliveries = provider.deliveries(bench.sizes.answered * bench.sizes.replies).await?;
    let first = deliveries.first().map_or(0, |delivery| delivery.at_ms);
    let last = deliveries.last().map_or(0, |delivery| delivery.at_ms);
    let (disorder, wrong) = judge(&deliveries, bench.sizes.answered, bench.sizes.replies);
    let reading = Reading::default()
        .with(RATE, deliveries.len() as f64 * 1_000.0 / (last - first).max(1) as f64)
        .with("written per second", written)
        .with(DISORDER, disorder as f64)
        .with(WRONG, wrong as f64)
        .with("RSS MiB", process.resident_mib());
    process.stop().await?;
    provider.process.stop().await?;
    bench.remove(product, database).await?;
    Ok(reading)
}

/// Writes all replies, in order within each conversation; returns how many a second.
async fn write(product: &Product, bench: &Bench) -> anyhow::Result<f64> {
    let mut conversations = Vec::new();
    let (mut connection, mut cursor) = (product.connection(), String::new());
    loop {
        let page = product.get(&mut connection, &format!("/api/v1/conversations?limit=200{cursor}")).await?;
        let rows = page["data"].as_array().context("a page without data")?;
        conversations.extend(rows.iter().filter_map(|row| row["id"].as_i64()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let begun = Instant::now();
    let agents = conversations.chunks(conversations.len().div_ceil(AGENTS)).map(async |theirs| {
        let mut connection = product.connection();
        for number in 0..bench.sizes.replies {
            for id in theirs {
                let reply = json!({ "content": number.to_string() });
                product.post(&mut connection, &format!("/admin/inbox/{id}/messages"), &reply).await?;
            }
        }
        anyhow::Ok(())
    });
    futures_util::future::try_join_all(agents).await?;
    Ok((conversations.len() as u64 * bench.sizes.replies) as f64 / begun.elapsed().as_secs_f64())
}

/// A message that reached a customer.
#[derive(Debug)]
struct Delivery {
    at_ms: i64,
    customer: String,
    text: String,
}

/// How many came after a later one of the same conversation, and how many came never or twice.
fn judge(deliveries: &[Delivery], conversations: u64, replies: u64) -> (usize, u64) {
    let mut got: HashMap<&str, Vec<u64>> = HashMap::new();
    for delivery in deliveries {
        got.entry(&delivery.customer).or_default().extend(delivery.text.parse::<u64>());
    }
    let disorder = got.values().flat_map(|texts| texts.windows(2)).filter(|pair| pair[0] > pair[1]).count();
    let distinct: u64 =
        got.values().map(|texts| texts.iter().collect::<std::collections::HashSet<_>>().len() as u64).sum();
    let doubled = deliveries.len() as u64 - distinct.min(deliveries.len() as u64);
    (disorder, conversations * replies - distinct.min(conversations * replies) + doubled)
}

/// The sandbox, as a process of its own.
struct Provider {
    address: String,
    process: Process,
}

impl Provider {
    async fn start(bench: &Bench) -> anyhow::Result<Self> {
        let address = process::free_address()?;
        let mut command = Command::new(&bench.binary);
        command.args(["sandbox", "--listen", &address]).env("FRONTDESK_LOG", "error");
        let mut process = Process::start(command, "frontdesk sandbox", &bench.folder)?;
        process.ready(&address, "/control/health").await?;
        Ok(Self { address, process })
    }

    /// Without limits, slow, and with customers who have just written.
    async fn prepare(&self, product: &str, customers: u64) -> anyhow::Result<()> {
        let mut connection = Connection::new(&self.address);
        let url = format!("http://{product}{}", webhook::PATH);
        let settings = json!({
            "limits": { "pair_burst": null, "messages_per_second": null },
            "webhook": { "url": url, "app_secret": webhook::SECRET },
        });
        self.ask(&mut connection, "PATCH", "/control/settings", &settings).await?;
        let slow = json!([{ "fault": "latency", "latency_ms": LATENCY_MS, "rate": 1.0 }]);
        self.ask(&mut connection, "PUT", "/control/faults/whatsapp_cloud", &slow).await?;
        for number in 0..customers {
            let id = format!("bench-{number}");
            let customer = json!({ "id": id, "name": format!("Customer {number}"), "phone": format!("62812{number:08}") });
            self.ask(&mut connection, "POST", "/control/customers", &customer).await?;
            let greeting = json!({ "inbox_id": "whatsapp", "kind": "text", "text": "Hello" });
            self.ask(&mut connection, "POST", &format!("/control/customers/{id}/messages"), &greeting)
                .await?;
        }
        Ok(())
    }

    /// Waits until `expected` messages have reached their customers, or nothing comes any more.
    async fn deliveries(&self, expected: u64) -> anyhow::Result<Vec<Delivery>> {
        let mut connection = Connection::new(&self.address);
        let (mut all, mut after, begun) = (Vec::new(), 0, Instant::now());
        while (all.len() as u64) < expected && begun.elapsed() < PATIENCE {
            let path = format!("/control/deliveries?limit=2000&after={after}");
            let page = self.ask(&mut connection, "GET", &path, &Value::Null).await?;
            let rows = page["data"].as_array().context("a page without data")?;
            all.extend(rows.iter().map(|row| Delivery {
                at_ms: row["at_ms"].as_i64().unwrap_or(0),
                customer: row["customer_id"].as_str().unwrap_or_default().to_owned(),
                text: row["text"].as_str().unwrap_or_default().to_owned(),
            }));
            after = page["last_seq"].as_u64().unwrap_or(after);
            if rows.is_empty() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(all)
    }

    async fn ask(
        &self,
        connection: &mut Connection,
        method: &str,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let json = "Content-Type: application/json\r\n";
        let request = http::request(method, &self.address, path, json, body.as_bytes());
        let (status, said) = connection.send(&request).await?;
        if !(200..300).contains(&status) {
            bail!("the sandbox answered {method} {path} with {status}: {}", String::from_utf8_lossy(&said));
        }
        serde_json::from_slice(&said).with_context(|| format!("{path}: no JSON"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deliveries(texts: &[(&str, &str)]) -> Vec<Delivery> {
        let one = |(customer, text): &(&str, &str)| Delivery {
            at_ms: 0,
            customer: (*customer).to_owned(),
            text: (*text).to_owned(),
        };
        texts.iter().map(one).collect()
    }

    #[test]
    fn order_counts_within_a_conversation_only() {
        let mixed = deliveries(&[("a", "0"), ("b", "0"), ("b", "1"), ("a", "1")]);
        assert_eq!(judge(&mixed, 2, 2), (0, 0));
        let swapped = deliveries(&[("a", "1"), ("a", "0")]);
        assert_eq!(judge(&swapped, 1, 2), (1, 0));
    }

    #[test]
    fn what_is_lost_or_doubled_is_counted() {
        assert_eq!(judge(&deliveries(&[("a", "0"), ("a", "0"), ("a", "2")]), 1, 3), (0, 2));
    }
}
