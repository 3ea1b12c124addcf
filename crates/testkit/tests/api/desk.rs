//! A server with an inbox on every platform, users, and customers who write.

use frontdesk_model::user::{Ability, Role};
use frontdesk_store::events;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{INSTAGRAM, NUMBER, PAGE, settings};
use frontdesk_testkit::server::{START, TestServer};
use frontdesk_testkit::snapshot;
use serde_json::Value;

/// A server ready to be used.
pub struct Desk {
    pub server: TestServer,
    pub admin: String,
    pub agent: String,
    pub agent_id: i64,
}

/// One of every kind of database, without limits on how often one may ask.
pub async fn desks() -> Vec<Desk> {
    let mut settings = settings();
    settings.engine.limits.send_per_minute = 10_000;
    settings.engine.limits.list_per_minute = 10_000;
    let mut desks = Vec::new();
    for server in TestServer::on_all(settings).await {
        for (channel, id) in [("whatsapp_cloud", NUMBER), ("messenger", PAGE), ("instagram", INSTAGRAM)] {
            server.connect(server.account, channel, id, &[]).await;
        }
        let admin = server.admin_token().await;
        let agent = server.user("agent@example.org", Role::Agent).await;
        let token = server.token(&agent, &[Ability::All]).await;
        desks.push(Desk { server, admin, agent: token, agent_id: agent.id.0 });
    }
    desks
}

impl Desk {
    /// A customer writes on WhatsApp; `at` is in seconds from the start of the server's clock.
    pub async fn write(&self, phone: &str, name: &str, id: &str, at: i64, text: &str) {
        let body = bodies::text(NUMBER, Person::named(phone, name), id, START.as_secs() + at, text);
        self.server.deliver(bodies::bytes(&body)).await;
    }

    /// A customer writes on Messenger or Instagram.
    pub async fn write_meta(&self, object: &str, from: &str, mid: &str, at: i64, text: &str) {
        let account = if object == "page" { PAGE } else { INSTAGRAM };
        let message = serde_json::json!({ "mid": mid, "text": text });
        let event = serde_json::json!({ "timestamp": (START.as_secs() + at) * 1000, "message": message });
        let body = bodies::messaging(object, account, from, account, event);
        self.server.deliver(bodies::bytes(&body)).await;
    }

    /// The conversation whose customer has this name.
    pub async fn conversation(&self, name: &str) -> Value {
        let all = snapshot::conversations(&self.server, &self.agent).await;
        all.into_iter()
            .find(|c| c["customer"]["name"] == name)
            .unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    pub async fn get(&self, path: &str) -> Value {
        self.server.get(path).bearer(&self.agent).send().await.ok(200)
    }

    /// The kinds of the events since one number, and the newest number.
    pub async fn events_after(&self, seq: i64) -> (Vec<&'static str>, i64) {
        let account = self.server.account;
        self.server.engine.store.number_events().await.unwrap();
        let found = self.server.engine.store.read(move |tx| events::list_after(tx, account, seq, 1000)).await;
        let found = found.unwrap();
        let last = found.last().map_or(seq, |event| event.seq);
        (found.iter().map(|event| event.kind.as_str()).collect(), last)
    }
}
