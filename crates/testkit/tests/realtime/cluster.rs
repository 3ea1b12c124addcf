//! Two nodes on one PostgreSQL.

use frontdesk_testkit::database::{TestDatabase, databases};
use reqwest::Method;
use serde_json::json;

use crate::client::Client;
use crate::node::Node;

/// A PostgreSQL database with two nodes; `None` where there is no server.
async fn two_nodes() -> Option<(TestDatabase, Node, Node)> {
    let database = databases().await.into_iter().find(|d| d.kind == "postgres")?;
    let here = Node::start(&database.url, "here", |_| {}).await;
    let there = Node::start(&database.url, "there", |_| {}).await;
    Some((database, here, there))
}

#[tokio::test]
async fn members_of_all_nodes_are_one_room() {
    let Some((_database, here, there)) = two_nodes().await else { return };
    let mut ada = Client::connect(&here).await;
    ada.join(&here, "presence-room", "1").await;
    let mut bob = Client::connect(&there).await;
    assert_eq!(bob.join(&there, "presence-room", "2").await["ids"], json!(["1", "2"]));
    assert_eq!(ada.data_of("pusher_internal:member_added").await["user_id"], "2");
    // The same user on another node is no news, neither coming nor going.
    let mut ada_too = Client::connect(&there).await;
    assert_eq!(ada_too.join(&there, "presence-room", "1").await["count"], 2);
    drop(ada);
    bob.expect_silence().await;
    let mut carl = Client::connect(&here).await;
    assert_eq!(carl.join(&here, "presence-room", "3").await["ids"], json!(["1", "2", "3"]));
    assert_eq!(bob.data_of("pusher_internal:member_added").await["user_id"], "3");
    assert_eq!(ada_too.data_of("pusher_internal:member_added").await["user_id"], "3");
    drop(ada_too);
    assert_eq!(bob.data_of("pusher_internal:member_removed").await["user_id"], "1");
    assert_eq!(carl.data_of("pusher_internal:member_removed").await["user_id"], "1");
}

#[tokio::test]
async fn each_member_sees_a_consistent_room_however_many_come_at_once() {
    let Some((_database, here, there)) = two_nodes().await else { return };
    let mut watcher = Client::connect(&here).await;
    watcher.join(&here, "presence-room", "0").await;
    let mut coming = Vec::new();
    for user in 0..30 {
        let node = if user % 2 == 0 { &here } else { &there };
        coming.push(async move {
            let mut client = Client::connect(node).await;
            client.join(node, "presence-room", &(user / 3 + 1).to_string()).await;
            client
        });
    }
    let clients = futures_util::future::join_all(coming).await;
    let mut seen = Vec::new();
    for _ in 0..10 {
        seen.push(
            watcher.data_of("pusher_internal:member_added").await["user_id"].as_str().unwrap().to_owned(),
        );
    }
    seen.sort_by_key(|id| id.parse::<u32>().unwrap());
    assert_eq!(seen, (1..=10).map(|n| n.to_string()).collect::<Vec<_>>(), "each user once");
    watcher.expect_silence().await;
    drop(clients);
    for _ in 0..10 {
        watcher.data_of("pusher_internal:member_removed").await;
    }
    watcher.expect_silence().await;
    let (_, users) = here.signed("GET", "/channels/presence-room/users", "", "").await;
    assert_eq!(users, json!({ "users": [{ "id": "0" }] }));
}

#[tokio::test]
async fn events_of_clients_and_programs_cross_nodes() {
    let Some((_database, here, there)) = two_nodes().await else { return };
    let (mut ada, mut bob) = (Client::connect(&here).await, Client::connect(&there).await);
    ada.listen_signed(&here, "private-room").await;
    bob.listen_signed(&there, "private-room").await;
    ada.send(json!({ "event": "client-typing", "channel": "private-room", "data": { "n": 1 } })).await;
    assert_eq!(bob.next().await["data"]["n"], 1);
    let event =
        json!({ "name": "x", "data": "{}", "channels": ["private-room"], "socket_id": bob.socket_id })
            .to_string();
    assert_eq!(here.signed("POST", "/events", "", &event).await.0, 200);
    assert_eq!(ada.next().await["event"], "x");
    bob.expect_silence().await;
    let (_, channels) = there.signed("GET", "/channels", "info=subscription_count", "").await;
    assert_eq!(channels, json!({ "channels": { "private-room": { "subscription_count": 2 } } }));
    let cached = json!({ "name": "price", "data": "7", "channels": ["cache-price"] }).to_string();
    assert_eq!(here.signed("POST", "/events", "", &cached).await.0, 200);
    bob.send(json!({ "event": "pusher:ping" })).await;
    assert_eq!(bob.next().await["event"], "pusher:pong");
    for _ in 0..100 {
        if there.engine.realtime().hub.has_last(there.account, "cache-price") {
            bob.subscribe("cache-price", "", None).await;
            assert_eq!(bob.next().await["event"], "price");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the cached event did not cross");
}

#[tokio::test]
async fn a_user_is_terminated_wherever_they_are() {
    let Some((_database, here, there)) = two_nodes().await else { return };
    let ada = here.agent("ada").await;
    let mut far = Client::connect(&there).await;
    // Permission from one node, socket on the other.
    let form = [("socket_id", far.socket_id.as_str()), ("channel_name", "private-inbox")];
    let (_, permission) = here.call(Method::POST, "/broadcasting/auth", &ada.token, &form).await;
    far.subscribe("private-inbox", permission["auth"].as_str().unwrap(), None).await;
    for _ in 0..200 {
        if !there.engine.realtime().hub.logins().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let path = format!("/users/{}/terminate_connections", ada.id);
    assert_eq!(here.signed("POST", &path, "", "{}").await.0, 200);
    assert_eq!(far.closed().await, 4009);
}

#[tokio::test]
async fn members_of_a_node_that_stops_or_dies_are_gone() {
    let Some((database, here, there)) = two_nodes().await else { return };
    let mut watcher = Client::connect(&here).await;
    watcher.join(&here, "presence-room", "1").await;
    let mut bob = Client::connect(&there).await;
    bob.join(&there, "presence-room", "2").await;
    watcher.data_of("pusher_internal:member_added").await;
    there.stop().await;
    assert_eq!(watcher.data_of("pusher_internal:member_removed").await["user_id"], "2");

    // A node that ended without a word: its last sign of life is old.
    here.engine
        .store
        .write(|tx| {
            frontdesk_store::nodes::beat(tx, "dead", frontdesk_model::Timestamp::from_secs(1))?;
            frontdesk_store::presence_members::add(
                tx,
                frontdesk_model::AccountId(1),
                "presence-room",
                "3",
                "dead",
                "null",
            )
        })
        .await
        .unwrap();
    let third = Node::start(&database.url, "third", |_| {}).await;
    assert_eq!(watcher.data_of("pusher_internal:member_removed").await["user_id"], "3");
    let (_, users) = third.signed("GET", "/channels/presence-room/users", "", "").await;
    assert_eq!(users, json!({ "users": [{ "id": "1" }] }));
}
