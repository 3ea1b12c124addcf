//! Every kind of content reaches the provider in the provider's words.

use frontdesk_sandbox::world::PhoneDelivery;
use frontdesk_testkit::stage::{Stage, StageSettings, Thread, id_of, sample, until};
use serde_json::{Value, json};

/// Sends something and returns what the provider got for it.
async fn sent(stage: &Stage, thread: &Thread, body: Value) -> Value {
    let id = id_of(&stage.reply(thread, body).await);
    let message = stage.arrives(id).await;
    delivery_of(stage, thread, message.client_ref.as_deref().unwrap()).request
}

fn delivery_of(stage: &Stage, thread: &Thread, reference: &str) -> PhoneDelivery {
    let all = stage.delivered_to(thread);
    let mut ours = all.iter().filter(|d| d.reference.as_deref() == Some(reference));
    let found = ours.next().unwrap_or_else(|| panic!("nothing has the reference {reference}: {all:?}"));
    assert!(ours.next().is_none(), "sent twice: {all:?}");
    found.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_gets_every_kind_in_its_own_words() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let text = sent(&stage, &thread, json!({"content": "Selamat pagi 🌅"})).await;
        assert_eq!((&text["type"], &text["text"]["body"]), (&json!("text"), &json!("Selamat pagi 🌅")));
        let template = json!({"template": {"name": "order_update", "language": "id", "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Sari"}, {"type": "text", "text": "A-1"}]}]}});
        let template = sent(&stage, &thread, template).await;
        assert_eq!(template["template"]["name"], "order_update");
        assert_eq!(template["template"]["language"]["code"], "id");
        let place = json!({"location": {"latitude": -6.2, "longitude": 106.8, "name": "Kopi Senja"}});
        let place = sent(&stage, &thread, place).await;
        assert_eq!((&place["type"], &place["location"]["latitude"]), (&json!("location"), &json!(-6.2)));
        let cards = json!({"contacts": [{"name": "Budi", "phones": [{"value": "+62812000111"}]}]});
        let cards = sent(&stage, &thread, cards).await;
        assert_eq!(cards["contacts"][0]["name"]["formatted_name"], "Budi");
        let buttons = json!({"interactive": {"body": "Yes or no?", "buttons": [
            {"id": "y", "title": "Yes"}, {"id": "n", "title": "No"}]}});
        let buttons = sent(&stage, &thread, buttons).await;
        assert_eq!(buttons["interactive"]["type"], "button");
        assert_eq!(buttons["interactive"]["action"]["buttons"][1]["reply"]["id"], "n");
        let list = json!({"interactive": {"body": "Which room?", "list_label": "Rooms", "rows": [
            {"id": "1", "title": "Single", "description": "One bed"}]}});
        let list = sent(&stage, &thread, list).await;
        assert_eq!(list["interactive"]["type"], "list");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_with_their_captions_or_with_a_companion() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        for (name, mime, kind) in [
            ("photo.jpg", "image/jpeg", "image"),
            ("photo.png", "image/png", "image"),
            ("invoice.pdf", "application/pdf", "document"),
            ("video.mp4", "video/mp4", "video"),
        ] {
            let file = upload_sample(&stage, name, mime).await;
            let body = json!({"content": "Here it is", "attachments": [file["id"]]});
            let request = sent(&stage, &thread, body).await;
            assert_eq!((&request["type"], &request[kind]["caption"]), (&json!(kind), &json!("Here it is")));
            if kind == "document" {
                assert_eq!(request["document"]["filename"], "invoice.pdf");
            }
        }
        // Sound takes no caption: the words follow as a message of their own.
        let file = upload_sample(&stage, "song.mp3", "audio/mpeg").await;
        let answer = stage.reply(&thread, json!({"content": "Listen", "attachments": [file["id"]]})).await;
        assert_eq!(answer["kind"], "audio");
        assert_eq!(answer["companions"][0]["content"], "Listen");
        stage.arrives(id_of(&answer["companions"][0])).await;
        let kinds: Vec<_> = stage.delivered_to(&thread).into_iter().map(|d| d.kind).collect();
        assert_eq!(kinds[kinds.len() - 2..], ["audio", "text"], "in the order of the request");

        for inbox in ["messenger", "instagram"] {
            let thread = stage.thread(inbox).await;
            let file = upload_sample(&stage, "photo.jpg", "image/jpeg").await;
            let answer =
                stage.reply(&thread, json!({"content": "Our menu", "attachments": [file["id"]]})).await;
            assert_eq!(
                (&answer["kind"], &answer["companions"][0]["kind"]),
                (&json!("image"), &json!("text"))
            );
            stage.arrives(id_of(&answer["companions"][0])).await;
            let got = stage.delivered_to(&thread);
            assert_eq!(got.iter().map(|d| d.kind.as_str()).collect::<Vec<_>>(), ["image", "text"], "{inbox}");
            assert_eq!(got[1].text.as_deref(), Some("Our menu"));
        }
    }
}

