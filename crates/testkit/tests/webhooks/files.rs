//! Messages with files: told with them, as soon as they are here, and without them after a while.

use frontdesk_testkit::bodies;
use frontdesk_testkit::meta::NUMBER;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::{Ground, SITI, grounds};

impl Ground {
    async fn sends_a_picture(&self) {
        let picture = json!({ "type": "image", "image": { "id": "media.1", "mime_type": "image/png", "caption": "Our shop" } });
        let body = bodies::message(NUMBER, SITI, "wamid.picture", self.server.clock_seconds(), picture);
        self.server.deliver(bodies::bytes(&body)).await;
    }

    /// The file of the picture arrives, as the worker that fetches would write it.
    async fn arrives(&self) {
        let done = "UPDATE attachments SET state = 'ready', storage_key = 'kept', sha256 = 'abc', size_bytes = 7, due_at = NULL";
        self.server.database.script(done).await;
        let account = self.server.account;
        let tell = move |tx: &mut frontdesk_store::Tx<'_>| {
            use frontdesk_store::events::{EventKind, NewEvent};
            let row = frontdesk_store::messages::find(tx, account, frontdesk_model::MessageId(1))?.unwrap();
            tx.emit(NewEvent {
                account_id: account,
                kind: EventKind::MessageUpdated,
                conversation_id: Some(row.conversation_id),
                message_id: Some(row.id),
                data: None,
            });
            Ok::<_, frontdesk_store::StoreError>(())
        };
        self.server.engine.store.write(tell).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_told_with_its_file_as_soon_as_that_is_here() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        ground.listen(&receiver, json!({ "events": ["message.received"] })).await;
        ground.sends_a_picture().await;
        ground.work().await;
        assert!(receiver.heard().is_empty(), "it waits for its file");
        ground.arrives().await;
        ground.work().await;
        let heard: Vec<Value> = receiver.heard().iter().map(|heard| heard.json()).collect();
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert_eq!(heard[0]["event"], "message.received");
        let data = &heard[0]["data"];
        assert_eq!(
            (&data["type"], &data["message"], &data["caption"]),
            (&json!("image"), &json!("Our shop"), &json!("Our shop"))
        );
        assert!(data["mediaUrl"].as_str().unwrap().starts_with("http://127.0.0.1:8080/media/"), "{data}");
        assert_eq!(data["media"][0]["sizeBytes"], 7);
        ground.pass(60, 10).await;
        assert_eq!(receiver.heard().len(), 1, "once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_file_does_not_come_is_told_without_it_and_then_updated() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        ground.listen(&receiver, json!({})).await;
        ground.sends_a_picture().await;
        ground.work().await;
        ground.pass(12, 4).await;
        let first = receiver.heard()[0].json();
        assert_eq!((&first["event"], &first["data"]["mediaUrl"]), (&json!("message.received"), &Value::Null));
        assert_eq!(first["data"]["media"][0]["state"], "pending");
        ground.arrives().await;
        ground.work().await;
        let heard = receiver.heard();
        assert_eq!(heard.len(), 2);
        let second = heard[1].json();
        assert_eq!(second["event"], "message.updated");
        assert!(second["data"]["mediaUrl"].is_string() && second["data"]["id"] == first["data"]["id"]);
    }
}
