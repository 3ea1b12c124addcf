//! What a bridge asks of Chatwoot is watched as what an inbox asks of its provider.

use frontdesk_sandbox::Channel;
use frontdesk_testkit::stage::{Stage, until};
use serde_json::{Value, json};

use crate::{bridge, shows, stages};

async fn integration(stage: &Stage, of: &str) -> Value {
    let (status, report) = stage.call("GET", &format!("/api/v1/monitoring/{of}"), Value::Null).await;
    assert_eq!(status, 200, "{report}");
    report["integrations"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_a_bridge_are_counted_and_an_open_breaker_is_shown_until_chatwoot_is_back() {
    for stage in stages().await {
        assert_eq!(integration(&stage, "metrics").await, Value::Null, "there is none yet");
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        let well = integration(&stage, "metrics").await;
        assert_eq!((&well["name"], &well["breaker"]), (&json!("chatwoot"), &json!("closed")), "{well}");
        assert!(well["requests"]["total"].as_u64() > Some(2), "{well}");

        stage.fault(Channel::Chatwoot, json!({"fault": "unavailable", "rate": 1.0, "scope": "all"}));
        for number in 0..3 {
            let text = json!({"kind": "text", "text": format!("waits {number}")});
            stage.act(&thread.customer, "whatsapp", text);
        }
        let ill = until("the breaker is open", || async {
            let health = integration(&stage, "health").await;
            (health["breaker"] == "open").then_some(health)
        })
        .await;
        assert_eq!(ill["status"], "unhealthy", "{ill}");
        until("calls are held", || async {
            let figures = integration(&stage, "metrics").await;
            (figures["requests"]["held"].as_u64() > Some(0)).then_some(())
        })
        .await;
        stage.heal();
        // One call tries whether Chatwoot is back; then everything goes.
        shows(&stage, &bridge, &["Halo", "waits 0", "waits 1", "waits 2"]).await;
        until("the breaker is closed", || async {
            (integration(&stage, "health").await["breaker"] == "closed").then_some(())
        })
        .await;
    }
}
