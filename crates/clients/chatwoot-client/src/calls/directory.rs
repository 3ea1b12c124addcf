//! The server, the account, and what is set up in it.

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    ChatwootClient, ChatwootError,
    client::Repeat,
    envelope::{many, one},
    model::{
        Account, Agent, AttributeDefinition, CannedResponse, Inbox, Label, NewApiInbox, NewWebhook, Profile,
        ServerInfo, Team, Webhook,
    },
};

impl ChatwootClient {
    /// What the server says of itself; also its version. Needs no right token.
    pub async fn server_info(&self) -> Result<ServerInfo, ChatwootError> {
        one(self.get("server_info", self.url(&["api"]), &[]).await?)
    }

    /// Whose token it is, and in which accounts.
    pub async fn profile(&self) -> Result<Profile, ChatwootError> {
        one(self.get("profile", self.url(&["api", "v1", "profile"]), &[]).await?)
    }

    /// The account.
    pub async fn get_account(&self) -> Result<Account, ChatwootError> {
        one(self.get("get_account", self.account_url(&[]), &[]).await?)
    }

    async fn all<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        what: &str,
    ) -> Result<Vec<T>, ChatwootError> {
        Ok(many(self.get(operation, self.account_url(&[what]), &[]).await?)?.data)
    }

    /// Every inbox. Secrets are in them for administrators.
    pub async fn list_inboxes(&self) -> Result<Vec<Inbox>, ChatwootError> {
        self.all("list_inboxes", "inboxes").await
    }

    /// One inbox.
    pub async fn get_inbox(&self, id: i64) -> Result<Inbox, ChatwootError> {
        one(self.get("get_inbox", self.account_url(&["inboxes", &id.to_string()]), &[]).await?)
    }

    /// Makes an API inbox. A lost answer is not looked up: two inboxes may have one name.
    pub async fn create_api_inbox(&self, new: &NewApiInbox) -> Result<Inbox, ChatwootError> {
        let body = json!({
            "name": new.name, "lock_to_single_conversation": new.lock_to_single_conversation,
            "channel": {"type": "api", "webhook_url": new.webhook_url},
        });
        let url = self.account_url(&["inboxes"]);
        one(self.write("create_api_inbox", Repeat::IfCertain, Method::POST, url, &body).await?)
    }

    /// Changes fields of an inbox, as Chatwoot names them.
    pub async fn update_inbox(&self, id: i64, changes: &Value) -> Result<Inbox, ChatwootError> {
        let url = self.account_url(&["inboxes", &id.to_string()]);
        one(self.write("update_inbox", Repeat::Harmless, Method::PATCH, url, changes).await?)
    }

    /// Deletes an inbox with its conversations. An administrator's token is needed; Chatwoot takes its time.
    pub async fn delete_inbox(&self, id: i64) -> Result<(), ChatwootError> {
        self.remove("delete_inbox", self.account_url(&["inboxes", &id.to_string()])).await
    }

    /// Makes a new secret for the webhooks of an API inbox.
    pub async fn reset_inbox_secret(&self, id: i64) -> Result<Inbox, ChatwootError> {
        let url = self.account_url(&["inboxes", &id.to_string(), "reset_secret"]);
        one(self.write("reset_inbox_secret", Repeat::Harmless, Method::POST, url, &json!({})).await?)
    }

    /// Every agent.
    pub async fn list_agents(&self) -> Result<Vec<Agent>, ChatwootError> {
        self.all("list_agents", "agents").await
    }

    /// Every team.
    pub async fn list_teams(&self) -> Result<Vec<Team>, ChatwootError> {
        self.all("list_teams", "teams").await
    }

    /// Every label.
    pub async fn list_labels(&self) -> Result<Vec<Label>, ChatwootError> {
        self.all("list_labels", "labels").await
    }

    /// Makes a label.
    pub async fn create_label(&self, title: &str, color: &str) -> Result<Label, ChatwootError> {
        let body = json!({"title": title, "color": color, "show_on_sidebar": true});
        let url = self.account_url(&["labels"]);
        one(self.write("create_label", Repeat::IfCertain, Method::POST, url, &body).await?)
    }

    /// Every canned response.
    pub async fn list_canned_responses(&self) -> Result<Vec<CannedResponse>, ChatwootError> {
        self.all("list_canned_responses", "canned_responses").await
    }

    /// The custom attributes that the account defines.
    pub async fn list_attribute_definitions(&self) -> Result<Vec<AttributeDefinition>, ChatwootError> {
        self.all("list_attribute_definitions", "custom_attribute_definitions").await
    }

    /// Defines a custom attribute: of contacts, or else of conversations.
    pub async fn create_attribute_definition(
        &self,
        key: &str,
        display_name: &str,
        of_contacts: bool,
    ) -> Result<AttributeDefinition, ChatwootError> {
        let body = json!({
            "attribute_key": key, "attribute_display_name": display_name, "attribute_display_type": 0,
            "attribute_model": i64::from(of_contacts),
        });
        let url = self.account_url(&["custom_attribute_definitions"]);
        one(self.write("create_attribute_definition", Repeat::IfCertain, Method::POST, url, &body).await?)
    }

    /// The account's webhooks with their secrets. Administrators only.
    pub async fn list_webhooks(&self) -> Result<Vec<Webhook>, ChatwootError> {
        self.all("list_webhooks", "webhooks").await
    }

    /// Subscribes; Chatwoot makes the secret. When the answer is lost, the webhook is looked up by its address, of which
    /// there is one.
    pub async fn create_webhook(&self, new: &NewWebhook) -> Result<Webhook, ChatwootError> {
        let url = self.account_url(&["webhooks"]);
        let body = json!({"webhook": new});
        let error = match self.write("create_webhook", Repeat::IfCertain, Method::POST, url, &body).await {
            Ok(answer) => return one(answer),
            Err(error) if error.certain() => return Err(error),
            Err(error) => error,
        };
        let found = self.list_webhooks().await.map_err(|_| error.clone())?;
        found.into_iter().find(|webhook| webhook.url == new.url).ok_or(error)
    }

    /// Changes a subscription.
    pub async fn update_webhook(&self, id: i64, new: &NewWebhook) -> Result<Webhook, ChatwootError> {
        let url = self.account_url(&["webhooks", &id.to_string()]);
        let body = json!({"webhook": new});
        one(self.write("update_webhook", Repeat::Harmless, Method::PATCH, url, &body).await?)
    }

    /// Ends a subscription.
    pub async fn delete_webhook(&self, id: i64) -> Result<(), ChatwootError> {
        self.remove("delete_webhook", self.account_url(&["webhooks", &id.to_string()])).await
    }
}
