//! Outgoing webhooks, on every kind of database: nothing is lost, each delivery is what integrators know, and one bad receiver
//! harms nobody.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod delivery;
mod endpoints;
mod files;
mod outages;
mod receiver;
mod speed;
mod told;

use frontdesk_engine::webhooks;
use frontdesk_model::InboxId;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, settings};
use frontdesk_testkit::server::TestServer;
use serde_json::{Value, json};

use receiver::Receiver;

/// Somebody who writes.
const SITI: Person<'static> =
    Person { phone: Some("6281390045512"), user_id: None, name: Some("Siti Rahma") };

/// A server with an inbox, and somebody who is told what happens.
struct Ground {
    server: TestServer,
    token: String,
    inbox: InboxId,
}

async fn grounds() -> Vec<Ground> {
    let mut settings = settings();
    settings.engine.webhooks.jitter = 0.0;
    let mut grounds = Vec::new();
    for server in TestServer::on_all(settings).await {
        let token = server.admin_token().await;
        let inbox = server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        grounds.push(Ground { server, token, inbox });
    }
    grounds
}

impl Ground {
    /// A webhook at the receiver; its id and secret.
    async fn listen(&self, receiver: &Receiver, more: Value) -> (i64, String) {
        let mut body = json!({ "url": receiver.open().await });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.server.post("/api/v1/webhooks").bearer(&self.token).json(&body).send().await.ok(201);
        (made["id"].as_i64().unwrap(), made["secret"].as_str().unwrap().to_owned())
    }

    /// Somebody writes.
    async fn writes(&self, from: Person<'_>, id: &str, text: &str) {
        let body = bodies::text(NUMBER, from, id, self.server.clock_seconds(), text);
        self.server.deliver(bodies::bytes(&body)).await;
    }

    /// Does what the workers would do now.
    async fn work(&self) {
        self.server.engine.store.number_events().await.unwrap();
        webhooks::follow(&self.server.engine).await.unwrap();
        webhooks::deliver_due(&self.server.engine).await.unwrap();
    }

    /// Lets time pass, with a look every `step` seconds.
    async fn pass(&self, secs: i64, step: i64) {
        for _ in 0..secs / step {
            self.server.clock.advance_ms(step * 1000);
            self.work().await;
        }
    }

    async fn get(&self, path: &str) -> Value {
        self.server.get(&format!("/api/v1/webhooks{path}")).bearer(&self.token).send().await.ok(200)
    }

    async fn post(&self, path: &str, body: Value, status: u16) -> Value {
        let call = self.server.post(&format!("/api/v1/webhooks{path}")).bearer(&self.token).json(&body);
        call.send().await.ok(status)
    }

    async fn patch(&self, id: i64, body: Value) -> Value {
        let call = self.server.patch(&format!("/api/v1/webhooks/{id}")).bearer(&self.token).json(&body);
        call.send().await.ok(200)
    }
}
