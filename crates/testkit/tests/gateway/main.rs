//! The API of a WhatsApp gateway over sessions, on every kind of database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod chats;
mod contacts;
mod load;
mod sending;

use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::green::INSTANCE;
use frontdesk_testkit::meta::{NUMBER, settings};
use frontdesk_testkit::server::{START, TestServer};
use serde_json::{Value, json};

/// A number as it stands in addresses.
const SITI: &str = "6281390045512";

/// A server with two sessions: one that customers have written to, and one that can write first.
struct Desk {
    server: TestServer,
    token: String,
}

async fn desks() -> Vec<Desk> {
    let mut settings = settings();
    settings.engine.limits.send_per_minute = 10_000;
    desks_with(settings).await
}

async fn desks_with(settings: frontdesk_testkit::server::TestSettings) -> Vec<Desk> {
    let mut desks = Vec::new();
    for server in TestServer::on_all(settings).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        server.connect_instance(server.account, INSTANCE, &[]).await;
        let token = server.admin_token().await;
        desks.push(Desk { server, token });
    }
    desks
}

impl Desk {
    async fn writes(&self, phone: &str, name: &str, id: &str, after_secs: i64, text: &str) {
        let from = Person::named(phone, name);
        let body = bodies::text(NUMBER, from, id, START.as_secs() + after_secs, text);
        self.server.deliver(bodies::bytes(&body)).await;
    }

    /// Under the session that customers have written to.
    async fn get(&self, path: &str) -> Value {
        self.server.get(&format!("/api/v1/sessions/{NUMBER}{path}")).bearer(&self.token).send().await.ok(200)
    }

    /// From the session that can write first.
    async fn send(&self, kind: &str, body: Value) -> Value {
        self.post(kind, body).await.ok(200)
    }

    async fn post(&self, kind: &str, body: Value) -> frontdesk_testkit::call::Answer {
        let path = format!("/api/v1/sessions/{INSTANCE}/messages/{kind}");
        self.server.post(&path).bearer(&self.token).json(&body).send().await
    }

    async fn count(&self, table: &str) -> i64 {
        self.server.database.number(&format!("SELECT COUNT(*) FROM {table}")).await
    }
}

/// Refused with a sentence about the field, in the shape of the gateway.
fn refused(answer: &frontdesk_testkit::call::Answer, field: &str) -> String {
    let told = answer.refused(422, "VALIDATION_ERROR");
    assert_eq!((&told["success"], &told["data"]), (&json!(false), &Value::Null), "{told}");
    let sentence = told["errors"][field][0].as_str();
    assert!(sentence.is_some(), "{field}: {told}");
    assert_eq!(told["message"].as_str(), sentence, "clients show the message alone");
    sentence.unwrap().to_owned()
}
