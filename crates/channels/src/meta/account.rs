//! Opens the Graph client of one inbox from its settings and those of the server.

use std::time::Duration;

use frontdesk_meta_graph_client::client::provider_settings;
use frontdesk_meta_graph_client::{GraphAccount, GraphClient};
use frontdesk_model::inbox::InboxConfig;
use frontdesk_provider_http::{AddressPolicy, ProviderHttp, SetupError};
use secrecy::SecretString;
use url::Url;

use super::fields;
use crate::contract::{ChannelContext, OpenError};

/// The client of an inbox at the API below `base_url`. Makes no request.
pub(crate) fn open(
    context: &ChannelContext,
    inbox: &InboxConfig,
    base_url: &str,
) -> Result<GraphClient, OpenError> {
    let token = setting(inbox, fields::ACCESS_TOKEN)
        .ok_or_else(|| OpenError { reason: "the access token is missing".to_owned() })?;
    let base_url = Url::parse(base_url)
        .map_err(|error| OpenError { reason: format!("the address of the Graph API is no URL: {error}") })?;
    let hosts = &context.providers.allow_private_hosts;
    let mut settings = provider_settings(base_url);
    settings.addresses = AddressPolicy::allowing_hosts(hosts);
    settings.timeout = Duration::from_millis(context.providers.timeout_ms.max(1));
    settings.breaker.open_for = Duration::from_millis(context.providers.breaker_open_ms);
    let http = ProviderHttp::with_recorder(settings, context.recorder.clone()).map_err(unusable)?;
    let version = context.providers.meta_graph_version.trim();
    let account = GraphAccount {
        version: (!version.is_empty()).then(|| version.to_owned()),
        app_secret: setting(inbox, fields::APP_SECRET),
        media_hosts: hosts.clone(),
        ..GraphAccount::new(inbox.id.to_string(), token)
    };
    Ok(GraphClient::new(http, account))
}

fn unusable(error: SetupError) -> OpenError {
    let reason = match error {
        SetupError::BaseUrl { source, .. } => format!(
            "the address of the Graph API in the settings file cannot be used: {source}; \
             a private address has to be listed under allow_private_hosts"
        ),
        error @ SetupError::Client { .. } => error.to_string(),
    };
    OpenError { reason }
}

fn setting(inbox: &InboxConfig, key: &str) -> Option<SecretString> {
    let value = inbox.settings.get(key)?.trim();
    (!value.is_empty()).then(|| value.into())
}
