use std::time::Duration;

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use frontdesk_chatwoot_client::{
    ChatwootClient, Event, MessageType, NewMessage, NewWebhook, WebhookRejection, event,
    webhook::{DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER},
};
use serde_json::json;

use crate::stage::{Shared, Stage};

type Received = Shared<Vec<(HeaderMap, Bytes)>>;

/// A business that keeps what it is told; its address and what it got.
async fn business() -> (String, Received) {
    let received = Received::default();
    let keep = |State(received): State<Received>, headers: HeaderMap, body: Bytes| async move {
        received.lock().unwrap().push((headers, body));
    };
    let router = Router::new().route("/hook", post(keep)).with_state(received.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, received)
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[tokio::test]
async fn what_the_fake_sends_is_genuine_and_read() {
    let stage = Stage::start().await;
    let (url, received) = business().await;
    let new = NewWebhook {
        url,
        name: None,
        subscriptions: ["message_created", "conversation_created", "conversation_status_changed"]
            .map(str::to_owned)
            .to_vec(),
    };
    let hook = stage.client().create_webhook(&new).await.unwrap();
    let (id, _) = stage.customer_writes("+5511987654321", "Tom & Jerry <3").await;
    let mut settings = stage.settings();
    settings.webhook.secrets = vec!["another".into(), hook.secret.unwrap()];
    let client = ChatwootClient::new(settings).unwrap();
    client.create_message(id, &NewMessage::text("Olá")).await.unwrap();
    assert!(stage.sandbox.webhooks().wait_idle(Duration::from_secs(10)).await);
    let received = std::mem::take(&mut *received.lock().unwrap());
    assert_eq!(received.len(), 3);
    let mut texts = Vec::new();
    for (headers, body) in received {
        let (signature, timestamp) = (header(&headers, SIGNATURE_HEADER), header(&headers, TIMESTAMP_HEADER));
        let genuine = client.verify_webhook(&body, signature, timestamp).unwrap();
        assert_eq!(genuine.secret, 1);
        assert!(client.webhooks().first_time(&genuine.delivery_key));
        assert!(!client.webhooks().first_time(&genuine.delivery_key));
        assert_eq!(header(&headers, DELIVERY_HEADER).unwrap().len(), 36);
        // Read and written again it is another body, even if it says the same.
        let again: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let again = serde_json::to_vec(&again).unwrap();
        if again != body {
            let error = client.verify_webhook(&again, signature, timestamp).unwrap_err();
            assert_eq!(error, WebhookRejection::WrongSignature);
        }
        let event = event::parse(&body).unwrap();
        assert_eq!((event.account_id, event.conversation_id()), (Some(1), Some(id)));
        assert!(!event.raw.to_string().contains("pubsub_token"));
        if let Event::MessageCreated(created) = event.event {
            texts.push((created.message.message_type.unwrap(), created.message.content.unwrap()));
        }
    }
    texts.sort_by_key(|(kind, _)| kind.number());
    let expected = [(MessageType::Incoming, "Tom & Jerry <3"), (MessageType::Outgoing, "Olá")];
    assert_eq!(texts, expected.map(|(kind, text)| (kind, text.to_owned())));
}

#[tokio::test]
async fn a_webhook_that_is_not_taken_never_comes_again() {
    let stage = Stage::start().await;
    let client = stage.client();
    let nobody = NewWebhook {
        url: "http://127.0.0.1:9/".to_owned(),
        name: None,
        subscriptions: vec!["message_created".to_owned()],
    };
    client.create_webhook(&nobody).await.unwrap();
    stage.customer_writes("+5511987654321", "Hi").await;
    assert!(stage.sandbox.webhooks().wait_idle(Duration::from_secs(10)).await);
    let tries = stage.sandbox.world().webhooks.iter().count();
    assert_eq!(tries, 1);
    // An API inbox that cannot be told: the message fails where agents see it.
    let inbox = json!({"channel": {"webhook_url": "http://127.0.0.1:9/"}});
    client.update_inbox(1, &inbox).await.unwrap();
    let sent = client.create_message(1, &NewMessage::text("Olá")).await.unwrap();
    assert!(stage.sandbox.webhooks().wait_idle(Duration::from_secs(10)).await);
    let status = stage.server(|server| {
        let messages = &server.accounts[&1].conversations[&1].messages;
        messages.iter().find(|message| message.id == sent.id).unwrap().status.clone()
    });
    assert_eq!(status, "failed");
}

#[tokio::test]
async fn faults_drop_repeat_and_hold_back_webhooks() {
    let stage = Stage::start().await;
    let (url, received) = business().await;
    let new = NewWebhook { url, name: None, subscriptions: vec!["message_created".to_owned()] };
    stage.client().create_webhook(&new).await.unwrap();
    for (fault, copies) in [("dropped_status", 0), ("duplicate_webhook", 2), ("out_of_order_webhook", 1)] {
        // The first event is conversation_created, the last message_created.
        stage.faults(json!([{"fault": fault, "rate": 1.0}]));
        stage.customer_writes("+5511987654321", fault).await;
        assert!(stage.sandbox.webhooks().wait_idle(Duration::from_secs(10)).await);
        let taken = std::mem::take(&mut *received.lock().unwrap());
        assert_eq!(taken.len(), copies, "{fault}");
        let mut ids: Vec<_> = taken.iter().map(|(headers, _)| header(headers, DELIVERY_HEADER)).collect();
        ids.dedup();
        assert!(ids.len() <= 1, "a repetition has the same delivery id");
    }
}
