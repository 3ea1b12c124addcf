//! The client of one instance.

use std::sync::Arc;

use frontdesk_provider_http::{Answer, BreakerState, CallError, CallLabel, ProviderHttp, ProviderSettings};
use reqwest::{RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use url::Url;

use crate::{
    decision,
    error::{GreenCallError, Refusal},
    instance::Instance,
    method::{Class, Method, Repeat},
};

/// Where every instance is reached; its own host from the console is faster.
pub const GREEN_API_BASE_URL: &str = "https://api.green-api.com";

/// The HTTP stack for a base URL: the defaults of [`ProviderSettings`] (30 s, 3 retries from 1 s to 60 s each ±50 %),
/// named `green_api`.
pub fn provider_settings(base_url: Url) -> ProviderSettings {
    ProviderSettings::new("green_api", base_url)
}

/// Calls Green API for one instance. Cheap to clone; the HTTP stack is shared.
///
/// Every call waits for its turn under the instance's limits, fails at once while the instance's breaker is open, and is
/// repeated as the retry policy says where that does no harm: see [`Repeat`].
#[derive(Debug, Clone)]
pub struct GreenClient {
    http: ProviderHttp,
    instance: Arc<Instance>,
}

/// An error in the clothes of a success: `{"code":401,"description":"Unauthorized"}` with status 200.
#[derive(Deserialize)]
struct Disguised {
    code: u16,
    #[serde(default)]
    description: String,
}

/// A JSON body that is known to be none.
pub(crate) const NO_BODY: Option<&()> = None;

impl GreenClient {
    /// A client for an instance over a stack whose base URL is Green API's.
    pub fn new(http: ProviderHttp, instance: Instance) -> Self {
        Self { http, instance: Arc::new(instance) }
    }

    /// The instance.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// What the breaker of this instance does with the next call.
    pub fn breaker_state(&self) -> BreakerState {
        self.http.breaker_state(self.instance.key())
    }

    pub(crate) fn http(&self) -> &ProviderHttp {
        &self.http
    }

    pub(crate) fn label<'a>(&'a self, method: &Method) -> CallLabel<'a> {
        CallLabel::new(self.instance.key(), method.name)
            .class(method.class.as_str())
            .limits(self.instance.limits.of(method.class))
            .at(Some(self.host(method)))
    }

    /// The label of a file's download. Its address may have any port on the instance's own hosts, none elsewhere.
    pub(crate) fn file_label<'a>(&'a self, file: &Url) -> CallLabel<'a> {
        let own = [self.instance.media_url.as_ref(), self.instance.api_url.as_ref()];
        let own = own.into_iter().flatten().find(|host| host.origin() == file.origin());
        CallLabel::new(self.instance.key(), "download").class(Class::Files.as_str()).at(own)
    }

    fn host<'a>(&'a self, method: &Method) -> &'a Url {
        let api_url = self.instance.api_url.as_ref();
        let own = if method.on_media_host { self.instance.media_url.as_ref().or(api_url) } else { api_url };
        own.unwrap_or(&self.http.settings().base_url)
    }

    /// `{host}/waInstance{id}/{method}/{token}` and whatever follows. Holds the token: never shown to anybody.
    pub(crate) fn url(&self, method: &Method, tail: Option<&str>) -> Url {
        let mut url = self.host(method).clone();
        // A URL that cannot have segments has no host either, and is refused before it is called.
        if let Ok(mut path) = url.path_segments_mut() {
            let instance = format!("waInstance{}", self.instance.id);
            let known = [instance.as_str(), method.name, self.instance.token.expose_secret()];
            path.pop_if_empty().extend(known).extend(tail);
        }
        url
    }

    /// Calls a method with whatever `finish` adds to the request, again for every attempt.
    pub(crate) async fn call_with(
        &self,
        method: &Method,
        tail: Option<&str>,
        finish: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, GreenCallError> {
        let url = self.url(method, tail);
        let make = || finish(self.http.request(method.verb.clone(), url.clone()));
        let again = |error: &CallError| match method.repeat {
            Repeat::Harmless => decision::read_again(error),
            Repeat::IfCertain => decision::send_again(error),
        };
        let answer = self.http.repeat(self.label(method), make, again).await?;
        undisguised(answer)
    }

    /// Posts JSON, or asks without a body, and reads the answer.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: &Method,
        body: Option<&impl Serialize>,
    ) -> Result<T, GreenCallError> {
        read(&self.call_with(method, None, |request| with_json(request, body)).await?)
    }

    /// Posts JSON to a method that answers with an empty body.
    pub(crate) async fn tell(&self, method: &Method, body: &impl Serialize) -> Result<(), GreenCallError> {
        self.call_with(method, None, |request| with_json(request, Some(body))).await.map(drop)
    }

    /// Asks with parameters in the query.
    pub(crate) async fn query<T: DeserializeOwned>(
        &self,
        method: &Method,
        query: &[(&str, String)],
    ) -> Result<T, GreenCallError> {
        read(&self.call_with(method, None, |request| request.query(query)).await?)
    }
}

fn with_json(request: RequestBuilder, body: Option<&impl Serialize>) -> RequestBuilder {
    match body {
        Some(body) => request.json(body),
        None => request,
    }
}

/// Only 200 is a success, and not even every one of them.
fn undisguised(answer: Answer) -> Result<Answer, GreenCallError> {
    if answer.status != StatusCode::OK {
        return Err(unreadable("a success of an unexpected kind").into());
    }
    if answer.body.starts_with(b"{")
        && let Ok(Disguised { code, description }) = serde_json::from_slice(&answer.body)
        && code >= 400
    {
        return Err(GreenCallError::Refused(Box::new(Refusal::new(code, description))));
    }
    Ok(answer)
}

pub(crate) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, GreenCallError> {
    Ok(answer.json()?)
}

pub(crate) fn unreadable(what: &'static str) -> CallError {
    CallError::Unreadable(what.into())
}
