//! What a network allows an inbox to send holds for all nodes together.

use frontdesk_engine::monitoring::slots;
use frontdesk_testkit::stage::{StageSettings, id_of};
use serde_json::json;

use crate::shared::two_nodes;

/// No second that begins anywhere may hold more.
const PER_SECOND: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_together_send_no_faster_than_one_may() {
    const CHATS: usize = 6;
    const EACH: usize = 2;
    let mut settings = StageSettings::default();
    settings.engine.outbox.concurrency = 4; // one of an inbox at a time: neither takes everything
    let Some(stage) = two_nodes(settings).await else { return };
    let more = [("rate_limit_per_second", "2"), ("rate_limit_per_minute", "0")];
    stage.add_instance("hotel", &more).await;
    let threads = stage.threads("hotel", CHATS).await;
    let mut sent = Vec::new();
    for n in 0..EACH {
        for (index, thread) in threads.iter().enumerate() {
            let path = format!("/admin/inbox/{}/messages", thread.id);
            let body = json!({ "content": format!("number {n}") });
            let (status, answer) = stage.call_on(index % 2, "POST", &path, body).await;
            assert_eq!(status, 201, "{answer}");
            sent.push(id_of(&answer));
        }
    }
    for id in &sent {
        stage.arrives(*id).await;
    }
    let times: Vec<i64> = stage.delivered("hotel").iter().map(|delivery| delivery.at_ms).collect();
    assert_eq!(times.len(), CHATS * EACH, "each once");
    for (index, later) in times.iter().enumerate().skip(PER_SECOND) {
        let apart_ms = later - times[index - PER_SECOND];
        assert!(apart_ms >= 1000, "three within {apart_ms} ms: {times:?}");
    }
    for thread in &threads {
        assert_eq!(stage.texts_of(thread), ["number 0", "number 1"]);
    }
    for node in &stage.nodes {
        slots::flush(&node.engine).await.unwrap();
    }
    let senders = "SELECT COUNT(DISTINCT node_id) FROM metric_slots WHERE CAST(CAST(counts AS JSONB)->>'sent' AS BIGINT) > 0";
    assert_eq!(stage.database.number(senders).await, 2, "both had a part in it");
}
