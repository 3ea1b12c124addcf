//! Replies: sending over the API, and waiting for what becomes of it.

use frontdesk_model::MessageId;
use frontdesk_model::message::MessageStatus;
use frontdesk_store::messages::{self, MessageRow};
use serde_json::{Value, json};

use super::{Stage, Thread, id_of, until};

impl Stage {
    /// Replies over the API of the first node; the reply must be taken.
    pub async fn reply(&self, thread: &Thread, body: Value) -> Value {
        let (status, answer) = self.try_reply(thread, body).await;
        assert_eq!(status, 201, "{answer}");
        answer
    }

    /// Replies over the API of the first node.
    pub async fn try_reply(&self, thread: &Thread, body: Value) -> (u16, Value) {
        self.call("POST", &format!("/admin/inbox/{}/messages", thread.id), body).await
    }

    /// Replies with text; returns the id of the message.
    pub async fn say(&self, thread: &Thread, text: &str) -> MessageId {
        id_of(&self.reply(thread, json!({ "content": text })).await)
    }

    /// A message of ours as it is now.
    pub async fn message(&self, id: MessageId) -> MessageRow {
        let account = self.account;
        self.read(move |tx| messages::find(tx, account, id)).await.expect("the message is there")
    }

    /// Waits until a message has come this far, and no further.
    pub async fn reaches(&self, id: MessageId, status: MessageStatus) -> MessageRow {
        let what = format!("message {id} is {status:?} on {}", self.database.kind);
        until(&what, || async { Some(self.message(id).await).filter(|m| m.status == status) }).await
    }

    /// Waits until a message was sent, delivered or read.
    pub async fn arrives(&self, id: MessageId) -> MessageRow {
        let what = format!("message {id} arrives on {}", self.database.kind);
        until(&what, || async {
            let there = |m: &MessageRow| m.status >= MessageStatus::Sent && m.status != MessageStatus::Failed;
            Some(self.message(id).await).filter(there)
        })
        .await
    }

    /// The attempts to send a message, as the API tells them, once none is under way. The customer may have the message
    /// before its attempt is written down.
    pub async fn attempts(&self, id: MessageId) -> Vec<Value> {
        let path = format!("/api/v1/messages/{id}/deliveries");
        until("no attempt is under way", || async {
            let (_, answer) = self.call("GET", &path, Value::Null).await;
            let attempts = answer["data"].as_array().cloned().unwrap_or_default();
            attempts.iter().all(|attempt| attempt["outcome"].is_string()).then_some(attempts)
        })
        .await
    }
}
