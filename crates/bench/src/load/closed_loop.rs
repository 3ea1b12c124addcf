//! Webhooks as fast as they are answered: each connection sends the next one when it has the answer to the last.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::http::Connection;
use crate::figures::Latencies;
use crate::webhook::{self, Message};

/// Connections of a load.
pub const CONNECTIONS: usize = 64;

/// A load on one server.
#[derive(Debug, Clone)]
pub struct ClosedLoop {
    /// As `127.0.0.1:8080`.
    pub address: String,
    /// Where webhooks are taken.
    pub path: String,
    /// Customers who write, in turn.
    pub customers: u64,
    /// Time before anything counts.
    pub warm_up: Duration,
    /// Time that counts.
    pub measured: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Answers with 2xx, the warm-up included.
    pub acknowledged: u64,
    /// Everything else.
    pub refused: u64,
    /// What was wrong first.
    pub first_refusal: Option<String>,
    /// Of the answers with 2xx that were asked for and given in the time that counts.
    pub latencies: Latencies,
}

impl Outcome {
    /// Answers per second of the time that counts.
    pub fn per_second(&self, load: &ClosedLoop) -> f64 {
        self.latencies.count() as f64 / load.measured.as_secs_f64()
    }

    fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.first_refusal = self.first_refusal.take().or(other.first_refusal);
        self.latencies.append(other.latencies);
    }
}

impl ClosedLoop {
    /// Runs it. Every message that was sent has been answered when it returns.
    pub async fn run(&self) -> anyhow::Result<Outcome> {
        let turn = Arc::new(AtomicU64::new(0));
        let begin = Instant::now() + self.warm_up;
        let clients: Vec<_> =
            (0..CONNECTIONS).map(|_| tokio::spawn(client(self.clone(), turn.clone(), begin))).collect();
        let mut outcome = Outcome::default();
        for client in clients {
            outcome.add(client.await?);
        }
        Ok(outcome)
    }
}

async fn client(load: ClosedLoop, turn: Arc<AtomicU64>, begin: Instant) -> Outcome {
    let end = begin + load.measured;
    let mut connection = Connection::new(&load.address);
    let mut outcome = Outcome::default();
    while Instant::now() < end {
        let customer = turn.fetch_add(1, Ordering::Relaxed) % load.customers;
        let body = webhook::body(&[Message::of(customer)]);
        let request = webhook::request(&load.address, &load.path, &body);
        let asked = Instant::now();
        let answer = connection.status(&request).await;
        let answered = Instant::now();
        match answer {
            Ok(200..=299) => {
                outcome.acknowledged += 1;
                if asked >= begin && answered <= end {
                    outcome.latencies.add(answered - asked);
                }
            }
            other => {
                outcome.refused += 1;
                let said = other.map_or_else(|error| error.to_string(), |status| status.to_string());
                outcome.first_refusal.get_or_insert(said);
                // A server that refuses at once would otherwise be asked a hundred thousand times.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    outcome
}
