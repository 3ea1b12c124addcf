use frontdesk_sandbox::Channel;
use frontdesk_testkit::stage::until;
use serde_json::{Value, json};

use crate::{get, stages};

#[tokio::test(flavor = "multi_thread")]
async fn calls_to_chatwoot_are_counted_like_those_of_an_inbox() {
    for stage in stages().await {
        let (id, _) = stage.write_in_chatwoot("+5511987654321", "Hi").await;
        for path in [format!("/conversations/{id}"), "/conversations/987654".to_owned()] {
            get(&stage, &path).await;
        }
        let (status, report) = stage.call("GET", "/api/v1/monitoring/metrics", Value::Null).await;
        assert_eq!(status, 200, "{report}");
        let chatwoot = &report["integrations"][0];
        assert_eq!((&chatwoot["name"], &chatwoot["breaker"]), (&json!("chatwoot"), &json!("closed")));
        let requests = &chatwoot["requests"];
        assert_eq!((&requests["total"], &requests["errors"]), (&json!(2), &json!(1)), "{chatwoot}");
        assert_eq!(
            (&requests["success_rate"], &requests["by_outcome"]["rejected"]),
            (&json!(0.5), &json!(1))
        );
        assert!(chatwoot["response_time_ms"]["p95"].is_f64(), "{chatwoot}");
        assert_eq!(report["total"]["requests"]["total"].as_u64(), Some(2), "the total has them too");
        assert!(report["inboxes"].as_array().unwrap().iter().all(|inbox| inbox["requests"]["total"] == 0));
        let (status, of_it) = stage.call("GET", "/api/v1/monitoring/metrics?inbox_id=-1", Value::Null).await;
        assert_eq!(status, 200, "its trend can be asked for: {of_it}");
        let points = of_it["trend"].as_array().unwrap().iter();
        assert_eq!(points.map(|point| point["requests"].as_u64().unwrap()).sum::<u64>(), 2);
        let (_, health) = stage.call("GET", "/api/v1/monitoring/health", Value::Null).await;
        assert_eq!(health["integrations"][0]["status"], "healthy");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chatwoot_that_is_down_is_unhealthy_and_its_breaker_is_shown() {
    for stage in stages().await {
        stage.fault(Channel::Chatwoot, json!({ "fault": "unavailable", "rate": 1.0, "scope": "all" }));
        for _ in 0..2 {
            get(&stage, "/conversations/1").await;
        }
        let health = until("monitoring tells", || async {
            let (_, health) = stage.call("GET", "/api/v1/monitoring/health", Value::Null).await;
            (health["integrations"][0]["breaker"] == "open").then_some(health)
        })
        .await;
        let chatwoot = &health["integrations"][0];
        assert_eq!(
            (&chatwoot["status"], &chatwoot["error_rate"]),
            (&json!("unhealthy"), &json!(1.0)),
            "{health}"
        );
        assert_eq!(health["status"], "degraded");
        let (_, report) = stage.call("GET", "/api/v1/monitoring/metrics", Value::Null).await;
        assert!(report["integrations"][0]["requests"]["held"].as_u64() >= Some(1), "{report}");
    }
}
