use frontdesk_testkit::stage::{Stage, until};
use serde_json::{Value, json};

use crate::{connect, counts, pull, stages};

/// Whatever a pull may write about people.
const WRITTEN: &str = "SELECT COALESCE((SELECT SUM(updated_at) FROM contacts), 0)::BIGINT +
    COALESCE((SELECT SUM(updated_at) FROM external_entity_maps), 0)::BIGINT";

async fn written(stage: &Stage) -> i64 {
    let sql =
        if stage.first().store.is_postgres() { WRITTEN.to_owned() } else { WRITTEN.replace("::BIGINT", "") };
    stage.database.number(&sql).await
}

async fn contact(stage: &Stage, number: i64) -> Value {
    let find = format!("SELECT internal_id FROM external_entity_maps WHERE external_id = '{number}'");
    let id = stage.database.number(&find).await;
    let (status, contact) = stage.call("GET", &format!("/api/v1/contacts/{id}"), Value::Null).await;
    assert_eq!(status, 200, "{contact}");
    contact
}

async fn make(stage: &Stage, fields: Value) -> i64 {
    let (status, made) = stage.ask_chatwoot("POST", "/contacts", &fields).await;
    assert_eq!(status, 200, "{made}");
    made["payload"]["contact"]["id"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_pull_skips_all_and_writes_nothing_and_the_third_updates_what_changed() {
    // More on request: `SYNC_PEOPLE=10000`.
    let people: i64 = std::env::var("SYNC_PEOPLE").map_or(100, |people| people.parse().unwrap());
    for stage in stages().await {
        stage.crowd_in_chatwoot(usize::try_from(people).unwrap()).await;
        let id = connect(&stage).await;
        let first = pull(&stage, &id).await;
        assert_eq!(counts(&first), [people, people, 0, 0, 0], "{first}");
        assert_eq!((&first["total"], &first["status"]), (&json!(people), &json!("completed")));
        let before = written(&stage).await;
        let second = pull(&stage, &id).await;
        assert_eq!(counts(&second), [people, 0, 0, people, 0], "{second}");
        assert_eq!(written(&stage).await, before, "nothing was written");
        let numbers: Vec<i64> =
            stage.sandbox.world().chatwoot.accounts[&1].contacts.keys().copied().collect();
        for number in &numbers[10..50] {
            let (status, _) = stage
                .ask_chatwoot("PUT", &format!("/contacts/{number}"), &json!({ "name": "Changed" }))
                .await;
            assert_eq!(status, 200);
        }
        let third = pull(&stage, &id).await;
        if people > 100 {
            let took = |run: &Value| format!("{} to {}", run["startedAt"], run["finishedAt"]);
            eprintln!("{}: {}, {}, {}", stage.database.kind, took(&first), took(&second), took(&third));
        }
        assert_eq!(counts(&third), [people, 0, 40, people - 40, 0], "{third}");
        assert_eq!(contact(&stage, numbers[10]).await["name"], "Changed");
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM external_entity_maps").await, people);
        let (_, runs) = stage.call("GET", "/api/v1/sync/runs?limit=2", Value::Null).await;
        assert_eq!(runs["data"][0], third, "the newest first");
        assert_eq!((runs["data"].as_array().unwrap().len(), runs["nextCursor"].is_string()), (2, true));
        let path = format!("/api/v1/sync/runs/{}", third["runId"].as_str().unwrap());
        assert_eq!(stage.call("GET", &path, Value::Null).await.1["data"], third);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_has_what_the_guide_says_and_who_is_known_already_is_not_doubled() {
    for stage in stages().await {
        let ana = make(
            &stage,
            json!({ "name": "Ana", "email": "ana@example.test", "phone_number": "+5511987654321",
            "identifier": "crm-42", "additional_attributes": { "city": "Recife" } }),
        )
        .await;
        // The same number, written as it was before there were nine digits.
        let twin = make(&stage, json!({ "name": "Ana (old)", "phone_number": "+551187654321" })).await;
        let id = connect(&stage).await;
        let run = pull(&stage, &id).await;
        assert_eq!(counts(&run)[0..2], [2, 1], "{run}");
        let known = contact(&stage, ana).await;
        assert_eq!(
            (&known["email"], &known["phone"]),
            (&json!("ana@example.test"), &json!("+5511987654321"))
        );
        assert_eq!(
            known["custom_fields"],
            json!({ "chatwoot_id": ana, "chatwoot_identifier": "crm-42",
                "chatwoot_additional_attributes": { "city": "Recife" } })
        );
        assert_eq!(contact(&stage, twin).await["id"], known["id"], "one person");
        let again = pull(&stage, &id).await;
        assert_eq!(counts(&again), [2, 0, 0, 2, 0], "the two do not fight: {again}");
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM contacts WHERE merged_into IS NULL").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_cannot_be_taken_over_are_counted_and_named() {
    for stage in stages().await {
        let id = connect(&stage).await;
        let good = make(&stage, json!({ "name": "Good", "email": "good@example.test" })).await;
        let bad = make(&stage, json!({ "name": "Bad", "email": "bad@example.test" })).await;
        stage
            .sandbox
            .world()
            .chatwoot
            .accounts
            .get_mut(&1)
            .unwrap()
            .contacts
            .get_mut(&bad)
            .unwrap()
            .phone_number = Some("call me".to_owned());
        let run = pull(&stage, &id).await;
        assert_eq!(counts(&run), [1, 1, 0, 0, 1], "{run}");
        assert_eq!(run["errorMessages"], json!([format!("Contact {bad}: Invalid phone format")]));
        contact(&stage, good).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_deleted_or_merged_there_is_noted_and_nobody_is_lost_here() {
    for stage in stages().await {
        let id = connect(&stage).await;
        let one = make(&stage, json!({ "name": "One", "email": "one@example.test" })).await;
        let two = make(&stage, json!({ "name": "Two", "phone_number": "+5511911112222" })).await;
        let gone = make(&stage, json!({ "name": "Gone", "email": "gone@example.test" })).await;
        pull(&stage, &id).await;
        let (status, _) = stage.ask_chatwoot("DELETE", &format!("/contacts/{gone}"), &Value::Null).await;
        assert_eq!(status, 200);
        let merge = json!({ "base_contact_id": one, "mergee_contact_id": two });
        let (status, _) = stage.ask_chatwoot("POST", "/actions/contact_merge", &merge).await;
        assert_eq!(status, 200);
        let run = pull(&stage, &id).await;
        assert_eq!(counts(&run)[4], 0, "{run}");
        let merged = contact(&stage, one).await;
        assert_eq!(merged["phone"], "+5511911112222", "{merged}");
        assert_eq!(contact(&stage, two).await["id"], merged["id"]);
        assert_eq!(contact(&stage, gone).await["email"], "gone@example.test", "it stays here");
        let noted = "SELECT COUNT(*) FROM external_entity_maps WHERE deleted_at IS NOT NULL";
        assert_eq!(stage.database.number(noted).await, 2);
        let again = pull(&stage, &id).await;
        assert_eq!(counts(&again)[1..], [0, 0, 1, 0], "{again}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_erased_here_does_not_come_back() {
    for stage in stages().await {
        let id = connect(&stage).await;
        let ana = make(&stage, json!({ "name": "Ana", "email": "ana@example.test" })).await;
        pull(&stage, &id).await;
        let known = contact(&stage, ana).await["id"].as_i64().unwrap();
        let (status, _) = stage.call("DELETE", &format!("/api/v1/contacts/{known}"), Value::Null).await;
        assert_eq!(status, 204);
        let run = pull(&stage, &id).await;
        assert_eq!(counts(&run), [1, 0, 0, 1, 0], "{run}");
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM contacts").await, 0);
        let left = "SELECT COUNT(*) FROM external_entity_maps WHERE fingerprint <> '' OR base <> '{}'";
        assert_eq!(stage.database.number(left).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_node_that_died_goes_on_from_its_cursor_without_a_double() {
    for mut stage in stages().await {
        stage.crowd_in_chatwoot(120).await;
        let id = connect(&stage).await;
        // Chatwoot is slow: the node stands still in the middle.
        let path = format!("/api/v1/sync/connections/{id}/sync?wait=0");
        stage.sandbox.world().chatwoot.settings.requests_per_minute = None;
        let (status, asked) = stage.call("POST", &path, Value::Null).await;
        assert!(status == 202 || status == 200, "{asked}");
        let run = asked["data"]["runId"].as_str().unwrap().to_owned();
        stage.nodes[0].stop().await;
        stage.add_node().await;
        let path = format!("/api/v1/sync/runs/{run}");
        let ended = until("the run ends", || async {
            let (_, run) = stage.call_on(1, "GET", &path, Value::Null).await;
            (run["data"]["status"] == "completed").then_some(run["data"].clone())
        })
        .await;
        assert_eq!(counts(&ended), [120, 120, 0, 0, 0], "{ended}");
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM contacts").await, 120);
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM external_entity_maps").await, 120);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_cancelled_and_resumed_where_it_was() {
    for stage in stages().await {
        stage.crowd_in_chatwoot(60).await;
        let id = connect(&stage).await;
        // It waits until its connection is paused or not: queued on purpose by hand.
        let (_, _) = stage.call("POST", &format!("/api/v1/sync/connections/{id}/pause"), Value::Null).await;
        let (status, refused) =
            stage.call("POST", &format!("/api/v1/sync/connections/{id}/sync"), Value::Null).await;
        assert_eq!((status, &refused["code"], &refused["success"]), (409, &json!("CONFLICT"), &json!(false)));
        stage.call("POST", &format!("/api/v1/sync/connections/{id}/resume"), Value::Null).await;
        let done = pull(&stage, &id).await;
        let path = format!("/api/v1/sync/runs/{}", done["runId"].as_str().unwrap());
        for verb in ["cancel", "resume"] {
            let (status, answer) = stage.call("POST", &format!("{path}/{verb}"), Value::Null).await;
            assert_eq!((status, &answer["code"]), (409, &json!("CONFLICT")), "{verb}: {answer}");
        }
        let run = done["runId"].as_str().unwrap().trim_start_matches("run_").to_owned();
        let last = *stage.sandbox.world().chatwoot.accounts[&1].contacts.keys().nth(29).unwrap();
        stage
            .database
            .script(&format!("UPDATE sync_runs SET status = 'cancelled', cursor = '{{\"page\":3,\"last\":{last},\"seen\":30,\"asked\":0}}' WHERE id = {run}"))
            .await;
        let (status, resumed) = stage.call("POST", &format!("{path}/resume"), Value::Null).await;
        assert_eq!((status, &resumed["data"]["status"]), (200, &json!("queued")), "{resumed}");
        let ended = until("the run ends", || async {
            let (_, run) = stage.call("GET", &path, Value::Null).await;
            (run["data"]["status"] == "completed").then_some(run["data"].clone())
        })
        .await;
        assert_eq!(counts(&ended), [90, 60, 0, 30, 0], "the last thirty were looked at again: {ended}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_no_longer_holds_ends_the_run_and_shows_on_the_connection() {
    for stage in stages().await {
        let id = connect(&stage).await;
        stage.sandbox.world().chatwoot.settings.tokens.insert("another".to_owned(), 1);
        let (status, answer) =
            stage.call("POST", &format!("/api/v1/sync/connections/{id}/sync"), Value::Null).await;
        assert_eq!((status, &answer["data"]["status"]), (200, &json!("failed")), "{answer}");
        assert!(answer["data"]["error"].as_str().unwrap().contains("access token"), "{answer}");
        let (_, connection) = stage.call("GET", &format!("/api/v1/sync/connections/{id}"), Value::Null).await;
        assert_eq!(connection["data"]["status"], "error", "{connection}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_run_is_refused() {
    for stage in stages().await {
        let run = async |body: Value| stage.call("POST", "/api/v1/sync/run", body).await;
        let wanted = json!({ "provider": "chatwoot", "entityType": "contacts", "direction": "pull" });
        let (status, answer) = run(wanted.clone()).await;
        assert_eq!((status, &answer["code"], &answer["success"]), (404, &json!("NOT_FOUND"), &json!(false)));
        connect(&stage).await;
        for (field, value) in
            [("entityType", json!("messages")), ("direction", json!("up")), ("wait", json!(61))]
        {
            let mut body = wanted.clone();
            body[field] = value;
            let (status, answer) = run(body).await;
            assert_eq!((status, answer["errors"][field].is_array()), (422, true), "{answer}");
        }
        let pushed = json!({ "provider": "chatwoot", "entityType": "conversations", "direction": "push" });
        let (status, answer) = run(pushed).await;
        assert_eq!((status, answer["errors"]["direction"].is_array()), (422, true), "{answer}");
        let (status, answer) = run(wanted).await;
        assert_eq!((status, &answer["data"]["status"]), (200, &json!("completed")), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_a_schedule_runs_by_itself_once() {
    for mut stage in stages().await {
        if stage.first().store.is_postgres() {
            stage.add_node().await;
        }
        stage.crowd_in_chatwoot(20).await;
        let id = connect(&stage).await;
        let (status, _) = stage
            .call("PATCH", &format!("/api/v1/sync/connections/{id}"), json!({ "schedule": "*/5 * * * *" }))
            .await;
        assert_eq!(status, 200);
        stage.clock.advance_ms(300_000);
        let runs = until("the run ends", || async {
            let (_, runs) = stage.call("GET", "/api/v1/sync/runs", Value::Null).await;
            (runs["data"][0]["status"] == "completed").then_some(runs["data"].clone())
        })
        .await;
        assert_eq!(runs.as_array().unwrap().len(), 1, "{runs}");
        assert_eq!((&runs[0]["cause"], &runs[0]["created"]), (&json!("schedule"), &json!(20)));
        let (_, connection) = stage.call("GET", &format!("/api/v1/sync/connections/{id}"), Value::Null).await;
        assert!(connection["data"]["lastSyncAt"].is_string(), "{connection}");
    }
}
