use frontdesk_testkit::stage::Stage;
use serde_json::{Value, json};

use crate::{connect, counts, pull, stages};

/// Pushes all contacts; what became of it.
pub(crate) async fn push(stage: &Stage) -> Value {
    let body = json!({ "provider": "chatwoot", "entityType": "contacts", "direction": "push" });
    let (status, answer) = stage.call("POST", "/api/v1/sync/run", body).await;
    assert_eq!((status, &answer["data"]["status"]), (200, &json!("completed")), "{answer}");
    answer["data"].clone()
}

/// A person here, by hand in the database.
pub(crate) async fn person(stage: &Stage, id: i64, name: &str, phone: &str) {
    stage
        .database
        .script(&format!(
            "INSERT INTO contacts (id, account_id, name, phone, profile_at, created_at, updated_at)
             VALUES ({id}, {account}, '{name}', '{phone}', 1, 1, 1);
             INSERT INTO contact_identities (account_id, kind, value, contact_id, created_at)
             VALUES ({account}, 'phone', '{phone}', {id}, 1)",
            account = stage.account
        ))
        .await;
}

async fn there(stage: &Stage) -> Vec<(String, Option<String>, Option<String>)> {
    let world = stage.sandbox.world();
    let all = world.chatwoot.accounts[&1].contacts.values();
    all.map(|found| (found.name.clone(), found.email.clone(), found.phone_number.clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_here_is_made_there_once_and_changes_go_there_alone() {
    for stage in stages().await {
        connect(&stage).await;
        person(&stage, 501, "Ana", "+5511987654321").await;
        person(&stage, 502, "Rui", "+5511987654322").await;
        assert_eq!(counts(&push(&stage).await), [2, 2, 0, 0, 0]);
        let again = push(&stage).await;
        assert_eq!(counts(&again), [2, 0, 0, 2, 0], "{again}");
        let edit = json!({ "name": "Ana Souza", "email": "ana@example.test" });
        assert_eq!(stage.call("PATCH", "/api/v1/contacts/501", edit).await.0, 200);
        assert_eq!(counts(&push(&stage).await), [2, 0, 1, 1, 0]);
        let known = there(&stage).await;
        assert_eq!(
            known[0],
            ("Ana Souza".into(), Some("ana@example.test".into()), Some("+5511987654321".into()))
        );
        let id = "conn_1".to_owned();
        let back = pull(&stage, &id).await;
        assert_eq!(counts(&back), [2, 0, 0, 2, 0], "what was sent is no news: {back}");
        assert_eq!(counts(&push(&stage).await), [2, 0, 0, 2, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_there_already_becomes_one_pair() {
    for stage in stages().await {
        let id = connect(&stage).await;
        let made = json!({ "name": "", "phone_number": "+5511987654321", "email": "ana@example.test" });
        assert_eq!(stage.ask_chatwoot("POST", "/contacts", &made).await.0, 200);
        person(&stage, 501, "Ana", "+5511987654321").await;
        let run = push(&stage).await;
        assert_eq!(counts(&run)[4], 0, "{run}");
        assert_eq!(
            there(&stage).await,
            [("Ana".into(), Some("ana@example.test".into()), Some("+5511987654321".into()))]
        );
        let (_, here) = stage.call("GET", "/api/v1/contacts/501", Value::Null).await;
        assert_eq!(here["email"], "ana@example.test", "each has what the other knew: {here}");
        assert_eq!(counts(&pull(&stage, &id).await), [1, 0, 0, 1, 0]);
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM external_entity_maps").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_changed_on_both_sides_has_one_value_and_the_other_is_in_the_history() {
    for stage in stages().await {
        let id = connect(&stage).await;
        person(&stage, 501, "Ana", "+5511987654321").await;
        push(&stage).await;
        let number = *stage.sandbox.world().chatwoot.accounts[&1].contacts.keys().next().unwrap();
        let path = format!("/contacts/{number}");
        stage
            .call("PATCH", "/api/v1/contacts/501", json!({ "name": "Here", "email": "here@example.test" }))
            .await;
        stage.ask_chatwoot("PUT", &path, &json!({ "name": "There" })).await;
        push(&stage).await;
        pull(&stage, &id).await;
        let (_, here) = stage.call("GET", "/api/v1/contacts/501", Value::Null).await;
        let known = there(&stage).await.remove(0);
        assert_eq!((known.0.as_str(), known.1.as_deref()), ("There", Some("here@example.test")));
        assert_eq!((&here["name"], &here["email"]), (&json!("There"), &json!("here@example.test")));
        let (_, audit) = stage.call("GET", "/api/v1/audit", Value::Null).await;
        let conflict =
            audit["data"].as_array().unwrap().iter().find(|entry| entry["action"] == "contact.sync_conflict");
        let details = &conflict.expect("it is noted")["details"];
        assert_eq!((&details["dropped"], &details["kept"]), (&json!("Here"), &json!("There")), "{details}");
    }
}
