//! Opens the clients of one instance from its settings and those of the server.
//!
//! All instances share two HTTP stacks: connections are pooled, limits and breakers kept per instance. One stack sends and
//! repeats nothing (the outbox decides what is tried again), the other asks and repeats what does no harm.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_green_api_client::client::provider_settings;
use frontdesk_green_api_client::{GreenClient, Instance, InstanceLimits};
use frontdesk_model::inbox::{InboxConfig, InboxSettings};
use frontdesk_provider_http::{
    AddressPolicy, CallRecord, CallRecorder, ProviderHttp, RetryPolicy, SetupError,
};
use url::Url;

use super::fields;
use crate::contract::{ChannelContext, GreenApiSettings, LimitedRetry, OpenError, RetryPlan, SendPace};

/// A message that would wait longer than this for its turn goes back to the outbox, which waits without a request open.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// The brief plan of retries: from a second to a minute, each half as long to one and a half times.
const FIRST_RETRY_MS: u64 = 1_000;
const LONGEST_RETRY_MS: u64 = 60_000;
const RETRY_JITTER: f64 = 0.5;

/// One instance, twice: to send and to ask.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) send: GreenClient,
    pub(super) ask: GreenClient,
    pub(super) pace: SendPace,
    pub(super) retry_plan: RetryPlan,
    /// This server fetches messages.
    pub(super) is_polled: bool,
    /// The instance is on this machine: a fake one.
    pub(super) is_local: bool,
}

/// The clients of an inbox. Makes no request.
pub(super) fn open(context: &ChannelContext, inbox: &InboxConfig) -> Result<Clients, OpenError> {
    let settings = &inbox.settings;
    let missing = |what: &str| OpenError { reason: format!("the {what} is missing") };
    let id = fields::text(settings, fields::INSTANCE_ID).and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| missing("instance id"))?;
    let token = fields::text(settings, fields::API_TOKEN).ok_or_else(|| missing("API token"))?;
    let figure = |key, usual| fields::text(settings, key).and_then(|n| n.parse().ok()).unwrap_or(usual);
    let green = &context.providers.green_api;
    let pace = SendPace {
        per_second: figure(fields::PER_SECOND, green.per_second),
        per_minute: figure(fields::PER_MINUTE, green.per_minute),
    };
    let mut limits = InstanceLimits::sends(pace.per_second, pace.per_minute);
    limits.sends.longest_wait = LONGEST_WAIT;
    let instance = Instance::new(id, token.into())
        .at(address(settings.get(fields::API_URL))?, address(settings.get(fields::MEDIA_URL))?)
        .with_limits(limits);
    let sender = stack(context, "green_api.send", RetryPolicy::never())?;
    let asker = stack(
        context,
        "green_api.ask",
        RetryPolicy { retries: green.max_retries, ..RetryPolicy::default() },
    )?;
    Ok(Clients {
        send: GreenClient::new(sender, instance.clone()),
        ask: GreenClient::new(asker.heard_by(Arc::new(Unhurried(context.recorder.clone()))), instance),
        pace,
        retry_plan: retry_plan(settings, green),
        is_polled: fields::is_polled(settings),
        is_local: super::delivery::is_loopback(
            fields::text(settings, fields::API_URL).unwrap_or(&green.base_url),
        ),
    })
}

/// Hears of the calls that ask. These keep a pace of their own in the background, and nobody waits for them: that they do is no
/// limit hit, which would cry for help whenever an instance is set up or some new guests write. Green API's own 429 is one.
struct Unhurried(Arc<dyn CallRecorder>);

impl CallRecorder for Unhurried {
    fn record(&self, call: &CallRecord<'_>) {
        self.0.record(&CallRecord { limited: false, ..*call });
    }
}

/// What the inbox says, or the server.
fn retry_plan(settings: &InboxSettings, green: &GreenApiSettings) -> RetryPlan {
    let is_brief = match fields::text(settings, fields::RETRY) {
        Some(fields::BRIEF) => true,
        Some(_) => false,
        None => green.brief_retries,
    };
    if is_brief {
        let waits = LimitedRetry::doubling(FIRST_RETRY_MS, LONGEST_RETRY_MS, green.max_retries, RETRY_JITTER);
        RetryPlan::Limited(waits)
    } else {
        RetryPlan::Patient
    }
}

fn address(value: Option<&String>) -> Result<Option<Url>, OpenError> {
    let value = value.map(|value| value.trim()).filter(|value| !value.is_empty());
    let parsed = value.map(Url::parse).transpose();
    parsed.map_err(|error| OpenError { reason: format!("an address of the instance is no URL: {error}") })
}

fn stack(
    context: &ChannelContext,
    name: &'static str,
    retry: RetryPolicy,
) -> Result<ProviderHttp, OpenError> {
    let providers = &context.providers;
    let base_url = Url::parse(&providers.green_api.base_url)
        .map_err(|error| OpenError { reason: format!("the address of Green API is no URL: {error}") })?;
    let make = || {
        let mut settings = provider_settings(base_url);
        settings.addresses = AddressPolicy::allowing_hosts(&providers.allow_private_hosts);
        settings.timeout = Duration::from_millis(providers.green_api.timeout_ms.max(1));
        settings.breaker.open_for = Duration::from_millis(providers.breaker_open_ms);
        settings.retry = retry;
        settings.log = providers.green_api.log;
        ProviderHttp::with_recorder(settings, context.recorder.clone())
    };
    let shared = context.stacks.get_or_make(name, make).map_err(unusable)?;
    // Each inbox has a listener of its own.
    Ok(shared.heard_by(context.recorder.clone()))
}

fn unusable(error: SetupError) -> OpenError {
    let reason = match error {
        SetupError::BaseUrl { source, .. } => format!(
            "the address of Green API in the settings file cannot be used: {source}; \
             a private address has to be listed under allow_private_hosts"
        ),
        error @ SetupError::Client { .. } => error.to_string(),
    };
    OpenError { reason }
}
