//! What one node does at a time, however long it takes.

use frontdesk_engine::turn::Turn;
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use futures_util::future::join_all;
use serde_json::Value;

use crate::shared::two_nodes;

const DAY_MS: i64 = 86_400_000;
/// Conversations that are told to be gone, as pages hear it.
const GONE: &str = "SELECT COUNT(*) FROM events WHERE kind = 'conversation_merged'";

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_prolonged_while_the_work_goes_on_and_lost_by_who_stood_still() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let data = tempfile::tempdir().unwrap();
        let engine = || stage.engine(stage.first().settings.clone(), data.path());
        let (one, two) = (engine().await, engine().await);
        let take = |engine| Turn::take(engine, "test", 60_000);
        let mut turn = take(&one).await.unwrap().unwrap();
        assert!(take(&two).await.unwrap().is_none());
        for _ in 0..5 {
            stage.clock.advance_ms(40_000);
            assert!(turn.goes_on().await.unwrap());
            assert!(take(&two).await.unwrap().is_none(), "{}: it was prolonged", stage.database.kind);
        }
        stage.clock.advance_ms(61_000);
        let theirs = take(&two).await.unwrap().expect("the first stood still for too long");
        assert!(!turn.goes_on().await.unwrap(), "{}", stage.database.kind);
        turn.end().await.unwrap();
        assert!(take(&one).await.unwrap().is_none(), "ending what was lost takes nothing from the other");
        theirs.end().await.unwrap();
        let mut again = take(&one).await.unwrap().unwrap();
        one.shutdown.cancel();
        assert!(!again.goes_on().await.unwrap(), "a program that stops leaves its work");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_that_erase_one_customer_one_does_it() {
    let Some(stage) = two_nodes(StageSettings::default()).await else { return };
    let threads = stage.threads("whatsapp", 12).await;
    let mut asked = Vec::new();
    for thread in &threads {
        let (_, shown) =
            stage.call("GET", &format!("/api/v1/conversations/{}", thread.id), Value::Null).await;
        let path = format!("/api/v1/contacts/{}", shown["customer_id"]);
        asked.extend([(0, path.clone()), (1, path)]);
    }
    let ask = |(node, path): &(usize, String)| {
        let (stage, node, path) = (&stage, *node, path.clone());
        async move { stage.call_on(node, "DELETE", &path, Value::Null).await.0 }
    };
    let answers = join_all(asked.iter().map(ask)).await;
    assert!(answers.iter().all(|status| [204, 404].contains(status)), "{answers:?}");
    assert!(answers.chunks(2).all(|pair| pair.contains(&204)), "{answers:?}");
    assert_eq!(stage.database.number(GONE).await, 12, "each is told once");
    for table in ["contacts", "conversations", "messages", "contact_identities", "erasures"] {
        assert_eq!(stage.database.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_that_forget_what_is_old_each_row_is_forgotten_by_one() {
    let mut settings = StageSettings::default();
    settings.engine.retention.message_days = 30;
    let Some(mut stage) = two_nodes(settings).await else { return };
    let threads = stage.threads("whatsapp", 20).await;
    for thread in &threads {
        stage.arrives(stage.say(thread, "Hello").await).await;
    }
    for node in &mut stage.nodes {
        node.stop().await;
    }
    stage.clock.advance_ms(31 * DAY_MS);
    let data = tempfile::tempdir().unwrap();
    let engine = || stage.engine(stage.first().settings.clone(), data.path());
    let engines = [engine().await, engine().await];
    let workers = engines.each_ref().map(frontdesk_engine::workers::spawn);
    until("everyone is forgotten", || async {
        (stage.database.number("SELECT COUNT(*) FROM contacts").await == 0).then_some(())
    })
    .await;
    for (engine, workers) in engines.iter().zip(workers) {
        engine.shutdown.cancel();
        workers.stopped().await;
    }
    assert_eq!(stage.database.number(GONE).await, 20, "each is told once");
    let left = "SELECT COUNT(*) FROM messages";
    assert_eq!(stage.database.number(left).await, 0);
    assert_eq!(stage.database.number("SELECT COUNT(*) FROM leases WHERE name = 'retention'").await, 0);
}
