use frontdesk_model::MessageId;
use frontdesk_model::user::{Ability, Role};
use frontdesk_store::messages;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, settings};
use frontdesk_testkit::server::TestServer;
use frontdesk_testkit::snapshot;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

const NEWS: [&str; 5] = ["sent", "delivered", "read", "played", "failed"];
const AT: i64 = 1_793_260_000;
const SARI: Person<'static> = Person { phone: Some("6281390045512"), user_id: None, name: Some("Sari") };

/// All orders of the five.
fn orders() -> Vec<Vec<usize>> {
    fn extend(order: Vec<usize>, all: &mut Vec<Vec<usize>>) {
        if order.len() == NEWS.len() {
            return all.push(order);
        }
        for next in (0..NEWS.len()).filter(|n| !order.contains(n)) {
            extend([order.as_slice(), &[next]].concat(), all);
        }
    }
    let mut all = Vec::new();
    extend(Vec::new(), &mut all);
    all
}

/// Tells the news of one message in this order, up to where `until` says.
async fn tell(server: &TestServer, id: &str, order: &[usize], client_ref: Option<&str>) {
    for n in order {
        let at = AT + 10 + *n as i64;
        let body = bodies::status(NUMBER, SARI, id, at, NEWS[*n], client_ref);
        server.deliver(bodies::bytes(&body)).await;
    }
}

async fn check(server: &TestServer, token: &str, count: usize) {
    let conversations = snapshot::conversations(server, token).await;
    assert_eq!(conversations.len(), 1, "{}", server.database.kind);
    let rows = snapshot::messages(server, token, conversations[0]["id"].as_i64().unwrap()).await;
    let ours: Vec<&Value> = rows.iter().filter(|m| m["direction"] == "outbound").collect();
    assert_eq!(ours.len(), count);
    for row in ours {
        assert_eq!(row["status"], "played", "{row}");
        assert_eq!(row["status_error"], Value::Null, "{row}");
        assert_eq!(row["read_at"], json!(frontdesk_model::Timestamp::from_secs(AT + 12)), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_orders_of_a_messages_news_end_in_the_same_status() {
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        let admin = server.admin_token().await;
        let orders = orders();
        assert_eq!(orders.len(), 120);
        let told = stream::iter(orders.iter().enumerate()).map(async |(n, order)| {
            let id = format!("wamid.{n}");
            let echo = bodies::bytes(&bodies::echo(NUMBER, "6281390045512", &id, AT, "hello"));
            // The message itself comes first, last, or in the middle of its news.
            let before = n % (NEWS.len() + 1);
            tell(&server, &id, &order[..before], None).await;
            server.deliver(echo).await;
            tell(&server, &id, &order[before..], None).await;
        });
        told.buffer_unordered(16).collect::<Vec<()>>().await;
        check(&server, &admin, 120).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reply_whose_id_we_never_learned_is_found_by_our_own_reference() {
    let mut settings = settings();
    settings.engine.limits.send_per_minute = 1000;
    for server in TestServer::on_all(settings).await {
        server.connect_all().await;
        let admin = server.user("admin@example.org", Role::Admin).await;
        let admin = server.token(&admin, &[Ability::All]).await;
        let first = bodies::text(NUMBER, SARI, "wamid.first", 1_793_500_000, "hello?");
        server.deliver(bodies::bytes(&first)).await;
        let conversation = snapshot::conversations(&server, &admin).await[0]["id"].clone();
        let replies = stream::iter(orders().into_iter().enumerate()).map(async |(n, order)| {
            let reply = server.post(&format!("/admin/inbox/{conversation}/messages")).bearer(&admin);
            let reply = reply.json(&json!({ "content": format!("answer {n}") })).send().await.ok(201);
            let id = MessageId(reply["id"].as_i64().unwrap());
            let account = server.account;
            let row = server.engine.store.read(move |tx| messages::find(tx, account, id)).await.unwrap();
            let client_ref = row.unwrap().client_ref.expect("every reply has a reference");
            tell(&server, &format!("wamid.ours.{n}"), &order, Some(&client_ref)).await;
        });
        replies.buffer_unordered(16).collect::<Vec<()>>().await;
        check(&server, &admin, 120).await;
        let queued = server.database.number("SELECT COUNT(*) FROM outbox WHERE message_id IS NOT NULL").await;
        assert_eq!(queued, 0, "what arrived is not sent again");
    }
}

#[tokio::test]
async fn a_failure_is_told_with_its_reason_until_something_better_is_known() {
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        let admin = server.admin_token().await;
        for (id, order) in [("wamid.a", [0, 4]), ("wamid.b", [4, 0])] {
            server.deliver(bodies::bytes(&bodies::echo(NUMBER, "6281390045512", id, AT, "hello"))).await;
            tell(&server, id, &order, None).await;
        }
        let conversation = &snapshot::conversations(&server, &admin).await[0];
        let rows = snapshot::messages(&server, &admin, conversation["id"].as_i64().unwrap()).await;
        assert_eq!(rows.len(), 2);
        for row in &rows {
            assert_eq!(
                (row["status"].as_str(), row["status_error"]["code"].as_str()),
                (Some("failed"), Some("131026"))
            );
        }
        tell(&server, "wamid.a", &[1], None).await;
        let rows = snapshot::messages(&server, &admin, conversation["id"].as_i64().unwrap()).await;
        let better = rows.iter().find(|m| m["platform_message_id"] == "wamid.a").unwrap();
        assert_eq!((better["status"].as_str(), &better["status_error"]), (Some("delivered"), &Value::Null));
    }
}

#[tokio::test]
async fn a_read_mark_raises_everything_before_it_and_what_comes_late() {
    let page = frontdesk_testkit::meta::PAGE;
    let echo = |n: i64| {
        let message = json!({ "mid": format!("m_{n}"), "text": "ours", "is_echo": true });
        let event = json!({ "timestamp": AT * 1000 + n, "message": message });
        bodies::bytes(&bodies::messaging("page", page, page, "4711", event))
    };
    let read = json!({ "timestamp": AT * 1000 + 5000, "read": { "watermark": AT * 1000 + 650 } });
    let read = bodies::bytes(&bodies::messaging("page", page, "4711", page, read));
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        let admin = server.admin_token().await;
        server.deliver_all((1..=640).map(echo), 16).await;
        server.deliver(read.clone()).await;
        server.deliver_all((641..=660).map(echo), 16).await;
        let conversation = &snapshot::conversations(&server, &admin).await[0];
        let rows = snapshot::messages(&server, &admin, conversation["id"].as_i64().unwrap()).await;
        assert_eq!(rows.len(), 660);
        let unread = rows.iter().filter(|m| m["status"] != "read").count();
        assert_eq!(unread, 10, "{}: those after the mark", server.database.kind);
    }
}
