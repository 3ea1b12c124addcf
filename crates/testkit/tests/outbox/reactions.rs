//! Reactions of ours: shown at once, sent in order, taken back when they fail for good.

use frontdesk_model::MessageId;
use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::Channel;
use frontdesk_sandbox::chat::Author;
use frontdesk_testkit::stage::{Stage, StageSettings, Thread, id_of, until};
use serde_json::{Value, json};

/// Our id of the customer's first message.
async fn first_of(stage: &Stage, thread: &Thread) -> MessageId {
    stage.received(thread.inbox, &thread.first).await.id
}

fn reaction(message: MessageId, emoji: &str) -> Value {
    json!({"type": "reaction", "reaction": {"message_id": message, "emoji": emoji}})
}

/// Reacts; the reaction must be taken.
async fn react(stage: &Stage, thread: &Thread, message: MessageId, emoji: &str) -> Value {
    stage.reply(thread, reaction(message, emoji)).await
}

/// Our reaction to a message as the API shows it: emoji and how far it has come.
async fn shown(stage: &Stage, thread: &Thread, message: MessageId) -> Option<(String, String)> {
    let path = format!("/api/v1/conversations/{}/messages", thread.id);
    let (_, answer) = stage.call("GET", &path, Value::Null).await;
    let messages = answer["data"].as_array().unwrap();
    let found = messages.iter().find(|m| m["id"] == json!(message)).unwrap();
    let ours = found["reactions"].as_array().unwrap().iter().find(|r| r["sender_type"] == "admin")?;
    assert_eq!(ours["sender_name"], "Ana");
    // What stood before a failed one stands there without a status.
    let text = |field: &str| ours[field].as_str().unwrap_or_default().to_owned();
    Some((text("emoji"), text("status")))
}

/// Waits until our reaction is shown like this.
async fn shows(stage: &Stage, thread: &Thread, message: MessageId, wanted: Option<(&str, &[&str])>) {
    until(&format!("{wanted:?} is shown on {}", stage.database.kind), || async {
        match (shown(stage, thread, message).await, wanted) {
            (None, None) => Some(()),
            (Some((emoji, status)), Some((wanted, states))) if emoji == wanted => {
                states.contains(&status.as_str()).then_some(())
            }
            _ => None,
        }
    })
    .await;
}

const THERE: &[&str] = &["sent", "delivered", "read"];

/// Our reaction on the customer's phone.
fn on_phone(stage: &Stage, thread: &Thread, remote_id: &str) -> Option<String> {
    let world = stage.sandbox.world();
    let chat = world.find_chat(&thread.customer, thread.inbox).unwrap();
    let entry = chat.entries.iter().find(|entry| entry.id == remote_id).unwrap();
    entry.reactions.iter().find(|r| r.author == Author::Business).map(|r| r.emoji.clone())
}

