//! Errors the provider tells about one message: tried again, or failed where people see it.

use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::Channel;
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_provider_are_tried_again_until_it_works() {
    for stage in Stage::on_all(StageSettings::default()).await {
        for fault in ["internal_error", "unavailable", "cut_before"] {
            let thread = stage.thread("whatsapp").await;
            stage.fault(Channel::WhatsappCloud, json!({"fault": fault, "next": 2}));
            let id = stage.say(&thread, fault).await;
            if fault == "cut_before" {
                // Nobody knows whether a request that was cut off was carried out.
                stage.reaches(id, MessageStatus::Unknown).await;
                assert_eq!(stage.attempts(id).await.len(), 1);
                stage.heal();
                continue;
            }
            stage.arrives(id).await;
            let attempts = stage.attempts(id).await;
            let outcomes: Vec<_> = attempts.iter().map(|a| a["outcome"].as_str().unwrap()).collect();
            assert_eq!(outcomes, ["retry", "retry", "sent"], "{fault} on {}", stage.database.kind);
            assert!(attempts[0]["http_status"].as_i64().unwrap() >= 500);
            assert_eq!(
                attempts.iter().map(|a| a["attempt"].as_i64().unwrap()).collect::<Vec<_>>(),
                [1, 2, 3]
            );
            assert_eq!(stage.texts_of(&thread), [fault]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_before_the_provider_asked_for() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let (first, second) = (stage.thread("whatsapp").await, stage.thread("whatsapp").await);
        stage.fault(
            Channel::WhatsappCloud,
            json!({"fault": "too_many_requests", "retry_after_s": 600, "next": 1}),
        );
        let limited = stage.say(&first, "one").await;
        until("it was refused", || async {
            stage.attempts(limited).await.first().filter(|a| a["http_status"] == 429).cloned()
        })
        .await;
        let before = stage.calls("whatsapp").len();
        stage.clock.advance_ms(550_000);
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        assert_eq!(stage.calls("whatsapp").len(), before, "it was tried before its time");
        stage.clock.advance_ms(60_000);
        stage.arrives(limited).await;
        let next = stage.say(&second, "two").await;
        stage.arrives(next).await;
        let (_, inbox) = stage
            .call("GET", &format!("/api/v1/inboxes/{}", stage.inbox("whatsapp").await), Value::Null)
            .await;
        assert_ne!(inbox["state"]["code"], "unreachable", "a provider that answers 429 is there: {inbox}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_window_fails_with_the_template_as_the_way_out() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "error_code", "code": 131_047, "next": 1}));
        let id = stage.say(&thread, "Are you still there?").await;
        let failed = stage.reaches(id, MessageStatus::Failed).await;
        let error = failed.error.unwrap();
        assert_eq!((error.code.as_str(), error.action.as_deref()), ("131047", Some("template")));
        let attempts = stage.attempts(id).await;
        assert_eq!(attempts.len(), 1);
        assert_eq!(
            (&attempts[0]["outcome"], &attempts[0]["provider_code"]),
            (&json!("failed"), &json!("131047"))
        );
        assert!(attempts[0]["http_status"].is_i64(), "{attempts:?}");

        // Ours is closed too after a day: refused at once, a template goes through.
        stage.clock.advance_ms(25 * 3_600_000);
        let (status, answer) = stage.try_reply(&thread, json!({"content": "Hello?"})).await;
        assert_eq!((status, &answer["code"]), (422, &json!("WINDOW_CLOSED")));
        let template = json!({"template": {"name": "hello_world", "language": "en_US"}});
        let sent = frontdesk_testkit::stage::id_of(&stage.reply(&thread, template).await);
        stage.arrives(sent).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_work_fails_at_once_and_can_be_sent_again_by_a_person() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "error_code", "code": 131_026, "next": 1}));
        let id = stage.say(&thread, "Hello").await;
        let failed = stage.reaches(id, MessageStatus::Failed).await;
        assert!(!failed.error.unwrap().message.is_empty());
        let behind = stage.say(&thread, "Next").await;
        stage.arrives(behind).await;
        let path = format!("/admin/inbox/{}/messages/{id}/retry", thread.id);
        let (status, answer) = stage.call("POST", &path, Value::Null).await;
        assert_eq!((status, &answer["status"]), (200, &json!("queued")));
        let sent = stage.arrives(id).await;
        assert!(sent.error.is_none());
        assert_eq!(stage.texts_of(&thread), ["Next", "Hello"]);
        let (status, answer) = stage.call("POST", &path, Value::Null).await;
        assert_eq!(status, 409, "what was sent is not sent again: {answer}");
        let outcomes: Vec<_> =
            stage.attempts(id).await.iter().map(|a| a["outcome"].as_str().unwrap().to_owned()).collect();
        assert_eq!(outcomes, ["failed", "sent"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_meta_cannot_take_is_not_tried_for_a_day() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "error_code", "code": 131_053, "rate": 1.0}));
        let id = stage.say(&thread, "as if it were a file").await;
        stage.reaches(id, MessageStatus::Failed).await;
        assert_eq!(stage.attempts(id).await.len(), 2, "131053 is tried once more, then told");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_after_it_was_accepted_says_so() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "failed_status", "code": 131_026, "next": 1}));
        let id = stage.say(&thread, "Hello").await;
        let failed = stage.reaches(id, MessageStatus::Failed).await;
        assert_eq!(failed.error.unwrap().code, "131026");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_sent_for_a_day_is_given_up_visibly() {
    let mut settings = StageSettings::default();
    settings.engine.outbox.give_up_ms = 3_600_000;
    for stage in Stage::on_all(settings).await {
        let thread = stage.thread("whatsapp").await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "internal_error", "rate": 1.0}));
        let id = stage.say(&thread, "Hello").await;
        until("it was tried", || async {
            stage.attempts(id).await.first().filter(|a| a["outcome"] == "retry").cloned()
        })
        .await;
        stage.clock.advance_ms(2 * 3_600_000);
        let failed = stage.reaches(id, MessageStatus::Failed).await;
        let error = failed.error.unwrap();
        assert_eq!((error.code.as_str(), error.action.as_deref()), ("GAVE_UP", Some("retry")));
    }
}

