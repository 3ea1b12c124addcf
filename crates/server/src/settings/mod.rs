//! What the person who runs the server can set, and the only place that reads files and environment for it.
//!
//! `config.example.toml` is compiled in and is the defaults; a file given with `--config` overrides them, the
//! environment overrides both. To add a setting: a line with its meaning in `config.example.toml`, a field here (or
//! in the engine's settings, which are read as they stand). A test keeps the two alike.
//!
//! - [`layers`]: defaults, file and environment on top of each other, unknown keys and wrong kinds refused
//! - [`ranges`]: values that no server can work with
//! - [`chatwoot`]: what the client of Chatwoot is told
//! - [`handed_on`]: what the other crates are given

mod chatwoot;
mod environment;
mod error;
mod handed_on;
mod layers;
mod ranges;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use frontdesk_engine::linked::settings::LinkedSettings;
use frontdesk_engine::monitoring::settings::MailSettings;
use frontdesk_engine::realtime::settings::{PublicInbox, RealtimeLimits};
use frontdesk_engine::settings::{LimitSettings, MediaSettings, OutboxSettings, RetentionSettings};
use frontdesk_engine::suggest::SuggestionSettings;
use frontdesk_engine::webhooks::settings::WebhookSettings;
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IntoDeserializer};
use url::Url;

pub use chatwoot::ChatwootSettings;
pub use environment::Environment;
pub use error::SettingsError;

/// Everything that can be set. Secrets are not shown by `Debug`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The listener.
    pub server: ServerSettings,
    /// Files.
    pub storage: StorageSettings,
    /// The database.
    pub database: DatabaseSettings,
    /// The key of stored secrets.
    pub secret: SecretSettings,
    /// Logs.
    pub log: LogSettings,
    /// Spans for a collector.
    pub traces: TraceSettings,
    /// Meta's webhooks and APIs.
    pub meta: MetaSettings,
    /// Green API's webhooks and API.
    pub green_api: GreenApiSettings,
    /// The session on a WhatsApp gateway that the first account works with.
    pub whatsapp_gateway: GatewaySettings,
    /// Phones linked to this server itself.
    pub linked_whatsapp: LinkedSettings,
    /// The Chatwoot that the first account works with.
    pub chatwoot: ChatwootSettings,
    /// Calls to any provider.
    pub providers: ProviderSettings,
    /// Live updates.
    pub realtime: RealtimeSettings,
    /// What agents write.
    pub replies: ReplySettings,
    /// The page.
    pub sign_in: SignInSettings,
    /// Sending.
    pub outbox: OutboxSettings,
    /// Files of messages.
    pub media: MediaSettings,
    /// Requests a user may make.
    pub limits: LimitSettings,
    /// Letters about alerts.
    pub mail: MailSettings,
    /// Outgoing webhooks.
    pub webhooks: WebhookSettings,
    /// Suggested replies.
    pub suggestions: SuggestionSettings,
    /// How long things are kept.
    pub retention: RetentionSettings,
}

/// The listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address others reach us at; see [`Settings::public_url`].
    #[serde(deserialize_with = "parsed_unless_empty")]
    pub public_url: Option<Url>,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Connections open at once.
    pub max_connections: u32,
    /// How long a request's head may take.
    pub header_timeout_ms: u64,
    /// The largest body of an API request.
    pub max_body_bytes: usize,
    /// How long a request's body may take at least.
    pub body_timeout_ms: u64,
    /// The slowest body taken for longer.
    pub body_bytes_per_second: u64,
    /// How long a client may take in nothing.
    pub write_timeout_ms: u64,
    /// How long work under way may take to finish after SIGTERM.
    pub shutdown_ms: u64,
}

/// Files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageSettings {
    /// The data folder.
    pub data_dir: PathBuf,
}

/// The database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// Its address; see [`Settings::database_url`]. May hold a password.
    #[serde(deserialize_with = "none_when_empty")]
    pub url: Option<SecretString>,
    /// Connections to PostgreSQL.
    pub postgres_connections: usize,
}

/// The key of stored secrets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSettings {
    /// 64 hex digits.
    #[serde(deserialize_with = "none_when_empty")]
    pub key: Option<SecretString>,
    /// A file with them.
    #[serde(deserialize_with = "none_when_empty")]
    pub key_file: Option<PathBuf>,
}

/// Logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Directives of tracing's `EnvFilter`; `None`: what suits the command.
    #[serde(deserialize_with = "none_when_empty")]
    pub filter: Option<String>,
    /// How lines look.
    pub format: LogFormat,
}

/// Spans for a collector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceSettings {
    /// The collector; `None`: nothing is exported.
    #[serde(deserialize_with = "parsed_unless_empty")]
    pub endpoint: Option<Url>,
    /// `key=value` pairs that go with each delivery; may hold a token.
    #[serde(deserialize_with = "none_when_empty")]
    pub headers: Option<SecretString>,
    /// What this program is called there.
    pub service_name: String,
    /// The share of traces exported, where the caller does not say.
    pub sample_ratio: f64,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Meta's webhooks and APIs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetaSettings {
    /// Secrets of webhook signatures.
    pub app_secrets: Vec<SecretString>,
    /// Tokens of the set-up question.
    pub verify_tokens: Vec<SecretString>,
    /// Bearer of relays that cannot sign.
    #[serde(deserialize_with = "none_when_empty")]
    pub whatsapp_webhook_token: Option<SecretString>,
    /// The Graph API.
    #[serde(deserialize_with = "parsed")]
    pub graph_url: Url,
    /// The Graph API of Instagram login.
    #[serde(deserialize_with = "parsed")]
    pub instagram_url: Url,
    /// As `v26.0`.
    pub graph_version: String,
}

