//! Thousands of signed bodies that make no sense, and bodies larger than allowed, while customers write as ever.

use std::time::{Duration, Instant};

use anyhow::Context;
use frontdesk_sandbox::webhooks::signature::sign;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::Client;
use tokio::task::JoinSet;

use crate::program::APP_SECRET;
use crate::provider::DOOR;
use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

const SENDERS: usize = 8;
const MORE_MEMORY: u64 = 50 * 1024 * 1024;
/// Larger than any door takes.
const HUGE_BYTES: usize = 100 * 1024 * 1024;
/// What stands where it does not belong.
const STRANGE: &[&str] = &[
    "null",
    "true",
    "-1",
    "1e308",
    "1e999",
    "NaN",
    "18446744073709551616",
    "0.1",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "[]",
    "{}",
    "[[]]",
    "[null]",
    "{\"\":\"\"}",
    "{\"id\":{}}",
    "\"💥\"",
];

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let scene = Scene::open(&trial, Plan::default()).await?;
    let model = {
        let world = scene.provider.sandbox.world();
        world.webhooks.iter().find_map(|post| post.entry.body.clone()).context("a body of the provider")?
    };
    // Some of the nonsense makes sense: another name, another text.
    scene.ledger.expect_strangers();
    let memory = scene.nodes[0].memory()?;
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 50, replies_per_second: 10 });
    let (bodies, began) = (trial.pick(240, 10_000), Instant::now());
    let mut senders = JoinSet::new();
    for number in 0..SENDERS {
        let url = format!("{}{DOOR}", scene.agent.url());
        senders.spawn(spoil(url, model.clone(), bodies / SENDERS, number as u64));
    }
    let mut answers = std::collections::BTreeMap::new();
    while let Some(done) = senders.join_next().await {
        for status in done?? {
            *answers.entry(status).or_insert(0) += 1;
        }
    }
    let took = began.elapsed();
    let strange: Vec<_> = answers.keys().filter(|status| ![200, 422].contains(*status)).collect();
    report.expect(strange.is_empty(), || format!("nonsense was answered with {strange:?}"));
    for _ in 0..trial.pick(1, 10) {
        let status = too_large(&scene).await?;
        report.expect(status.is_none_or(|status| status == 413), || {
            format!("100 MB were answered with {status:?}")
        });
    }
    let more = scene.nodes[0].memory()?.saturating_sub(memory);
    report.expect(more < MORE_MEMORY, || format!("memory grew by {} KiB", more / 1024));
    traffic.stop().await?;
    // What could not be read is kept aside on purpose; everything else is as if nothing had been.
    scene
        .database
        .execute("DELETE FROM webhook_logs WHERE state IN ('failed', 'unreadable', 'unrouted')")
        .await?;
    scene.rest().await?;
    let account = scene.ledger.settle_promises(&scene.database, &scene.provider).await?;
    report.take(account.tally, account.findings);
    report.size = format!("{bodies} bodies of nonsense, {} webhooks", scene.ledger.count_written());
    report.figure(format!("answers {answers:?} in {took:.1?}; memory +{} KiB", more / 1024));
    scene.close(report).await
}

/// Sends bodies that were spoiled after the model; returns how they were answered.
async fn spoil(url: String, model: String, bodies: usize, seed: u64) -> anyhow::Result<Vec<u16>> {
    let (http, mut dice) =
        (Client::builder().timeout(Duration::from_secs(30)).build()?, StdRng::seed_from_u64(seed));
    let mut answers = Vec::new();
    for _ in 0..bodies {
        let body = spoiled(&mut dice, &model);
        let signature = sign(APP_SECRET, &body);
        let sent = http.post(&url).header("x-hub-signature-256", signature).body(body).send().await;
        answers.push(sent.context("nonsense was not answered")?.status().as_u16());
    }
    Ok(answers)
}

fn spoiled(dice: &mut StdRng, model: &str) -> Vec<u8> {
    let bytes = model.as_bytes();
    match dice.random_range(0..8) {
        0 => bytes[..dice.random_range(0..bytes.len())].to_vec(),
        1 => {
            let mut bytes = bytes.to_vec();
            for _ in 0..dice.random_range(1..8) {
                let at = dice.random_range(0..bytes.len());
                bytes[at] ^= 1 << dice.random_range(0..8);
            }
            bytes
        }
        2 => [b"\xef\xbb\xbf", bytes].concat(),
        3 => model.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        4 => [b"[".repeat(10_000), bytes.to_vec()].concat(),
        5 => [&bytes[..bytes.len() - 1], br#","entry":[{"id":1}],"entry":null}"#].concat(),
        _ => {
            // Another value after one of the colons.
            let colons: Vec<usize> = model.match_indices("\":").map(|(at, _)| at + 2).collect();
            let at = colons[dice.random_range(0..colons.len())];
            let value = STRANGE[dice.random_range(0..STRANGE.len())];
            let rest = model[at..].find([',', '}']).map_or("", |end| &model[at + end..]);
            format!("{}{value}{rest}", &model[..at]).into_bytes()
        }
    }
}

/// Sends a signed body that is far too large; how it was answered, when the connection lived to tell.
async fn too_large(scene: &Scene) -> anyhow::Result<Option<u16>> {
    let body = vec![b' '; HUGE_BYTES];
    let signature = sign(APP_SECRET, &body);
    let http = Client::builder().timeout(Duration::from_secs(30)).build()?;
    let sent = http.post(format!("{}{DOOR}", scene.agent.url())).header("x-hub-signature-256", signature);
    Ok(sent.body(body).send().await.ok().map(|answer| answer.status().as_u16()))
}
