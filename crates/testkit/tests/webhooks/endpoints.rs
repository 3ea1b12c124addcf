//! Making, changing and ending webhooks.

use frontdesk_model::ContactId;
use serde_json::json;

use crate::receiver::Receiver;
use crate::{SITI, grounds};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_is_shown_once_and_the_old_one_holds_for_a_day() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        let (id, old) = ground.listen(&receiver, json!({ "description": "CRM" })).await;
        let shown = ground.get(&format!("/{id}")).await;
        assert!(shown.get("secret").is_none(), "{shown}");
        let rotated = ground.post(&format!("/{id}/secret"), json!({}), 200).await;
        let new = rotated["secret"].as_str().unwrap().to_owned();
        assert!(new != old && new.starts_with("whsec_"));
        ground.writes(SITI, "wamid.first", "Hello").await;
        ground.work().await;
        ground.server.clock.advance_ms(86_400_000);
        ground.writes(SITI, "wamid.second", "Hello again").await;
        ground.work().await;
        let heard = receiver.heard();
        assert!(heard[0].is_signed_with(&old) && heard[0].is_signed_with(&new));
        assert!(!heard[1].is_signed_with(&old) && heard[1].is_signed_with(&new));
        for (_, dump) in ground.server.database.dump().await {
            assert!(
                !dump.contains(&new) && !dump.contains(new.trim_start_matches("whsec_")),
                "sealed at rest"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_inside_and_unknown_events_are_refused() {
    for ground in grounds().await {
        for (body, field) in [
            (json!({ "url": "http://10.0.0.7/hook" }), "url"),
            (json!({ "url": "https://169.254.169.254/latest" }), "url"),
            (json!({ "url": "https://[::1]/hook" }), "url"),
            (json!({ "url": "https://me:secret@example.org/" }), "url"),
            (json!({ "url": "ftp://example.org/" }), "url"),
            (json!({ "url": "nowhere" }), "url"),
            (json!({ "url": "https://example.org/#part" }), "url"),
            (json!({ "url": "https://example.org/", "events": ["message.invented"] }), "events"),
            (json!({ "url": "https://example.org/", "events": ["webhook.test"] }), "events"),
            (json!({ "url": "https://example.org/", "inbox_id": 987_654 }), "inbox_id"),
            (json!({ "url": "https://example.org/", "description": "x".repeat(201) }), "description"),
        ] {
            let call = ground.server.post("/api/v1/webhooks").bearer(&ground.token).json(&body);
            let told = call.send().await.refused(422, "VALIDATION_ERROR");
            assert!(told["errors"].get(field).is_some(), "{body}: {told}");
        }
        assert_eq!(ground.get("").await["data"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_holds_for_what_comes_next() {
    for ground in grounds().await {
        let (before, after) = (Receiver::default(), Receiver::default());
        let (id, _) = ground.listen(&before, json!({ "events": ["typing"] })).await;
        let url = after.open().await;
        let changed = ground.patch(id, json!({ "url": url, "events": [], "description": "Desk" })).await;
        assert_eq!(
            (&changed["url"], &changed["events"], &changed["description"]),
            (&json!(url), &json!([]), &json!("Desk"))
        );
        ground.writes(SITI, "wamid.first", "Hello").await;
        ground.work().await;
        assert!(before.heard().is_empty());
        assert_eq!(after.words(), ["Hello"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_webhook_or_an_inbox_that_was_removed() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        let (id, _) = ground.listen(&receiver, json!({})).await;
        ground.listen(&receiver, json!({ "inbox_id": ground.inbox.0 })).await;
        ground.writes(SITI, "wamid.first", "Hello").await;
        ground.work().await;
        let rows =
            async |table: &str| ground.server.database.number(&format!("SELECT COUNT(*) FROM {table}")).await;
        assert_eq!((rows("webhook_sends").await, rows("webhook_attempts").await), (2, 2));
        ground.server.delete(&format!("/api/v1/webhooks/{id}")).bearer(&ground.token).send().await.ok(204);
        assert_eq!((rows("webhook_sends").await, rows("webhook_attempts").await), (1, 1));
        let inbox = format!("/api/v1/inboxes/{}", ground.inbox);
        ground.server.delete(&inbox).bearer(&ground.token).send().await.ok(204);
        assert_eq!((rows("webhook_sends").await, rows("webhook_attempts").await), (0, 0));
        assert_eq!(rows("webhook_endpoints").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_wrote_is_gone_from_the_deliveries_when_they_are_erased() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        ground.listen(&receiver, json!({})).await;
        ground.writes(SITI, "wamid.first", "my secret wish").await;
        ground.work().await;
        let chats = ground.server.get("/api/v1/conversations").bearer(&ground.token).send().await.ok(200);
        let contact = ContactId(chats["data"][0]["customer_id"].as_i64().unwrap());
        let actor = frontdesk_engine::caller::Actor::server(ground.server.account);
        frontdesk_engine::erase::erase(&ground.server.engine, actor, contact).await.unwrap();
        for (table, dump) in ground.server.database.dump().await {
            assert!(!dump.contains("my secret wish"), "{table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_forgotten_after_their_time_and_waiting_ones_are_not() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        let (id, _) = ground.listen(&receiver, json!({})).await;
        ground.writes(SITI, "wamid.first", "told").await;
        ground.work().await;
        ground.patch(id, json!({ "enabled": false })).await;
        let wait = "INSERT INTO webhook_sends (account_id, endpoint_id, event_key, event, lane, body, state, due_at, give_up_at, created_at)
            SELECT account_id, endpoint_id, 'waits', event, lane, body, 'queued', due_at, give_up_at, created_at FROM webhook_sends";
        ground.server.database.script(wait).await;
        let later = frontdesk_testkit::server::START.plus_ms(31 * 86_400_000);
        let forget = move |tx: &mut frontdesk_store::Tx<'_>| {
            frontdesk_store::webhook_sends::delete_oldest(tx, later.plus_ms(-30 * 86_400_000), 100)
        };
        assert_eq!(ground.server.engine.store.write(forget).await.unwrap(), 1);
        let log = ground.get(&format!("/{id}/deliveries")).await;
        assert_eq!(log["data"].as_array().unwrap().len(), 1);
        assert_eq!(log["data"][0]["state"], "queued");
    }
}
