//! Files up and down.
//!
//! A WhatsApp file is fetched in two steps: the id gives an address that is valid for five minutes, the
//! address gives the bytes; both want the token. The token goes to Meta's hosts alone. Messenger and
//! Instagram give signed addresses that want no token and expire within days (stories: 24 h).

use base64::{Engine, engine::general_purpose::STANDARD};
use frontdesk_provider_http::{CallError, Download, DownloadLimits};
use reqwest::{
    Body, Method, StatusCode,
    multipart::{Form, Part},
};
use serde::Deserialize;
use tokio::io::AsyncWrite;
use url::Url;

use crate::{
    GraphClient,
    client::{Id, read},
    error::GraphCallError,
    messaging::AttachmentKind,
    webhook::tolerant,
};

/// Hosts that get the token.
const WHATSAPP_HOSTS: [&str; 3] = ["lookaside.fbsbx.com", "*.fbcdn.net", "*.whatsapp.net"];
/// Hosts that attachments are fetched from, without the token.
const MESSAGING_HOSTS: [&str; 3] = ["*.fbcdn.net", "*.fbsbx.com", "*.cdninstagram.com"];
/// Redirects followed between the latter, each checked like the first address.
const MAX_REDIRECTS: usize = 3;

/// What the id of a WhatsApp file gives.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct MediaInfo {
    /// Where the bytes are, for five minutes, with the token.
    pub url: String,
    /// Its type.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub mime_type: Option<String>,
    /// Its hash; see [`sha256_matches`].
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub sha256: Option<String>,
    /// Its size in bytes.
    #[serde(default, deserialize_with = "tolerant::optional_number")]
    pub file_size: Option<i64>,
}

/// Without the address, which is signed.
impl std::fmt::Debug for MediaInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaInfo")
            .field("mime_type", &self.mime_type)
            .field("file_size", &self.file_size)
            .finish_non_exhaustive()
    }
}

/// A file to upload.
#[derive(Debug)]
pub struct Upload {
    /// Its name.
    pub file_name: String,
    /// Its type, as `image/png`.
    pub mime_type: String,
    /// Its bytes, in memory or streamed.
    pub body: Body,
    /// How many bytes.
    pub size_bytes: u64,
}

#[derive(Deserialize)]
struct AttachmentId {
    #[serde(deserialize_with = "tolerant::id")]
    attachment_id: String,
}

impl GraphClient {
    /// Uploads a file for WhatsApp; the id lives 30 days.
    pub async fn upload_whatsapp_media(
        &self,
        phone_number_id: &str,
        upload: Upload,
    ) -> Result<String, GraphCallError> {
        let form = Form::new()
            .text("messaging_product", "whatsapp")
            .text("type", upload.mime_type.clone())
            .part("file", upload.part()?);
        let request = self.request(Method::POST, &[phone_number_id, "media"]).multipart(form);
        let answer = self.http().send(self.label("whatsapp_upload"), request).await?;
        Ok(read::<Id>(&answer)?.id)
    }

    /// Uploads a file for Messenger or Instagram; the id can be sent again and again.
    pub async fn upload_attachment(
        &self,
        sender_id: &str,
        kind: AttachmentKind,
        upload: Upload,
    ) -> Result<String, GraphCallError> {
        let message = serde_json::json!({"attachment": {"type": kind, "payload": {"is_reusable": true}}});
        let form = Form::new().text("message", message.to_string()).part("filedata", upload.part()?);
        let request = self.request(Method::POST, &[sender_id, "message_attachments"]).multipart(form);
        let answer = self.http().send(self.label("messaging_upload"), request).await?;
        Ok(read::<AttachmentId>(&answer)?.attachment_id)
    }

    /// The first step: where a WhatsApp file is.
    pub async fn media_info(&self, media_id: &str) -> Result<MediaInfo, GraphCallError> {
        self.get("whatsapp_media_info", &[media_id], &[]).await
    }

    /// Both steps. An address that expired between them (404) is asked for once more.
    /// On an error the writer may hold a part of the file.
    pub async fn download_whatsapp_media(
        &self,
        media_id: &str,
        limits: DownloadLimits,
        writer: &mut (impl AsyncWrite + Unpin + Send + ?Sized),
    ) -> Result<(MediaInfo, Download), GraphCallError> {
        let info = self.media_info(media_id).await?;
        match self.download_with_token(&info.url, limits, writer).await {
            Err(error) if is_gone(&error) => {
                let info = self.media_info(media_id).await?;
                let download = self.download_with_token(&info.url, limits, writer).await?;
                Ok((info, download))
            }
            result => Ok((info, result?)),
        }
    }