async fn events(stage: &Stage, name: &str) -> Vec<Value> {
    let (_, answer) = stage.call("GET", "/api/v1/events?after=0&limit=500", Value::Null).await;
    let all = answer["data"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
    all.into_iter().filter(|event| event["name"].as_str().unwrap().ends_with(name)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_reaches_the_phone_changes_and_goes() {
    for stage in Stage::on_all(StageSettings::default()).await {
        for (inbox, emojis) in
            [("whatsapp", ["👍", "🙏🏽"]), ("messenger", ["🎉", "❤️"]), ("instagram", ["❤️", "❤"])]
        {
            let thread = stage.thread(inbox).await;
            let message = first_of(&stage, &thread).await;
            let before = events(&stage, "MessageUpdated").await.len();
            for emoji in emojis {
                let answer = react(&stage, &thread, message, emoji).await;
                assert_eq!(id_of(&answer), message, "the answer is the message reacted to");
                assert_eq!(answer["reactions"][0]["emoji"], emoji);
                shows(&stage, &thread, message, Some((emoji, THERE))).await;
                let there = on_phone(&stage, &thread, &thread.first).unwrap();
                assert_eq!(there.trim_end_matches('\u{fe0f}'), emoji.trim_end_matches('\u{fe0f}'), "{inbox}");
            }
            react(&stage, &thread, message, "").await;
            until("it is gone from the phone", || async {
                on_phone(&stage, &thread, &thread.first).is_none().then_some(())
            })
            .await;
            assert_eq!(shown(&stage, &thread, message).await, None);
            assert!(events(&stage, "MessageUpdated").await.len() >= before + 3);
            let attempts = stage.attempts(message).await;
            let told: Vec<_> = attempts.iter().map(|a| (&a["kind"], &a["outcome"])).collect();
            assert_eq!(told, [(&json!("reaction"), &json!("sent")); 3], "{inbox}");
            assert_eq!(stage.message(message).await.status, MessageStatus::Received);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_reaction() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let message = first_of(&stage, &thread).await;
        let mut body = reaction(message, "👍");
        body["client_key"] = json!("k1");
        assert_eq!(stage.try_reply(&thread, body.clone()).await.0, 201);
        let (status, again) = stage.try_reply(&thread, body.clone()).await;
        assert_eq!((status, id_of(&again)), (200, message));
        body["reaction"]["emoji"] = json!("😂");
        for other in [body, json!({"content": "Hello", "client_key": "k1"})] {
            let (status, answer) = stage.try_reply(&thread, other).await;
            assert_eq!((status, &answer["code"]), (409, &json!("IDEMPOTENCY_CONFLICT")), "{answer}");
        }
        let said = json!({"content": "Hello", "client_key": "k2"});
        stage.arrives(id_of(&stage.reply(&thread, said).await)).await;
        let mut taken = reaction(message, "😂");
        taken["client_key"] = json!("k2");
        assert_eq!(stage.try_reply(&thread, taken).await.0, 409);
        shows(&stage, &thread, message, Some(("👍", THERE))).await;
        let sent = stage.delivered_to(&thread).iter().filter(|d| d.kind == "reaction").count();
        assert_eq!(sent, 1, "sent once on {}", stage.database.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_reaction_is_refused_with_the_reason() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let (thread, other) = (stage.thread("whatsapp").await, stage.thread("whatsapp").await);
        let message = first_of(&stage, &thread).await;
        for wrong in ["ok", "👍👍", "👍 ", "<b>", "\u{7}"] {
            let (status, answer) = stage.try_reply(&thread, reaction(message, wrong)).await;
            assert_eq!(status, 422, "{wrong}");
            assert!(answer["errors"]["reaction.emoji"].is_array(), "{answer}");
        }
        let elsewhere = first_of(&stage, &other).await;
        for nobodys in [elsewhere, MessageId(4711)] {
            let (status, answer) = stage.try_reply(&thread, reaction(nobodys, "👍")).await;
            assert_eq!((status, &answer["code"]), (404, &json!("NOT_FOUND")));
        }
        for odd in [
            json!({"type": "reaction"}),
            json!({"type": "text", "content": "x", "reaction": {"message_id": message, "emoji": "👍"}}),
            json!({"content": "x", "reaction": {"message_id": message, "emoji": "👍"}}),
        ] {
            assert_eq!(stage.try_reply(&thread, odd).await.0, 422);
        }

        let gram = stage.thread("instagram").await;
        let liked = first_of(&stage, &gram).await;
        let (status, answer) = stage.try_reply(&gram, reaction(liked, "👍")).await;
        assert_eq!(status, 422);
        assert!(answer["errors"]["reaction.emoji"][0].as_str().unwrap().contains('❤'), "{answer}");

        stage.fault(Channel::WhatsappCloud, json!({"fault": "internal_error", "rate": 1.0}));
        let queued = stage.say(&thread, "not sent yet").await;
        let (status, answer) = stage.try_reply(&thread, reaction(queued, "👍")).await;
        assert_eq!((status, &answer["code"]), (409, &json!("CONFLICT")), "{answer}");
        stage.heal();

        let path = format!("/admin/inbox/{}/status", other.id);
        assert_eq!(stage.call("POST", &path, json!({"status": "closed"})).await.0, 200);
        let (status, answer) = stage.try_reply(&other, reaction(elsewhere, "👍")).await;
        assert_eq!((status, &answer["code"]), (409, &json!("CONVERSATION_CLOSED")), "{answer}");

        stage.clock.advance_ms(25 * 3_600_000);
        let (status, answer) = stage.try_reply(&thread, reaction(message, "👍")).await;
        assert_eq!((status, &answer["code"]), (422, &json!("WINDOW_CLOSED")), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_that_fails_for_good_is_taken_back_before_everyones_eyes() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let message = first_of(&stage, &thread).await;
        react(&stage, &thread, message, "👍").await;
        shows(&stage, &thread, message, Some(("👍", THERE))).await;
        for (round, fault) in ["error_code", "failed_status"].into_iter().enumerate() {
            stage.fault(Channel::WhatsappCloud, json!({"fault": fault, "code": 131_026, "next": 1}));
            react(&stage, &thread, message, "😂").await;
            let failed = until("everyone is told", || async {
                events(&stage, "ReactionFailed").await.get(round).cloned()
            })
            .await;
            let told = &failed["data"];
            assert_eq!((&told["emoji"], &told["message_id"]), (&json!("😂"), &json!(message)), "{failed}");
            assert_eq!(told["error"]["code"], "131026");
            assert!(!told["error"]["message"].as_str().unwrap().is_empty());
            assert_eq!(shown(&stage, &thread, message).await.unwrap().0, "👍", "what stood before: {fault}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_reaction_leaves_those_after_it_alone() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let message = first_of(&stage, &thread).await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "error_code", "code": 131_026, "next": 2}));
        stage.fault(Channel::WhatsappCloud, json!({"fault": "latency", "latency_ms": 300, "rate": 1.0}));
        react(&stage, &thread, message, "👍").await;
        react(&stage, &thread, message, "😂").await;
        react(&stage, &thread, message, "🙏").await;
        until("two have failed", || async {
            (events(&stage, "ReactionFailed").await.len() == 2).then_some(())
        })
        .await;
        shows(&stage, &thread, message, Some(("🙏", THERE))).await;
        stage.heal();
        // It remembers that nothing stood before the failed ones.
        stage.fault(Channel::WhatsappCloud, json!({"fault": "error_code", "code": 131_026, "next": 2}));
        let second = stage.act(&thread.customer, "whatsapp", json!({"kind": "text", "text": "And?"}));
        let second = stage.received("whatsapp", &second).await.id;
        react(&stage, &thread, second, "👍").await;
        react(&stage, &thread, second, "😂").await;
        until("both have failed", || async {
            (events(&stage, "ReactionFailed").await.len() == 4).then_some(())
        })
        .await;
        assert_eq!(shown(&stage, &thread, second).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_and_messages_keep_their_order_while_the_provider_fails() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let message = first_of(&stage, &thread).await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "internal_error", "next": 3}));
        stage.say(&thread, "one").await;
        react(&stage, &thread, message, "👍").await;
        let last = stage.say(&thread, "two").await;
        stage.arrives(last).await;
        let kinds: Vec<_> = stage.delivered_to(&thread).into_iter().map(|d| d.kind).collect();
        assert_eq!(kinds, ["text", "reaction", "text"], "on {}", stage.database.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_whose_answer_was_lost_is_never_repeated_blindly() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let message = first_of(&stage, &thread).await;
        // The provider's statuses say that it arrived.
        stage.fault(Channel::WhatsappCloud, json!({"fault": "cut_after", "next": 1}));
        react(&stage, &thread, message, "👍").await;
        shows(&stage, &thread, message, Some(("👍", THERE))).await;
        // They say nothing: it stays open until somebody reacts again.
        stage.fault(Channel::WhatsappCloud, json!({"fault": "dropped_status", "rate": 1.0}));
        stage.fault(Channel::WhatsappCloud, json!({"fault": "cut_after", "next": 1}));
        react(&stage, &thread, message, "😂").await;
        shows(&stage, &thread, message, Some(("😂", &["unknown"]))).await;
        let said = stage.say(&thread, "not held back").await;
        stage.arrives(said).await;
        let sent = stage.delivered_to(&thread).iter().filter(|d| d.kind == "reaction").count();
        assert_eq!(sent, 2);
        react(&stage, &thread, message, "😂").await;
        shows(&stage, &thread, message, Some(("😂", THERE))).await;
    }
}
