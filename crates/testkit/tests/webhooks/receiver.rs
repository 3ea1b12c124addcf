//! Somebody who is told what happens: what came, and what to answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::Notify;

type Judge = Arc<dyn Fn(&Value) -> u16 + Send + Sync>;

/// One delivery as it came.
#[derive(Clone)]
pub struct Heard {
    pub headers: HeaderMap,
    pub body: String,
    pub status: u16,
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// True when one of its signatures was made with the secret.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{at}.{}", self.body).as_bytes());
        let expected = format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|one| one == expected)
    }
}

#[derive(Clone, Default)]
pub struct Receiver {
    heard: Arc<Mutex<Vec<Heard>>>,
    /// Answers in their order; then the judge is asked, then it is 204.
    answers: Arc<Mutex<VecDeque<u16>>>,
    judge: Arc<Mutex<Option<Judge>>>,
    /// Sent with every refusal.
    retry_after: Arc<Mutex<Option<String>>>,
    arrived: Arc<Notify>,
}

impl Receiver {
    pub async fn open(&self) -> String {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?key=1", socket.local_addr().unwrap());
        let router = Router::new().fallback(hear).with_state(self.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        url
    }

    /// These answers first, in this order.
    pub fn answers(&self, answers: impl IntoIterator<Item = u16>) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// From now on what is answered depends on what is told.
    pub fn judges(&self, judge: impl Fn(&Value) -> u16 + Send + Sync + 'static) {
        *self.judge.lock().unwrap() = Some(Arc::new(judge));
    }

    pub fn asks_to_wait(&self, retry_after: &str) {
        *self.retry_after.lock().unwrap() = Some(retry_after.to_owned());
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Returns when so many deliveries have come.
    pub async fn hears(&self, count: usize) {
        while self.heard().len() < count {
            self.arrived.notified().await;
        }
    }

    /// What was taken.
    pub fn taken(&self) -> Vec<Heard> {
        self.heard().into_iter().filter(|heard| heard.status < 300).collect()
    }

    /// The words of the messages that were taken, in their order.
    pub fn words(&self) -> Vec<String> {
        let words = |heard: &Heard| heard.json()["data"]["message"].as_str().unwrap_or_default().to_owned();
        self.taken().iter().map(words).collect()
    }
}

async fn hear(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> Response {
    let queued = receiver.answers.lock().unwrap().pop_front();
    let judge = receiver.judge.lock().unwrap().clone();
    let status =
        queued.unwrap_or_else(|| judge.map_or(204, |judge| judge(&serde_json::from_str(&body).unwrap())));
    receiver.heard.lock().unwrap().push(Heard { headers, body, status });
    receiver.arrived.notify_one();
    let mut answer = (StatusCode::from_u16(status).unwrap(), format!("answered {status}")).into_response();
    if status == 302 {
        answer.headers_mut().insert("location", "http://127.0.0.1:9/elsewhere".parse().unwrap());
    }
    if status >= 400
        && let Some(wait) = receiver.retry_after.lock().unwrap().as_deref()
    {
        answer.headers_mut().insert("retry-after", wait.parse().unwrap());
    }
    answer
}
