//! What goes through a session: in, out, and what becomes of it when the session drops.

use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::linked::phone;
use frontdesk_testkit::stage::{Stage, StageSettings, id_of, until};
use serde_json::{Value, json};

use crate::phones::{NUMBER, in_state, link};

fn quick() -> StageSettings {
    let mut settings = StageSettings::default();
    (settings.engine.linked.backoff_first_ms, settings.engine.linked.backoff_longest_ms) = (10, 40);
    settings
}

/// The texts of a conversation, oldest first.
async fn texts(stage: &Stage, conversation: i64) -> Vec<String> {
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let (code, listed) = stage.call("GET", &path, Value::Null).await;
    assert_eq!(code, 200, "{listed}");
    let mut texts: Vec<String> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["content"].as_str().unwrap_or_default().to_owned())
        .collect();
    texts.sort();
    texts
}

#[tokio::test]
async fn a_customer_writes_and_reads_the_answer() {
    for stage in Stage::on_all(quick()).await {
        link(&stage, "reception", NUMBER).await;
        let thread = stage.thread("reception").await;
        let id = id_of(&stage.reply(&thread, json!({ "content": "Selamat pagi" })).await);
        phone_reads(&stage, &thread.customer);
        until("the answer was read", || async {
            (stage.message(id).await.status == MessageStatus::Read).then_some(())
        })
        .await;
        until("every event was acknowledged", || async {
            let world = stage.sandbox.world();
            world.linked.phones.get("reception").is_some_and(|p| p.unacknowledged() == 0).then_some(())
        })
        .await;
    }
}

fn phone_reads(stage: &Stage, customer: &str) {
    frontdesk_sandbox::phone::open(&stage.sandbox, customer, "reception", true).unwrap();
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_while_the_session_keeps_dropping() {
    for stage in Stage::on_all(quick()).await {
        link(&stage, "reception", NUMBER).await;
        let thread = stage.thread("reception").await;
        for n in 0..30 {
            stage.act(&thread.customer, "reception", json!({ "kind": "text", "text": format!("n{n:02}") }));
            if n % 3 == 0 {
                phone::drop_connection(&stage.sandbox, "reception");
            }
        }
        let mut wanted: Vec<String> = (0..30).map(|n| format!("n{n:02}")).collect();
        wanted.insert(0, "Halo".to_owned());
        until("all thirty came in", || async {
            (texts(&stage, thread.id.0).await.len() >= wanted.len()).then_some(())
        })
        .await;
        assert_eq!(texts(&stage, thread.id.0).await, wanted);
    }
}

#[tokio::test]
async fn what_is_written_while_the_phone_is_away_waits_for_it_and_goes_once() {
    for stage in Stage::on_all(quick()).await {
        link(&stage, "reception", NUMBER).await;
        let thread = stage.thread("reception").await;
        phone::set_offline(&stage.sandbox, "reception", true);
        in_state(&stage, "reception", "reconnecting").await;
        let path = format!("/admin/inbox/{}/messages", thread.id);
        for text in ["one", "two"] {
            let (code, sent) = stage.call("POST", &path, json!({ "content": text })).await;
            assert_eq!(code, 201, "{sent}");
        }
        assert!(
            stage.sandbox.world().deliveries.iter().all(|d| d.entry.inbox_id != "reception"),
            "nothing left yet"
        );
        phone::set_offline(&stage.sandbox, "reception", false);
        in_state(&stage, "reception", "connected").await;
        let sent = || {
            let world = stage.sandbox.world();
            let of_inbox = world.deliveries.iter().filter(|d| d.entry.inbox_id == "reception");
            of_inbox.map(|d| d.entry.text.clone().unwrap_or_default()).collect::<Vec<_>>()
        };
        until("both went", || async { (sent().len() >= 2).then_some(()) }).await;
        assert_eq!(sent(), ["one", "two"]);
    }
}

#[tokio::test]
async fn a_hidden_number_becomes_the_same_person_once_it_is_known() {
    for stage in Stage::on_all(quick()).await {
        link(&stage, "reception", NUMBER).await;
        let new = serde_json::from_value(json!({ "name": "Hidden", "bsuid_only": true })).unwrap();
        let customer = stage.sandbox.world().add_customer(new).unwrap().id;
        let first = stage.act(&customer, "reception", json!({ "kind": "text", "text": "from an id" }));
        let before = stage.received("reception", &first).await.conversation_id;
        frontdesk_sandbox::phone::change_number(&stage.sandbox, &customer, "6281399988877").unwrap();
        let second = stage.act(&customer, "reception", json!({ "kind": "text", "text": "from a number" }));
        let after = stage.received("reception", &second).await.conversation_id;
        assert_eq!(before, after);
    }
}

#[tokio::test]
async fn strangers_are_written_to_one_after_the_other_and_only_so_many_a_day() {
    let mut settings = quick();
    let linked = &mut settings.engine.linked;
    (linked.pace_simulated, linked.new_recipients_per_day) = (true, 2);
    (linked.cold_gap_min_ms, linked.cold_gap_max_ms) = (1_500, 1_600);
    for stage in Stage::on_all(settings).await {
        link(&stage, "reception", NUMBER).await;
        let thread = stage.thread("reception").await;
        for phone in ["6289900000001", "6289900000002", "6289900000003"] {
            let body =
                json!({ "phone": phone, "message": "Halo", "type": "text", "session_id": "reception" });
            let (code, sent) = stage.call("POST", "/api/crm/messages/send", body).await;
            assert_eq!(code, 200, "{sent}");
        }
        let path = format!("/admin/inbox/{}/messages", thread.id);
        stage.call("POST", &path, json!({ "content": "an answer" })).await;
        let sent = || {
            let world = stage.sandbox.world();
            let of_inbox = world.deliveries.iter().filter(|d| d.entry.inbox_id == "reception");
            of_inbox.map(|d| (d.entry.at_ms, d.entry.text.clone().unwrap_or_default())).collect::<Vec<_>>()
        };
        until("an answer and two strangers were written to", || async { (sent().len() >= 3).then_some(()) })
            .await;
        let strangers: Vec<i64> =
            sent().iter().filter(|(_, text)| text == "Halo").map(|(at, _)| *at).collect();
        assert_eq!(strangers.len(), 2, "the third waits for tomorrow: {:?}", sent());
        assert!(strangers[1] - strangers[0] >= 1_000, "{strangers:?}");
    }
}
