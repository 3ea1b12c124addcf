//! What the business sends reaches the phone, and its progress is told.

use serde_json::{Value, json};

use crate::stage::{NUMBER, Stage, text_to};

const SARI: &str = "6281390045512";

#[tokio::test]
async fn a_text_reaches_the_phone_and_its_progress_is_told() {
    let stage = Stage::start().await;
    let customer = stage.writing_customer(SARI).await;
    let mut body = text_to("+62 813-9004-5512", "Halo juga 👋");
    body["biz_opaque_callback_data"] = json!("msg:42");
    let (status, answer) = stage.graph(&format!("{NUMBER}/messages"), body.clone()).await;
    assert_eq!(status, 200);
    assert_eq!(answer["contacts"][0], json!({"input": "+62 813-9004-5512", "wa_id": SARI}));

    let webhooks = stage.webhooks().await;
    let value = |index: usize| &webhooks[index]["entry"][0]["changes"][0]["value"];
    assert_eq!(value(0)["statuses"][0]["status"], "sent");
    assert_eq!(value(1)["statuses"][0]["status"], "delivered");
    assert_eq!(value(1)["statuses"][0]["id"], answer["messages"][0]["id"]);
    assert_eq!(value(1)["statuses"][0]["biz_opaque_callback_data"], "msg:42");
    assert_eq!(value(1)["contacts"][0]["wa_id"], SARI);

    let deliveries = stage.set("GET", "/deliveries?reference=msg:42", Value::Null).await;
    assert_eq!(deliveries["data"].as_array().unwrap().len(), 1);
    assert_eq!(deliveries["data"][0]["request"], body);
    assert_eq!(deliveries["data"][0]["progress"], "delivered");

    stage.set("POST", &format!("/customers/{customer}/chats/whatsapp/open"), Value::Null).await;
    assert_eq!(stage.statuses().await, ["read"]);
    let chat = stage.set("GET", &format!("/customers/{customer}/chats/whatsapp"), Value::Null).await;
    assert_eq!(chat["entries"][1]["text"], "Halo juga 👋");
    assert_eq!(chat["entries"][1]["progress"], "read");
}

#[tokio::test]
async fn a_phone_that_is_off_gets_its_messages_later() {
    let stage = Stage::start().await;
    let customer = stage.writing_customer(SARI).await;
    stage.set("PATCH", &format!("/customers/{customer}"), json!({"online": false})).await;
    stage.send_text(SARI, "one").await;
    stage.send_text(SARI, "two").await;
    assert_eq!(stage.statuses().await, ["sent", "sent"]);
    stage.set("PATCH", &format!("/customers/{customer}"), json!({"online": true})).await;
    assert_eq!(stage.statuses().await, ["delivered", "delivered"]);
}

#[tokio::test]
async fn a_customer_without_number_is_reached_by_user_id() {
    let stage = Stage::start().await;
    let customer = stage
        .set("POST", "/customers", json!({"name": "Rina", "username": "rina.kopi", "bsuid_only": true}))
        .await;
    stage
        .act(customer["id"].as_str().unwrap(), json!({"inbox_id": "whatsapp", "kind": "text", "text": "Hai"}))
        .await;
    let webhook = &stage.webhooks().await[0];
    let value = &webhook["entry"][0]["changes"][0]["value"];
    assert!(value["messages"][0].get("from").is_none());
    assert!(value["contacts"][0].get("wa_id").is_none());
    assert_eq!(value["contacts"][0]["profile"]["username"], "rina.kopi");
    let user_id = value["messages"][0]["from_user_id"].clone();
    let body = json!({"messaging_product": "whatsapp", "recipient": user_id, "type": "text", "text": {"body": "Hai"}});
    let (status, answer) = stage.graph(&format!("{NUMBER}/messages"), body).await;
    assert_eq!((status, &answer["contacts"][0]["user_id"]), (200, &user_id));
    assert_eq!(stage.statuses().await, ["sent", "delivered"]);
}

#[tokio::test]
async fn every_kind_is_taken() {
    let stage = Stage::start().await;
    stage.writing_customer(SARI).await;
    let first = stage.send_text(SARI, "first").await;
    let buttons = json!([{"type": "reply", "reply": {"id": "y", "title": "Ya"}}]);
    let rows = json!([{"id": "r1", "title": "Selasa", "description": "pagi"}]);
    let kinds = json!([
        {"type": "image", "image": {"link": "https://example.com/a.jpg", "caption": "x"}},
        {"type": "video", "video": {"link": "https://example.com/a.mp4"}},
        {"type": "audio", "audio": {"link": "https://example.com/a.ogg"}},
        {"type": "document", "document": {"link": "https://example.com/a.pdf", "filename": "a.pdf"}},
        {"type": "sticker", "sticker": {"link": "https://example.com/a.webp"}},
        {"type": "location", "location": {"latitude": -6.17, "longitude": 106.8, "name": "Monas"}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Budi S", "first_name": "Budi"}}]},
        {"type": "interactive", "interactive": {"type": "button", "body": {"text": "?"}, "action": {"buttons": buttons}}},
        {"type": "interactive", "interactive": {"type": "list", "body": {"text": "?"},
            "action": {"button": "Open", "sections": [{"title": "S", "rows": rows}]}}},
        {"type": "reaction", "reaction": {"message_id": first, "emoji": "👍"}},
        {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}},
        {"type": "template", "template": {"name": "order_update", "language": {"code": "id"}, "components": [
            {"type": "BODY", "parameters": [{"type": "text", "text": "Sari"}, {"type": "text", "text": "#4471"}]}]}},
        {"type": "template", "template": {"name": "appointment_reminder", "language": {"code": "en"}, "components": [
            {"type": "body", "parameters": [{"type": "text", "parameter_name": "day", "text": "Monday"},
                {"type": "text", "parameter_name": "customer_name", "text": "Sari"}]}]}},
        {"text": {"body": "a text without type"}, "context": {"message_id": first}},
    ]);
    for kind in kinds.as_array().unwrap() {
        let mut body = kind.clone();
        body["messaging_product"] = json!("whatsapp");
        body["to"] = json!(SARI);
        let (status, answer) = stage.graph(&format!("{NUMBER}/messages"), body).await;
        assert_eq!(status, 200, "{kind}: {answer}");
    }
    let deliveries = stage.set("GET", "/deliveries", Value::Null).await;
    assert_eq!(deliveries["data"].as_array().unwrap().len(), kinds.as_array().unwrap().len() + 1);
    let texts: Vec<_> =
        deliveries["data"].as_array().unwrap().iter().map(|entry| entry["text"].clone()).collect();
    assert!(texts.contains(&json!("Halo Sari, pesanan #4471 sudah dikirim.")));
    assert!(texts.contains(&json!("Dear Sari, we expect you on Monday.")));
}

#[tokio::test]
async fn read_and_typing_are_shown_to_the_customer() {
    let stage = Stage::start().await;
    let customer = stage.customer("Sari", SARI).await;
    let message_id =
        stage.act(&customer, json!({"inbox_id": "whatsapp", "kind": "text", "text": "Halo"})).await;
    let body = json!({"messaging_product": "whatsapp", "status": "read", "message_id": message_id,
        "typing_indicator": {"type": "text"}});
    let (status, answer) = stage.graph(&format!("{NUMBER}/messages"), body).await;
    assert_eq!((status, answer), (200, json!({"success": true})));
    let chat = stage.set("GET", &format!("/customers/{customer}/chats/whatsapp"), Value::Null).await;
    assert_eq!(chat["entries"][0]["progress"], "read");
    assert_eq!(chat["business_typing"], true);
}
