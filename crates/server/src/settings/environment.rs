//! The environment as settings: which variable sets what.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::SettingsError;

/// Variables with names of their own, as operators, packagers and Laravel know them, and the setting each sets.
/// Every other setting is `FRONTDESK_<SECTION>_<KEY>`.
const NAMES: [(&str, &str); 60] = [
    ("FRONTDESK_LISTEN", "server.listen"),
    ("FRONTDESK_PUBLIC_URL", "server.public_url"),
    ("FRONTDESK_DATA_DIR", "storage.data_dir"),
    ("DATABASE_URL", "database.url"),
    ("FRONTDESK_SECRET_KEY", "secret.key"),
    ("FRONTDESK_LOG", "log.filter"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "traces.endpoint"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "traces.headers"),
    ("OTEL_SERVICE_NAME", "traces.service_name"),
    ("OTEL_TRACES_SAMPLER_ARG", "traces.sample_ratio"),
    ("META_APP_SECRET", "meta.app_secrets"),
    ("META_VERIFY_TOKEN", "meta.verify_tokens"),
    ("WHATSAPP_WEBHOOK_TOKEN", "meta.whatsapp_webhook_token"),
    ("META_GRAPH_URL", "meta.graph_url"),
    ("META_INSTAGRAM_URL", "meta.instagram_url"),
    ("META_GRAPH_VERSION", "meta.graph_version"),
    ("GREEN_API_BASE_URL", "green_api.base_url"),
    ("GREEN_API_TIMEOUT", "green_api.timeout_secs"),
    ("GREEN_API_MAX_RETRIES", "green_api.max_retries"),
    ("GREEN_API_RATE_LIMIT_PER_MINUTE", "green_api.rate_limit_per_minute"),
    ("GREEN_API_RATE_LIMIT_PER_SECOND", "green_api.rate_limit_per_second"),
    ("GREEN_API_WEBHOOK_SECRET", "green_api.webhook_secret"),
    ("WEBHOOK_MAX_PAYLOAD_SIZE", "green_api.webhook_max_bytes"),
    ("GREEN_API_ENABLE_DETAILED_LOGGING", "green_api.detailed_logging"),
    ("GREEN_API_LOG_REQUEST_BODY", "green_api.log_request_body"),
    ("GREEN_API_LOG_RESPONSE_BODY", "green_api.log_response_body"),
    ("WHATSAPP_API_URL", "whatsapp_gateway.api_url"),
    ("WHATSAPP_API_TOKEN", "whatsapp_gateway.api_token"),
    ("WHATSAPP_SESSION_ID", "whatsapp_gateway.session_id"),
    ("WHATSAPP_WEBHOOK_SECRET", "whatsapp_gateway.webhook_secret"),
    ("WHATSAPP_SIMULATOR_URL", "linked_whatsapp.simulator_url"),
    ("CHATWOOT_URL", "chatwoot.url"),
    ("CHATWOOT_API_TOKEN", "chatwoot.api_token"),
    ("CHATWOOT_ACCOUNT_ID", "chatwoot.account_id"),
    ("CHATWOOT_API_TIMEOUT", "chatwoot.timeout_secs"),
    ("CHATWOOT_API_RETRY_ATTEMPTS", "chatwoot.retry_attempts"),
    ("CHATWOOT_API_RETRY_DELAY", "chatwoot.retry_delay_ms"),
    ("CHATWOOT_VERIFY_SSL", "chatwoot.verify_ssl"),
    ("CHATWOOT_USER_AGENT", "chatwoot.user_agent"),
    ("CHATWOOT_MAX_REDIRECTS", "chatwoot.max_redirects"),
    ("CHATWOOT_CACHE_CONVERSATION_TTL", "chatwoot.cache.conversation_ttl_secs"),
    ("CHATWOOT_CACHE_MESSAGES_TTL", "chatwoot.cache.messages_ttl_secs"),
    ("CHATWOOT_CACHE_CONTACT_TTL", "chatwoot.cache.contact_ttl_secs"),
    ("CHATWOOT_CACHE_ACCOUNT_TTL", "chatwoot.cache.account_ttl_secs"),
    ("CHATWOOT_WEBHOOK_SECRET", "chatwoot.webhook.secrets"),
    ("CHATWOOT_WEBHOOK_TIMESTAMP_ENABLED", "chatwoot.webhook.timestamp_enabled"),
    ("WEBHOOK_TIMESTAMP_TOLERANCE", "chatwoot.webhook.tolerance_secs"),
    ("WEBHOOK_MAX_PAYLOAD_SIZE", "chatwoot.webhook.max_bytes"),
    ("WEBHOOK_IDEMPOTENCY_TTL", "chatwoot.webhook.idempotency_secs"),
    ("CHATWOOT_CONVERSATIONS_ENDPOINT", "chatwoot.endpoints.conversations"),
    ("CHATWOOT_MESSAGES_ENDPOINT", "chatwoot.endpoints.messages"),
    ("CHATWOOT_CONTACTS_ENDPOINT", "chatwoot.endpoints.contacts"),
    ("CHATWOOT_ACCOUNTS_ENDPOINT", "chatwoot.endpoints.accounts"),
    ("PUSHER_APP_ID", "realtime.app_id"),
    ("PUSHER_APP_KEY", "realtime.app_key"),
    ("PUSHER_APP_SECRET", "realtime.app_secret"),
    ("AWS_ENDPOINT_URL_S3", "media.s3.endpoint"),
    ("AWS_REGION", "media.s3.region"),
    ("AWS_ACCESS_KEY_ID", "media.s3.access_key"),
    ("AWS_SECRET_ACCESS_KEY", "media.s3.secret_key"),
];

