//! Sends whose answer was lost: never repeated blindly, settled by the provider's word or by a person.

use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::Channel;
use frontdesk_testkit::stage::{Stage, StageSettings, Thread, until};
use serde_json::{Value, json};

async fn resolve(
    stage: &Stage,
    thread: &Thread,
    id: frontdesk_model::MessageId,
    outcome: &str,
) -> (u16, Value) {
    let path = format!("/admin/inbox/{}/messages/{id}/resolve", thread.id);
    stage.call("POST", &path, json!({ "outcome": outcome })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_settled_by_what_the_provider_tells_and_sent_once() {
    for stage in Stage::on_all(StageSettings::default()).await {
        for (inbox, channel) in [("whatsapp", Channel::WhatsappCloud), ("messenger", Channel::Messenger)] {
            let thread = stage.thread(inbox).await;
            stage.fault(channel, json!({"fault": "cut_after", "next": 1}));
            let id = stage.say(&thread, "Did you get it?").await;
            let settled = stage.arrives(id).await;
            assert!(settled.remote_id.is_some(), "the provider's id is known by our reference");
            let behind = stage.say(&thread, "Next").await;
            stage.arrives(behind).await;
            assert_eq!(stage.texts_of(&thread), ["Did you get it?", "Next"], "{inbox}");
            let attempts = stage.attempts(id).await;
            assert_eq!(attempts.len(), 1, "{attempts:?}");
            let (_, thread_now) = stage
                .call("GET", &format!("/api/v1/conversations/{}/messages", thread.id), Value::Null)
                .await;
            assert_eq!(thread_now["data"].as_array().unwrap().len(), 3, "no echo stands beside its message");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_word_of_the_provider_a_person_decides() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        // Carried out, answer lost, and no status ever comes.
        stage.fault(Channel::WhatsappCloud, json!({"fault": "dropped_status", "rate": 1.0}));
        stage.fault(Channel::WhatsappCloud, json!({"fault": "cut_after", "next": 2}));
        let arrived = stage.say(&thread, "one").await;
        let unknown = stage.reaches(arrived, MessageStatus::Unknown).await;
        assert!(!unknown.error.unwrap().message.is_empty());
        let again = stage.say(&thread, "two").await;
        stage.reaches(again, MessageStatus::Unknown).await;
        let behind = stage.say(&thread, "three").await;
        stage.arrives(behind).await;
        stage.clock.advance_ms(10 * 60_000);
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        assert_eq!(stage.texts_of(&thread), ["one", "two", "three"], "nothing is repeated blindly");
        assert_eq!(stage.message(arrived).await.status, MessageStatus::Unknown);

        assert_eq!(resolve(&stage, &thread, arrived, "perhaps").await.0, 422);
        assert_eq!(resolve(&stage, &thread, arrived, "sent").await.0, 200);
        assert_eq!(stage.message(arrived).await.status, MessageStatus::Sent);
        assert_eq!(resolve(&stage, &thread, arrived, "sent").await.0, 409);
        assert_eq!(resolve(&stage, &thread, again, "resend").await.0, 200);
        stage.arrives(again).await;
        assert_eq!(stage.texts_of(&thread), ["one", "two", "three", "two"]);
        until("the queue is empty", || async {
            stage.read(frontdesk_store::outbox::depths).await.is_empty().then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_makes_no_sense_is_not_taken_for_a_refusal() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "garbage", "next": 1}));
        let id = stage.say(&thread, "Hello").await;
        stage.reaches(id, MessageStatus::Unknown).await;
        let attempts = stage.attempts(id).await;
        assert_eq!((attempts.len(), &attempts[0]["outcome"]), (1, &json!("unknown")));
    }
}
