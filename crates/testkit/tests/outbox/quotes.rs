//! A reply to a message of ours that the provider does not have yet keeps its quote.

use frontdesk_model::MessageId;
use frontdesk_sandbox::Channel;
use frontdesk_testkit::stage::{Stage, StageSettings, Thread, id_of, until};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_of_a_message_that_still_waits_reaches_the_customer() {
    for stage in Stage::on_all(long_waits()).await {
        let thread = stage.thread("whatsapp").await;
        let first = say_and_fail(&stage, &thread).await;
        let body =
            json!({"content": "I mean tomorrow", "reply_to_message_id": first.0, "client_key": "second"});
        let answer = stage.reply(&thread, body.clone()).await;
        assert_eq!(answer["reply_to"]["id"], first.0, "shown at once: {answer}");
        assert_eq!(answer["reply_to"]["content"], "We open at nine");
        assert_eq!(answer["payload"], json!({}), "how it is kept is nobody's business");
        assert_eq!(stage.message(first).await.remote_id, None, "or this shows nothing");

        stage.clock.advance_ms(2 * 3_600_000);
        let second = stage.arrives(id_of(&answer)).await;
        let quoted = stage.message(first).await.remote_id.unwrap();
        let request = stage.delivered_to(&thread).pop().unwrap().request;
        assert_eq!(request["text"]["body"], "I mean tomorrow");
        assert_eq!(request["context"]["message_id"], quoted.as_str());

        let path = format!("/api/v1/conversations/{}/messages", thread.id);
        let (_, shown) = stage.call("GET", &path, Value::Null).await;
        let shown =
            shown["data"].as_array().unwrap().iter().find(|m| m["id"] == second.id.0).unwrap().clone();
        assert_eq!(shown["reply_to"]["id"], first.0);
        let (_, again) = stage.try_reply(&thread, body).await;
        assert_eq!(id_of(&again), second.id, "the same key is the same reply");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_quotes_a_waiting_message_is_one_place_however_often_it_is_posted() {
    let stage = Stage::on_all(long_waits()).await.remove(0);
    let thread = stage.thread("whatsapp").await;
    let first = say_and_fail(&stage, &thread).await;
    let place = json!({"location": {"latitude": -6.2, "longitude": 106.8}, "reply_to_message_id": first.0,
        "client_key": "place"});
    let stored = stage.reply(&thread, place.clone()).await;
    let (status, again) = stage.try_reply(&thread, place).await;
    assert_eq!((status, id_of(&again)), (200, id_of(&stored)));
    stage.clock.advance_ms(2 * 3_600_000);
    stage.arrives(id_of(&stored)).await;
    let request = stage.delivered_to(&thread).pop().unwrap().request;
    assert_eq!(request["type"], "location");
    assert_eq!(request["context"]["message_id"], stage.message(first).await.remote_id.unwrap().as_str());
}

/// One failure keeps a message waiting for long.
fn long_waits() -> StageSettings {
    let mut settings = StageSettings::default();
    settings.engine.outbox.retry_ladder_ms = vec![3_600_000];
    settings
}

/// A message that failed once, and is tried again only after an hour.
async fn say_and_fail(stage: &Stage, thread: &Thread) -> MessageId {
    let before = stage.say(thread, "The inbox works").await;
    stage.arrives(before).await;
    stage.fault(Channel::WhatsappCloud, json!({"fault": "internal_error", "next": 1}));
    let waiting = stage.say(thread, "We open at nine").await;
    until("it was tried", || async {
        stage.attempts(waiting).await.first().filter(|a| a["outcome"] == "retry").cloned()
    })
    .await;
    waiting
}
