//! Where bytes are kept: files in the data folder (one node, or nodes that share the folder), or in a place that all nodes
//! reach, a bucket or PostgreSQL, with the folder as a cache.
//!
//! A key is the SHA-256 of the bytes; the same file of one account is kept once. Accounts never share a file.

use std::io;
use std::path::{Path, PathBuf};

use frontdesk_model::{AccountId, Timestamp};
use frontdesk_store::attachments;
use frontdesk_store::{Store, StoreError};
use sha2::{Digest, Sha256};
use tokio::fs;
use tokio::io::AsyncReadExt;

use super::bucket::{Bucket, BucketError};
use super::place::Place;
use crate::settings::MediaSettings;

/// The folder of the files in the data folder.
pub const MEDIA_FOLDER: &str = "media";

/// A file still being written after this long belongs to a process that died.
const HALF_WRITTEN_MS: i64 = 86_400_000;

/// A file is kept before its row says so; never this much before.
const UNSAID_MS: i64 = 3_600_000;

/// As much of a file is read at once.
const SLICE_BYTES: usize = 64 * 1024;

/// The media store of this node.
pub struct MediaStore {
    folder: PathBuf,
    /// Where all nodes find the bytes: kept in the first, looked for in each in turn, so that what was kept before a bucket
    /// was set is still found. Empty where the folder is all there is.
    places: Vec<Place>,
}

