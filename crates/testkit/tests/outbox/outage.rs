//! Whole inboxes that cannot send: the queue waits and goes on by itself.

use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::Channel;
use frontdesk_testkit::stage::{Stage, StageSettings, Thread, until};
use serde_json::{Value, json};

async fn state(stage: &Stage, inbox: &str) -> String {
    let path = format!("/api/v1/inboxes/{}", stage.inbox(inbox).await);
    let (_, inbox) = stage.call("GET", &path, Value::Null).await;
    inbox["state"]["code"].as_str().unwrap().to_owned()
}

async fn state_becomes(stage: &Stage, inbox: &str, wanted: &str) {
    let what = format!("{inbox} is {wanted} on {}", stage.database.kind);
    until(&what, || async { (state(stage, inbox).await == wanted).then_some(()) }).await;
}

fn assert_each_once(stage: &Stage, threads: &[Thread], text: &str) {
    for thread in threads {
        assert_eq!(stage.texts_of(thread), [text], "on {}", stage.database.kind);
    }
}

fn set_token(stage: &Stage, inbox: &str, token: &str) {
    stage.sandbox.world().inboxes.get_mut(inbox).unwrap().access_token = Some(token.to_owned());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_token_holds_the_queue_until_there_is_a_new_one() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let threads = stage.threads("whatsapp", 5).await;
        let other = stage.thread("messenger").await;
        set_token(&stage, "whatsapp", "another");
        for thread in &threads {
            stage.say(thread, "waits").await;
        }
        state_becomes(&stage, "whatsapp", "reconnect").await;
        let id = stage.say(&other, "goes").await;
        stage.arrives(id).await;
        assert!(stage.delivered("whatsapp").is_empty());
        let inbox = stage.inbox("whatsapp").await;
        let change = json!({"settings": {"access_token": "another"}});
        let (status, answer) = stage.call("PATCH", &format!("/api/v1/inboxes/{inbox}"), change).await;
        assert_eq!(status, 200, "{answer}");
        until("all have arrived", || async { (stage.delivered("whatsapp").len() == 5).then_some(()) }).await;
        assert_each_once(&stage, &threads, "waits");
        state_becomes(&stage, "whatsapp", "connected").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_old_token_does_not_hold_what_the_new_one_can_send() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        // The refusal arrives only after the token was changed.
        stage.fault(Channel::WhatsappCloud, json!({"fault": "latency", "latency_ms": 700, "next": 1}));
        stage.fault(Channel::WhatsappCloud, json!({"fault": "error_code", "code": 190, "next": 1}));
        let id = stage.say(&thread, "Hello").await;
        stage.reaches(id, MessageStatus::Sending).await;
        set_token(&stage, "whatsapp", "another");
        let inbox = stage.inbox("whatsapp").await;
        let change = json!({"settings": {"access_token": "another"}});
        stage.call("PATCH", &format!("/api/v1/inboxes/{inbox}"), change).await;
        stage.arrives(id).await;
        state_becomes(&stage, "whatsapp", "connected").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_gets_everything_once_when_it_is_back() {
    let settings = StageSettings { provider_open: false, ..StageSettings::default() };
    for stage in Stage::on_all(settings).await {
        let threads = stage.threads("whatsapp", 30).await;
        for thread in &threads {
            stage.say(thread, "waits").await;
        }
        state_becomes(&stage, "whatsapp", "unreachable").await;
        stage.open_provider().await;
        until("all have arrived", || async {
            stage.clock.advance_ms(100); // waits that grew during the outage pass faster
            (stage.delivered("whatsapp").len() == 30).then_some(())
        })
        .await;
        assert_each_once(&stage, &threads, "waits");
        state_becomes(&stage, "whatsapp", "connected").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_node_notices_that_the_provider_is_back() {
    let mut settings = StageSettings::default();
    settings.engine.outbox.breaker_failures = 2;
    for mut stage in Stage::on_all(settings).await {
        let threads = stage.threads("whatsapp", 3).await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "unavailable", "rate": 1.0}));
        for thread in &threads {
            stage.say(thread, "waits").await;
        }
        state_becomes(&stage, "whatsapp", "unreachable").await;
        stage.nodes[0].stop().await;
        stage.heal();
        stage.nodes.clear();
        stage.add_node().await;
        until("all have arrived", || async { (stage.delivered("whatsapp").len() == 3).then_some(()) }).await;
        state_becomes(&stage, "whatsapp", "connected").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_that_is_switched_off_keeps_its_queue() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let path = format!("/api/v1/inboxes/{}", stage.inbox("whatsapp").await);
        assert_eq!(stage.call("PATCH", &path, json!({"enabled": false})).await.0, 200);
        let id = stage.say(&thread, "later").await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(stage.message(id).await.status, MessageStatus::Queued);
        assert_eq!(stage.call("PATCH", &path, json!({"enabled": true})).await.0, 200);
        stage.arrives(id).await;
        assert_eq!(stage.texts_of(&thread), ["later"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_open_the_secrets_fails_nothing() {
    for mut stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.nodes[0].stop().await;
        let inbox = stage.inbox("whatsapp").await;
        let conversation = thread.id;
        let account = stage.account;
        let data = tempfile::tempdir().unwrap();
        let stranger = stage.stranger(data.path()).await;
        let workers = frontdesk_engine::workers::spawn(&stranger);
        // Queued by a node that has the key, while the one without it works the queue.
        let author = frontdesk_engine::replies::Author {
            actor: frontdesk_engine::caller::Actor::server(account),
            name: "Ana".to_owned(),
        };
        let reply =
            frontdesk_engine::replies::Reply { content: Some("Hello".to_owned()), ..Default::default() };
        let keyed = stage.engine(stage.first().settings.clone(), data.path()).await;
        let stored = frontdesk_engine::replies::reply(&keyed, author, conversation, reply).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert_eq!(stage.message(stored.messages[0]).await.status, MessageStatus::Queued, "inbox {inbox}");
        stranger.shutdown.cancel();
        workers.stopped().await;
        let workers = frontdesk_engine::workers::spawn(&keyed);
        stage.clock.advance_ms(120_000);
        stage.arrives(stored.messages[0]).await;
        keyed.shutdown.cancel();
        workers.stopped().await;
    }
}

/// Retries that wait for different moments are all due at once when the clock jumps: they must not go all at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_ahead_makes_no_storm_of_retries() {
    let mut settings = StageSettings::default();
    (settings.engine.outbox.breaker_failures, settings.engine.outbox.concurrency) = (2, 4);
    for stage in Stage::on_all(settings).await {
        let threads = stage.threads("whatsapp", 40).await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "unavailable", "rate": 1.0}));
        for thread in &threads {
            stage.say(thread, "waits").await;
        }
        state_becomes(&stage, "whatsapp", "unreachable").await;
        for _ in 0..3 {
            let before = stage.calls("whatsapp").len();
            stage.clock.advance_ms(3_600_000);
            until("it is tried again", || async { (stage.calls("whatsapp").len() > before).then_some(()) })
                .await;
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
            let tried = stage.calls("whatsapp").len() - before;
            assert!(tried <= 8, "{tried} of 40 were tried at once on {}", stage.database.kind);
        }
        stage.heal();
        until("all have arrived", || async {
            stage.clock.advance_ms(10_000);
            (stage.delivered("whatsapp").len() >= 40).then_some(())
        })
        .await;
        assert_each_once(&stage, &threads, "waits");
    }
}
