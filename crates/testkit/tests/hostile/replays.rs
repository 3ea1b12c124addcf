//! A genuine body again, after any time: one effect.

use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, SECOND_NUMBER, settings};
use frontdesk_testkit::server::{START, TestServer};
use frontdesk_testkit::snapshot;
use serde_json::json;

fn sari() -> Person<'static> {
    Person::named("6281390045512", "Sari")
}

/// Meta signs no time, so a captured body stays genuine for ever: the ids in it are remembered for as long.
#[tokio::test]
async fn a_captured_webhook_has_one_effect_however_often_and_late_it_is_played_again() {
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        let token = server.admin_token().await;
        let captured = bodies::bytes(&bodies::text(NUMBER, sari(), "wamid.1", START.as_secs(), "Halo"));
        server.deliver(captured.clone()).await;
        let conversation = snapshot::conversations(&server, &token).await[0]["id"].as_i64().unwrap();
        server
            .post(&format!("/api/v1/conversations/{conversation}/read"))
            .bearer(&token)
            .send()
            .await
            .ok(200);
        let before = snapshot::of_account(&server, &token).await;
        let events = server.database.number("SELECT COUNT(*) FROM events").await;
        for later_ms in [1_000, 298_000, 2_000, 8 * 86_400_000, 400 * 86_400_000] {
            server.clock.advance_ms(later_ms);
            server.deliver(captured.clone()).await;
            let after = snapshot::of_account(&server, &token).await;
            assert_eq!(after, before, "{later_ms} ms later on {}", server.database.kind);
        }
        assert_eq!(
            server.database.number("SELECT COUNT(*) FROM events").await,
            events,
            "nobody hears of it again"
        );
    }
}

/// The ids of one body in another: a message is known by its inbox and id, and what is known is not written over.
#[tokio::test]
async fn an_id_seen_before_does_not_change_what_it_stands_for() {
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        server.connect(server.account, "whatsapp_cloud", SECOND_NUMBER, &[]).await;
        let token = server.admin_token().await;
        let text = |number, person, id, text| {
            bodies::bytes(&bodies::text(number, person, id, START.as_secs(), text))
        };
        server.deliver(text(NUMBER, sari(), "wamid.1", "mine")).await;
        let before = snapshot::of_account(&server, &token).await;
        let eve = Person::named("14155550100", "Eve");
        server.deliver(text(NUMBER, eve, "wamid.1", "swapped")).await;
        server.deliver(text(NUMBER, sari(), "wamid.1", "rewritten")).await;
        let mut after = snapshot::of_account(&server, &token).await;
        // Eve did write to us, whatever id her message bears: she may be known, but has no line in any thread.
        let said = after.to_string();
        assert!(!said.contains("swapped") && !said.contains("rewritten"), "{said}");
        after["contacts"] = before["contacts"].clone();
        assert_eq!(after, before, "{}", server.database.kind);
        // At another inbox the same id is another message.
        server.deliver(text(SECOND_NUMBER, eve, "wamid.1", "elsewhere")).await;
        assert!(snapshot::of_account(&server, &token).await.to_string().contains("elsewhere"));
    }
}

/// From the future by more than the tolerance: shown now, so that it does not stand at the top for ever.
#[tokio::test]
async fn a_time_in_the_future_gives_no_lasting_first_place() {
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        let token = server.admin_token().await;
        for (n, at) in
            [START.as_secs() + 301, i64::from(u32::MAX), 99_999_999_999, -5].into_iter().enumerate()
        {
            let body = bodies::text(NUMBER, sari(), &format!("wamid.{n}"), at, "when?");
            server.deliver(bodies::bytes(&body)).await;
        }
        let list = server.get("/api/v1/conversations").bearer(&token).send().await.ok(200);
        assert_eq!(list["data"].as_array().unwrap().len(), 1);
        let latest = server.database.number("SELECT MAX(sent_at) FROM messages").await;
        assert!(latest <= START.plus_ms(301_000).as_millis(), "{latest} on {}", server.database.kind);
        assert_ne!(list["data"][0]["last_message_at"], json!(null));
    }
}
