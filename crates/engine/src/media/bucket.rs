//! Files in a bucket of an S3-compatible store (AWS, MinIO, Ceph, R2, Garage …), by signed addresses.

use std::path::Path;
use std::time::Duration;

use reqwest::header::CONTENT_LENGTH;
use reqwest::{Client, Method, Response, StatusCode};
use rusty_s3::{Credentials, S3Action, UrlStyle};
use secrecy::ExposeSecret as _;
use sha2::{Digest, Sha256};
use tokio::fs;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use url::Url;

use crate::settings::BucketSettings;

/// How long a signed address is good: the call begins at once.
const GOOD_FOR: Duration = Duration::from_secs(300);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Nothing is heard of the store for this long: it has failed.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Waits before a call is made again.
const WAITS: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// A bucket that files are kept in.
pub(super) struct Bucket {
    bucket: rusty_s3::Bucket,
    credentials: Credentials,
    prefix: String,
    http: Client,
}

/// The bucket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// A setting is missing or wrong.
    #[error("{0}")]
    Setting(&'static str),
    /// The HTTP client could not be made.
    #[error("the HTTP client for the bucket could not be built")]
    Client(#[source] reqwest::Error),
    /// Nothing was heard from it.
    #[error("it cannot be reached")]
    NoAnswer(#[source] reqwest::Error),
    /// It answered something else than what was asked for.
    #[error("it answered {status}{}", hint(*.status))]
    Answer {
        /// With what.
        status: StatusCode,
    },
    /// The file on this node's disk failed.
    #[error("the file cannot be used")]
    File(#[from] std::io::Error),
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => {
            ": check the keys and what they may do (s3:GetObject, s3:PutObject, s3:DeleteObject)"
        }
        StatusCode::NOT_FOUND => ": check media.s3.endpoint and media.s3.bucket",
        StatusCode::MOVED_PERMANENTLY | StatusCode::TEMPORARY_REDIRECT | StatusCode::BAD_REQUEST => {
            ": check media.s3.region and media.s3.endpoint"
        }
        _ => "",
    }
}

impl Bucket {
    /// The bucket of the settings; `None` when they name none.
    pub(super) fn open(settings: &BucketSettings) -> Result<Option<Self>, BucketError> {
        if settings.bucket.is_empty() {
            return Ok(None);
        }
        if settings.access_key.is_empty() || settings.secret_key.expose_secret().is_empty() {
            return Err(BucketError::Setting(
                "media.s3.access_key (AWS_ACCESS_KEY_ID) and media.s3.secret_key (AWS_SECRET_ACCESS_KEY) must be set",
            ));
        }
        let wrong = BucketError::Setting(
            "media.s3.endpoint (AWS_ENDPOINT_URL_S3) and media.s3.bucket do not make an address, as https://s3.eu-west-1.amazonaws.com does",
        );
        let Ok(endpoint) = Url::parse(&settings.endpoint) else { return Err(wrong) };
        let style = if settings.path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let bucket = rusty_s3::Bucket::new(endpoint, style, settings.bucket.clone(), settings.region.clone())
            .map_err(|_| wrong)?;
        let http = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(BucketError::Client)?;
        let credentials = Credentials::new(settings.access_key.clone(), settings.secret_key.expose_secret());
        let prefix = settings.prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Some(Self { bucket, credentials, prefix, http }))
    }

    /// Its address, without anything secret.
    pub(super) fn address(&self) -> String {
        format!("{}{}", self.bucket.base_url(), self.prefix)
    }

    /// Stores a file under `name`.
    pub(super) async fn put(&self, name: &str, path: &Path) -> Result<(), BucketError> {
        let url = self.bucket.put_object(Some(&self.credentials), &self.full(name)).sign(GOOD_FOR);
        let size = fs::metadata(path).await?.len();
        let answer = self.call(Method::PUT, url, Some((path, size))).await?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(BucketError::Answer { status: answer.status() })
        }
    }

    /// Writes the file `name` out and returns its SHA-256 in hex; `None` when there is no such file.
    pub(super) async fn get(
        &self,
        name: &str,
        out: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Option<String>, BucketError> {
        let url = self.bucket.get_object(Some(&self.credentials), &self.full(name)).sign(GOOD_FOR);
        let mut answer = self.call(Method::GET, url, None).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !answer.status().is_success() {
            return Err(BucketError::Answer { status: answer.status() });
        }
        let mut hash = Sha256::new();
        while let Some(bytes) = answer.chunk().await.map_err(no_answer)? {
            out.write_all(&bytes).await?;
            hash.update(&bytes);
        }
        Ok(Some(hex::encode(hash.finalize())))
    }

    /// Removes the file `name`, whether there is one or not.
    pub(super) async fn delete(&self, name: &str) -> Result<(), BucketError> {
        let url = self.bucket.delete_object(Some(&self.credentials), &self.full(name)).sign(GOOD_FOR);
        match self.call(Method::DELETE, url, None).await?.status() {
            StatusCode::NOT_FOUND => Ok(()),
            status if status.is_success() => Ok(()),
            status => Err(BucketError::Answer { status }),
        }
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Calls the store, again where it was out for a moment: each of these calls may be made twice without harm.
    async fn call(
        &self,
        method: Method,
        url: Url,
        body: Option<(&Path, u64)>,
    ) -> Result<Response, BucketError> {
        let mut waits = WAITS.into_iter();
        loop {
            let mut request = self.http.request(method.clone(), url.clone());
            if let Some((path, size)) = body {
                // A store wants to know the length beforehand.
                request = request.header(CONTENT_LENGTH, size).body(fs::File::open(path).await?);
            }
            let answer = request.send().await;
            let is_passing = match &answer {
                Ok(answer) => {
                    answer.status().is_server_error() || answer.status() == StatusCode::TOO_MANY_REQUESTS
                }
                Err(_) => true,
            };
            match waits.next().filter(|_| is_passing) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return answer.map_err(no_answer),
            }
        }
    }
}

/// The address holds a signature: not for anybody's eyes.
fn no_answer(error: reqwest::Error) -> BucketError {
    BucketError::NoAnswer(error.without_url())
}
