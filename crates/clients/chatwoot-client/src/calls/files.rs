//! Files of messages.

use bytes::Bytes;
use frontdesk_provider_http::{CallError, CallLabel, Download, DownloadLimits, NotSent};
use reqwest::Method;
use tokio::io::AsyncWrite;
use url::Url;

use crate::{ChatwootClient, ChatwootError, client::Class};

/// A file for a message.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its name.
    pub name: String,
    /// Its type, as `image/png`.
    pub mime_type: String,
    /// Its content.
    pub bytes: Bytes,
}

impl ChatwootClient {
    /// Streams a file into `writer`: the `data_url` of an attachment. Redirects to the storage are followed as far as
    /// the settings allow, each address checked; the token goes nowhere.
    ///
    /// Errors: on any, the writer holds a part of the file. More than `limits` says is `BAD_GATEWAY`.
    pub async fn download(
        &self,
        data_url: &str,
        limits: DownloadLimits,
        writer: &mut (impl AsyncWrite + Unpin + Send + ?Sized),
    ) -> Result<Download, ChatwootError> {
        const OPERATION: &str = "download";
        // Chatwoot behind a proxy may give a path only.
        let url = self.settings().base_url.join(data_url).map_err(|error| NotSent::Invalid(error.into()));
        let mut url: Url = url.map_err(|error| self.failed_call(error.into(), OPERATION))?;
        let mut redirects = 0;
        loop {
            let label: CallLabel<'_> = self.label(OPERATION, Class::Api);
            let request = self.http().request(Method::GET, url.clone());
            match self.http().download(label, request, limits, writer).await {
                Err(CallError::Redirect { location: Some(target), .. })
                    if redirects < self.settings().max_redirects =>
                {
                    url = target.0;
                    redirects += 1;
                }
                result => return result.map_err(|error| self.failed_call(error, OPERATION)),
            }
        }
    }
}
