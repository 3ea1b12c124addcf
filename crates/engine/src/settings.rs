//! What the engine can be told by the settings file. Defaults are those of `config.example.toml`.

use std::path::PathBuf;

pub use frontdesk_channels::contract::DoorSettings;
use secrecy::SecretString;
use serde::Deserialize;

use crate::chatwoot::settings::ChatwootSettings;
use crate::linked::settings::LinkedSettings;
use crate::monitoring::settings::MailSettings;
use crate::realtime::settings::RealtimeSettings;
use crate::suggest::SuggestionSettings;
use crate::webhooks::settings::WebhookSettings;

/// Settings of the engine. Only `server` reads files and environment; everyone else is handed this.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// Where files live: media, the generated key.
    pub data_dir: PathBuf,
    /// The address customers' networks and browsers reach us at, without a trailing slash.
    pub public_url: String,
    /// Keys of the webhook doors.
    pub doors: DoorSettings,
    /// The Chatwoot that the first account works with, if any.
    pub chatwoot: Option<ChatwootSettings>,
    /// Sending.
    pub outbox: OutboxSettings,
    /// Files.
    pub media: MediaSettings,
    /// Requests a user may make.
    pub limits: LimitSettings,
    /// How long things are kept.
    pub retention: RetentionSettings,
    /// The longest text of a reply in characters, for every channel; a channel's own limit may be lower.
    pub content_max: usize,
    /// How long a sign-in lasts, in seconds.
    pub session_secs: i64,
    /// The realtime application of the first account.
    pub realtime_app: RealtimeAppSettings,
    /// Live updates.
    pub realtime: RealtimeSettings,
    /// Letters about alerts.
    pub mail: MailSettings,
    /// Linked phones.
    pub linked: LinkedSettings,
    /// Outgoing webhooks.
    pub webhooks: WebhookSettings,
    /// Suggested replies.
    pub suggestions: SuggestionSettings,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            public_url: "http://127.0.0.1:8080".to_owned(),
            doors: DoorSettings::default(),
            chatwoot: None,
            outbox: OutboxSettings::default(),
            media: MediaSettings::default(),
            limits: LimitSettings::default(),
            retention: RetentionSettings::default(),
            content_max: 2000,
            session_secs: 30 * 86_400,
            realtime_app: RealtimeAppSettings::default(),
            realtime: RealtimeSettings::default(),
            mail: MailSettings::default(),
            linked: LinkedSettings::default(),
            webhooks: WebhookSettings::default(),
            suggestions: SuggestionSettings::default(),
        }
    }
}

/// `PUSHER_APP_ID`, `PUSHER_APP_KEY`, `PUSHER_APP_SECRET`; what is absent is made on first start.
#[derive(Clone, Default)]
pub struct RealtimeAppSettings {
    /// The id in the path of the trigger API.
    pub id: Option<String>,
    /// The public key clients connect with.
    pub key: Option<String>,
    /// Signs subscriptions and triggers. Secret: never logged.
    pub secret: Option<String>,
}

impl std::fmt::Debug for RealtimeAppSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RealtimeAppSettings { .. }")
    }
}

/// Sending.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxSettings {
    /// How many sends of one node may be under way.
    pub concurrency: usize,
    /// How long a claim holds, in milliseconds.
    pub lease_ms: i64,
    /// Waits between tries in milliseconds; the last one repeats.
    pub retry_ladder_ms: Vec<u64>,
    /// Nothing is tried again after this long, in milliseconds.
    pub give_up_ms: i64,
    /// How far each wait may vary, as a share: 0.5 is ±50 %.
    pub jitter: f64,
    /// How long an uncertain send waits for the provider's word before a person is asked, in milliseconds.
    pub unknown_settle_ms: i64,
    /// Sends per second of one inbox.
    pub per_inbox_per_second: u32,
    /// Consecutive failures of a provider that open the breaker of an inbox.
    pub breaker_failures: u32,
    /// How long an open breaker stays open before it is tried again, in milliseconds.
    pub breaker_open_ms: u64,
}

impl Default for OutboxSettings {
    fn default() -> Self {
        Self {
            concurrency: 64,
            lease_ms: 30_000,
            retry_ladder_ms: vec![1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 300_000],
            give_up_ms: 86_400_000,
            jitter: 0.5,
            unknown_settle_ms: 60_000,
            per_inbox_per_second: 80,
            breaker_failures: 5,
            breaker_open_ms: 30_000,
        }
    }
}

/// Files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaSettings {
    /// The largest file fetched or uploaded.
    pub max_bytes: u64,
    /// How many files one node fetches at once.
    pub concurrency: usize,
    /// How long a signed address of a file is good, in seconds.
    pub url_secs: i64,
    /// On PostgreSQL: all nodes share the media folder, so that files need not be kept in the database.
    pub shared_folder: bool,
    /// A bucket that files are kept in instead.
    pub s3: BucketSettings,
}

impl Default for MediaSettings {
    fn default() -> Self {
        Self {
            max_bytes: 100 * 1024 * 1024,
            concurrency: 4,
            url_secs: 86_400,
            shared_folder: false,
            s3: BucketSettings::default(),
        }
    }
}

/// A bucket of an S3-compatible store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketSettings {
    /// Where the store is, as `https://s3.eu-west-1.amazonaws.com`.
    pub endpoint: String,
    /// The bucket; empty: none.
    pub bucket: String,
    /// The region that addresses are signed for.
    pub region: String,
    /// The bucket stands in the path and not in the host.
    pub path_style: bool,
    /// The folder of the bucket that our objects are in; empty: the bucket itself.
    pub prefix: String,
    /// Whose calls these are.
    pub access_key: String,
    /// What proves it.
    pub secret_key: SecretString,
}

impl Default for BucketSettings {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            bucket: String::new(),
            region: "us-east-1".to_owned(),
            path_style: true,
            prefix: "frontdesk".to_owned(),
            access_key: String::new(),
            secret_key: SecretString::default(),
        }
    }
}

/// Requests a user may make per minute.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// `POST …/messages`.
    pub send_per_minute: u32,
    /// `GET /admin/inbox`.
    pub list_per_minute: u32,
    /// `GET /admin/inbox/{id}/suggest-ai`.
    pub suggest_per_minute: u32,
    /// Failed sign-ins per address and per e-mail.
    pub login_per_minute: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self { send_per_minute: 30, list_per_minute: 60, suggest_per_minute: 10, login_per_minute: 10 }
    }
}

/// How long things are kept, in days.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionSettings {
    /// Raw webhook bodies; also how long a repeated body is recognised before it is parsed.
    pub webhook_log_days: i64,
    /// Events for clients that were away.
    pub event_days: i64,
    /// Audit entries.
    pub audit_days: i64,
    /// Alerts that are over, and what became of their news.
    pub alert_days: i64,
    /// What outgoing webhooks were told, and every try.
    pub webhook_delivery_days: i64,
    /// Files of messages; 0 for ever.
    pub media_days: i64,
    /// Messages, and customers of whom none is left; 0 for ever.
    pub message_days: i64,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self {
            webhook_log_days: 8,
            event_days: 8,
            audit_days: 730,
            alert_days: 90,
            webhook_delivery_days: 30,
            media_days: 0,
            message_days: 0,
        }
    }
}
