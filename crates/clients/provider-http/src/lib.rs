//! The one outgoing HTTP stack of the provider clients: time-outs, retry, breaker, limits, redaction.
//!
//! Every call a provider client makes goes through [`ProviderHttp`], and every call takes the same
//! four steps in the same order, all visible in one function (`client.rs`, `attempt`):
//! **limit -> breaker -> call -> record**.
//!
//! | file | what it decides |
//! |---|---|
//! | [`settings`] | the numbers: time-outs, sizes, limits, breaker, retry |
//! | [`addresses`] | which URLs and addresses may be reached (checked on the resolved address) |
//! | [`limits`] | how many calls per second and minute, per key (one key = one provider account) and class |
//! | [`breaker`] | when a failing account is left alone for a while |
//! | [`retry`] | how long to wait between attempts, and what `Retry-After` says |
//! | [`error`] | what went wrong and whether the request may have reached the provider |
//! | [`call_log`] | what is written to the log of each call, on demand, and what is left out |
//! | [`record`] | what is told to the product's metrics about each call |
//!
//! Reads may be retried here, sends only where a client knows from its provider's own answer that it
//! does no harm ([`ProviderHttp::repeat`]): a send that timed out may have arrived, and only the product
//! can find out. rustls needs a crypto provider: call [`install_crypto`] first thing in
//! `main` and in every test that makes a client.

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

pub mod addresses;
pub mod breaker;
pub mod call_log;
mod client;
mod download;
pub mod error;
pub mod limits;
pub mod record;
pub mod retry;
pub mod settings;

pub use addresses::AddressPolicy;
pub use breaker::{BreakerSettings, BreakerState};
pub use call_log::CallLog;
pub use client::{Answer, CallLabel, ProviderHttp, SetupError};
pub use download::{Download, DownloadLimits};
pub use error::{CallError, NotSent, RedirectTarget, StatusAnswer};
pub use limits::RateLimits;
pub use record::{CallRecord, CallRecorder, Outcome};
pub use retry::RetryPolicy;
pub use settings::ProviderSettings;

/// Makes `ring` the process-wide crypto provider of rustls. Calling it again changes nothing.
pub fn install_crypto() {
    // The only error is "already installed", which is what we want.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}
