//! Keys of the Signal protocol: who somebody is, the running encryption with each of their devices, keys for newcomers, groups.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use whatsapp_rust::traits::SignalStore;
use whatsapp_rust::wacore::store::error::{Result, StoreError};

use super::{KeyStore, numbered, put};
use frontdesk_channels::contract::KeyChange;

const IDENTITIES: &str = "identity";
const SESSIONS: &str = "session";
const PREKEYS: &str = "prekey";
const SIGNED_PREKEYS: &str = "signed_prekey";
const SENDER_KEYS: &str = "sender_key";

fn all_of(space: &'static str, records: &[(Arc<str>, Bytes)]) -> Vec<KeyChange> {
    records.iter().map(|(address, record)| put(space, &**address, record.as_ref())).collect()
}

#[async_trait]
impl SignalStore for KeyStore {
    async fn put_identity(&self, address: &str, key: [u8; 32]) -> Result<()> {
        self.put(IDENTITIES, address, key).await
    }

    async fn put_identities_batch(&self, identities: &[(Arc<str>, [u8; 32])]) -> Result<()> {
        self.apply(identities.iter().map(|(address, key)| put(IDENTITIES, &**address, *key)).collect()).await
    }

    async fn load_identity(&self, address: &str) -> Result<Option<[u8; 32]>> {
        let Some(bytes) = self.bytes(IDENTITIES, address).await? else { return Ok(None) };
        let key = bytes
            .try_into()
            .map_err(|_| StoreError::Validation("an identity key is not 32 bytes".to_owned()))?;
        Ok(Some(key))
    }

    async fn delete_identity(&self, address: &str) -> Result<()> {
        self.delete(IDENTITIES, address).await
    }

    async fn get_session(&self, address: &str) -> Result<Option<Bytes>> {
        Ok(self.bytes(SESSIONS, address).await?.map(Bytes::from))
    }

    async fn put_session(&self, address: &str, session: &[u8]) -> Result<()> {
        self.put(SESSIONS, address, session).await
    }

    async fn put_sessions_batch(&self, sessions: &[(Arc<str>, Bytes)]) -> Result<()> {
        self.apply(all_of(SESSIONS, sessions)).await
    }

    async fn delete_session(&self, address: &str) -> Result<()> {
        self.delete(SESSIONS, address).await
    }

    // Whether a key was uploaded is not kept: the library counts that in the device and only asks the store not to bring keys back.
    async fn store_prekey(&self, id: u32, record: &[u8], _uploaded: bool) -> Result<()> {
        self.put(PREKEYS, numbered(id), record).await
    }

    async fn store_prekeys_batch(&self, keys: &[(u32, Bytes)], _uploaded: bool) -> Result<()> {
        self.apply(keys.iter().map(|(id, record)| put(PREKEYS, numbered(*id), record.as_ref())).collect())
            .await
    }

    async fn load_prekey(&self, id: u32) -> Result<Option<Bytes>> {
        Ok(self.bytes(PREKEYS, &numbered(id)).await?.map(Bytes::from))
    }

    async fn mark_prekeys_uploaded(&self, _ids: &[u32]) -> Result<()> {
        Ok(())
    }

    async fn remove_prekey(&self, id: u32) -> Result<()> {
        self.delete(PREKEYS, numbered(id)).await
    }

    async fn get_max_prekey_id(&self) -> Result<u32> {
        Ok(self.all(PREKEYS).await?.last().and_then(|(key, _)| key.parse().ok()).unwrap_or(0))
    }

    async fn store_signed_prekey(&self, id: u32, record: &[u8]) -> Result<()> {
        self.put(SIGNED_PREKEYS, numbered(id), record).await
    }

    async fn load_signed_prekey(&self, id: u32) -> Result<Option<Vec<u8>>> {
        self.bytes(SIGNED_PREKEYS, &numbered(id)).await
    }

    async fn load_all_signed_prekeys(&self) -> Result<Vec<(u32, Vec<u8>)>> {
        let all = self.all(SIGNED_PREKEYS).await?;
        Ok(all.into_iter().filter_map(|(key, record)| Some((key.parse().ok()?, record))).collect())
    }

    async fn remove_signed_prekey(&self, id: u32) -> Result<()> {
        self.delete(SIGNED_PREKEYS, numbered(id)).await
    }

    async fn put_sender_key(&self, address: &str, record: &[u8]) -> Result<()> {
        self.put(SENDER_KEYS, address, record).await
    }

    async fn put_sender_keys_batch(&self, sender_keys: &[(Arc<str>, Bytes)]) -> Result<()> {
        self.apply(all_of(SENDER_KEYS, sender_keys)).await
    }

    async fn get_sender_key(&self, address: &str) -> Result<Option<Vec<u8>>> {
        self.bytes(SENDER_KEYS, address).await
    }

    async fn delete_sender_key(&self, address: &str) -> Result<()> {
        self.delete(SENDER_KEYS, address).await
    }
}
