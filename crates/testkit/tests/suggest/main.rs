//! Suggested replies, on every kind of database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod drafts;
mod endpoint;
mod injections;
mod learning;
mod secrets;
mod shelf;
mod streams;

use frontdesk_engine::suggest;
use frontdesk_model::AccountId;
use frontdesk_model::user::{Ability, Role};
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, settings};
use frontdesk_testkit::server::{START, TestServer, TestSettings};
use serde_json::{Value, json};

/// A server with an inbox and an agent.
struct Desk {
    server: TestServer,
    agent: String,
    admin: String,
    number: &'static str,
}

async fn desks() -> Vec<Desk> {
    desks_with(roomy()).await
}

fn roomy() -> TestSettings {
    let mut settings = settings();
    settings.engine.limits.send_per_minute = 10_000;
    settings.engine.limits.suggest_per_minute = 10_000;
    // However slow the machine is.
    settings.engine.suggestions.wait_ms = 60_000;
    settings
}

async fn desks_with(settings: TestSettings) -> Vec<Desk> {
    let mut desks = Vec::new();
    for server in TestServer::on_all(settings).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        let admin = server.admin_token().await;
        let agent = server.user("agent@example.org", Role::Agent).await;
        let agent = server.token(&agent, &[Ability::All]).await;
        desks.push(Desk { server, admin, agent, number: NUMBER });
    }
    desks
}

impl Desk {
    /// Somebody writes on WhatsApp; `at` is in seconds from the start of the server's clock.
    async fn write(&self, phone: &str, name: &str, at: i64, text: &str) {
        let id = format!("wamid.in.{phone}.{at}");
        let body = bodies::text(self.number, Person::named(phone, name), &id, START.as_secs() + at, text);
        self.server.deliver(bodies::bytes(&body)).await;
    }

    /// One of ours answers on the phone.
    async fn answer(&self, phone: &str, at: i64, text: &str) {
        let id = format!("wamid.out.{phone}.{at}");
        let body = bodies::echo(self.number, phone, &id, START.as_secs() + at, text);
        self.server.deliver(bodies::bytes(&body)).await;
    }

    /// Somebody asks and is answered a minute later.
    async fn exchange(&self, phone: &str, name: &str, at: i64, asked: &str, answered: &str) {
        self.write(phone, name, at, asked).await;
        self.answer(phone, at + 60, answered).await;
    }

    async fn learn(&self) {
        suggest::catch_up(&self.server.engine).await.unwrap();
    }

    /// The conversation with somebody.
    async fn conversation(&self, phone: &str) -> i64 {
        let list = self.server.get("/admin/inbox?per_page=100").bearer(&self.agent).send().await.ok(200);
        let rows = list["data"].as_array().unwrap().clone();
        let of = |row: &&Value| row["customer"]["phone"] == json!(format!("+{phone}"));
        rows.iter().find(of).unwrap_or_else(|| panic!("{phone} in {list}"))["id"].as_i64().unwrap()
    }

    async fn suggest(&self, conversation: i64) -> Value {
        let path = format!("/admin/inbox/{conversation}/suggest-ai?count=5");
        self.server.get(&path).bearer(&self.agent).send().await.ok(200)
    }

    /// What is suggested to somebody who asks this.
    async fn suggested(&self, phone: &str, name: &str, at: i64, asked: &str) -> Vec<String> {
        self.write(phone, name, at, asked).await;
        let shown = self.suggest(self.conversation(phone).await).await;
        texts(&shown)
    }

    async fn pairs(&self, account: AccountId) -> i64 {
        let count =
            format!("SELECT COUNT(*) FROM suggest_pairs WHERE account_id = {account} AND removed = FALSE");
        self.server.database.number(&count).await
    }
}

fn texts(shown: &Value) -> Vec<String> {
    shown["suggestions"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// A team that has answered some questions.
async fn teach(desk: &Desk) {
    for (n, (asked, answered)) in [
        ("where is my parcel", "Your parcel is on its way, please wait a little."),
        ("can I track my parcel", "Your parcel is on its way, please wait a little!"),
        ("I want a refund", "We refund within some days, please send a photo."),
        ("is breakfast included", "Breakfast is included in every room."),
        ("do you have parking", "There is parking behind the house."),
        ("may I bring my dog", "Dogs are welcome here."),
    ]
    .into_iter()
    .enumerate()
    {
        let phone = format!("628139000{n:04}");
        desk.exchange(&phone, "Zulmira", 0, asked, answered).await;
    }
    desk.learn().await;
}
