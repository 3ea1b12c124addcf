//! A provider that hangs holds up neither the files nor the names of customers of others.

use frontdesk_store::attachments::{self, AttachmentState};
use frontdesk_testkit::abyss::Abyss;
use frontdesk_testkit::green::DOOR;
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use serde_json::json;

use crate::fetching::settled;
use crate::profiles::{name, name_at_provider};

/// Files fetched at once by one node.
const PLACES: usize = 2;
/// Customers of the hanging provider, each with a file: more than there are places.
const HANGING: usize = 3;

/// A stage whose calls would hang for longer than any test waits, and an instance whose provider does.
async fn with_a_hanging_instance() -> Vec<(Stage, Abyss)> {
    let mut settings = StageSettings { timeout_ms: 120_000, ..StageSettings::default() };
    settings.engine.media.concurrency = PLACES;
    let mut stages = Vec::new();
    for stage in Stage::on_all(settings).await {
        let abyss = Abyss::open().await;
        stage.prepare_instance("hanging");
        stage.connect_unasked("hanging", &[("api_url", &abyss.url), ("media_url", &abyss.url)]).await;
        stages.push((stage, abyss));
    }
    stages
}

/// A customer of the hanging instance sends a picture, which lies where nothing is answered. Returns our id of the message.
async fn a_picture_arrives(stage: &Stage, abyss: &Abyss, number: usize) -> String {
    let instance: u64 = stage.sandbox.world().inboxes["hanging"].account_id.parse().unwrap();
    let chat = format!("62813900455{number:02}@c.us");
    let id = format!("HANGING{number}");
    let body = json!({
        "typeWebhook": "incomingMessageReceived",
        "instanceData": { "idInstance": instance, "wid": "15550100001@c.us", "typeInstance": "whatsapp" },
        "timestamp": 1_763_770_000 + number,
        "idMessage": id,
        "senderData": { "chatId": chat, "sender": chat, "chatName": "", "senderName": "Guest" },
        "messageData": { "typeMessage": "imageMessage", "fileMessageData": {
            "downloadUrl": format!("{}/picture-{number}.jpg", abyss.url), "caption": "", "fileName": "a.jpg",
            "mimeType": "image/jpeg" } }
    });
    let request = reqwest::Client::new().post(format!("{}{DOOR}", stage.nodes[0].url));
    let answer = request.bearer_auth("words-of-hanging").json(&body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    frontdesk_model::RemoteId::within(&id, &chat).0
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_provider_that_hangs_keep_those_of_others_waiting_for_moments_only() {
    for (stage, abyss) in with_a_hanging_instance().await {
        let mut hanging = Vec::new();
        for number in 0..HANGING {
            hanging.push(a_picture_arrives(&stage, &abyss, number).await);
        }
        until("every place is taken by a file that hangs", || async {
            (abyss.held() >= PLACES).then_some(())
        })
        .await;
        let thread = stage.thread("whatsapp").await;
        let remote = stage.act(&thread.customer, "whatsapp", json!({ "kind": "image" }));
        let file = settled(&stage, "whatsapp", &remote).await;
        assert_eq!(file.state, AttachmentState::Ready, "{:?}", file.error);
        for remote in hanging {
            let (message, account) = (stage.received("hanging", &remote).await.id, stage.account);
            let files = stage.read(move |tx| attachments::of_message(tx, account, message)).await;
            assert_eq!(files[0].state, AttachmentState::Pending, "it still hangs on {}", stage.database.kind);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_of_a_provider_that_hangs_keep_those_of_others_waiting_for_moments_only() {
    for (stage, abyss) in with_a_hanging_instance().await {
        a_picture_arrives(&stage, &abyss, 0).await;
        let asked = "its provider is asked who that is, and for the file";
        until(asked, || async { (abyss.held() >= 2).then_some(()) }).await;
        let thread = stage.thread("messenger").await;
        let wanted = name_at_provider(&stage, &thread);
        until("the name of somebody else is known", || async {
            (name(&stage, &thread).await == Some(wanted.clone())).then_some(())
        })
        .await;
        assert!(stage.calls("hanging").is_empty(), "the hanging provider is nowhere else");
    }
}
