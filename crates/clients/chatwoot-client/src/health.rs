//! How Chatwoot is, and how this client fares with it.

use std::time::Duration;

use frontdesk_provider_http::BreakerState;
use serde::Serialize;
use tokio::time::Instant;

use crate::{ChatwootClient, ChatwootError};

/// How Chatwoot is.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// `ok` or `error`.
    pub status: &'static str,
    /// How long the answer took.
    pub response_time_ms: u64,
    /// What is wrong, in a sentence; `OK` if nothing is.
    pub message: String,
    /// Chatwoot's version.
    pub version: Option<String>,
    /// The code of what is wrong.
    pub error_code: Option<&'static str>,
}

/// How this client fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Requests that may leave now without waiting, by our own limit; `null`: no limit.
    pub rate_limit_remaining: Option<usize>,
    /// Failures in a row.
    pub circuit_breaker_failures: u32,
    /// `closed`, `open` or `half_open`.
    pub circuit_breaker_state: &'static str,
}

impl ChatwootClient {
    /// Is Chatwoot there, are its database and queue well, and does it take our token for this account?
    pub async fn health_check(&self) -> Health {
        let started = Instant::now();
        let result = self.check().await;
        let response_time_ms = millis(started.elapsed());
        match result {
            Ok((version, None)) => {
                Health { status: "ok", response_time_ms, message: "OK".to_owned(), version, error_code: None }
            }
            Ok((version, Some(failing))) => Health {
                status: "error",
                response_time_ms,
                message: format!("Chatwoot says that its {failing} fails: look at its server."),
                version,
                error_code: Some("SERVICE_UNAVAILABLE"),
            },
            Err(error) => Health {
                status: "error",
                response_time_ms,
                message: error.user_message().to_owned(),
                version: None,
                error_code: Some(error.error_code()),
            },
        }
    }

    async fn check(&self) -> Result<(Option<String>, Option<&'static str>), ChatwootError> {
        let info = self.server_info().await?;
        let fails = |service: &Option<String>| service.as_deref() == Some("failing");
        let failing = if fails(&info.data_services) {
            Some("database")
        } else if fails(&info.queue_services) {
            Some("queue (Redis)")
        } else {
            None
        };
        if failing.is_none() {
            self.get_account().await?;
        }
        Ok((info.version, failing))
    }

    /// How this client fares.
    pub fn stats(&self) -> Stats {
        Stats {
            rate_limit_remaining: self.remaining_calls(),
            circuit_breaker_failures: self.breaker_failures(),
            circuit_breaker_state: match self.breaker_state() {
                BreakerState::Closed => "closed",
                BreakerState::Open => "open",
                BreakerState::HalfOpen => "half_open",
            },
        }
    }

    /// Checks a webhook against the clock of this machine: size, signature, time. What it says is in
    /// [`crate::event::parse`], whether it came before in [`crate::webhook::WebhookVerifier::first_time`].
    ///
    /// Errors: [`crate::WebhookRejection`] with the status to answer.
    pub fn verify_webhook(
        &self,
        body: &[u8],
        signature: Option<&str>,
        timestamp: Option<&str>,
    ) -> Result<crate::webhook::Genuine, crate::WebhookRejection> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a crate of its own has no product's clock; `webhooks().verify` takes the time"
        )]
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let now_s = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        self.webhooks().verify(body, signature, timestamp, None, now_s)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
