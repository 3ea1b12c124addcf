//! Files of WhatsApp: two steps, five minutes, bearer on both.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::stage::{NUMBER, Stage};

#[tokio::test]
async fn a_customers_photo_is_fetched_in_two_steps() {
    let stage = Stage::start().await;
    let sari = stage.customer("Sari", "6281390045512").await;
    stage.act(&sari, json!({"inbox_id": "whatsapp", "kind": "image"})).await;
    let webhook = &stage.webhooks().await[0];
    let image = &webhook["entry"][0]["changes"][0]["value"]["messages"][0]["image"];
    let (status, described) = stage.graph_get(image["id"].as_str().unwrap()).await;
    assert_eq!((status, &described["mime_type"]), (200, &json!("image/jpeg")));
    let url = described["url"].as_str().unwrap();
    assert_eq!(stage.http.get(url).send().await.unwrap().status(), 401, "the bearer is demanded");
    let bytes = stage.http.get(url).bearer_auth("T").send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes.len(), described["file_size"].as_u64().unwrap() as usize);
    stage.set("POST", "/clock/shift", json!({"by_ms": 301_000})).await;
    assert_eq!(stage.http.get(url).bearer_auth("T").send().await.unwrap().status(), 404, "expired");
    let (_, again) = stage.graph_get(image["id"].as_str().unwrap()).await;
    let renewed = stage.http.get(again["url"].as_str().unwrap()).bearer_auth("T").send().await.unwrap();
    assert_eq!(renewed.status(), 200);
}

#[tokio::test]
async fn an_upload_can_be_sent_and_deleted() {
    let stage = Stage::start().await;
    let sari = stage.writing_customer("6281390045512").await;
    let upload = |mime: &'static str| {
        let part = Part::bytes(b"%PDF-1.4".to_vec()).file_name("nota.pdf").mime_str(mime).unwrap();
        let form = Form::new().text("messaging_product", "whatsapp").text("type", mime).part("file", part);
        stage
            .http
            .post(format!("{}/graph/v25.0/{NUMBER}/media", stage.url))
            .bearer_auth("T")
            .multipart(form)
            .send()
    };
    let answer: Value = upload("application/pdf").await.unwrap().json().await.unwrap();
    let id = answer["id"].as_str().unwrap();
    let body = json!({"messaging_product": "whatsapp", "to": "6281390045512", "type": "document", "document": {"id": id}});
    assert_eq!(stage.graph(&format!("{NUMBER}/messages"), body).await.0, 200);
    let chat = stage.set("GET", &format!("/customers/{sari}/chats/whatsapp"), Value::Null).await;
    assert_eq!(chat["entries"][1]["media"]["file_name"], "nota.pdf");
    let shown =
        stage.http.get(format!("{}{}", stage.url, chat["entries"][1]["media"]["url"].as_str().unwrap()));
    assert_eq!(shown.send().await.unwrap().bytes().await.unwrap().as_ref(), b"%PDF-1.4");

    let refused: Value = upload("application/zip").await.unwrap().json().await.unwrap();
    assert_eq!(refused["error"]["code"], 100);
    let delete =
        stage.http.delete(format!("{}/graph/{id}", stage.url)).bearer_auth("T").send().await.unwrap();
    assert_eq!(delete.json::<Value>().await.unwrap(), json!({"success": true}));
    assert_eq!(stage.graph_get(id).await.1["error"]["error_subcode"], 33);
}

#[tokio::test]
async fn an_own_file_can_be_sent_by_a_customer() {
    let stage = Stage::start().await;
    let sari = stage.customer("Sari", "6281390045512").await;
    let request = stage.http.post(format!("{}/control/media?file_name=x.html", stage.url));
    let request = request.header("content-type", "text/html").body("<script>");
    let uploaded: Value = request.send().await.unwrap().json().await.unwrap();
    let action = json!({"inbox_id": "whatsapp", "kind": "document", "media_id": uploaded["media_id"]});
    stage.act(&sari, action).await;
    let webhook = &stage.webhooks().await[0];
    let document = &webhook["entry"][0]["changes"][0]["value"]["messages"][0]["document"];
    assert_eq!((&document["mime_type"], &document["filename"]), (&json!("text/html"), &json!("x.html")));
}
