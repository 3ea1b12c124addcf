//! What WhatsApp refuses, and in which words.

use serde_json::{Value, json};

use crate::stage::{NUMBER, Stage, text_to};

const SARI: &str = "6281390045512";

fn sent(kind: &str, content: Value) -> Value {
    let mut body = json!({"messaging_product": "whatsapp", "to": SARI, "type": kind});
    body[kind] = content;
    body
}

fn buttons(titles: &[&str]) -> Value {
    let buttons: Vec<Value> = titles
        .iter()
        .enumerate()
        .map(|(index, title)| json!({"type": "reply", "reply": {"id": index.to_string(), "title": title}}))
        .collect();
    sent("interactive", json!({"type": "button", "body": {"text": "?"}, "action": {"buttons": buttons}}))
}

fn list(rows: usize, title: &str) -> Value {
    let rows: Vec<Value> = (0..rows).map(|index| json!({"id": index.to_string(), "title": title})).collect();
    let action = json!({"button": "Open", "sections": [{"title": "S", "rows": rows}]});
    sent("interactive", json!({"type": "list", "body": {"text": "?"}, "action": action}))
}

fn template(name: &str, language: &str, components: Value) -> Value {
    sent("template", json!({"name": name, "language": {"code": language}, "components": components}))
}

/// Request, HTTP status, code, a part of message or details.
fn table() -> Vec<(Value, u16, i64, &'static str)> {
    vec![
        (json!({"to": SARI}), 400, 100, "messaging_product is required"),
        (
            json!({"messaging_product": "whatsapp", "type": "text", "text": {"body": "x"}}),
            400,
            100,
            "to is required",
        ),
        (sent("poll", json!({})), 400, 100, "type must be one of"),
        (
            json!({"messaging_product": "whatsapp", "to": SARI, "type": "text"}),
            400,
            131_008,
            "'text' is mandatory",
        ),
        (sent("text", json!({})), 400, 131_008, "'body' is mandatory"),
        (text_to(SARI, ""), 400, 100, "at least 1 characters"),
        (text_to(SARI, &"é".repeat(4097)), 400, 100, "at most 4096 characters"),
        (text_to("abc", "x"), 400, 131_009, "not a valid phone number"),
        (text_to("6281211002200", "x"), 400, 131_021, "Recipient cannot be sender"),
        (sent("image", json!({})), 400, 100, "either id or link"),
        (sent("image", json!({"id": "12"})), 400, 100, "not a valid whatsapp business account media"),
        (sent("image", json!({"link": "ftp://x"})), 400, 131_009, "not a valid URI"),
        (sent("audio", json!({"link": "https://x", "caption": "no"})), 400, 100, "Unexpected key"),
        (sent("location", json!({"latitude": 1.0})), 400, 131_008, "'longitude' is mandatory"),
        (sent("location", json!({"latitude": 91, "longitude": 1})), 400, 131_009, "between -90 and 90"),
        (sent("contacts", json!([{"name": {"formatted_name": "B"}}])), 400, 131_008, "one more name part"),
        (sent("reaction", json!({"emoji": "👍"})), 400, 131_008, "'message_id' is mandatory"),
        (buttons(&[]), 400, 131_009, "Invalid buttons count"),
        (buttons(&["1", "2", "3", "4"]), 400, 131_009, "Invalid buttons count"),
        (buttons(&["a title of 21 letters"]), 400, 131_009, "Max length: 20"),
        (buttons(&["same", "same"]), 400, 131_009, "Duplicated"),
        (list(11, "row"), 400, 131_009, "Total row count"),
        (list(1, "a row title of 25 letters"), 400, 131_009, "Max length: 24"),
        (template("nothing", "en", json!([])), 404, 132_001, "does not exist in en"),
        (template("hello_world", "id", json!([])), 404, 132_001, "does not exist in id"),
        (template("order_update", "id", json!([])), 400, 132_000, "(0) does not match"),
        (template("spring_sale", "en", json!([])), 400, 132_015, "paused"),
        (
            template(
                "photo_offer",
                "en",
                json!([{"type": "header", "parameters": [{"type": "text", "text": "x"}]}]),
            ),
            400,
            132_012,
            "expected IMAGE, received TEXT",
        ),
    ]
}

#[tokio::test]
async fn each_mistake_has_its_code() {
    let stage = Stage::start().await;
    stage.writing_customer(SARI).await;
    for (body, http_status, code, words) in table() {
        let (status, answer) = stage.graph(&format!("{NUMBER}/messages"), body.clone()).await;
        let error = &answer["error"];
        let said = format!("{} {}", error["message"], error["error_data"]["details"]);
        assert_eq!((status, error["code"].as_i64()), (http_status, Some(code)), "{body}: {answer}");
        assert!(said.contains(words), "{body}: {said}");
        assert_eq!(error["type"], "OAuthException");
        assert!(error["fbtrace_id"].is_string());
    }
    assert_eq!(stage.set("GET", "/deliveries", Value::Null).await["data"], json!([]));
}

