use frontdesk_testkit::stage::{Stage, chatwoot_signature, until};
use serde_json::{Value, json};

use crate::{connect, counts, pull, stages};

const SECRET: &str = "whsec_of_the_connection";

/// Connects the sandbox's Chatwoot, whose webhooks are signed with [`SECRET`].
async fn connect_signed(stage: &Stage) -> String {
    let id = connect(stage).await;
    let change = json!({ "config": { "webhookSecrets": ["another", SECRET] } });
    let (status, _) = stage.call("PATCH", &format!("/api/v1/sync/connections/{id}"), change).await;
    assert_eq!(status, 200);
    id
}

async fn deliver(stage: &Stage, node: usize, body: &Value, secret: &str, delivery: &str) -> (u16, Value) {
    let (body, now) = (body.to_string(), stage.now_s());
    let signature = chatwoot_signature(secret, now, body.as_bytes());
    stage.deliver_from_chatwoot(node, &body, &signature, now, delivery).await
}

fn updated(number: i64, name: &str, at: &str) -> Value {
    json!({ "event": "contact_updated", "id": number, "name": name, "email": "ana@example.test", "phone_number": null,
        "identifier": null, "avatar": "", "thumbnail": "", "blocked": false, "additional_attributes": {},
        "custom_attributes": {}, "account": { "id": 1, "name": "Acme" },
        "changed_attributes": [{ "name": { "previous_value": "?", "current_value": name } },
            { "updated_at": { "previous_value": null, "current_value": at } }] })
}

async fn name_of(stage: &Stage, number: i64) -> Value {
    let find = format!("SELECT internal_id FROM external_entity_maps WHERE external_id = '{number}'");
    let id = stage.database.number(&find).await;
    stage.call("GET", &format!("/api/v1/contacts/{id}"), Value::Null).await.1["name"].clone()
}

async fn make(stage: &Stage) -> i64 {
    let fields = json!({ "name": "Ana", "email": "ana@example.test" });
    let (_, made) = stage.ask_chatwoot("POST", "/contacts", &fields).await;
    made["payload"]["contact"]["id"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_chatwoot_tells_is_taken_over_in_the_order_it_happened_and_once() {
    for mut stage in stages().await {
        let id = connect_signed(&stage).await;
        let ana = make(&stage).await;
        pull(&stage, &id).await;
        let (status, answer) =
            deliver(&stage, 0, &updated(ana, "Ana S.", "2026-08-18T11:00:00.000Z"), SECRET, "d-2").await;
        assert_eq!((status, answer), (200, json!({ "success": true, "duplicate": false })));
        assert_eq!(name_of(&stage, ana).await, "Ana S.");
        let (status, _) =
            deliver(&stage, 0, &updated(ana, "Ana O.", "2026-08-18T10:59:59.900Z"), SECRET, "d-1").await;
        assert_eq!((status, name_of(&stage, ana).await), (200, json!("Ana S.")), "it came late");
        if stage.first().store.is_postgres() {
            stage.add_node().await;
        }
        let newest = updated(ana, "Ana Souza", "2026-08-18T11:00:01.000Z");
        let last = stage.nodes.len() - 1;
        deliver(&stage, 0, &newest, SECRET, "d-3").await;
        let (status, again) = deliver(&stage, last, &newest, SECRET, "d-3").await;
        assert_eq!((status, &again["duplicate"]), (200, &json!(true)), "on whichever node");
        assert_eq!(name_of(&stage, ana).await, "Ana Souza");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_contact_is_asked_for_and_one_that_is_gone_is_noted() {
    for stage in stages().await {
        connect_signed(&stage).await;
        let ana = make(&stage).await;
        let created =
            json!({ "event": "contact_created", "id": ana, "name": "Older", "account": { "id": 1 } });
        assert_eq!(deliver(&stage, 0, &created, SECRET, "d-1").await.0, 200);
        let known = "SELECT COUNT(*) FROM external_entity_maps WHERE deleted_at IS NULL";
        until("it is there", || async { (stage.database.number(known).await == 1).then_some(()) }).await;
        assert_eq!(name_of(&stage, ana).await, "Ana", "as it is there now");
        stage.ask_chatwoot("DELETE", &format!("/contacts/{ana}"), &Value::Null).await;
        let created =
            json!({ "event": "contact_updated", "id": ana, "name": "Older", "account": { "id": 1 } });
        assert_eq!(deliver(&stage, 0, &created, SECRET, "d-2").await.0, 200);
        until("it is noted", || async { (stage.database.number(known).await == 0).then_some(()) }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_connections_whose_secret_it_is_are_told() {
    for stage in stages().await {
        let ana = 77;
        let body = updated(ana, "Ana", "2026-08-18T11:00:00.000Z");
        assert_eq!(deliver(&stage, 0, &body, SECRET, "d-0").await.0, 404, "there is none");
        let id = connect_signed(&stage).await;
        for (secret, body) in [
            ("wrong", body.clone()),
            (SECRET, {
                let mut other = body.clone();
                other["account"]["id"] = json!(2);
                other
            }),
        ] {
            let (status, answer) = deliver(&stage, 0, &body, secret, "d-1").await;
            assert_eq!((status, &answer["success"]), (403, &json!(false)), "{answer}");
        }
        let (status, _) = deliver(&stage, 0, &json!({ "event": "contact_updated" }), SECRET, "d-2").await;
        assert_eq!(status, 422);
        stage.call("POST", &format!("/api/v1/sync/connections/{id}/pause"), Value::Null).await;
        assert_eq!(deliver(&stage, 0, &body, SECRET, "d-3").await.0, 200);
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM contacts").await, 0, "it is paused");
        stage.call("POST", &format!("/api/v1/sync/connections/{id}/resume"), Value::Null).await;
        assert_eq!(deliver(&stage, 0, &body, SECRET, "d-4").await.0, 200);
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM contacts").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chatwoots_own_webhooks_arrive_and_what_was_pushed_is_no_news() {
    for stage in stages().await {
        let id = connect_signed(&stage).await;
        let ana = make(&stage).await;
        pull(&stage, &id).await;
        stage.subscribe_at_chatwoot(SECRET).await;
        stage.ask_chatwoot("PUT", &format!("/contacts/{ana}"), &json!({ "name": "Ana There" })).await;
        until("the webhook arrives", || async { (name_of(&stage, ana).await == "Ana There").then_some(()) })
            .await;
        let here = stage.database.number("SELECT MAX(internal_id) FROM external_entity_maps").await;
        stage.call("PATCH", &format!("/api/v1/contacts/{here}"), json!({ "name": "Ana Here" })).await;
        let body = json!({ "provider": "chatwoot", "entityType": "contacts", "direction": "push" });
        let (_, pushed) = stage.call("POST", "/api/v1/sync/run", body.clone()).await;
        assert_eq!(counts(&pushed["data"])[2], 1, "{pushed}");
        let rest = (counts(&pull(&stage, &id).await), stage.call("POST", "/api/v1/sync/run", body).await.1);
        assert_eq!(
            (rest.0, counts(&rest.1["data"])),
            ([1, 0, 0, 1, 0], [1, 0, 0, 1, 0]),
            "nothing goes round"
        );
        assert_eq!(name_of(&stage, ana).await, "Ana Here");
    }
}
