//! Order within a conversation is kept; no conversation and no inbox waits for another.

use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::Channel;
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use futures_util::future::join_all;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn twenty_conversations_keep_their_order_through_random_failures() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let threads = stage.threads("whatsapp", 20).await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "internal_error", "rate": 0.2}));
        let agents = threads.iter().map(async |thread| {
            for n in 0..20 {
                stage.say(thread, &format!("{n:02}")).await;
            }
        });
        join_all(agents).await;
        until("everything has arrived", || async {
            (stage.delivered("whatsapp").len() >= 400).then_some(())
        })
        .await;
        let wanted: Vec<String> = (0..20).map(|n| format!("{n:02}")).collect();
        for thread in &threads {
            assert_eq!(stage.texts_of(thread), wanted, "on {}", stage.database.kind);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_tried_again_does_not_slow_other_conversations() {
    let mut settings = StageSettings::default();
    // One failure of a message keeps that message waiting for long.
    settings.engine.outbox.retry_ladder_ms = vec![3_600_000];
    for stage in Stage::on_all(settings).await {
        let threads = stage.threads("whatsapp", 10).await;
        let before = stage.thread("whatsapp").await;
        let first = stage.say(&before, "the inbox works").await;
        stage.arrives(first).await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "internal_error", "next": 1}));
        let stuck = stage.say(&threads[0], "stuck").await;
        until("it was tried", || async {
            stage.attempts(stuck).await.first().filter(|a| a["outcome"] == "retry").cloned()
        })
        .await;
        stage.say(&threads[0], "behind it").await;
        for thread in &threads[1..] {
            let id = stage.say(thread, "on time").await;
            stage.arrives(id).await;
        }
        assert_eq!(stage.texts_of(&threads[0]), [""; 0], "its own conversation keeps its order");
        assert_eq!(stage.message(stuck).await.status, MessageStatus::Sending);
        stage.clock.advance_ms(2 * 3_600_000);
        until("both have arrived", || async { (stage.texts_of(&threads[0]).len() == 2).then_some(()) }).await;
        assert_eq!(stage.texts_of(&threads[0]), ["stuck", "behind it"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_whose_provider_hangs_takes_no_place_from_the_others() {
    let mut settings = StageSettings { timeout_ms: 30_000, ..StageSettings::default() };
    settings.engine.outbox.concurrency = 8;
    for stage in Stage::on_all(settings).await {
        let threads = stage.threads("whatsapp", 20).await;
        let other = stage.thread("messenger").await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "latency", "latency_ms": 25_000, "rate": 1.0}));
        let mut slow = Vec::new();
        for thread in &threads {
            slow.push(stage.say(thread, "slow").await);
        }
        stage.reaches(slow[0], MessageStatus::Sending).await;
        let id = stage.say(&other, "fast").await;
        stage.arrives(id).await;
        // Of all that could have held it up nothing has ended.
        for id in slow {
            let status = stage.message(id).await.status;
            assert!(matches!(status, MessageStatus::Queued | MessageStatus::Sending), "{status:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_messages_to_one_customer_hold_that_conversation_alone() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let (held, free) = (stage.thread("whatsapp").await, stage.thread("whatsapp").await);
        stage.fault(Channel::WhatsappCloud, json!({"fault": "error_code", "code": 131_056, "next": 1}));
        let first = stage.say(&held, "one").await;
        until("it was refused", || async {
            stage.attempts(first).await.first().filter(|a| a["provider_code"] == "131056").cloned()
        })
        .await;
        let second = stage.say(&held, "two").await;
        let other = stage.say(&free, "meanwhile").await;
        stage.arrives(other).await;
        assert!(stage.texts_of(&held).is_empty());
        stage.clock.advance_ms(7_000);
        stage.arrives(second).await;
        assert_eq!(stage.texts_of(&held), ["one", "two"]);
    }
}
