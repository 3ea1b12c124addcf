//! Instances of Green API: what the fake provider knows, and what is connected.

use frontdesk_engine::caller::Actor;
use frontdesk_engine::inboxes::{self, NewInbox};
use frontdesk_model::InboxId;
use serde_json::{Value, json};

use super::{Stage, fresh_number};

impl Stage {
    /// An instance of Green API, known to the fake provider alone.
    pub fn prepare_instance(&self, name: &'static str) {
        let inbox: frontdesk_sandbox::inbox::Inbox = serde_json::from_value(json!({
            "id": name, "channel": "green_api", "name": name,
            "account_id": (1_101_000_000 + fresh_number()).to_string(),
            "display_phone_number": format!("1555{:07}", fresh_number()), "access_token": format!("token-of-{name}"),
        }))
        .expect("an inbox of the sandbox");
        self.sandbox.world().inboxes.insert(name.to_owned(), inbox);
    }

    /// Connects an instance that the fake provider knows, with its webhooks or without.
    pub async fn connect_instance(&self, name: &'static str, more: &[(&str, &str)]) -> InboxId {
        let id = self.connect_unasked(name, more).await;
        inboxes::check(self.first(), self.account, id).await.expect("the inbox can be checked");
        id
    }

    /// The same, without asking the provider anything.
    pub async fn connect_unasked(&self, name: &'static str, more: &[(&str, &str)]) -> InboxId {
        let id = self.sandbox.world().inboxes.get(name).expect("the instance is known").account_id.clone();
        let (token, words) = (format!("token-of-{name}"), format!("words-of-{name}"));
        let mut settings =
            vec![("instance_id", id.as_str()), ("api_token", &token), ("webhook_token", &words)];
        settings.extend(more);
        let settings = settings.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let new = NewInbox { channel: "green_api".to_owned(), name: name.to_owned(), settings };
        let made = inboxes::create(self.first(), Actor::server(self.account), new).await;
        made.expect("the inbox can be connected").config.id
    }

    /// An instance of Green API, known to both sides.
    pub async fn add_instance(&self, name: &'static str, more: &[(&str, &str)]) -> InboxId {
        self.prepare_instance(name);
        self.connect_instance(name, more).await
    }

    /// Changes an instance, as `PATCH /control/green/{inbox}` takes it.
    pub async fn change_instance(&self, name: &str, patch: Value) {
        let url = format!("{}/control/green/{name}", self.sandbox.public_url());
        let answer = self.http.patch(url).json(&patch).send().await.expect("the sandbox answers");
        assert_eq!(answer.status().as_u16(), 200);
    }
}
