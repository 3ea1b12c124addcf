use frontdesk_engine::intake::replay;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, settings};
use frontdesk_testkit::server::TestServer;
use serde_json::Value;

const AT: i64 = 1_768_460_000;

/// Makes the database refuse a message with this text, as a bug of ours might.
async fn break_for(server: &TestServer, text: &str) {
    let sqlite = format!(
        "CREATE TRIGGER fault BEFORE INSERT ON messages WHEN new.content = '{text}' BEGIN
            SELECT RAISE(ABORT, 'a fault of the test');
         END;"
    );
    let postgres = format!("ALTER TABLE messages ADD CONSTRAINT fault CHECK (content <> '{text}')");
    server.database.script(if server.database.kind == "sqlite" { &sqlite } else { &postgres }).await;
}

async fn mend(server: &TestServer) {
    let sqlite = server.database.kind == "sqlite";
    let script = if sqlite { "DROP TRIGGER fault" } else { "ALTER TABLE messages DROP CONSTRAINT fault" };
    server.database.script(script).await;
}

fn text(id: &str, text: &str) -> Value {
    bodies::text(NUMBER, Person::named("6281390045512", "Sari"), id, AT, text)
}

async fn messages(server: &TestServer) -> i64 {
    server.database.number("SELECT COUNT(*) FROM messages").await
}

#[tokio::test]
async fn a_body_that_cannot_be_applied_is_kept_and_takes_no_other_with_it() {
    for server in TestServer::on_all(settings()).await {
        let admin = server.admin_token().await;
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        break_for(&server, "poison").await;
        let poison = bodies::merged(&[text("wamid.1", "before"), text("wamid.2", "poison")]);
        let others = (10..30).map(|n| bodies::bytes(&text(&format!("wamid.{n}"), "fine")));
        server.deliver_all(others.chain([bodies::bytes(&poison)]), 24).await;
        assert_eq!(messages(&server).await, 20, "{}: all or nothing of a body", server.database.kind);

        let failed = server.get("/api/v1/webhook-logs?state=failed").bearer(&admin).send().await.ok(200);
        let entry = &failed["data"][0];
        assert_eq!(failed["data"].as_array().unwrap().len(), 1);
        assert!(!entry["error"].as_str().unwrap().is_empty());
        let replay = format!("/api/v1/webhook-logs/{}/replay", entry["id"]);
        let still = server.post(&replay).bearer(&admin).send().await.ok(200);
        assert_eq!(still["state"], "failed");
        assert_eq!(still["attempts"], 2);

        mend(&server).await;
        let done = server.post(&replay).bearer(&admin).send().await.ok(200);
        assert_eq!(done["state"], "applied");
        assert_eq!(messages(&server).await, 22);
    }
}

#[tokio::test]
async fn a_failed_body_belongs_to_the_account_it_was_for() {
    for server in TestServer::on_all(settings()).await {
        server.other_account("Other").await; // so that nobody sees what belongs to no account
        let admin = server.admin_token().await;
        let inbox = server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        break_for(&server, "poison").await;
        server.deliver(bodies::bytes(&text("wamid.1", "poison"))).await;
        for _ in 0..2 {
            let listed = server.get("/api/v1/webhook-logs").bearer(&admin).send().await.ok(200);
            assert_eq!(listed["data"][0]["inbox_id"], inbox.0, "{}", server.database.kind);
            assert_eq!(listed["data"][0]["state"], "failed");
            replay::replay_open(&server.engine).await.unwrap();
        }
    }
}

#[tokio::test]
async fn everything_that_stayed_open_is_replayed_by_one_command() {
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        break_for(&server, "poison").await;
        for n in 0..3 {
            server.deliver(bodies::bytes(&text(&format!("wamid.{n}"), "poison"))).await;
        }
        let report = replay::replay_open(&server.engine).await.unwrap();
        assert_eq!((report.applied, report.remaining), (0, 3));
        mend(&server).await;
        let report = replay::replay_open(&server.engine).await.unwrap();
        assert_eq!((report.applied, report.remaining), (3, 0));
        assert_eq!(messages(&server).await, 3);
    }
}

#[tokio::test]
async fn what_is_genuine_but_cannot_be_read_is_refused_and_kept() {
    for server in TestServer::on_all(settings()).await {
        let admin = server.admin_token().await;
        for body in ["", "{", "[]", "{\"object\":\"page\"}", "\u{feff}{}"] {
            let refused = server.webhook(body).send().await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        let kept = server.get("/api/v1/webhook-logs?state=unreadable").bearer(&admin).send().await.ok(200);
        assert_eq!(kept["data"].as_array().unwrap().len(), 5, "{}", server.database.kind);
    }
}

#[tokio::test]
async fn a_full_or_absent_database_refuses_so_that_the_provider_tries_again() {
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        server.engine.store.close().await;
        let answer = server.webhook(bodies::bytes(&text("wamid.1", "hello"))).send().await;
        answer.refused(503, "STORAGE_UNAVAILABLE");
        assert!(!answer.header("retry-after").is_empty());
    }
}
