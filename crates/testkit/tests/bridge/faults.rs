//! Chatwoot fails, nodes die: nothing is lost, nothing shows twice, the order stays.

use std::time::Duration;

use frontdesk_sandbox::Channel;
use frontdesk_store::messages;
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use serde_json::json;

use crate::{answer, bridge, conversations, shows, stages, texts};

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_and_refusals_repeat_nothing_and_keep_the_order() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        stage.fault(Channel::Chatwoot, json!({"fault": "cut_after", "next": 2}));
        stage.fault(Channel::Chatwoot, json!({"fault": "unavailable", "next": 3}));
        stage.fault(Channel::Chatwoot, json!({"fault": "error_code", "code": 504, "next": 1}));
        for text in ["one", "two", "three"] {
            stage.act(&thread.customer, "whatsapp", json!({"kind": "text", "text": text}));
            until("it is stored", || async {
                let (_, all) =
                    stage.call("GET", &format!("/api/v1/conversations/{}", thread.id), json!(null)).await;
                (all["last_message"]["content"] == text || all.to_string().contains(text)).then_some(())
            })
            .await;
        }
        shows(&stage, &bridge, &["Halo", "one", "two", "three"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_while_chatwoot_is_down_is_shown_afterwards_in_order() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        stage.fault(Channel::Chatwoot, json!({"fault": "unavailable", "rate": 1.0, "scope": "all"}));
        for number in 0..5 {
            stage.act(
                &thread.customer,
                "whatsapp",
                json!({"kind": "text", "text": format!("waits {number}")}),
            );
        }
        let path = format!("/api/v1/sync/bridges/{}", bridge["id"]);
        let waiting = async || stage.call("GET", &path, json!(null)).await.1["data"]["waiting"].as_i64();
        until("all wait", || async { (waiting().await >= Some(5)).then_some(()) }).await;
        let other = stage.thread("messenger").await;
        let id = stage.say(&other, "goes meanwhile").await;
        stage.arrives(id).await;
        stage.heal();
        until("all are shown", || async { (texts(&stage, &bridge).len() == 6).then_some(()) }).await;
        let (account, conversation) = (stage.account, thread.id);
        let mut stored =
            stage.read(move |tx| messages::list_before(tx, account, conversation, None, 20)).await;
        stored.sort_by_key(|message| message.id);
        let stored: Vec<String> = stored.into_iter().filter_map(|message| message.content).collect();
        assert_eq!(texts(&stage, &bridge), stored, "each once and in order on {}", stage.database.kind);
        until("nothing waits", || async { (waiting().await == Some(0)).then_some(()) }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_leaves_behind_another_goes_on_with() {
    for mut stage in Stage::on_all(StageSettings::default()).await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        stage.fault(Channel::Chatwoot, json!({"fault": "latency", "latency_ms": 300, "rate": 1.0}));
        if stage.database.store.is_postgres() {
            stage.add_node().await;
        }
        for number in 0..6 {
            stage.act(&thread.customer, "whatsapp", json!({"kind": "text", "text": format!("No. {number}")}));
        }
        until("some are shown", || async { (texts(&stage, &bridge).len() > 2).then_some(()) }).await;
        if stage.nodes.len() > 1 {
            // As it dies: what it holds is cancelled in the middle.
            let mut second = stage.nodes.remove(1);
            tokio::time::timeout(Duration::from_secs(20), second.stop()).await.unwrap();
        }
        stage.heal();
        until("all are shown", || async { (texts(&stage, &bridge).len() >= 7).then_some(()) }).await;
        let mut shown = texts(&stage, &bridge);
        shown.sort();
        shown.dedup();
        assert_eq!(shown.len(), 7, "each once on {}", stage.database.kind);
        assert_eq!(texts(&stage, &bridge).len(), 7);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_show_and_send_everything_once() {
    for mut stage in Stage::on_all(StageSettings::default()).await {
        if !stage.database.store.is_postgres() {
            continue;
        }
        stage.add_node().await;
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let threads = stage.threads("whatsapp", 8).await;
        until("all are shown", || async { (texts(&stage, &bridge).len() == 8).then_some(()) }).await;
        let all = conversations(&stage, &bridge);
        assert_eq!(all.len(), 8);
        for conversation in &all {
            answer(&stage, conversation.display_id, "first").await;
            answer(&stage, conversation.display_id, "second").await;
        }
        for thread in &threads {
            until("both arrive", || async { (stage.texts_of(thread).len() >= 2).then_some(()) }).await;
            let mut said = stage.texts_of(thread);
            said.sort();
            assert_eq!(said, ["first", "second"]);
        }
        assert_eq!(texts(&stage, &bridge).len(), 24, "nothing came back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stood_still_longer_than_its_lease_shows_nothing_twice() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        let path = format!("/api/v1/sync/bridges/{}", bridge["id"]);
        let through = || async {
            let (_, shown) = stage.call("GET", &path, json!(null)).await;
            (shown["data"]["waiting"] == 0).then_some(())
        };
        until("the first is done with", through).await;
        // Long enough for another to take it meanwhile, whatever else this machine does.
        let slow = json!({"fault": "latency", "latency_ms": 3_000, "rate": 1.0, "scope": "all"});
        stage.fault(Channel::Chatwoot, slow);
        stage.act(&thread.customer, "whatsapp", json!({"kind": "text", "text": "Slow"}));
        until("a worker holds it", || async {
            let held = "SELECT COUNT(*) FROM bridge_jobs WHERE state = 'claimed'";
            (stage.database.number(held).await > 0).then_some(())
        })
        .await;
        // Its time is over while Chatwoot still thinks: another takes it.
        stage.clock.advance_ms(31_000);
        until("it was taken again", || async {
            let again = "SELECT COUNT(*) FROM bridge_jobs WHERE state = 'claimed' AND attempts > 1";
            (stage.database.number(again).await > 0).then_some(())
        })
        .await;
        until("nothing waits", through).await;
        stage.heal();
        assert_eq!(texts(&stage, &bridge), ["Halo", "Slow"], "once on {}", stage.database.kind);
    }
}
