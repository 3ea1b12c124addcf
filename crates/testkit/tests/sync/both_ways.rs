//! An hour of edits on both sides while people are pulled, pushed and told of by webhook.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use frontdesk_testkit::size::pick;
use frontdesk_testkit::stage::Stage;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::push::{self, person};
use crate::{connect, counts, pull, stages};

const SECRET: &str = "whsec_of_the_connection";
const HOUR_MS: i64 = 3_600_000;
const A_MINUTE_AND_MORE: Duration = Duration::from_secs(150);
/// Twice as many people as stand on each side at first.
const PEOPLE: i64 = 24;
/// One edit in so many is a new person.
const NEW_IN: i64 = 20;

/// The contact here that is this one there; 0 while there is none.
async fn ours(stage: &Stage, theirs: i64) -> i64 {
    let find = "SELECT COALESCE(MAX(internal_id), 0) FROM external_entity_maps WHERE external_id";
    stage.database.number(&format!("{find} = '{theirs}'")).await
}

fn all_there(stage: &Stage) -> Vec<i64> {
    stage.sandbox.world().chatwoot.accounts[&1].contacts.keys().copied().collect()
}

/// One edit, of somebody by chance, on a side by chance.
async fn edit(stage: &Stage, dice: &mut StdRng, n: i64) {
    let name = format!("Name {n}");
    let email = format!("person{n}@example.test");
    let phone = format!("+55119{:08}", 20_000_000 + n);
    let is_here = dice.random_bool(0.5);
    if n % NEW_IN == 0 {
        if is_here {
            // Far from the ids that the server gives meanwhile.
            person(stage, 1_000_000 + n * 1_000, &name, &phone).await;
        } else {
            let new = json!({ "name": name, "phone_number": phone });
            assert_eq!(stage.ask_chatwoot("POST", "/contacts", &new).await.0, 200);
        }
        return;
    }
    let all = all_there(stage);
    let theirs = all[dice.random_range(0..all.len())];
    let ours = if is_here { ours(stage, theirs).await } else { 0 };
    let change = match dice.random_range(0..4) {
        0 | 1 => json!({ "name": name }),
        2 => json!({ "email": email }),
        _ => json!({ "name": name, "email": email }),
    };
    if ours > 0 {
        let (status, answer) = stage.call("PATCH", &format!("/api/v1/contacts/{ours}"), change).await;
        assert_eq!(status, 200, "{answer}");
    } else {
        let (status, answer) = stage.ask_chatwoot("PUT", &format!("/contacts/{theirs}"), &change).await;
        assert_eq!(status, 200, "{answer}");
    }
}

/// Runs again and again until nobody edits any more; how often.
async fn run_on(stage: &Stage, direction: &str, edited: &AtomicBool) -> usize {
    let body = json!({ "provider": "chatwoot", "entityType": "contacts", "direction": direction });
    let mut runs = 0;
    while !edited.load(Ordering::Acquire) {
        let (status, answer) = stage.call("POST", "/api/v1/sync/run", body.clone()).await;
        assert!(matches!(status, 200 | 202), "{answer}");
        assert_ne!(answer["data"]["status"], "failed", "{answer}");
        runs += 1;
    }
    runs
}

/// Runs once, to the end. After an hour of edits that may be a minute later: no more requests are made in one than
/// Chatwoot allows.
async fn run_out(stage: &Stage, direction: &str) -> [i64; 5] {
    let body = json!({ "provider": "chatwoot", "entityType": "contacts", "direction": direction });
    let (_, started) = stage.call("POST", "/api/v1/sync/run", body).await;
    let path = format!("/api/v1/sync/runs/{}", started["data"]["runId"].as_str().unwrap());
    let give_up_at = Instant::now() + A_MINUTE_AND_MORE;
    loop {
        let (_, run) = stage.call("GET", &path, Value::Null).await;
        match run["data"]["status"].as_str() {
            Some("completed") => return counts(&run["data"]),
            Some("queued" | "running") if Instant::now() < give_up_at => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            _ => panic!("{run}"),
        }
    }
}

/// When anything was changed, here and there.
async fn written(stage: &Stage) -> [i64; 3] {
    let sum = async |table: &str| {
        let sum = format!("SELECT CAST(COALESCE(SUM(updated_at), 0) AS BIGINT) FROM {table}");
        stage.database.number(&sum).await
    };
    let here = [sum("contacts").await, sum("external_entity_maps").await];
    let there = stage.sandbox.world().chatwoot.accounts[&1].contacts.values().map(|c| c.updated_at_ms).sum();
    [here[0], here[1], there]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_of_edits_on_both_sides_while_both_run_ends_the_same_and_comes_to_rest() {
    // At full size somebody edits every second.
    let edits = pick(60, 3_600);
    for stage in stages().await {
        stage.sandbox.world().chatwoot.settings.requests_per_minute = None;
        let id = connect(&stage).await;
        let change = json!({ "config": { "webhookSecrets": [SECRET] } });
        let (status, _) = stage.call("PATCH", &format!("/api/v1/sync/connections/{id}"), change).await;
        assert_eq!(status, 200);
        stage.subscribe_at_chatwoot(SECRET).await;
        for n in 0..PEOPLE / 2 {
            person(&stage, 500 + n, &format!("Person {n}"), &format!("+55119876543{n:02}")).await;
        }
        stage.crowd_in_chatwoot(usize::try_from(PEOPLE / 2).unwrap()).await;
        push::push(&stage).await;
        pull(&stage, &id).await;

        let mut dice = StdRng::seed_from_u64(20_261_122);
        let edited = AtomicBool::new(false);
        let (pulls, pushes, ()) =
            tokio::join!(run_on(&stage, "pull", &edited), run_on(&stage, "push", &edited), async {
                for n in 1..=edits {
                    edit(&stage, &mut dice, n).await;
                    stage.clock.advance_ms(HOUR_MS / edits);
                }
                edited.store(true, Ordering::Release);
            });
        assert!(pulls > 1 && pushes > 1, "both ran meanwhile: {pulls}, {pushes}");
        for _ in 0..2 {
            run_out(&stage, "pull").await;
            run_out(&stage, "push").await;
        }

        let people = PEOPLE + edits / NEW_IN;
        let before = written(&stage).await;
        stage.clock.advance_ms(1_000);
        let rest = (run_out(&stage, "pull").await, run_out(&stage, "push").await);
        assert_eq!(rest, ([people, 0, 0, people, 0], [people, 0, 0, people, 0]), "nothing goes round");
        assert_eq!(written(&stage).await, before, "nothing was written, here or there");
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM contacts").await, people, "nobody is doubled");
        for theirs in all_there(&stage) {
            let ours = ours(&stage, theirs).await;
            let (_, here) = stage.call("GET", &format!("/api/v1/contacts/{ours}"), Value::Null).await;
            let (_, there) = stage.ask_chatwoot("GET", &format!("/contacts/{theirs}"), &Value::Null).await;
            let there = &there["payload"];
            assert_eq!(
                (&here["name"], &here["email"], &here["phone"]),
                (&there["name"], &there["email"], &there["phone_number"]),
                "{theirs}"
            );
        }
        if edits > 60 {
            eprintln!("{}: {edits} edits, {pulls} pulls, {pushes} pushes", stage.database.kind);
        }
    }
}
