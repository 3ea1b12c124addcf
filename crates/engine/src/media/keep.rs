//! Where bytes are kept: files in the data folder (one node, or nodes that share the folder), or slices in PostgreSQL
//! (nodes that share nothing else), with the folder as a cache.
//!
//! A key is the SHA-256 of the bytes; the same file of one account is kept once. Accounts never share a file.

use std::io;
use std::path::{Path, PathBuf};

use frontdesk_model::{AccountId, Timestamp};
use frontdesk_store::attachments;
use frontdesk_store::media_chunks::{self, CHUNK_BYTES};
use frontdesk_store::{Store, StoreError};
use sha2::{Digest, Sha256};
use tokio::fs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A file still being written after this long belongs to a process that died.
const HALF_WRITTEN_MS: i64 = 86_400_000;

/// A file is kept before its row says so; never this much before.
const UNSAID_MS: i64 = 3_600_000;

/// The media store of this node.
pub struct MediaStore {
    folder: PathBuf,
    /// Set when the bytes are kept in the database.
    database: Option<Store>,
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
    /// The bytes are not there.
    #[error("the file is not kept any more")]
    Missing,
}

impl MediaStore {
    /// Keeps files under `folder`, and in the database too when one is given.
    pub fn new(folder: PathBuf, database: Option<Store>) -> Self {
        Self { folder, database }
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
        if let Some(store) = &self.database {
            put_in_slices(store, account, sha256, &scratch.path).await?;
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

    /// Removes files from this node's disk that no row knows: of erased customers, when the database keeps the files and
    /// another node erased them, and of processes that died between keeping a file and saying so.
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

    /// The file on this node's disk, brought from the database if need be.
    pub async fn local_path(&self, account: AccountId, key: &str) -> Result<PathBuf, MediaStoreError> {
        let path = self.path_of(account, key);
        if fs::try_exists(&path).await? {
            return Ok(path);
        }
        let Some(store) = &self.database else { return Err(MediaStoreError::Missing) };
        let scratch = self.scratch().await?;
        if !read_slices(store, account, key, &scratch.path).await? {
            return Err(MediaStoreError::Missing);
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).await?;
        }
        fs::rename(&scratch.path, &path).await?;
        Ok(path)
    }

    /// Puts a kept file where `other` keeps its files, on the same disk: into its database when it has one.
    pub async fn bring(&self, other: &Self, account: AccountId, key: &str) -> Result<(), MediaStoreError> {
        let path = self.local_path(account, key).await?;
        match &other.database {
            Some(store) => put_in_slices(store, account, key, &path).await,
            None => Ok(()),
        }
    }

    /// True when a file is kept, and its bytes are the ones its key was made of.
    pub async fn is_sound(&self, account: AccountId, key: &str) -> Result<bool, MediaStoreError> {
        let mut hash = Sha256::new();
        if let Some(store) = &self.database {
            for position in 0.. {
                let wanted = key.to_owned();
                let slice = store.read(move |tx| media_chunks::get(tx, account, &wanted, position)).await?;
                match slice {
                    Some(slice) => hash.update(&slice),
                    None => break,
                }
            }
        } else {
            let mut file = match fs::File::open(self.path_of(account, key)).await {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                file => file?,
            };
            let mut slice = vec![0; CHUNK_BYTES];
            loop {
                let read = file.read(&mut slice).await?;
                if read == 0 {
                    break;
                }
                hash.update(&slice[..read]);
            }
        }
        Ok(hex::encode(hash.finalize()) == key)
    }

    /// Forgets a file nobody needs any more.
    pub async fn remove(&self, account: AccountId, key: &str) -> Result<(), MediaStoreError> {
        if let Some(store) = &self.database {
            let key = key.to_owned();
            store.write(move |tx| media_chunks::delete(tx, account, &key)).await?;
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

async fn read_slices(
    store: &Store,
    account: AccountId,
    key: &str,
    path: &Path,
) -> Result<bool, MediaStoreError> {
    let mut file = None;
    let mut hash = Sha256::new();
    for position in 0.. {
        let wanted = key.to_owned();
        let slice = store.read(move |tx| media_chunks::get(tx, account, &wanted, position)).await?;
        let Some(slice) = slice else { break };
        if file.is_none() {
            file = Some(fs::File::create(path).await?);
        }
        if let Some(file) = &mut file {
            file.write_all(&slice).await?;
            hash.update(&slice);
        }
    }
    let Some(mut file) = file else { return Ok(false) };
    file.flush().await?;
    // Slices that are being removed at this moment give half a file: that must not be kept under its name.
    Ok(hex::encode(hash.finalize()) == key)
}
