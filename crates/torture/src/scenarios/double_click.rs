//! The same reply asked for five times at once, while the server is killed in between: one message, one id; the same
//! key with another text is refused.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::future::join_all;
use serde_json::Value;

use crate::ledger::Accepted;
use crate::provider::MARK;
use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::trial::Trial;

const CLICKS: usize = 5;
/// A reply is taken at last after so many rounds.
const ROUNDS: usize = 600;

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut scene = Scene::open(&trial, Plan::default()).await?;
    let (replies, every) = (trial.pick(40, 1_000), trial.pick(20, 100));
    let mut split = 0;
    for place in 0..replies {
        let conversation = scene.conversations[place % scene.conversations.len()];
        let (text, key) = (format!("{MARK} click {place}"), format!("click {place}"));
        let mut ids = HashSet::new();
        for round in 0.. {
            ensure!(round < ROUNDS, "a reply is never taken");
            let clicks = join_all((0..CLICKS).map(|_| scene.agent.reply(conversation, &text, &key)));
            let answers = if place % every == every - 1 && round == 0 {
                let (answers, killed) = tokio::join!(clicks, kill_soon(&mut scene.nodes[0]));
                report.recoveries.push(killed?);
                answers
            } else {
                clicks.await
            };
            let mut taken = 0;
            for answer in answers.into_iter().flatten().filter(|answer| answer.status().is_success()) {
                ids.insert(answer.json::<Value>().await?["id"].as_i64().context("a reply has an id")?);
                taken += 1;
            }
            if taken == CLICKS {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        split += usize::from(ids.len() > 1);
        let id = ids.into_iter().next().context("a reply was taken")?;
        scene.ledger.accept(Accepted { id, conversation, place, text });
        let other = scene.agent.reply(conversation, "another text", &key).await?.status();
        report.expect(other == 409, || format!("the same key with another text was answered {other}"));
    }
    report.expect(split == 0, || format!("{split} replies got several ids"));
    scene.settle(&mut report).await?;
    report.size = format!("{replies} replies x {CLICKS} clicks, {} kills", report.recoveries.len());
    scene.close(report).await
}

/// Kills a node in a moment and starts it again.
async fn kill_soon(node: &mut crate::program::Program) -> anyhow::Result<Duration> {
    tokio::time::sleep(Duration::from_millis(rand::random_range(0..15))).await;
    node.kill()?;
    node.start().await
}
