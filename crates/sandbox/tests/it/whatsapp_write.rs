//! What customers do is told by signed webhooks in Meta's shapes.

use serde_json::{Value, json};

use crate::stage::Stage;

const SARI: &str = "6281390045512";

async fn message_of(stage: &Stage, customer: &str, mut action: Value) -> Value {
    action["inbox_id"] = json!("whatsapp");
    stage.act(customer, action).await;
    let webhooks = stage.webhooks().await;
    assert_eq!(webhooks.len(), 1);
    webhooks[0]["entry"][0]["changes"][0]["value"]["messages"][0].clone()
}

#[tokio::test]
async fn each_kind_has_metas_shape() {
    let stage = Stage::start().await;
    let sari = stage.writing_customer(SARI).await;
    let question = stage.send_text(SARI, "?").await;
    stage.webhooks().await;

    let text = message_of(&stage, &sari, json!({"kind": "text", "text": "Café", "reply_to": question})).await;
    assert_eq!((&text["text"]["body"], &text["from"]), (&json!("Café"), &json!(SARI)));
    assert_eq!(text["context"], json!({"from": "6281211002200", "id": question}));
    assert!(text["timestamp"].as_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000);

    let voice = message_of(&stage, &sari, json!({"kind": "voice"})).await;
    assert_eq!((&voice["type"], &voice["audio"]["voice"]), (&json!("audio"), &json!(true)));
    assert_eq!(voice["audio"]["mime_type"], "audio/ogg; codecs=opus");

    let document =
        message_of(&stage, &sari, json!({"kind": "document", "file_name": "bukti ñ.pdf", "caption": "ini"}))
            .await;
    assert_eq!(
        (&document["document"]["filename"], &document["document"]["caption"]),
        (&json!("bukti ñ.pdf"), &json!("ini"))
    );

    let sticker =
        message_of(&stage, &sari, json!({"kind": "sticker", "sample": "sticker-animated.webp"})).await;
    assert_eq!(sticker["sticker"]["animated"], true);

    let place = message_of(
        &stage,
        &sari,
        json!({"kind": "location", "latitude": -6.2, "longitude": 106.8, "name": "Monas"}),
    )
    .await;
    assert_eq!(place["location"], json!({"latitude": -6.2, "longitude": 106.8, "name": "Monas"}));

    let cards = message_of(
        &stage,
        &sari,
        json!({"kind": "contacts", "contacts": [{"name": "Budi S", "phone": "+62 8"}]}),
    )
    .await;
    assert_eq!(cards["contacts"][0]["name"]["formatted_name"], "Budi S");

    let button = message_of(
        &stage,
        &sari,
        json!({"kind": "button_reply", "message_id": question, "id": "y", "title": "Ya"}),
    )
    .await;
    assert_eq!(
        button["interactive"],
        json!({"type": "button_reply", "button_reply": {"id": "y", "title": "Ya"}})
    );
    assert_eq!(button["context"]["id"], json!(question));

    let flow = message_of(
        &stage,
        &sari,
        json!({"kind": "flow_reply", "message_id": question, "response": {"a": 1}}),
    )
    .await;
    assert_eq!(flow["interactive"]["nfm_reply"]["response_json"], r#"{"a":1}"#);

    let reaction =
        message_of(&stage, &sari, json!({"kind": "reaction", "message_id": question, "emoji": "❤️"})).await;
    assert_eq!(reaction["reaction"], json!({"message_id": question, "emoji": "❤️"}));
    let unreact = message_of(&stage, &sari, json!({"kind": "unreact", "message_id": question})).await;
    assert_eq!(unreact["reaction"]["emoji"], "");

    let own = text["id"].clone();
    let edit =
        message_of(&stage, &sari, json!({"kind": "edit", "message_id": own, "text": "Café baru"})).await;
    assert_eq!(edit["edit"]["original_message_id"], own);
    assert_eq!(edit["edit"]["message"]["text"]["body"], "Café baru");
    let revoke = message_of(&stage, &sari, json!({"kind": "unsend", "message_id": own})).await;
    assert_eq!(revoke["revoke"]["original_message_id"], own);

    let unsupported = message_of(&stage, &sari, json!({"kind": "unsupported"})).await;
    assert_eq!(unsupported["errors"][0]["code"], 131_051);
}

#[tokio::test]
async fn a_new_number_is_a_system_message_without_contacts() {
    let stage = Stage::start().await;
    let sari = stage.writing_customer(SARI).await;
    stage.set("POST", &format!("/customers/{sari}/number"), json!({"phone": "+62 857-7001-1223"})).await;
    let webhook = &stage.webhooks().await[0];
    let value = &webhook["entry"][0]["changes"][0]["value"];
    assert!(value.get("contacts").is_none());
    assert_eq!(value["messages"][0]["from"], SARI);
    assert_eq!(value["messages"][0]["system"]["wa_id"], "6285770011223");
    stage.send_text("6285770011223", "to the new number").await;
}

#[tokio::test]
async fn what_a_network_does_not_have_is_refused() {
    let stage = Stage::start().await;
    let sari = stage.writing_customer(SARI).await;
    let path = format!("/customers/{sari}/messages");
    let refused = [
        (json!({"inbox_id": "whatsapp", "kind": "story_mention"}), 422),
        (json!({"inbox_id": "messenger", "kind": "contacts", "contacts": []}), 422),
        (json!({"inbox_id": "whatsapp", "kind": "unsend", "message_id": "wamid.none"}), 404),
        (json!({"inbox_id": "nowhere", "kind": "text", "text": "x"}), 404),
        (json!({"inbox_id": "whatsapp", "kind": "voice", "sample": "none.ogg"}), 404),
        (json!({"inbox_id": "whatsapp", "kind": "dance"}), 422),
    ];
    for (body, status) in refused {
        let (answered, error) = stage.control("POST", &path, body.clone()).await;
        assert_eq!(answered, status, "{body}: {error}");
        assert!(error["error"].is_string() && error["code"].is_string());
    }
    let sent = stage.send_text(SARI, "ours").await;
    let (status, _) = stage
        .control("POST", &path, json!({"inbox_id": "whatsapp", "kind": "unsend", "message_id": sent}))
        .await;
    assert_eq!(status, 422, "the business' message is not the customer's to unsend");
}
