//! Sync with Chatwoot, against the sandbox's, on every kind of database.

mod connections;

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
