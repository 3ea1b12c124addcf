//! Opens the client of one session from its settings and those of the server.
//!
//! All sessions share two HTTP stacks: connections are pooled, limits and breakers kept per inbox. One stack sends and repeats
//! nothing (the outbox decides what is tried again), the other asks and repeats what does no harm.

use std::time::Duration;

use frontdesk_model::inbox::{InboxConfig, InboxSettings};
use frontdesk_provider_http::{AddressPolicy, ProviderHttp, RetryPolicy, SetupError};
use frontdesk_whatsapp_gateway_client::{Access, GatewayClient, provider_settings};
use url::{Host, Url};

use super::fields;
use crate::contract::{ChannelContext, OpenError, RetryPlan, SendPace};

/// What such servers allow a user in a minute.
const PER_MINUTE: u32 = 30;
/// Stands where a stack wants an address: each session has one of its own.
const NOWHERE: &str = "https://whatsapp-gateway.invalid";

/// One session, twice: to send and to ask.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) send: GatewayClient,
    pub(super) ask: GatewayClient,
    pub(super) pace: SendPace,
    pub(super) retry_plan: RetryPlan,
    /// The gateway is on this machine.
    pub(super) is_local: bool,
    /// What webhooks are signed with.
    pub(super) webhook_secret: Option<String>,
}

/// The clients of an inbox. Makes no request.
pub(super) fn open(context: &ChannelContext, inbox: &InboxConfig) -> Result<Clients, OpenError> {
    let settings = &inbox.settings;
    let missing = |what: &str| OpenError { reason: format!("the {what} is missing") };
    let address = fields::text(settings, fields::API_URL).ok_or_else(|| missing("API address"))?;
    let base_url = Url::parse(address)
        .map_err(|error| OpenError { reason: format!("the address of the gateway is no URL: {error}") })?;
    let session = fields::text(settings, fields::SESSION_ID).ok_or_else(|| missing("session"))?;
    let access = access(settings).ok_or_else(|| missing("token"))?;
    let per_minute = fields::text(settings, fields::PER_MINUTE).and_then(|n| n.parse().ok());
    let sender = stack(context, "whatsapp_gateway.send", RetryPolicy::never())?;
    let asker = stack(context, "whatsapp_gateway.ask", RetryPolicy::default())?;
    let is_local = is_loopback(&base_url);
    let ask = GatewayClient::new(asker, base_url, session, inbox.id.to_string(), access);
    Ok(Clients {
        send: ask.over(sender),
        ask,
        pace: SendPace { per_second: 0, per_minute: per_minute.unwrap_or(PER_MINUTE) },
        retry_plan: RetryPlan::chosen(settings),
        is_local,
        webhook_secret: fields::text(settings, fields::WEBHOOK_SECRET).map(str::to_owned),
    })
}

/// A token that was given wins over an account.
fn access(settings: &InboxSettings) -> Option<Access> {
    if let Some(token) = fields::text(settings, fields::TOKEN) {
        return Some(Access::Token(token.into()));
    }
    let email = fields::text(settings, fields::EMAIL)?.to_owned();
    let password = settings.get(fields::PASSWORD)?.as_str().into();
    Some(Access::Login { email, password })
}

/// True for an address on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => false,
    }
}

fn stack(
    context: &ChannelContext,
    name: &'static str,
    retry: RetryPolicy,
) -> Result<ProviderHttp, OpenError> {
    let providers = &context.providers;
    let nowhere = Url::parse(NOWHERE).map_err(|error| OpenError { reason: error.to_string() })?;
    let make = || {
        let mut settings = provider_settings(nowhere);
        settings.addresses = AddressPolicy::allowing_hosts(&providers.allow_private_hosts);
        settings.timeout = Duration::from_millis(providers.timeout_ms.max(1));
        settings.breaker.open_for = Duration::from_millis(providers.breaker_open_ms);
        settings.retry = retry;
        ProviderHttp::with_recorder(settings, context.recorder.clone())
    };
    let shared = context.stacks.get_or_make(name, make).map_err(unusable)?;
    // Each inbox has a listener of its own.
    Ok(shared.heard_by(context.recorder.clone()))
}

fn unusable(error: SetupError) -> OpenError {
    OpenError { reason: error.to_string() }
}
