//! Files by signed address: whoever holds the address may read the file until it expires.

use std::path::PathBuf;

use frontdesk_model::{AccountId, AttachmentId, Timestamp};
use frontdesk_store::StoreError;
use frontdesk_store::attachments::{self, AttachmentRow};

use super::{MediaStoreError, safe_file_name};
use crate::Engine;

const PURPOSE: &str = "media";

/// The parts of a signed address: `/media/{id}/{file_name}?account=…&expires=…&signature=…`.
#[derive(Debug, Clone)]
pub struct MediaAddress {
    /// Whose file.
    pub account: AccountId,
    /// Which file.
    pub id: AttachmentId,
    /// Until when, in seconds since 1970.
    pub expires: i64,
    /// What proves it.
    pub signature: String,
}

/// A file to be served.
pub struct MediaFile {
    /// Where it is on this node.
    pub path: PathBuf,
    /// Its type, sniffed by us.
    pub mime_type: String,
    /// The name to save it under.
    pub file_name: String,
    /// SHA-256 in hex, for the ETag.
    pub sha256: String,
}

/// The path of a file, good for at least the time of the settings. It stays the same for that long, so that browsers
/// can cache.
pub fn url_of(engine: &Engine, file: &AttachmentRow, now: Timestamp) -> Option<String> {
    file.storage_key.as_ref()?;
    let span = engine.settings.media.url_secs.max(60);
    let expires = (now.as_secs() / span + 2) * span;
    let signature = engine.vault.sign(PURPOSE, &signed_text(file.account_id, file.id, expires));
    let name = safe_file_name(file.file_name.as_deref().unwrap_or("file"));
    let name: String =
        url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
    Some(format!(
        "/media/{}/{name}?account={}&expires={expires}&signature={signature}",
        file.id, file.account_id
    ))
}

/// Finds the file of a signed address; `None` when the address is forged, expired or the file is gone.
pub async fn find_served(
    engine: &Engine,
    address: &MediaAddress,
) -> Result<Option<MediaFile>, MediaStoreError> {
    let text = signed_text(address.account, address.id, address.expires);
    let genuine = engine.vault.is_signed(PURPOSE, &text, &address.signature);
    if !genuine || address.expires < engine.clock.now().as_secs() {
        return Ok(None);
    }
    let (account, id) = (address.account, address.id);
    let row = engine.store.read(move |tx| attachments::find(tx, account, id)).await.map_err(store_failed)?;
    let Some(row) = row else { return Ok(None) };
    let Some(key) = row.storage_key.as_deref() else { return Ok(None) };
    let path = match engine.media().local_path(account, key).await {
        Err(MediaStoreError::Missing) => return Ok(None),
        other => other?,
    };
    Ok(Some(MediaFile {
        path,
        mime_type: row.mime_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
        file_name: safe_file_name(row.file_name.as_deref().unwrap_or("file")),
        sha256: row.sha256.unwrap_or_default(),
    }))
}

fn signed_text(account: AccountId, id: AttachmentId, expires: i64) -> String {
    format!("{account}/{id}/{expires}")
}

fn store_failed(error: StoreError) -> MediaStoreError {
    MediaStoreError::Database(error)
}
