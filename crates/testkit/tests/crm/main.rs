//! The record of donors, on every kind of database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod chats;
mod dashboard;
mod figures;
mod merges;
mod reminders;
mod sheets;
mod texts;
mod welcome;

use frontdesk_model::user::{Ability, Role};
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, settings};
use frontdesk_testkit::server::{START, TestServer};
use serde_json::{Value, json};

/// A number as it stands in addresses.
const SITI: &str = "6281390045512";

/// A server with an inbox, an administrator and an agent.
struct Desk {
    server: TestServer,
    admin: String,
    agent: String,
}

async fn desks() -> Vec<Desk> {
    let mut settings = settings();
    settings.engine.limits.send_per_minute = 10_000;
    let mut desks = Vec::new();
    for server in TestServer::on_all(settings).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        let admin = server.admin_token().await;
        let agent = server.user("agent@example.org", Role::Agent).await;
        let agent = server.token(&agent, &[Ability::All]).await;
        desks.push(Desk { server, admin, agent });
    }
    desks
}

impl Desk {
    async fn get(&self, path: &str) -> Value {
        self.server.get(path).bearer(&self.agent).send().await.ok(200)
    }

    async fn post(&self, path: &str, body: Value, status: u16) -> Value {
        self.server.post(path).bearer(&self.agent).json(&body).send().await.ok(status)
    }

    /// Changes some of the settings.
    async fn settle(&self, changes: Value) {
        let mut settings = self.get("/api/crm/settings").await["data"].clone();
        for (name, value) in changes.as_object().unwrap() {
            settings[name] = value.clone();
        }
        self.server.call("PUT", "/api/crm/settings").bearer(&self.admin).json(&settings).send().await.ok(200);
        self.server.clock.advance_ms(1);
    }

    /// Notes a gift; what its donor's gifts come to.
    async fn give(&self, phone: &str, amount: i64) -> Value {
        self.post(&format!("/api/crm/contacts/{phone}/donations"), json!({ "amount": amount }), 201).await
    }

    /// Somebody writes on WhatsApp; `at` is in seconds from the start of the server's clock.
    async fn write(&self, phone: &str, name: &str, id: &str, at: i64, text: &str) {
        let body = bodies::text(NUMBER, Person::named(phone, name), id, START.as_secs() + at, text);
        self.server.deliver(bodies::bytes(&body)).await;
    }
}
