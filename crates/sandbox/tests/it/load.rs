//! The load generator.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::Stage;

async fn finished(stage: &Stage, id: &str) -> Value {
    for _ in 0..200 {
        let summary = stage.set("GET", &format!("/loads/{id}"), Value::Null).await;
        if summary["running"] == false {
            return summary;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the run does not end");
}

#[tokio::test]
async fn many_customers_write_and_the_ledger_tells_what_was_acknowledged() {
    let stage = Stage::start().await;
    let plan = json!({"inbox_id": "whatsapp", "customers": 7, "rate": 2000, "messages": 300, "batch": 2});
    let run = stage.set("POST", "/loads", plan).await;
    let id = run["id"].as_str().unwrap();
    let summary = finished(&stage, id).await;
    assert_eq!((&summary["done"], &summary["acknowledged"]), (&json!(300), &json!(300)));
    let ledger = stage.set("GET", &format!("/loads/{id}/ledger"), Value::Null).await;
    let ids: HashSet<&str> = ledger["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["message_id"].as_str().unwrap())
        .collect();
    let webhooks = stage.webhooks().await;
    let received: HashSet<&str> = webhooks
        .iter()
        .flat_map(|body| body["entry"].as_array().unwrap())
        .flat_map(|entry| entry["changes"].as_array().unwrap())
        .map(|change| change["value"]["messages"][0]["id"].as_str().unwrap())
        .collect();
    assert_eq!((ids.len(), webhooks.len()), (300, 150));
    assert_eq!(ids, received);
}

#[tokio::test]
async fn refused_messages_are_not_acknowledged() {
    let stage = Stage::start().await;
    stage.answer_webhooks_with(503);
    let plan =
        json!({"inbox_id": "messenger", "customers": 2, "rate": 1000, "messages": 4, "max_attempts": 2});
    let run = stage.set("POST", "/loads", plan).await;
    let id = run["id"].as_str().unwrap();
    let summary = finished(&stage, id).await;
    assert_eq!((&summary["acknowledged"], &summary["failed"]), (&json!(0), &json!(4)));
    let ledger = stage.set("GET", &format!("/loads/{id}/ledger"), Value::Null).await;
    assert_eq!((&ledger["data"][0]["attempts"], &ledger["data"][0]["http_status"]), (&json!(2), &json!(503)));
}
