//! What is older than the settings allow goes, by itself.

use frontdesk_model::{AttachmentId, ContactId, MessageId};
use frontdesk_store::{attachments, contacts, conversations, messages};
use frontdesk_testkit::stage::{Stage, StageSettings, id_of, until};
use serde_json::{Value, json};

use crate::erase::{contact_of, send_file};

const DAY_MS: i64 = 86_400_000;

fn file_of(sent: &Value) -> AttachmentId {
    let message = if sent["message"].is_object() { &sent["message"] } else { sent };
    AttachmentId(message["attachments"][0]["id"].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_then_messages_go_when_their_time_has_passed() {
    let mut settings = StageSettings::default();
    settings.engine.retention.media_days = 10;
    settings.engine.retention.message_days = 30;
    for mut stage in Stage::on_all(settings).await {
        let threads = stage.threads("whatsapp", 2).await;
        let [silent, talking] = &threads[..] else { panic!("two customers") };
        let account = stage.account;
        let old = send_file(&stage, silent, "old.txt", "a file of long ago").await;
        let both = send_file(&stage, silent, "both.txt", "a file that is sent again").await;
        let contact = ContactId(contact_of(&stage, silent).await);
        stage.clock.advance_ms(11 * DAY_MS);
        let word = stage.act(&talking.customer, "whatsapp", json!({"kind": "text", "text": "Still here"}));
        stage.received("whatsapp", &word).await;
        let newer = send_file(&stage, talking, "both.txt", "a file that is sent again").await;
        stage.nodes[0].stop().await;
        let data = stage.first().settings.data_dir.clone();
        let find = async |sent: &Value| {
            let id = file_of(sent);
            stage.read(move |tx| attachments::find(tx, account, id)).await.unwrap()
        };

        let engine = stage.engine(stage.first().settings.clone(), &data).await;
        let workers = frontdesk_engine::workers::spawn(&engine);
        until("the old files are let go", || async {
            let (old, both) = (find(&old).await, find(&both).await);
            (old.storage_key.is_none() && both.storage_key.is_none()).then_some(())
        })
        .await;
        engine.shutdown.cancel();
        workers.stopped().await;
        let key = find(&newer).await.storage_key.unwrap();
        assert!(engine.media().is_sound(account, &key).await.unwrap(), "a newer message has it too");
        let kept = stage.message(id_of(&old)).await;
        assert!(kept.deleted_at.is_none(), "the message stays");

        stage.clock.advance_ms(25 * DAY_MS);
        let engine = stage.engine(stage.first().settings.clone(), &data).await;
        let workers = frontdesk_engine::workers::spawn(&engine);
        let gone =
            async |id: MessageId| stage.read(move |tx| messages::find(tx, account, id)).await.is_none();
        until("old messages and who wrote them are gone", || async {
            let known = stage.read(move |tx| contacts::find(tx, account, contact)).await;
            (gone(id_of(&old)).await && known.is_none()).then_some(())
        })
        .await;
        engine.shutdown.cancel();
        workers.stopped().await;
        assert!(!gone(id_of(&newer)).await);
        let talking = talking.id;
        let kept = stage.read(move |tx| conversations::find(tx, account, talking)).await.unwrap();
        assert_eq!(kept.unread_count, 1, "the message of long ago counts no more");
    }
}
