//! Customers who write and agents who reply, whatever happens to the server.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use frontdesk_sandbox::phone::{self, action::CustomerMessage};
use frontdesk_sandbox::{Channel, Sandbox, SandboxSettings};
use serde_json::{Value, json};

use super::program::{ACCESS_TOKEN, APP_SECRET};

/// In every text of a customer and an agent: may be found in the database and nowhere else.
pub const MARK: &str = "strictly-between-us";
/// Begins every customer's number.
pub const NUMBERS: &str = "62877665";
const CUSTOMERS: usize = 40;
/// 200 messages a second.
const PAUSE: Duration = Duration::from_millis(5);

/// What was promised to whom.
#[derive(Default)]
pub struct Ledger {
    /// The provider's ids of everything customers wrote.
    pub written: Mutex<Vec<String>>,
    /// The id and text of every reply the server took.
    pub accepted: Mutex<Vec<(i64, String)>>,
}

/// Starts the providers; returns their address.
pub async fn open_provider() -> (Sandbox, String) {
    let mut settings = SandboxSettings::default();
    settings.live.webhook.app_secret = Some(APP_SECRET.to_owned());
    settings.live.retry.base_ms = 50;
    settings.live.retry.max_attempts = 30;
    settings.live.limits.pair_burst = None;
    settings.live.limits.messages_per_second = None;
    let (router, sandbox) = Sandbox::new(settings).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    sandbox.set_public_url(&url);
    tokio::spawn(async move { axum::serve(listener, router).await });
    {
        let mut world = sandbox.world();
        world.inboxes.get_mut("whatsapp").unwrap().access_token = Some(ACCESS_TOKEN.to_owned());
        // Slow enough that every kill strikes some sends.
        let slow = json!({"fault": "latency", "latency_ms": 60, "rate": 1.0});
        world.faults.insert(Channel::WhatsappCloud, vec![serde_json::from_value(slow).unwrap()]);
        for n in 0..CUSTOMERS {
            let new = json!({"id": format!("c{n}"), "name": format!("Customer {n}"), "phone": format!("{NUMBERS}{n:04}")});
            world.add_customer(serde_json::from_value(new).unwrap()).unwrap();
        }
    }
    (sandbox, url)
}

fn write(sandbox: &Sandbox, ledger: &Ledger, n: usize) {
    let message = json!({"inbox_id": "whatsapp", "kind": "text", "text": format!("{MARK} {n}")});
    let message: CustomerMessage = serde_json::from_value(message).unwrap();
    let written = phone::act(sandbox, &format!("c{}", n % CUSTOMERS), &message).unwrap();
    ledger.written.lock().unwrap().push(written.message_id);
}

/// Every customer writes once.
pub fn greet(sandbox: &Sandbox, ledger: &Ledger) {
    (0..CUSTOMERS).for_each(|n| write(sandbox, ledger, n));
}

/// Customers write until `stop`.
pub async fn customers(sandbox: Sandbox, ledger: Arc<Ledger>, stop: Arc<AtomicBool>) {
    let mut ticks = tokio::time::interval(PAUSE);
    for n in CUSTOMERS.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        ticks.tick().await;
        write(&sandbox, &ledger, n);
    }
}

/// One agent replies in conversations of its own until `stop`: each reply is asked for with one key until the server
/// takes it.
pub async fn agent(
    url: String,
    token: String,
    conversations: Vec<i64>,
    ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
) {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(2)).build().unwrap();
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let conversation = conversations[n % conversations.len()];
        let text = format!("{MARK} reply {conversation}/{n}");
        let body = json!({"content": text, "client_key": format!("key {conversation}/{n}")});
        loop {
            let path = format!("{url}/admin/inbox/{conversation}/messages");
            let answer = http.post(path).bearer_auth(&token).json(&body).send().await;
            let taken = match answer {
                Ok(answer) if answer.status().is_success() => answer.json::<Value>().await.ok(),
                Ok(answer) if answer.status().is_server_error() => None,
                Ok(answer) => panic!("a reply was refused: {}", answer.status()),
                Err(_) => None,
            };
            if let Some(message) = taken {
                ledger.accepted.lock().unwrap().push((message["id"].as_i64().unwrap(), text));
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

impl Ledger {
    pub fn written(&self) -> HashSet<String> {
        let written = self.written.lock().unwrap();
        let unique: HashSet<String> = written.iter().cloned().collect();
        assert_eq!(unique.len(), written.len());
        unique
    }

    pub fn accepted(&self) -> Vec<(i64, String)> {
        self.accepted.lock().unwrap().clone()
    }
}
