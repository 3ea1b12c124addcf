//! Sending: words, files however they are given, texts with variables, places and cards.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use frontdesk_testkit::green::INSTANCE;
use frontdesk_testkit::meta::settings;
use serde_json::{Value, json};

use crate::{SITI, desks, desks_with, refused};

/// A picture of one point.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

#[tokio::test]
async fn words_to_somebody_new_make_a_contact_and_a_chat() {
    for desk in desks().await {
        let sent = desk.send("text", json!({ "phone": "+62 813-9004-5512", "message": "Halo" })).await;
        assert_eq!((&sent["success"], sent["message"].is_string()), (&json!(true), true));
        let data = &sent["data"];
        assert_eq!((&data["status"], &data["content"]), (&json!("queued"), &json!("Halo")));
        let path = format!("/api/v1/sessions/{INSTANCE}/chats");
        let chats = desk.server.get(&path).bearer(&desk.token).send().await.ok(200);
        assert_eq!(chats["data"][0]["id"], data["chat_id"]);
        assert_eq!(
            (&chats["data"][0]["phone"], &chats["data"][0]["last_message"]),
            (&json!(SITI), &json!("Halo"))
        );
        let path = format!("/api/v1/sessions/{INSTANCE}/messages?chatId={SITI}");
        let messages = desk.server.get(&path).bearer(&desk.token).send().await.ok(200);
        let message = &messages["data"][0];
        assert_eq!((&message["id"], &message["from_me"]), (&data["id"], &json!(true)));
        assert_eq!((&message["direction"], &message["from"]), (&json!("outgoing"), &Value::Null));
        // Again to the same person, in another notation: one contact, one chat.
        let again = desk.send("text", json!({ "phone": "6281390045512", "message": "Apa kabar?" })).await;
        assert_eq!(again["data"]["chat_id"], data["chat_id"]);
        assert_eq!((desk.count("contacts").await, desk.count("conversations").await), (1, 1));
    }
}

#[tokio::test]
async fn the_same_key_is_the_same_message() {
    for desk in desks().await {
        let path = format!("/api/v1/sessions/{INSTANCE}/messages/text");
        let post = async |body: Value| {
            let call =
                desk.server.post(&path).bearer(&desk.token).header("idempotency-key", "k1").json(&body);
            call.send().await
        };
        let first = post(json!({ "phone": SITI, "message": "Halo" })).await.ok(200);
        let second = post(json!({ "phone": SITI, "message": "Halo" })).await.ok(200);
        assert_eq!(first["data"]["id"], second["data"]["id"]);
        post(json!({ "phone": SITI, "message": "Other" })).await.refused(409, "IDEMPOTENCY_CONFLICT");
        assert_eq!(desk.count("messages").await, 1);
    }
}