/// Settings whose values are never shown and may come from a file named by `<VARIABLE>_FILE`.
const SECRETS: [&str; 14] = [
    "database.url",
    "secret.key",
    "traces.headers",
    "meta.app_secrets",
    "meta.verify_tokens",
    "meta.whatsapp_webhook_token",
    "green_api.webhook_secret",
    "whatsapp_gateway.api_token",
    "whatsapp_gateway.webhook_secret",
    "chatwoot.api_token",
    "chatwoot.webhook.secrets",
    "realtime.app_secret",
    "media.s3.secret_key",
    "mail.password",
];

/// Variables of this name space that are read elsewhere: by the command line and by the test scripts.
const OTHERS: [&str; 6] = [
    "FRONTDESK_CONFIG",
    "FRONTDESK_SECRET_KEY_FILE",
    "FRONTDESK_BIN",
    "FRONTDESK_URL",
    "FRONTDESK_EMAIL",
    "FRONTDESK_PASSWORD",
];

/// Environment variables by name. Values may be secrets: never shown.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        // A name that is not UTF-8 is none of ours.
        Self(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect(),
        )
    }

    /// These variables only: for tests and for the demo, which must not take the operator's.
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
    }

    /// Sets one variable.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Forgets one variable.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The value for a setting, and the variable it came from.
    pub(super) fn find(&self, setting: &str) -> Result<Option<(String, String)>, SettingsError> {
        let mut found: Option<(String, String)> = None;
        for name in variables(setting) {
            let given = self.text(&name)?;
            let from_file =
                if is_secret(setting) { self.read_file_of(&format!("{name}_FILE"))? } else { None };
            for (name, value) in given.map(|value| (name, value)).into_iter().chain(from_file) {
                if let Some((other, _)) = &found {
                    return Err(SettingsError::Twice { one: other.clone(), other: name });
                }
                found = Some((name, value));
            }
        }
        Ok(found)
    }

    /// Variables that look like ours and set nothing: spelling mistakes. `settings` are all that exist.
    pub fn unknown<'a>(&self, settings: impl Iterator<Item = &'a str>) -> Vec<String> {
        let known: Vec<String> = settings.flat_map(variables).collect();
        let is_known = |name: &String| {
            known.contains(name)
                || OTHERS.contains(&name.as_str())
                || name.strip_suffix("_FILE").is_some_and(|n| known.iter().any(|k| k == n))
        };
        self.0.keys().filter(|name| name.starts_with("FRONTDESK_") && !is_known(name)).cloned().collect()
    }

    fn text(&self, name: &str) -> Result<Option<String>, SettingsError> {
        match self.0.get(name) {
            Some(value) if !value.is_empty() => match value.to_str() {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(SettingsError::NotText { variable: name.to_owned() }),
            },
            _ => Ok(None),
        }
    }

    fn read_file_of(&self, variable: &str) -> Result<Option<(String, String)>, SettingsError> {
        // The key's file may not exist yet: it is made on the first start, see `secret_key`.
        if variable == "FRONTDESK_SECRET_KEY_FILE" {
            return Ok(None);
        }
        let Some(path) = self.text(variable)? else { return Ok(None) };
        let value = std::fs::read_to_string(&path).map_err(|source| SettingsError::SecretFile {
            variable: variable.to_owned(),
            path: path.into(),
            source,
        })?;
        Ok(Some((variable.to_owned(), value.trim_end_matches(['\r', '\n']).to_owned())))
    }
}

/// True when the value of a setting must not be shown.
pub(super) fn is_secret(setting: &str) -> bool {
    SECRETS.contains(&setting)
}

/// The variables that set a setting: the well-known one, then the regular one.
fn variables(setting: &str) -> Vec<String> {
    let well_known = NAMES.iter().filter(|(_, s)| *s == setting).map(|(name, _)| (*name).to_owned());
    let regular = format!("FRONTDESK_{}", setting.replace('.', "_").to_uppercase());
    let mut all: Vec<String> = well_known.chain([regular]).collect();
    all.dedup();
    all
}
