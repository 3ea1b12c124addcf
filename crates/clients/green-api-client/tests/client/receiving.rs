//! Notifications: polled, and posted to a URL; each as the webhook types read them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
};
use frontdesk_green_api_client::{
    GreenClient, InstanceState, RefusalKind,
    methods::account::Settings,
    verify_signature, verify_token,
    webhook::{self, Content, Event, Webhook},
};
use frontdesk_sandbox::green::InstanceState as FakeState;
use serde_json::json;

use crate::{
    kind,
    stage::{Stage, guest},
    text,
};

const WAIT: Duration = Duration::from_secs(5);

/// Takes the next notification out of the queue.
async fn next(client: &GreenClient) -> Webhook {
    let notification = client.receive_notification(WAIT).await.unwrap().expect("a notification");
    let webhook = notification.webhook().unwrap();
    assert!(client.delete_notification(notification.receipt_id).await.unwrap().result);
    webhook
}

#[tokio::test]
async fn a_send_is_told_as_echo_sent_delivered_and_read() {
    let stage = Stage::start().await;
    stage.tell_everything();
    let client = stage.client();
    let id = client.send_message(&text("Hello")).await.unwrap().id_message;
    let Event::ApiMessage(echo) = next(&client).await.event else { panic!("no echo") };
    assert_eq!((echo.id.as_str(), echo.sender.chat_id.as_deref()), (id.as_str(), Some(guest().as_str())));
    assert!(matches!(&echo.content, Content::ExtendedText(said) if said.text.as_deref() == Some("Hello")));
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let Event::Status(status) = next(&client).await.event else { panic!("no status") };
        assert_eq!(status.id_message.as_deref(), Some(id.as_str()));
        statuses.push(status.status.unwrap());
    }
    frontdesk_sandbox::phone::open(&stage.sandbox, "ada", "1101000001", true).unwrap();
    let Event::Status(read) = next(&client).await.event else { panic!("no status") };
    statuses.push(read.status.unwrap());
    assert_eq!(statuses, ["sent", "delivered", "read"]);
}

#[tokio::test]
async fn everything_a_guest_does_is_understood() {
    let stage = Stage::start().await;
    stage.tell_everything();
    let client = stage.client();
    let mut first = String::new();
    for action in [
        json!({"kind": "text", "text": "Hello"}),
        json!({"kind": "image", "caption": "view"}),
        json!({"kind": "video"}),
        json!({"kind": "audio"}),
        json!({"kind": "voice"}),
        json!({"kind": "document"}),
        json!({"kind": "sticker"}),
        json!({"kind": "location", "latitude": 1.5, "longitude": 2.5, "name": "Pier"}),
        json!({"kind": "contacts", "contacts": [{"name": "Ann", "phone": "+1 555 010 0009"}]}),
        json!({"kind": "contacts", "contacts": [{"name": "Ann", "phone": "1"}, {"name": "Bob", "phone": "2"}]}),
        json!({"kind": "button_reply", "message_id": "X", "id": "1", "title": "Yes"}),
        json!({"kind": "list_reply", "message_id": "X", "id": "1", "title": "Late"}),
        json!({"kind": "reaction", "message_id": "FIRST", "emoji": "👍"}),
        json!({"kind": "edit", "message_id": "FIRST", "text": "Hello!"}),
        json!({"kind": "unsend", "message_id": "FIRST"}),
        json!({"kind": "text", "text": "yes", "reply_to": "FIRST"}),
    ] {
        let action: serde_json::Value =
            serde_json::from_str(&action.to_string().replace("FIRST", &first)).unwrap();
        let wants_target = action["kind"] == "button_reply" || action["kind"] == "list_reply";
        let mut action = action;
        if wants_target {
            action["message_id"] = json!(first);
        }
        let id = stage.act(action.clone());
        if first.is_empty() {
            first.clone_from(&id);
        }
        let Event::IncomingMessage(message) = next(&client).await.event else { panic!("{action}") };
        assert_eq!(message.id, id);
        assert_eq!(message.sender.sender_name.as_deref(), Some("Ada Guest"));
        assert!(
            !matches!(message.content, Content::Unknown(_) | Content::Unreadable(_)),
            "{action}: {message:?}"
        );
        if let Content::Image(file) | Content::Video(file) | Content::Document(file) | Content::Audio(file) =
            &message.content
        {
            assert_eq!(reqwest::get(file.download_url.as_deref().unwrap()).await.unwrap().status(), 200);
        }
    }
    stage.act(json!({"kind": "unsupported"}));
    let Event::IncomingMessage(message) = next(&client).await.event else { panic!("no message") };
    assert!(matches!(message.content, Content::Unknown(_)), "a kind of tomorrow is kept");
}

