//! The one door out: [`ProviderHttp`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use reqwest::{
    Method, Request, RequestBuilder, Response, StatusCode,
    header::{HeaderMap, LOCATION},
    redirect::Policy,
};
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::Instant,
};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use url::Url;

use crate::{
    BreakerState, CallError, CallRecord, CallRecorder, NotSent, Outcome, ProviderSettings, RateLimits,
    StatusAnswer, addresses::GuardedResolver, breaker::Breakers, error::RedirectTarget, limits::KeyedLimits,
    record::NoRecorder, retry::until_next_minute,
};

/// A call that lasts longer than its time-out by more than this was not watched meanwhile.
const TIMER_SLACK: Duration = Duration::from_secs(1);

/// Calls one provider. Cheap to clone; clones share connections, limits and breakers.
#[derive(Clone)]
pub struct ProviderHttp {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) settings: ProviderSettings,
    client: reqwest::Client,
    limits: Arc<KeyedLimits>,
    breakers: Arc<Breakers>,
    recorder: Arc<dyn CallRecorder>,
}

/// What a call is, for limits, breaker and statistics.
#[derive(Debug, Clone, Copy)]
pub struct CallLabel<'a> {
    /// Which account of the provider: limits and breaker are kept per key.
    pub key: &'a str,
    /// What is asked, as `send_message`. A fixed word: it becomes a metric label.
    pub operation: &'static str,
    /// Kind of operation; within a key each class has limits of its own. Empty: the only one.
    pub class: &'static str,
    /// Limits of this key and class; `None`: those of the settings.
    pub limits: Option<&'a RateLimits>,
    /// Where the account's API begins; `None`: as in the settings. Its port may be any, others' may not.
    pub base_url: Option<&'a Url>,
}

impl<'a> CallLabel<'a> {
    /// A call of an account whose calls are all of one class, under the limits of the settings.
    pub fn new(key: &'a str, operation: &'static str) -> Self {
        Self { key, operation, class: "", limits: None, base_url: None }
    }

    /// The same call, in this class.
    #[must_use]
    pub fn class(self, class: &'static str) -> Self {
        Self { class, ..self }
    }

    /// The same call, of an account at a host of its own.
    #[must_use]
    pub fn at(self, base_url: Option<&'a Url>) -> Self {
        Self { base_url, ..self }
    }

    /// The same call, under limits of its own.
    #[must_use]
    pub fn limits(self, limits: &'a RateLimits) -> Self {
        Self { limits: Some(limits), ..self }
    }
}

/// A successful (2xx) answer, read whole.
#[derive(Clone)]
pub struct Answer {
    /// The 2xx status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, at most `max_response_bytes`.
    pub body: Bytes,
}

/// The stack could not be built: the TLS set-up or the user agent is unusable.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// reqwest refused the settings.
    #[error("the HTTP client for {provider} could not be built")]
    Client {
        /// The provider's name.
        provider: String,
        /// What reqwest says.
        #[source]
        source: reqwest::Error,
    },
    /// The base URL is one that is never called.
    #[error("the base URL of {provider} cannot be used: {source}")]
    BaseUrl {
        /// The provider's name.
        provider: String,
        /// Why.
        #[source]
        source: crate::addresses::RefusedAddress,
    },
}

/// Status, headers and length of an answer whose body went to a writer.
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) size_bytes: u64,
}

impl ProviderHttp {
    /// Builds the stack. [`crate::install_crypto`] must have been called before.
    pub fn new(settings: ProviderSettings) -> Result<Self, SetupError> {
        Self::with_recorder(settings, Arc::new(NoRecorder))
    }

