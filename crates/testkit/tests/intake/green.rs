//! Green API's webhooks: whose they are, and that their order and number change nothing.

use bytes::Bytes;
use frontdesk_testkit::green::{DOOR, INSTANCE, SECRET, fixtures, settings, token_of};
use frontdesk_testkit::meta::sign;
use frontdesk_testkit::server::TestServer;
use frontdesk_testkit::snapshot;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::{Value, json};

/// Bodies of which two name the same message in two ways, which Green API does not do: the vendor's examples share ids. And
/// a call whose two notifications differ in time: the line stands where the first to come puts it.
const CONTRADICTING: [&str; 2] = ["webhook_outgoing_api_text", "call_offered"];

fn recorded() -> Vec<Bytes> {
    let told = fixtures().into_iter().filter(|f| !CONTRADICTING.contains(&f.name.as_str()));
    told.map(|f| f.body).collect()
}

async fn shown_after(server: &TestServer, bodies: Vec<Bytes>, connections: usize) -> Value {
    server.connect_instances().await;
    let admin = server.admin_token().await;
    server.deliver_all_green(bodies, connections).await;
    snapshot::of_account(server, &admin).await
}

fn text(id: &str, chat: &str, at: i64, words: &str) -> Value {
    json!({
        "typeWebhook": "incomingMessageReceived",
        "instanceData": {"idInstance": 1_101_000_001, "wid": "15550100001@c.us", "typeInstance": "whatsapp"},
        "timestamp": at, "idMessage": id,
        "senderData": {"chatId": chat, "sender": chat, "senderName": "Ada"},
        "messageData": {"typeMessage": "textMessage", "textMessageData": {"textMessage": words}},
    })
}

fn bytes(body: &Value) -> Bytes {
    body.to_string().into()
}

