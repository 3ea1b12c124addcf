//! Files: WhatsApp keeps them encrypted; the key comes with the message. What is needed to have one again is kept as its reference.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use frontdesk_channels::contract::{FetchedMedia, MediaError};
use frontdesk_model::content::{MediaKind, MediaRef};
use frontdesk_model::outbound::OutboundMedia;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use whatsapp_rust::download::{DownloadParams, MediaType};
use whatsapp_rust::upload::UploadResponse;
use whatsapp_rust::{Client, ErrorChainExt as _, UploadOptions};

use crate::errors;

/// What a file of a message is found and read by.
#[derive(Debug, Default)]
pub(crate) struct Parts<'m> {
    pub(crate) direct_path: Option<&'m str>,
    pub(crate) media_key: Option<&'m [u8]>,
    pub(crate) sha256: Option<&'m [u8]>,
    pub(crate) encrypted_sha256: Option<&'m [u8]>,
    pub(crate) size_bytes: Option<u64>,
}

/// The same as text. Short names: it is kept with each message.
#[derive(Serialize, Deserialize)]
struct Reference {
    #[serde(rename = "p")]
    direct_path: String,
    #[serde(rename = "k")]
    media_key: String,
    #[serde(rename = "s")]
    sha256: String,
    #[serde(rename = "e")]
    encrypted_sha256: String,
    #[serde(rename = "n")]
    size_bytes: u64,
}

/// The reference of a file; `None` where the message lacks what it is found by.
pub(crate) fn reference(
    kind: MediaKind,
    parts: &Parts<'_>,
    mime_type: Option<&str>,
    file_name: Option<&str>,
) -> Option<MediaRef> {
    let reference = Reference {
        direct_path: parts.direct_path.filter(|path| path.len() <= 2_048)?.to_owned(),
        media_key: BASE64.encode(parts.media_key?),
        sha256: BASE64.encode(parts.sha256?),
        encrypted_sha256: BASE64.encode(parts.encrypted_sha256?),
        size_bytes: parts.size_bytes?,
    };
    let filled = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Some(MediaRef {
        kind,
        remote_id: serde_json::to_string(&reference).ok(),
        url: None,
        mime_type: filled(mime_type),
        file_name: filled(file_name),
        sha256: parts.sha256.map(hex::encode),
    })
}

fn kind_at_whatsapp(kind: MediaKind) -> MediaType {
    match kind {
        MediaKind::Image => MediaType::Image,
        MediaKind::Video => MediaType::Video,
        MediaKind::Audio | MediaKind::Voice => MediaType::Audio,
        MediaKind::Document => MediaType::Document,
        MediaKind::Sticker => MediaType::Sticker,
    }
}

fn params(media: &MediaRef) -> Option<DownloadParams> {
    let reference: Reference = serde_json::from_str(media.remote_id.as_deref()?).ok()?;
    let bytes = |text: &str| BASE64.decode(text).ok();
    Some(DownloadParams::encrypted(
        reference.direct_path.as_str(),
        &bytes(&reference.media_key)?,
        &bytes(&reference.sha256)?,
        &bytes(&reference.encrypted_sha256)?,
        reference.size_bytes,
        kind_at_whatsapp(media.kind),
    ))
}

/// Downloads a file to `path`; its checksums are compared on the way.
pub(crate) async fn fetch(
    client: &Client,
    media: &MediaRef,
    path: &Path,
    max_bytes: u64,
) -> Result<FetchedMedia, MediaError> {
    let Some(params) = params(media) else {
        return Err(MediaError::Gone("the message does not say where the file is".to_owned()));
    };
    if params.file_length > max_bytes {
        return Err(MediaError::TooLarge { max_bytes });
    }
    let file = tokio::fs::File::create(path).await.map_err(unavailable)?.into_std().await;
    let limited = Limited { file, written: 0, max_bytes };
    client.download_to_writer(&params, limited).await.map_err(|error| {
        let error: &(dyn std::error::Error + Send + Sync) = error.as_ref();
        // The servers forget files after some weeks.
        if matches!(error.http_status(), Some(403 | 404 | 410)) {
            MediaError::Gone("WhatsApp no longer has the file".to_owned())
        } else if error.sources().any(|cause| cause.to_string().contains(TOO_LARGE)) {
            MediaError::TooLarge { max_bytes }
        } else {
            MediaError::Unavailable("WhatsApp's servers did not hand out the file".to_owned())
        }
    })?;
    let (size_bytes, sha256) = checksum(path).await.map_err(unavailable)?;
    Ok(FetchedMedia { size_bytes, sha256, mime_type: media.mime_type.clone() })
}

fn unavailable(error: std::io::Error) -> MediaError {
    MediaError::Unavailable(error.to_string())
}

async fn checksum(path: &Path) -> std::io::Result<(u64, String)> {
    use tokio::io::AsyncReadExt as _;
    let mut file = tokio::fs::File::open(path).await?;
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0_u64, vec![0; 64 * 1024]);
    loop {
        let read = file.read(&mut buffer).await?;
        if read == 0 {
            return Ok((size, hex::encode(hash.finalize())));
        }
        size += read as u64;
        hash.update(&buffer[..read]);
    }
}

const TOO_LARGE: &str = "larger than it said";

/// A file that takes no more than so many bytes: how long one is, its sender says.
struct Limited {
    file: std::fs::File,
    written: u64,
    max_bytes: u64,
}

impl std::io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.written += bytes.len() as u64;
        if self.written > self.max_bytes {
            return Err(std::io::Error::other(TOO_LARGE));
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl std::io::Seek for Limited {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

impl whatsapp_rust::wacore::download::DownloadWriter for Limited {
    fn truncate(&mut self, len: u64) -> std::io::Result<()> {
        self.written = len;
        self.file.set_len(len)
    }
}

/// Encrypts a file and hands it to WhatsApp's servers. It is not yet sent to anybody.
pub(crate) async fn upload(
    client: &Client,
    media: &OutboundMedia,
) -> Result<UploadResponse, frontdesk_channels::contract::SendError> {
    let bytes = tokio::fs::read(&media.path).await.map_err(errors::unreadable_file)?;
    client
        .upload(bytes, kind_at_whatsapp(media.kind), UploadOptions::new())
        .await
        .map_err(errors::not_uploaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_and_one_without_a_key_is_none() {
        let mut parts = Parts {
            direct_path: Some("/v/t62.7118-24/1"),
            media_key: Some(&[7; 32]),
            sha256: Some(&[1; 32]),
            encrypted_sha256: Some(&[2; 32]),
            size_bytes: Some(11),
        };
        let media = reference(MediaKind::Voice, &parts, Some("audio/ogg"), None).expect("all is there");
        let params = params(&media).expect("what was written is read");
        assert_eq!(params.direct_path, "/v/t62.7118-24/1");
        assert_eq!((params.media_key, params.file_length), (Some(vec![7; 32]), 11));
        assert_eq!(media.sha256.as_deref(), Some("01".repeat(32).as_str()));
        parts.media_key = None;
        assert_eq!(reference(MediaKind::Voice, &parts, None, None), None);
    }
}