/// What a provider answers is another's bytes: too many of them, none that make sense, or a way into our network.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_turns_hostile_is_told_as_a_failure_and_nothing_more() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inside = format!("http://{}/secret", listener.local_addr().unwrap());
        for fault in [
            json!({"fault": "huge_answer", "next": 1}),
            json!({"fault": "garbage", "next": 1}),
            json!({"fault": "redirect", "location": inside, "next": 1}),
            json!({"fault": "redirect", "location": "file:///etc/passwd", "next": 1}),
        ] {
            let thread = stage.thread("whatsapp").await;
            stage.fault(Channel::WhatsappCloud, fault.clone());
            let id = stage.say(&thread, "Hello").await;
            let attempt = until("it was tried", || async { stage.attempts(id).await.first().cloned() }).await;
            assert_ne!(attempt["outcome"], "sent", "{fault} on {}: {attempt}", stage.database.kind);
            assert!(stage.texts_of(&thread).len() <= 1, "{fault}");
            stage.heal();
        }
        let followed = tokio::time::timeout(std::time::Duration::from_millis(1), listener.accept()).await;
        assert!(followed.is_err(), "a redirect into the network was followed");
        let thread = stage.thread("whatsapp").await;
        let id = stage.say(&thread, "still here").await;
        stage.arrives(id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_cannot_ask_to_be_left_alone_for_longer_than_a_day() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let for_ever = json!({"fault": "too_many_requests", "retry_after_s": u64::MAX, "next": 1});
        stage.fault(Channel::WhatsappCloud, for_ever);
        let id = stage.say(&thread, "one").await;
        until("it was refused", || async {
            stage.attempts(id).await.first().filter(|a| a["http_status"] == 429).cloned()
        })
        .await;
        stage.clock.advance_ms(86_400_000 + 2_000);
        let after = stage.thread("whatsapp").await;
        let next = stage.say(&after, "two").await;
        stage.arrives(next).await;
    }
}
