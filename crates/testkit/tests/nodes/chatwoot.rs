//! What one node learns of Chatwoot, the others forget.

use std::time::{Duration, Instant};

use frontdesk_testkit::size::pick;
use frontdesk_testkit::stage::{Stage, StageSettings, chatwoot_signature, until};
use serde_json::{Value, json};

use crate::shared::two_nodes;

async fn texts(stage: &Stage, node: usize, path: &str) -> usize {
    let (status, answer) = stage.call_on(node, "GET", path, Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    answer["messages"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_on_one_node_and_told_to_one_is_fetched_anew_on_both() {
    let settings = StageSettings { chatwoot: true, ..StageSettings::default() };
    let Some(stage) = two_nodes(settings).await else { return };
    let (id, _) = stage.write_in_chatwoot("+5511987654321", "Hi").await;
    let (quiet, _) = stage.write_in_chatwoot("+5511900000000", "Hi").await;
    let path = |id: i64| format!("/api/v1/chatwoot/conversations/{id}/messages");
    for node in [0, 1] {
        assert_eq!((texts(&stage, node, &path(id)).await, texts(&stage, node, &path(quiet)).await), (1, 1));
    }

    let (status, _) = stage.call_on(0, "POST", &path(id), json!({ "content": "From the first" })).await;
    assert_eq!(status, 201);
    assert_eq!(texts(&stage, 0, &path(id)).await, 2, "at once where it was written");
    let written = Instant::now();
    let arrives = |wanted: usize| {
        let (stage, path) = (&stage, path(id));
        until("the second node asks anew", move || {
            let path = path.clone();
            async move { (texts(stage, 1, &path).await == wanted).then_some(()) }
        })
    };
    arrives(2).await;
    println!("a write reached the other node within {:?}", written.elapsed());

    stage.write_in_chatwoot("+5511987654321", "From outside").await;
    let body = format!(
        r#"{{"event":"message_created","id":7,"content":"x","conversation":{{"id":{id}}},"account":{{"id":1}}}}"#
    );
    let sent = stage.now_s();
    let signature = chatwoot_signature("whsec_demo_8fJ2kQ", sent, body.as_bytes());
    let told = Instant::now();
    let (status, _) = stage.deliver_from_chatwoot(0, &body, &signature, sent, "d-1").await;
    assert_eq!(status, 200);
    arrives(3).await;
    println!("a webhook reached the other node within {:?}", told.elapsed());
    assert!(told.elapsed() < Duration::from_secs(5), "not only by the safety poll");
    assert_eq!(
        stage.chatwoot_requests("GET", &format!("/conversations/{quiet}/messages")),
        2,
        "once by each node"
    );

    let (status, _) = stage.call_on(1, "POST", "/api/v1/chatwoot/cache/clear", Value::Null).await;
    assert_eq!(status, 200);
    until("the first node asks anew", || async {
        texts(&stage, 0, &path(quiet)).await;
        (stage.chatwoot_requests("GET", &format!("/conversations/{quiet}/messages")) == 3).then_some(())
    })
    .await;
}

/// From the webhook on, including the question that is asked anew.
const WITHIN: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_counts_on_both_nodes_within_fifty_milliseconds() {
    let settings = StageSettings { chatwoot: true, ..StageSettings::default() };
    let Some(stage) = two_nodes(settings).await else { return };
    let (id, _) = stage.write_in_chatwoot("+5511987654321", "Hi").await;
    let path = format!("/api/v1/chatwoot/conversations/{id}/messages");
    let mut took = Vec::new();
    for n in 1..=pick(9, 15) {
        for node in [0, 1] {
            assert_eq!(texts(&stage, node, &path).await, n, "kept on both");
        }
        stage.write_in_chatwoot("+5511987654321", "More").await;
        let body = format!(
            r#"{{"event":"message_created","id":{n},"content":"x","conversation":{{"id":{id}}},"account":{{"id":1}}}}"#
        );
        let sent = stage.now_s();
        let signature = chatwoot_signature("whsec_demo_8fJ2kQ", sent, body.as_bytes());
        let told = Instant::now();
        let (status, _) =
            stage.deliver_from_chatwoot(n % 2, &body, &signature, sent, &format!("d-{n}")).await;
        assert_eq!(status, 200);
        for node in [0, 1] {
            while texts(&stage, node, &path).await == n {
                assert!(told.elapsed() < Duration::from_secs(5), "not only by the safety poll");
            }
        }
        took.push(told.elapsed());
    }
    took.sort();
    println!("a webhook counted on both nodes after {:?} (median), {took:?}", took[took.len() / 2]);
    // Other tests run on the same cores: at full size, alone, half of them have to be in time.
    let in_time = took.iter().filter(|took| **took <= WITHIN).count();
    assert!(in_time >= pick(1, took.len().div_ceil(2)), "{took:?}");
}
