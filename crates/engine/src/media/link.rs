//! Files that agents name by address: taken from there once, so that what is sent is what is checked and shown.

use std::time::Duration;

use frontdesk_provider_http::{
    AddressPolicy, CallError, CallLabel, Download, DownloadLimits, NotSent, ProviderHttp, ProviderSettings,
    SetupError,
};
use frontdesk_store::attachments::AttachmentRow;
use tokio::fs::File;
use url::Url;

use super::upload::Written;
use super::{MediaStoreError, UploadError};
use crate::Engine;
use crate::caller::Actor;

/// How long a file may take: whoever sends it waits for that.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest address.
const MAX_URL: usize = 2000;

/// A file at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLink {
    /// Where it is; as good as a password where it is signed, so never logged.
    pub url: String,
    /// What to call it; `None` for the last part of the address.
    pub file_name: Option<String>,
}

/// Why a file was not taken from its address. The words are for people.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The address is none, or may not be asked.
    #[error("The file.url field must be a public https address: {0}.")]
    Address(String),
    /// Another address stands there.
    #[error("The file.url field must be the file's own address: this one leads on to another.")]
    Redirect,
    /// The other side refused.
    #[error("The file could not be taken from its address, which answers with {0}.")]
    Status(u16),
    /// The other side did not answer.
    #[error("The file could not be taken from its address: it does not answer, or not to the end.")]
    NoAnswer,
    /// The file cannot be kept.
    #[error(transparent)]
    Upload(#[from] UploadError),
}

/// Takes a file from its address and keeps it until a reply takes it.
pub(crate) async fn take_from(
    engine: &Engine,
    actor: Actor,
    link: &FileLink,
) -> Result<AttachmentRow, LinkError> {
    let url = Url::parse(&link.url).map_err(|error| LinkError::Address(error.to_string()))?;
    if link.url.len() > MAX_URL {
        return Err(LinkError::Address(format!("it is longer than {MAX_URL} characters")));
    }
    let named = link.file_name.clone().or_else(|| last_part(&url));
    let scratch = engine.media().scratch().await.map_err(UploadError::from)?;
    let download = download(engine, &url, &scratch.path).await?;
    let written = Written {
        scratch,
        size_bytes: download.size_bytes,
        sha256: hex::encode(download.sha256),
        claimed: download.content_type.as_deref(),
        url: Some(&link.url),
    };
    Ok(written.keep(engine, actor, named.as_deref().unwrap_or("file")).await?)
}

async fn download(engine: &Engine, url: &Url, path: &std::path::Path) -> Result<Download, LinkError> {
    let settings = ProviderSettings {
        // Nothing of ours goes along: this is no provider's address.
        addresses: AddressPolicy::allowing_hosts(&engine.channels.providers.allow_private_hosts),
        ..ProviderSettings::new("files", url.clone())
    };
    let http = ProviderHttp::new(settings).map_err(|error| match error {
        SetupError::BaseUrl { source, .. } => LinkError::Address(source.to_string()),
        SetupError::Client { .. } => LinkError::NoAnswer,
    })?;
    let max_bytes = engine.settings.media.max_bytes;
    let limits = DownloadLimits { timeout: Some(TIMEOUT), ..DownloadLimits::bytes(max_bytes) };
    let mut file = File::create(path).await.map_err(kept)?;
    let request = http.request(reqwest::Method::GET, url.clone());
    let result = http.download(CallLabel::new("files", "take_file"), request, limits, &mut file).await;
    let download = result.map_err(|error| match error {
        CallError::NotSent(NotSent::Refused(why)) => LinkError::Address(why.to_string()),
        CallError::TooLarge { max_bytes } => UploadError::TooLarge { max_bytes }.into(),
        CallError::Redirect { .. } => LinkError::Redirect,
        CallError::Status(answer) => LinkError::Status(answer.status.as_u16()),
        CallError::Write(error) => kept(error),
        _ => LinkError::NoAnswer,
    })?;
    tokio::io::AsyncWriteExt::flush(&mut file).await.map_err(kept)?;
    Ok(download)
}

fn kept(error: std::io::Error) -> LinkError {
    UploadError::from(MediaStoreError::from(error)).into()
}

/// What an address calls its file.
fn last_part(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back().filter(|part| !part.is_empty())?;
    let decoded = url::form_urlencoded::parse(last.replace('+', "%2B").as_bytes()).next()?.0.into_owned();
    Some(decoded).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_as_its_address_calls_it() {
        for (url, name) in [
            ("https://example.org/bills/May%202026.pdf?signature=x", Some("May 2026.pdf")),
            ("https://example.org/a+b.png", Some("a+b.png")),
            ("https://example.org/", None),
            ("https://example.org", None),
        ] {
            assert_eq!(last_part(&Url::parse(url).unwrap()).as_deref(), name, "{url}");
        }
    }
}
