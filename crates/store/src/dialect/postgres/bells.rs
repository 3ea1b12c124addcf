//! Bells between nodes: what one commits, the others look at.
//!
//! `NOTIFY` within a transaction would make all commits of all nodes wait for each other, each with its sync; so it comes
//! afterwards, once for all commits of a moment. A bell that is lost with its node costs the others their safety
//! interval.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::signals::{Signals, TopicSet};

/// The NOTIFY channel all nodes listen on; the payload is `{process}:{TopicSet as a number}`.
const CHANNEL: &str = "frontdesk";
/// How often the other nodes are told at most; what is committed meanwhile is told all at once.
const PACE: Duration = Duration::from_millis(5);

/// What the other nodes have to be told.
pub(super) struct Bells {
    waiting: AtomicU8,
    pulled: Notify,
    /// Tells our own bells from others'.
    process: String,
}

impl Default for Bells {
    fn default() -> Self {
        let process = format!("{:016x}", rand::random::<u64>());
        Self { waiting: AtomicU8::new(0), pulled: Notify::new(), process }
    }
}

impl Bells {
    /// Has the other nodes told, soon.
    pub fn ring(&self, topics: TopicSet) {
        if !topics.is_empty() {
            self.waiting.fetch_or(topics.bits(), Ordering::Relaxed);
            self.pulled.notify_one();
        }
    }

    /// Rings this node's bells for commits of other nodes, and theirs for ours. Reconnects for ever; rings all of this
    /// node's after every (re)connect.
    pub async fn run(&self, config: Config, tls: MakeRustlsConnect, signals: Signals) {
        let mut pause = Duration::from_millis(100);
        loop {
            match self.run_once(&config, tls.clone(), &signals).await {
                Ok(()) => pause = Duration::from_millis(100),
                Err(error) => tracing::warn!(%error, "the notification connection to PostgreSQL was lost"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    async fn run_once(
        &self,
        config: &Config,
        tls: MakeRustlsConnect,
        signals: &Signals,
    ) -> Result<(), tokio_postgres::Error> {
        let (client, mut connection) = config.connect(tls).await?;
        let hear = async {
            while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(note) = message? {
                    let (process, topics) = note.payload().split_once(':').unwrap_or_default();
                    if process != self.process {
                        signals.ring(TopicSet::from_bits(topics.parse().unwrap_or(u8::MAX)));
                    }
                }
            }
            Ok(())
        };
        let talk = async {
            client.batch_execute(&format!("SET synchronous_commit = off; LISTEN {CHANNEL}")).await?;
            signals.ring(TopicSet::all());
            loop {
                self.pulled.notified().await;
                self.tell(&client).await?;
                tokio::time::sleep(PACE).await;
            }
        };
        tokio::select! {
            heard = hear => heard,
            told = talk => told,
        }
    }

    async fn tell(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let topics = self.waiting.swap(0, Ordering::Relaxed);
        client.batch_execute(&format!("NOTIFY {CHANNEL}, '{}:{topics}'", self.process)).await
    }
}
