//! How webhooks are sent: signature, escapes, batches, retries, verification.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::stage::{SECRET, Stage};

fn signature_of(bytes: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(bytes);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn bytes_are_escaped_and_signed_as_they_go_over_the_wire() {
    let stage = Stage::start().await;
    let sari = stage.customer("João", "5511987650021").await;
    stage
        .act(&sari, json!({"inbox_id": "whatsapp", "kind": "text", "text": "Café 👍 https://example.com/a"}))
        .await;
    let received = stage.received().await;
    let text = std::str::from_utf8(&received[0].bytes).unwrap();
    assert!(text.contains(r"Caf\u00e9 \ud83d\udc4d https:\/\/example.com\/a"), "{text}");
    assert!(text.is_ascii());
    assert_eq!(received[0].signature.as_deref(), Some(signature_of(&received[0].bytes).as_str()));
    let record = stage.set("GET", "/webhooks", Value::Null).await;
    assert_eq!(record["data"][0]["http_status"], 200);
    assert_eq!(record["data"][0]["body"], text);
}

#[tokio::test]
async fn a_batch_carries_many_events() {
    let stage = Stage::start().await;
    stage.set("PATCH", "/settings", json!({"batch": {"max_events": 10, "window_ms": 200}})).await;
    for number in 0..5 {
        let customer = stage.customer(&format!("C{number}"), &format!("62813000000{number}")).await;
        stage.act(&customer, json!({"inbox_id": "whatsapp", "kind": "text", "text": "x"})).await;
    }
    let webhooks = stage.webhooks().await;
    let changes: usize =
        webhooks.iter().map(|body| body["entry"][0]["changes"].as_array().unwrap().len()).sum();
    assert_eq!(changes, 5);
    assert!(webhooks.len() < 5, "{} POSTs", webhooks.len());
}

#[tokio::test]
async fn a_refused_webhook_comes_again_and_not_for_ever() {
    let stage = Stage::start().await;
    stage.set("PATCH", "/settings", json!({"retry": {"base_ms": 1, "max_attempts": 3}})).await;
    stage.answer_webhooks_with(500);
    let sari = stage.customer("Sari", "6281390045512").await;
    let message_id = stage.act(&sari, json!({"inbox_id": "whatsapp", "kind": "text", "text": "x"})).await;
    let received = stage.received().await;
    assert_eq!(received.len(), 3);
    assert_eq!(received[0].bytes, received[2].bytes);
    let records =
        stage.sandbox.world().webhooks.iter().map(|record| record.entry.clone()).collect::<Vec<_>>();
    assert_eq!(records.iter().map(|record| record.attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(records.iter().map(|record| record.will_retry).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(records[0].message_ids, [message_id]);
}

#[tokio::test]
async fn one_customers_messages_keep_their_order() {
    let stage = Stage::start().await;
    let sari = stage.customer("Sari", "6281390045512").await;
    for number in 0..30 {
        stage.act(&sari, json!({"inbox_id": "whatsapp", "kind": "text", "text": number.to_string()})).await;
    }
    let texts: Vec<String> = stage
        .webhooks()
        .await
        .iter()
        .map(|body| {
            body["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(texts, (0..30).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn verification_wants_the_challenge_back() {
    let stage = Stage::start().await;
    let result = stage.set("POST", "/webhook/verify", json!({})).await;
    assert_eq!(
        (&result["verified"], &result["http_status"]),
        (&json!(false), &json!(200)),
        "this business does not echo"
    );
    let echo = axum::Router::new().fallback(|uri: axum::http::Uri| async move {
        let query = uri.query().unwrap_or_default().to_owned();
        assert!(query.contains("hub.mode=subscribe") && query.contains("hub.verify_token=v"));
        query.split('&').find_map(|pair| pair.strip_prefix("hub.challenge=")).unwrap().to_owned()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, echo).await.unwrap() });
    stage.set("PATCH", "/settings", json!({"webhook": {"url": url, "verify_token": "v"}})).await;
    assert_eq!(stage.set("POST", "/webhook/verify", json!({})).await["verified"], true);
}

#[tokio::test]
async fn unsubscribed_inboxes_are_silent() {
    let stage = Stage::start().await;
    let sari = stage.writing_customer("6281390045512").await;
    let url = format!("{}/graph/v25.0/215589313241560883/subscribed_apps", stage.url);
    stage.http.delete(&url).bearer_auth("T").send().await.unwrap();
    stage.act(&sari, json!({"inbox_id": "whatsapp", "kind": "text", "text": "x"})).await;
    assert!(stage.webhooks().await.is_empty());
    stage.http.post(&url).bearer_auth("T").send().await.unwrap();
    stage.act(&sari, json!({"inbox_id": "whatsapp", "kind": "text", "text": "x"})).await;
    assert_eq!(stage.webhooks().await.len(), 1);
}
