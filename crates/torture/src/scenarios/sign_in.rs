//! Thousands of guesses at passwords, from one place, while agents work: the guesses are slowed down, nobody gets in,
//! the agents notice nothing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::program::EMAIL;
use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

const GUESSERS: usize = 8;
/// Guesses a minute that are weighed at all: of one person from one place, and of all from one place.
const OF_ONE: usize = 10;
const OF_ALL: usize = 50;

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let scene = Scene::open(&trial, Plan::default()).await?;
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 50, replies_per_second: 10 });
    let (guesses, began) = (trial.pick(240, 10_000), Instant::now());
    let mut guessing = JoinSet::new();
    for number in 0..GUESSERS {
        guessing.spawn(guess(format!("{}/api/v1/session", scene.agent.url()), number, guesses / GUESSERS));
    }
    let (mut answers, mut at_one) = (BTreeMap::new(), 0);
    while let Some(done) = guessing.join_next().await {
        for (is_known, status) in done?? {
            *answers.entry(status).or_insert(0_usize) += 1;
            at_one += usize::from(is_known && status != 429);
        }
    }
    let took = began.elapsed();
    // A minute that was begun counts, and so does the one it began in.
    let minutes = usize::try_from(took.as_secs() / 60)? + 2;
    let weighed = answers.get(&401).copied().unwrap_or(0);
    report
        .expect(answers.keys().all(|status| [401, 429].contains(status)), || format!("answers: {answers:?}"));
    report.expect(at_one <= OF_ONE * minutes, || format!("{at_one} guesses at one person in {took:.0?}"));
    report.expect(weighed <= OF_ALL * minutes, || format!("{weighed} guesses were weighed in {took:.0?}"));
    report.expect(answers.contains_key(&429), || "no guess was slowed down".to_owned());
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    report.size = format!("{guesses} guesses");
    report.figure(format!(
        "{weighed} guesses weighed, {at_one} of them at one person, the others refused, in {took:.1?}"
    ));
    scene.close(report).await
}

/// Guesses at one person who exists and at many who do not; how each was answered, and whether it was at the one.
async fn guess(url: String, number: usize, guesses: usize) -> anyhow::Result<Vec<(bool, u16)>> {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
    let mut answers = Vec::new();
    for n in 0..guesses {
        let email = if n % 2 == 0 { EMAIL.to_owned() } else { format!("nobody-{number}-{n}@example.org") };
        let body = json!({"email": email, "password": format!("guess {number} {n}")});
        let sent = http.post(&url).header("sec-fetch-site", "same-origin").json(&body).send().await?;
        answers.push((n % 2 == 0, sent.status().as_u16()));
    }
    Ok(answers)
}
