//! The HTTP API that Laravel's broadcaster and Pusher's libraries speak.

use frontdesk_testkit::database::databases;
use serde_json::json;

use crate::client::Client;
use crate::node::Node;

async fn node() -> Node {
    let database = databases().await.remove(0);
    let node = Node::start(&database.url, "one", |_| {}).await;
    std::mem::forget(database);
    node
}

#[tokio::test]
async fn an_event_reaches_all_its_channels_but_not_its_cause() {
    let node = node().await;
    let (mut ada, mut bob) = (Client::connect(&node).await, Client::connect(&node).await);
    ada.subscribe("a", "", None).await;
    bob.subscribe("b", "", None).await;
    let event = json!({ "name": "App\\Events\\Shipped", "data": "{\"id\":1}", "channels": ["a", "b"], "socket_id": ada.socket_id });
    assert_eq!(node.signed("POST", "/events", "", &event.to_string()).await, (200, json!({})));
    assert_eq!(bob.data_of("App\\Events\\Shipped").await, json!({ "id": 1 }));
    ada.expect_silence().await;
    let batch = json!({ "batch": [
        { "name": "one", "channel": "a", "data": "{}", "info": "subscription_count" },
        { "name": "two", "channel": "b", "data": "{}" },
    ] });
    let answer = node.signed("POST", "/batch_events", "", &batch.to_string()).await;
    assert_eq!(answer, (200, json!({ "batch": [{ "subscription_count": 1 }, {}] })));
    assert_eq!(ada.next().await["event"], "one");
    assert_eq!(bob.next().await["event"], "two");
}

#[tokio::test]
async fn what_is_wrong_gets_pushers_status() {
    let node = node().await;
    let event = |change: serde_json::Value| {
        let mut event = json!({ "name": "n", "data": "{}", "channels": ["a"] });
        event.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        event.to_string()
    };
    let many: Vec<String> = (0..101).map(|n| format!("c{n}")).collect();
    for (status, body) in [
        (200, event(json!({}))),
        (200, event(json!({ "data": "x".repeat(10_240) }))),
        (413, event(json!({ "data": "x".repeat(10_241) }))),
        (200, event(json!({ "channels": many[..100] }))),
        (400, event(json!({ "channels": many }))),
        (400, event(json!({ "channels": [] }))),
        (400, event(json!({ "channels": ["no spaces"] }))),
        (400, event(json!({ "name": "" }))),
        (400, event(json!({ "name": "n".repeat(201) }))),
        (400, event(json!({ "data": { "not": "text" } }))),
        (400, event(json!({ "socket_id": "x" }))),
        (400, "{".to_owned()),
    ] {
        let (got, answer) = node.signed("POST", "/events", "", &body).await;
        assert_eq!(got, status, "{answer} {}", &body[..body.len().min(200)]);
    }
    let batch = json!({ "batch": vec![json!({ "name": "n", "data": "", "channel": "a" }); 11] }).to_string();
    assert_eq!(node.signed("POST", "/batch_events", "", &batch).await.0, 400);
}

#[tokio::test]
async fn only_the_application_itself_may_call() {
    let node = node().await;
    let client = crate::node::web_client();
    let now = frontdesk_model::Clock::now(&frontdesk_model::clock::SystemClock).as_secs();
    let path = format!("/apps/{}/events", node.app_id);
    let body = r#"{"name":"n","data":"{}","channels":["a"]}"#;
    let secret = node.secret().await;
    let key = node.signer.key();
    let post = async |url: String, body: &str| {
        let request = client.post(format!("http://{}{url}", node.address)).body(body.to_owned());
        request.header("content-type", "application/json").send().await.unwrap().status().as_u16()
    };
    let sign = |path: &str, key: &str, secret: &str, at: i64| {
        crate::signing::signed_path("POST", path, "", body, key, secret, at)
    };
    assert_eq!(post(sign(&path, key, &secret, now), body).await, 200);
    assert_eq!(post(sign(&path, key, &secret, now - 599), body).await, 200);
    assert_eq!(post(sign(&path, key, &secret, now - 660), body).await, 401);
    assert_eq!(post(sign(&path, key, "another secret", now), body).await, 401);
    assert_eq!(post(sign(&path, "another-key", &secret, now), body).await, 401);
    assert_eq!(post(sign(&path, key, &secret, now), "{}").await, 401);
    assert_eq!(post(path.clone(), body).await, 401);
    assert_eq!(post(sign("/apps/nobody/events", key, &secret, now), body).await, 404);
}

#[tokio::test]
async fn channels_and_users_are_listed() {
    let node = node().await;
    let (mut ada, mut bob) = (Client::connect(&node).await, Client::connect(&node).await);
    ada.join(&node, "presence-room", "1").await;
    bob.join(&node, "presence-room", "1").await;
    bob.subscribe("news", "", None).await;
    let get = async |path: &str, query: &str| node.signed("GET", path, query, "").await;
    assert_eq!(get("/channels", "").await, (200, json!({ "channels": { "news": {}, "presence-room": {} } })));
    let figures = get("/channels", "filter_by_prefix=presence-&info=user_count,subscription_count").await;
    let room = json!({ "user_count": 1, "subscription_count": 2 });
    assert_eq!(figures, (200, json!({ "channels": { "presence-room": room } })));
    assert_eq!(get("/channels", "info=user_count").await.0, 400);
    assert_eq!(get("/channels/news", "").await, (200, json!({ "occupied": true })));
    assert_eq!(get("/channels/empty", "").await, (200, json!({ "occupied": false })));
    let one = get("/channels/presence-room", "info=user_count,subscription_count").await;
    assert_eq!(one, (200, json!({ "occupied": true, "user_count": 1, "subscription_count": 2 })));
    assert_eq!(get("/channels/presence-room/users", "").await, (200, json!({ "users": [{ "id": "1" }] })));
    assert_eq!(get("/channels/news/users", "").await.0, 400);
    let (status, _) = node.signed("POST", "/users/1/terminate_connections", "", "{}").await;
    assert_eq!(status, 200);
    for client in [&mut ada, &mut bob] {
        assert_eq!(client.closed().await, 4009);
    }
}

#[tokio::test]
async fn a_cache_channel_repeats_its_last_event() {
    let node = node().await;
    let mut early = Client::connect(&node).await;
    early.subscribe("cache-price", "", None).await;
    assert_eq!(early.next().await["event"], "pusher:cache_miss");
    let event = json!({ "name": "price", "data": "{\"is\":7}", "channels": ["cache-price"] }).to_string();
    assert_eq!(node.signed("POST", "/events", "", &event).await.0, 200);
    assert_eq!(early.data_of("price").await["is"], 7);
    let mut late = Client::connect(&node).await;
    late.subscribe("cache-price", "", None).await;
    assert_eq!(late.data_of("price").await["is"], 7);
}
