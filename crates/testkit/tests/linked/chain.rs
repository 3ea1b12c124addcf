//! Two Frontdesks in a chain: the first has the phone, the second an inbox on the first one's gateway API.

use std::collections::BTreeMap;

use frontdesk_engine::caller::Actor;
use frontdesk_engine::inboxes::{self, NewInbox};
use frontdesk_model::message::MessageStatus;
use frontdesk_model::{ConversationId, MessageId};
use frontdesk_sandbox::chat::Progress;
use frontdesk_sandbox::world::PhoneDelivery;
use frontdesk_store::attachments::{self, AttachmentRow, AttachmentState};
use frontdesk_testkit::stage::{Stage, StageSettings, Thread, id_of, sample, until};
use serde_json::{Value, json};

use crate::phones::{NUMBER, add_phone, in_state, scan};

const SESSION: &str = "cs-1";

/// The first has the phone, the second is its client.
struct Chain {
    first: Stage,
    second: Stage,
}

/// Chains on every kind of database; both ends of each on the same kind.
async fn chains(access: impl Fn(&Stage) -> Vec<(&'static str, String)>) -> Vec<Chain> {
    let mut settings = StageSettings::default();
    settings.engine.webhooks.jitter = 0.0;
    let ends = Stage::on_all(settings.clone()).await.into_iter().zip(Stage::on_all(settings).await);
    let mut chains = Vec::new();
    for (first, second) in ends {
        add_phone(&first, SESSION, NUMBER);
        let hook = format!("{}/api/webhook/whatsapp", second.nodes[0].url);
        let body = json!({ "session_id": SESSION, "name": SESSION, "webhook_url": hook });
        let (status, made) = first.call("POST", "/api/v1/sessions", body).await;
        assert_eq!(status, 201, "{made}");
        let (status, code) = first.call("GET", &format!("/api/v1/sessions/{SESSION}/qr"), Value::Null).await;
        assert_eq!(status, 200, "{code}");
        scan(&first, SESSION);
        in_state(&first, SESSION, "connected").await;
        let secret = made["data"]["webhook_secret"].as_str().unwrap();
        let fields = [
            ("api_url", format!("{}/api/v1", first.nodes[0].url)),
            ("session_id", SESSION.to_owned()),
            ("webhook_secret", secret.to_owned()),
            ("rate_limit_per_minute", "0".to_owned()),
        ];
        let settings: BTreeMap<String, String> =
            fields.into_iter().chain(access(&first)).map(|(key, value)| (key.to_owned(), value)).collect();
        let new = NewInbox { channel: "whatsapp_gateway".to_owned(), name: "donors".to_owned(), settings };
        let made = inboxes::create(second.first(), Actor::server(second.account), new).await.unwrap();
        inboxes::check(second.first(), second.account, made.config.id).await.unwrap();
        let path = format!("/api/v1/inboxes/{}", made.config.id);
        let (_, shown) = second.call("GET", &path, Value::Null).await;
        assert_eq!(shown["state"]["code"], "connected", "{shown}");
        chains.push(Chain { first, second });
    }
    chains
}

async fn chains_by_token() -> Vec<Chain> {
    chains(|first| vec![("token", first.token.clone())]).await
}

/// The messages of a conversation, the oldest first.
async fn messages(stage: &Stage, conversation: ConversationId) -> Vec<Value> {
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let mut rows = stage.call("GET", &path, Value::Null).await.1["data"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row["id"].as_i64());
    rows
}

/// Waits for a message with these words.
async fn message(stage: &Stage, conversation: ConversationId, words: &str) -> Value {
    until(&format!("\"{words}\" is here"), || async {
        messages(stage, conversation).await.into_iter().find(|row| row["content"] == words)
    })
    .await
}

/// Waits for the only file of a message.
async fn file(stage: &Stage, message: MessageId) -> AttachmentRow {
    let account = stage.account;
    until("the file is here", || async {
        let mut files = stage.read(move |tx| attachments::of_message(tx, account, message)).await;
        files.pop().filter(|file| file.state == AttachmentState::Ready)
    })
    .await
}

impl Chain {
    /// Somebody writes to the phone: the thread at the first, and the conversation at the second.
    async fn customer(&self) -> (Thread, ConversationId) {
        let thread = self.first.thread(SESSION).await;
        let customers = self.first.sandbox.world().customers.clone();
        let customer = &customers[&thread.customer];
        let phone = format!("+{}", customer.phone.clone().unwrap());
        let conversation = until("the customer is at the second", || async {
            let (_, listed) = self.second.call("GET", "/api/v1/conversations", Value::Null).await;
            let rows = listed["data"].as_array()?.clone();
            let row = rows.into_iter().find(|row| row["customer"]["phone"] == phone.as_str())?;
            assert_eq!(row["customer"]["name"], customer.name.as_str());
            row["id"].as_i64().map(ConversationId)
        })
        .await;
        (thread, conversation)
    }

    /// Somebody at the second answers.
    async fn answer(&self, conversation: ConversationId, body: Value) -> MessageId {
        let path = format!("/admin/inbox/{conversation}/messages");
        let (status, message) = self.second.call("POST", &path, body).await;
        assert_eq!(status, 201, "{message}");
        id_of(&message)
    }

    /// What the phone sent.
    fn sent(&self) -> Vec<PhoneDelivery> {
        let world = self.first.sandbox.world();
        world
            .deliveries
            .iter()
            .filter(|one| one.entry.inbox_id == SESSION)
            .map(|one| one.entry.clone())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_of_the_first_is_answered_from_the_second_and_reads_it() {
    let by_login = |_: &Stage| {
        vec![("email", "admin@example.org".to_owned()), ("password", "a long password".to_owned())]
    };
    for chain in chains(by_login).await {
        let Chain { first, second } = &chain;
        let (thread, conversation) = chain.customer().await;
        let id = chain.answer(conversation, json!({ "content": "Selamat pagi" })).await;
        second.reaches(id, MessageStatus::Delivered).await;
        let sent = chain.sent();
        assert_eq!(sent.iter().map(|one| one.text.as_deref()).collect::<Vec<_>>(), [Some("Selamat pagi")]);
        let shown = message(first, thread.id, "Selamat pagi").await;
        assert_eq!(
            (&shown["direction"], &shown["sender_type"]),
            (&json!("outbound"), &json!("admin")),
            "{shown}"
        );

        frontdesk_sandbox::phone::open(&first.sandbox, &thread.customer, SESSION, true).unwrap();
        second.reaches(id, MessageStatus::Read).await;

        let (status, told) =
            second.call("POST", &format!("/api/v1/conversations/{conversation}/read"), Value::Null).await;
        assert_eq!(status, 200, "{told}");
        until("the customer sees that it was read", || async {
            let mut world = first.sandbox.world();
            let entry = world.chat_mut(&thread.customer, SESSION).find(&thread.first).cloned();
            entry.is_some_and(|entry| entry.progress == Progress::Read).then_some(())
        })
        .await;
        let unread = until("the first has read it too", || async {
            let path = format!("/api/v1/conversations/{}", thread.id);
            let (_, shown) = first.call("GET", &path, Value::Null).await;
            (shown["unread_count"] == 0).then_some(shown)
        });
        unread.await;
        assert_eq!(
            (messages(first, thread.id).await.len(), messages(second, conversation).await.len()),
            (2, 2)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quoted_message_is_the_same_at_both_ends_whoever_quotes_whose() {
    for chain in chains_by_token().await {
        let Chain { first, second } = &chain;
        let (thread, conversation) = chain.customer().await;
        let asked = message(second, conversation, "Halo").await;
        let ours =
            chain.answer(conversation, json!({ "content": "Ya?", "reply_to_message_id": asked["id"] })).await;
        second.reaches(ours, MessageStatus::Delivered).await;
        let sent = chain.sent().remove(0);
        assert_eq!(sent.request["reply_to"], thread.first.as_str());
        let shown = message(first, thread.id, "Ya?").await;
        let asked_there = message(first, thread.id, "Halo").await;
        assert_eq!(shown["reply_to"]["id"], asked_there["id"], "{shown}");

        let write = |text: &str, quoted: &str| {
            first.act(&thread.customer, SESSION, json!({ "kind": "text", "text": text, "reply_to": quoted }));
        };
        write("answers ours", &sent.message_id);
        write("answers their own", &thread.first);
        let answer = message(second, conversation, "answers ours").await;
        assert_eq!(answer["reply_to"]["id"], json!(ours), "{answer}");
        let answer = message(second, conversation, "answers their own").await;
        assert_eq!(answer["reply_to"]["id"], asked["id"], "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_through_both_ways() {
    for chain in chains_by_token().await {
        let Chain { first, second } = &chain;
        let (thread, conversation) = chain.customer().await;
        first.act(&thread.customer, SESSION, json!({ "kind": "image", "caption": "Bukti" }));
        first.act(&thread.customer, SESSION, json!({ "kind": "voice" }));
        let (there, here) =
            (message(first, thread.id, "Bukti").await, message(second, conversation, "Bukti").await);
        assert_eq!((&here["kind"], &there["kind"]), (&json!("image"), &json!("image")));
        let (there, here) = (file(first, id_of(&there)).await, file(second, id_of(&here)).await);
        assert_eq!((&here.sha256, here.size_bytes), (&there.sha256, there.size_bytes));
        let voice = until("the voice note is here", || async {
            messages(second, conversation).await.into_iter().find(|row| row["kind"] == "voice")
        })
        .await;
        file(second, id_of(&voice)).await;

        for (name, mime, kind) in [
            ("photo.jpg", "image/jpeg", "image"),
            ("voice.ogg", "audio/ogg", "audio"),
            ("invoice.pdf", "application/pdf", "document"),
        ] {
            let upload = second.upload(name, mime, sample(name)).await;
            let id = chain.answer(conversation, json!({ "attachments": [upload["id"]] })).await;
            second.reaches(id, MessageStatus::Delivered).await;
            let sent = chain.sent().pop().unwrap();
            assert_eq!(sent.kind, kind, "{sent:?}");
            let at_first = messages(first, thread.id).await.pop().unwrap();
            let kept = file(first, id_of(&at_first)).await;
            assert_eq!(kept.size_bytes, i64::try_from(sample(name).len()).ok(), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_changes_takes_back_and_types_is_known_at_the_second() {
    for chain in chains_by_token().await {
        let Chain { first, second } = &chain;
        let hook = json!({ "url": "http://127.0.0.1:9/", "events": ["typing"] });
        let (status, hook) = second.call("POST", "/api/v1/webhooks", hook).await;
        assert_eq!(status, 201, "{hook}");
        let (thread, conversation) = chain.customer().await;
        first.act(
            &thread.customer,
            SESSION,
            json!({ "kind": "edit", "message_id": thread.first, "text": "Halo!" }),
        );
        message(second, conversation, "Halo!").await;
        first.act(&thread.customer, SESSION, json!({ "kind": "unsend", "message_id": thread.first }));
        until("it is taken back", || async {
            messages(second, conversation).await[0]["deleted_at"].is_string().then_some(())
        })
        .await;
        for typing in [true, false] {
            let path = format!("/control/customers/{}/chats/{SESSION}/typing", thread.customer);
            let call = reqwest::Client::new().post(format!("{}{path}", first.sandbox.public_url()));
            let answer = call.json(&json!({ "typing": typing })).send().await.unwrap();
            assert_eq!(answer.status(), 204);
            let path = format!("/api/v1/webhooks/{}/deliveries", hook["id"]);
            until("somebody beyond the second is told", || async {
                let (_, told) = second.call("GET", &path, Value::Null).await;
                let newest = told["data"].as_array()?.first()?["id"].clone();
                let (_, told) = second.call("GET", &format!("{path}/{newest}"), Value::Null).await;
                let body = match &told["body"] {
                    Value::String(text) => serde_json::from_str(text).ok()?,
                    other => other.clone(),
                };
                (body["event"] == "typing" && body["data"]["isTyping"] == typing).then_some(())
            })
            .await;
        }
    }
}
