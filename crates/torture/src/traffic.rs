//! Customers who write and agents who reply, whatever happens to the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::agent::Agent;
use crate::ledger::{Accepted, Ledger};
use crate::provider::MARK;
use crate::scene::Scene;

/// Agents at work; each has conversations of its own.
const AGENTS: usize = 10;
/// A reply that is not taken for this long is a failure of the run.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries of one reply.
const AGAIN: Duration = Duration::from_millis(50);

/// How much goes on.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Messages of customers.
    pub webhooks_per_second: u32,
    /// Replies of agents.
    pub replies_per_second: u32,
}

/// Customers and agents at work until [`Traffic::stop`].
pub struct Traffic {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Traffic {
    /// Begins.
    pub fn start(scene: &Scene, load: Load) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        if load.webhooks_per_second > 0 {
            let (provider, ledger, stop) = (scene.provider.clone(), scene.ledger.clone(), stop.clone());
            tasks.spawn(async move {
                let mut ticks = tokio::time::interval(Duration::from_secs(1) / load.webhooks_per_second);
                for n in ledger.count_written().. {
                    ticks.tick().await;
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    provider.write(&ledger, n)?;
                }
                Ok(())
            });
        }
        if load.replies_per_second > 0 {
            let each = scene.conversations.len().div_ceil(AGENTS);
            let pause = Duration::from_secs(u64::try_from(AGENTS).unwrap_or(1)) / load.replies_per_second;
            for theirs in scene.conversations.chunks(each) {
                let work =
                    reply(scene.agent.clone(), theirs.to_vec(), pause, scene.ledger.clone(), stop.clone());
                tasks.spawn(work);
            }
        }
        Self { stop, tasks }
    }

    /// Lets everyone finish what they are at.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok(())
    }
}

/// One agent replies in conversations of its own until `stop`, one after the other.
async fn reply(
    agent: Agent,
    conversations: Vec<i64>,
    pause: Duration,
    ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let offset = ledger.count_accepted();
    for n in 0.. {
        ticks.tick().await;
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let conversation = conversations[n % conversations.len()];
        post(&agent, conversation, offset + n, &ledger).await?;
    }
    Ok(())
}

/// Asks for one reply, under one key, until the server takes it.
pub async fn post(agent: &Agent, conversation: i64, place: usize, ledger: &Ledger) -> anyhow::Result<()> {
    let text = format!("{MARK} reply {conversation}/{place}");
    let key = format!("key {conversation}/{place}");
    let began = Instant::now();
    loop {
        let taken = match agent.reply(conversation, &text, &key).await {
            Ok(answer) if answer.status().is_success() => answer.json::<Value>().await.ok(),
            // "Later": the database cannot be written to, or it is going down.
            Ok(answer) if answer.status() == 503 => None,
            Ok(answer) => {
                ledger.refuse(format!("{} for a reply", answer.status()));
                None
            }
            Err(_) => None,
        };
        if let Some(message) = taken {
            let id = message["id"].as_i64().context("a reply has an id")?;
            ledger.accept(Accepted { id, conversation, place, text });
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            bail!("a reply was not taken for {PATIENCE:?}");
        }
        tokio::time::sleep(AGAIN).await;
    }
}
