//! Files that come with a reply: by address, by id, in the same request.

use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::Channel;
use frontdesk_testkit::stage::{Stage, StageSettings, Thread, id_of, sample};
use serde_json::{Value, json};

async fn hotels() -> Vec<(Stage, Thread)> {
    let mut ready = Vec::new();
    for stage in Stage::on_all(StageSettings::default()).await {
        stage.add_instance("hotel", &[("rate_limit_per_second", "0"), ("rate_limit_per_minute", "0")]).await;
        let thread = stage.thread("hotel").await;
        ready.push((stage, thread));
    }
    ready
}

/// The address of a file on the providers' shelf.
async fn address_of(stage: &Stage, name: &str, mime: &str) -> String {
    let id = stage.provide_file(name, mime, &sample(name)).await;
    format!("{}/control/media/{id}", stage.sandbox.public_url())
}

/// The methods that sent something through an inbox, in order.
fn sends(stage: &Stage, inbox: &str) -> Vec<String> {
    let calls = stage.calls(inbox).into_iter();
    let methods = calls.filter_map(|call| {
        call.path.split('/').find(|part| part.to_lowercase().starts_with("send")).map(str::to_lowercase)
    });
    methods.filter(|method| method != "sendtyping").collect()
}

fn path_of(thread: &Thread) -> String {
    format!("/admin/inbox/{}/messages", thread.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_goes_out_by_its_own_method() {
    for (stage, thread) in hotels().await {
        let url = address_of(&stage, "invoice.pdf", "application/pdf").await;
        let photo = stage.upload("photo.jpg", "image/jpeg", sample("photo.jpg")).await;
        for body in [
            json!({ "type": "text", "content": "Welcome" }),
            json!({ "type": "file", "content": "Your bill", "file": { "url": url, "file_name": "Bill.pdf" } }),
            json!({ "type": "file", "file": { "media_id": photo["id"] } }),
            json!({ "type": "location", "location": { "latitude": 40.7128, "longitude": -74.006, "name": "Hotel" } }),
            json!({ "type": "contact", "contact": { "name": "Reception", "phones": [{ "value": "+1 234 567 8900" }] } }),
        ] {
            let id = id_of(&stage.reply(&thread, body).await);
            stage.reaches(id, MessageStatus::Delivered).await;
        }
        assert_eq!(
            sends(&stage, "hotel"),
            ["sendmessage", "sendfilebyurl", "sendfilebyupload", "sendlocation", "sendcontact"],
            "{}",
            stage.database.kind
        );
        let requests: Vec<Value> = stage.delivered_to(&thread).into_iter().map(|d| d.request).collect();
        assert_eq!(requests[1]["urlFile"], json!(url));
        assert_eq!(
            (&requests[1]["fileName"], &requests[1]["caption"]),
            (&json!("Bill.pdf"), &json!("Your bill"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_by_address_is_kept_here_and_shown() {
    for (stage, thread) in hotels().await {
        let url = address_of(&stage, "invoice.pdf", "application/pdf").await;
        let sent = stage.reply(&thread, json!({ "file": { "url": url, "file_name": "Bill.pdf" } })).await;
        let file = &sent["attachments"][0];
        assert_eq!((&sent["kind"], &file["file_name"]), (&json!("document"), &json!("Bill.pdf")), "{sent}");
        let shown = stage
            .fetch(
                0,
                file["url"]
                    .as_str()
                    .unwrap()
                    .split_once("/media/")
                    .map(|(_, rest)| format!("/media/{rest}"))
                    .unwrap()
                    .as_str(),
            )
            .await;
        assert_eq!(shown.bytes().await.unwrap(), sample("invoice.pdf"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_cannot_fetch_it_is_given() {
    for (stage, thread) in hotels().await {
        let url = address_of(&stage, "photo.jpg", "image/jpeg").await;
        stage.fault(
            Channel::GreenApi,
            json!({ "fault": "error_code", "code": 400, "http_status": 400, "next": 1 }),
        );
        let id =
            id_of(&stage.reply(&thread, json!({ "file": { "url": url, "file_name": "photo.jpg" } })).await);
        stage.reaches(id, MessageStatus::Delivered).await;
        assert_eq!(sends(&stage, "hotel"), ["sendfilebyurl", "sendfilebyupload"]);
        assert_eq!(stage.delivered_to(&thread).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_channels_send_the_file_they_were_given_the_address_of() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let url = address_of(&stage, "photo.jpg", "image/jpeg").await;
        let id = id_of(&stage.reply(&thread, json!({ "type": "file", "file": { "url": url } })).await);
        stage.reaches(id, MessageStatus::Delivered).await;
        assert_eq!(stage.delivered_to(&thread).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_brings_its_files_and_sent_again_it_is_the_same_message() {
    for (stage, thread) in hotels().await {
        let path = path_of(&thread);
        let photo = || ("photo.jpg", "image/jpeg", sample("photo.jpg"));
        let fields = [("content", "The view"), ("client_key", "view-1"), ("type", "file")];
        let (status, first) = stage.send_form(&path, &fields, &[photo()]).await;
        assert_eq!(
            (status, &first["kind"], &first["content"]),
            (201, &json!("image"), &json!("The view")),
            "{first}"
        );
        let (status, again) = stage.send_form(&path, &fields, &[photo()]).await;
        assert_eq!((status, &again["id"]), (200, &first["id"]), "{again}");
        let (status, other) =
            stage.send_form(&path, &fields, &[("voice.ogg", "audio/ogg", sample("voice.ogg"))]).await;
        assert_eq!((status, &other["code"]), (409, &json!("IDEMPOTENCY_CONFLICT")), "{other}");
        stage.reaches(id_of(&first), MessageStatus::Delivered).await;
        assert_eq!(stage.delivered_to(&thread).len(), 1);

        let (status, two) = stage
            .send_form(&path, &[("reply_to_message_id", &first["id"].to_string())], &[photo(), photo()])
            .await;
        assert_eq!((status, two["companions"].as_array().map(Vec::len)), (201, Some(1)), "{two}");
        let (status, wrong) = stage.send_form(&path, &[("force", "perhaps")], &[photo()]).await;
        assert_eq!(
            (status, &wrong["errors"]["force"][0]),
            (422, &json!("The force field must be a boolean.")),
            "{wrong}"
        );
        let (status, empty) = stage.send_form(&path, &[("type", "file")], &[]).await;
        assert_eq!(
            (status, &empty["errors"]["file"][0]),
            (422, &json!("The file field is required.")),
            "{empty}"
        );
        let (status, many) = stage.send_form(&path, &[], &vec![photo(); 11]).await;
        assert_eq!((status, many["errors"]["file"].is_array()), (422, true), "{many}");
        let long = "x".repeat(300_000);
        let (status, _) = stage.send_form(&path, &[("content", &long)], &[photo()]).await;
        assert_eq!(status, 413);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_looked_at_before_the_address() {
    for (stage, thread) in hotels().await {
        let url = address_of(&stage, "photo.jpg", "image/jpeg").await;
        let body = json!({ "file": { "url": url }, "client_key": "photo-1" });
        let first = stage.reply(&thread, body.clone()).await;
        stage.sandbox.world().media = Default::default();
        let (status, again) = stage.try_reply(&thread, body).await;
        assert_eq!((status, &again["id"]), (200, &first["id"]), "{again}");
        let other = json!({ "file": { "url": format!("{url}?v=2") }, "client_key": "photo-1" });
        let (status, refused) = stage.try_reply(&thread, other).await;
        assert_eq!((status, &refused["code"]), (409, &json!("IDEMPOTENCY_CONFLICT")), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_not_public_or_hold_no_file_are_refused_by_field() {
    for (stage, thread) in hotels().await {
        let here = stage.sandbox.public_url();
        for (url, words) in [
            ("http://169.254.169.254/latest/meta-data".to_owned(), "public https address"),
            ("https://10.0.0.1/bill.pdf".to_owned(), "public https address"),
            ("https://[::1]/bill.pdf".to_owned(), "public https address"),
            ("https://user:word@example.org/bill.pdf".to_owned(), "user name"),
            ("http://example.org/bill.pdf".to_owned(), "https"),
            ("file:///etc/passwd".to_owned(), "public https address"),
            ("bill.pdf".to_owned(), "public https address"),
            (format!("{here}/control/media/none"), "404"),
            (format!("https://example.org/{}", "x".repeat(2000)), "2000 characters"),
        ] {
            let (status, refused) =
                stage.try_reply(&thread, json!({ "type": "file", "file": { "url": url } })).await;
            assert_eq!((status, &refused["code"]), (422, &json!("VALIDATION_ERROR")), "{url}: {refused}");
            let sentence = refused["errors"]["file.url"][0].as_str().unwrap_or_default().to_owned();
            assert!(sentence.contains(words), "{url}: {sentence}");
        }
        for (body, field) in [
            (json!({ "type": "file" }), "file"),
            (json!({ "type": "file", "file": {} }), "file"),
            (json!({ "file": { "url": "https://example.org/a", "media_id": 1 } }), "file"),
            (json!({ "file": { "media_id": 9_999 } }), "attachments"),
            (
                json!({ "file": { "url": "https://example.org/a" }, "location": { "latitude": 1, "longitude": 1 } }),
                "file",
            ),
            (json!({ "file": { "url": "https://example.org/a" }, "attachments": [1] }), "file.url"),
            (json!({ "type": "contact" }), "contact"),
        ] {
            let (status, refused) = stage.try_reply(&thread, body.clone()).await;
            assert_eq!((status, refused["errors"][field].is_array()), (422, true), "{body}: {refused}");
        }
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM outbox").await, 0);
    }
}
