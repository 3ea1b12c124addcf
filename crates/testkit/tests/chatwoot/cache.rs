use serde_json::{Value, json};

use crate::{get, stages};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_fetched_beforehand_is_kept_until_it_is_cleared() {
    for stage in stages().await {
        let (id, _) = stage.write_in_chatwoot("+5511987654321", "Hi").await;
        let (status, warmed) = stage.call("POST", "/api/v1/chatwoot/cache/warm", Value::Null).await;
        assert_eq!((status, &warmed["success"]), (200, &json!(true)), "{warmed}");
        assert_eq!(warmed["warmed"], json!(["account", "inboxes", "labels", "agents", "conversations"]));
        let path = format!("/conversations/{id}");
        get(&stage, &path).await;
        assert_eq!(stage.chatwoot_requests("GET", &path), 0, "it was there");
        let (_, cache) = get(&stage, "/cache").await;
        assert_eq!(cache["hit_rate_percentage"], 100.0, "{cache}");
        let (status, cleared) = stage.call("POST", "/api/v1/chatwoot/cache/clear", Value::Null).await;
        assert_eq!((status, &cleared["success"]), (200, &json!(true)));
        let kinds = cleared["cleared"].as_array().unwrap();
        assert!(kinds.contains(&json!("conversations")) && kinds.contains(&json!("contacts")), "{cleared}");
        get(&stage, &path).await;
        assert_eq!(stage.chatwoot_requests("GET", &path), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_how_long_chatwoot_took_and_what_is_wrong_there() {
    for stage in stages().await {
        let (status, health) = get(&stage, "/health").await;
        assert_eq!((status, &health["status"], &health["message"]), (200, &json!("ok"), &json!("OK")));
        assert!(health["response_time_ms"].is_u64() && health["version"] == "4.16.2", "{health}");
        stage.sandbox.world().chatwoot.settings.services_failing = true;
        let (_, health) = get(&stage, "/health").await;
        assert_eq!(
            (&health["status"], &health["error_code"]),
            (&json!("error"), &json!("SERVICE_UNAVAILABLE"))
        );
        assert!(health["message"].as_str().unwrap().contains("database"), "{health}");
        let (_, stats) = get(&stage, "/stats").await;
        assert_eq!(
            (&stats["circuit_breaker_failures"], &stats["circuit_breaker_state"]),
            (&json!(0), &json!("closed"))
        );
        assert!(stats["rate_limit_remaining"].as_u64().is_some_and(|left| left < 3_000), "{stats}");
    }
}