    /// Builds the stack with somebody who listens to every call.
    pub fn with_recorder(
        settings: ProviderSettings,
        recorder: Arc<dyn CallRecorder>,
    ) -> Result<Self, SetupError> {
        settings
            .addresses
            .check_url(&settings.base_url, &settings.base_url)
            .map_err(|source| SetupError::BaseUrl { provider: settings.provider.clone(), source })?;
        let client = reqwest::Client::builder()
            .user_agent(&settings.user_agent)
            .timeout(settings.timeout)
            .read_timeout(settings.timeout)
            .connect_timeout(settings.connect_timeout)
            .redirect(Policy::none())
            .tls_danger_accept_invalid_certs(!settings.verify_tls)
            .referer(false)
            .no_proxy()
            .dns_resolver(GuardedResolver { policy: settings.addresses.clone() })
            .build()
            .map_err(|source| SetupError::Client { provider: settings.provider.clone(), source })?;
        let limits = Arc::new(KeyedLimits::default());
        let breakers = Arc::new(Breakers::new(settings.breaker.clone()));
        Ok(Self { inner: Arc::new(Inner { settings, client, limits, breakers, recorder }) })
    }

    /// The same stack (connections, limits, breakers) with somebody else who listens to the calls made through it.
    #[must_use]
    pub fn heard_by(&self, recorder: Arc<dyn CallRecorder>) -> Self {
        let Inner { settings, client, limits, breakers, .. } = &*self.inner;
        let inner = Inner {
            settings: settings.clone(),
            client: client.clone(),
            limits: limits.clone(),
            breakers: breakers.clone(),
            recorder,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The settings it was built with.
    pub fn settings(&self) -> &ProviderSettings {
        &self.inner.settings
    }

    /// The base URL with path segments added, each escaped: an id with `/` or `?` in it stays one segment.
    pub fn url<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        extend(&self.inner.settings.base_url, segments)
    }

    /// Starts a request; end it with [`Self::send`], [`Self::read`] or [`Self::download`].
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.inner.client.request(method, url)
    }

    /// Sends once. Never repeated here: see [`CallError::certain`].
    pub async fn send(&self, label: CallLabel<'_>, request: RequestBuilder) -> Result<Answer, CallError> {
        self.inner.answer(label, build(request)?, 1).await
    }

    /// Asks for something that changes nothing; repeated on transient failures as the retry policy
    /// says, honouring `Retry-After`. A request whose body is a stream is asked once.
    pub async fn read(&self, label: CallLabel<'_>, request: RequestBuilder) -> Result<Answer, CallError> {
        let request = build(request)?;
        if request.try_clone().is_none() {
            return self.inner.answer(label, request, 1).await;
        }
        let next =
            || request.try_clone().ok_or_else(|| NotSent::Invalid("it cannot be copied".into()).into());
        self.attempts(label, next, CallError::is_transient).await
    }

    /// Sends, and sends again where `again` says that it does no harm, as the retry policy says. What our own limit
    /// or breaker holds back is not repeated. `make` makes the request anew for each attempt.
    pub async fn repeat(
        &self,
        label: CallLabel<'_>,
        make: impl Fn() -> RequestBuilder,
        again: impl Fn(&CallError) -> bool,
    ) -> Result<Answer, CallError> {
        self.attempts(label, || build(make()), again).await
    }

    async fn attempts(
        &self,
        label: CallLabel<'_>,
        next: impl Fn() -> Result<Request, CallError>,
        again: impl Fn(&CallError) -> bool,
    ) -> Result<Answer, CallError> {
        let policy = &self.inner.settings.retry;
        let made = AtomicU32::new(0);
        let attempt = || async {
            let number = made.fetch_add(1, Ordering::Relaxed) + 1;
            self.inner.answer(label, next()?, number).await
        };
        backon::Retryable::retry(attempt, policy.waits(rand::rng()))
            .when(|error: &CallError| !error.is_held() && again(error))
            .adjust(|error, ours| policy.wait_for(ours, error.retry_after()))
            .await
    }

    /// What the breaker of a key does with the next call, for monitoring.
    pub fn breaker_state(&self, key: &str) -> BreakerState {
        self.inner.breakers.state(key)
    }

    /// How many calls in a row have failed for a key, as its breaker counts them.
    pub fn breaker_failures(&self, key: &str) -> u32 {
        self.inner.breakers.failures(key)
    }

