//! A sandbox on a free port and a client of its Chatwoot.

use std::{sync::Arc, time::Duration};

use frontdesk_chatwoot_client::{CachedChatwoot, ChatwootClient, ChatwootSettings};
use frontdesk_provider_http::{AddressPolicy, install_crypto};
use frontdesk_sandbox::{Channel, Sandbox, SandboxSettings, chatwoot::Chatwoot};
use serde_json::{Value, json};

pub struct Stage {
    pub sandbox: Sandbox,
    pub url: String,
}

impl Stage {
    pub async fn start() -> Self {
        install_crypto();
        let (router, sandbox) = Sandbox::new(SandboxSettings::default()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        sandbox.set_public_url(&url);
        Self { sandbox, url }
    }

    pub fn settings(&self) -> ChatwootSettings {
        let base_url = format!("{}/chatwoot", self.url).parse().unwrap();
        let mut settings = ChatwootSettings::new(base_url, "right-token".into(), 1);
        settings.addresses = AddressPolicy::with_loopback();
        settings.retry_delay = Duration::from_millis(5);
        settings
    }

    pub fn client(&self) -> ChatwootClient {
        ChatwootClient::new(self.settings()).unwrap()
    }

    pub fn cached(&self) -> CachedChatwoot {
        CachedChatwoot::new(self.client())
    }

    /// The fake's own state.
    pub fn server<T>(&self, act: impl FnOnce(&mut Chatwoot) -> T) -> T {
        act(&mut self.sandbox.world().chatwoot)
    }

    pub fn faults(&self, rules: Value) {
        self.sandbox.world().faults.insert(Channel::Chatwoot, serde_json::from_value(rules).unwrap());
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        let request = reqwest::Client::new().post(format!("{}/control{path}", self.url)).json(&body);
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        let text = response.text().await.unwrap();
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// A customer writes; returns conversation and message.
    pub async fn customer_writes(&self, phone: &str, text: &str) -> (i64, i64) {
        let body = json!({"phone": phone, "name": "Ana Souza", "text": text});
        let written = self.control("/chatwoot/accounts/1/messages", body).await;
        (written["conversation_id"].as_i64().unwrap(), written["message_id"].as_i64().unwrap())
    }

    /// A conversation with as many messages.
    pub async fn long_conversation(&self, messages: usize) -> i64 {
        self.control("/chatwoot/accounts/1/crowd", json!({"contacts": 1, "messages_each": messages})).await;
        self.server(|server| *server.accounts[&1].conversations.keys().next_back().unwrap())
    }

    /// Requests that the fake saw, by verb and the end of their path.
    pub fn requests(&self, verb: &str, end: &str) -> usize {
        let world = self.sandbox.world();
        let seen = world.api_calls.iter().map(|call| &call.entry);
        seen.filter(|call| call.method == verb && call.path.ends_with(end)).count()
    }

    /// Messages of a conversation as the fake keeps them.
    pub fn contents(&self, conversation: i64) -> Vec<String> {
        self.server(|server| {
            let messages = &server.accounts[&1].conversations[&conversation].messages;
            messages.iter().filter_map(|message| message.content.clone()).collect()
        })
    }
}

pub type Shared<T> = Arc<std::sync::Mutex<T>>;
