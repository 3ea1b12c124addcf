//! Bytes nobody needs any more go.

use std::path::Path;

use frontdesk_store::attachments;
use frontdesk_testkit::stage::{Stage, StageSettings, id_of, sample, until};
use serde_json::{Value, json};

use crate::fetching::settled;

fn kept(data: &Path, key: &str) -> bool {
    data.join("media/1").join(&key[..2]).join(key).exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_never_sent_and_files_taken_back_are_removed() {
    for mut stage in Stage::on_all(StageSettings::default()).await {
        let data = stage.first().settings.data_dir.clone();
        let thread = stage.thread("instagram").await;
        let account = stage.account;
        let key_of = |uploaded: Value| {
            let id = frontdesk_model::AttachmentId(uploaded["id"].as_i64().unwrap());
            stage.read(move |tx| Ok(attachments::find(tx, account, id)?.and_then(|f| f.storage_key)))
        };
        let unsent = key_of(stage.upload("a.png", "image/png", sample("photo.png")).await).await.unwrap();
        let file = stage.upload("a.pdf", "application/pdf", sample("invoice.pdf")).await;
        let used = key_of(file.clone()).await.unwrap();
        let again = key_of(stage.upload("b.pdf", "application/pdf", sample("invoice.pdf")).await).await;
        assert_eq!(again.as_ref(), Some(&used), "the same bytes are kept once");
        let sent = stage.reply(&thread, json!({"attachments": [file["id"]]})).await;
        stage.arrives(id_of(&sent)).await;
        let remote = stage.act(&thread.customer, "instagram", json!({"kind": "image"}));
        let taken_back = settled(&stage, "instagram", &remote).await;
        stage.act(&thread.customer, "instagram", json!({"kind": "unsend", "message_id": remote}));
        let id = taken_back.id;
        until("it is taken back", || async {
            let file = stage.read(move |tx| attachments::find(tx, account, id)).await;
            file.filter(|f| f.message_id.is_none()).map(drop)
        })
        .await;
        let taken_back = taken_back.storage_key.unwrap();
        assert!([&unsent, &used, &taken_back].iter().all(|key| kept(&data, key)));

        // Tidying goes once an hour and once at the start.
        stage.nodes[0].stop().await;
        stage.clock.advance_ms(9 * 86_400_000);
        let engine = stage.engine(stage.first().settings.clone(), &data).await;
        let workers = frontdesk_engine::workers::spawn(&engine);
        until("what nobody needs is gone", || async {
            (!kept(&data, &unsent) && !kept(&data, &taken_back)).then_some(())
        })
        .await;
        assert!(kept(&data, &used), "a message needs it");
        engine.shutdown.cancel();
        workers.stopped().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_written_files_of_a_crash_are_removed() {
    let mut stage = Stage::on_all(StageSettings::default()).await.remove(0);
    let data = stage.first().settings.data_dir.clone();
    stage.nodes[0].stop().await;
    let incoming = data.join("media/incoming");
    std::fs::create_dir_all(&incoming).unwrap();
    std::fs::write(incoming.join("half"), b"half").unwrap();
    let engine = stage.engine(stage.first().settings.clone(), &data).await;
    let workers = frontdesk_engine::workers::spawn(&engine);
    stage.clock.advance_ms(2 * 86_400_000);
    until("it is gone", || async { (!incoming.join("half").exists()).then_some(()) }).await;
    engine.shutdown.cancel();
    workers.stopped().await;
}
