//! The client of one session.

use std::sync::Arc;

use bytes::Bytes;
use frontdesk_provider_http::{
    Answer, CallError, CallLabel, Download, DownloadLimits, ProviderHttp, ProviderSettings, RateLimits,
};
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::io::AsyncWrite;
use tokio::sync::Mutex;
use url::Url;

use crate::access::Access;
use crate::answer;
use crate::error::{GatewayCallError, Refusal, RefusalKind};

/// Where the API begins on a server whose address names no path.
const API_PATH: &str = "api/v1";
/// Answers hold pictures of codes and pages of messages.
const ANSWER_MAX_BYTES: u64 = 8 * 1024 * 1024;

/// The HTTP stack for servers of this kind, named `whatsapp_gateway`. Each client has an address of its own; `base_url` is any that
/// may be called.
pub fn provider_settings(base_url: Url) -> ProviderSettings {
    ProviderSettings {
        max_response_bytes: ANSWER_MAX_BYTES,
        ..ProviderSettings::new("whatsapp_gateway", base_url)
    }
}

/// Calls one server for one session. Cheap to clone; clones share the token and the HTTP stack.
#[derive(Clone)]
pub struct GatewayClient {
    http: ProviderHttp,
    inner: Arc<Inner>,
}

struct Inner {
    base_url: Url,
    session: String,
    key: String,
    access: Access,
    limits: RateLimits,
    /// Of the last login.
    token: Mutex<Option<SecretString>>,
}

impl std::fmt::Debug for GatewayClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayClient")
            .field("host", &self.inner.base_url.host_str())
            .field("session", &self.inner.session)
            .finish_non_exhaustive()
    }
}

/// What a call is.
#[derive(Clone, Copy)]
pub(crate) enum Ask<'a> {
    /// It changes nothing, and is repeated on transient failures.
    Read,
    /// It changes something and is made once.
    Tell,
    /// It sends, once, under this reference of ours.
    Send(&'a str),
}

impl GatewayClient {
    /// A client for a session. `base_url` is where the API begins, as `https://gateway.example/api/v1`; `key` names the session
    /// among all of the stack, for limits, breaker and figures.
    pub fn new(
        http: ProviderHttp,
        base_url: Url,
        session: impl Into<String>,
        key: impl Into<String>,
        access: Access,
    ) -> Self {
        let mut base_url = base_url;
        if base_url.path().trim_matches('/').is_empty() {
            base_url.set_path(API_PATH);
        }
        let limits = http.settings().limits.clone();
        let (session, key) = (session.into(), key.into());
        let inner = Inner { base_url, session, key, access, limits, token: Mutex::new(None) };
        Self { http, inner: Arc::new(inner) }
    }

    /// The same session over another stack: another recorder, another way to repeat. The token is shared.
    #[must_use]
    pub fn over(&self, http: ProviderHttp) -> Self {
        Self { http, inner: self.inner.clone() }
    }

    /// The session's name.
    pub fn session(&self) -> &str {
        &self.inner.session
    }

    /// How it is known to the server.
    pub fn access(&self) -> &Access {
        &self.inner.access
    }

