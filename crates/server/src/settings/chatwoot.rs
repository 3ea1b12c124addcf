//! Chatwoot: the account there that the first account of this server works with.

use std::time::Duration;

use frontdesk_engine::chatwoot::settings as client;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::{none_when_empty, parsed_unless_empty};

/// Where Chatwoot is, and how it is treated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatwootSettings {
    /// Its address.
    #[serde(deserialize_with = "parsed_unless_empty")]
    pub url: Option<Url>,
    /// An access token there.
    #[serde(deserialize_with = "none_when_empty")]
    pub api_token: Option<SecretString>,
    /// The account there.
    pub account_id: i64,
    /// How long a read may take; a write gets twice as long.
    pub timeout_secs: u64,
    /// How often a read is tried again.
    pub retry_attempts: usize,
    /// Wait before the first of them.
    pub retry_delay_ms: u64,
    /// Requests in any minute; 0 for no limit.
    pub requests_per_minute: u32,
    /// False: any certificate is taken.
    pub verify_ssl: bool,
    /// What we call ourselves.
    pub user_agent: String,
    /// Redirects that a read follows.
    pub max_redirects: usize,
    /// How long answers are kept.
    pub cache: CacheSettings,
    /// How webhooks are checked.
    pub webhook: WebhookSettings,
    /// Paths.
    pub endpoints: EndpointSettings,
}

/// How long answers are kept, and how much of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheSettings {
    /// Conversations.
    pub conversation_ttl_secs: u64,
    /// Messages.
    pub messages_ttl_secs: u64,
    /// Contacts.
    pub contact_ttl_secs: u64,
    /// The account, its inboxes, labels and agents.
    pub account_ttl_secs: u64,
    /// Bytes kept.
    pub max_bytes: u64,
}

/// How webhooks are checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Secrets that may have signed.
    pub secrets: Vec<SecretString>,
    /// The time of a webhook must be there and near.
    pub timestamp_enabled: bool,
    /// How near.
    pub tolerance_secs: u64,
    /// The largest body.
    pub max_bytes: usize,
    /// How long a delivery is remembered.
    pub idempotency_secs: u64,
}

/// Paths, with `{account_id}` and `{conversation_id}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSettings {
    /// Conversations.
    pub conversations: String,
    /// Messages of a conversation.
    pub messages: String,
    /// Contacts.
    pub contacts: String,
    /// The account and the rest of it.
    pub accounts: String,
}

impl ChatwootSettings {
    /// What keeps a Chatwoot that was begun to be set up from being used: the setting that is missing, and its variable.
    pub fn missing(&self) -> Option<(&'static str, &'static str)> {
        match (&self.url, &self.api_token) {
            (Some(_), None) => Some(("chatwoot.api_token", "CHATWOOT_API_TOKEN")),
            (None, Some(_)) => Some(("chatwoot.url", "CHATWOOT_URL")),
            _ => None,
        }
    }

    /// For the client; `None` when there is no Chatwoot.
    pub(super) fn for_client(&self, allow_private_hosts: &[String]) -> Option<client::ChatwootSettings> {
        let (url, token) = (self.url.clone()?, self.api_token.clone()?);
        let mut settings = client::ChatwootSettings::new(url, token, self.account_id);
        settings.read_timeout = Duration::from_secs(self.timeout_secs);
        settings.write_timeout = settings.read_timeout * 2;
        settings.retry_attempts = self.retry_attempts;
        settings.retry_delay = Duration::from_millis(self.retry_delay_ms);
        settings.requests_per_minute = (self.requests_per_minute > 0).then_some(self.requests_per_minute);
        settings.verify_ssl = self.verify_ssl;
        settings.user_agent.clone_from(&self.user_agent);
        settings.max_redirects = self.max_redirects;
        settings.addresses = client::AddressPolicy::allowing_hosts(allow_private_hosts);
        settings.cache = client::CacheSettings {
            conversation_ttl: Duration::from_secs(self.cache.conversation_ttl_secs),
            messages_ttl: Duration::from_secs(self.cache.messages_ttl_secs),
            contact_ttl: Duration::from_secs(self.cache.contact_ttl_secs),
            account_ttl: Duration::from_secs(self.cache.account_ttl_secs),
            max_bytes: self.cache.max_bytes,
            ..client::CacheSettings::default()
        };
        settings.webhook = client::WebhookSettings {
            secrets: self.webhook.secrets.clone(),
            timestamp_enabled: self.webhook.timestamp_enabled,
            timestamp_tolerance: Duration::from_secs(self.webhook.tolerance_secs),
            max_payload_size: self.webhook.max_bytes,
            idempotency_ttl: Duration::from_secs(self.webhook.idempotency_secs),
        };
        settings.endpoints = client::Endpoints {
            conversations: self.endpoints.conversations.clone(),
            messages: self.endpoints.messages.clone(),
            contacts: self.endpoints.contacts.clone(),
            accounts: self.endpoints.accounts.clone(),
        };
        Some(settings)
    }
}