/// A file could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum MediaStoreError {
    /// The folder failed.
    #[error("the media folder cannot be used")]
    Folder(#[from] io::Error),
    /// The database failed.
    #[error("the media in the database cannot be used")]
    Database(#[from] StoreError),
    /// The bucket failed.
    #[error("the bucket of media.s3 cannot be used")]
    Bucket(#[from] BucketError),
    /// The bytes are not there.
    #[error("the file is not kept any more")]
    Missing,
}

impl MediaStore {
    /// The store as the settings have it: the folder, and the bucket or PostgreSQL.
    pub fn open(data_dir: &Path, settings: &MediaSettings, store: &Store) -> Result<Self, BucketError> {
        let bucket = Bucket::open(&settings.s3)?.map(|bucket| Place::Bucket(Box::new(bucket)));
        let in_database = store.is_postgres() && !settings.shared_folder;
        let database = in_database.then(|| Place::Database(store.clone()));
        Ok(Self { folder: data_dir.join(MEDIA_FOLDER), places: bucket.into_iter().chain(database).collect() })
    }

    /// Where new files are kept, in words for the operator.
    pub fn whereabouts(&self) -> String {
        self.places.first().map_or_else(|| self.folder.display().to_string(), Place::whereabouts)
    }

    /// True where every node finds the files, whatever its folder.
    pub fn is_shared(&self) -> bool {
        !self.places.is_empty()
    }

    /// Keeps a probe where new files are kept for all nodes, reads it back and removes it. Leaves this node's folder alone.
    pub async fn probe(&self) -> Result<(), MediaStoreError> {
        let Some(place) = self.places.first() else { return Ok(()) };
        let bytes = format!("{:032x}", rand::random::<u128>());
        let (nobody, key) = (AccountId(0), hex::encode(Sha256::digest(&bytes)));
        let scratch = Scratch { path: std::env::temp_dir().join(&key) };
        fs::write(&scratch.path, bytes).await?;
        place.put(nobody, &key, &scratch.path).await?;
        let came_back = place.get(nobody, &key, &mut tokio::io::sink()).await?;
        place.remove(nobody, &key).await?;
        if came_back { Ok(()) } else { Err(MediaStoreError::Missing) }
    }

    /// A new empty place on the same disk for a file that is being written. Removed when dropped.
    pub async fn scratch(&self) -> Result<Scratch, MediaStoreError> {
        let folder = self.folder.join("incoming");
        fs::create_dir_all(&folder).await?;
        Ok(Scratch { path: folder.join(format!("{:032x}", rand::random::<u128>())) })
    }

    /// Keeps a written file under the hash of its bytes and returns its key.
    pub async fn keep(
        &self,
        account: AccountId,
        scratch: Scratch,
        sha256: &str,
    ) -> Result<String, MediaStoreError> {
        if let Some(place) = self.places.first() {
            place.put(account, sha256, &scratch.path).await?;
        }
        let target = self.path_of(account, sha256);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).await?;
        }
        fs::File::open(&scratch.path).await?.sync_all().await?;
        fs::rename(&scratch.path, &target).await?;
        if let Some(parent) = target.parent() {
            fs::File::open(parent).await?.sync_all().await?; // the new name is to survive a power cut too
        }
        Ok(sha256.to_owned())
    }

    /// Removes what processes that died left half written.
    pub async fn remove_half_written(&self, now: Timestamp) -> Result<(), MediaStoreError> {
        let mut entries = match fs::read_dir(self.folder.join("incoming")).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        while let Some(entry) = entries.next_entry().await? {
            if age_ms(&entry, now).await? > HALF_WRITTEN_MS {
                fs::remove_file(entry.path()).await?;
            }
        }
        Ok(())
    }

    /// Removes files from this node's disk that no row knows: of erased customers, when the disk is a cache and another
    /// node erased them, and of processes that died between keeping a file and saying so.
    pub async fn remove_unknown(&self, store: &Store, now: Timestamp) -> Result<(), MediaStoreError> {
        for (account, shelf) in self.shelves().await? {
            let mut old = Vec::new();
            let mut entries = fs::read_dir(&shelf).await?;
            while let Some(entry) = entries.next_entry().await? {
                if age_ms(&entry, now).await? > UNSAID_MS
                    && let Ok(key) = entry.file_name().into_string()
                {
                    old.push(key);
                }
            }
            let unknown = store.read(move |tx| attachments::unknown(tx, account, &old)).await?;
            for key in unknown {
                fs::remove_file(shelf.join(key)).await?;
            }
        }
        Ok(())
    }

    /// The folders that files lie in, with whose they are.
    async fn shelves(&self) -> Result<Vec<(AccountId, PathBuf)>, MediaStoreError> {
        let mut shelves = Vec::new();
        let mut accounts = match fs::read_dir(&self.folder).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(shelves),
            accounts => accounts?,
        };
        while let Some(account) = accounts.next_entry().await? {
            let Some(id) = account.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let mut of_account = fs::read_dir(account.path()).await?;
            while let Some(shelf) = of_account.next_entry().await? {
                shelves.push((AccountId(id), shelf.path()));
            }
        }
        Ok(shelves)
    }

    /// The file on this node's disk, brought there if need be.
    pub async fn local_path(&self, account: AccountId, key: &str) -> Result<PathBuf, MediaStoreError> {
        let path = self.path_of(account, key);
        if fs::try_exists(&path).await? {
            return Ok(path);
        }
        let scratch = self.scratch().await?;
        for place in &self.places {
            let mut file = fs::File::create(&scratch.path).await?;
            if place.get(account, key, &mut file).await? {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent).await?;
                }
                fs::rename(&scratch.path, &path).await?;
                return Ok(path);
            }
        }
        Err(MediaStoreError::Missing)
    }

    /// Puts a kept file where `other` keeps its files, on the same disk: where all its nodes find it, when there is such
    /// a place.
    pub async fn bring(&self, other: &Self, account: AccountId, key: &str) -> Result<(), MediaStoreError> {
        let path = self.local_path(account, key).await?;
        match other.places.first() {
            Some(place) => place.put(account, key, &path).await,
            None => Ok(()),
        }
    }

    /// True when a file is kept, and its bytes are the ones its key was made of.
    pub async fn is_sound(&self, account: AccountId, key: &str) -> Result<bool, MediaStoreError> {
        if self.places.is_empty() {
            return Ok(match hash_of(&self.path_of(account, key)).await {
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                hash => hash? == key,
            });
        }
        for place in &self.places {
            if place.get(account, key, &mut tokio::io::sink()).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Forgets a file nobody needs any more.
    pub async fn remove(&self, account: AccountId, key: &str) -> Result<(), MediaStoreError> {
        for place in &self.places {
            place.remove(account, key).await?;
        }
        match fs::remove_file(self.path_of(account, key)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn path_of(&self, account: AccountId, key: &str) -> PathBuf {
        let shelf = key.get(..2).unwrap_or("00");
        self.folder.join(account.to_string()).join(shelf).join(key)
    }
}

/// How long ago a file was written.
async fn age_ms(entry: &fs::DirEntry, now: Timestamp) -> Result<i64, MediaStoreError> {
    let written = entry.metadata().await?.modified()?.duration_since(std::time::UNIX_EPOCH);
    let written_ms = written.map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    Ok(now.millis_since(Timestamp::from_millis(written_ms)))
}

/// A file being written; removed when dropped before it was kept.
pub struct Scratch {
    /// Where to write.
    pub path: PathBuf,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // After a rename there is nothing to remove.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The SHA-256 of a file, in hex.
async fn hash_of(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path).await?;
    let (mut hash, mut slice) = (Sha256::new(), vec![0; SLICE_BYTES]);
    loop {
        let read = file.read(&mut slice).await?;
        if read == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(&slice[..read]);
    }
}
