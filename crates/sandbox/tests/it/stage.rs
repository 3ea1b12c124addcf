//! A sandbox on a free port, and a business beside it that records every webhook.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use frontdesk_meta_graph_client::verify_signature;
use frontdesk_meta_graph_client::webhook::parse;
use frontdesk_sandbox::{Sandbox, SandboxSettings};
use serde_json::{Value, json};

pub const SECRET: &str = "app-secret";
pub const NUMBER: &str = "108144372211905";
pub const PAGE: &str = "104266588011223";
pub const INSTAGRAM: &str = "17841400112233445";

/// One webhook as the business received it.
#[derive(Clone)]
pub struct Received {
    pub signature: Option<String>,
    pub bytes: Bytes,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }
}

#[derive(Clone)]
pub struct Business {
    inbox: Arc<Mutex<Vec<Received>>>,
    status: Arc<AtomicU16>,
}

pub struct Stage {
    pub sandbox: Sandbox,
    pub url: String,
    pub http: reqwest::Client,
    business: Business,
}

async fn receive(State(business): State<Business>, headers: HeaderMap, bytes: Bytes) -> StatusCode {
    let signature = headers.get("x-hub-signature-256").map(|value| value.to_str().unwrap().to_owned());
    business.inbox.lock().unwrap().push(Received { signature, bytes });
    StatusCode::from_u16(business.status.load(Ordering::Relaxed)).unwrap()
}

async fn spawn(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

impl Stage {
    pub async fn start() -> Self {
        let business = Business { inbox: Arc::default(), status: Arc::new(AtomicU16::new(200)) };
        let callback = spawn(Router::new().fallback(receive).with_state(business.clone())).await;
        let mut settings = SandboxSettings::default();
        settings.live.webhook.url = Some(format!("{callback}/api/webhooks/messages"));
        settings.live.webhook.app_secret = Some(SECRET.to_owned());
        settings.live.timing.sent_after_ms = 0;
        settings.live.timing.delivered_after_ms = 0;
        let (router, sandbox) = Sandbox::new(settings).unwrap();
        let url = spawn(router).await;
        sandbox.set_public_url(&url);
        Self { sandbox, url, http: reqwest::Client::new(), business }
    }

    /// Which status the business answers webhooks with.
    pub fn answer_webhooks_with(&self, status: u16) {
        self.business.status.store(status, Ordering::Relaxed);
    }

    pub async fn control(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let method = method.parse().unwrap();
        let request = self.http.request(method, format!("{}/control{path}", self.url));
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    /// A control call that must succeed.
    pub async fn set(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.control(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// A customer, with this number on WhatsApp.
    pub async fn customer(&self, name: &str, phone: &str) -> String {
        let customer = self.set("POST", "/customers", json!({"name": name, "phone": phone})).await;
        customer["id"].as_str().unwrap().to_owned()
    }

    /// Does something as a customer and returns the message id.
    pub async fn act(&self, customer: &str, action: Value) -> String {
        let written = self.set("POST", &format!("/customers/{customer}/messages"), action).await;
        written["message_id"].as_str().unwrap().to_owned()
    }

    /// A customer who has just written, so that the window is open.
    pub async fn writing_customer(&self, phone: &str) -> String {
        let customer = self.customer("Sari Wulandari", phone).await;
        self.act(&customer, json!({"inbox_id": "whatsapp", "kind": "text", "text": "Halo"})).await;
        self.webhooks().await;
        customer
    }

    /// A customer known to a Messenger or Instagram inbox, and the scoped id.
    pub async fn scoped_customer(&self, inbox: &str) -> (String, String) {
        let customer = self.customer("Budi Santoso", "6281222333444").await;
        self.act(&customer, json!({"inbox_id": inbox, "kind": "text", "text": "Halo"})).await;
        self.webhooks().await;
        let view = self.set("GET", &format!("/customers/{customer}"), Value::Null).await;
        (customer, view["scoped_ids"][inbox].as_str().unwrap().to_owned())
    }

    /// A Graph call with JSON.
    pub async fn graph(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.post(format!("{}/graph/v25.0/{path}", self.url)).bearer_auth("EAAtest");
        let response = request.json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    pub async fn graph_get(&self, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}/graph/v25.0/{path}", self.url)).bearer_auth("EAAtest");
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    /// A WhatsApp text that is expected to be taken; returns the message id.
    pub async fn send_text(&self, to: &str, text: &str) -> String {
        let (status, answer) = self.graph(&format!("{NUMBER}/messages"), text_to(to, text)).await;
        assert_eq!(status, 200, "{answer}");
        answer["messages"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Waits until nothing is under way and takes the webhooks received since the last call. Each must be genuine and
    /// wholly readable to the client crate that Frontdesk itself uses.
    pub async fn received(&self) -> Vec<Received> {
        assert!(
            self.sandbox.webhooks().wait_idle(Duration::from_secs(20)).await,
            "webhooks are still under way"
        );
        let received = std::mem::take(&mut *self.business.inbox.lock().unwrap());
        for webhook in &received {
            let signature = webhook.signature.as_deref().unwrap_or_default();
            assert_eq!(verify_signature(signature.as_bytes(), &webhook.bytes, &[SECRET.into()]), Some(0));
            let read = parse(&webhook.bytes).unwrap();
            assert_eq!(format!("{:?}", read.problems()), "[]");
        }
        received
    }

    pub async fn webhooks(&self) -> Vec<Value> {
        self.received().await.iter().map(Received::json).collect()
    }

    /// Names of the statuses told since the last call, in order.
    pub async fn statuses(&self) -> Vec<String> {
        let webhooks = self.webhooks().await;
        let statuses =
            webhooks.iter().map(|body| &body["entry"][0]["changes"][0]["value"]["statuses"][0]["status"]);
        statuses.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    }
}

/// Body of a WhatsApp text.
pub fn text_to(to: &str, text: &str) -> Value {
    json!({"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": text}})
}
