//! What the other crates are given of the settings.

use std::sync::Arc;

use frontdesk_channels::contract::{GreenApiSettings, LinkedSettings, ProviderSettings};
use frontdesk_engine::realtime::settings::RealtimeSettings;
use frontdesk_engine::settings::{DoorSettings, EngineSettings, RealtimeAppSettings};
use frontdesk_http::HttpSettings;
use frontdesk_provider_http::CallLog;
use frontdesk_store::StoreSettings;
use secrecy::{ExposeSecret, SecretString};

use url::Url;

use super::{MessageRetry, Settings};

impl Settings {
    /// For the store.
    pub fn for_store(&self) -> StoreSettings {
        StoreSettings { url: self.database_url(), postgres_connections: self.database.postgres_connections }
    }

    /// For the engine.
    pub fn for_engine(&self) -> EngineSettings {
        EngineSettings {
            data_dir: self.storage.data_dir.clone(),
            public_url: self.public_url(),
            doors: DoorSettings {
                meta_app_secrets: exposed(&self.meta.app_secrets),
                meta_verify_tokens: exposed(&self.meta.verify_tokens),
                whatsapp_webhook_token: self
                    .meta
                    .whatsapp_webhook_token
                    .as_ref()
                    .map(|token| token.expose_secret().to_owned()),
                green_api_webhook_secret: self
                    .green_api
                    .webhook_secret
                    .as_ref()
                    .map(|secret| secret.expose_secret().to_owned()),
                green_api_signature_required: self.green_api.require_signature,
                green_api_max_body_bytes: Some(self.green_api.webhook_max_bytes),
            },
            chatwoot: self.chatwoot.for_client(&self.providers.allow_private_hosts),
            outbox: self.outbox.clone(),
            media: self.media.clone(),
            limits: self.limits.clone(),
            retention: self.retention.clone(),
            mail: self.mail.clone(),
            linked: self.linked_whatsapp.clone(),
            webhooks: self.webhooks.clone(),
            suggestions: self.suggestions.clone(),
            content_max: self.replies.content_max,
            session_secs: self.sign_in.session_secs,
            realtime_app: RealtimeAppSettings {
                id: self.realtime.app_id.clone(),
                key: self.realtime.app_key.clone(),
                secret: self.realtime.app_secret.as_ref().map(|s| s.expose_secret().to_owned()),
            },
            realtime: RealtimeSettings {
                public_inbox: self.realtime.public_inbox,
                allowed_origins: self.realtime.allowed_origins.clone(),
                limits: self.realtime.limits.clone(),
            },
        }
    }

    /// For the door. `render` writes the figures for Prometheus.
    pub fn for_http(&self, render: impl Fn() -> String + Send + Sync + 'static) -> HttpSettings {
        HttpSettings {
            max_body_bytes: self.server.max_body_bytes,
            trusted_proxies: self.server.trusted_proxies.clone(),
            render_metrics: Arc::new(render),
        }
    }

    /// For the channels.
    pub fn for_channels(&self) -> ProviderSettings {
        let url = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        ProviderSettings {
            meta_graph_url: url(&self.meta.graph_url),
            meta_instagram_url: url(&self.meta.instagram_url),
            meta_graph_version: self.meta.graph_version.clone(),
            green_api: GreenApiSettings {
                base_url: url(&self.green_api.base_url),
                timeout_ms: self.green_api.timeout_secs.saturating_mul(1000),
                max_retries: self.green_api.max_retries,
                brief_retries: self.green_api.retry == MessageRetry::Brief,
                per_second: self.green_api.rate_limit_per_second,
                per_minute: self.green_api.rate_limit_per_minute,
                log: CallLog {
                    calls: self.green_api.detailed_logging,
                    request_bodies: self.green_api.log_request_body,
                    response_bodies: self.green_api.log_response_body,
                },
            },
            linked: LinkedSettings {
                simulator_url: self.linked_whatsapp.simulator_url.trim_end_matches('/').to_owned(),
                driver: self.linked_whatsapp.driver.clone(),
                drivers: crate::native::drivers(),
            },
            allow_private_hosts: self.providers.allow_private_hosts.clone(),
            timeout_ms: self.providers.timeout_ms,
            breaker_open_ms: self.outbox.breaker_open_ms,
        }
    }
}

fn exposed(secrets: &[SecretString]) -> Vec<String> {
    secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect()
}