#[tokio::test]
async fn every_recorded_body_is_shown_as_it_was_meant() {
    for server in TestServer::on_all(settings()).await {
        let state = shown_after(&server, recorded(), 1).await;
        insta::assert_snapshot!("green_bodies", serde_json::to_string_pretty(&state).unwrap());
        let failed = "SELECT COUNT(*) FROM webhook_logs WHERE state NOT IN ('applied', 'unreadable')";
        assert_eq!(server.database.number(failed).await, 0, "{}", server.database.kind);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_of_each_body_in_any_order_over_eight_connections_count_once() {
    let expected = shown_after(&TestServer::on_all(settings()).await[0], recorded(), 1).await;
    for seed in 1..4 {
        let same = recorded().into_iter().flat_map(|body| std::iter::repeat_n(body, 10));
        let mut bodies: Vec<Bytes> = same.collect();
        bodies.shuffle(&mut StdRng::seed_from_u64(seed));
        for server in TestServer::on_all(settings()).await {
            let found = shown_after(&server, bodies.clone(), 8).await;
            let text = |v: &Value| serde_json::to_string_pretty(v).unwrap();
            let (a, b) = (text(&expected), text(&found));
            let difference = a.lines().zip(b.lines()).enumerate().find(|(_, (a, b))| a != b);
            assert!(found == expected, "{} seed {seed}: first in line {difference:?}", server.database.kind);
        }
    }
}

#[tokio::test]
async fn one_id_in_two_chats_is_two_messages() {
    for server in TestServer::on_all(settings()).await {
        server.connect_instances().await;
        let admin = server.admin_token().await;
        for chat in ["15550100002@c.us", "15550100003@c.us"] {
            server.deliver_green(bytes(&text("A1", chat, 1_760_000_000, "Hello"))).await;
        }
        let talks = snapshot::conversations(&server, &admin).await;
        assert_eq!(talks.len(), 2);
        let id = talks[0]["id"].as_i64().unwrap();
        let shown = snapshot::messages(&server, &admin, id).await;
        assert_eq!(shown[0]["platform_message_id"], "A1", "as Green API writes it");
    }
}

#[tokio::test]
async fn a_hidden_number_is_one_person_with_the_open_one() {
    for server in TestServer::on_all(settings()).await {
        server.connect_instances().await;
        let admin = server.admin_token().await;
        let (lid, phone) = ("120650379300963@lid", "15550100002@c.us");
        server.deliver_green(bytes(&text("A1", lid, 1_760_000_000, "hidden"))).await;
        server.deliver_green(bytes(&text("A2", phone, 1_760_000_001, "open"))).await;
        assert_eq!(snapshot::conversations(&server, &admin).await.len(), 2, "nobody knows yet");
        let mut both = text("A3", lid, 1_760_000_002, "both");
        both["senderData"]["senderPhoneNumber"] = json!(15_550_100_002_i64);
        server.deliver_green(bytes(&both)).await;
        let talks = snapshot::conversations(&server, &admin).await;
        assert_eq!(talks.len(), 1, "{talks:?}");
        assert_eq!(talks[0]["customer"]["phone"], "+15550100002");
        let shown = snapshot::messages(&server, &admin, talks[0]["id"].as_i64().unwrap()).await;
        assert_eq!(shown.len(), 3);
    }
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_leaves_no_trace() {
    for server in TestServer::on_all(settings()).await {
        server.connect_instances().await;
        let body = bytes(&text("A1", "15550100002@c.us", 1_760_000_000, "Hello"));
        let with =
            |authorization: &str| server.post(DOOR).header("authorization", authorization).body(body.clone());
        for wrong in ["", "Bearer", "Bearer ", "Bearer wrong", &format!("Bearer {SECRET}")] {
            assert_eq!(with(wrong).send().await.status, 403, "{wrong}");
        }
        let of_another = format!("Bearer {}", token_of("1101000002"));
        assert_eq!(with(&of_another).send().await.status, 403, "token and instance belong together");
        assert_eq!(server.post(DOOR).body(body.clone()).send().await.status, 403);
        assert_eq!(server.database.number("SELECT COUNT(*) FROM webhook_logs").await, 0);
        for right in [token_of(INSTANCE), format!("Basic {}", token_of(INSTANCE))] {
            assert_eq!(with(&right).send().await.status, 200, "{right}");
        }
        assert_eq!(server.database.number("SELECT COUNT(*) FROM messages").await, 1);
    }
}

#[tokio::test]
async fn a_signature_decides_where_there_is_one() {
    for server in TestServer::on_all(settings()).await {
        server.connect_instances().await;
        let signed = |id: &str, secret: &str, token: Option<&str>| {
            let body = bytes(&text(id, "15550100002@c.us", 1_760_000_000, "Hello"));
            let call = server.post(DOOR).header("x-webhook-signature", sign(&body, secret));
            let call = match token {
                Some(token) => call.header("authorization", format!("Bearer {token}")),
                None => call,
            };
            call.body(body)
        };
        assert_eq!(signed("A1", SECRET, None).send().await.status, 200);
        let own = token_of(INSTANCE);
        assert_eq!(signed("A2", "another", Some(&own)).send().await.status, 403);
        assert_eq!(signed("A3", "", None).send().await.status, 403);
        assert_eq!(server.database.number("SELECT COUNT(*) FROM messages").await, 1);
    }
}

#[tokio::test]
async fn an_instance_without_a_token_has_the_servers() {
    for server in TestServer::on_all(settings()).await {
        server.connect_instance(server.account, INSTANCE, &[]).await;
        let body = bytes(&text("A1", "15550100002@c.us", 1_760_000_000, "Hello"));
        assert_eq!(server.green_webhook("wrong", body.clone()).send().await.status, 403);
        assert_eq!(server.green_webhook(SECRET, body).send().await.status, 200);
        assert_eq!(server.database.number("SELECT COUNT(*) FROM messages").await, 1);
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_answered_with_200_and_kept() {
    let instance = json!({"idInstance": 1_101_000_001});
    for server in TestServer::on_all(settings()).await {
        server.connect_instances().await;
        let own = token_of(INSTANCE);
        for (body, state) in [
            (json!({"typeWebhook": "hologramReceived", "instanceData": instance}).to_string(), "applied"),
            (json!({"instanceData": instance}).to_string(), "unreadable"),
            ("no json at all".to_owned(), "unreadable"),
        ] {
            assert_eq!(server.green_webhook(&own, body.clone()).send().await.status, 200, "{body}");
            let kept = format!("SELECT COUNT(*) FROM webhook_logs WHERE state = '{state}'");
            assert!(server.database.number(&kept).await > 0, "{body}");
        }
        let strange = json!({"typeWebhook": "stateInstanceChanged", "instanceData": {"idInstance": 42},
            "stateInstance": "authorized"});
        assert_eq!(server.green_webhook(SECRET, strange.to_string()).send().await.status, 200);
        let unrouted = "SELECT COUNT(*) FROM webhook_logs WHERE state = 'unrouted'";
        assert_eq!(server.database.number(unrouted).await, 1);
        assert_eq!(server.database.number("SELECT COUNT(*) FROM webhook_logs").await, 4);
    }
}

#[tokio::test]
async fn the_state_of_an_instance_is_that_of_its_inbox_and_old_news_change_nothing() {
    for server in TestServer::on_all(settings()).await {
        let inbox = server.connect_instance(server.account, INSTANCE, &[]).await;
        let admin = server.admin_token().await;
        let now_s = server.clock_seconds();
        for (at, state, code) in [
            (now_s + 1, "notAuthorized", "reconnect"),
            (now_s + 3, "authorized", "connected"),
            (now_s + 2, "blocked", "connected"),
            (now_s + 4, "yellowCard", "paused"),
        ] {
            server.clock.advance_ms(5_000);
            let body = json!({"typeWebhook": "stateInstanceChanged", "instanceData": {"idInstance": 1_101_000_001},
                "timestamp": at, "stateInstance": state});
            assert_eq!(server.green_webhook(SECRET, body.to_string()).send().await.status, 200);
            let shown = server.get(&format!("/api/v1/inboxes/{inbox}")).bearer(&admin).send().await.ok(200);
            assert_eq!(shown["state"]["code"], code, "{state}");
        }
    }
}
