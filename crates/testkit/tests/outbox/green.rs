//! Green API: the whole way of a reply, what becomes of one whose answer was lost, and instances that do not work.

use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::Channel;
use frontdesk_store::attachments::{self, AttachmentState};
use frontdesk_testkit::size;
use frontdesk_testkit::stage::{Stage, StageSettings, id_of, sample, until};
use serde_json::{Value, json};

const UNLIMITED: [(&str, &str); 2] = [("rate_limit_per_second", "0"), ("rate_limit_per_minute", "0")];

async fn stages() -> Vec<Stage> {
    let stages = Stage::on_all(StageSettings::default()).await;
    for stage in &stages {
        stage.add_instance("hotel", &UNLIMITED).await;
    }
    stages
}

async fn state_of(stage: &Stage, inbox: &str) -> String {
    let id = stage.inbox(inbox).await;
    let (_, shown) = stage.call("GET", &format!("/api/v1/inboxes/{id}"), Value::Null).await;
    shown["state"]["code"].as_str().unwrap().to_owned()
}

async fn is_in_state(stage: &Stage, inbox: &str, code: &str) {
    let what = format!("{inbox} is {code} on {}", stage.database.kind);
    until(&what, || async { (state_of(stage, inbox).await == code).then_some(()) }).await;
}

/// The workers look every few seconds at what inboxes say of themselves.
async fn alerts_are(stage: &Stage, wanted: &[&str]) {
    let what = format!("the alerts are {wanted:?} on {}", stage.database.kind);
    until(&what, || async {
        let (_, alerts) = stage.call("GET", "/api/v1/monitoring/alerts", Value::Null).await;
        let alerts = alerts["data"].as_array().unwrap().iter();
        // A busy instance may well hit a limit too: that is another matter.
        let built_in = alerts.filter(|alert| alert["reason"].is_string());
        let firing: Vec<&str> = built_in.map(|alert| alert["rule"].as_str().unwrap()).collect();
        (firing == wanted).then_some(())
    })
    .await;
}