    /// How many calls of this key and class would leave now without waiting; `None` = no limit.
    pub fn remaining_calls(&self, label: &CallLabel<'_>) -> Option<usize> {
        self.inner.limits.remaining(label, label.limits.unwrap_or(&self.inner.settings.limits))
    }

    /// Drops what is remembered about keys at rest. Call it now and then (every few minutes) so that
    /// accounts that are gone leave nothing behind.
    pub fn forget_resting(&self) {
        self.inner.limits.forget_resting();
        self.inner.breakers.forget_resting();
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

impl Inner {
    /// One attempt, in a span of its own: neither address nor body is in it.
    pub(crate) async fn attempt(
        &self,
        label: CallLabel<'_>,
        request: Request,
        sink: &mut (impl AsyncWrite + Unpin + ?Sized),
        max_bytes: u64,
        attempt: u32,
    ) -> Result<Received, CallError> {
        let (provider, operation) = (&self.settings.provider, label.operation);
        let span = tracing::info_span!(
            "call",
            otel.kind = "client",
            provider,
            operation,
            outcome = Empty,
            status = Empty
        );
        self.attempt_in(&span, label, request, sink, max_bytes, attempt).instrument(span.clone()).await
    }

    /// One attempt, in the order that holds for every call of every provider.
    async fn attempt_in(
        &self,
        span: &Span,
        label: CallLabel<'_>,
        request: Request,
        sink: &mut (impl AsyncWrite + Unpin + ?Sized),
        max_bytes: u64,
        attempt: u32,
    ) -> Result<Received, CallError> {
        let limits = label.limits.unwrap_or(&self.settings.limits);
        let mut waited = Duration::ZERO;
        let result = async {
            // May this URL be called at all? (The resolved address is checked while connecting.)
            self.settings
                .addresses
                .check_url(request.url(), label.base_url.unwrap_or(&self.settings.base_url))
                .map_err(NotSent::Refused)?;
            // 1. limit: wait for our turn
            let granted = self
                .limits
                .wait(&label, limits)
                .await
                .map_err(|retry_after| NotSent::Limit { retry_after })?;
            waited = granted.waited;
            // 2. breaker: leave a failing account alone
            let permit =
                self.breakers.enter(label.key).map_err(|retry_after| NotSent::BreakerOpen { retry_after })?;
            // 3. call
            let started = Instant::now();
            let result = self.call(request, sink, max_bytes).await;
            let result = if started.elapsed() > self.settings.timeout + TIMER_SLACK {
                result.map_err(CallError::after_standstill)
            } else {
                result
            };
            self.limits.ended(&label, &granted);
            permit.finish(match &result {
                Err(CallError::StoodStill { .. }) => None,
                result => outcome(result).breaker_verdict(),
            });
            Ok((started, result))
        };
        let (started, result) = match result.await {
            Ok((started, result)) => (started, result),
            Err(held) => (Instant::now(), Err(held)),
        };
        if let Err(error) = &result
            && limits.hold_after_429
            && error.status() == Some(StatusCode::TOO_MANY_REQUESTS)
        {
            let minute = match error {
                CallError::Status(answer) if limits.minutes_of_the_clock => {
                    Some(until_next_minute(&answer.headers))
                }
                _ => None,
            };
            self.limits.hold(&label, error.retry_after().or(minute));
        }
        // 4. record
        let record = CallRecord {
            provider: &self.settings.provider,
            key: label.key,
            operation: label.operation,
            class: label.class,
            attempt,
            waited,
            limited: !waited.is_zero() || matches!(&result, Err(CallError::NotSent(NotSent::Limit { .. }))),
            outcome: outcome(&result),
            status: match &result {
                Ok(received) => Some(received.status.as_u16()),
                Err(error) => error.status().map(|status| status.as_u16()),
            },
            duration: started.elapsed(),
        };
        self.recorder.record(&record);
        span.record("outcome", record.outcome.as_str());
        span.record("status", record.status);
        tracing::debug!(
            provider = record.provider,
            operation = record.operation,
            outcome = record.outcome.as_str(),
            status = record.status,
            attempt,
            waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            duration_ms = u64::try_from(record.duration.as_millis()).unwrap_or(u64::MAX),
            "Provider call ended"
        );
        result
    }

    async fn call(
        &self,
        request: Request,
        sink: &mut (impl AsyncWrite + Unpin + ?Sized),
        max_bytes: u64,
    ) -> Result<Received, CallError> {
        let mut response = self.client.execute(request).await?;
        let status = response.status();
        if status.is_redirection() {
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let location = location.and_then(|target| response.url().join(target).ok());
            return Err(CallError::Redirect { status, location: location.map(RedirectTarget).map(Box::new) });
        }
        if !status.is_success() {
            return Err(CallError::Status(Box::new(self.status_answer(response).await)));
        }
        let headers = std::mem::take(response.headers_mut());
        let size_bytes = copy_body(response, sink, max_bytes).await?;
        Ok(Received { status, headers, size_bytes })
    }

    /// Reads an error's body as far as the cap. It only explains the status, so a body that breaks off
    /// is taken as far as it came.
    async fn status_answer(&self, mut response: Response) -> StatusAnswer {
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let room = usize::try_from(self.settings.max_response_bytes).unwrap_or(usize::MAX);
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            let left = room - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(left)]);
            if chunk.len() >= left {
                break;
            }
        }
        StatusAnswer { status, headers, body: body.into() }
    }

    async fn answer(
        &self,
        label: CallLabel<'_>,
        request: Request,
        attempt: u32,
    ) -> Result<Answer, CallError> {
        let (mut body, log) = (Vec::new(), self.settings.log);
        let max_bytes = self.settings.max_response_bytes;
        let sent = log.sent(&request);
        let began = Instant::now();
        let received = self.attempt(label, request, &mut body, max_bytes, attempt).await;
        let duration = began.elapsed();
        let answered = received.map(|received| Answer {
            status: received.status,
            headers: received.headers,
            body: body.into(),
        });
        log.write(&self.settings.provider, &label, sent.as_deref(), duration, &answered);
        answered
    }
}

