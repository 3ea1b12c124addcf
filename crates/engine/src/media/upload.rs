//! Files agents send: uploaded, or taken from an address they name; streamed to disk with a limit, sniffed, kept.

use frontdesk_model::AttachmentId;
use frontdesk_model::content::MediaRef;
use frontdesk_store::StoreError;
use frontdesk_store::attachments::{self, AttachmentRow, NewUpload};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::keep::Scratch;
use super::sniff::sniff;
use super::{MediaStoreError, safe_file_name};
use crate::Engine;
use crate::caller::Actor;

/// Why an upload was not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Larger than the settings allow.
    #[error("the file is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// Nothing came.
    #[error("the file is empty")]
    Empty,
    /// It could not be kept.
    #[error("the file could not be kept")]
    NotKept(#[from] MediaStoreError),
    /// The database failed.
    #[error("the upload could not be stored")]
    Store(#[from] StoreError),
}

/// An upload in progress.
pub struct Upload {
    scratch: Scratch,
    file: File,
    hash: Sha256,
    size: u64,
    max_bytes: u64,
}

impl Upload {
    /// Begins an upload.
    pub async fn begin(engine: &Engine) -> Result<Self, UploadError> {
        let scratch = engine.media().scratch().await?;
        let file = File::create(&scratch.path).await.map_err(MediaStoreError::from)?;
        let max_bytes = engine.settings.media.max_bytes;
        Ok(Self { scratch, file, hash: Sha256::new(), size: 0, max_bytes })
    }

    /// Takes the next bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), UploadError> {
        self.size += bytes.len() as u64;
        if self.size > self.max_bytes {
            return Err(UploadError::TooLarge { max_bytes: self.max_bytes });
        }
        self.hash.update(bytes);
        Ok(self.file.write_all(bytes).await.map_err(MediaStoreError::from)?)
    }

    /// Keeps the file. `claimed` is the type the browser named.
    pub async fn finish(
        mut self,
        engine: &Engine,
        actor: Actor,
        file_name: &str,
        claimed: Option<&str>,
    ) -> Result<AttachmentRow, UploadError> {
        self.file.flush().await.map_err(MediaStoreError::from)?;
        let (size_bytes, sha256) = (self.size, hex::encode(self.hash.finalize()));
        let written = Written { scratch: self.scratch, size_bytes, sha256, claimed, url: None };
        written.keep(engine, actor, file_name).await
    }
}

/// A file on this node's disk that is not kept yet.
pub(super) struct Written<'a> {
    pub(super) scratch: Scratch,
    pub(super) size_bytes: u64,
    pub(super) sha256: String,
    /// The type named by whoever gave it.
    pub(super) claimed: Option<&'a str>,
    /// The address it came from.
    pub(super) url: Option<&'a str>,
}

impl Written<'_> {
    /// Keeps the file until a reply takes it.
    pub(super) async fn keep(
        self,
        engine: &Engine,
        actor: Actor,
        file_name: &str,
    ) -> Result<AttachmentRow, UploadError> {
        if self.size_bytes == 0 {
            return Err(UploadError::Empty);
        }
        let (mime_type, kind) =
            sniff(&self.scratch.path, self.claimed, None).await.map_err(MediaStoreError::from)?;
        let sha256 = self.sha256;
        let storage_key = engine.media().keep(actor.account_id, self.scratch, &sha256).await?;
        let file_name = safe_file_name(file_name);
        let size_bytes = i64::try_from(self.size_bytes).unwrap_or(i64::MAX);
        let source = self.url.map(|url| MediaRef {
            kind,
            remote_id: None,
            url: Some(url.to_owned()),
            mime_type: None,
            file_name: None,
            sha256: None,
        });
        let now = engine.clock.now();
        let stored = engine
            .store
            .write(move |tx| {
                let upload = NewUpload {
                    account_id: actor.account_id,
                    uploaded_by: actor.user_id,
                    kind,
                    mime_type: &mime_type,
                    file_name: &file_name,
                    size_bytes,
                    sha256: &sha256,
                    storage_key: &storage_key,
                    inbox_id: None,
                    source: source.as_ref(),
                };
                let id = attachments::insert_upload(tx, &upload, now)?;
                attachments::find(tx, actor.account_id, id.unwrap_or(AttachmentId(0)))
            })
            .await?;
        stored.ok_or_else(|| StoreError::Unavailable("the upload vanished".to_owned()).into())
    }
}
