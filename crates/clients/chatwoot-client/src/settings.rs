//! Everything a client needs to know, and the environment's names for it.

use std::{fmt, time::Duration};

use frontdesk_provider_http::AddressPolicy;
use secrecy::SecretString;
use url::Url;

use crate::endpoints::Endpoints;

/// Settings of one account at one Chatwoot.
#[derive(Clone)]
pub struct ChatwootSettings {
    /// Where Chatwoot is, as `https://chatwoot.example.com`.
    pub base_url: Url,
    /// Access token of a user (an administrator's, to see everything), a bot, or the platform.
    pub api_token: SecretString,
    /// The account.
    pub account_id: i64,
    /// A read is given up after this long.
    pub read_timeout: Duration,
    /// A write is given up after this long. Chatwoot itself ends requests after 15 s; below that it cannot be known
    /// whether a write that was given up still happens.
    pub write_timeout: Duration,
    /// Attempts after the first one.
    pub retry_attempts: usize,
    /// Wait before the first of them; doubles.
    pub retry_delay: Duration,
    /// Requests a minute that this client allows itself; `None`: as many as it likes. Chatwoot's own limit is 3,000 a
    /// minute and address, older ones' 300.
    pub requests_per_minute: Option<u32>,
    /// A call that would wait longer for its turn is refused.
    pub longest_wait: Duration,
    /// Whoever failed too often in a row is left alone for so long.
    pub breaker_open: Duration,
    /// How long answers are kept.
    pub cache: CacheSettings,
    /// `false`: any certificate is taken. For self-signed test servers only.
    pub verify_ssl: bool,
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// Redirects that a read follows.
    pub max_redirects: usize,
    /// Which addresses may be reached.
    pub addresses: AddressPolicy,
    /// How webhooks are checked.
    pub webhook: WebhookSettings,
    /// Paths.
    pub endpoints: Endpoints,
}

/// How long answers are kept, and how much of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// Conversations are fresh this long.
    pub conversation_ttl: Duration,
    /// Messages.
    pub messages_ttl: Duration,
    /// Contacts.
    pub contact_ttl: Duration,
    /// The account, inboxes, labels, agents.
    pub account_ttl: Duration,
    /// What is older than its time, by at most this much of it, is handed out at once while it is fetched anew.
    pub stale_factor: u32,
    /// Bytes of answers kept at most; the least used go first.
    pub max_bytes: u64,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            conversation_ttl: Duration::from_secs(300),
            messages_ttl: Duration::from_secs(60),
            contact_ttl: Duration::from_secs(600),
            account_ttl: Duration::from_secs(3_600),
            stale_factor: 1,
            max_bytes: 64 * 1024 * 1024,
        }
    }
}

/// How webhooks are checked.
#[derive(Clone)]
pub struct WebhookSettings {
    /// Secrets that may have signed: each account webhook and each API inbox has its own. All are tried.
    pub secrets: Vec<SecretString>,
    /// Webhooks without a fresh `X-Chatwoot-Timestamp` are refused.
    pub timestamp_enabled: bool,
    /// How far the timestamp may be off, either way.
    pub timestamp_tolerance: Duration,
    /// Largest body, in bytes.
    pub max_payload_size: usize,
    /// How long a delivery is remembered, so that its repetition is known.
    pub idempotency_ttl: Duration,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            secrets: Vec::new(),
            timestamp_enabled: true,
            timestamp_tolerance: Duration::from_secs(300),
            max_payload_size: 1_048_576,
            idempotency_ttl: Duration::from_secs(86_400),
        }
    }
}

/// A setting that cannot be used. Names the variable, never shows its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It is needed and not there.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// It is not what it should be.
    #[error("{name} must be {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