/// Copies a body, stopping as soon as it is larger than allowed. Returns its size in bytes.
async fn copy_body(
    mut response: Response,
    sink: &mut (impl AsyncWrite + Unpin + ?Sized),
    max_bytes: u64,
) -> Result<u64, CallError> {
    let too_large = CallError::TooLarge { max_bytes };
    if response.content_length().is_some_and(|announced| announced > max_bytes) {
        return Err(too_large);
    }
    let mut size_bytes = 0u64;
    while let Some(chunk) = response.chunk().await? {
        size_bytes += chunk.len() as u64;
        if size_bytes > max_bytes {
            return Err(too_large);
        }
        sink.write_all(&chunk).await.map_err(CallError::Write)?;
    }
    sink.flush().await.map_err(CallError::Write)?;
    Ok(size_bytes)
}

fn outcome(result: &Result<Received, CallError>) -> Outcome {
    match result {
        Ok(_) => Outcome::Ok,
        Err(error) => error.outcome(),
    }
}

pub(crate) fn build(request: RequestBuilder) -> Result<Request, CallError> {
    request.build().map_err(|error| NotSent::Invalid(error.without_url().into()).into())
}

/// `url` with path segments added, each escaped.
fn extend<'a>(url: &Url, segments: impl IntoIterator<Item = &'a str>) -> Url {
    let mut url = url.clone();
    // A URL that cannot have segments (`mailto:`) has no host either and is refused at set-up.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

impl Answer {
    /// Reads the body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| CallError::Unreadable(error.into()))
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ProviderHttp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderHttp")
            .field("provider", &self.inner.settings.provider)
            .field("host", &self.inner.settings.base_url.host_str())
            .finish_non_exhaustive()
    }
}
