//! From the event log to the clients: in order, without a gap, to nobody else.

use frontdesk_engine::accounts;
use frontdesk_testkit::database::databases;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::node::Node;

#[tokio::test]
async fn every_event_arrives_once_in_order_on_each_channel() {
    for database in databases().await {
        let node = Node::start(&database.url, "one", |_| {}).await;
        let ada = node.agent("ada").await;
        let mut client = Client::connect(&node).await;
        let account = format!("private-account.{}", node.account);
        for channel in [account.as_str(), "private-inbox"] {
            client.listen(&node, &ada, channel).await;
        }
        node.happen(node.account, 50).await;
        let mut heard = (Vec::new(), Vec::new());
        for _ in 0..100 {
            let frame = client.next().await;
            assert_eq!(frame["event"], "App\\Events\\ContactUpdated");
            let data: Value = serde_json::from_str(frame["data"].as_str().unwrap()).unwrap();
            assert_eq!(data["contact_id"], 7);
            let list = if frame["channel"] == account.as_str() { &mut heard.0 } else { &mut heard.1 };
            list.push(data["seq"].as_i64().unwrap());
        }
        let expected: Vec<i64> = (1..=50).collect();
        assert_eq!((&heard.0, &heard.1), (&expected, &expected), "{}", database.kind);
        client.expect_silence().await;
    }
}

#[tokio::test]
async fn two_accounts_share_a_channel_name_and_nothing_else() {
    for database in databases().await {
        let node = Node::start(&database.url, "one", |_| {}).await;
        let other = accounts::get_or_create_by_name(&node.engine, "Shop").await.unwrap();
        let (ada, eve) = (node.agent("ada").await, node.agent_of(other.id, "eve").await);
        let mut hers = Client::connect(&node).await;
        hers.listen(&node, &ada, "private-inbox").await;
        let mut eves = Client::open(&node, &other.realtime_key, None).await;
        eves.socket_id =
            eves.data_of("pusher:connection_established").await["socket_id"].as_str().unwrap().to_owned();
        eves.listen(&node, &eve, "private-inbox").await;
        node.happen(node.account, 1).await;
        assert_eq!(hers.next().await["event"], "App\\Events\\ContactUpdated");
        eves.expect_silence().await;
        // A permission of one account is worth nothing on a socket of the other.
        let form = [("socket_id", eves.socket_id.as_str()), ("channel_name", "private-account.1")];
        let (_, permission) = node.call(Method::POST, "/broadcasting/auth", &ada.token, &form).await;
        let frame = eves.subscribe("private-account.1", permission["auth"].as_str().unwrap(), None).await;
        assert_eq!(frame["event"], "pusher:subscription_error");
    }
}

#[tokio::test]
async fn a_client_that_was_away_catches_up_by_number() {
    for database in databases().await {
        let node = Node::start(&database.url, "one", |_| {}).await;
        let ada = node.agent("ada").await;
        let get = async |query: &str| {
            node.call(Method::GET, &format!("/api/v1/events?{query}"), &ada.token, &[]).await
        };
        // Someone who is here sees that what happened has been told; PostgreSQL numbers it after the commit.
        let mut here = Client::connect(&node).await;
        here.listen(&node, &ada, "private-inbox").await;
        node.happen(node.account, 5).await;
        for seq in 1..=5 {
            assert_eq!(here.data_of("App\\Events\\ContactUpdated").await["seq"], seq);
        }
        let mut client = Client::connect(&node).await;
        client.listen(&node, &ada, "private-inbox").await;
        node.happen(node.account, 1).await;
        assert_eq!(client.data_of("App\\Events\\ContactUpdated").await["seq"], 6);
        drop((here, client));
        node.happen(node.account, 1000).await;

        let mut known = 6;
        loop {
            let (status, page) = get(&format!("after={known}&limit=300")).await;
            assert_eq!((status, &page["resync"], &page["last_seq"]), (200, &json!(false), &json!(1006)));
            for event in page["data"].as_array().unwrap() {
                known += 1;
                assert_eq!((&event["seq"], &event["data"]["seq"]), (&json!(known), &json!(known)));
                assert_eq!(event["name"], "ContactUpdated");
            }
            if page["more"] == json!(false) {
                break;
            }
        }
        assert_eq!(known, 1006);
        assert_eq!(
            get("after=1006").await.1,
            json!({ "data": [], "last_seq": 1006, "more": false, "resync": false })
        );
        assert_eq!(get("after=1007").await.1["resync"], true, "a number we never gave");
        assert_eq!(get("after=-1").await.0, 422);
        assert_eq!(get("after=0&limit=501").await.0, 422);

        let account = node.account;
        let far = frontdesk_model::Timestamp::from_secs(4_000_000_000);
        node.engine
            .store
            .write(move |tx| frontdesk_store::events::delete_oldest(tx, account, far, 10))
            .await
            .unwrap();
        assert_eq!(
            get("after=5").await.1,
            json!({ "data": [], "last_seq": 1006, "more": false, "resync": true })
        );
        assert_eq!(get("after=10").await.1["resync"], false);
    }
}

#[tokio::test]
async fn no_event_is_missed_when_the_notification_connection_is_lost() {
    for database in databases().await.into_iter().filter(|d| d.kind == "postgres") {
        let (here, there) = (
            Node::start(&database.url, "here", |_| {}).await,
            Node::start(&database.url, "there", |_| {}).await,
        );
        let ada = here.agent("ada").await;
        let mut client = Client::connect(&here).await;
        client.listen(&here, &ada, "private-inbox").await;
        let happening = async {
            for _ in 0..20 {
                there.happen(there.account, 5).await;
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let cutting = async {
            for _ in 0..4 {
                tokio::time::sleep(std::time::Duration::from_millis(90)).await;
                cut_listeners(&database.url).await;
            }
        };
        let hearing = async {
            for seq in 1..=100 {
                assert_eq!(client.data_of("App\\Events\\ContactUpdated").await["seq"], seq);
            }
        };
        tokio::join!(happening, cutting, hearing);
    }
}

/// Ends the connections that wait for notifications, as a fail-over would.
async fn cut_listeners(url: &str) {
    let config: tokio_postgres::Config = url.parse().unwrap();
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND pid <> pg_backend_pid()";
    client.batch_execute(cut).await.unwrap();
    drop(client);
    driver.await.unwrap().unwrap();
}
