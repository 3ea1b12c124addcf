//! Alerts that need no rule follow what an inbox says of itself: fired and ended once, whatever the channel, however many
//! nodes look, and told like all others.

use bytes::Bytes;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::inboxes::{self, InboxChanges};
use frontdesk_engine::monitoring::{delivery, evaluate};
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_testkit::green::{INSTANCE, settings, token_of};
use frontdesk_testkit::server::TestServer;
use serde_json::{Value, json};

use crate::delivery::{Listener, listen_at};
use crate::ground::{Ground, grounds};

/// Grounds whose inbox is an instance of Green API.
async fn hotels() -> Vec<Ground> {
    let mut hotels = Vec::new();
    for server in TestServer::on_all(settings()).await {
        let token = server.admin_token().await;
        let words = token_of(INSTANCE);
        let inbox = server.connect_instance(server.account, INSTANCE, &[("webhook_token", &words)]).await;
        hotels.push(Ground { server, token, inbox });
    }
    hotels
}

/// Green API tells something about the instance.
async fn told(ground: &Ground, kind: &str, mut body: Value) {
    body["typeWebhook"] = json!(kind);
    body["instanceData"] =
        json!({ "idInstance": INSTANCE.parse::<u64>().unwrap(), "wid": "", "typeInstance": "whatsapp" });
    body["timestamp"] = json!(ground.server.clock_seconds());
    ground.server.deliver_green(Bytes::from(body.to_string())).await;
}

async fn instance_is(ground: &Ground, state: &str) {
    told(ground, "stateInstanceChanged", json!({ "stateInstance": state })).await;
}

async fn only_alert(ground: &Ground) -> Value {
    let mut alerts = ground.get("alerts").await["data"].take();
    let alerts = alerts.as_array_mut().unwrap();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    alerts.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_signed_out_banned_or_restricted_raises_an_alert_until_it_works() {
    for ground in hotels().await {
        let second = ground.server.second_engine().await;
        instance_is(&ground, "authorized").await;
        ground.pass(10).await;
        assert_eq!(ground.firing().await, [""; 0]);
        let cases = [
            ("notAuthorized", "critical", "No phone is linked"),
            ("blocked", "critical", "WhatsApp banned the number"),
            ("yellowCard", "critical", "WhatsApp restricts sending"),
            ("suspended", "warning", "the instance is \"suspended\""),
        ];
        for (state, severity, reason) in cases {
            ground.server.clock.advance_ms(2_000);
            instance_is(&ground, state).await;
            for _ in 0..3 {
                ground.pass(10).await;
                evaluate::evaluate(&second).await.unwrap();
            }
            let alert = only_alert(&ground).await;
            assert_eq!(
                (alert["rule"].as_str(), alert["severity"].as_str(), alert["inbox_id"].as_i64()),
                (Some("inbox_needs_attention"), Some(severity), Some(ground.inbox.0)),
                "{state}"
            );
            assert!(alert["reason"].as_str().unwrap().contains(reason), "{alert}");
            assert_eq!(alert["metric"], json!(null));
            let summary = alert["summary"].as_str().unwrap();
            assert!(summary.starts_with("Inbox Needs Attention: hotel ") && summary.contains(reason));
            let health = ground.get("health").await;
            assert_eq!(health["inboxes"][0]["alerts"], json!(["inbox_needs_attention"]));
            let word = if severity == "critical" { "unhealthy" } else { "degraded" };
            assert_eq!(health["inboxes"][0]["status"], word, "{state}");
            instance_is(&ground, "authorized").await;
            ground.pass(10).await;
            evaluate::evaluate(&second).await.unwrap();
            assert_eq!(ground.firing().await, [""; 0], "{state}");
        }
        let history = ground.get("alerts?state=resolved").await;
        assert_eq!(history["data"].as_array().unwrap().len(), cases.len(), "each once: {history}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_news_is_told_by_the_signed_webhook_once_each() {
    for ground in hotels().await {
        let second = ground.server.second_engine().await;
        let listener = Listener::default();
        listen_at(&ground, &listener.open().await).await;
        for state in ["notAuthorized", "authorized"] {
            instance_is(&ground, state).await;
            for _ in 0..3 {
                ground.pass(10).await;
                evaluate::evaluate(&second).await.unwrap();
            }
            delivery::deliver_due(&ground.server.engine).await.unwrap();
            delivery::deliver_due(&second).await.unwrap();
        }
        let heard: Vec<Value> =
            listener.heard().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
        let told: Vec<_> =
            heard.iter().map(|news| (news["type"].as_str().unwrap(), &news["data"]["rule"])).collect();
        let rule = json!("inbox_needs_attention");
        assert_eq!(told, [("alert.fired", &rule), ("alert.resolved", &rule)]);
        assert!(heard[0]["data"]["reason"].as_str().unwrap().contains("scan the code"), "{heard:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_allowance_raises_an_alert_that_ends_a_day_after_it_was_last_said() {
    for ground in hotels().await {
        instance_is(&ground, "authorized").await;
        let quota = json!({ "quotaData": { "method": "checkWhatsapp", "used": 100, "total": 100,
            "status": "QUOTA_EXCEEDED", "description": "Monthly quota has been exceeded" } });
        told(&ground, "quotaExceeded", quota.clone()).await;
        ground.pass(10).await;
        let alert = only_alert(&ground).await;
        assert_eq!(
            (alert["rule"].as_str(), alert["title"].as_str(), alert["severity"].as_str()),
            (Some("allowance_used_up"), Some("Allowance Used Up"), Some("warning"))
        );
        assert!(alert["reason"].as_str().unwrap().contains("(100 of 100)"), "{alert}");
        ground.pass(20 * 3_600).await;
        told(&ground, "quotaExceeded", quota).await;
        ground.pass(20 * 3_600).await;
        assert_eq!(ground.firing().await, ["allowance_used_up"], "it was said again");
        ground.pass(5 * 3_600).await;
        assert_eq!(ground.firing().await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_of_any_channel_has_them_and_one_that_is_switched_off_has_none() {
    for ground in grounds().await {
        let engine = &ground.server.engine;
        let dead = ConnectionState::new(ConnectionCode::Reconnect, "The token expired.");
        inboxes::set_state(engine, ground.server.account, ground.inbox, dead.clone()).await.unwrap();
        ground.pass(10).await;
        assert_eq!(only_alert(&ground).await["reason"], "The token expired.");
        let unreachable = ConnectionState::new(ConnectionCode::Unreachable, "No answer.");
        inboxes::set_state(engine, ground.server.account, ground.inbox, unreachable).await.unwrap();
        ground.pass(10).await;
        assert_eq!(ground.firing().await, ["inbox_needs_attention"], "an outage is no sign that it works");
        let off = InboxChanges { enabled: Some(false), ..InboxChanges::default() };
        let actor = Actor::server(ground.server.account);
        inboxes::update(engine, actor, ground.inbox, off).await.unwrap();
        ground.pass(10).await;
        assert_eq!(ground.firing().await, [""; 0], "people switched it off: they know");
        let (server, token) = (&ground.server, &ground.token);
        let rule = json!({ "name": "Inbox needs attention", "metric": "errors", "threshold": 1, "duration_secs": 60 });
        let taken = server.post("/api/v1/monitoring/alerts/rules").bearer(token).json(&rule).send().await;
        assert!(taken.refused(422, "VALIDATION_ERROR")["errors"]["name"].is_array());
    }
}
