//! How long a list of chats takes with 100 sessions and 100,000 chats: `cargo nextest run -p frontdesk-testkit --test gateway
//! --run-ignored all chats_of_a_session_are_listed_in_time --no-capture` prints the figures. A build with optimisations is what
//! the bar of 20 ms is for.

use std::time::{Duration, Instant};

use frontdesk_testkit::meta::NUMBER;
use serde_json::json;

use crate::desks;

const CHATS: i64 = 100_000;
const SESSIONS: i64 = 100;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: fills the database with 100,000 chats"]
async fn chats_of_a_session_are_listed_in_time() {
    for desk in desks().await {
        desk.writes(crate::SITI, "Siti", "wamid.1", 0, "halo").await;
        let database = &desk.server.database;
        let numbers = if desk.server.engine.store.is_postgres() {
            format!("SELECT n FROM generate_series(2, {CHATS}) AS n")
        } else {
            format!(
                "WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM c WHERE n < {CHATS}) SELECT n FROM c"
            )
        };
        for sql in [
            format!(
                "INSERT INTO inboxes (account_id, channel, name, route_key, settings, secrets, enabled, state_code, state_message,
                    state_since, created_at, updated_at)
                 SELECT account_id, channel, name, 'session' || k.n, settings, secrets, enabled, state_code, state_message,
                    state_since, created_at, updated_at
                 FROM inboxes, ({numbers}) AS k WHERE inboxes.id = 1 AND k.n <= {SESSIONS}"
            ),
            format!(
                "INSERT INTO contacts (id, account_id, name, phone, search_text, created_at, updated_at)
                 SELECT k.n, c.account_id, 'Person ' || k.n, '+62' || (8100000000 + k.n), 'person ' || k.n, c.created_at, c.updated_at
                 FROM contacts c, ({numbers}) AS k WHERE c.id = 1"
            ),
            format!(
                "INSERT INTO conversations (id, account_id, inbox_id, contact_id, thread, status, unread_count, starred,
                    last_message_id, last_message_at, created_at, updated_at)
                 SELECT k.n, v.account_id, 1 + k.n % {SESSIONS}, k.n, 't' || k.n, v.status, k.n % 3, v.starred, v.last_message_id,
                    v.last_message_at + k.n, v.created_at, v.updated_at
                 FROM conversations v, ({numbers}) AS k WHERE v.id = 1"
            ),
        ] {
            database.script(&sql).await;
        }
        let queries = ["", "?filter=unread", "?filter=starred", "?limit=200"];
        for query in queries {
            let path = format!("/api/v1/sessions/{NUMBER}/chats{query}");
            let mut times: Vec<Duration> = Vec::new();
            for _ in 0..50 {
                let began = Instant::now();
                let told = desk.server.get(&path).bearer(&desk.token).send().await.ok(200);
                times.push(began.elapsed());
                assert_eq!(told["success"], json!(true));
            }
            times.sort_unstable();
            println!("{} {query:16} p50 {:?} p95 {:?}", database.kind, times[25], times[47]);
            assert!(times[47] < Duration::from_millis(200), "{query}: {:?}", times[47]);
        }
    }
}
