//! The typed client: one [`GraphClient`] per connected account.

use frontdesk_provider_http::{Answer, CallError, CallLabel, ProviderHttp, ProviderSettings};
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use url::Url;

use crate::{
    error::{GraphCallError, Usage},
    signature::appsecret_proof,
    webhook::tolerant,
};

/// Where the Graph API is: WhatsApp, Messenger, Instagram by Facebook Login.
pub const GRAPH_BASE_URL: &str = "https://graph.facebook.com";
/// Where it is for accounts connected by Instagram Login.
pub const INSTAGRAM_BASE_URL: &str = "https://graph.instagram.com";
/// The version of the API these types were written for.
pub const GRAPH_VERSION: &str = "v26.0";

/// The HTTP stack for a Graph base URL: the defaults of [`ProviderSettings`], named `meta`.
pub fn provider_settings(base_url: Url) -> ProviderSettings {
    ProviderSettings::new("meta", base_url)
}

/// One connected account: a WhatsApp number, a Page or an Instagram account.
#[derive(Debug, Clone)]
pub struct GraphAccount {
    /// Limits, breaker and statistics are kept per key.
    pub key: String,
    /// As `v26.0`; `None` = no version in the path, Meta then takes the app's default.
    pub version: Option<String>,
    /// The access token. Sent in the `Authorization` header, never in the URL.
    pub access_token: SecretString,
    /// If set, every call carries `appsecret_proof`; Meta can demand it.
    pub app_secret: Option<SecretString>,
    /// Hosts beside Meta's own that files may be fetched from, with the token: test doubles.
    pub media_hosts: Vec<String>,
}

impl GraphAccount {
    /// An account with the current version and nothing special.
    pub fn new(key: impl Into<String>, access_token: SecretString) -> Self {
        Self {
            key: key.into(),
            version: Some(GRAPH_VERSION.to_owned()),
            access_token,
            app_secret: None,
            media_hosts: Vec::new(),
        }
    }
}

/// Calls the Graph API for one account. Cheap to clone; the HTTP stack is shared.
#[derive(Debug, Clone)]
pub struct GraphClient {
    http: ProviderHttp,
    account: GraphAccount,
}

/// `{"success": true}`
#[derive(Deserialize)]
struct Success {
    #[serde(default, deserialize_with = "tolerant::optional")]
    success: Option<bool>,
}

/// `{"id": "..."}`
#[derive(Deserialize)]
pub(crate) struct Id {
    #[serde(deserialize_with = "tolerant::id")]
    pub(crate) id: String,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Its items.
    pub items: Vec<T>,
    /// Asks for the next page; `None` = this is the last one.
    pub next: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub(crate) struct List<T> {
    data: Vec<T>,
    #[serde(default)]
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    #[serde(default)]
    cursors: Option<Cursors>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Cursors {
    #[serde(default)]
    after: Option<String>,
}

impl<T> From<List<T>> for Page<T> {
    fn from(list: List<T>) -> Self {
        // `next` is a URL with the token in it: only its presence is used.
        let next = list.paging.filter(|paging| paging.next.is_some());
        Self { items: list.data, next: next.and_then(|paging| paging.cursors?.after) }
    }
}

impl GraphClient {
    /// A client for an account over a stack whose base URL is the Graph API's.
    pub fn new(http: ProviderHttp, account: GraphAccount) -> Self {
        Self { http, account }
    }

    pub(crate) fn http(&self) -> &ProviderHttp {
        &self.http
    }

    pub(crate) fn account(&self) -> &GraphAccount {
        &self.account
    }

    pub(crate) fn label(&self, operation: &'static str) -> CallLabel<'_> {
        CallLabel::new(&self.account.key, operation)
    }

    /// Starts a call to a path below the version, with the token and the proof.
    pub(crate) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let version = self.account.version.as_deref();
        let url = self.http.url(version.into_iter().chain(path.iter().copied()));
        let request = self.authorized(self.http.request(method, url));
        match &self.account.app_secret {
            Some(app_secret) => {
                let proof = appsecret_proof(&self.account.access_token, app_secret);
                request.query(&[("appsecret_proof", proof.expose_secret())])
            }
            None => request,
        }
    }

    pub(crate) fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.account.access_token.expose_secret())
    }

    /// Posts JSON, once.
    pub(crate) async fn post(
        &self,
        operation: &'static str,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<Answer, GraphCallError> {
        let request = self.request(Method::POST, path).json(body);
        Ok(self.http.send(self.label(operation), request).await?)
    }

    /// Posts JSON that only needs to succeed.
    pub(crate) async fn post_for_success(
        &self,
        operation: &'static str,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<(), GraphCallError> {
        succeeded(&self.post(operation, path, body).await?)
    }

    /// Reads an object; repeated when it fails for the moment.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, GraphCallError> {
        let request = self.request(Method::GET, path).query(query);
        read(&self.http.read(self.label(operation), request).await?)
    }

    /// Deletes an object.
    pub(crate) async fn delete(&self, operation: &'static str, path: &[&str]) -> Result<(), GraphCallError> {
        let request = self.request(Method::DELETE, path);
        succeeded(&self.http.send(self.label(operation), request).await?)
    }
}

/// Reads an answer. The types of this crate borrow while they read, which a byte slice allows.
pub(crate) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, GraphCallError> {
    Ok(answer.json()?)
}

fn succeeded(answer: &Answer) -> Result<(), GraphCallError> {
    match read::<Success>(answer)?.success {
        Some(true) => Ok(()),
        _ => Err(CallError::Unreadable("the answer does not say success".into()).into()),
    }
}

/// What Meta says about its limits beside an answer.
pub(crate) fn usage(answer: &Answer) -> Usage {
    Usage::read(&answer.headers)
}