/// The calls that send, of one inbox.
fn sends(stage: &Stage, inbox: &str) -> usize {
    let calls = stage.calls(inbox).into_iter();
    calls.filter(|call| call.path.contains("/sendMessage") || call.path.contains("/sendmessage")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_goes_out_in_green_apis_words_and_gets_its_ticks() {
    for stage in stages().await {
        let thread = stage.thread("hotel").await;
        let mut sent = Vec::new();
        let text = stage.reply(&thread, json!({"content": "Good morning"})).await;
        sent.push(id_of(&text));
        let first = stage.received("hotel", &stage.scoped("hotel", &thread.customer, &thread.first)).await.id;
        for body in [
            json!({"content": "Yes, until noon", "reply_to_message_id": first.0}),
            json!({"location": {"latitude": -6.2, "longitude": 106.8, "name": "Hotel Senja"}}),
            json!({"contacts": [{"name": "Front Desk", "phones": [{"value": "+62812000111"}]}]}),
        ] {
            sent.push(id_of(&stage.reply(&thread, body).await));
        }
        let photo = stage.upload("photo.jpg", "image/jpeg", sample("photo.jpg")).await;
        let photo = json!({"content": "The view", "attachments": [photo["id"]]});
        sent.push(id_of(&stage.reply(&thread, photo).await));
        for id in sent {
            stage.reaches(id, MessageStatus::Delivered).await;
        }
        let requests: Vec<Value> = stage.delivered_to(&thread).into_iter().map(|d| d.request).collect();
        assert_eq!(requests[0]["message"], "Good morning");
        assert_eq!(requests[1]["quotedMessageId"], json!(thread.first), "as Green API wrote it");
        assert_eq!(requests[2]["nameLocation"], "Hotel Senja");
        assert_eq!(requests[3]["contact"]["phoneContact"], 62_812_000_111_i64);
        assert_eq!(requests.len(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_customer_sends_is_stored_and_its_file_fetched() {
    for stage in stages().await {
        let thread = stage.thread("hotel").await;
        let voice = stage.act(&thread.customer, "hotel", json!({"kind": "voice"}));
        let voice = stage.scoped("hotel", &thread.customer, &voice);
        let (id, account) = (stage.received("hotel", &voice).await.id, stage.account);
        until("the voice note is here", || async {
            let files = stage.read(move |tx| attachments::of_message(tx, account, id)).await;
            files.first().is_some_and(|file| file.state == AttachmentState::Ready).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_without_an_answer_is_settled_by_its_echo_and_never_repeated() {
    for stage in stages().await {
        let thread = stage.thread("hotel").await;
        stage.fault(Channel::GreenApi, json!({"fault": "cut_after", "next": 1}));
        let id = stage.say(&thread, "Is anybody there?").await;
        stage.arrives(id).await;
        assert_eq!(stage.texts_of(&thread), ["Is anybody there?"]);
        assert_eq!(sends(&stage, "hotel"), 1);
        let shown =
            stage.call("GET", &format!("/api/v1/conversations/{}/messages", thread.id), Value::Null).await.1;
        let texts = shown["data"].as_array().unwrap().iter().filter(|m| m["direction"] == "outbound").count();
        assert_eq!(texts, 1, "the echo is no second message");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_without_an_answer_and_without_an_echo_is_found_in_the_journal() {
    for stage in stages().await {
        let thread = stage.thread("hotel").await;
        stage.sandbox.green("hotel", |instance| {
            for name in ["outgoingAPIMessageWebhook", "outgoingWebhook"] {
                instance.settings.insert(name.to_owned(), json!("no"));
            }
        });
        stage.fault(Channel::GreenApi, json!({"fault": "cut_after", "next": 1}));
        let id = stage.say(&thread, "Is anybody there?").await;
        stage.arrives(id).await;
        assert_eq!(sends(&stage, "hotel"), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_signed_out_holds_its_own_queue_and_no_other() {
    for stage in stages().await {
        stage.add_instance("other", &UNLIMITED).await;
        let (thread, other) = (stage.thread("hotel").await, stage.thread("other").await);
        stage.change_instance("hotel", json!({"state": "notAuthorized"})).await;
        is_in_state(&stage, "hotel", "reconnect").await;
        let held = stage.say(&thread, "Later").await;
        let through = stage.say(&other, "Now").await;
        stage.arrives(through).await;
        assert_eq!(stage.message(held).await.status, MessageStatus::Queued);
        assert_eq!(sends(&stage, "hotel"), 0, "Green API would take it and keep it to itself");
        let inbox = stage.inbox("hotel").await;
        let (status, link) = stage.call("GET", &format!("/api/v1/inboxes/{inbox}/link"), Value::Null).await;
        assert_eq!((status, &link["step"]), (200, &json!("scan")));
        assert!(link["picture"].as_str().unwrap().starts_with("data:image/png;base64,iVBOR"));
        alerts_are(&stage, &["inbox_needs_attention"]).await;
        stage.change_instance("hotel", json!({"state": "authorized"})).await;
        stage.arrives(held).await;
        is_in_state(&stage, "hotel", "connected").await;
        alerts_are(&stage, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_tariff_does_not_allow_is_told_and_not_tried_again() {
    for stage in stages().await {
        let thread = stage.thread("hotel").await;
        stage.sandbox.world().inboxes.get_mut("hotel").unwrap().allowed_recipients = Some(Vec::new());
        let id = stage.say(&thread, "Hello").await;
        let failed = stage.reaches(id, MessageStatus::Failed).await;
        assert_eq!(failed.error.unwrap().code, "CHAT_NOT_ALLOWED");
        assert_eq!(sends(&stage, "hotel"), 1);
        assert_eq!(state_of(&stage, "hotel").await, "connected");
        alerts_are(&stage, &["allowance_used_up"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn setting_an_instance_up_and_looking_guests_up_hits_no_limit() {
    for stage in stages().await {
        stage.threads("hotel", 5).await;
        let metrics = until("the look-ups had to wait for each other", || async {
            let (_, metrics) = stage.call("GET", "/api/v1/monitoring/metrics", Value::Null).await;
            (metrics["total"]["rate_limit"]["waits"].as_u64() >= Some(3)).then_some(metrics)
        })
        .await;
        assert_eq!(metrics["total"]["rate_limit"]["hits"], 0, "nobody waited for them: {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brief_inbox_gives_a_message_up_after_so_many_retries_and_says_so() {
    for stage in Stage::on_all(StageSettings::default()).await {
        stage.add_instance("hotel", &[UNLIMITED[0], UNLIMITED[1], ("retry", "brief")]).await;
        let thread = stage.thread("hotel").await;
        stage.fault(Channel::GreenApi, json!({"fault": "internal_error", "rate": 1.0}));
        let id = stage.say(&thread, "Hello").await;
        let failed = stage.reaches(id, MessageStatus::Failed).await.error.unwrap();
        assert_eq!(sends(&stage, "hotel"), 4, "once, and three times more");
        assert!(
            failed.message.ends_with("It was tried 4 times and is not tried again by itself."),
            "{failed:?}"
        );
        assert_eq!(failed.action.as_deref(), Some("retry"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_green_api_does_not_keep_are_noticed() {
    for stage in Stage::on_all(StageSettings::default()).await {
        stage.prepare_instance("forgetful");
        stage.sandbox.green("forgetful", |instance| instance.loses_settings = true);
        stage.connect_instance("forgetful", &[]).await;
        is_in_state(&stage, "forgetful", "degraded").await;
        stage.sandbox.green("forgetful", |instance| instance.loses_settings = false);
        let inbox = stage.inbox("forgetful").await;
        let (_, shown) = stage.call("POST", &format!("/api/v1/inboxes/{inbox}/check"), Value::Null).await;
        assert_eq!(shown["state"]["code"], "connected", "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_that_is_polled_gets_the_same_and_takes_it_off() {
    for stage in Stage::on_all(StageSettings::default()).await {
        stage.add_instance("polled", &[("mode", "polling")]).await;
        let threads = stage.threads("polled", 3).await;
        for thread in &threads {
            let id = stage.say(thread, "Hello").await;
            stage.reaches(id, MessageStatus::Delivered).await;
        }
        until("everything was taken off", || async {
            let left = stage.sandbox.green("polled", |instance| instance.waiting_notifications().len());
            (left == 0).then_some(())
        })
        .await;
        assert_eq!(
            stage.database.number("SELECT COUNT(*) FROM messages WHERE direction = 'inbound'").await,
            3
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_failures_everything_arrives_once_and_in_order() {
    let (chats, each) = size::pick((5, 20), (20, 50));
    for stage in Stage::on_all(StageSettings::default()).await {
        // Green API itself takes 50 a second.
        stage.add_instance("hotel", &[("rate_limit_per_second", "40"), ("rate_limit_per_minute", "0")]).await;
        let threads = stage.threads("hotel", chats).await;
        for fault in ["internal_error", "cut_after", "unavailable"] {
            stage.fault(Channel::GreenApi, json!({"fault": fault, "rate": 0.035}));
        }
        let mut sent = Vec::new();
        for n in 0..each {
            for thread in &threads {
                sent.push(stage.say(thread, &format!("number {n}")).await);
            }
        }
        for id in sent {
            stage.arrives(id).await;
        }
        let expected: Vec<String> = (0..each).map(|n| format!("number {n}")).collect();
        for thread in &threads {
            assert_eq!(stage.texts_of(thread), expected, "{}", stage.database.kind);
        }
        let struck = stage.calls("hotel").iter().filter(|call| call.fault.is_some()).count();
        println!("{}: {} messages, {struck} calls failed", stage.database.kind, chats * each);
        assert!(struck * 20 > chats * each, "about one in ten was to fail: {struck}");
    }
}
