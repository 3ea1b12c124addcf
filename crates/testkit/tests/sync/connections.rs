use serde_json::{Value, json};

use crate::{KEY, connect, connection, stages};

const CONNECTIONS: &str = "/api/v1/sync/connections";

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_works_is_connected_and_its_key_is_never_told() {
    for stage in stages().await {
        let body = connection(&stage, KEY, json!(1));
        let (status, made) = stage.call("POST", CONNECTIONS, body).await;
        assert_eq!(status, 201, "{made}");
        assert_eq!(made["success"], true);
        assert_eq!(made["data"]["id"], "conn_1");
        assert_eq!(
            (&made["data"]["provider"], &made["data"]["status"]),
            (&json!("chatwoot"), &json!("connected"))
        );
        assert_eq!(made["data"]["config"]["accountId"], "1");
        let (_, all) = stage.call("GET", CONNECTIONS, Value::Null).await;
        assert_eq!(all["data"], json!([made["data"]]));
        let (_, one) = stage.call("GET", &format!("{CONNECTIONS}/conn_1"), Value::Null).await;
        assert_eq!(one, stage.call("GET", &format!("{CONNECTIONS}/1"), Value::Null).await.1);
        assert!(!format!("{made}{all}{one}").contains(KEY));
        let sealed =
            stage.database.number("SELECT CAST(LENGTH(secrets) AS BIGINT) FROM sync_connections").await;
        assert!(sealed > KEY.len() as i64);
        let (status, again) = stage.call("POST", CONNECTIONS, connection(&stage, KEY, json!("1"))).await;
        assert_eq!((status, &again["data"]["id"]), (200, &json!("conn_1")), "{again}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_does_not_work_is_kept_and_says_what_to_put_right() {
    for stage in stages().await {
        stage.sandbox.world().chatwoot.settings.tokens.insert(KEY.to_owned(), 1);
        let tried = async |key: &str, account: &str, words: &str| {
            let (status, answer) =
                stage.call("POST", CONNECTIONS, connection(&stage, key, json!(account))).await;
            assert_eq!((status, &answer["success"]), (422, &json!(false)), "{answer}");
            assert_eq!(answer["code"], "CONNECTION_TEST_FAILED");
            let sentence = answer["error"].as_str().unwrap();
            assert!(
                sentence.starts_with("Connection test failed: ") && sentence.contains(words),
                "{sentence}"
            );
            assert_eq!(answer["message"], answer["error"]);
            let kept = answer["details"]["connection"].clone();
            assert_eq!((&kept["status"], &kept["error"]), (&json!("error"), &answer["error"]));
            kept
        };
        let kept = tried("not-the-key", "1", "API key").await;
        tried(KEY, "999", "Account ID").await;
        let (_, all) = stage.call("GET", CONNECTIONS, Value::Null).await;
        assert_eq!(all["data"].as_array().unwrap().len(), 2, "{all}");
        let path = format!("{CONNECTIONS}/{}", kept["id"].as_str().unwrap());
        let (status, mended) = stage.call("PATCH", &path, json!({ "apiKey": KEY })).await;
        assert_eq!((status, &mended["data"]["status"]), (200, &json!("connected")), "{mended}");
        assert_eq!(mended["data"]["error"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_chatwoot_answers_the_address_is_named() {
    for stage in stages().await {
        let mut body = connection(&stage, KEY, json!("1"));
        body["config"]["apiUrl"] = json!(stage.chatwoot_url().replace("/chatwoot", "/nothing-here"));
        let (status, answer) = stage.call("POST", CONNECTIONS, body.clone()).await;
        assert!(answer["error"].as_str().unwrap().contains("apiUrl"), "{status} {answer}");
        body["config"]["apiUrl"] = json!("http://10.1.2.3/");
        let (status, answer) = stage.call("POST", CONNECTIONS, body).await;
        assert_eq!(status, 422);
        assert!(answer["error"].as_str().unwrap().contains("allow_private_hosts"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_connection_is_refused_field_by_field() {
    for stage in stages().await {
        let refused = async |change: Value, field: &str| {
            let mut body = connection(&stage, KEY, json!("1"));
            for (name, value) in change.as_object().unwrap() {
                match value {
                    Value::Object(inner) => body[name].as_object_mut().unwrap().extend(inner.clone()),
                    value => body[name] = value.clone(),
                }
            }
            let (status, answer) = stage.call("POST", CONNECTIONS, body).await;
            assert_eq!((status, &answer["success"]), (422, &json!(false)), "{answer}");
            assert!(answer["errors"][field][0].is_string(), "{field}: {answer}");
        };
        refused(json!({ "provider": "zendesk" }), "provider").await;
        refused(json!({ "apiKey": " " }), "apiKey").await;
        refused(json!({ "config": { "accountId": "one" } }), "config.accountId").await;
        refused(json!({ "config": { "accountId": true } }), "config.accountId").await;
        refused(json!({ "config": { "apiUrl": "chatwoot" } }), "config.apiUrl").await;
        refused(json!({ "config": { "webhookSecrets": [""] } }), "config.webhookSecrets").await;
        refused(json!({ "schedule": "every night" }), "schedule").await;
        let (_, all) = stage.call("GET", CONNECTIONS, Value::Null).await;
        assert_eq!(all["data"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_changed_paused_resumed_and_removed() {
    for stage in stages().await {
        let path = format!("{CONNECTIONS}/{}", connect(&stage).await);
        let change =
            json!({ "name": "Support", "schedule": "0 3 * * *", "config": { "webhookSecrets": ["a", "b"] } });
        let (status, changed) = stage.call("PATCH", &path, change).await;
        assert_eq!(status, 200, "{changed}");
        let data = &changed["data"];
        assert_eq!((&data["name"], &data["config"]["webhookSecrets"]), (&json!("Support"), &json!(2)));
        assert!(data["nextRunAt"].as_str().unwrap().contains("T03:00:00"), "{data}");
        let (_, unscheduled) = stage.call("PATCH", &path, json!({ "schedule": null })).await;
        assert_eq!(
            (&unscheduled["data"]["schedule"], &unscheduled["data"]["nextRunAt"]),
            (&Value::Null, &Value::Null)
        );
        for (verb, wanted) in [("pause", "paused"), ("resume", "connected"), ("test", "connected")] {
            let (status, answer) = stage.call("POST", &format!("{path}/{verb}"), Value::Null).await;
            assert_eq!((status, &answer["data"]["status"]), (200, &json!(wanted)), "{verb}: {answer}");
        }
        let (status, gone) = stage.call("DELETE", &path, Value::Null).await;
        assert_eq!((status, &gone["data"]["deleted"]), (200, &json!(true)));
        for verb in ["GET", "DELETE"] {
            let (status, answer) = stage.call(verb, &path, Value::Null).await;
            assert_eq!(
                (status, &answer["code"], &answer["success"]),
                (404, &json!("NOT_FOUND"), &json!(false))
            );
        }
        let left = "SELECT COUNT(*) FROM sync_connections WHERE LENGTH(secrets) > 0";
        assert_eq!(stage.database.number(left).await, 0, "its key goes with it");
        let audited = "SELECT COUNT(*) FROM audit_entries WHERE subject_type = 'sync_connection'";
        assert_eq!(stage.database.number(audited).await, 7);
    }
}
