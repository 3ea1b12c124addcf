//! Every webhook ten times over eight connections, in disorder, with kills in between: each message is there once and
//! counts once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::ensure;
use frontdesk_sandbox::webhooks::{PreparedPost, post};
use rand::seq::SliceRandom;
use tokio::task::JoinSet;

use crate::program::APP_SECRET;
use crate::provider::DOOR;
use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::trial::Trial;

const TIMES: usize = 10;
const CONNECTIONS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(10);
/// A webhook is taken at last after so many tries.
const TRIES: usize = 200;

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut scene = Scene::open(&trial, Plan::default()).await?;
    let (events, kills) = (trial.pick(100, 2_000), trial.pick(1, 10));
    // The provider sends each once, in order; its bodies are then sent again as they were.
    let before = scene.ledger.count_written();
    for n in before..before + events {
        scene.provider.write(&scene.ledger, n)?;
    }
    scene.provider.idle(Duration::from_secs(120)).await?;
    let mut bodies: Vec<String> = {
        let world = scene.provider.sandbox.world();
        world.webhooks.iter().filter_map(|post| post.entry.body.clone()).collect()
    };
    bodies = bodies.iter().cycle().take(bodies.len() * TIMES).cloned().collect();
    bodies.shuffle(&mut rand::rng());
    let (bodies, next) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
    let mut sending = JoinSet::new();
    for _ in 0..CONNECTIONS {
        sending.spawn(send(format!("{}{DOOR}", scene.agent.url()), bodies.clone(), next.clone()));
    }
    for kill in 1..=kills {
        while next.load(Ordering::Relaxed) < bodies.len() * kill / (kills + 1) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        scene.node().kill()?;
        let took = scene.node().start().await?;
        report.recoveries.push(took);
    }
    while let Some(done) = sending.join_next().await {
        done??;
    }
    scene.settle(&mut report).await?;
    report.size = format!("{events} events, {} webhooks, {kills} kills", bodies.len());
    scene.close(report).await
}

/// Sends the next body, again and again until it is taken, until there is none left.
async fn send(url: String, bodies: Arc<Vec<String>>, next: Arc<AtomicUsize>) -> anyhow::Result<()> {
    let http = reqwest::Client::new();
    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
        let signature = frontdesk_sandbox::webhooks::signature::sign(APP_SECRET, body.as_bytes());
        let prepared = PreparedPost {
            url: url.clone(),
            signature: Some(signature),
            body: body.clone().into_bytes().into(),
        };
        let mut tries = 0;
        while !post(&http, &prepared, PATIENCE).await.is_success() {
            tries += 1;
            ensure!(tries < TRIES, "a repeated webhook is never taken");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}
