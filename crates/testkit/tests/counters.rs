//! What goes wrong and is mended is counted where operators look.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};

use frontdesk_model::Timestamp;
use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::Channel;
use frontdesk_server::metrics;
use frontdesk_store::{StoreError, Tx, leases};
use frontdesk_testkit::database::databases;
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use serde_json::json;

/// What a counter stands at now; 0 before it was ever raised.
fn count(name: &str) -> u64 {
    let shown = metrics::recorder().unwrap().render();
    let value = shown.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_keeps_failing_is_counted_once_for_each_pause() {
    let before = count("frontdesk_breakers_opened_total");
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "internal_error", "rate": 1.0}));
        for n in 0..3 {
            stage.say(&thread, &n.to_string()).await;
        }
        let counted = || async { (count("frontdesk_breakers_opened_total") > before).then_some(()) };
        until("the pause is counted", counted).await;
        stage.heal();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_its_lease_is_counted() {
    let settings = StageSettings { timeout_ms: 30_000, ..StageSettings::default() };
    for mut stage in Stage::on_all(settings).await {
        let before = count("frontdesk_leases_lost_total");
        let thread = stage.thread("whatsapp").await;
        stage.fault(Channel::WhatsappCloud, json!({"fault": "latency", "latency_ms": 4_000, "next": 1}));
        let id = stage.say(&thread, "Hello").await;
        stage.reaches(id, MessageStatus::Sending).await;
        stage.clock.advance_ms(600_000);
        stage.add_node().await; // it looks at once for what others left behind
        stage.reaches(id, MessageStatus::Unknown).await;
        stage.arrives(id).await;
        let counted = || async { (count("frontdesk_leases_lost_total") == before + 1).then_some(()) };
        until("the answer that came late is counted", counted).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_met_a_deadlock_is_run_again_and_counted() {
    for database in databases().await.into_iter().filter(|database| database.kind == "postgres") {
        let before = count("frontdesk_transactions_repeated_total");
        let (now, until) = (Timestamp::from_millis(0), Timestamp::from_millis(9));
        let claim_both = move |tx: &mut Tx<'_>| {
            Ok::<_, StoreError>(
                leases::claim(tx, "a", "me", until, now)? && leases::claim(tx, "b", "me", until, now)?,
            )
        };
        assert!(database.store.write(claim_both).await.unwrap());
        let both_hold_one = Arc::new(Barrier::new(2));
        let one_is_done = Arc::new((Mutex::new(false), Condvar::new()));
        let crossed = |first: &'static str, second: &'static str| {
            let (store, barrier, met) =
                (database.store.clone(), both_hold_one.clone(), AtomicBool::new(false));
            let (wanted, done) = (one_is_done.clone(), one_is_done.clone());
            tokio::spawn(async move {
                let claimed = store.write(move |tx| {
                    let is_repeated = met.swap(true, Ordering::SeqCst);
                    if is_repeated {
                        // Before the other wakes up it could overtake it, and both would meet once more.
                        drop(wanted.1.wait_while(wanted.0.lock().unwrap(), |done| !*done).unwrap());
                    }
                    leases::claim(tx, first, "me", until, now)?;
                    if !is_repeated {
                        barrier.wait();
                    }
                    leases::claim(tx, second, "me", until, now)
                });
                let claimed: Result<bool, StoreError> = claimed.await;
                *done.0.lock().unwrap() = true;
                done.1.notify_all();
                claimed.unwrap()
            })
        };
        let (one, two) = tokio::join!(crossed("a", "b"), crossed("b", "a"));
        assert!(one.unwrap() && two.unwrap());
        assert_eq!(count("frontdesk_transactions_repeated_total"), before + 1);
    }
}
