//! The provider misbehaves on demand.

use frontdesk_sandbox::Channel;
use serde_json::{Value, json};

use crate::stage::{NUMBER, Stage, text_to};

const SARI: &str = "6281390045512";

async fn post(stage: &Stage) -> Result<reqwest::Response, reqwest::Error> {
    post_body(stage, text_to(SARI, "x")).await
}

async fn post_body(stage: &Stage, body: Value) -> Result<reqwest::Response, reqwest::Error> {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let url = format!("{}/graph/v25.0/{NUMBER}/messages", stage.url);
    http.post(url).bearer_auth("T").json(&body).send().await
}

async fn next(stage: &Stage, mut fault: Value) {
    fault["next"] = json!(1);
    stage.set("PUT", "/faults/whatsapp_cloud", json!([fault])).await;
}

async fn delivered(stage: &Stage) -> usize {
    stage.set("GET", "/deliveries", Value::Null).await["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn refusals_happen_once_and_nothing_is_sent() {
    let stage = Stage::start().await;
    stage.writing_customer(SARI).await;
    let faults = [
        (json!({"fault": "too_many_requests", "retry_after_s": 7}), 429),
        (json!({"fault": "internal_error"}), 500),
        (json!({"fault": "unavailable"}), 503),
        (json!({"fault": "error_code", "code": 190}), 401),
        (json!({"fault": "redirect", "location": "http://10.0.0.1/"}), 302),
        (json!({"fault": "garbage"}), 200),
    ];
    for (index, (fault, status)) in faults.into_iter().enumerate() {
        next(&stage, fault.clone()).await;
        let response = post(&stage).await.unwrap();
        assert_eq!(response.status(), status, "{fault}");
        if status == 429 {
            assert_eq!(response.headers()["retry-after"], "7");
        }
        assert!(response.json::<Value>().await.map_or(true, |body| body.get("messages").is_none()));
        assert_eq!(delivered(&stage).await, index, "nothing was sent");
        assert_eq!(post(&stage).await.unwrap().status(), 200, "the next call is fine");
    }
    let calls = stage.set("GET", "/api-calls", Value::Null).await;
    assert_eq!(calls["data"][0]["fault"]["fault"], "too_many_requests");
    assert_eq!(calls["data"][0]["http_status"], 429);
}

#[tokio::test]
async fn a_share_of_all_calls_fails_until_it_is_none() {
    let stage = Stage::start().await;
    stage.writing_customer(SARI).await;
    for (rate, status) in [(1.0, 500), (0.0, 200)] {
        stage.sandbox.set_failure_rate(Channel::WhatsappCloud, rate);
        assert_eq!(post(&stage).await.unwrap().status(), status);
    }
    assert_eq!(delivered(&stage).await, 1);
}

#[tokio::test]
async fn a_cut_connection_gives_no_answer() {
    let stage = Stage::start().await;
    stage.writing_customer(SARI).await;
    next(&stage, json!({"fault": "cut_before"})).await;
    assert!(post(&stage).await.is_err());
    assert_eq!(delivered(&stage).await, 0);
    next(&stage, json!({"fault": "cut_after"})).await;
    let error = post(&stage).await.unwrap_err();
    assert!(error.is_request(), "no status, no headers: {error:?}");
    assert_eq!(delivered(&stage).await, 1, "it was sent all the same");
    next(&stage, json!({"fault": "cut_after"})).await;
    assert_eq!(
        post_body(&stage, json!({})).await.unwrap().status(),
        400,
        "what is refused is not carried out"
    );
    let calls = stage.set("GET", "/api-calls", Value::Null).await;
    assert_eq!(calls["data"][1]["http_status"], Value::Null);
}

#[tokio::test]
async fn a_huge_answer_is_100_megabytes() {
    let stage = Stage::start().await;
    stage.writing_customer(SARI).await;
    next(&stage, json!({"fault": "huge_answer"})).await;
    let mut response = post(&stage).await.unwrap();
    let mut size = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        size += chunk.len();
    }
    assert!(size > 99 * 1024 * 1024, "{size} bytes");
}

#[tokio::test]
async fn latency_delays_the_answer() {
    let stage = Stage::start().await;
    stage.writing_customer(SARI).await;
    next(&stage, json!({"fault": "latency", "latency_ms": 300})).await;
    let started = std::time::Instant::now();
    assert_eq!(post(&stage).await.unwrap().status(), 200);
    assert!(started.elapsed().as_millis() >= 300);
}

#[tokio::test]
async fn webhooks_come_twice_late_or_never() {
    let stage = Stage::start().await;
    let sari = stage.writing_customer(SARI).await;
    next(&stage, json!({"fault": "duplicate_webhook"})).await;
    stage.act(&sari, json!({"inbox_id": "whatsapp", "kind": "text", "text": "twice"})).await;
    let received = stage.received().await;
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].json()["entry"], received[1].json()["entry"]);

    next(&stage, json!({"fault": "out_of_order_webhook"})).await;
    stage.send_text(SARI, "x").await;
    assert_eq!(stage.statuses().await, ["delivered", "sent"]);

    next(&stage, json!({"fault": "dropped_status"})).await;
    stage.send_text(SARI, "x").await;
    assert_eq!(stage.statuses().await, ["delivered"]);

    next(&stage, json!({"fault": "failed_status"})).await;
    stage.send_text(SARI, "x").await;
    assert_eq!(stage.statuses().await, ["failed"]);
}

#[tokio::test]
async fn downloads_suffer_the_faults_of_their_channel() {
    let stage = Stage::start().await;
    let (budi, _) = stage.scoped_customer("messenger").await;
    stage.act(&budi, json!({"inbox_id": "messenger", "kind": "image"})).await;
    let webhook = &stage.webhooks().await[0];
    let url =
        webhook["entry"][0]["messaging"][0]["message"]["attachments"][0]["payload"]["url"].as_str().unwrap();
    let status = async || stage.http.get(url).send().await.unwrap().status().as_u16();
    let fault = json!([{"fault": "internal_error", "rate": 1, "scope": "media"}]);
    stage.set("PUT", "/faults/whatsapp_cloud", fault.clone()).await;
    assert_eq!(status().await, 200);
    stage.set("PUT", "/faults/messenger", fault).await;
    assert_eq!(status().await, 500);
}

#[tokio::test]
async fn media_faults_spare_messages() {
    let stage = Stage::start().await;
    let sari = stage.writing_customer(SARI).await;
    stage
        .set("PUT", "/faults/whatsapp_cloud", json!([{"fault": "unavailable", "rate": 1, "scope": "media"}]))
        .await;
    assert_eq!(post(&stage).await.unwrap().status(), 200);
    stage.webhooks().await;
    stage.act(&sari, json!({"inbox_id": "whatsapp", "kind": "image"})).await;
    let webhook = &stage.webhooks().await[0];
    let id = webhook["entry"][0]["changes"][0]["value"]["messages"][0]["image"]["id"].as_str().unwrap();
    assert_eq!(stage.graph_get(id).await.0, 503);
    assert_eq!(stage.graph_get(NUMBER).await.0, 200);
    let (_, rules) = stage.control("GET", "/faults", Value::Null).await;
    assert_eq!(rules["whatsapp_cloud"][0]["hits"], 1);
}