/// `[whatsapp_gateway]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewaySettings {
    /// Where the gateway's API begins.
    #[serde(deserialize_with = "parsed_unless_empty")]
    pub api_url: Option<Url>,
    /// A token there.
    #[serde(deserialize_with = "none_when_empty")]
    pub api_token: Option<SecretString>,
    /// The session's name.
    #[serde(deserialize_with = "none_when_empty")]
    pub session_id: Option<String>,
    /// What its webhooks are signed with.
    #[serde(deserialize_with = "none_when_empty")]
    pub webhook_secret: Option<SecretString>,
}

/// How messages are tried again that did not go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageRetry {
    /// Brief where somebody says how often, patient otherwise.
    Auto,
    /// For a day.
    Patient,
    /// So often.
    Brief,
}

/// Green API's webhooks and API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GreenApiSettings {
    /// Where instances are reached whose own address is not known.
    #[serde(deserialize_with = "parsed")]
    pub base_url: Url,
    /// How long one call may take.
    pub timeout_secs: u64,
    /// How often a call that only asks is repeated, and a message where `retry` is brief.
    pub max_retries: usize,
    /// How messages are tried again.
    pub retry: MessageRetry,
    /// Messages of one instance in any minute.
    pub rate_limit_per_minute: u32,
    /// Messages of one instance in any second.
    pub rate_limit_per_second: u32,
    /// Every call is logged.
    pub detailed_logging: bool,
    /// With the body of its request; needs `detailed_logging`.
    pub log_request_body: bool,
    /// With the body of its answer; needs `detailed_logging`.
    pub log_response_body: bool,
    /// Token of instances without one, and key of signatures.
    #[serde(deserialize_with = "none_when_empty")]
    pub webhook_secret: Option<SecretString>,
    /// Webhooks count only when signed.
    pub require_signature: bool,
    /// The largest webhook taken.
    pub webhook_max_bytes: usize,
}

/// Calls to any provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// How long one call may take.
    pub timeout_ms: u64,
    /// Hosts that may be called although they are not public.
    pub allow_private_hosts: Vec<String>,
}

/// Live updates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealtimeSettings {
    /// The first account's Pusher app.
    #[serde(deserialize_with = "none_when_empty")]
    pub app_id: Option<String>,
    /// Its public key.
    #[serde(deserialize_with = "none_when_empty")]
    pub app_key: Option<String>,
    /// Its secret.
    #[serde(deserialize_with = "none_when_empty")]
    pub app_secret: Option<SecretString>,
    /// Who may subscribe to `inbox`.
    pub public_inbox: PublicInbox,
    /// Whose pages may open sockets besides ours.
    pub allowed_origins: Vec<String>,
    /// Sizes and times.
    pub limits: RealtimeLimits,
}

/// What agents write.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplySettings {
    /// The longest text in characters.
    pub content_max: usize,
}

/// The page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInSettings {
    /// How long a sign-in lasts.
    pub session_secs: i64,
}

impl Settings {
    /// Variables that look like settings and are none: spelling mistakes.
    pub fn unknown_variables(environment: &Environment) -> Vec<String> {
        let keys: Vec<String> = layers::Layers::defaults().iter().flat_map(layers::Layers::keys).collect();
        environment.unknown(keys.iter().map(String::as_str))
    }

    /// Reads the defaults, then `file`, then `environment`.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, SettingsError> {
        let mut layers = layers::Layers::defaults()?;
        if let Some(path) = file {
            layers.read_file(path)?;
        }
        layers.read_environment(environment)?;
        let mut settings: Self = layers.build()?;
        if settings.green_api.retry == MessageRetry::Auto {
            let is_brief = layers.is_given("green_api.max_retries");
            settings.green_api.retry = if is_brief { MessageRetry::Brief } else { MessageRetry::Patient };
        }
        ranges::check(&settings, &layers)?;
        Ok(settings)
    }

    /// The address others reach us at, without a trailing slash.
    pub fn public_url(&self) -> String {
        match &self.server.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.server.listen),
        }
    }

    /// The database's address, which may hold a password.
    pub fn database_url(&self) -> String {
        match &self.database.url {
            Some(url) => url.expose_secret().to_owned(),
            None => format!("sqlite://{}", self.storage.data_dir.join("frontdesk.db").display()),
        }
    }

    /// The file of the key; the default lies in the data folder.
    pub fn key_file(&self) -> PathBuf {
        self.secret.key_file.clone().unwrap_or_else(|| self.storage.data_dir.join("secret.key"))
    }
}

/// Reads text; the empty text stands for a setting that is not set.
fn none_when_empty<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { T::deserialize(text.into_deserializer()).map(Some) }
}

/// Reads an address.
fn parsed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn parsed_unless_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
}

#[cfg(test)]
mod tests;