    fn label(&self, operation: &'static str, class: &'static str) -> CallLabel<'_> {
        CallLabel::new(&self.inner.key, operation)
            .class(class)
            .limits(&self.inner.limits)
            .at(Some(&self.inner.base_url))
    }

    /// The address of something below the API, each part escaped.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.inner.base_url.clone();
        // A URL that cannot have segments has no host either, and is refused before it is called.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// The address of something below the session.
    pub(crate) fn of_session<'a>(&'a self, tail: &[&'a str]) -> Vec<&'a str> {
        ["sessions", &self.inner.session].into_iter().chain(tail.iter().copied()).collect()
    }

    /// The token to call with: the one given, or that of a login. `stale` is one the server no longer takes.
    async fn token(&self, stale: Option<&str>) -> Result<SecretString, GatewayCallError> {
        let (email, password) = match &self.inner.access {
            Access::Token(token) => return Ok(token.clone()),
            Access::Login { email, password } => (email, password),
        };
        // Held over the login, so that many calls at once sign in once.
        let mut current = self.inner.token.lock().await;
        if let Some(token) = current.as_ref().filter(|token| Some(token.expose_secret()) != stale) {
            return Ok(token.clone());
        }
        let token = self.login(email, password).await?;
        *current = Some(token.clone());
        Ok(token)
    }

    /// Signs in; the token that the server gives.
    ///
    /// Errors: [`RefusalKind::SignedOut`] when e-mail or password are wrong.
    pub async fn login(
        &self,
        email: &str,
        password: &SecretString,
    ) -> Result<SecretString, GatewayCallError> {
        let body = json!({ "email": email, "password": password.expose_secret() });
        let request = self.http.request(Method::POST, self.url(&["auth", "login"])).json(&body);
        let answer = match self.http.send(self.label("login", "ask"), request).await {
            Ok(answer) => read(&answer)?,
            Err(error) => return Err(wrong_credentials(error.into())),
        };
        answer::token(&answer)
            .map(SecretString::from)
            .ok_or_else(|| unreadable("a login without a token").into())
    }

    /// Calls with whatever `finish` adds to the request, and once more with another token where one can be had.
    pub(crate) async fn answer(
        &self,
        operation: &'static str,
        method: &Method,
        segments: &[&str],
        ask: Ask<'_>,
        finish: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, GatewayCallError> {
        let mut stale: Option<SecretString> = None;
        loop {
            let token = self.token(stale.as_ref().map(|token| token.expose_secret())).await?;
            let request = self
                .http
                .request(method.clone(), self.url(segments))
                .bearer_auth(token.expose_secret())
                .header("Accept", "application/json");
            let request = finish(request);
            let answered = match ask {
                Ask::Read => self.http.read(self.label(operation, "ask"), request).await,
                Ask::Tell => self.http.send(self.label(operation, "ask"), request).await,
                Ask::Send(reference) => {
                    let request = request.header("Idempotency-Key", reference);
                    self.http.send(self.label(operation, "send"), request).await
                }
            };
            match answered.map_err(GatewayCallError::from) {
                Err(error)
                    if error.is(RefusalKind::SignedOut)
                        && self.inner.access.can_renew()
                        && stale.is_none() =>
                {
                    stale = Some(token);
                }
                answered => return answered,
            }
        }
    }

    /// Calls and reads what is in the envelope.
    pub(crate) async fn call(
        &self,
        operation: &'static str,
        method: &Method,
        segments: &[&str],
        ask: Ask<'_>,
        finish: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Value, GatewayCallError> {
        read(&self.answer(operation, method, segments, ask, finish).await?)
    }

    /// Asks for what is below the session.
    pub(crate) async fn get(
        &self,
        operation: &'static str,
        tail: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Value, GatewayCallError> {
        let segments = self.of_session(tail);
        self.call(operation, &Method::GET, &segments, Ask::Read, |request| request.query(query)).await
    }

    /// Downloads a file of a message. The token goes along only to the server itself.
    pub async fn download(
        &self,
        url: &str,
        limits: DownloadLimits,
        writer: &mut (impl AsyncWrite + Unpin + Send + ?Sized),
    ) -> Result<Download, GatewayCallError> {
        let url = self.inner.base_url.join(url).map_err(|error| {
            GatewayCallError::Http(frontdesk_provider_http::NotSent::Invalid(error.into()).into())
        })?;
        let is_own = url.origin() == self.inner.base_url.origin();
        // An address that is signed needs no token, and one more way in does no harm.
        let request = self.http.request(Method::GET, url);
        let request = match is_own {
            true => request.bearer_auth(self.token(None).await?.expose_secret()),
            false => request,
        };
        Ok(self.http.download(self.label("download", "files"), request, limits, writer).await?)
    }
}

/// A file to send.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The name the customer sees.
    pub file_name: String,
    /// Its type.
    pub mime_type: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// A refused login means that somebody has to look, whatever status says so.
fn wrong_credentials(error: GatewayCallError) -> GatewayCallError {
    match error {
        GatewayCallError::Refused(mut refusal)
            if matches!(
                refusal.kind,
                RefusalKind::Invalid | RefusalKind::Forbidden | RefusalKind::NotFound
            ) =>
        {
            refusal.kind = RefusalKind::SignedOut;
            GatewayCallError::Refused(refusal)
        }
        other => other,
    }
}

fn read(answer: &Answer) -> Result<Value, GatewayCallError> {
    if answer.body.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    let body: Value = answer.json()?;
    match Refusal::in_disguise(&body) {
        Some(refusal) => Err(GatewayCallError::Refused(Box::new(refusal))),
        None => Ok(answer::unwrapped(body)),
    }
}

pub(crate) fn unreadable(what: &'static str) -> CallError {
    CallError::Unreadable(what.into())
}
