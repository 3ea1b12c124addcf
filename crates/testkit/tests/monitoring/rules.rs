use frontdesk_model::user::{Ability, Role};
use serde_json::{Value, json};

use crate::ground::grounds;

const RULES: &str = "/api/v1/monitoring/alerts/rules";

#[tokio::test]
async fn every_account_starts_with_the_seven_rules_of_the_documentation() {
    for ground in grounds().await {
        let rules = ground.get("alerts/rules").await;
        let mut found: Vec<Value> = rules["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| {
                json!([
                    r["title"],
                    r["metric"],
                    r["operator"],
                    r["threshold"],
                    r["duration_secs"],
                    r["severity"]
                ])
            })
            .collect();
        let mut expected = vec![
            json!(["High Error Rate", "error_rate", ">=", 0.1, 300, "warning"]),
            json!(["Critical Error Rate", "error_rate", ">=", 0.25, 60, "critical"]),
            json!(["Slow Response Time", "response_time_avg", ">", 5.0, 300, "warning"]),
            json!(["Very Slow Response Time", "response_time_avg", ">", 10.0, 180, "critical"]),
            json!(["Rate Limit Hits", "rate_limit_hits", ">=", 5.0, 300, "warning"]),
            json!(["Webhook Failures", "webhook_failure_rate", ">=", 0.2, 300, "warning"]),
            json!(["Message Send Failures", "message_failure_rate", ">=", 0.15, 300, "warning"]),
        ];
        found.sort_by_key(Value::to_string);
        expected.sort_by_key(Value::to_string);
        assert_eq!(found, expected);
        assert!(
            rules["data"]
                .as_array()
                .unwrap()
                .iter()
                .all(|r| r["enabled"] == true && r["inbox_id"] == json!(null))
        );
    }
}

#[tokio::test]
async fn a_rule_is_made_changed_and_removed_and_stays_removed() {
    for ground in grounds().await {
        let (server, token) = (&ground.server, &ground.token);
        let new =
            json!({ "name": "Long queue", "metric": "queue_depth", "threshold": 100, "duration_secs": 120 });
        let made = server.post(RULES).bearer(token).json(&new).send().await.ok(201);
        assert_eq!((made["name"].as_str(), made["title"].as_str()), (Some("long_queue"), Some("Long queue")));
        assert_eq!((made["operator"].as_str(), made["severity"].as_str()), (Some(">="), Some("warning")));
        let again = server.post(RULES).bearer(token).json(&new).send().await;
        assert!(again.refused(422, "VALIDATION_ERROR")["errors"]["name"].is_array());

        let change = json!({ "name": "Long line", "metric": "queue_age", "operator": ">", "threshold": 60,
            "duration_secs": 300, "severity": "critical", "inbox_id": ground.inbox, "enabled": false });
        let path = format!("{RULES}/long_queue");
        let changed = server.call("PUT", &path).bearer(token).json(&change).send().await.ok(200);
        assert_eq!(
            (changed["name"].as_str(), changed["title"].as_str()),
            (Some("long_queue"), Some("Long line"))
        );
        assert_eq!(server.get(&path).bearer(token).send().await.ok(200), changed);

        server.delete(&path).bearer(token).send().await.ok(204);
        server.delete(&path).bearer(token).send().await.refused(404, "NOT_FOUND");
        // The name for people finds a rule too.
        server.delete(&format!("{RULES}/High%20Error%20Rate")).bearer(token).send().await.ok(204);
        ground.pass(10).await;
        let left = ground.get("alerts/rules").await;
        assert_eq!(left["data"].as_array().unwrap().len(), 6, "what was removed does not come back");
        let audit = server.get("/api/v1/audit").bearer(token).send().await.ok(200);
        let actions: Vec<&str> =
            audit["data"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
        for action in ["alert_rule.created", "alert_rule.updated", "alert_rule.deleted"] {
            assert!(actions.contains(&action), "{actions:?}");
        }
    }
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused_with_the_field_named() {
    for ground in grounds().await {
        let good = json!({ "name": "x", "metric": "error_rate", "threshold": 0.1, "duration_secs": 60 });
        for (field, value) in [
            ("name", json!("")),
            ("name", json!("!!!")),
            ("name", json!("x".repeat(101))),
            ("metric", json!("happiness")),
            ("operator", json!("=")),
            ("threshold", json!(10)),
            ("threshold", json!(-1)),
            ("duration_secs", json!(5)),
            ("duration_secs", json!(3601)),
            ("severity", json!("bad")),
            ("inbox_id", json!(999)),
        ] {
            let mut rule = good.clone();
            rule[field] = value.clone();
            let answer = ground.server.post(RULES).bearer(&ground.token).json(&rule).send().await;
            let refused = answer.refused(422, "VALIDATION_ERROR");
            assert!(refused["errors"][field].is_array(), "{field}={value}: {refused}");
        }
    }
}

#[tokio::test]
async fn rules_of_one_account_are_none_of_anothers_business() {
    for ground in grounds().await {
        let server = &ground.server;
        let other = server.other_account("Other").await;
        let stranger = server.user_of(other, "stranger@example.org", Role::Admin).await;
        let stranger = server.token(&stranger, &[Ability::All]).await;
        let rule = json!({ "name": "Mine", "metric": "errors", "threshold": 1, "duration_secs": 60 });
        server.post(RULES).bearer(&ground.token).json(&rule).send().await.ok(201);
        let path = format!("{RULES}/mine");
        for method in ["GET", "PUT", "DELETE"] {
            let answer = server.call(method, &path).bearer(&stranger).json(&rule).send().await;
            answer.refused(404, "NOT_FOUND");
        }
        let foreign = json!({ "name": "Theirs", "metric": "errors", "threshold": 1, "duration_secs": 60,
            "inbox_id": ground.inbox });
        let refused = server.post(RULES).bearer(&stranger).json(&foreign).send().await;
        assert!(refused.refused(422, "VALIDATION_ERROR")["errors"]["inbox_id"].is_array());

        for _ in 0..10 {
            ground.calls(10, 10, 20).await;
            ground.pass(10).await;
        }
        assert!(ground.firing().await.contains(&"mine".to_owned()));
        for path in ["alerts?state=all", "alerts/rules", "metrics", "health", "alerts/deliveries"] {
            let seen =
                server.get(&format!("/api/v1/monitoring/{path}")).bearer(&stranger).send().await.ok(200);
            let text = seen.to_string();
            assert!(!text.contains("mine") && !text.contains(r#""total":100"#), "{path}: {text}");
        }
        let metrics = format!("/api/v1/monitoring/metrics?inbox_id={}", ground.inbox);
        server.get(&metrics).bearer(&stranger).send().await.refused(404, "NOT_FOUND");
        let agent = server.agent_token().await;
        server.post(RULES).bearer(&agent).json(&rule).send().await.refused(403, "UNAUTHORIZED");
        server.get("/api/v1/monitoring/metrics").bearer(&agent).send().await.ok(200);
    }
}
