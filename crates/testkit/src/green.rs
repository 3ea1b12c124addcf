//! Green API's side of a test: instances for the recorded bodies, and those bodies.

use std::path::Path;

use bytes::Bytes;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::inboxes::{self, NewInbox};
use frontdesk_engine::settings::{DoorSettings, EngineSettings};
use frontdesk_model::{AccountId, InboxId};
use futures_util::{StreamExt, stream};

use crate::call::{Answer, Call};
use crate::meta::Fixture;
use crate::server::{TestServer, TestSettings};
use crate::stage::until;

/// Where Green API delivers.
pub const DOOR: &str = "/api/v1/webhooks/green-api";
/// The server's secret: token of instances without one, key of signatures.
pub const SECRET: &str = "the-servers-own-secret";
/// The instances of the recorded bodies.
pub const INSTANCES: [&str; 6] =
    ["1100000000", "1100000001", "1101000001", "1101000002", "1103860726", "1105000000"];
/// The first of them.
pub const INSTANCE: &str = "1101000001";

/// A server with a secret for instances that have none.
pub fn settings() -> TestSettings {
    let doors = DoorSettings { green_api_webhook_secret: Some(SECRET.to_owned()), ..DoorSettings::default() };
    TestSettings { engine: EngineSettings { doors, ..EngineSettings::default() }, ..TestSettings::default() }
}

/// The token of an instance.
pub fn token_of(instance: &str) -> String {
    format!("token-of-{instance}")
}

/// All recorded bodies: those of the client and those of the channel.
///
/// # Panics
/// When they cannot be read.
#[expect(clippy::expect_used, reason = "a test cannot go on without its fixtures")]
pub fn fixtures() -> Vec<Fixture> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all = Vec::new();
    for folder in ["clients/green-api-client/fixtures", "channels/src/green_api/fixtures"] {
        for entry in std::fs::read_dir(crates.join(folder)).expect("the folder of fixtures") {
            let path = entry.expect("a file").path();
            if path.extension().is_some_and(|ending| ending == "json") {
                let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
                all.push(Fixture { name, body: std::fs::read(&path).expect("a fixture").into() });
            }
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

impl TestServer {
    /// A delivery with a token.
    pub fn green_webhook(&self, token: &str, body: impl Into<Bytes>) -> Call<'_> {
        self.post(DOOR)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"))
            .body(body.into())
    }

    /// Delivers a body with the token of the instance it names; it is to be taken.
    ///
    /// # Panics
    /// When it is not answered with an empty 200.
    pub async fn deliver_green(&self, body: Bytes) -> Answer {
        let instance = instance_of(&body);
        let answer = self.green_webhook(&token_of(&instance), body).send().await;
        assert_eq!((answer.status, answer.text()), (200, String::new()));
        answer
    }

    /// Delivers bodies, as many at once as there are connections; returns when all news has found its message.
    pub async fn deliver_all_green(&self, bodies: impl IntoIterator<Item = Bytes>, connections: usize) {
        const APART: &str = "SELECT COUNT(*) FROM pending_updates p JOIN messages m
            ON m.account_id = p.account_id AND m.inbox_id = p.inbox_id AND m.remote_id = p.remote_id";
        let sent = stream::iter(bodies).map(|body| self.deliver_green(body)).buffer_unordered(connections);
        sent.for_each(|_| std::future::ready(())).await;
        until("all news has found its message", || async {
            (self.database.number(APART).await == 0).then_some(())
        })
        .await;
    }

    /// Connects an instance in an account.
    ///
    /// # Panics
    /// When it cannot be connected.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its inbox")]
    pub async fn connect_instance(
        &self,
        account: AccountId,
        instance: &str,
        more: &[(&str, &str)],
    ) -> InboxId {
        let mut settings =
            vec![("instance_id", instance), ("api_token", "d75b3a66374942c5b3c019c698abc2067e")];
        settings.extend(more);
        let new = NewInbox {
            channel: "green_api".to_owned(),
            name: format!("hotel {instance}"),
            settings: settings.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        };
        let made = inboxes::create(&self.engine, Actor::server(account), new).await;
        made.expect("the inbox can be connected").config.id
    }

    /// Connects all instances of the recorded bodies, each with its token.
    pub async fn connect_instances(&self) {
        for instance in INSTANCES {
            self.connect_instance(self.account, instance, &[("webhook_token", &token_of(instance))]).await;
        }
    }
}

/// The instance a body names.
fn instance_of(body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    match &body["instanceData"]["idInstance"] {
        serde_json::Value::String(id) => id.clone(),
        id => id.to_string(),
    }
}
