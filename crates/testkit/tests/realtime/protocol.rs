//! One node, one socket at a time: what the protocol promises.

use frontdesk_engine::realtime::settings::PublicInbox;
use frontdesk_engine::tokens;
use frontdesk_engine::users::{self, UserChanges};
use frontdesk_testkit::database::databases;
use reqwest::Method;
use serde_json::json;

use crate::client::Client;
use crate::node::Node;

async fn node() -> Node {
    node_with(|_| {}).await
}

async fn node_with(change: impl FnOnce(&mut frontdesk_engine::settings::EngineSettings)) -> Node {
    let database = databases().await.remove(0); // SQLite
    let node = Node::start(&database.url, "one", change).await;
    std::mem::forget(database); // its folder goes with the process
    node
}

#[tokio::test]
async fn an_unknown_key_is_told_so_and_closed_for_good() {
    let node = node().await;
    let mut client = Client::open(&node, "nobody", None).await;
    let error = client.next().await;
    assert_eq!((error["event"].as_str(), error["data"]["code"].as_i64()), (Some("pusher:error"), Some(4001)));
    assert_eq!(client.closed().await, 4001);
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused() {
    let node = node().await;
    let mut client = Client::open(&node, node.signer.key(), Some("https://evil.example")).await;
    assert_eq!(client.next().await["data"]["code"], 4009);
    assert_eq!(client.closed().await, 4009);
    let own = format!("http://{}", node.address);
    let mut client = Client::open(&node, node.signer.key(), Some(&own)).await;
    assert_eq!(client.next().await["event"], "pusher:connection_established");
}

#[tokio::test]
async fn pings_are_answered_and_a_silent_client_is_pinged_then_closed() {
    let node = node_with(|settings| {
        settings.realtime.limits.activity_timeout_secs = 1;
        settings.realtime.limits.pong_timeout_secs = 1;
    })
    .await;
    let mut client = Client::connect(&node).await;
    client.send(json!({ "event": "pusher:ping", "data": {} })).await;
    assert_eq!(client.next().await["event"], "pusher:pong");
    assert_eq!(client.next().await["event"], "pusher:ping");
    // The library has answered the WebSocket's own ping: that counts as life.
    client.send(json!({ "event": "pusher:pong", "data": {} })).await;
    assert_eq!(client.next().await["event"], "pusher:ping");

    let (mut stream, silent) = (Client::connect(&node).await.stream, tokio::time::Instant::now());
    // Not read from: so nothing is answered.
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    let mut last = None;
    while let Some(Ok(message)) = futures_util::StreamExt::next(&mut stream).await {
        last = Some(message);
    }
    let Some(tokio_tungstenite::tungstenite::Message::Close(Some(frame))) = last else { panic!("{last:?}") };
    assert_eq!(u16::from(frame.code), 4201);
    assert!(silent.elapsed().as_secs() < 10);
}

#[tokio::test]
async fn bad_frames_are_answered_and_leave_the_socket_open() {
    let node = node().await;
    let mut client = Client::connect(&node).await;
    for frame in
        [json!("text"), json!([]), json!({}), json!({ "event": "pusher:subscribe" }), json!({ "event": "x" })]
    {
        client.send(frame).await;
        assert_eq!(client.next().await["event"], "pusher:error");
    }
    let name = client.subscribe("no spaces", "", None).await;
    assert_eq!(name["event"], "pusher:subscription_error");
    assert_eq!(client.subscribe("room", "", None).await["event"], "pusher_internal:subscription_succeeded");
    assert_eq!(client.subscribe("room", "", None).await["event"], "pusher:error");
    client.send(json!({ "event": "pusher:unsubscribe", "data": { "channel": "room" } })).await;
    assert_eq!(client.subscribe("room", "", None).await["event"], "pusher_internal:subscription_succeeded");
}

#[tokio::test]
async fn too_large_a_frame_ends_the_connection() {
    let node = node().await;
    let mut client = Client::connect(&node).await;
    client.send(json!({ "event": "client-x", "channel": "private-x", "data": "x".repeat(11_000) })).await;
    assert_ne!(client.closed().await, 4200);
}

#[tokio::test]
async fn a_socket_has_its_limit_of_channels() {
    let node = node_with(|settings| settings.realtime.limits.max_channels_per_socket = 2).await;
    let mut client = Client::connect(&node).await;
    for channel in ["a", "b"] {
        assert_eq!(
            client.subscribe(channel, "", None).await["event"],
            "pusher_internal:subscription_succeeded"
        );
    }
    assert_eq!(client.subscribe("c", "", None).await["event"], "pusher:subscription_error");
}

#[tokio::test]
async fn an_account_has_its_limit_of_sockets() {
    let node = node_with(|settings| settings.realtime.limits.max_sockets_per_account = 1).await;
    let first = Client::connect(&node).await;
    let mut second = Client::open(&node, node.signer.key(), None).await;
    assert_eq!(second.closed().await, 4100);
    drop(first);
    for _ in 0..100 {
        let mut again = Client::open(&node, node.signer.key(), None).await;
        if again.next_or_close().await.is_ok_and(|f| f["event"] == "pusher:connection_established") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the place of the first did not become free");
}

#[tokio::test]
async fn only_channels_of_ones_own_account_are_given() {
    let node = node().await;
    let ada = node.agent("ada").await;
    let mut client = Client::connect(&node).await;
    for channel in ["private-account.1", "private-inbox"] {
        client.listen(&node, &ada, channel).await;
    }
    for channel in
        ["private-account.2", "private-other", "presence-conversation.999", "inbox", "private-encrypted-x"]
    {
        let form = [("socket_id", client.socket_id.as_str()), ("channel_name", channel)];
        let (status, body) = node.call(Method::POST, "/broadcasting/auth", &ada.token, &form).await;
        assert_eq!((status, body["code"].as_str()), (403, Some("UNAUTHORIZED")), "{channel}");
        let made_up = format!("{}:{}", node.signer.key(), "0".repeat(64));
        let frame = client.subscribe(channel, &made_up, Some(r#"{"user_id":"1"}"#)).await;
        assert_eq!(frame["event"], "pusher:subscription_error", "{channel}");
    }
    let form = [("socket_id", "1.2:presence-x"), ("channel_name", "private-inbox")];
    let (status, _) = node.call(Method::POST, "/broadcasting/auth", &ada.token, &form).await;
    assert_eq!(status, 422);
    let form = [("socket_id", "1.2"), ("channel_name", "private-inbox")];
    let (status, _) = node.call(Method::POST, "/broadcasting/auth", "1|wrong", &form).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn client_events_go_to_the_others_of_private_channels_only() {
    let node = node_with(|settings| settings.realtime.limits.client_events_per_second = 3).await;
    let (mut ada, mut bob) = (Client::connect(&node).await, Client::connect(&node).await);
    for client in [&mut ada, &mut bob] {
        client.listen_signed(&node, "private-room").await;
        client.subscribe("public-room", "", None).await;
    }
    let event = |channel: &str| json!({ "event": "client-typing", "channel": channel, "data": { "at": 1 }, "user_id": "9" });
    ada.send(event("private-room")).await;
    assert_eq!(
        bob.next().await,
        json!({ "event": "client-typing", "channel": "private-room", "data": { "at": 1 } })
    );
    for channel in ["public-room", "private-elsewhere"] {
        ada.send(event(channel)).await;
        assert_eq!(ada.next().await["data"]["code"], 4301);
    }
    bob.expect_silence().await;
    for _ in 0..20 {
        ada.send(event("private-room")).await;
    }
    assert_eq!(ada.next().await["data"]["code"], 4301, "too many, and none came back");
}

#[tokio::test]
async fn members_are_told_who_comes_and_who_goes() {
    let node = node().await;
    let (mut ada, mut bob, mut bob_too) =
        (Client::connect(&node).await, Client::connect(&node).await, Client::connect(&node).await);
    let here = ada.join(&node, "presence-room", "1").await;
    assert_eq!(here, json!({ "count": 1, "ids": ["1"], "hash": { "1": { "name": "User 1" } } }));
    let here = bob.join(&node, "presence-room", "2").await;
    assert_eq!(here["ids"], json!(["1", "2"]));
    let added = ada.data_of("pusher_internal:member_added").await;
    assert_eq!(added, json!({ "user_id": "2", "user_info": { "name": "User 2" } }));
    assert_eq!(bob_too.join(&node, "presence-room", "2").await["count"], 2);
    ada.send(json!({ "event": "client-wave", "channel": "presence-room", "data": null, "user_id": "2" }))
        .await;
    assert_eq!(bob.next().await["user_id"], "1", "filled in by the server");
    assert_eq!(bob_too.next().await["event"], "client-wave");
    drop(bob);
    ada.expect_silence().await;
    bob_too.send(json!({ "event": "pusher:unsubscribe", "data": { "channel": "presence-room" } })).await;
    assert_eq!(ada.data_of("pusher_internal:member_removed").await, json!({ "user_id": "2" }));
}

#[tokio::test]
async fn a_presence_channel_has_its_limits() {
    let node = node_with(|settings| {
        settings.realtime.limits.max_presence_members = 1;
        settings.realtime.limits.max_user_info_bytes = 20;
    })
    .await;
    let (mut ada, mut bob) = (Client::connect(&node).await, Client::connect(&node).await);
    ada.join(&node, "presence-room", "1").await;
    let subscribe = async |client: &mut Client, data: &str| {
        let auth = node.signer.sign_channel(&client.socket_id, "presence-room", Some(data));
        client.subscribe("presence-room", &auth, Some(data)).await
    };
    let full = subscribe(&mut bob, r#"{"user_id":2}"#).await;
    assert_eq!(full["event"], "pusher:subscription_error");
    assert!(full["data"].as_str().unwrap().contains("LimitReached"), "{full}");
    let long = subscribe(&mut bob, r#"{"user_id":1,"user_info":"xxxxxxxxxxxxxxxxxxxxxx"}"#).await;
    assert_eq!(long["event"], "pusher:subscription_error");
    // A socket that was refused leaves no trace: the same user, from elsewhere, stays counted.
    let again = subscribe(&mut bob, r#"{"user_id":1}"#).await;
    assert_eq!(again["event"], "pusher_internal:subscription_succeeded");
    drop(ada);
    let mut carl = Client::connect(&node).await;
    assert_eq!(subscribe(&mut carl, r#"{"user_id":2}"#).await["event"], "pusher:subscription_error");
    drop(bob);
    for _ in 0..100 {
        if subscribe(&mut carl, r#"{"user_id":2}"#).await["event"] == "pusher_internal:subscription_succeeded"
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the place did not become free");
}

#[tokio::test]
async fn a_socket_ends_with_the_token_it_was_authenticated_with() {
    let node = node().await;
    let (ada, bob) = (node.agent("ada").await, node.agent("bob").await);
    let (mut hers, mut his) = (Client::connect(&node).await, Client::connect(&node).await);
    hers.listen(&node, &ada, "private-inbox").await;
    his.listen(&node, &bob, "private-inbox").await;
    let actor = frontdesk_engine::caller::Actor::server(node.account);
    let id = frontdesk_model::TokenId(ada.token.split('|').next().unwrap().parse().unwrap());
    tokens::revoke(&node.engine, actor, id, None).await.unwrap();
    assert_eq!(hers.next().await["data"]["code"], 4009);
    assert_eq!(hers.closed().await, 4009);
    let change = UserChanges { disabled: Some(true), ..UserChanges::default() };
    users::update(&node.engine, actor, bob.id, change).await.unwrap();
    assert_eq!(his.closed().await, 4009);
}

#[tokio::test]
async fn a_user_signs_in_and_hears_what_is_meant_for_them() {
    let node = node().await;
    let ada = node.agent("ada").await;
    let mut client = Client::connect(&node).await;
    let channel = format!("#server-to-user-{}", ada.id);
    assert_eq!(client.subscribe(&channel, "", None).await["event"], "pusher:subscription_error");
    let form = [("socket_id", client.socket_id.as_str())];
    let (status, permission) = node.call(Method::POST, "/broadcasting/user-auth", &ada.token, &form).await;
    assert_eq!(status, 200, "{permission}");
    let mut forged = permission.clone();
    forged["user_data"] = json!(r#"{"id":"99"}"#);
    client.send(json!({ "event": "pusher:signin", "data": forged })).await;
    assert_eq!(client.next().await["event"], "pusher:error");
    client.send(json!({ "event": "pusher:signin", "data": permission })).await;
    assert_eq!(client.data_of("pusher:signin_success").await["user_data"], permission["user_data"]);
    assert_eq!(client.subscribe(&channel, "", None).await["event"], "pusher_internal:subscription_succeeded");
    let body = json!({ "name": "hello", "data": "{}", "channels": [channel] }).to_string();
    assert_eq!(node.signed("POST", "/events", "", &body).await.0, 200);
    assert_eq!(client.next().await["event"], "hello");
}

#[tokio::test]
async fn the_public_inbox_is_as_open_as_its_setting_says() {
    for (setting, expected) in
        [(PublicInbox::Off, false), (PublicInbox::SignedIn, false), (PublicInbox::Open, true)]
    {
        let node = node_with(|settings| settings.realtime.public_inbox = setting).await;
        let mut client = Client::connect(&node).await;
        let frame = client.subscribe("inbox", "", None).await;
        assert_eq!(
            frame["event"] == "pusher_internal:subscription_succeeded",
            expected,
            "{setting}: {frame}"
        );
        if setting == PublicInbox::SignedIn {
            let ada = node.agent("ada").await;
            let form = [("socket_id", client.socket_id.as_str())];
            let (_, permission) = node.call(Method::POST, "/pusher/user-auth", &ada.token, &form).await;
            client.send(json!({ "event": "pusher:signin", "data": permission })).await;
            client.data_of("pusher:signin_success").await;
            let frame = client.subscribe("inbox", "", None).await;
            assert_eq!(frame["event"], "pusher_internal:subscription_succeeded", "{frame}");
        }
        if setting == PublicInbox::Open {
            node.happen(node.account, 1).await;
            assert_eq!(client.next().await["event"], "App\\Events\\ContactUpdated");
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_and_the_others_get_everything() {
    const EVENTS: usize = 1500;
    let node = node_with(|settings| settings.realtime.limits.max_backlog_bytes = 65_536).await;
    let mut slow = Client::connect(&node).await;
    let mut quick = Client::connect(&node).await;
    for client in [&mut slow, &mut quick] {
        client.subscribe("news", "", None).await;
    }
    let reading = tokio::spawn(async move {
        for number in 0..EVENTS {
            assert_eq!(quick.data_of("news").await["number"], number);
        }
    });
    for number in 0..EVENTS {
        let data = json!({ "number": number, "padding": "x".repeat(9000) }).to_string();
        let event = frontdesk_engine::realtime::trigger::Trigger {
            name: "news".to_owned(),
            data,
            channels: vec!["news".to_owned()],
            socket_id: None,
        };
        node.engine.realtime().trigger(node.account, &event).unwrap();
        tokio::time::sleep(std::time::Duration::from_micros(500)).await;
    }
    reading.await.unwrap();
    for _ in 0..200 {
        if node.engine.realtime().hub.count() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let left = slow.next_or_close().await;
    panic!("the slow socket is still there: {left:?}");
}

#[tokio::test]
async fn a_stopping_server_sends_its_clients_elsewhere() {
    let node = node().await;
    let mut client = Client::connect(&node).await;
    client.join(&node, "presence-room", "1").await;
    let stopping = tokio::spawn(node.stop());
    assert_eq!(client.closed().await, 4200);
    stopping.await.unwrap();
}
