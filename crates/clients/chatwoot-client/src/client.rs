//! The client of one account.

use std::{sync::Arc, time::Duration};

use frontdesk_provider_http::{
    Answer, BreakerState, CallError, CallLabel, CallRecorder, NotSent, ProviderHttp, ProviderSettings,
    RateLimits, RetryPolicy, SetupError,
};
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::{ChatwootError, ChatwootSettings, sanitise::sanitised, webhook::WebhookVerifier};

/// The longest that a read waits between attempts.
const LONGEST_RETRY_WAIT: Duration = Duration::from_secs(60);

/// Calls Chatwoot for one account. Cheap to clone.
///
/// Every call waits for its turn under the client's own limit and fails at once while the breaker is open. Reads, and writes
/// of which doing them twice is doing them once, are repeated as the settings say. What creates something is repeated only
/// where Chatwoot certainly did nothing; otherwise it is looked up first.
#[derive(Clone)]
pub struct ChatwootClient {
    inner: Arc<Inner>,
}

struct Inner {
    http: ProviderHttp,
    settings: ChatwootSettings,
    key: String,
    limits: [RateLimits; 3],
    webhooks: WebhookVerifier,
}

/// Whose limit a call is under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The general one.
    Api,
    /// Search of contacts: 100 a minute and account.
    Search,
    /// Counts of conversations: 30 a minute and user.
    Counts,
}

/// May a call be repeated when it failed?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It reads, or doing it twice is doing it once.
    Harmless,
    /// Only where Chatwoot certainly did nothing.
    IfCertain,
}

impl ChatwootClient {
    /// A client with an HTTP stack of its own. `frontdesk_provider_http::install_crypto` must have been called before.
    ///
    /// Errors: [`SetupError`] when the address is one that is never called.
    pub fn new(settings: ChatwootSettings) -> Result<Self, SetupError> {
        let http = ProviderHttp::new(http_settings(&settings))?;
        Ok(Self::over(http, settings))
    }

    /// The same with somebody who listens to every call.
    ///
    /// Errors: [`SetupError`] when the address is one that is never called.
    pub fn with_recorder(
        settings: ChatwootSettings,
        recorder: Arc<dyn CallRecorder>,
    ) -> Result<Self, SetupError> {
        let http = ProviderHttp::with_recorder(http_settings(&settings), recorder)?;
        Ok(Self::over(http, settings))
    }

    /// A client over a stack that is there already: see [`http_settings`]. Its time-outs, repetitions, certificates and
    /// addresses are the stack's.
    pub fn over(http: ProviderHttp, settings: ChatwootSettings) -> Self {
        let host = settings.base_url.host_str().unwrap_or_default();
        let key = format!("{host}/{}", settings.account_id);
        let limits = |per_minute: Option<u32>| RateLimits {
            per_minute: per_minute.and_then(std::num::NonZeroU32::new),
            longest_wait: settings.longest_wait,
            hold_after_429: true,
            minutes_of_the_clock: true,
            ..RateLimits::default()
        };
        let limits = [limits(settings.requests_per_minute), limits(Some(100)), limits(Some(30))];
        let webhooks = WebhookVerifier::new(settings.webhook.clone());
        Self { inner: Arc::new(Inner { http, settings, key, limits, webhooks }) }
    }

    /// The settings.
    pub fn settings(&self) -> &ChatwootSettings {
        &self.inner.settings
    }

    /// The stack below.
    pub fn http(&self) -> &ProviderHttp {
        &self.inner.http
    }

    /// Checks webhooks and remembers deliveries.
    pub fn webhooks(&self) -> &WebhookVerifier {
        &self.inner.webhooks
    }

    pub(crate) fn account_id(&self) -> i64 {
        self.inner.settings.account_id
    }

    /// What the breaker does with the next call.
    pub fn breaker_state(&self) -> BreakerState {
        self.inner.http.breaker_state(&self.inner.key)
    }

    pub(crate) fn breaker_failures(&self) -> u32 {
        self.inner.http.breaker_failures(&self.inner.key)
    }

    pub(crate) fn remaining_calls(&self) -> Option<usize> {
        self.inner.http.remaining_calls(&self.label("stats", Class::Api))
    }

