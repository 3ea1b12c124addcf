//! Several workers on one queue: each row is sent once, and what a worker lost it cannot write.

use std::collections::HashMap;

use frontdesk_model::message::MessageStatus;
use frontdesk_model::{OutboxId, Timestamp};
use frontdesk_sandbox::Channel;
use frontdesk_store::outbox::{self, OutboxRow};
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use futures_util::future::join_all;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_send_each_of_500_messages_once_though_one_is_dropped() {
    let mut settings = StageSettings::default();
    settings.engine.outbox.lease_ms = 2_000;
    for mut stage in Stage::on_all(settings).await {
        stage.add_node().await;
        let threads = stage.threads("whatsapp", 50).await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "latency", "latency_ms": 5, "rate": 1.0}));
        // A worker that claimed rows and died: nothing has left, so others may take them.
        let engine = stage.first().clone();
        let texts: Vec<String> = (0..10).map(|n| n.to_string()).collect();
        for (n, text) in texts.iter().enumerate() {
            join_all(threads.iter().map(|thread| stage.say(thread, text))).await;
            if n == 5 {
                let now = frontdesk_model::clock::Clock::now(&*stage.clock);
                let dead = engine
                    .store
                    .write(move |tx| outbox::claim(tx, now, now.plus_ms(500), "dead", 20, &[]))
                    .await;
                let _: Vec<OutboxRow> = dead.unwrap();
                stage.nodes[1].stop().await;
            }
        }
        until("all have arrived", || async { (stage.delivered("whatsapp").len() >= 500).then_some(()) })
            .await;
        let mut by_reference: HashMap<String, usize> = HashMap::new();
        for delivery in stage.delivered("whatsapp") {
            *by_reference.entry(delivery.reference.unwrap()).or_default() += 1;
        }
        assert_eq!(
            (by_reference.len(), by_reference.values().max()),
            (500, Some(&1)),
            "{}",
            stage.database.kind
        );
        for thread in &threads {
            assert_eq!(stage.texts_of(thread), texts, "on {}", stage.database.kind);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_claim_can_write_nothing() {
    for mut stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.nodes[0].stop().await;
        let engine = stage.first().clone();
        let id = queue(&stage, &thread, "Hello").await;
        let now = frontdesk_model::clock::Clock::now(&*stage.clock);
        let claim = |token: &'static str, at: Timestamp| {
            let store = engine.store.clone();
            async move {
                store.write(move |tx| outbox::claim(tx, at, at.plus_ms(1_000), token, 10, &[])).await.unwrap()
            }
        };
        let first = claim("first", now).await;
        assert_eq!(first.len(), 1);
        assert!(claim("second", now.plus_ms(500)).await.is_empty(), "it is taken");
        let later = now.plus_ms(2_000);
        engine.store.write(move |tx| outbox::release_expired_claims(tx, later)).await.unwrap();
        let second = claim("second", later).await;
        assert_eq!(second.len(), 1);
        let row = first[0].clone();
        let stale = engine
            .store
            .write(move |tx| {
                Ok::<_, frontdesk_store::StoreError>((
                    outbox::start(tx, &row, "first", later.plus_ms(9), later)?,
                    outbox::requeue(tx, &row, "first", later, later)?,
                    outbox::set_unknown(tx, &row, "first", later, later)?,
                    outbox::finish(tx, &row, "first")?,
                ))
            })
            .await
            .unwrap();
        assert_eq!(stale, (None, false, false, false));
        let row = second[0].clone();
        let started =
            engine.store.write(move |tx| outbox::start(tx, &row, "second", later.plus_ms(9), later)).await;
        assert_eq!(started.unwrap(), Some(1));
        assert_eq!(stage.message(id).await.status, MessageStatus::Queued);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_workers_claim_is_sent_by_another_and_its_send_becomes_unknown() {
    for mut stage in Stage::on_all(StageSettings::default()).await {
        let (claimed, sending) = (stage.thread("whatsapp").await, stage.thread("whatsapp").await);
        stage.nodes[0].stop().await;
        let engine = stage.first().clone();
        let (claimed_id, sending_id) =
            (queue(&stage, &claimed, "a").await, queue(&stage, &sending, "b").await);
        let now = frontdesk_model::clock::Clock::now(&*stage.clock);
        engine
            .store
            .write(move |tx| {
                let rows = outbox::claim(tx, now, now.plus_ms(30_000), "dead", 10, &[])?;
                assert_eq!(rows.len(), 2);
                let row = rows.iter().find(|r| r.message_id == Some(sending_id)).unwrap();
                outbox::start(tx, row, "dead", now.plus_ms(60_000), now)?;
                let key = frontdesk_store::deliveries::DeliveryKey {
                    account_id: row.account_id,
                    message_id: sending_id,
                    outbox_id: OutboxId(row.id.0),
                    attempt: 1,
                };
                frontdesk_store::deliveries::begin(tx, key, row.kind, now)?;
                Ok::<_, frontdesk_store::StoreError>(())
            })
            .await
            .unwrap();
        stage.add_node().await;
        stage.clock.advance_ms(61_000);
        let behind = queue(&stage, &sending, "c").await;
        stage.arrives(claimed_id).await;
        let unknown = stage.reaches(sending_id, MessageStatus::Unknown).await;
        assert_eq!(unknown.error.unwrap().code, "INTERRUPTED");
        stage.arrives(behind).await;
        assert_eq!(stage.texts_of(&sending), ["c"], "an interrupted send is not repeated");
        let account = stage.account;
        let attempts = stage.read(move |tx| frontdesk_store::deliveries::list(tx, account, sending_id)).await;
        assert_eq!((attempts.len(), attempts[0].outcome.as_deref()), (1, Some("unknown")), "{attempts:?}");
    }
}

/// Stores a reply without asking the door of a stopped node.
async fn queue(
    stage: &Stage,
    thread: &frontdesk_testkit::stage::Thread,
    text: &str,
) -> frontdesk_model::MessageId {
    use frontdesk_engine::replies::{Author, Reply, reply};
    let actor = frontdesk_engine::caller::Actor::server(stage.account);
    let author = Author { actor, name: "Ana".to_owned() };
    let wanted = Reply { content: Some(text.to_owned()), ..Reply::default() };
    reply(stage.first(), author, thread.id, wanted).await.unwrap().messages[0]
}