#[tokio::test]
async fn a_file_goes_however_it_is_given() {
    for desk in desks().await {
        let kind_of = async |sent: &Value| {
            let path = format!("/api/v1/sessions/{INSTANCE}/messages?chatId={SITI}");
            let messages = desk.server.get(&path).bearer(&desk.token).send().await.ok(200);
            let found =
                messages["data"].as_array().unwrap().iter().find(|m| m["id"] == sent["data"]["id"]).cloned();
            let found = found.unwrap();
            assert!(found["media_url"].as_str().unwrap().starts_with("http"), "{found}");
            found["type"].as_str().unwrap().to_owned()
        };
        let data_uri = format!("data:image/png;base64,{PNG}");
        let sent = desk.send("image", json!({ "phone": SITI, "image": data_uri, "caption": "Poster" })).await;
        assert_eq!((kind_of(&sent).await.as_str(), &sent["data"]["content"]), ("image", &json!("Poster")));
        let sent = desk.send("image", json!({ "phone": SITI, "image": PNG })).await;
        assert_eq!(kind_of(&sent).await, "image");
        // A picture that is asked to go as a document does.
        let sent =
            desk.send("document", json!({ "phone": SITI, "document": PNG, "filename": "poster.png" })).await;
        assert_eq!(kind_of(&sent).await, "document");
        let pdf = BASE64.encode(b"%PDF-1.4\n%%EOF");
        let sent =
            desk.send("document", json!({ "phone": SITI, "document": pdf, "filename": "receipt.pdf" })).await;
        assert_eq!(kind_of(&sent).await, "document");
        for field in ["file", "image"] {
            let bytes = BASE64.decode(PNG).unwrap();
            let mut form = format!(
                "--x\r\ncontent-disposition: form-data; name=\"phone\"\r\n\r\n{SITI}\r\n--x\r\ncontent-disposition: form-data; \
                 name=\"caption\"\r\n\r\n123\r\n--x\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"a.png\"\r\n\
                 content-type: image/png\r\n\r\n"
            )
            .into_bytes();
            form.extend(bytes);
            form.extend(b"\r\n--x--\r\n");
            let path = format!("/api/v1/sessions/{INSTANCE}/messages/image");
            let call = desk.server.post(&path).bearer(&desk.token);
            let sent = call
                .header("content-type", "multipart/form-data; boundary=x")
                .body(form)
                .send()
                .await
                .ok(200);
            assert_eq!((kind_of(&sent).await.as_str(), &sent["data"]["content"]), ("image", &json!("123")));
        }
    }
}

#[tokio::test]
async fn a_path_of_a_server_is_never_read_and_what_to_send_is_said() {
    for desk in desks().await {
        for path in [
            "/var/www/html/storage/app/public/whatsapp/images/a.jpg",
            "/etc/passwd",
            "file:///etc/passwd",
            "../secret.key",
            "",
        ] {
            let sentence =
                refused(&desk.post("image", json!({ "phone": SITI, "image": path })).await, "image");
            for word in ["multipart/form-data", "data URI", "base64", "https"] {
                assert!(sentence.contains(word), "{word}: {sentence}");
            }
        }
        refused(&desk.post("document", json!({ "phone": SITI, "filename": "a.pdf" })).await, "document");
        let inside = json!({ "phone": SITI, "image": "http://169.254.169.254/latest/meta-data" });
        refused(&desk.post("image", inside).await, "image");
        let inside = json!({ "phone": SITI, "document": "https://10.0.0.7/a.pdf" });
        refused(&desk.post("document", inside).await, "document");
        assert_eq!(desk.count("messages").await, 0);
    }
}

#[tokio::test]
async fn a_template_is_filled_in_here_and_never_sent_with_a_gap() {
    for desk in desks().await {
        let text = json!({ "shortcut": "thanks", "content": "Terima kasih {{name|kak}}, donasi {{amount}} untuk {{program}}." });
        let made =
            desk.server.post("/api/crm/quick-replies").bearer(&desk.token).json(&text).send().await.ok(201);
        let id = made["data"]["id"].clone();
        for template_id in [json!("thanks"), json!("/Thanks"), id.clone(), json!(id.to_string())] {
            let variables = json!({ "amount": 250_000, "program": "Yatim" });
            let body = json!({ "phone": SITI, "template_id": template_id, "variables": variables });
            let sent = desk.send("template", body).await;
            assert_eq!(sent["data"]["content"], "Terima kasih kak, donasi 250000 untuk Yatim.");
        }
        let listed = json!({ "phone": SITI, "template_id": "thanks", "variables": ["Siti", "Rp1", "Zakat"] });
        assert_eq!(
            desk.send("template", listed).await["data"]["content"],
            "Terima kasih Siti, donasi Rp1 untuk Zakat."
        );
        let stored = desk.count("messages").await;
        let gap = desk
            .post(
                "template",
                json!({ "phone": SITI, "template_id": "thanks", "variables": { "amount": "1" } }),
            )
            .await;
        refused(&gap, "variables.program");
        refused(
            &desk.post("template", json!({ "phone": SITI, "template_id": "unknown" })).await,
            "template_id",
        );
        assert_eq!(desk.count("messages").await, stored);
    }
}