async fn upload_sample(stage: &Stage, name: &str, mime: &str) -> Value {
    stage.upload(name, mime, sample(name)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_too_large_to_be_one_goes_as_a_document() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("messenger").await;
        let mut large = sample("photo.png");
        large.resize(9 * 1024 * 1024, 0); // Messenger takes pictures of 8 MB and files of 25 MB
        let file = stage.upload("large.png", "image/png", large).await;
        let answer = stage.reply(&thread, json!({"attachments": [file["id"]]})).await;
        assert_eq!(
            (&answer["kind"], &answer["attachments"][0]["kind"]),
            (&json!("document"), &json!("document"))
        );
        stage.arrives(id_of(&answer)).await;
        assert_eq!(stage.delivered_to(&thread)[0].kind, "file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whatsapp_would_refuse_is_refused_at_once() {
    let stage = Stage::on_all(StageSettings::default()).await.remove(0);
    let thread = stage.thread("whatsapp").await;
    let mut large = sample("photo.png");
    large.resize(6 * 1024 * 1024, 0); // pictures of 5 MB, whatever they are sent as
    let gif = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;".to_vec();
    for (name, mime, bytes) in [("large.png", "image/png", large), ("dance.gif", "image/gif", gif)] {
        let file = stage.upload(name, mime, bytes).await;
        let (status, answer) = stage.try_reply(&thread, json!({"attachments": [file["id"]]})).await;
        assert_eq!(status, 422, "{answer}");
        assert!(answer["errors"]["attachments"][0].as_str().unwrap().contains(name), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quoted_message_is_named_on_all_three_channels() {
    for stage in Stage::on_all(StageSettings::default()).await {
        for inbox in ["whatsapp", "messenger", "instagram"] {
            let thread = stage.thread(inbox).await;
            let quoted = stage.received(inbox, &thread.first).await;
            let body = json!({"content": "To that: yes", "reply_to_message_id": quoted.id.0});
            let request = sent(&stage, &thread, body).await;
            let named = if inbox == "whatsapp" {
                &request["context"]["message_id"]
            } else {
                &request["reply_to"]["mid"]
            };
            assert_eq!(named, &json!(thread.first), "{inbox}: {request}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_channel_cannot_carry_is_refused_before_it_is_stored() {
    let stage = Stage::on_all(StageSettings::default()).await.remove(0);
    let thread = stage.thread("messenger").await;
    for body in [
        json!({"template": {"name": "x", "language": "en"}}),
        json!({"location": {"latitude": 1.0, "longitude": 1.0}}),
        json!({"contacts": [{"name": "Budi", "phones": []}]}),
        json!({"content": "x".repeat(2001)}),
        json!({"content": "   "}),
        json!({"content": "x", "attachments": [4711]}),
    ] {
        let (status, answer) = stage.try_reply(&thread, body).await;
        assert_eq!((status, &answer["code"]), (422, &json!("VALIDATION_ERROR")), "{answer}");
    }
    let thread = stage.thread("whatsapp").await;
    let file = upload_sample(&stage, "photo.jpg", "image/jpeg").await;
    let both = json!({"location": {"latitude": 1.0, "longitude": 1.0}, "attachments": [file["id"]]});
    let (status, answer) = stage.try_reply(&thread, both).await;
    assert_eq!(status, 422, "files beside a place would be lost: {answer}");
    until("nothing is queued", || async {
        let depths = stage.read(frontdesk_store::outbox::depths).await;
        depths.is_empty().then_some(())
    })
    .await;
    assert!(stage.delivered("messenger").is_empty() && stage.delivered("whatsapp").is_empty());
}