#[tokio::test]
async fn the_window_closes_24_hours_after_the_last_message() {
    let stage = Stage::start().await;
    let customer = stage.writing_customer(SARI).await;
    stage.send_text(SARI, "still open").await;
    stage.set("POST", &format!("/customers/{customer}/chats/whatsapp/silence"), json!({"hours": 24})).await;
    let (status, answer) = stage.graph(&format!("{NUMBER}/messages"), text_to(SARI, "too late")).await;
    assert_eq!((status, answer["error"]["code"].as_i64()), (400, Some(131_047)));
    let (status, _) =
        stage.graph(&format!("{NUMBER}/messages"), template("hello_world", "en_US", json!([]))).await;
    assert_eq!(status, 200, "templates pass");
    stage.act(&customer, json!({"inbox_id": "whatsapp", "kind": "text", "text": "masih ada?"})).await;
    stage.send_text(SARI, "open again").await;
    stage.set("POST", "/clock/shift", json!({"by_ms": 24 * 3_600_000})).await;
    let (_, answer) = stage.graph(&format!("{NUMBER}/messages"), text_to(SARI, "too late")).await;
    assert_eq!(answer["error"]["code"], 131_047);
}

#[tokio::test]
async fn a_closed_window_can_be_told_by_a_failed_status() {
    let stage = Stage::start().await;
    stage.set("PATCH", "/settings", json!({"limits": {"closed_window": "failed_later"}})).await;
    stage.send_text(SARI, "to a stranger").await;
    let webhook = &stage.webhooks().await[0];
    let status = &webhook["entry"][0]["changes"][0]["value"]["statuses"][0];
    assert_eq!((&status["status"], &status["errors"][0]["code"]), (&json!("failed"), &json!(131_047)));
}

#[tokio::test]
async fn rates_per_pair_and_per_number_are_limited() {
    let stage = Stage::start().await;
    stage.writing_customer(SARI).await;
    stage.set("PATCH", "/settings", json!({"limits": {"pair_burst": 2}})).await;
    stage.send_text(SARI, "1").await;
    stage.send_text(SARI, "2").await;
    let (_, answer) = stage.graph(&format!("{NUMBER}/messages"), text_to(SARI, "3")).await;
    assert_eq!(answer["error"]["code"], 131_056);
    stage.set("POST", "/clock/shift", json!({"by_ms": 6_000})).await;
    stage.send_text(SARI, "4").await;
    stage.set("PATCH", "/settings", json!({"limits": {"messages_per_second": 0}})).await;
    let (status, answer) = stage.graph(&format!("{NUMBER}/messages"), text_to(SARI, "5")).await;
    assert_eq!((status, answer["error"]["code"].as_i64()), (429, Some(130_429)));
}

#[tokio::test]
async fn who_may_be_written_to() {
    let stage = Stage::start().await;
    let customer = stage.writing_customer(SARI).await;
    stage.set("PATCH", "/inboxes/whatsapp", json!({"allowed_recipients": ["628111"]})).await;
    let (_, answer) = stage.graph(&format!("{NUMBER}/messages"), text_to(SARI, "x")).await;
    assert_eq!(answer["error"]["code"], 131_030);
    stage.set("PATCH", "/inboxes/whatsapp", json!({"allowed_recipients": null})).await;
    stage.set("PATCH", &format!("/customers/{customer}"), json!({"on_whatsapp": false})).await;
    stage.send_text(SARI, "nobody there").await;
    let webhook = &stage.webhooks().await[0];
    assert_eq!(webhook["entry"][0]["changes"][0]["value"]["statuses"][0]["errors"][0]["code"], 131_026);
}

#[tokio::test]
async fn who_may_call() {
    let stage = Stage::start().await;
    stage.writing_customer(SARI).await;
    let url = format!("{}/graph/{NUMBER}/messages", stage.url);
    let post = |url: String| stage.http.post(url).json(&text_to(SARI, "x"));
    assert_eq!(post(url.clone()).send().await.unwrap().status(), 400, "no token");
    assert_eq!(
        post(format!("{url}?access_token=T")).send().await.unwrap().status(),
        200,
        "token in the query"
    );
    stage.set("PATCH", "/inboxes/whatsapp", json!({"access_token": "right"})).await;
    assert_eq!(post(url.clone()).bearer_auth("wrong").send().await.unwrap().status(), 401);
    assert_eq!(post(url.clone()).bearer_auth("right").send().await.unwrap().status(), 200);
    let bad_proof = post(format!("{url}?appsecret_proof=00")).bearer_auth("right").send().await.unwrap();
    assert_eq!(bad_proof.json::<Value>().await.unwrap()["error"]["code"], 100);
    stage.set("PATCH", "/settings", json!({"require_appsecret_proof": true})).await;
    let no_proof = post(url).bearer_auth("right").send().await.unwrap();
    assert!(no_proof.text().await.unwrap().contains("require an appsecret_proof"));
}

#[tokio::test]
async fn unknown_ids_are_told_as_meta_does() {
    let stage = Stage::start().await;
    let (status, answer) = stage.graph("999/messages", text_to(SARI, "x")).await;
    assert_eq!((status, answer["error"]["error_subcode"].as_i64()), (400, Some(33)));
}
