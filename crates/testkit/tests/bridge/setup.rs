//! Making, changing and ending bridges.

use serde_json::{Value, json};

use crate::{bridge, connect, remote_inbox, stages};

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_makes_an_inbox_that_delivers_and_is_locked() {
    for stage in stages().await {
        let made = bridge(&stage, "whatsapp", json!({})).await;
        assert_eq!((&made["status"], &made["signed"]), (&json!("enabled"), &json!(true)), "{made}");
        let look = || {
            let world = stage.sandbox.world();
            world.chatwoot.accounts[&1].inboxes[&remote_inbox(&made)].clone()
        };
        assert_eq!(look().webhook_url.as_deref(), made["webhookUrl"].as_str());
        assert!(look().lock_to_single_conversation);
        let path = format!("/api/v1/sync/bridges/{}", made["id"]);
        let change = json!({ "settings": { "conversations": "multiple" } });
        let (status, changed) = stage.call("PATCH", &path, change).await;
        assert_eq!((status, &changed["data"]["settings"]["conversations"]), (200, &json!("multiple")));
        assert!(!look().lock_to_single_conversation, "the setting and the lock are one");

        let again = json!({ "connectionId": made["connectionId"], "inboxId": made["inboxId"] });
        let (status, refused) = stage.call("POST", "/api/v1/sync/bridges", again).await;
        assert_eq!((status, &refused["code"]), (409, &json!("CONFLICT")), "{refused}");
        let (_, all) = stage.call("GET", "/api/v1/sync/bridges", Value::Null).await;
        assert_eq!(all["data"].as_array().unwrap().len(), 1);
        let (status, _) = stage.call("DELETE", &format!("{path}?withInbox=true"), Value::Null).await;
        assert_eq!(status, 200);
        assert!(!stage.sandbox.world().chatwoot.accounts[&1].inboxes.contains_key(&remote_inbox(&made)));
        assert_eq!(stage.call("GET", &path, Value::Null).await.0, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_token_is_refused_with_what_to_do_and_nothing_is_left() {
    for stage in stages().await {
        let connection = connect(&stage).await;
        stage.sandbox.world().chatwoot.settings.tokens = [(crate::KEY.to_owned(), 2)].into();
        let body = json!({ "connectionId": connection, "inboxId": stage.inbox("whatsapp").await });
        let (status, refused) = stage.call("POST", "/api/v1/sync/bridges", body.clone()).await;
        assert_eq!((status, &refused["code"]), (502, &json!("CHATWOOT_ERROR")), "{refused}");
        assert!(refused["error"].as_str().unwrap().contains("an administrator's"), "{refused}");
        let (_, all) = stage.call("GET", "/api/v1/sync/bridges", Value::Null).await;
        assert_eq!(all["data"], json!([]));
        stage.sandbox.world().chatwoot.settings.tokens.clear();
        assert_eq!(stage.call("POST", "/api/v1/sync/bridges", body).await.0, 201);
        let strange = json!({ "connectionId": connection, "inboxId": 4711 });
        let (status, refused) = stage.call("POST", "/api/v1/sync/bridges", strange).await;
        assert_eq!(status, 422, "{refused}");
        assert!(refused["errors"]["inboxId"].is_array(), "{refused}");
    }
}
