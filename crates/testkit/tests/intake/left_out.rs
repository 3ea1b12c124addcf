//! Whatever nothing is made of is named in the log: nothing is dropped in silence.

use frontdesk_engine::intake::replay;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, settings};
use frontdesk_testkit::server::TestServer;
use serde_json::{Value, json};

const AT: i64 = 1_768_460_000;
const SARI: Person<'static> =
    Person { phone: Some("6281390045512"), user_id: None, name: Some("Sari Wulandari") };

async fn log(server: &TestServer, admin: &str) -> Value {
    server.get("/api/v1/webhook-logs").bearer(admin).send().await.ok(200)["data"].clone()
}

async fn number(server: &TestServer, what: &str) -> i64 {
    server.database.number(&format!("SELECT COUNT(*) FROM {what}")).await
}

#[tokio::test]
async fn what_is_of_no_use_here_is_named_beside_its_inbox() {
    for server in TestServer::on_all(settings()).await {
        let admin = server.admin_token().await;
        let inbox = server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        server.other_account("Other").await; // what belongs to no account would be shown to nobody
        let group = json!({ "type": "text", "text": { "body": "halo semua" }, "group_id": "Y2FwaV9n" });
        server.deliver(bodies::bytes(&bodies::message(NUMBER, SARI, "wamid.g", AT, group))).await;
        let entry = &log(&server, &admin).await[0];
        assert_eq!((&entry["state"], &entry["inbox_id"]), (&json!("applied"), &json!(inbox.0)));
        assert_eq!(entry["error"], "not used: a group's message (text): groups are no inbox");
    }
}

#[tokio::test]
async fn an_unreadable_part_leaves_the_body_open_and_costs_no_other_part() {
    for server in TestServer::on_all(settings()).await {
        let admin = server.admin_token().await;
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        let mut body = bodies::text(NUMBER, SARI, "wamid.1", AT, "halo");
        let value = &mut body["entry"][0]["changes"][0]["value"];
        value["statuses"] = json!([{ "status": "sent" }]);
        value["errors"] = json!([{ "code": 131_000, "title": "Something went wrong" }]);
        for _ in 0..3 {
            server.deliver(bodies::bytes(&body)).await;
        }
        let entry = log(&server, &admin).await[0].clone();
        assert_eq!((&entry["state"], &entry["attempts"]), (&json!("unreadable"), &json!(1)));
        let remark = entry["error"].as_str().unwrap();
        assert!(remark.starts_with("unreadable: status: "), "{remark}");
        assert_eq!(number(&server, "messages").await, 1);
        let notices = "audit_entries WHERE action = 'inbox.notice'";
        assert_eq!(number(&server, notices).await, 1, "{}: a repeat changes nothing", server.database.kind);
        let report = replay::replay_open(&server.engine).await.unwrap();
        assert_eq!((report.applied, report.remaining), (0, 1), "a later version may read it");
    }
}

#[tokio::test]
async fn a_batch_of_nothing_is_told_in_few_words() {
    for server in TestServer::on_all(settings()).await {
        let admin = server.admin_token().await;
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        let change = json!({ "field": "flows", "value": {} });
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": "1", "changes": vec![change; 100] }],
        });
        server.deliver(bodies::bytes(&body)).await;
        let remark = log(&server, &admin).await[0]["error"].as_str().unwrap().to_owned();
        assert!(remark.ends_with("; and 92 more"), "{remark}");
    }
}

#[tokio::test]
async fn half_an_emoji_costs_no_text() {
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        let body = bodies::text(NUMBER, SARI, "wamid.1", AT, "halo HALF").to_string();
        server.deliver(bytes::Bytes::from(body.replace("HALF", r"\ud83d"))).await;
        assert_eq!(number(&server, "messages WHERE content = 'halo \u{fffd}'").await, 1);
    }
}

#[tokio::test]
async fn a_status_without_a_time_happened_now() {
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        let echo = json!({ "message_echoes": [{ "id": "wamid.e", "from": "6281211002200", "to": "6281390045512",
            "timestamp": AT.to_string(), "type": "text", "text": { "body": "halo" } }] });
        server.deliver(bodies::bytes(&bodies::whatsapp(NUMBER, echo))).await;
        let read = json!({ "statuses": [{ "id": "wamid.e", "status": "read", "timestamp": "TIMESTAMP" }] });
        server.deliver(bodies::bytes(&bodies::whatsapp(NUMBER, read))).await;
        let then = format!("messages WHERE status = 'read' AND read_at > {}", AT * 1000);
        assert_eq!(number(&server, &then).await, 1);
    }
}
