use frontdesk_chatwoot_client::{ChatwootClient, ErrorCode, NewApiInbox, NewWebhook};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn the_account_and_what_is_set_up_in_it_are_read() {
    let stage = Stage::start().await;
    let client = stage.client();
    let info = client.server_info().await.unwrap();
    assert!(info.signs_webhooks() && info.version_numbers() == (4, 16, 2), "{info:?}");
    let profile = client.profile().await.unwrap();
    assert_eq!((profile.accounts[0].id, profile.accounts[0].role.as_str()), (1, "administrator"));
    assert_eq!(client.get_account().await.unwrap().name, "Acme");
    assert_eq!(client.list_agents().await.unwrap().len(), 2);
    assert_eq!(client.list_teams().await.unwrap()[0].name, "sales");
    assert!(client.list_canned_responses().await.unwrap().is_empty());
    let label = client.create_label("late", "#ff0000").await.unwrap();
    assert!(client.list_labels().await.unwrap().contains(&label));
    client.create_attribute_definition("plan", "Plan", true).await.unwrap();
    assert_eq!(client.list_attribute_definitions().await.unwrap()[0].attribute_key, "plan");
}

#[tokio::test]
async fn inboxes_and_webhooks_are_set_up_with_their_secrets() {
    let stage = Stage::start().await;
    let client = stage.client();
    let new = NewApiInbox {
        name: "Bridge".to_owned(),
        webhook_url: Some("https://ours.example/hook".to_owned()),
        lock_to_single_conversation: true,
    };
    let inbox = client.create_api_inbox(&new).await.unwrap();
    assert!(inbox.lock_to_single_conversation && inbox.webhook_url == new.webhook_url);
    let secret = inbox.secret.clone().unwrap();
    let reset = client.reset_inbox_secret(inbox.id).await.unwrap();
    assert_ne!(reset.secret.unwrap().expose_secret(), secret.expose_secret());
    let renamed = client.update_inbox(inbox.id, &json!({"name": "Bridge 2"})).await.unwrap();
    assert_eq!(renamed.name, "Bridge 2");
    let shown = serde_json::to_string(&renamed).unwrap();
    assert!(!shown.contains("secret") && !shown.contains("hmac_token"), "{shown}");
    assert_eq!(client.list_inboxes().await.unwrap().len(), 2);

    let mut hook = NewWebhook {
        url: "https://ours.example/account".to_owned(),
        name: None,
        subscriptions: vec!["message_created".to_owned()],
    };
    stage.faults(json!([{"fault": "cut_after", "next": 1, "scope": "all"}]));
    let made = client.create_webhook(&hook).await.unwrap();
    assert!(made.secret.is_some(), "found again by its address");
    hook.subscriptions.push("contact_updated".to_owned());
    assert_eq!(client.update_webhook(made.id, &hook).await.unwrap().subscriptions.len(), 2);
    assert_eq!(client.create_webhook(&hook).await.unwrap_err().code(), ErrorCode::Conflict);
    // The answer to the deletion is lost; it is done again, and what is then gone was deleted.
    stage.faults(json!([{"fault": "cut_after", "next": 1, "scope": "all"}]));
    client.delete_webhook(made.id).await.unwrap();
    assert!(client.list_webhooks().await.unwrap().is_empty());
    assert_eq!(client.delete_webhook(made.id).await.unwrap_err().code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn tokens_and_roles_are_told_apart() {
    let stage = Stage::start().await;
    stage.server(|server| {
        server.settings.tokens =
            [("admin".to_owned(), 1), ("agent".to_owned(), 2), ("ghost".to_owned(), 9)].into();
    });
    let with = |token: &str, account: i64| {
        let mut settings = stage.settings();
        settings.api_token = token.into();
        settings.account_id = account;
        ChatwootClient::new(settings).unwrap()
    };
    let code = |result: Result<_, frontdesk_chatwoot_client::ChatwootError>| {
        result.map(|_: ()| ()).unwrap_err().code()
    };
    with("admin", 1).list_webhooks().await.unwrap();
    assert_eq!(code(with("wrong", 1).list_webhooks().await.map(drop)), ErrorCode::Unauthorized);
    assert_eq!(code(with("agent", 1).list_webhooks().await.map(drop)), ErrorCode::Forbidden);
    assert_eq!(code(with("ghost", 1).get_account().await.map(drop)), ErrorCode::Forbidden);
    assert_eq!(code(with("admin", 7).get_account().await.map(drop)), ErrorCode::NotFound);
    assert!(with("agent", 1).list_inboxes().await.unwrap()[0].secret.is_none());
}

#[tokio::test]
async fn health_says_what_is_wrong() {
    let stage = Stage::start().await;
    let health = stage.client().health_check().await;
    assert_eq!((health.status, health.version.as_deref(), health.error_code), ("ok", Some("4.16.2"), None));
    stage.server(|server| server.settings.services_failing = true);
    let health = stage.client().health_check().await;
    assert!(health.status == "error" && health.message.contains("database"), "{health:?}");
    stage.server(|server| {
        server.settings.services_failing = false;
        server.settings.tokens.insert("other".to_owned(), 1);
    });
    assert_eq!(stage.client().health_check().await.error_code, Some("UNAUTHORIZED"));
    let mut settings = stage.settings();
    settings.base_url = "http://127.0.0.1:9/".parse().unwrap();
    settings.retry_attempts = 0;
    let health = ChatwootClient::new(settings).unwrap().health_check().await;
    assert_eq!((health.status, health.error_code), ("error", Some("SERVICE_UNAVAILABLE")));
}
