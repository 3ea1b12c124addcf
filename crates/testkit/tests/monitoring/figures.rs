use frontdesk_engine::monitoring::{evaluate, slots};
use frontdesk_model::AccountId;
use frontdesk_model::message::MessageStatus;
use frontdesk_model::user::{Ability, Role};
use frontdesk_provider_http::Outcome;
use frontdesk_sandbox::Channel;
use frontdesk_testkit::green;
use frontdesk_testkit::server::TestServer;
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use serde_json::{Value, json};

use crate::ground::{call, grounds};

#[tokio::test(flavor = "multi_thread")]
async fn real_messages_are_counted_by_what_became_of_them() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        for n in 0..5 {
            let id = stage.say(&thread, &format!("hello {n}")).await;
            stage.arrives(id).await;
        }
        stage.fault(Channel::WhatsappCloud, json!({"fault": "error_code", "code": 131_026, "next": 1}));
        let id = stage.say(&thread, "this one fails").await;
        stage.reaches(id, MessageStatus::Failed).await;
        let kind = stage.database.kind;
        let figures = until("everything is counted", || async {
            let (status, metrics) = stage.call("GET", "/api/v1/monitoring/metrics", Value::Null).await;
            assert_eq!(status, 200, "{metrics}");
            let inbox = metrics["inboxes"].as_array()?.iter().find(|i| i["name"] == "whatsapp")?.clone();
            (inbox["messages"]["failed"] == 1 && inbox["webhooks"]["by_type"]["status"].as_u64()? >= 5)
                .then_some(inbox)
        })
        .await;
        assert_eq!(figures["messages"]["sent"], 5, "{kind}: {figures}");
        assert_eq!(figures["messages"]["received"], 1, "{kind}: {figures}");
        assert_eq!(figures["webhooks"]["by_type"]["message"], 1, "{kind}: {figures}");
        assert_eq!(figures["webhooks"]["errors"], 0, "{kind}: {figures}");
        assert!(figures["requests"]["total"].as_u64().unwrap() >= 6, "{kind}: {figures}");
        assert_eq!(figures["requests"]["by_outcome"]["rejected"], 1, "{kind}: {figures}");
        assert!(figures["response_time_ms"]["p95"].as_f64().unwrap() > 0.0);
        assert!(figures["last_request_at"].is_string() && figures["breaker"] == "closed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_are_those_of_all_nodes_and_the_same_wherever_one_asks() {
    for ground in grounds().await {
        let second = ground.server.second_engine().await;
        let book = frontdesk_engine::inboxes::book(&second).await.unwrap();
        let on_second = frontdesk_engine::monitoring::context_of(&second, book.find(ground.inbox).unwrap());
        for n in 1..=100 {
            on_second.recorder.record(&call(Outcome::Ok, 1_000 + n, false));
        }
        ground.calls(100, 10, 100).await;
        slots::flush(&second).await.unwrap();
        let metrics = ground.get("metrics").await;
        let inbox = &metrics["inboxes"][0];
        assert_eq!(inbox["requests"]["errors"], 10, "{inbox}");
        assert_eq!(metrics["total"]["requests"]["total"], inbox["requests"]["total"]);
        assert_eq!(inbox["requests"]["total"], 200, "{inbox}");
        let p99 = inbox["response_time_ms"]["p99"].as_f64().unwrap();
        assert!((p99 / 1_098.0 - 1.0).abs() < 0.02, "{p99}");
        let trend: u64 =
            metrics["trend"].as_array().unwrap().iter().map(|p| p["requests"].as_u64().unwrap()).sum();
        assert_eq!(trend, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_leave_the_window_and_stay_in_longer_ones() {
    for ground in grounds().await {
        let total = async |window: &str| {
            let metrics = ground.get(&format!("metrics?window={window}")).await;
            metrics["total"]["requests"]["total"].as_u64().unwrap()
        };
        ground.calls(7, 2, 100).await;
        assert_eq!(total("5m").await, 7);
        ground.server.clock.advance_ms(6 * 60_000);
        assert_eq!((total("5m").await, total("15m").await), (0, 7));
        ground.server.clock.advance_ms(2 * 3_600_000);
        slots::age(&ground.server.engine).await.unwrap();
        slots::age(&ground.server.engine).await.unwrap();
        assert_eq!((total("1h").await, total("6h").await, total("7d").await), (0, 7, 7));
        let metrics = ground.get("metrics?window=24h").await;
        let p95 = metrics["total"]["response_time_ms"]["p95"].as_f64().unwrap();
        assert!((p95 / 100.0 - 1.0).abs() < 0.02, "times stay when slots are put together: {p95}");
        assert!(metrics["inboxes"][0]["last_request_at"].is_string());
        ground.server.clock.advance_ms(9 * 86_400_000);
        slots::age(&ground.server.engine).await.unwrap();
        let metrics = ground.get("metrics?window=7d").await;
        assert_eq!(metrics["inboxes"][0]["last_request_at"], json!(null));
    }
}

#[tokio::test]
async fn a_strange_window_is_refused_and_an_idle_server_shows_nothing() {
    for ground in grounds().await {
        let answer =
            ground.server.get("/api/v1/monitoring/metrics?window=1y").bearer(&ground.token).send().await;
        assert!(answer.refused(422, "VALIDATION_ERROR")["errors"]["window"].is_array());
        for nobody in ["999", "-1"] {
            let path = format!("/api/v1/monitoring/metrics?inbox_id={nobody}");
            ground.server.get(&path).bearer(&ground.token).send().await.refused(404, "NOT_FOUND");
        }
        let metrics = ground.get("metrics").await;
        assert_eq!(metrics["total"]["requests"]["error_rate"], json!(null));
        assert_eq!(metrics["trend"].as_array().unwrap().len(), 30);
        let health = ground.get("health").await;
        assert_eq!((health["status"].as_str(), health["firing_alerts"].as_u64()), (Some("healthy"), Some(0)));
    }
}

#[tokio::test]
async fn webhooks_that_are_not_genuine_are_counted_for_nobody() {
    for ground in grounds().await {
        let forged = ground.server.webhook_signed_with("guess", &b"{}"[..]).send().await;
        assert_eq!(forged.status, 403);
        let metrics = ground.get("metrics").await;
        assert_eq!(metrics["total"]["webhooks"]["errors"], 1, "{metrics}");
        assert_eq!(metrics["inboxes"][0]["webhooks"]["received"], 0);
        let other = ground.server.other_account("Other").await;
        let metrics = ground.get("metrics").await;
        assert_eq!(metrics["total"]["webhooks"]["errors"], 1, "the operator of the first account sees it");
        assert_eq!(errors_of(&ground.server, other).await, (0, 0), "it could be anyone's");
    }
}

/// Errors of webhooks that an admin of an account sees: in total, and in its inboxes.
async fn errors_of(server: &TestServer, account: AccountId) -> (u64, u64) {
    let email = format!("admin-{}@example.org", rand::random::<u32>());
    let user = server.user_of(account, &email, Role::Admin).await;
    let token = server.token(&user, &[Ability::All]).await;
    let metrics = server.get("/api/v1/monitoring/metrics").bearer(&token).send().await.ok(200);
    let inboxes = metrics["inboxes"].as_array().unwrap().iter();
    let of_inboxes = inboxes.map(|inbox| inbox["webhooks"]["errors"].as_u64().unwrap()).sum();
    (metrics["total"]["webhooks"]["errors"].as_u64().unwrap(), of_inboxes)
}

#[tokio::test]
async fn a_wrong_token_is_told_to_whom_the_body_names_and_otherwise_to_the_first_account() {
    for server in TestServer::on_all(green::settings()).await {
        let other = server.other_account("Other").await;
        let words = green::token_of(green::INSTANCE);
        server.connect_instance(other, green::INSTANCE, &[("webhook_token", &words)]).await;
        let body = |instance: u64| {
            json!({ "typeWebhook": "stateInstanceChanged", "stateInstance": "authorized",
            "instanceData": { "idInstance": instance } })
            .to_string()
        };
        let hit = |instance| server.green_webhook("guess", body(instance)).send();
        for _ in 0..3 {
            assert_eq!(hit(green::INSTANCE.parse().unwrap()).await.status, 403);
        }
        assert_eq!(hit(9_999).await.status, 403);
        assert_eq!(errors_of(&server, other).await, (3, 3), "three named its instance");
        assert_eq!(errors_of(&server, server.account).await, (1, 0), "one named an instance of nobody");
        // It goes on for five minutes: each hears of its own.
        for _ in 0..31 {
            hit(green::INSTANCE.parse().unwrap()).await;
            hit(9_999).await;
            server.clock.advance_ms(10_000);
            evaluate::evaluate(&server.engine).await.unwrap();
        }
        let fired = "SELECT COUNT(*) FROM alerts WHERE rule_name = 'webhook_failures' AND account_id = ";
        for (account, inboxes) in [(server.account, "inbox_id = 0"), (other, "inbox_id > 0")] {
            let alerts = server.database.number(&format!("{fired} {} AND {inboxes}", account.0)).await;
            assert_eq!(alerts, 1, "{} {inboxes}", server.database.kind);
        }
    }
}

#[tokio::test]
async fn webhooks_are_counted_by_the_providers_own_words_too() {
    for server in TestServer::on_all(green::settings()).await {
        server.connect_instances().await;
        for fixture in green::fixtures() {
            server.deliver_green(fixture.body).await;
        }
        let future = json!({ "typeWebhook": "somethingOfTomorrow",
            "instanceData": { "idInstance": green::INSTANCE.parse::<u64>().unwrap() } });
        server.deliver_green(future.to_string().into()).await;
        let token = server.admin_token().await;
        let metrics = server.get("/api/v1/monitoring/metrics").bearer(&token).send().await.ok(200);
        let types = metrics["total"]["webhooks"]["by_provider_type"].clone();
        for word in
            ["incomingMessageReceived", "outgoingMessageStatus", "stateInstanceChanged", "quotaExceeded"]
        {
            assert!(types[word].as_u64() >= Some(1), "{word}: {types}");
        }
        assert!(types["other"].as_u64() >= Some(1), "{types}");
        assert!(!types.to_string().contains("Tomorrow"), "nobody can make up names: {types}");
    }
}
