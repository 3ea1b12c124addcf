//! Telling the customer that we read and type.

use frontdesk_model::MessageId;
use frontdesk_sandbox::Channel;
use frontdesk_sandbox::chat::{Author, Progress};
use frontdesk_testkit::stage::{Stage, StageSettings, Thread, until};
use serde_json::{Value, json};

/// How far the customer's own messages came, as the customer's phone shows them.
fn shown(stage: &Stage, thread: &Thread) -> Vec<Progress> {
    let world = stage.sandbox.world();
    let chat = world.find_chat(&thread.customer, thread.inbox).unwrap();
    chat.entries.iter().filter(|e| e.author == Author::Customer).map(|e| e.progress).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_a_conversation_tells_the_customer_that_it_was_read() {
    for stage in Stage::on_all(StageSettings::default()).await {
        for inbox in ["whatsapp", "messenger"] {
            let thread = stage.thread(inbox).await;
            let again = stage.act(&thread.customer, inbox, json!({"kind": "text", "text": "Anyone?"}));
            stage.received(inbox, &again).await;
            assert!(shown(&stage, &thread).iter().all(|p| *p < Progress::Read));
            let (status, _) = stage.call("GET", &format!("/admin/inbox/{}", thread.id), Value::Null).await;
            assert_eq!(status, 200);
            until("the customer sees it", || async {
                shown(&stage, &thread).iter().all(|p| *p == Progress::Read).then_some(())
            })
            .await;
            let calls = stage.calls(inbox);
            let wanted = if inbox == "whatsapp" { json!("read") } else { json!("mark_seen") };
            let marks = calls
                .iter()
                .filter(|c| c.request["status"] == wanted || c.request["sender_action"] == wanted);
            assert_eq!(marks.count(), 1, "{calls:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_mark_that_waits_covers_what_came_meanwhile() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.fault(
            Channel::WhatsappCloud,
            json!({"fault": "too_many_requests", "retry_after_s": 600, "rate": 1.0, "scope": "all"}),
        );
        let open = format!("/admin/inbox/{}", thread.id);
        stage.call("GET", &open, Value::Null).await;
        until("the mark was refused", || async {
            stage.calls("whatsapp").iter().any(|c| c.request["status"] == "read").then_some(())
        })
        .await;
        stage.heal();
        let later = stage.act(&thread.customer, "whatsapp", json!({"kind": "text", "text": "And?"}));
        stage.received("whatsapp", &later).await;
        stage.call("GET", &open, Value::Null).await;
        stage.clock.advance_ms(3_600_000);
        until("the customer sees that both were read", || async {
            shown(&stage, &thread).iter().all(|p| *p == Progress::Read).then_some(())
        })
        .await;
        until("nothing waits", || async {
            stage.read(frontdesk_store::outbox::depths).await.is_empty().then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_is_shown_to_the_customer() {
    let stage = Stage::on_all(StageSettings::default()).await.remove(0);
    for inbox in ["whatsapp", "messenger", "instagram"] {
        let thread = stage.thread(inbox).await;
        let path = format!("/api/v1/conversations/{}/typing", thread.id);
        assert_eq!(stage.call("POST", &path, Value::Null).await.0, 204);
        until("the phone shows it", || async {
            let world = stage.sandbox.world();
            let chat = world.find_chat(&thread.customer, inbox).unwrap();
            chat.business_typing_until_ms.is_some_and(|at| at > stage.sandbox.clock().now()).then_some(())
        })
        .await;
    }
    let nobody = MessageId(4711);
    assert_eq!(
        stage.call("POST", &format!("/api/v1/conversations/{nobody}/typing"), Value::Null).await.0,
        404
    );
}