#[tokio::test]
async fn places_and_cards_go_too() {
    for desk in desks().await {
        let place = json!({ "phone": SITI, "latitude": -6.2, "longitude": 106.8, "name": "Kantor" });
        desk.send("location", place).await;
        desk.send(
            "contact",
            json!({ "phone": SITI, "contact": { "name": "Budi", "phone": "+6281390045513" } }),
        )
        .await;
        let path = format!("/api/v1/sessions/{INSTANCE}/messages?chatId={SITI}");
        let messages = desk.server.get(&path).bearer(&desk.token).send().await.ok(200);
        let kinds: Vec<&str> =
            messages["data"].as_array().unwrap().iter().map(|m| m["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["location", "contacts"]);
    }
}

#[tokio::test]
async fn missing_and_wrong_fields_are_told_by_name() {
    for desk in desks().await {
        for (kind, body, field) in [
            ("text", json!({ "message": "halo" }), "phone"),
            ("text", json!({ "phone": SITI }), "message"),
            ("text", json!({ "phone": SITI, "message": "  " }), "message"),
            ("text", json!({ "phone": "not a number", "message": "halo" }), "phone"),
            ("image", json!({ "phone": SITI }), "image"),
            ("location", json!({ "phone": SITI, "latitude": 1.0 }), "longitude"),
            ("contact", json!({ "phone": SITI }), "contact"),
            ("template", json!({ "phone": SITI }), "template_id"),
        ] {
            refused(&desk.post(kind, body).await, field);
        }
        desk.post("text", json!({ "phone": SITI, "message": "halo" })).await.ok(200);
        let gone = desk.server.post("/api/v1/sessions/nobody/messages/text").bearer(&desk.token);
        gone.json(&json!({ "phone": SITI, "message": "halo" })).send().await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn thirty_messages_a_minute_and_no_more_whatever_they_are() {
    let mut settings = settings();
    settings.engine.limits.send_per_minute = 30;
    for desk in desks_with(settings).await {
        for n in 0..29 {
            desk.send("text", json!({ "phone": SITI, "message": format!("{n}") })).await;
        }
        let place = json!({ "phone": SITI, "latitude": 1.0, "longitude": 2.0 });
        desk.send("location", place.clone()).await;
        let answer = desk.post("location", place).await;
        let told = answer.refused(429, "RATE_LIMITED");
        assert!(told["retry_after"].as_u64().is_some_and(|secs| (1..=60).contains(&secs)), "{told}");
        assert_eq!(desk.count("messages").await, 30);
    }
}

#[tokio::test]
async fn an_answer_quotes_what_it_answers_by_either_name() {
    for desk in desks().await {
        let first = desk.send("text", json!({ "phone": SITI, "message": "Halo" })).await;
        let id = first["data"]["message_id"].clone();
        for name in [id.clone(), json!(id.to_string())] {
            desk.send("text", json!({ "phone": SITI, "message": "Lagi", "reply_to": name })).await;
        }
        let chat = first["data"]["chat_id"].as_str().unwrap();
        let path = format!("/api/v1/conversations/{chat}/messages");
        let told = desk.server.get(&path).bearer(&desk.token).send().await.ok(200);
        let quoting = told["data"].as_array().unwrap().iter().filter(|m| m["reply_to"]["id"] == id).count();
        assert_eq!(quoting, 2, "{told}");
        let unknown = json!({ "phone": SITI, "message": "Lagi", "reply_to": "wamid.unknown" });
        refused(&desk.post("text", unknown).await, "reply_to");
        let cards = json!([{ "name": "Budi", "phones": ["+6281390045513"] }, { "name": "Ani", "phone": "+6281390045514" }]);
        let sent = desk.send("contact", json!({ "phone": SITI, "contacts": cards })).await;
        assert_eq!(sent["data"]["content"], "Budi, Ani");
    }
}
