//! One hotel with an inbox, and what can happen to it.

use std::time::Duration;

use frontdesk_engine::monitoring::{self, evaluate};
use frontdesk_model::InboxId;
use frontdesk_provider_http::{CallRecord, Outcome};
use frontdesk_testkit::meta::{NUMBER, settings};
use frontdesk_testkit::server::TestServer;
use serde_json::Value;

pub struct Ground {
    pub server: TestServer,
    pub token: String,
    pub inbox: InboxId,
}

/// A ground on every kind of database.
pub async fn grounds() -> Vec<Ground> {
    let mut grounds = Vec::new();
    for server in TestServer::on_all(settings()).await {
        grounds.push(ground_on(server).await);
    }
    grounds
}

/// A ground on this server.
pub async fn ground_on(server: TestServer) -> Ground {
    let token = server.admin_token().await;
    let inbox = server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
    Ground { server, token, inbox }
}

/// A call as a provider's client tells it.
pub fn call(outcome: Outcome, duration_ms: u64, limited: bool) -> CallRecord<'static> {
    CallRecord {
        provider: "any",
        key: "any",
        operation: "send_message",
        class: "",
        attempt: 1,
        waited: Duration::from_millis(if limited { 300 } else { 0 }),
        limited,
        outcome,
        status: None,
        duration: Duration::from_millis(duration_ms),
    }
}

impl Ground {
    /// Calls of the inbox, as its channel's client reports them.
    pub async fn calls(&self, all: u64, failed: u64, duration_ms: u64) {
        for n in 0..all {
            let outcome = if n < failed { Outcome::ProviderFault } else { Outcome::Ok };
            self.record(&call(outcome, duration_ms, false)).await;
        }
    }

    pub async fn record(&self, record: &CallRecord<'_>) {
        let engine = &self.server.engine;
        let book = frontdesk_engine::inboxes::book(engine).await.unwrap();
        monitoring::context_of(engine, book.find(self.inbox).unwrap()).recorder.record(record);
    }

    /// Lets time pass and the rules be looked at, as the worker does every few seconds.
    pub async fn pass(&self, secs: i64) {
        self.server.clock.advance_ms(secs * 1000);
        evaluate::evaluate(&self.server.engine).await.unwrap();
    }

    pub async fn get(&self, path: &str) -> Value {
        self.server.get(&format!("/api/v1/monitoring/{path}")).bearer(&self.token).send().await.ok(200)
    }

    /// The names of the rules whose alerts fire.
    pub async fn firing(&self) -> Vec<String> {
        let alerts = self.get("alerts").await;
        let mut names: Vec<String> = alerts["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["rule"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }
}
