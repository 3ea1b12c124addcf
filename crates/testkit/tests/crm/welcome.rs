use frontdesk_engine::crm;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::NUMBER;
use frontdesk_testkit::server::START;
use serde_json::json;

use crate::{Desk, SITI, desks};

const WELCOME: &str = "Halo {{first_name|kak}}! Terima kasih telah menghubungi kami.";

async fn sent(desk: &Desk) -> i64 {
    crm::catch_up(&desk.server.engine).await.unwrap();
    let sql = "SELECT COUNT(*) FROM messages WHERE direction = 'outbound' AND sender_type = 'system'";
    desk.server.database.number(sql).await
}

async fn greeting_desks() -> Vec<Desk> {
    let desks = desks().await;
    for desk in &desks {
        desk.settle(json!({ "welcome": { "enabled": true, "text": WELCOME } })).await;
    }
    desks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_first_messages_at_once_are_one_welcome() {
    for desk in greeting_desks().await {
        let messages = (0..10).map(|n| {
            let (id, at) = (format!("wamid.{n}"), START.as_secs() + n);
            bodies::bytes(&bodies::text(NUMBER, Person::named(SITI, "Siti Aminah"), &id, at, "halo"))
        });
        let twice: Vec<_> = messages.clone().chain(messages).collect();
        desk.server.deliver_all(twice, 10).await;
        desk.server.clock.advance_ms(60_000); // the last of the ten was written nine seconds from now
        let other = desk.server.second_engine().await;
        let both = tokio::join!(crm::catch_up(&desk.server.engine), crm::catch_up(&other));
        both.0.unwrap();
        both.1.unwrap();
        assert_eq!(sent(&desk).await, 1, "{}", desk.server.database.kind);
        let chats = desk.get("/api/crm/inbox").await;
        assert_eq!(
            chats["conversations"][0]["last_message"],
            "Halo Siti! Terima kasih telah menghubungi kami."
        );
        assert_eq!(desk.server.database.number("SELECT COUNT(*) FROM outbox").await, 1);
        desk.write(SITI, "Siti Aminah", "wamid.later", 60, "halo?").await;
        assert_eq!(sent(&desk).await, 1, "who is known is not welcomed again");
    }
}

#[tokio::test]
async fn who_was_answered_first_is_not_welcomed() {
    for desk in greeting_desks().await {
        desk.write(SITI, "Siti", "wamid.1", 0, "halo").await;
        let body = json!({ "phone": SITI, "message": "Selamat pagi, Siti." });
        desk.post("/api/crm/messages/send", body, 200).await;
        assert_eq!(sent(&desk).await, 0);
        let skipped = "SELECT COUNT(*) FROM welcomes WHERE state = 'skipped'";
        assert_eq!(desk.server.database.number(skipped).await, 1);
    }
}

#[tokio::test]
async fn nobody_is_welcomed_unless_the_account_wants_it_or_by_what_our_side_wrote() {
    for desk in desks().await {
        desk.write(SITI, "Siti", "wamid.1", 0, "halo").await;
        desk.settle(json!({ "welcome": { "enabled": true, "text": WELCOME } })).await;
        desk.write(SITI, "Siti", "wamid.2", 1, "halo").await;
        let echo = bodies::echo(NUMBER, "6281390045577", "wamid.3", START.as_secs() + 2, "We write first");
        desk.server.deliver(bodies::bytes(&echo)).await;
        assert_eq!(sent(&desk).await, 0);
        assert_eq!(desk.server.database.number("SELECT COUNT(*) FROM welcomes").await, 0);
        desk.post("/api/crm/contacts/6281390045588/notes", json!({ "note": "From the fair" }), 201).await;
        desk.write("6281390045588", "Budi", "wamid.4", 3, "halo").await;
        assert_eq!(sent(&desk).await, 0, "somebody noted before is no newcomer");
    }
}

#[tokio::test]
async fn a_welcome_that_could_not_be_filled_in_is_not_settled_upon() {
    for desk in desks().await {
        let mut settings = desk.get("/api/crm/settings").await["data"].clone();
        for text in ["Halo {{name}}!", "Halo {{name", ""] {
            settings["welcome"] = json!({ "enabled": true, "text": text });
            let call = desk.server.call("PUT", "/api/crm/settings").bearer(&desk.admin).json(&settings);
            let refusal = call.send().await.refused(422, "VALIDATION_ERROR");
            assert!(refusal["errors"]["welcome.text"].is_array(), "{refusal}");
        }
    }
}
