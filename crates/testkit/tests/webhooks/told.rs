//! What is told, and in which words.

use frontdesk_engine::inboxes;
use frontdesk_engine::webhooks::passing;
use frontdesk_model::MessageId;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_store::messages;
use frontdesk_testkit::bodies;
use frontdesk_testkit::meta::NUMBER;
use frontdesk_testkit::server::START;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::{SITI, grounds};

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_message_is_told_in_the_words_that_integrators_know() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        let (_, secret) = ground.listen(&receiver, json!({})).await;
        ground.writes(SITI, "wamid.first", "Assalamualaikum").await;
        ground.work().await;
        let heard = receiver.heard();
        let [heard] = heard.as_slice() else { panic!("{} deliveries", heard.len()) };
        assert!(heard.is_signed_with(&secret));
        assert_eq!(heard.header("content-type"), "application/json");
        assert_eq!(heard.header("webhook-timestamp"), START.as_secs().to_string());
        let told = heard.json();
        assert_eq!(told["event"], "message.received");
        let data = &told["data"];
        for (field, value) in [
            ("from", json!("6281390045512")),
            ("pushName", json!("Siti Rahma")),
            ("message", json!("Assalamualaikum")),
            ("type", json!("text")),
            ("id", json!("wamid.first")),
            ("timestamp", json!("2026-01-15T08:00:00Z")),
            ("sessionId", json!(NUMBER)),
            ("inboxId", json!(ground.inbox.0)),
            ("mediaUrl", Value::Null),
            ("media", json!([])),
        ] {
            assert_eq!(data[field], value, "{field}: {data}");
        }
        assert_eq!(told.as_object().unwrap().len(), 2, "event and data, nothing else: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_ours_is_followed_by_one_id_from_the_moment_it_was_stored() {
    for ground in grounds().await {
        ground.writes(SITI, "wamid.first", "Hello").await;
        let chats = ground.server.get("/api/crm/inbox").bearer(&ground.token).send().await.ok(200);
        let chat = chats["conversations"][0]["id"].as_str().unwrap().to_owned();
        let receiver = Receiver::default();
        ground.listen(&receiver, json!({ "events": ["message.status"] })).await;
        let reply = ground.server.post(&format!("/admin/inbox/{chat}/messages")).bearer(&ground.token);
        let sent = reply.json(&json!({ "content": "Welcome" })).send().await.ok(201);
        let id = sent["id"].as_i64().unwrap();
        let account = ground.server.account;
        let stored =
            ground.server.engine.store.read(move |tx| messages::find(tx, account, MessageId(id))).await;
        let client_ref = stored.unwrap().unwrap().client_ref.unwrap();
        for status in ["sent", "delivered", "read"] {
            let news = bodies::status(NUMBER, SITI, "wamid.ours", START.as_secs(), status, Some(&client_ref));
            ground.server.deliver(bodies::bytes(&news)).await;
            ground.work().await;
        }
        let heard: Vec<Value> = receiver.heard().iter().map(|heard| heard.json()).collect();
        let statuses: Vec<&str> = heard.iter().map(|told| told["data"]["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["sent", "delivered", "read"]);
        for told in &heard {
            assert_eq!(told["event"], "message.status");
            assert_eq!(told["data"]["id"], json!(id.to_string()));
            assert_eq!(told["data"]["waMessageId"], "wamid.ours");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_a_session_is_told_in_three_words_and_in_full() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        ground.listen(&receiver, json!({ "inbox_id": ground.inbox.0 })).await;
        for (code, status) in [
            (ConnectionCode::Connected, "connected"),
            (ConnectionCode::Reconnect, "disconnected"),
            (ConnectionCode::Connecting, "connecting"),
        ] {
            let state = ConnectionState::new(code, "As it is.");
            let engine = &ground.server.engine;
            inboxes::set_state(engine, ground.server.account, ground.inbox, state).await.unwrap();
            ground.work().await;
            let told = receiver.heard().last().unwrap().json();
            assert_eq!(told["event"], "session.status");
            assert_eq!(
                (&told["data"]["sessionId"], &told["data"]["status"]),
                (&json!(NUMBER), &json!(status))
            );
            assert_eq!(told["data"]["state"], json!(code));
        }
        assert_eq!(receiver.heard().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_and_codes_to_scan_are_told_at_once_and_not_later() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        ground.listen(&receiver, json!({ "events": ["typing", "session.qr"] })).await;
        let engine = &ground.server.engine;
        passing::tell_typing(engine, ground.inbox, "+6281390045512", true).await.unwrap();
        passing::tell_qr(engine, ground.inbox, "2@abc", None, Some(START)).await.unwrap();
        ground.work().await;
        let heard: Vec<Value> = receiver.heard().iter().map(|heard| heard.json()).collect();
        assert_eq!(heard.len(), 2);
        let of = |event: &str| heard.iter().find(|told| told["event"] == event).unwrap()["data"].clone();
        assert_eq!(
            (&of("typing")["from"], &of("typing")["isTyping"]),
            (&json!("6281390045512"), &json!(true))
        );
        assert_eq!(
            (&of("session.qr")["qr"], &of("session.qr")["sessionId"]),
            (&json!("2@abc"), &json!(NUMBER))
        );
        // Who does not answer within a minute need not know any more.
        receiver.answers([500; 20]);
        passing::tell_typing(engine, ground.inbox, "+6281390045512", false).await.unwrap();
        ground.work().await;
        ground.pass(300, 5).await;
        let log = ground.get("/1/deliveries?state=failed").await;
        assert_eq!(log["data"].as_array().unwrap().len(), 1, "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_some_events_or_one_inbox_is_told_no_others() {
    for ground in grounds().await {
        let server = &ground.server;
        let second = frontdesk_testkit::meta::SECOND_NUMBER;
        let other = server.connect(server.account, "whatsapp_cloud", second, &[]).await;
        let (statuses, elsewhere, all) = (Receiver::default(), Receiver::default(), Receiver::default());
        ground.listen(&statuses, json!({ "events": ["message.status"] })).await;
        ground.listen(&elsewhere, json!({ "inbox_id": other.0 })).await;
        ground.listen(&all, json!({ "events": ["*"] })).await;
        ground.writes(SITI, "wamid.here", "here").await;
        let there = bodies::text(second, SITI, "wamid.there", START.as_secs(), "there");
        server.deliver(bodies::bytes(&there)).await;
        ground.work().await;
        let mut heard = all.words();
        heard.sort_unstable();
        assert_eq!(heard, ["here", "there"]);
        assert_eq!(elsewhere.words(), ["there"]);
        assert!(statuses.heard().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_is_told_nothing_of_this_one() {
    for ground in grounds().await {
        let server = &ground.server;
        let account = server.other_account("Other").await;
        let admin = server.user_of(account, "other@example.org", frontdesk_model::user::Role::Admin).await;
        let token = server.token(&admin, &[frontdesk_model::user::Ability::All]).await;
        let receiver = Receiver::default();
        let body = json!({ "url": receiver.open().await });
        server.post("/api/v1/webhooks").bearer(&token).json(&body).send().await.ok(201);
        let foreign = json!({ "url": receiver.open().await, "inbox_id": ground.inbox.0 });
        server
            .post("/api/v1/webhooks")
            .bearer(&token)
            .json(&foreign)
            .send()
            .await
            .refused(422, "VALIDATION_ERROR");
        ground.writes(SITI, "wamid.first", "ours").await;
        ground.work().await;
        assert!(receiver.heard().is_empty());
    }
}
