//! What Chatwoot delivers: genuine, once, and fetched when it was never delivered.

use frontdesk_sandbox::Channel;
use frontdesk_testkit::stage::{Stage, chatwoot_signature, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{answer, ask_chatwoot, bridge, conversations, messages, remote_inbox, shows, stages};

/// Delivers a body to the bridge's address as Chatwoot would, signed with this secret.
async fn deliver(stage: &Stage, bridge: &Value, secret: &str, body: &str) -> u16 {
    let sent = stage.now_s();
    let request = reqwest::Client::new()
        .post(bridge["webhookUrl"].as_str().unwrap_or_default())
        .header("content-type", "application/json")
        .header("x-chatwoot-signature", chatwoot_signature(secret, sent, body.as_bytes()))
        .header("x-chatwoot-timestamp", sent.to_string())
        .header("x-chatwoot-delivery", "d-1")
        .body(body.to_owned());
    request.send().await.map_or(0, |answer| answer.status().as_u16())
}

fn told(bridge: &Value, conversation: i64, id: i64, text: &str) -> String {
    json!({
        "event": "message_created", "id": id, "content": text, "message_type": "outgoing", "private": false,
        "source_id": null, "sender": { "id": 1, "name": "Rui", "type": "user" }, "account": { "id": 1 },
        "conversation": { "id": conversation, "inbox_id": remote_inbox(bridge), "status": "open" },
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_is_refused_and_a_right_one_ten_times_sends_once() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        let conversation = conversations(&stage, &bridge)[0].display_id;
        // Only what is delivered below shall tell of it: the first look at the inbox there is over.
        until("it was looked at", || async {
            (stage.chatwoot_requests("GET", "/conversations") > 0).then_some(())
        })
        .await;
        stage.fault(Channel::Chatwoot, json!({"fault": "dropped_status", "rate": 1.0}));
        let id = answer(&stage, conversation, "Once").await;
        let body = told(&bridge, conversation, id, "Once");
        for secret in ["", "wrong", "hmac_token"] {
            assert_eq!(deliver(&stage, &bridge, secret, &body).await, 403, "{secret}");
        }
        let strange = json!({ "webhookUrl": format!("{}x", bridge["webhookUrl"].as_str().unwrap()) });
        assert_eq!(deliver(&stage, &strange, "any", &body).await, 404);
        assert_eq!(stage.texts_of(&thread), Vec::<String>::new());
        let secret = {
            let world = stage.sandbox.world();
            world.chatwoot.accounts[&1].inboxes[&remote_inbox(&bridge)].secret.clone()
        };
        for _ in 0..10 {
            assert_eq!(deliver(&stage, &bridge, &secret, &body).await, 200);
        }
        until("it arrives", || async { (!stage.texts_of(&thread).is_empty()).then_some(()) }).await;
        assert_eq!(deliver(&stage, &bridge, &secret, &body).await, 200);
        let second = answer(&stage, conversation, "Second").await;
        assert_eq!(
            deliver(&stage, &bridge, &secret, &told(&bridge, conversation, second, "Second")).await,
            200
        );
        until("the second arrives", || async { (stage.texts_of(&thread).len() == 2).then_some(()) }).await;
        assert_eq!(stage.texts_of(&thread), ["Once", "Second"], "each once");
        assert_eq!(deliver(&stage, &bridge, &secret, "[]").await, 422);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_webhook_was_lost_is_fetched() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        let conversation = conversations(&stage, &bridge)[0].display_id;
        stage.fault(Channel::Chatwoot, json!({"fault": "dropped_status", "rate": 1.0}));
        answer(&stage, conversation, "Lost on the way").await;
        let note = json!({ "content": "For us alone", "private": true });
        ask_chatwoot(&stage, Method::POST, &format!("conversations/{conversation}/messages"), note).await;
        let resolve = json!({ "status": "resolved" });
        ask_chatwoot(&stage, Method::POST, &format!("conversations/{conversation}/toggle_status"), resolve)
            .await;
        stage.clock.advance_ms(61_000);
        until("the answer arrives", || async {
            (stage.texts_of(&thread) == ["Lost on the way"]).then_some(())
        })
        .await;
        until("the conversation is closed", || async {
            let (_, shown) =
                stage.call("GET", &format!("/api/v1/conversations/{}", thread.id), Value::Null).await;
            (shown["status"] == "closed").then_some(())
        })
        .await;
        stage.clock.advance_ms(61_000);
        let looks = || stage.chatwoot_requests("GET", "/conversations");
        let before = looks();
        until("it is looked at again", || async { (looks() > before).then_some(()) }).await;
        assert_eq!(stage.texts_of(&thread), ["Lost on the way"], "once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_shown_as_failed_with_a_note() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        let conversation = conversations(&stage, &bridge)[0].display_id;
        stage.clock.advance_ms(25 * 3_600_000);
        let id = answer(&stage, conversation, "Too late").await;
        let failed = until("the answer is marked as failed", || async {
            let all = messages(&stage, &bridge);
            all.into_iter().find(|message| message.id == id && message.status == "failed")
        })
        .await;
        let why = failed.content_attributes["external_error"].as_str().unwrap().to_owned();
        assert!(why.contains("template"), "{why}");
        until("a note says why", || async {
            let all = messages(&stage, &bridge);
            all.into_iter().find(|message| {
                message.private && message.content.as_deref().is_some_and(|c| c.contains(&why))
            })
        })
        .await;
        assert!(stage.texts_of(&thread).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_pressed_there_sends_what_failed_again() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        let conversation = conversations(&stage, &bridge)[0].display_id;
        let is_failed = |id: i64| {
            let all = messages(&stage, &bridge);
            all.into_iter().any(|message| message.id == id && message.status == "failed")
        };
        // One that the network refused, and one that was refused here. A read mark goes the same way and may come first.
        stage.fault(Channel::WhatsappCloud, json!({"fault": "error_code", "code": 131_026, "rate": 1.0}));
        let refused_there = answer(&stage, conversation, "Refused there").await;
        until("it failed", || async { is_failed(refused_there).then_some(()) }).await;
        stage.heal();
        let press = async |id: i64| {
            let path = format!("conversations/{conversation}/messages/{id}/retry");
            ask_chatwoot(&stage, Method::POST, &path, Value::Null).await;
        };
        press(refused_there).await;
        until("it arrives", || async { (stage.texts_of(&thread) == ["Refused there"]).then_some(()) }).await;

        stage.clock.advance_ms(25 * 3_600_000);
        let refused_here = answer(&stage, conversation, "Refused here").await;
        until("it failed", || async { is_failed(refused_here).then_some(()) }).await;
        until("a note says why", || async {
            let notes = messages(&stage, &bridge).into_iter().filter(|message| message.private);
            (notes.count() == 2).then_some(())
        })
        .await;
        let again = stage.act(&thread.customer, "whatsapp", json!({"kind": "text", "text": "Still there?"}));
        stage.received("whatsapp", &again).await;
        press(refused_here).await;
        until("both have arrived", || async {
            (stage.texts_of(&thread) == ["Refused there", "Refused here"]).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_chatwoot_that_signs_nothing_only_what_it_says_when_asked_is_believed() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        // As a bridge to a Chatwoot before 4.13 is made.
        stage.sandbox.world().chatwoot.settings.signs = false;
        stage.database.script("UPDATE bridges SET secret = NULL").await;
        let path = format!("/api/v1/sync/bridges/{}", bridge["id"]);
        let (_, shown) = stage.call("GET", &path, Value::Null).await;
        assert_eq!(shown["data"]["signed"], false, "{shown}");
        assert!(shown["data"]["warnings"].to_string().contains("4.13"), "{shown}");
        let conversation = conversations(&stage, &bridge)[0].display_id;
        answer(&stage, conversation, "Told by itself").await;
        until("it arrives", || async { (stage.texts_of(&thread) == ["Told by itself"]).then_some(()) }).await;
        stage.fault(Channel::Chatwoot, json!({"fault": "dropped_status", "rate": 1.0}));
        let id = answer(&stage, conversation, "The truth").await;
        assert_eq!(deliver(&stage, &bridge, "", &told(&bridge, conversation, id, "A lie")).await, 200);
        assert_eq!(deliver(&stage, &bridge, "", &told(&bridge, conversation, id + 999, "A lie")).await, 200);
        until("the answer arrives", || async { (stage.texts_of(&thread).len() == 2).then_some(()) }).await;
        assert_eq!(stage.texts_of(&thread), ["Told by itself", "The truth"]);
    }
}