impl ChatwootSettings {
    /// Settings with the defaults: reads 10 s, writes 20 s, 3 repetitions from 1 s, 3,000 requests a minute, certificates
    /// checked, 3 redirects, public addresses only.
    pub fn new(base_url: Url, api_token: SecretString, account_id: i64) -> Self {
        Self {
            base_url,
            api_token,
            account_id,
            read_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(20),
            retry_attempts: 3,
            retry_delay: Duration::from_millis(1_000),
            requests_per_minute: Some(3_000),
            longest_wait: Duration::from_secs(30),
            breaker_open: Duration::from_secs(30),
            cache: CacheSettings::default(),
            verify_ssl: true,
            user_agent: "Bridge-Service/2.1".to_owned(),
            max_redirects: 3,
            addresses: AddressPolicy::public_only(),
            webhook: WebhookSettings::default(),
            endpoints: Endpoints::default(),
        }
    }

    /// Settings from the environment: see [`Self::from_lookup`].
    ///
    /// Errors: [`SettingsError`] names the variable at fault.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Settings from wherever `lookup` finds them. An empty value counts as not set.
    ///
    /// `CHATWOOT_URL` and `CHATWOOT_API_TOKEN` are needed. The rest has defaults: `CHATWOOT_ACCOUNT_ID` 1,
    /// `CHATWOOT_API_TIMEOUT` 10 (seconds for a read; a write gets twice as long), `CHATWOOT_API_RETRY_ATTEMPTS` 3,
    /// `CHATWOOT_API_RETRY_DELAY` 1000 (milliseconds), `CHATWOOT_CACHE_CONVERSATION_TTL` 300, `…_MESSAGES_TTL` 60,
    /// `…_CONTACT_TTL` 600, `…_ACCOUNT_TTL` 3600 (seconds), `CHATWOOT_VERIFY_SSL` true, `CHATWOOT_USER_AGENT`,
    /// `CHATWOOT_MAX_REDIRECTS` 3, `CHATWOOT_WEBHOOK_SECRET` (several: with commas),
    /// `CHATWOOT_WEBHOOK_TIMESTAMP_ENABLED` true, `WEBHOOK_MAX_PAYLOAD_SIZE` 1048576, `WEBHOOK_TIMESTAMP_TOLERANCE` 300,
    /// `WEBHOOK_IDEMPOTENCY_TTL` 86400, and the paths `CHATWOOT_CONVERSATIONS_ENDPOINT`, `…_MESSAGES_…`, `…_CONTACTS_…`,
    /// `…_ACCOUNTS_…` ([`Endpoints`]).
    ///
    /// Errors: [`SettingsError`] names the variable at fault.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let env = Environment(&lookup);
        let url = env.text("CHATWOOT_URL").ok_or(SettingsError::Missing("CHATWOOT_URL"))?;
        let url = Url::parse(&url).ok().filter(|url| url.has_host());
        let expected = "an address as https://chatwoot.example.com";
        let url = url.ok_or(SettingsError::Invalid { name: "CHATWOOT_URL", expected })?;
        let token = env.text("CHATWOOT_API_TOKEN").ok_or(SettingsError::Missing("CHATWOOT_API_TOKEN"))?;
        let account_id = env.number("CHATWOOT_ACCOUNT_ID", 1)?;
        let mut settings = Self::new(url, token.into(), i64::try_from(account_id).unwrap_or(1));
        settings.read_timeout = env.seconds("CHATWOOT_API_TIMEOUT", 10)?;
        settings.write_timeout = settings.read_timeout * 2;
        settings.retry_attempts = env.size("CHATWOOT_API_RETRY_ATTEMPTS", 3)?;
        settings.retry_delay = Duration::from_millis(env.number("CHATWOOT_API_RETRY_DELAY", 1_000)?);
        settings.cache.conversation_ttl = env.seconds("CHATWOOT_CACHE_CONVERSATION_TTL", 300)?;
        settings.cache.messages_ttl = env.seconds("CHATWOOT_CACHE_MESSAGES_TTL", 60)?;
        settings.cache.contact_ttl = env.seconds("CHATWOOT_CACHE_CONTACT_TTL", 600)?;
        settings.cache.account_ttl = env.seconds("CHATWOOT_CACHE_ACCOUNT_TTL", 3_600)?;
        settings.verify_ssl = env.flag("CHATWOOT_VERIFY_SSL", true)?;
        settings.user_agent = env.text("CHATWOOT_USER_AGENT").unwrap_or(settings.user_agent);
        settings.max_redirects = env.size("CHATWOOT_MAX_REDIRECTS", 3)?;
        let secrets = env.text("CHATWOOT_WEBHOOK_SECRET").unwrap_or_default();
        let secrets = secrets.split(',').map(str::trim).filter(|secret| !secret.is_empty());
        settings.webhook = WebhookSettings {
            secrets: secrets.map(SecretString::from).collect(),
            timestamp_enabled: env.flag("CHATWOOT_WEBHOOK_TIMESTAMP_ENABLED", true)?,
            timestamp_tolerance: env.seconds("WEBHOOK_TIMESTAMP_TOLERANCE", 300)?,
            max_payload_size: env.size("WEBHOOK_MAX_PAYLOAD_SIZE", 1_048_576)?,
            idempotency_ttl: env.seconds("WEBHOOK_IDEMPOTENCY_TTL", 86_400)?,
        };
        let usual = Endpoints::default();
        settings.endpoints = Endpoints {
            conversations: env.text("CHATWOOT_CONVERSATIONS_ENDPOINT").unwrap_or(usual.conversations),
            messages: env.text("CHATWOOT_MESSAGES_ENDPOINT").unwrap_or(usual.messages),
            contacts: env.text("CHATWOOT_CONTACTS_ENDPOINT").unwrap_or(usual.contacts),
            accounts: env.text("CHATWOOT_ACCOUNTS_ENDPOINT").unwrap_or(usual.accounts),
        };
        Ok(settings)
    }
}

struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Environment<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn number(&self, name: &'static str, usual: u64) -> Result<u64, SettingsError> {
        let Some(value) = self.text(name) else { return Ok(usual) };
        value.parse().map_err(|_| SettingsError::Invalid { name, expected: "a whole number" })
    }

    fn size(&self, name: &'static str, usual: u64) -> Result<usize, SettingsError> {
        usize::try_from(self.number(name, usual)?)
            .map_err(|_| SettingsError::Invalid { name, expected: "a smaller number" })
    }

    fn seconds(&self, name: &'static str, usual: u64) -> Result<Duration, SettingsError> {
        self.number(name, usual).map(Duration::from_secs)
    }

    fn flag(&self, name: &'static str, usual: bool) -> Result<bool, SettingsError> {
        match self.text(name).as_deref().map(str::to_ascii_lowercase).as_deref() {
            None => Ok(usual),
            Some("true" | "1" | "yes" | "on" | "(true)") => Ok(true),
            Some("false" | "0" | "no" | "off" | "(false)") => Ok(false),
            Some(_) => Err(SettingsError::Invalid { name, expected: "true or false" }),
        }
    }
}

impl fmt::Debug for ChatwootSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatwootSettings")
            .field("host", &self.base_url.host_str())
            .field("account_id", &self.account_id)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSettings").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn read(pairs: &[(&str, &str)]) -> Result<ChatwootSettings, SettingsError> {
        let mut all = HashMap::from([("CHATWOOT_URL", "https://chatwoot.test"), ("CHATWOOT_API_TOKEN", "t")]);
        all.extend(pairs.iter().copied());
        ChatwootSettings::from_lookup(|name| all.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn defaults_are_those_of_the_guide() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.read_timeout, Duration::from_secs(10));
        assert_eq!((settings.retry_attempts, settings.retry_delay.as_millis()), (3, 1_000));
        assert_eq!(settings.cache, CacheSettings::default());
        assert!(settings.verify_ssl && settings.webhook.timestamp_enabled);
        assert_eq!((settings.user_agent.as_str(), settings.max_redirects), ("Bridge-Service/2.1", 3));
        assert_eq!(settings.webhook.max_payload_size, 1_048_576);
        assert_eq!(settings.webhook.timestamp_tolerance, Duration::from_secs(300));
        assert_eq!(settings.webhook.idempotency_ttl, Duration::from_secs(86_400));
        assert_eq!(settings.account_id, 1);
    }

    #[test]
    fn every_variable_is_read() {
        let settings = read(&[
            ("CHATWOOT_ACCOUNT_ID", "7"),
            ("CHATWOOT_API_TIMEOUT", "4"),
            ("CHATWOOT_API_RETRY_ATTEMPTS", "1"),
            ("CHATWOOT_API_RETRY_DELAY", "250"),
            ("CHATWOOT_CACHE_CONVERSATION_TTL", "1"),
            ("CHATWOOT_CACHE_MESSAGES_TTL", "2"),
            ("CHATWOOT_CACHE_CONTACT_TTL", "3"),
            ("CHATWOOT_CACHE_ACCOUNT_TTL", "4"),
            ("CHATWOOT_VERIFY_SSL", "false"),
            ("CHATWOOT_USER_AGENT", "me/1"),
            ("CHATWOOT_MAX_REDIRECTS", "0"),
            ("CHATWOOT_WEBHOOK_SECRET", "one, two"),
            ("CHATWOOT_WEBHOOK_TIMESTAMP_ENABLED", "0"),
            ("WEBHOOK_MAX_PAYLOAD_SIZE", "9"),
            ("WEBHOOK_TIMESTAMP_TOLERANCE", "8"),
            ("WEBHOOK_IDEMPOTENCY_TTL", "7"),
            ("CHATWOOT_CONVERSATIONS_ENDPOINT", "/a"),
            ("CHATWOOT_MESSAGES_ENDPOINT", "/b"),
            ("CHATWOOT_CONTACTS_ENDPOINT", "/c"),
            ("CHATWOOT_ACCOUNTS_ENDPOINT", "/d"),
        ])
        .unwrap();
        let seconds = Duration::from_secs;
        assert_eq!((settings.account_id, settings.retry_attempts, settings.max_redirects), (7, 1, 0));
        assert_eq!((settings.read_timeout, settings.write_timeout), (seconds(4), seconds(8)));
        assert_eq!(settings.retry_delay, Duration::from_millis(250));
        let cache = &settings.cache;
        assert_eq!((cache.conversation_ttl, cache.messages_ttl), (seconds(1), seconds(2)));
        assert_eq!((cache.contact_ttl, cache.account_ttl), (seconds(3), seconds(4)));
        assert!(!settings.verify_ssl && !settings.webhook.timestamp_enabled);
        assert_eq!(settings.user_agent, "me/1");
        let webhook = &settings.webhook;
        assert_eq!((webhook.secrets.len(), webhook.max_payload_size), (2, 9));
        assert_eq!((webhook.timestamp_tolerance, webhook.idempotency_ttl), (seconds(8), seconds(7)));
        let Endpoints { conversations, messages, contacts, accounts } = &settings.endpoints;
        assert_eq!([conversations, messages, contacts, accounts], ["/a", "/b", "/c", "/d"]);
    }

    #[test]
    fn what_cannot_be_used_is_named_and_not_shown() {
        for (name, value) in [
            ("CHATWOOT_URL", "not an address"),
            ("CHATWOOT_API_TIMEOUT", "secret-words"),
            ("CHATWOOT_VERIFY_SSL", "secret-words"),
            ("WEBHOOK_MAX_PAYLOAD_SIZE", "-1"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(name) && !error.contains(value), "{error}");
        }
        assert_eq!(
            read(&[("CHATWOOT_API_TOKEN", " ")]).unwrap_err(),
            SettingsError::Missing("CHATWOOT_API_TOKEN")
        );
        let shown = format!("{:?}", read(&[("CHATWOOT_API_TOKEN", "tell-nobody")]).unwrap());
        assert!(!shown.contains("tell-nobody"));
    }
}
