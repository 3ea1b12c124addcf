//! Receivers that are away, refuse one thing, or are gone.

use frontdesk_testkit::bodies::Person;
use frontdesk_testkit::server::START;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::{SITI, grounds};

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_away_for_an_hour_misses_nothing_and_hears_it_in_order() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        receiver.judges(|_| 503);
        let (id, _) = ground.listen(&receiver, json!({})).await;
        let people = [SITI, Person::named("6281390045513", "Budi"), Person::named("6281390045514", "Ani")];
        for n in 0..60 {
            let from = people[n % people.len()];
            ground.writes(from, &format!("wamid.{n}"), &format!("{n}")).await;
            ground.work().await;
            ground.pass(60, 30).await;
        }
        let tried = receiver.heard().len();
        assert!(tried < 25, "one that is away is asked with one at a time: {tried}");
        assert_eq!(ground.get(&format!("/{id}")).await["waiting"], 60);
        receiver.judges(|_| 204);
        ground.pass(600, 10).await;
        let taken = receiver.taken();
        assert_eq!(taken.len(), 60);
        for (person, from) in people.iter().enumerate() {
            let of_person = |told: &Value| told["data"]["from"].as_str() == from.phone;
            let words: Vec<usize> = taken
                .iter()
                .map(|heard| heard.json())
                .filter(of_person)
                .map(|told| told["data"]["message"].as_str().unwrap().parse().unwrap())
                .collect();
            let expected: Vec<usize> = (0..60).filter(|n| n % people.len() == person).collect();
            assert_eq!(words, expected, "of one person in order");
        }
        let shown = ground.get(&format!("/{id}")).await;
        assert_eq!(
            (&shown["waiting"], &shown["failing_since"], &shown["last_error"]),
            (&json!(0), &Value::Null, &Value::Null)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_delivery_that_is_never_taken_holds_nothing_up_for_ever() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        receiver.judges(|told| if told["data"]["message"] == "poison" { 500 } else { 204 });
        ground.listen(&receiver, json!({})).await;
        ground.writes(SITI, "wamid.poison", "poison").await;
        ground.writes(SITI, "wamid.after", "after").await;
        ground.writes(Person::named("6281390045513", "Budi"), "wamid.other", "other").await;
        ground.work().await;
        assert_eq!(receiver.words(), ["other"], "another conversation does not wait");
        ground.pass(60, 5).await;
        assert_eq!(receiver.words(), ["other", "after"], "the same one waits a little");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_fails_for_days_is_switched_off_and_people_are_told() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        receiver.judges(|_| 500);
        let (id, _) = ground.listen(&receiver, json!({})).await;
        for day in 0..6 {
            ground.writes(SITI, &format!("wamid.{day}"), "Hello").await;
            ground.pass(86_400, 3_600).await;
        }
        let shown = ground.get(&format!("/{id}")).await;
        assert_eq!(shown["status"], "disabled", "{shown}");
        assert!(shown["last_error"].as_str().unwrap().contains("500"), "{shown}");
        let audit = ground.server.get("/api/v1/audit").bearer(&ground.token).send().await.ok(200);
        let deeds = audit["data"].as_array().unwrap();
        assert!(deeds.iter().any(|deed| deed["action"] == "webhook.disabled"), "{audit}");
        frontdesk_engine::monitoring::evaluate::evaluate(&ground.server.engine).await.unwrap();
        let alerts =
            ground.server.get("/api/v1/monitoring/alerts").bearer(&ground.token).send().await.ok(200);
        let alert = &alerts["data"][0];
        assert_eq!(alert["rule"], "webhook_disabled", "{alerts}");
        assert!(alert["summary"].as_str().unwrap().contains("127.0.0.1"), "{alert}");
        assert!(!alert.to_string().contains("key=1"), "an address may hold a password: {alert}");
        // Nothing more is tried; started again, it hears what is still worth telling, and the alert ends.
        let tried = receiver.heard().len();
        ground.writes(SITI, "wamid.late", "late").await;
        ground.pass(3_600, 600).await;
        assert_eq!(receiver.heard().len(), tried);
        receiver.judges(|_| 204);
        assert_eq!(ground.patch(id, json!({ "enabled": true })).await["status"], "enabled");
        ground.work().await;
        assert!(receiver.words().contains(&"late".to_owned()), "what happened meanwhile");
        frontdesk_engine::monitoring::evaluate::evaluate(&ground.server.engine).await.unwrap();
        let alerts =
            ground.server.get("/api/v1/monitoring/alerts").bearer(&ground.token).send().await.ok(200);
        assert_eq!(alerts["data"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_gone_is_left_alone_at_once() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        receiver.answers([410]);
        let (id, _) = ground.listen(&receiver, json!({})).await;
        ground.writes(SITI, "wamid.first", "Hello").await;
        ground.writes(SITI, "wamid.second", "Anybody?").await;
        ground.work().await;
        ground.pass(3_600, 600).await;
        assert_eq!(receiver.heard().len(), 1);
        assert_eq!(ground.get(&format!("/{id}")).await["status"], "disabled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_was_stopped_hears_what_happened_meanwhile() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        let (id, _) = ground.listen(&receiver, json!({})).await;
        assert_eq!(ground.patch(id, json!({ "enabled": false })).await["status"], "paused");
        ground.writes(SITI, "wamid.first", "Hello").await;
        ground.pass(60, 10).await;
        assert!(receiver.heard().is_empty());
        ground.patch(id, json!({ "enabled": true })).await;
        ground.work().await;
        assert_eq!(receiver.words(), ["Hello"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_a_dead_worker_held_are_made_by_another() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        ground.listen(&receiver, json!({})).await;
        ground.writes(SITI, "wamid.first", "Hello").await;
        ground.server.engine.store.number_events().await.unwrap();
        frontdesk_engine::webhooks::follow(&ground.server.engine).await.unwrap();
        let held =
            "UPDATE webhook_sends SET state = 'claimed', claim_token = 'dead', attempts = 1, lease_until = ";
        ground.server.database.script(&format!("{held}{}", START.plus_ms(45_000).as_millis())).await;
        ground.pass(40, 10).await;
        assert!(receiver.heard().is_empty());
        ground.pass(20, 10).await;
        assert_eq!(receiver.words(), ["Hello"]);
    }
}