    async fn download_with_token(
        &self,
        url: &str,
        limits: DownloadLimits,
        writer: &mut (impl AsyncWrite + Unpin + Send + ?Sized),
    ) -> Result<Download, GraphCallError> {
        let url = self.own_url(url, &WHATSAPP_HOSTS)?;
        let request = self.authorized(self.http().request(Method::GET, url));
        Ok(self.http().download(self.label("whatsapp_download"), request, limits, writer).await?)
    }

    /// Fetches an attachment of Messenger or Instagram by its address, without the token.
    /// On an error the writer may hold a part of the file.
    pub async fn download_attachment(
        &self,
        url: &str,
        limits: DownloadLimits,
        writer: &mut (impl AsyncWrite + Unpin + Send + ?Sized),
    ) -> Result<Download, GraphCallError> {
        let mut url = self.own_url(url, &MESSAGING_HOSTS)?;
        let mut redirects = 0;
        loop {
            let request = self.http().request(Method::GET, url.clone());
            let label = self.label("messaging_download");
            match self.http().download(label, request, limits, writer).await {
                Err(CallError::Redirect { location: Some(target), .. }) if redirects < MAX_REDIRECTS => {
                    url = self.own_url(target.0.as_str(), &MESSAGING_HOSTS)?;
                    redirects += 1;
                }
                result => return Ok(result?),
            }
        }
    }

    /// Removes a WhatsApp file from Meta's servers.
    pub async fn delete_whatsapp_media(&self, media_id: &str) -> Result<(), GraphCallError> {
        self.delete("whatsapp_delete_media", &[media_id]).await
    }

    /// A URL on Meta's hosts, on the base URL's origin (which is Meta's, or a test double), or on a host
    /// the account names.
    fn own_url(&self, url: &str, hosts: &[&str]) -> Result<Url, GraphCallError> {
        let url = Url::parse(url).map_err(|_| GraphCallError::ForeignHost)?;
        let own = url.origin() == self.http().settings().base_url.origin()
            || url.scheme() == "https"
                && url.host_str().is_some_and(|host| {
                    hosts.iter().any(|pattern| host_matches(host, pattern))
                        || self.account().media_hosts.iter().any(|pattern| host_matches(host, pattern))
                });
        own.then_some(url).ok_or(GraphCallError::ForeignHost)
    }
}

fn is_gone(error: &GraphCallError) -> bool {
    match error {
        GraphCallError::Graph(error) => error.http_status == 404,
        GraphCallError::Http(error) => error.status() == Some(StatusCode::NOT_FOUND),
        GraphCallError::ForeignHost => false,
    }
}

/// `*.fbcdn.net` matches every host below `fbcdn.net`.
fn host_matches(host: &str, pattern: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => host == pattern,
    }
}

impl Upload {
    fn part(self) -> Result<Part, GraphCallError> {
        Part::stream_with_length(self.body, self.size_bytes)
            .file_name(self.file_name)
            .mime_str(&self.mime_type)
            .map_err(|error| GraphCallError::from(CallError::from(error)))
    }
}

/// Does a file's hash match what Meta claims? Webhooks write base64, the download's first step hex.
/// `None` = the claim cannot be read.
pub fn sha256_matches(claimed: &str, sha256: &[u8; 32]) -> Option<bool> {
    let claimed = claimed.trim();
    let decoded = match claimed.len() {
        64 => hex::decode(claimed).ok()?,
        _ => STANDARD.decode(claimed).ok()?,
    };
    (decoded.len() == 32).then(|| decoded == sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_metas_hosts_match() {
        let whatsapp = |host: &str| WHATSAPP_HOSTS.iter().any(|pattern| host_matches(host, pattern));
        for host in ["lookaside.fbsbx.com", "scontent.xx.fbcdn.net", "mmg.whatsapp.net"] {
            assert!(whatsapp(host), "{host}");
        }
        for host in [
            "fbcdn.net",
            "evilfbcdn.net",
            "fbcdn.net.evil.com",
            "lookaside.fbsbx.com.evil.com",
            "x.fbsbx.com",
            ".fbcdn.net",
            "",
        ] {
            assert!(!whatsapp(host), "{host}");
        }
    }

    #[test]
    fn hashes_are_compared_decoded() {
        let hash = [0xab; 32];
        assert_eq!(sha256_matches(&hex::encode(hash), &hash), Some(true));
        assert_eq!(sha256_matches(&hex::encode_upper(hash), &hash), Some(true));
        assert_eq!(sha256_matches(&STANDARD.encode(hash), &hash), Some(true));
        assert_eq!(sha256_matches(&STANDARD.encode([0; 32]), &hash), Some(false));
        assert_eq!(sha256_matches("?", &hash), None);
        assert_eq!(sha256_matches("", &hash), None);
    }
}
