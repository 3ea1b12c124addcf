//! Sync with Chatwoot, against the sandbox's, on every kind of database.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod both_ways;
mod connections;
mod conversations;
mod pull;
mod push;
mod webhook;

use frontdesk_testkit::stage::{Stage, StageSettings};
use serde_json::{Value, json};

const KEY: &str = "an-administrators-token";

async fn stages() -> Vec<Stage> {
    Stage::on_all(StageSettings::default()).await
}

/// What connects the sandbox's Chatwoot.
fn connection(stage: &Stage, key: &str, account: Value) -> Value {
    json!({ "provider": "chatwoot", "apiKey": key,
        "config": { "accountId": account, "apiUrl": stage.chatwoot_url() } })
}

/// Connects the sandbox's Chatwoot; its id.
async fn connect(stage: &Stage) -> String {
    let body = connection(stage, KEY, json!("1"));
    let (status, answer) = stage.call("POST", "/api/v1/sync/connections", body).await;
    assert_eq!((status, &answer["success"]), (201, &json!(true)), "{answer}");
    answer["data"]["id"].as_str().unwrap().to_owned()
}

/// Pulls all contacts; what became of it.
async fn pull(stage: &Stage, connection: &str) -> Value {
    let path = format!("/api/v1/sync/connections/{connection}/sync?wait=60");
    let (status, answer) = stage.call("POST", &path, Value::Null).await;
    assert_eq!((status, &answer["data"]["status"]), (200, &json!("completed")), "{answer}");
    answer["data"].clone()
}

/// `synced`, `created`, `updated`, `skipped`, `errors`.
fn counts(run: &Value) -> [i64; 5] {
    ["synced", "created", "updated", "skipped", "errors"].map(|name| run[name].as_i64().unwrap())
}
