use frontdesk_testkit::stage::{Stage, chatwoot_signature};
use serde_json::{Value, json};

use crate::{get, stages};

const SECRET: &str = "whsec_demo_8fJ2kQ";

/// A webhook with the time it was sent, by the clock of the stage, signed with this secret.
async fn deliver(stage: &Stage, secret: &str, sent_s: i64, body: &str, delivery: &str) -> (u16, Value) {
    let signature = chatwoot_signature(secret, sent_s, body.as_bytes());
    stage.deliver_from_chatwoot(0, body, &signature, sent_s, delivery).await
}

fn message(conversation: i64) -> String {
    // Escaped as Rails does it: read and written again it is another body.
    format!(
        r#"{{"event":"message_created","id":101,"content":"Tom \u0026 Jerry","message_type":"incoming","conversation":{{"id":{conversation}}},"account":{{"id":1}}}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_webhook_is_about_is_fetched_anew() {
    for stage in stages().await {
        let (id, _) = stage.write_in_chatwoot("+5511987654321", "Hi").await;
        let (other, _) = stage.write_in_chatwoot("+5511900000000", "Hi").await;
        let messages = |id: i64| format!("/conversations/{id}/messages");
        for id in [id, other] {
            get(&stage, &messages(id)).await;
        }
        stage.write_in_chatwoot("+5511987654321", "Still there?").await;
        let count = async |id: i64| get(&stage, &messages(id)).await.1["messages"].as_array().unwrap().len();
        assert_eq!(count(id).await, 1, "kept");
        let (status, answer) = deliver(&stage, SECRET, stage.now_s(), &message(id), "d-1").await;
        assert_eq!((status, answer), (200, json!({ "success": true, "duplicate": false })));
        assert_eq!(count(id).await, 2);
        assert_eq!(count(other).await, 1);
        assert_eq!(stage.chatwoot_requests("GET", &messages(other)), 1, "nothing else was fetched");
        let (status, again) = deliver(&stage, SECRET, stage.now_s(), &message(id), "d-1").await;
        assert_eq!((status, &again["duplicate"]), (200, &json!(true)));
        assert_eq!(count(id).await, 2);
        assert_eq!(stage.chatwoot_requests("GET", &messages(id)), 2, "the repetition changed nothing");
        let (_, report) = stage.call("GET", "/api/v1/monitoring/metrics", Value::Null).await;
        let webhooks = &report["integrations"][0]["webhooks"];
        assert_eq!((&webhooks["received"], &webhooks["repeated"]), (&json!(2), &json!(1)), "{report}");
        assert_eq!(webhooks["by_type"]["message"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_chatwoot_signed_lately_is_taken() {
    for stage in stages().await {
        let (body, now) = (message(1), stage.now_s());
        for (place, secret) in
            ["", "wrong", "WHSEC_DEMO_8FJ2KQ", "hmac_token", "whsec_demo_8fJ2k"].iter().enumerate()
        {
            let (status, answer) = deliver(&stage, secret, now, &body, &format!("w-{place}")).await;
            assert_eq!((status, &answer["success"]), (403, &json!(false)), "{secret}: {answer}");
            assert!(answer["error"].as_str().unwrap().starts_with("Invalid signature"), "{answer}");
        }
        let signature = chatwoot_signature(SECRET, now, body.as_bytes());
        let again = serde_json::from_str::<Value>(&body).unwrap().to_string();
        let (status, _) = stage.deliver_from_chatwoot(0, &again, &signature, now, "again").await;
        assert_eq!(status, 403, "a body that was written again has another signature");
        for (off, wanted) in [(-299, 200), (-303, 403), (299, 200), (303, 403)] {
            let sent = stage.now_s() + off;
            let (status, answer) = deliver(&stage, SECRET, sent, &body, &format!("t{off}")).await;
            assert_eq!(status, wanted, "{off} s: {answer}");
        }
        let (status, _) = deliver(&stage, "another-webhooks", now, &body, "other").await;
        assert_eq!(status, 200, "each webhook has a secret of its own");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_says_nothing_is_refused() {
    for stage in stages().await {
        let now = stage.now_s();
        let large = format!("{{\"event\":\"x\",\"pad\":\"{}\"}}", "a".repeat(1_048_576));
        assert_eq!(deliver(&stage, SECRET, now, &large, "l").await.0, 413);
        for body in ["[]", "{}", "nonsense", r#"{"event":"message_created"}"#, ""] {
            let (status, answer) = deliver(&stage, SECRET, now, body, "m").await;
            assert_eq!(
                (status, &answer["error_code"]),
                (422, &json!("VALIDATION_ERROR")),
                "{body}: {answer}"
            );
        }
        let (status, _) = deliver(&stage, SECRET, now, r#"{"event":"of_tomorrow","id":1}"#, "n").await;
        assert_eq!(status, 200, "events of tomorrow are taken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chatwoots_own_webhooks_arrive() {
    for stage in stages().await {
        let (id, _) = stage.write_in_chatwoot("+5511987654321", "Hi").await;
        let path = format!("/conversations/{id}/messages");
        get(&stage, &path).await;
        stage.subscribe_at_chatwoot(SECRET).await;
        stage.write_in_chatwoot("+5511987654321", "Still there?").await;
        frontdesk_testkit::stage::until("the webhook arrives", || async {
            let (_, answer) = get(&stage, &path).await;
            (answer["messages"].as_array().unwrap().len() == 2).then_some(())
        })
        .await;
    }
}