    pub(crate) fn label(&self, operation: &'static str, class: Class) -> CallLabel<'_> {
        let (name, limits) = match class {
            Class::Api => ("api", 0),
            Class::Search => ("search", 1),
            Class::Counts => ("counts", 2),
        };
        CallLabel::new(&self.inner.key, operation)
            .class(name)
            .limits(&self.inner.limits[limits])
            .at(Some(&self.inner.settings.base_url))
    }

    /// The address below the server's.
    pub(crate) fn url(&self, segments: &[impl AsRef<str>]) -> Url {
        let mut url = self.inner.settings.base_url.clone();
        // A URL that cannot have segments has no host either, and is refused before it is called.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// `…/conversations/{rest}`
    pub(crate) fn conversations_url(&self, rest: &[&str]) -> Url {
        self.below(self.settings().endpoints.conversations(self.account_id()), rest)
    }

    /// `…/conversations/{id}/messages/{rest}`
    pub(crate) fn messages_url(&self, conversation_id: i64, rest: &[&str]) -> Url {
        self.below(self.settings().endpoints.messages(self.account_id(), conversation_id), rest)
    }

    /// `…/contacts/{rest}`
    pub(crate) fn contacts_url(&self, rest: &[&str]) -> Url {
        self.below(self.settings().endpoints.contacts(self.account_id()), rest)
    }

    /// `…/accounts/{id}/{rest}`
    pub(crate) fn account_url(&self, rest: &[&str]) -> Url {
        self.below(self.settings().endpoints.account(self.account_id()), rest)
    }

    fn below(&self, mut path: Vec<String>, rest: &[&str]) -> Url {
        path.extend(rest.iter().map(|part| (*part).to_owned()));
        self.url(&path)
    }

    fn request(&self, method: Method, url: Url, timeout: Duration) -> RequestBuilder {
        let is_own = url.origin() == self.inner.settings.base_url.origin();
        let request = self.inner.http.request(method, url).timeout(timeout);
        // Never to somebody else's host, whoever redirects there.
        if !is_own {
            return request;
        }
        let token = self.inner.settings.api_token.expose_secret();
        // The hyphen survives proxies that drop names with underscores, and means the same to Chatwoot.
        request.header("api_access_token", token).header("api-access-token", token)
    }

    pub(crate) async fn get(
        &self,
        operation: &'static str,
        url: Url,
        query: &[(&str, String)],
    ) -> Result<Value, ChatwootError> {
        self.get_in(Class::Api, operation, url, query).await
    }

    /// Reads, following redirects as far as the settings allow.
    pub(crate) async fn get_in(
        &self,
        class: Class,
        operation: &'static str,
        mut url: Url,
        query: &[(&str, String)],
    ) -> Result<Value, ChatwootError> {
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut redirects = 0;
        loop {
            let request = self.request(Method::GET, url.clone(), self.settings().read_timeout);
            match self.inner.http.read(self.label(operation, class), request).await {
                Ok(answer) => return read(&answer).map_err(|error| self.located(error, operation)),
                Err(CallError::Redirect { location: Some(target), .. })
                    if redirects < self.settings().max_redirects && self.may_follow(&target.0) =>
                {
                    url = target.0;
                    redirects += 1;
                }
                Err(error) => return Err(self.failed(error, operation)),
            }
        }
    }

    /// An API never moves to another host; whoever says so is a captive portal or an attacker.
    fn may_follow(&self, target: &Url) -> bool {
        let ours = &self.inner.settings.base_url;
        target.host() == ours.host() && (target.scheme() == ours.scheme() || target.scheme() == "https")
    }

    pub(crate) async fn write(
        &self,
        operation: &'static str,
        repeat: Repeat,
        method: Method,
        url: Url,
        body: &impl Serialize,
    ) -> Result<Value, ChatwootError> {
        let body =
            serde_json::to_value(body).map_err(|error| ChatwootError::bad_request(error.to_string()))?;
        let body = sanitised(body);
        self.write_with(operation, repeat, method, url, |request| request.json(&body)).await
    }

    /// Writes with whatever `finish` adds to the request, anew for every attempt.
    pub(crate) async fn write_with(
        &self,
        operation: &'static str,
        repeat: Repeat,
        method: Method,
        url: Url,
        finish: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Value, ChatwootError> {
        let timeout = self.settings().write_timeout;
        let make = || finish(self.request(method.clone(), url.clone(), timeout));
        let again = |error: &CallError| match repeat {
            Repeat::Harmless => is_transient(error),
            Repeat::IfCertain => is_untouched(error),
        };
        let answer = self.inner.http.repeat(self.label(operation, Class::Api), make, again).await;
        let answer = answer.map_err(|error| self.failed(error, operation))?;
        read(&answer).map_err(|error| self.located(error, operation))
    }

    pub(crate) fn failed(&self, error: CallError, operation: &'static str) -> ChatwootError {
        let error = ChatwootError::of_call(error, self.settings().write_timeout);
        self.located(error, operation)
    }

    fn located(&self, error: ChatwootError, operation: &'static str) -> ChatwootError {
        error.within("operation", operation).within("account_id", self.account_id())
    }
}

/// The HTTP stack that the settings ask for, for one client or for many that agree on them.
pub fn http_settings(settings: &ChatwootSettings) -> ProviderSettings {
    let mut http = ProviderSettings::new("chatwoot", settings.base_url.clone());
    http.user_agent.clone_from(&settings.user_agent);
    http.timeout = settings.write_timeout.max(settings.read_timeout);
    http.connect_timeout = settings.read_timeout.min(Duration::from_secs(10));
    // A page of conversations with long messages is some hundred kilobytes; `updated_within` is not paged at all.
    http.max_response_bytes = 32 * 1024 * 1024;
    http.retry = RetryPolicy {
        retries: settings.retry_attempts,
        first: settings.retry_delay,
        longest: LONGEST_RETRY_WAIT.max(settings.retry_delay),
    };
    http.breaker.open_for = settings.breaker_open;
    http.addresses = settings.addresses.clone();
    http.verify_tls = settings.verify_ssl;
    http
}

fn is_transient(error: &CallError) -> bool {
    is_untouched(error)
        || match error {
            CallError::TimedOut(_) | CallError::Cut(_) => true,
            CallError::Status(answer) => answer.status.is_server_error(),
            _ => false,
        }
}

/// Chatwoot did nothing: rack-attack answered before it, or there was no connection.
fn is_untouched(error: &CallError) -> bool {
    match error {
        CallError::NotSent(NotSent::Dns(_) | NotSent::Connect(_)) => true,
        CallError::Status(answer) => answer.status.as_u16() == 429,
        _ => false,
    }
}

/// JSON, or nothing at all.
fn read(answer: &Answer) -> Result<Value, ChatwootError> {
    if answer.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&answer.body).map_err(|error| ChatwootError::unreadable(&error))
}

impl std::fmt::Debug for ChatwootClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatwootClient").field("key", &self.inner.key).finish_non_exhaustive()
    }
}
