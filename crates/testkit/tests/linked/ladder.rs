//! When a message is tried again that the network refuses for now.

use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::Channel;
use frontdesk_store::outbox;
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use serde_json::json;

use crate::phones::{NUMBER, link};

#[tokio::test(flavor = "multi_thread")]
async fn a_linked_phone_tries_after_ten_thirty_and_sixty_seconds_and_then_gives_up() {
    for stage in Stage::on_all(StageSettings::default()).await {
        link(&stage, "reception", NUMBER).await;
        let thread = stage.thread("reception").await;
        let always = serde_json::from_value(json!([{ "fault": "unavailable", "rate": 1.0 }])).unwrap();
        stage.sandbox.world().faults.insert(Channel::LinkedWhatsapp, always);
        let id = stage.say(&thread, "Selamat pagi").await;
        let account = stage.account;
        for (tries, wait_ms) in [(1, 10_000), (2, 30_000), (3, 60_000)] {
            let due_at = until("it was tried", || async {
                let row = stage.read(move |tx| outbox::find_of_message(tx, account, id)).await?;
                let is_waiting = row.attempts == tries && row.state == outbox::OutboxState::Queued;
                is_waiting.then_some(row.due_at)
            })
            .await;
            let attempts = stage.attempts(id).await;
            assert_eq!(i64::try_from(attempts.len()), Ok(tries));
            let left_ms = due_at.millis_since(frontdesk_model::clock::Clock::now(&*stage.clock));
            assert!((wait_ms - 5_000..=wait_ms).contains(&left_ms), "try {tries}: {left_ms} of {wait_ms} ms");
            stage.clock.advance_ms(left_ms.max(0));
        }
        stage.reaches(id, MessageStatus::Failed).await;
        assert_eq!(stage.attempts(id).await.len(), 4);
    }
}
