//! Places that all nodes reach: a bucket, or slices in PostgreSQL.

use std::path::Path;

use frontdesk_model::AccountId;
use frontdesk_store::Store;
use frontdesk_store::media_chunks::{self, CHUNK_BYTES};
use sha2::{Digest, Sha256};
use tokio::fs;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::MediaStoreError;
use super::bucket::Bucket;

/// Where bytes are kept for all nodes.
pub(super) enum Place {
    /// An S3-compatible store.
    Bucket(Box<Bucket>),
    /// PostgreSQL, in slices.
    Database(Store),
}

impl Place {
    /// What an operator calls it.
    pub(super) fn whereabouts(&self) -> String {
        match self {
            Self::Bucket(bucket) => format!("the bucket {}", bucket.address()),
            Self::Database(_) => "the database".to_owned(),
        }
    }

    /// Keeps a file. One that is there already stays as it is: the key says what it holds.
    pub(super) async fn put(
        &self,
        account: AccountId,
        key: &str,
        path: &Path,
    ) -> Result<(), MediaStoreError> {
        match self {
            Self::Bucket(bucket) => Ok(bucket.put(&object(account, key), path).await?),
            Self::Database(store) => put_in_slices(store, account, key, path).await,
        }
    }

    /// Writes a kept file out; false when it is not here, or not the one its key was made of. Half a file, as of one that
    /// is being removed at this moment, must not be taken for the whole.
    pub(super) async fn get(
        &self,
        account: AccountId,
        key: &str,
        out: &mut (impl AsyncWrite + Unpin),
    ) -> Result<bool, MediaStoreError> {
        let hash = match self {
            Self::Bucket(bucket) => bucket.get(&object(account, key), out).await?,
            Self::Database(store) => read_slices(store, account, key, out).await?,
        };
        out.flush().await?;
        Ok(hash.is_some_and(|hash| hash == key))
    }

    /// Forgets a file, whether it is there or not.
    pub(super) async fn remove(&self, account: AccountId, key: &str) -> Result<(), MediaStoreError> {
        match self {
            Self::Bucket(bucket) => Ok(bucket.delete(&object(account, key)).await?),
            Self::Database(store) => {
                let key = key.to_owned();
                Ok(store.write(move |tx| media_chunks::delete(tx, account, &key)).await?)
            }
        }
    }
}

/// What a file is called in a bucket: as in the folder.
fn object(account: AccountId, key: &str) -> String {
    format!("{account}/{}/{key}", key.get(..2).unwrap_or("00"))
}

async fn put_in_slices(
    store: &Store,
    account: AccountId,
    key: &str,
    path: &Path,
) -> Result<(), MediaStoreError> {
    let mut file = fs::File::open(path).await?;
    for position in 0.. {
        let mut slice = Vec::with_capacity(CHUNK_BYTES);
        let read = (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut slice).await?;
        if read == 0 && position > 0 {
            break;
        }
        let key = key.to_owned();
        store.write(move |tx| media_chunks::put(tx, account, &key, position, &slice)).await?;
        if read < CHUNK_BYTES {
            break;
        }
    }
    Ok(())
}

/// Writes the slices out and returns the hash of them all; `None` when there are none.
async fn read_slices(
    store: &Store,
    account: AccountId,
    key: &str,
    out: &mut (impl AsyncWrite + Unpin),
) -> Result<Option<String>, MediaStoreError> {
    let mut hash = None;
    for position in 0.. {
        let wanted = key.to_owned();
        let slice = store.read(move |tx| media_chunks::get(tx, account, &wanted, position)).await?;
        let Some(slice) = slice else { break };
        out.write_all(&slice).await?;
        hash.get_or_insert_with(Sha256::new).update(&slice);
    }
    Ok(hash.map(|hash| hex::encode(hash.finalize())))
}
