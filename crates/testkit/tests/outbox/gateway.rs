//! A WhatsApp gateway: the whole way of messages through a session on it, and what becomes of one whose answer was lost.

use std::collections::BTreeMap;

use bytes::Bytes;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::inboxes::{self, NewInbox};
use frontdesk_model::clock::Clock as _;
use frontdesk_model::message::MessageStatus;
use frontdesk_model::{ConversationId, InboxId, MessageId};
use frontdesk_sandbox::faults::Fault;
use frontdesk_sandbox::gateway::{GatewayMessage, GatewaySession};
use frontdesk_store::attachments::{self, AttachmentState};
use frontdesk_store::outbox;
use frontdesk_testkit::stage::{Stage, StageSettings, id_of, sample, until};
use serde_json::{Value, json};

const SESSION: &str = "cs-1";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SITI: &str = "6282119499306";

/// A stage with a session that is linked, and an inbox on it.
struct Desk {
    stage: Stage,
    inbox: InboxId,
}

async fn desks(access: &[(&str, &str)]) -> Vec<Desk> {
    let mut desks = Vec::new();
    for stage in Stage::on_all(StageSettings::default()).await {
        let url = format!("{}/webhook/whatsapp", stage.nodes[0].url);
        stage.sandbox.gateway(|gateway| {
            gateway.tokens.push("token-of-cs".to_owned());
            gateway.accounts.insert("cs@example.org".to_owned(), "a password".to_owned());
            let session = GatewaySession {
                status: "connected".to_owned(),
                webhook_url: Some(url),
                webhook_secret: Some(SECRET.to_owned()),
                ..GatewaySession::default()
            };
            gateway.sessions.insert(SESSION.to_owned(), session);
        });
        let mut settings: BTreeMap<String, String> = [
            ("api_url", stage.sandbox.gateway_url().as_str()),
            ("session_id", SESSION),
            ("webhook_secret", SECRET),
            ("rate_limit_per_minute", "0"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        settings.extend(access.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let new = NewInbox { channel: "whatsapp_gateway".to_owned(), name: "donors".to_owned(), settings };
        let made = inboxes::create(stage.first(), Actor::server(stage.account), new).await.unwrap();
        let inbox = made.config.id;
        inboxes::check(stage.first(), stage.account, inbox).await.unwrap();
        desks.push(Desk { stage, inbox });
    }
    desks
}

impl Desk {
    async fn state(&self) -> (String, String) {
        let (_, shown) =
            self.stage.call("GET", &format!("/api/v1/inboxes/{}", self.inbox), Value::Null).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&shown["state"]["code"]), text(&shown["state"]["action"]))
    }

    async fn check(&self) -> (String, String) {
        inboxes::check(self.stage.first(), self.stage.account, self.inbox).await.unwrap();
        self.state().await
    }

    /// Siti writes; her conversation.
    async fn conversation(&self) -> ConversationId {
        self.stage.sandbox.write_to_gateway(SESSION, SITI, "Siti", "Halo");
        until("Siti's conversation is here", || async {
            let (_, listed) = self.stage.call("GET", "/api/v1/conversations", Value::Null).await;
            let found =
                listed["data"].as_array()?.iter().find(|row| row["customer"]["name"] == "Siti")?.clone();
            found["id"].as_i64().map(ConversationId)
        })
        .await
    }

    async fn messages(&self, conversation: ConversationId) -> Vec<Value> {
        let path = format!("/api/v1/conversations/{conversation}/messages");
        self.stage.call("GET", &path, Value::Null).await.1["data"].as_array().unwrap().clone()
    }

    async fn reply(&self, conversation: ConversationId, body: Value) -> MessageId {
        let path = format!("/admin/inbox/{conversation}/messages");
        let (status, message) = self.stage.call("POST", &path, body).await;
        assert_eq!(status, 201, "{message}");
        id_of(&message)
    }

    /// What the session sent.
    fn sent(&self) -> Vec<GatewayMessage> {
        self.stage.sandbox.gateway(|gateway| {
            gateway.sessions[SESSION].messages.iter().filter(|message| message.from_me).cloned().collect()
        })
    }

    fn sends(&self) -> usize {
        self.stage.sandbox.gateway(|gateway| {
            gateway
                .calls
                .iter()
                .filter(|call| call.starts_with("POST") && call.contains("/messages/"))
                .count()
        })
    }

    fn session(&self, change: impl FnOnce(&mut GatewaySession)) {
        self.stage.sandbox.gateway(|gateway| change(gateway.sessions.get_mut(SESSION).unwrap()));
    }
}

const TOKEN: [(&str, &str); 1] = [("token", "token-of-cs")];

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_goes_out_in_the_gateways_words_and_gets_its_ticks() {
    for desk in desks(&TOKEN).await {
        assert_eq!(desk.state().await.0, "connected");
        let conversation = desk.conversation().await;
        let first = desk.messages(conversation).await[0]["id"].clone();
        let photo = desk.stage.upload("photo.jpg", "image/jpeg", sample("photo.jpg")).await;
        let mut sent = Vec::new();
        for body in [
            json!({ "content": "Terima kasih" }),
            json!({ "content": "Ya", "reply_to_message_id": first }),
            json!({ "location": { "latitude": -6.2, "longitude": 106.8, "name": "Kantor" } }),
            json!({ "contacts": [{ "name": "Budi", "phones": [{ "value": "+62812000111" }] }] }),
            json!({ "content": "Bukti", "attachments": [photo["id"]] }),
        ] {
            sent.push(desk.reply(conversation, body).await);
        }
        for id in sent {
            desk.stage.reaches(id, MessageStatus::Delivered).await;
        }
        let sent = desk.sent();
        let kinds: Vec<&str> = sent.iter().map(|message| message.kind.as_str()).collect();
        assert_eq!(kinds, ["text", "text", "location", "contact", "image"]);
        assert!(sent.iter().all(|message| message.phone == SITI && message.key.is_some()));
        assert!(sent[1].request["reply_to"].as_str().unwrap().starts_with("3EB0"));
        assert_eq!(sent[3].request["contacts"][0]["phones"][0], "+62812000111");
        assert_eq!(
            (sent[4].text.as_deref(), sent[4].file_bytes),
            (Some("Bukti"), Some(sample("photo.jpg").len()))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_donor_sends_is_stored_once_and_its_file_fetched() {
    for desk in desks(&TOKEN).await {
        let conversation = desk.conversation().await;
        let file = Some(("image", "image/jpeg", Bytes::from(sample("photo.jpg"))));
        desk.stage.sandbox.write_file_to_gateway(SESSION, SITI, "Siti", "Bukti", file);
        let found = until("the picture is fetched", || async {
            let rows = desk.messages(conversation).await;
            let picture = rows.iter().find(|row| row["kind"] == "image")?.clone();
            let (id, account) = (id_of(&picture), desk.stage.account);
            let files = desk.stage.read(move |tx| attachments::of_message(tx, account, id)).await;
            files.first().is_some_and(|file| file.state == AttachmentState::Ready).then_some(rows)
        })
        .await;
        assert_eq!(found.len(), 2, "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_without_an_answer_is_found_among_the_messages_and_never_repeated() {
    for desk in desks(&TOKEN).await {
        let conversation = desk.conversation().await;
        desk.session(|session| session.keeps_quiet = true);
        desk.stage.sandbox.gateway(|gateway| gateway.faults.push_back(Fault::CutAfter));
        let id = desk.reply(conversation, json!({ "content": "Apa kabar?" })).await;
        desk.stage.arrives(id).await;
        assert_eq!((desk.sends(), desk.sent().len()), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_that_never_came_goes_out_again_where_keys_are_taken_once() {
    for desk in desks(&TOKEN).await {
        let conversation = desk.conversation().await;
        desk.session(|session| session.takes_keys = true);
        desk.stage.sandbox.gateway(|gateway| gateway.faults.push_back(Fault::CutBefore));
        let id = desk.reply(conversation, json!({ "content": "Apa kabar?" })).await;
        desk.stage.arrives(id).await;
        assert_eq!((desk.sends(), desk.sent().len()), (2, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_drops_holds_its_queue_and_shows_the_gateways_code() {
    for desk in desks(&TOKEN).await {
        let conversation = desk.conversation().await;
        desk.stage.sandbox.set_gateway_status(SESSION, "disconnected");
        until("the inbox says so", || async { (desk.state().await.0 == "reconnect").then_some(()) }).await;
        let held = desk.reply(conversation, json!({ "content": "Nanti" })).await;
        let (status, link) =
            desk.stage.call("GET", &format!("/api/v1/inboxes/{}/link", desk.inbox), Value::Null).await;
        assert_eq!((status, &link["step"]), (200, &json!("scan")), "{link}");
        assert!(link["picture"].as_str().unwrap().starts_with("data:image/png;base64,iVBOR"));
        assert_eq!((desk.stage.message(held).await.status, desk.sends()), (MessageStatus::Queued, 0));
        desk.stage.sandbox.set_gateway_status(SESSION, "connected");
        until("the inbox works again", || async { (desk.state().await.0 == "connected").then_some(()) })
            .await;
        desk.stage.reaches(held, MessageStatus::Delivered).await;
        assert_eq!(desk.state().await.0, "connected");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_says_sign_in_again_and_a_login_renews_itself() {
    for desk in desks(&TOKEN).await {
        desk.stage.sandbox.gateway(|gateway| gateway.tokens.clear());
        let (code, action) = desk.check().await;
        assert_eq!(code, "reconnect");
        assert!(action.starts_with("Sign in again"), "{action}");
    }
    for desk in desks(&[("email", "cs@example.org"), ("password", "a password")]).await {
        let conversation = desk.conversation().await;
        for text in ["Satu", "Dua"] {
            desk.stage.sandbox.gateway(|gateway| gateway.tokens.clear());
            let id = desk.reply(conversation, json!({ "content": text })).await;
            desk.stage.reaches(id, MessageStatus::Delivered).await;
        }
        assert_eq!(desk.sent().len(), 2);
        assert_eq!(desk.check().await.0, "connected");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_written_while_a_session_comes_back_goes_out_within_two_seconds() {
    for desk in desks(&TOKEN).await {
        let conversation = desk.conversation().await;
        for n in 0..12 {
            desk.stage.sandbox.set_gateway_status(SESSION, "disconnected");
            until("the inbox says so", || async { (desk.state().await.0 == "reconnect").then_some(()) })
                .await;
            // Looked at before, during and after the change.
            let before = desk.reply(conversation, json!({ "content": format!("before {n}") })).await;
            let back = async { desk.stage.sandbox.set_gateway_status(SESSION, "connected") };
            let (meanwhile, ()) =
                tokio::join!(desk.reply(conversation, json!({ "content": format!("meanwhile {n}") })), back);
            until("the inbox works again", || async { (desk.state().await.0 == "connected").then_some(()) })
                .await;
            let began = std::time::Instant::now();
            for id in [before, meanwhile] {
                desk.stage.arrives(id).await;
            }
            assert!(began.elapsed().as_millis() <= 2_000, "round {n}: {:?}", began.elapsed());
        }
        assert_eq!(desk.sent().len(), 24);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_fails_is_tried_after_ten_thirty_and_sixty_seconds_and_then_given_up() {
    for desk in desks(&TOKEN).await {
        let conversation = desk.conversation().await;
        desk.stage.sandbox.gateway(|gateway| gateway.faults.extend([const { Fault::Unavailable }; 4]));
        let id = desk.reply(conversation, json!({ "content": "Apa kabar?" })).await;
        let account = desk.stage.account;
        for (tries, wait_ms) in [(1, 10_000), (2, 30_000), (3, 60_000)] {
            let due_at = until("it was tried", || async {
                let row = desk.stage.read(move |tx| outbox::find_of_message(tx, account, id)).await?;
                let is_waiting = row.attempts == tries && row.state == outbox::OutboxState::Queued;
                is_waiting.then_some(row.due_at)
            })
            .await;
            let left_ms = due_at.millis_since(desk.stage.clock.now());
            assert!((wait_ms - 5_000..=wait_ms).contains(&left_ms), "try {tries}: {left_ms} of {wait_ms} ms");
            desk.stage.clock.advance_ms(left_ms.max(0));
        }
        desk.stage.reaches(id, MessageStatus::Failed).await;
        assert_eq!((desk.sends(), desk.sent().len()), (4, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_donor_who_types_is_told_to_whoever_listens() {
    for desk in desks(&TOKEN).await {
        let hook = json!({ "url": "http://127.0.0.1:9/", "events": ["typing"] });
        let (status, hook) = desk.stage.call("POST", "/api/v1/webhooks", hook).await;
        assert_eq!(status, 201, "{hook}");
        desk.conversation().await;
        for (n, is_typing) in [(1, true), (2, false), (3, false)] {
            // The same body twice, as gateways send it that have no ids for deliveries.
            let body = json!({ "event": "typing", "data": { "from": SITI, "isTyping": is_typing, "sessionId": SESSION } });
            let call =
                reqwest::Client::new().post(format!("{}/api/webhook/whatsapp", desk.stage.nodes[0].url));
            let answer = call.bearer_auth(SECRET).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            let (_, told) = desk
                .stage
                .call("GET", &format!("/api/v1/webhooks/{}/deliveries", hook["id"]), Value::Null)
                .await;
            assert_eq!(told["data"].as_array().map(Vec::len), Some(n), "{told}");
        }
    }
}
