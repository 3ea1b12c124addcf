use frontdesk_model::user::{Ability, Role};
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, SECOND_NUMBER, settings};
use frontdesk_testkit::server::{START, TestServer};
use serde_json::{Value, json};

use crate::desk::desks;

#[tokio::test]
async fn every_list_and_reply_says_how_many_more_are_allowed() {
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        let agent = server.agent_token().await;
        let body =
            bodies::text(NUMBER, Person::named("6281390045512", "Sari"), "wamid.1", START.as_secs(), "hi");
        server.deliver(bodies::bytes(&body)).await;
        for n in 1..=61 {
            let answer = server.get("/admin/inbox?per_page=1").bearer(&agent).send().await;
            assert_eq!(answer.status, if n <= 60 { 200 } else { 429 });
            assert_eq!(answer.header("x-ratelimit-limit"), "60");
            assert_eq!(answer.header("x-ratelimit-remaining"), (60_i32 - n).max(0).to_string());
            assert_eq!(answer.header("x-ratelimit-reset"), (START.as_secs() + 60).to_string());
        }
        server.clock.advance_ms(15_000);
        let refused = server.get("/admin/inbox").bearer(&agent).send().await;
        assert_eq!(
            refused.refused(429, "RATE_LIMITED"),
            json!({ "error": "Too Many Requests", "code": "RATE_LIMITED", "details": {}, "retry_after": 45 })
        );
        assert_eq!(refused.header("retry-after"), "45");
        for n in 1..=31 {
            let call = server.post("/admin/inbox/1/messages").bearer(&agent);
            let answer = call.json(&json!({ "content": format!("{n}") })).send().await;
            assert_eq!(answer.status, if n <= 30 { 201 } else { 429 }, "{}", answer.text());
            assert_eq!(answer.header("x-ratelimit-limit"), "30");
        }
        for path in ["/api/v1/conversations", "/admin/inbox/1"] {
            let free = server.get(path).bearer(&agent).send().await;
            assert_eq!((free.status, free.header("x-ratelimit-limit")), (200, ""));
        }
        let other = server.user("other@example.org", Role::Agent).await;
        let other = server.token(&other, &[Ability::All]).await;
        assert_eq!(
            server.get("/admin/inbox").bearer(&other).send().await.status,
            200,
            "each user has their own"
        );
    }
}

#[tokio::test]
async fn the_log_of_webhooks_is_paged_filtered_and_for_admins_only() {
    for desk in desks().await {
        for n in 0..5 {
            desk.write("6281390045512", "Sari", &format!("wamid.{n}"), -50 + n, "hi").await;
        }
        let nobodys = bodies::text(
            SECOND_NUMBER,
            Person::named("6281390045512", "Sari"),
            "wamid.x",
            START.as_secs(),
            "hi",
        );
        desk.server.deliver(bodies::bytes(&nobodys)).await;
        desk.server.webhook("{").send().await.refused(422, "VALIDATION_ERROR");
        let list = async |query: &str| {
            let call = desk.server.get(&format!("/api/v1/webhook-logs?{query}")).bearer(&desk.admin);
            call.send().await.ok(200)
        };
        let all = list("").await;
        let states: Vec<&str> =
            all["data"].as_array().unwrap().iter().map(|l| l["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["unreadable", "unrouted", "applied", "applied", "applied", "applied", "applied"]);
        let row = &all["data"][6];
        assert_eq!(
            *row,
            json!({ "id": row["id"], "inbox_id": row["inbox_id"], "path": "/api/webhooks/messages", "state": "applied",
                "error": null, "events": 1, "attempts": 1, "received_at": "2026-01-15T08:00:00Z",
                "applied_at": "2026-01-15T08:00:00Z" })
        );
        assert!(row["inbox_id"].is_i64());
        let text = all.to_string();
        assert!(!text.contains("6281390045512") && !text.contains("Sari"), "no word of a customer");
        let first = list("limit=3").await;
        let second = list(&format!("limit=3&cursor={}", first["next_cursor"].as_str().unwrap())).await;
        let ids = |page: &Value| {
            page["data"].as_array().unwrap().iter().map(|l| l["id"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!([ids(&first), ids(&second)].concat(), ids(&all)[..6]);
        assert_eq!(list("state=unreadable").await["data"].as_array().unwrap().len(), 1);
        assert_eq!(list("state=pending").await["data"], json!([]));
        let wrong = desk.server.get("/api/v1/webhook-logs?state=lost").bearer(&desk.admin).send().await;
        assert!(wrong.refused(422, "VALIDATION_ERROR")["errors"]["state"].is_array());
        for (path, status, code) in [
            ("/api/v1/webhook-logs/999/replay", 404, "NOT_FOUND"),
            ("/api/v1/webhook-logs/x/replay", 400, "BAD_REQUEST"),
        ] {
            desk.server.post(path).bearer(&desk.admin).send().await.refused(status, code);
        }
        let unreadable = format!("/api/v1/webhook-logs/{}/replay", all["data"][0]["id"]);
        assert_eq!(
            desk.server.post(&unreadable).bearer(&desk.admin).send().await.ok(200)["state"],
            "unreadable"
        );

        // With a second account nobody can say whose these are.
        desk.server.other_account("Other").await;
        assert_eq!(list("").await["data"].as_array().unwrap().len(), 5);
        desk.server.post(&unreadable).bearer(&desk.admin).send().await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_conversation_is_marked_as_read_and_typing_is_shown_by_the_machines_routes_too() {
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.1", -50, "hi").await;
        let id = desk.conversation("Sari").await["id"].clone();
        let read =
            desk.server.post(&format!("/api/v1/conversations/{id}/read")).bearer(&desk.agent).send().await;
        assert_eq!(read.ok(200)["unread_count"], 0);
        let typing =
            desk.server.post(&format!("/api/v1/conversations/{id}/typing")).bearer(&desk.agent).send().await;
        assert_eq!(typing.status, 204);
        let file = desk.server.post("/api/v1/attachments/1/fetch").bearer(&desk.agent).send().await;
        file.refused(404, "NOT_FOUND");
    }
}