#[tokio::test]
async fn a_notification_stays_until_it_is_deleted_and_an_empty_queue_is_waited_for() {
    let stage = Stage::start().await;
    stage.tell_everything();
    let client = stage.client();
    stage.act(json!({"kind": "text", "text": "one"}));
    let first = client.receive_notification(WAIT).await.unwrap().unwrap();
    let again = client.receive_notification(WAIT).await.unwrap().unwrap();
    assert_eq!(first.receipt_id, again.receipt_id);
    assert!(client.delete_notification(first.receipt_id).await.unwrap().result);
    assert!(!client.delete_notification(first.receipt_id).await.unwrap().result);
    let (poll, ()) = tokio::join!(client.receive_notification(WAIT), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        stage.act(json!({"kind": "text", "text": "two"}));
    });
    assert!(poll.unwrap().is_some(), "it came while it was waited for");
    let second = client.receive_notification(WAIT).await.unwrap().unwrap();
    client.delete_notification(second.receipt_id).await.unwrap();
    assert!(client.receive_notification(WAIT).await.unwrap().is_none(), "five seconds of silence");
    // A day later nothing is left.
    stage.act(json!({"kind": "text", "text": "three"}));
    stage.sandbox.clock().shift(24 * 3_600_000);
    assert!(client.receive_notification(WAIT).await.unwrap().is_none());
}

#[tokio::test]
async fn signing_in_is_told_and_lets_the_queue_go() {
    let stage = Stage::start().await;
    stage.tell_everything();
    let client = stage.client();
    assert!(client.logout().await.unwrap());
    let webhook = next(&client).await;
    assert_eq!(webhook.instance.wid.as_deref(), Some(""));
    assert!(matches!(webhook.event, Event::State(change) if change.state == InstanceState::NotAuthorized));
    let id = client.send_message(&text("Later")).await.unwrap().id_message;
    let scan = format!("{}/control/green/1101000001", stage.url);
    let scanned =
        reqwest::Client::new().patch(scan).json(&json!({"state": FakeState::Authorized})).send().await;
    assert_eq!(scanned.unwrap().status(), 200);
    assert!(
        matches!(next(&client).await.event, Event::State(change) if change.state == InstanceState::Authorized)
    );
    assert!(matches!(next(&client).await.event, Event::ApiMessage(echo) if echo.id == id));
}

#[tokio::test]
async fn webhooks_come_with_the_token_in_order_and_again_until_they_are_taken() {
    type Seen = Arc<Mutex<Vec<(Option<usize>, Option<usize>, Webhook)>>>;
    let stage = Stage::start().await;
    stage.tell_everything();
    let client = stage.client();
    let seen = Seen::default();
    let receiver = {
        let seen = Arc::clone(&seen);
        Router::new().fallback(async move |headers: HeaderMap, body: Bytes| {
            let token = verify_token(headers["authorization"].as_bytes(), &["hotel-secret".into()]);
            let signature = headers.get("x-hub-signature-256").map(|value| value.as_bytes());
            let signed = signature.and_then(|value| verify_signature(value, &body, &["proxy".into()]));
            let mut seen = seen.lock().unwrap();
            seen.push((token, signed, webhook::parse(&body).unwrap()));
            // 201 is not enough for Green API.
            if seen.len() == 1 { StatusCode::CREATED } else { StatusCode::OK }
        })
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, receiver).await.unwrap() });
    if let Some(inbox) = stage.sandbox.world().inboxes.get_mut("1101000001") {
        inbox.webhook.app_secret = Some("proxy".to_owned());
    }
    let settings = Settings {
        webhook_url: Some(url),
        webhook_url_token: Some("hotel-secret".to_owned()),
        ..Settings::default()
    };
    client.set_settings(&settings).await.unwrap();
    stage.act(json!({"kind": "text", "text": "one"}));
    stage.act(json!({"kind": "text", "text": "two"}));
    assert!(stage.sandbox.webhooks().wait_idle(Duration::from_secs(10)).await);
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let texts: Vec<&str> = seen
        .iter()
        .map(|(_, _, webhook)| match &webhook.event {
            Event::IncomingMessage(message) => match &message.content {
                Content::Text(said) => said.text.as_str(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, ["one", "one", "two"]);
    assert!(seen.iter().all(|(token, signed, _)| (*token, *signed) == (Some(0), Some(0))));
    let polled = client.receive_notification(WAIT).await.unwrap_err();
    assert_eq!(kind(polled), RefusalKind::Invalid, "either way, not both");
}
