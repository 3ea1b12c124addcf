//! What people do to replies: send the same twice, delete, close, write at once.

use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::Channel;
use frontdesk_testkit::stage::{Stage, StageSettings, id_of, sample};
use futures_util::future::join_all;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn five_requests_with_one_key_are_one_message() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let body = json!({"content": "Once, please ", "client_key": "key-1"});
        let answers = join_all((0..5).map(|_| stage.try_reply(&thread, body.clone()))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 201], "{answers:?}");
        assert!(answers.windows(2).all(|pair| pair[0].1["id"] == pair[1].1["id"]));
        let id = id_of(&answers[0].1);
        stage.arrives(id).await;
        assert_eq!(stage.texts_of(&thread), ["Once, please"]);
        let (status, answer) =
            stage.try_reply(&thread, json!({"content": "Other", "client_key": "key-1"})).await;
        assert_eq!((status, &answer["code"]), (409, &json!("IDEMPOTENCY_CONFLICT")));
        // The same key means something else in another conversation.
        let other = stage.thread("whatsapp").await;
        assert_eq!(stage.try_reply(&other, json!({"content": "Hi", "client_key": "key-1"})).await.0, 201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_requests_with_one_key_and_files_are_one_reply() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("messenger").await;
        let one = stage.upload("photo.jpg", "image/jpeg", sample("photo.jpg")).await;
        let two = stage.upload("photo.png", "image/png", sample("photo.png")).await;
        let body = json!({"content": "Both", "attachments": [one["id"], two["id"]], "client_key": "key-2"});
        let answers = join_all((0..5).map(|_| stage.try_reply(&thread, body.clone()))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 201], "{answers:?}");
        for (_, answer) in &answers {
            assert_eq!(answer["companions"].as_array().map(Vec::len), Some(2), "{answer}");
        }
        stage.arrives(id_of(&answers[0].1["companions"][1])).await;
        let kinds: Vec<_> = stage.delivered_to(&thread).into_iter().map(|d| d.kind).collect();
        assert_eq!(kinds, ["image", "image", "text"]);
        for other in [
            json!({"content": "Other", "attachments": [one["id"], two["id"]], "client_key": "key-2"}),
            json!({"content": "Both", "attachments": [one["id"]], "client_key": "key-2"}),
        ] {
            let (status, answer) = stage.try_reply(&thread, other).await;
            assert_eq!((status, &answer["code"]), (409, &json!("IDEMPOTENCY_CONFLICT")), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_agents_who_reply_at_once_one_is_told_of_the_other() {
    for stage in Stage::on_all(StageSettings::default()).await {
        for round in 0..5 {
            let thread = stage.thread("whatsapp").await;
            let seen = stage.received("whatsapp", &thread.first).await.id.0;
            let reply = |who: &str| {
                let body = json!({"content": format!("{who} {round}"), "last_seen_message_id": seen});
                let (stage, thread) = (&stage, &thread);
                async move { stage.try_reply(thread, body).await }
            };
            let (one, two) = tokio::join!(reply("Ana"), reply("Budi"));
            let mut statuses = [one.0, two.0];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409], "on {}: {one:?} {two:?}", stage.database.kind);
            let refused = if one.0 == 409 { one.1 } else { two.1 };
            assert_eq!(refused["code"], "NEWER_MESSAGES");
            assert!(!refused["details"]["messages"].as_array().unwrap().is_empty());
            let forced = json!({"content": "anyway", "last_seen_message_id": seen, "force": true});
            assert_eq!(stage.try_reply(&thread, forced).await.0, 201);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_deleted_while_it_waits_is_never_sent() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.fault(
            Channel::WhatsappCloud,
            json!({"fault": "too_many_requests", "retry_after_s": 600, "next": 1}),
        );
        let first = stage.say(&thread, "first").await;
        frontdesk_testkit::stage::until("it was refused", || async {
            stage.attempts(first).await.first().filter(|a| a["outcome"] == "retry").cloned()
        })
        .await;
        let second = stage.say(&thread, "second").await;
        let third = stage.say(&thread, "third").await;
        let path = format!("/admin/inbox/{}/messages/{second}", thread.id);
        assert_eq!(stage.call("DELETE", &path, Value::Null).await.0, 204);
        assert_eq!(stage.call("DELETE", &path, Value::Null).await.0, 404);
        stage.clock.advance_ms(601_000);
        stage.arrives(third).await;
        assert_eq!(stage.texts_of(&thread), ["first", "third"]);
        assert!(stage.message(second).await.deleted_at.is_some());
        assert_eq!(stage.call("POST", &format!("{path}/retry"), Value::Null).await.0, 409);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_conversation_takes_no_reply_and_sends_nothing_again() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "error_code", "code": 131_026, "next": 1}));
        let failed = stage.say(&thread, "Hello").await;
        stage.reaches(failed, MessageStatus::Failed).await;
        let status = format!("/admin/inbox/{}/status", thread.id);
        assert_eq!(stage.call("POST", &status, json!({"status": "closed"})).await.0, 200);
        let (code, answer) = stage.try_reply(&thread, json!({"content": "Hi"})).await;
        assert_eq!((code, &answer["code"]), (409, &json!("CONVERSATION_CLOSED")));
        let retry = format!("/admin/inbox/{}/messages/{failed}/retry", thread.id);
        assert_eq!(stage.call("POST", &retry, Value::Null).await.0, 409);
        assert_eq!(stage.call("POST", &status, json!({"status": "active"})).await.0, 200);
        assert_eq!(stage.call("POST", &retry, Value::Null).await.0, 200);
        stage.arrives(failed).await;
    }
}
