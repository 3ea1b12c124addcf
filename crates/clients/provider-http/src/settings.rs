//! The numbers of one provider's HTTP stack.

use std::time::Duration;

use url::Url;

use crate::{AddressPolicy, BreakerSettings, CallLog, RateLimits, RetryPolicy};

/// Everything [`crate::ProviderHttp`] needs to know; start from [`ProviderSettings::new`].
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// Name of the provider in errors, logs and statistics, as `meta`.
    pub provider: String,
    /// Where the provider's API begins, as `https://graph.facebook.com`. Plain http only on loopback.
    pub base_url: Url,
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// Whole call, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// Name look-up, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Whole download of a file; a stalled one ends after `timeout` without a byte.
    pub download_timeout: Duration,
    /// Largest answer kept in memory. Downloads have their own cap.
    pub max_response_bytes: u64,
    /// When and how reads are repeated.
    pub retry: RetryPolicy,
    /// Calls allowed per key.
    pub limits: RateLimits,
    /// When calls of a key are refused because the provider fails.
    pub breaker: BreakerSettings,
    /// Which addresses may be reached.
    pub addresses: AddressPolicy,
    /// `false`: any certificate is taken, so anybody on the way can read and answer. For self-signed test servers.
    pub verify_tls: bool,
    /// What is logged of each call.
    pub log: CallLog,
}

impl ProviderSettings {
    /// Settings with the defaults: 30 s per call, 10 s to connect, 5 min per download, 4 MiB answers,
    /// no rate limit, public addresses only.
    pub fn new(provider: impl Into<String>, base_url: Url) -> Self {
        Self {
            provider: provider.into(),
            base_url,
            user_agent: concat!("Frontdesk/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            download_timeout: Duration::from_secs(300),
            max_response_bytes: 4 * 1024 * 1024,
            retry: RetryPolicy::default(),
            limits: RateLimits::default(),
            breaker: BreakerSettings::default(),
            addresses: AddressPolicy::public_only(),
            verify_tls: true,
            log: CallLog::default(),
        }
    }
}
