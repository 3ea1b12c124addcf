use frontdesk_engine::accounts;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::tokens::{self, NewToken};
use frontdesk_engine::users::{self, NewUser};
use frontdesk_model::user::{Ability, Role};
use frontdesk_sandbox::Channel;
use frontdesk_testkit::stage::{Stage, StageSettings};
use serde_json::{Value, json};

use crate::{get, stages};

#[tokio::test(flavor = "multi_thread")]
async fn what_chatwoot_refuses_is_told_by_its_code_with_the_codes_status() {
    for stage in stages().await {
        let (id, _) = stage.write_in_chatwoot("+5511987654321", "Hi").await;
        let path = format!("/conversations/{id}");
        let refused = |answer: (u16, Value), status: u16, code: &str| {
            let (found, body) = answer;
            assert_eq!(
                (found, &body["success"], &body["error_code"]),
                (status, &json!(false), &json!(code)),
                "{body}"
            );
            assert!(body["error"].as_str().is_some_and(|words| words.ends_with('.')), "{body}");
            assert_eq!(body["code"], "CHATWOOT_ERROR");
        };
        refused(get(&stage, "/conversations/987654").await, 404, "NOT_FOUND");
        refused(get(&stage, "/contacts/987654").await, 404, "NOT_FOUND");
        let wrong = json!({ "name": "Ana", "email": "no address" });
        refused(stage.call("POST", "/api/v1/chatwoot/contacts", wrong).await, 422, "VALIDATION_ERROR");
        stage.fault(
            Channel::Chatwoot,
            json!({ "fault": "error_code", "code": 502, "next": 4, "scope": "all" }),
        );
        refused(get(&stage, &path).await, 502, "BAD_GATEWAY");
        stage.sandbox.world().chatwoot.settings.tokens.insert("somebody-elses".to_owned(), 1);
        refused(get(&stage, &path).await, 401, "UNAUTHORIZED");
        stage.sandbox.world().chatwoot.settings.tokens.insert("an-administrators-token".to_owned(), 1);
        assert_eq!(get(&stage, &path).await.0, 200, "what was refused is not kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_chatwoot_is_down_the_breaker_opens_and_what_is_kept_is_still_shown() {
    for stage in stages().await {
        let (id, _) = stage.write_in_chatwoot("+5511987654321", "Hi").await;
        let kept = format!("/conversations/{id}");
        get(&stage, &kept).await;
        stage.fault(Channel::Chatwoot, json!({ "fault": "unavailable", "rate": 1.0, "scope": "all" }));
        for _ in 0..2 {
            let (status, answer) = get(&stage, "/conversations/987654").await;
            assert_eq!((status, &answer["error_code"]), (503, &json!("SERVICE_UNAVAILABLE")), "{answer}");
            assert_eq!(answer["details"]["retryable"], true);
        }
        let (_, stats) = get(&stage, "/stats").await;
        assert_eq!(
            (&stats["success"], &stats["circuit_breaker_state"]),
            (&json!(true), &json!("open")),
            "{stats}"
        );
        assert_eq!(stats["circuit_breaker_failures"], 5);
        assert_eq!(stage.chatwoot_requests("GET", "/conversations/987654"), 5, "the rest never left");
        let (status, health) = get(&stage, "/health").await;
        assert_eq!((status, &health["success"], &health["status"]), (200, &json!(false), &json!("error")));
        assert_eq!(get(&stage, &kept).await.0, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_refusals_have_the_same_shape() {
    for stage in stages().await {
        for (path, status, code) in [
            ("/conversations/abc", 400, "BAD_REQUEST"),
            ("/conversations/1/messages?limit=0", 422, "VALIDATION_ERROR"),
            ("/conversations/1/messages?limit=1001", 422, "VALIDATION_ERROR"),
            ("/conversations/1/messages?limit=many", 422, "VALIDATION_ERROR"),
            ("/conversations/1/messages?before_id=0", 422, "VALIDATION_ERROR"),
            ("/contacts/search", 422, "VALIDATION_ERROR"),
            ("/contacts/search?q=%20", 422, "VALIDATION_ERROR"),
        ] {
            let (found, body) = get(&stage, path).await;
            assert_eq!((found, &body["success"]), (status, &json!(false)), "{path}: {body}");
            assert_eq!((&body["error_code"], &body["code"]), (&json!(code), &json!(code)), "{path}: {body}");
        }
        let nobody = stage.fetch(0, "/api/v1/chatwoot/conversations/1").await;
        assert_eq!(nobody.status(), 401);
        let body: Value = nobody.json().await.unwrap();
        assert_eq!((&body["success"], &body["error_code"]), (&json!(false), &json!("INVALID_TOKEN")));
        assert_eq!(stage.chatwoot_requests("GET", ""), 0, "Chatwoot was not asked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_chatwoot_its_routes_say_what_to_set() {
    for stage in Stage::on_all(StageSettings::default()).await {
        for path in ["/conversations/1", "/stats", "/health", "/cache"] {
            let (status, body) = get(&stage, path).await;
            assert_eq!((status, &body["error_code"]), (404, &json!("NOT_CONFIGURED")), "{body}");
            assert!(body["error"].as_str().unwrap().contains("CHATWOOT_URL"), "{body}");
        }
        let (_, metrics) = stage.call("GET", "/api/v1/monitoring/metrics", Value::Null).await;
        assert_eq!(metrics["integrations"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chatwoot_is_the_first_accounts_and_to_others_there_is_none() {
    for stage in stages().await {
        let (id, _) = stage.write_in_chatwoot("+5511987654321", "Hi").await;
        let path = format!("/api/v1/chatwoot/conversations/{id}");
        assert_eq!(stage.call("GET", &path, Value::Null).await.0, 200);
        let engine = stage.first();
        let other = accounts::get_or_create_by_name(engine, "Other").await.unwrap().id;
        let actor = Actor::server(other);
        let new = NewUser {
            email: "stranger@example.org".to_owned(),
            name: "Stranger".to_owned(),
            role: Role::Admin,
            password: "a long password".to_owned(),
        };
        let user_id = users::create(engine, actor, new).await.unwrap().id;
        let new =
            NewToken { user_id, name: "test".to_owned(), abilities: vec![Ability::All], expires_at: None };
        let token = tokens::create(engine, actor, new).await.unwrap().token;
        for (method, path) in [
            ("GET", path.as_str()),
            ("GET", "/api/v1/chatwoot/stats"),
            ("POST", "/api/v1/chatwoot/cache/clear"),
        ] {
            let (status, body) = stage.call_as(&token, 0, method, path, Value::Null).await;
            assert_eq!((status, &body["error_code"]), (404, &json!("NOT_CONFIGURED")), "{body}");
            assert!(!body.to_string().contains("Ana"));
        }
    }
}
