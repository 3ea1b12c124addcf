//! The store that `whatsapp-rust` wants, on top of [`SessionKeys`].
//!
//! Each group of its operations has a file and each kind of record a namespace. What the library writes as a batch is one change of
//! [`SessionKeys`], all or nothing. Operations that read before they write hold [`KeyStore::turn`]: one session has one store, and nobody else
//! writes to its keys.

mod app_sync;
mod device;
mod protocol;
mod secrets;
mod signal;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use whatsapp_rust::wacore::store::error::{Result, StoreError};

use frontdesk_channels::contract::{KeyChange, KeysError, SessionKeys};

/// How many values are read at once where all of a namespace are wanted.
const PAGE: u32 = 500;

/// The store of one session.
pub struct KeyStore {
    keys: Arc<dyn SessionKeys>,
    /// Held from the reading to the writing of what is changed rather than set.
    turn: Mutex<()>,
}

impl KeyStore {
    /// The store over a session's keys.
    pub fn new(keys: Arc<dyn SessionKeys>) -> Self {
        Self { keys, turn: Mutex::new(()) }
    }

    async fn bytes(&self, space: &'static str, key: &str) -> Result<Option<Vec<u8>>> {
        self.keys.get(space, key).await.map_err(failed)
    }

    async fn record<T: DeserializeOwned>(&self, space: &'static str, key: &str) -> Result<Option<T>> {
        self.bytes(space, key).await?.map(|bytes| decode(&bytes)).transpose()
    }

    /// All of a namespace, by key.
    async fn all(&self, space: &'static str) -> Result<Vec<(String, Vec<u8>)>> {
        let mut found = Vec::new();
        loop {
            let after = found.last().map_or("", |(key, _): &(String, Vec<u8>)| key.as_str());
            let page = self.keys.list(space, after, PAGE).await.map_err(failed)?;
            let is_last = page.len() < PAGE as usize;
            found.extend(page);
            if is_last {
                return Ok(found);
            }
        }
    }

    async fn apply(&self, changes: Vec<KeyChange>) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        self.keys.write(changes).await.map_err(failed)
    }

    async fn put(
        &self,
        space: &'static str,
        key: impl Into<String>,
        value: impl Into<Vec<u8>>,
    ) -> Result<()> {
        self.apply(vec![put(space, key, value)]).await
    }

    async fn put_record(&self, space: &'static str, key: &str, record: &impl Serialize) -> Result<()> {
        self.put(space, key, encode(record)?).await
    }

    async fn delete(&self, space: &'static str, key: impl Into<String>) -> Result<()> {
        self.apply(vec![KeyChange::Delete { space, key: key.into() }]).await
    }

    async fn delete_below(&self, space: &'static str, below: i64) -> Result<()> {
        self.apply(vec![KeyChange::DeleteBelow { space, below }]).await
    }
}

fn put(space: &'static str, key: impl Into<String>, value: impl Into<Vec<u8>>) -> KeyChange {
    KeyChange::Put { space, key: key.into(), value: value.into(), numbers: (None, None) }
}

fn encode(record: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(record).map_err(|e| StoreError::Serialization(Box::new(e)))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| StoreError::Serialization(Box::new(e)))
}

fn failed(error: KeysError) -> StoreError {
    StoreError::Database(Box::new(error))
}

/// One key of several parts. The parts are ids of WhatsApp, which hold no line feed.
fn joined(parts: &[&str]) -> String {
    parts.join("\n")
}

/// Numbers as keys sort like numbers.
fn numbered(id: u32) -> String {
    format!("{id:010}")
}
