//! From the provider to the media store and out again.

use frontdesk_sandbox::Channel;
use frontdesk_store::attachments::{self, AttachmentRow, AttachmentState};
use frontdesk_testkit::stage::{Stage, StageSettings, sample, until};
use serde_json::{Value, json};

/// Waits until the one file of a customer's message is no longer on its way.
pub async fn settled(stage: &Stage, inbox: &str, remote_id: &str) -> AttachmentRow {
    let message = stage.received(inbox, remote_id).await;
    let account = stage.account;
    until("the file is settled", || async {
        let files = stage.read(move |tx| attachments::of_message(tx, account, message.id)).await;
        files.into_iter().next().filter(|f| f.state != AttachmentState::Pending)
    })
    .await
}

/// The signed address of a file, as the API shows it.
pub async fn address(stage: &Stage, file: &AttachmentRow) -> String {
    let account = stage.account;
    let id = file.message_id.unwrap();
    let message = stage.read(move |tx| frontdesk_store::messages::find(tx, account, id)).await.unwrap();
    let path = format!("/api/v1/conversations/{}/messages", message.conversation_id);
    let (_, thread) = stage.call("GET", &path, Value::Null).await;
    let shown = thread["data"].as_array().unwrap().iter().find(|m| m["id"] == id.0).unwrap().clone();
    let url = shown["attachments"][0]["url"].as_str().unwrap().to_owned();
    assert_eq!(shown["media_url"], url);
    url[url.find("/media/").unwrap()..].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_every_kind_are_fetched_and_served_by_every_node() {
    for mut stage in Stage::on_all(StageSettings::default()).await {
        if stage.database.kind == "postgres" {
            stage.add_node().await; // with a data folder of its own
        }
        for (inbox, kinds) in [
            ("whatsapp", ["image", "video", "audio", "voice", "document", "sticker"].as_slice()),
            ("messenger", &["image", "video", "audio", "document"]),
            ("instagram", &["image", "video", "audio"]),
        ] {
            let thread = stage.thread(inbox).await;
            for kind in kinds {
                let name = match *kind {
                    "image" => "photo.jpg",
                    "video" => "video.mp4",
                    "audio" => "song.mp3",
                    "voice" => "voice.ogg",
                    "document" => "invoice.pdf",
                    _ => "sticker.webp",
                };
                let remote = stage.act(&thread.customer, inbox, json!({ "kind": kind }));
                let file = settled(&stage, inbox, &remote).await;
                assert_eq!(file.state, AttachmentState::Ready, "{inbox} {kind}: {:?}", file.error);
                assert_eq!(file.kind.as_str(), *kind, "{inbox}");
                assert_eq!(file.size_bytes, Some(i64::try_from(sample(name).len()).unwrap()));
                let path = address(&stage, &file).await;
                for node in 0..stage.nodes.len() {
                    let answer = stage.fetch(node, &path).await;
                    assert_eq!(answer.status().as_u16(), 200, "{inbox} {kind} on node {node}");
                    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
                    assert_eq!(answer.bytes().await.unwrap(), sample(name), "{inbox} {kind} on node {node}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_was_touched_or_is_old_opens_nothing() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let remote = stage.act(&thread.customer, "whatsapp", json!({"kind": "image"}));
        let path = address(&stage, &settled(&stage, "whatsapp", &remote).await).await;
        let other = path.replacen("/media/", "/media/9", 1);
        let (start, signature) = path.rsplit_once("signature=").unwrap();
        let last = if signature.ends_with('0') { "1" } else { "0" };
        let forged = format!("{start}signature={}{last}", &signature[..signature.len() - 1]);
        for bad in [&other, &forged, &path.replace("account=1", "account=2")] {
            assert_eq!(stage.fetch(0, bad).await.status().as_u16(), 404, "{bad}");
        }
        assert_eq!(stage.fetch(0, &path).await.status().as_u16(), 200);
        stage.clock.advance_ms(3 * 86_400_000);
        assert_eq!(stage.fetch(0, &path).await.status().as_u16(), 404, "it has expired");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_above_the_limit_is_told_and_not_kept() {
    let mut settings = StageSettings::default();
    settings.engine.media.max_bytes = 64;
    for stage in Stage::on_all(settings).await {
        for inbox in ["whatsapp", "messenger"] {
            let thread = stage.thread(inbox).await;
            let remote = stage.act(&thread.customer, inbox, json!({"kind": "image"}));
            let file = settled(&stage, inbox, &remote).await;
            assert_eq!((file.state, file.storage_key.is_none()), (AttachmentState::TooLarge, true));
        }
        let incoming = stage.first().settings.data_dir.join("media/incoming");
        until("nothing is left of it", || async {
            std::fs::read_dir(&incoming).map_or(true, |mut d| d.next().is_none()).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_says_so_at_once() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let raw = json!({"kind": "raw", "content": {"type": "image",
            "image": {"id": "999000111222", "mime_type": "image/jpeg", "sha256": "eA=="}}});
        let remote = stage.act(&thread.customer, "whatsapp", raw);
        let file = settled(&stage, "whatsapp", &remote).await;
        assert_eq!((file.state, file.attempts), (AttachmentState::Failed, 1));
        assert!(file.error.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_is_asked_again_even_after_its_address_expired() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "unavailable", "rate": 1.0, "scope": "media"}));
        let remote = stage.act(&thread.customer, "whatsapp", json!({"kind": "voice"}));
        let message = stage.received("whatsapp", &remote).await;
        let account = stage.account;
        until("it was tried", || async {
            let files = stage.read(move |tx| attachments::of_message(tx, account, message.id)).await;
            files.into_iter().next().filter(|f| f.error.is_some())
        })
        .await;
        stage.heal();
        stage.clock.advance_ms(3_600_000); // an address of WhatsApp is good for five minutes
        let file = settled(&stage, "whatsapp", &remote).await;
        assert_eq!(file.state, AttachmentState::Ready, "{:?}", file.error);
        assert!(file.attempts >= 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_can_have_a_failed_file_fetched_again() {
    let mut settings = StageSettings::default();
    settings.engine.media.concurrency = 1;
    for stage in Stage::on_all(settings).await {
        let thread = stage.thread("messenger").await;
        stage.fault(
            Channel::Messenger,
            json!({"fault": "error_code", "code": 100, "http_status": 404, "scope": "media", "next": 1}),
        );
        let remote = stage.act(&thread.customer, "messenger", json!({"kind": "image"}));
        let file = settled(&stage, "messenger", &remote).await;
        assert_eq!(file.state, AttachmentState::Failed);
        let (status, _) =
            stage.call("POST", &format!("/api/v1/attachments/{}/fetch", file.id), Value::Null).await;
        assert_eq!(status, 204);
        let file = settled(&stage, "messenger", &remote).await;
        assert_eq!(file.state, AttachmentState::Ready, "{:?}", file.error);
        let (status, _) =
            stage.call("POST", &format!("/api/v1/attachments/{}/fetch", file.id), Value::Null).await;
        assert_eq!(status, 404, "there is nothing to fetch");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_hands_its_fetches_over() {
    for mut stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.fault(
            Channel::WhatsappCloud,
            json!({"fault": "latency", "latency_ms": 800, "next": 1, "scope": "media"}),
        );
        let remote = stage.act(&thread.customer, "whatsapp", json!({"kind": "image"}));
        let account = stage.account;
        let message = stage.received("whatsapp", &remote).await.id;
        until("it is being fetched", || async {
            let files = stage.read(move |tx| attachments::of_message(tx, account, message)).await;
            files.into_iter().next().filter(|f| f.attempts == 1)
        })
        .await;
        stage.nodes[0].stop().await;
        let all = stage.read(attachments::next_due).await;
        assert_eq!(all, None, "what was begun was finished before the node stopped");
    }
}
