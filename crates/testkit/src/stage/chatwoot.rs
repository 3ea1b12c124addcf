//! The sandbox's Chatwoot, and what is done there.

use std::time::Duration;

use frontdesk_engine::chatwoot::settings::{AddressPolicy, ChatwootSettings};
use frontdesk_model::clock::Clock;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Stage;

const WEBHOOK_PATH: &str = "/api/v1/sync/chatwoot/webhook";

/// What its webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "whsec_demo_8fJ2kQ";

impl Stage {
    /// Where the sandbox's Chatwoot is.
    pub fn chatwoot_url(&self) -> String {
        format!("http://{}/chatwoot", self.provider)
    }

    pub(super) fn chatwoot_settings(&self) -> ChatwootSettings {
        let url = self.chatwoot_url().parse().expect("an address");
        let mut settings = ChatwootSettings::new(url, "an-administrators-token".into(), 1);
        settings.addresses = AddressPolicy::with_loopback();
        settings.retry_delay = Duration::from_millis(5);
        settings.webhook.secrets = vec!["another-webhooks".into(), WEBHOOK_SECRET.into()];
        settings
    }

    /// A customer writes in Chatwoot; returns conversation and message.
    ///
    /// # Panics
    /// When the sandbox refuses.
    pub async fn write_in_chatwoot(&self, phone: &str, text: &str) -> (i64, i64) {
        let body = json!({ "phone": phone, "name": "Ana Souza", "text": text });
        let url = format!("http://{}/control/chatwoot/accounts/1/messages", self.provider);
        let answer = self.http.post(url).json(&body).send().await.expect("the sandbox answers");
        let written: Value = answer.json().await.expect("the sandbox takes it");
        let id = |name: &str| written[name].as_i64().expect("an id");
        (id("conversation_id"), id("message_id"))
    }

    /// Makes people in Chatwoot, of whom nobody is told.
    ///
    /// # Panics
    /// When the sandbox refuses.
    pub async fn crowd_in_chatwoot(&self, people: usize) {
        let url = format!("http://{}/control/chatwoot/accounts/1/crowd", self.provider);
        let answer = self.http.post(url).json(&json!({ "contacts": people })).send().await;
        assert!(answer.expect("the sandbox answers").status().is_success());
    }

    /// Calls Chatwoot's API as its administrator.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn ask_chatwoot(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/api/v1/accounts/1{path}", self.chatwoot_url());
        let method = method.parse().expect("a method");
        let request = self.http.request(method, url).header("api_access_token", "an-administrators-token");
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await.expect("the sandbox answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Requests that Chatwoot saw, by verb and the end of their path.
    pub fn chatwoot_requests(&self, verb: &str, end: &str) -> usize {
        let world = self.sandbox.world();
        let calls = world.api_calls.iter().map(|call| &call.entry);
        calls.filter(|call| call.method == verb && call.path.ends_with(end)).count()
    }

    /// Has Chatwoot deliver to the first node, signed with this secret.
    ///
    /// # Panics
    /// When the sandbox refuses.
    pub async fn subscribe_at_chatwoot(&self, secret: &str) {
        let url = format!("http://{}/chatwoot/api/v1/accounts/1/webhooks", self.provider);
        let new = json!({ "webhook": { "url": format!("{}{WEBHOOK_PATH}", self.nodes[0].url),
            "subscriptions": ["message_created", "contact_updated"] } });
        let request = self.http.post(url).header("api_access_token", "an-administrators-token").json(&new);
        let answer = request.send().await.expect("the sandbox answers");
        assert!(answer.status().is_success(), "{}", answer.status());
        let mut world = self.sandbox.world();
        let account = world.chatwoot.accounts.get_mut(&1).expect("account 1 is there");
        account.webhooks.values_mut().for_each(|webhook| webhook.secret = secret.to_owned());
    }

    /// Delivers a body to a node as Chatwoot would.
    ///
    /// # Panics
    /// When the node does not answer.
    pub async fn deliver_from_chatwoot(
        &self,
        node: usize,
        body: &str,
        signature: &str,
        sent_s: i64,
        delivery: &str,
    ) -> (u16, Value) {
        let request = self
            .http
            .post(format!("{}{WEBHOOK_PATH}", self.nodes[node].url))
            .header("content-type", "application/json")
            .header("x-chatwoot-signature", signature)
            .header("x-chatwoot-timestamp", sent_s.to_string())
            .header("x-chatwoot-delivery", delivery)
            .body(body.to_owned());
        let answer = request.send().await.expect("the node answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// The time by everybody's clock, in seconds since 1970.
    pub fn now_s(&self) -> i64 {
        self.clock.now().as_secs()
    }
}

/// What Chatwoot puts into `X-Chatwoot-Signature`.
///
/// # Panics
/// Never: HMAC takes any key.
pub fn chatwoot_signature(secret: &str, sent_s: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key fits");
    mac.update(format!("{sent_s}.").as_bytes());
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}
