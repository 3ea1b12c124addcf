//! Each try of a delivery, and telling things once more.

use frontdesk_engine::webhooks;
use frontdesk_testkit::server::START;
use serde_json::json;

use crate::receiver::Receiver;
use crate::{SITI, grounds};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_comes_again_with_the_same_id_and_another_time() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        receiver.answers([500, 429]);
        let (id, secret) = ground.listen(&receiver, json!({})).await;
        ground.writes(SITI, "wamid.first", "Hello").await;
        ground.work().await;
        ground.work().await; // nothing is due yet
        assert_eq!(receiver.heard().len(), 1);
        ground.pass(5, 5).await;
        assert_eq!(receiver.heard().len(), 2);
        ground.pass(30, 5).await;
        let heard = receiver.heard();
        assert_eq!(heard.len(), 3);
        assert!(heard.iter().all(|one| one.header("webhook-id") == heard[0].header("webhook-id")));
        assert!(heard.iter().all(|one| one.body == heard[0].body && one.is_signed_with(&secret)));
        assert!(heard[2].header("webhook-timestamp") > heard[0].header("webhook-timestamp"));
        let log = ground.get(&format!("/{id}/deliveries?event=message.received")).await;
        let row = &log["data"][0];
        assert_eq!(
            (&row["state"], &row["attempts"], &row["http_status"]),
            (&json!("delivered"), &json!(3), &json!(204))
        );
        let detail = ground.get(&format!("/{id}/deliveries/{}", row["id"])).await;
        let tries = detail["tries"].as_array().unwrap();
        assert_eq!(tries.len(), 3);
        assert_eq!((&tries[2]["http_status"], &tries[2]["answer"]), (&json!(500), &json!("answered 500")));
        assert_eq!(detail["body"]["data"]["message"], "Hello");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_asks_for_time_is_given_it() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        receiver.answers([503]);
        receiver.asks_to_wait("600");
        ground.listen(&receiver, json!({})).await;
        ground.writes(SITI, "wamid.first", "Hello").await;
        ground.work().await;
        ground.writes(SITI, "wamid.second", "Are you there?").await;
        ground.pass(590, 10).await;
        assert_eq!(receiver.heard().len(), 1);
        ground.pass(20, 10).await;
        assert_eq!(receiver.words(), ["Hello", "Are you there?"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed_and_says_so() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        receiver.answers([302]);
        let (id, _) = ground.listen(&receiver, json!({})).await;
        ground.post(&format!("/{id}/test"), json!({}), 202).await;
        ground.work().await;
        let log = ground.get(&format!("/{id}/deliveries")).await;
        let row = &log["data"][0];
        assert_eq!((&row["event"], &row["http_status"]), (&json!("webhook.test"), &json!(302)));
        assert!(row["last_error"].as_str().unwrap().contains("not followed"), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_or_given_up_can_be_told_again() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        receiver.judges(|told| if told["data"]["message"] == "bad" { 422 } else { 204 });
        let (id, _) = ground.listen(&receiver, json!({})).await;
        ground.writes(SITI, "wamid.good", "good").await;
        ground.writes(SITI, "wamid.bad", "bad").await;
        ground.work().await;
        for _ in 0..40 {
            ground.pass(7_200, 7_200).await;
        }
        let failed = ground.get(&format!("/{id}/deliveries?state=failed")).await;
        assert_eq!(failed["data"].as_array().unwrap().len(), 1);
        assert_eq!(ground.get(&format!("/{id}")).await["failed"], 1);
        receiver.judges(|_| 204);
        let future = json!({ "since": START.plus_ms(1_000) });
        assert_eq!(ground.post(&format!("/{id}/replay"), future, 202).await["count"], 0);
        let since = json!({ "since": START });
        assert_eq!(ground.post(&format!("/{id}/replay"), since, 202).await["count"], 1);
        ground.work().await;
        assert_eq!(receiver.words(), ["good", "bad"]);
        // One by one too, whether it was taken or not; not while it is on its way.
        let log = ground.get(&format!("/{id}/deliveries")).await;
        let first = log["data"].as_array().unwrap().last().unwrap()["id"].clone();
        let replay = format!("/{id}/deliveries/{first}/replay");
        ground.post(&replay, json!({}), 202).await;
        let again =
            ground.server.post(&format!("/api/v1/webhooks{replay}")).bearer(&ground.token).json(&json!({}));
        again.send().await.refused(409, "CONFLICT");
        ground.work().await;
        let taken = receiver.taken();
        assert_eq!(taken[0].header("webhook-id"), taken[2].header("webhook-id"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_tell_everything_once() {
    for ground in grounds().await {
        if !ground.server.engine.store.is_postgres() {
            continue;
        }
        let receiver = Receiver::default();
        ground.listen(&receiver, json!({})).await;
        let second = ground.server.second_engine().await;
        for n in 0..20 {
            ground.writes(SITI, &format!("wamid.{n}"), &format!("{n}")).await;
        }
        ground.server.engine.store.number_events().await.unwrap();
        let both = async |engine: &frontdesk_engine::Engine| {
            webhooks::follow(engine).await.unwrap();
            webhooks::deliver_due(engine).await.unwrap();
        };
        tokio::join!(both(&ground.server.engine), both(&second));
        ground.work().await;
        let expected: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        assert_eq!(receiver.words(), expected);
    }
}
