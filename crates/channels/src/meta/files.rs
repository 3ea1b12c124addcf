//! Files between our disk and Meta.

use std::path::Path;

use frontdesk_meta_graph_client::media::{MediaInfo, Upload};
use frontdesk_meta_graph_client::{GraphCallError, GraphClient, Product};
use frontdesk_model::content::MediaRef;
use frontdesk_model::outbound::OutboundMedia;
use frontdesk_provider_http::{Download, DownloadLimits};
use tokio::fs::File;

use super::errors;
use crate::contract::{FetchedMedia, MediaError, Retry, SendError};

/// A file of ours, ready to be uploaded as `mime_type`. It is streamed, never held in memory.
pub(crate) async fn upload(media: &OutboundMedia, mime_type: &str) -> Result<Upload, SendError> {
    let opened = async {
        let file = File::open(&media.path).await?;
        let size_bytes = file.metadata().await?.len();
        Ok((file, size_bytes))
    };
    let (file, size_bytes) = opened.await.map_err(unreadable)?;
    Ok(Upload {
        file_name: media.file_name.clone(),
        mime_type: mime_type.to_owned(),
        body: file.into(),
        size_bytes,
    })
}

fn unreadable(error: std::io::Error) -> SendError {
    let gone = error.kind() == std::io::ErrorKind::NotFound;
    SendError {
        retry: if gone { Retry::Never } else { Retry::OnSchedule },
        code: "FILE".to_owned(),
        source: Some(Box::new(error)),
        ..errors::cannot_carry(if gone {
            "The file is no longer on this server."
        } else {
            "The file could not be read from this server's disk."
        })
    }
}

/// Fetches a file of WhatsApp by its id. On an error nothing is left behind.
pub(crate) async fn fetch_by_id(
    client: &GraphClient,
    media: &MediaRef,
    path: &Path,
    max_bytes: u64,
) -> Result<FetchedMedia, MediaError> {
    let id = media.remote_id.as_deref().ok_or_else(|| MediaError::Gone("it has no id".to_owned()))?;
    let mut file = create(path).await?;
    let result = client.download_whatsapp_media(id, DownloadLimits::bytes(max_bytes), &mut file).await;
    finish(Product::WhatsApp, path, result.map(|(info, download)| fetched(download, Some(info)))).await
}

/// Fetches a file of Messenger or Instagram by its signed address. On an error nothing is left behind.
pub(crate) async fn fetch_by_address(
    client: &GraphClient,
    media: &MediaRef,
    path: &Path,
    max_bytes: u64,
) -> Result<FetchedMedia, MediaError> {
    let url = media.url.as_deref().ok_or_else(|| MediaError::Gone("it has no address".to_owned()))?;
    let mut file = create(path).await?;
    let result = client.download_attachment(url, DownloadLimits::bytes(max_bytes), &mut file).await;
    finish(Product::Messaging, path, result.map(|download| fetched(download, None))).await
}

async fn create(path: &Path) -> Result<File, MediaError> {
    File::create(path).await.map_err(|error| MediaError::Unavailable(error.to_string()))
}

fn fetched(download: Download, info: Option<MediaInfo>) -> FetchedMedia {
    FetchedMedia {
        size_bytes: download.size_bytes,
        sha256: hex::encode(download.sha256),
        mime_type: info.and_then(|info| info.mime_type).or(download.content_type),
    }
}

async fn finish(
    product: Product,
    path: &Path,
    result: Result<FetchedMedia, GraphCallError>,
) -> Result<FetchedMedia, MediaError> {
    match result {
        Ok(fetched) => Ok(fetched),
        Err(error) => {
            // What is left is a part of a file; that it cannot be removed either changes nothing.
            let _removed = tokio::fs::remove_file(path).await;
            Err(errors::media_error(product, &error))
        }
    }
}
