//! The state that a phone shares with its linked devices (names, archived chats, labels): keys, versions, checksums.

use async_trait::async_trait;
use whatsapp_rust::traits::{AppStateSyncKey, AppSyncStore};
use whatsapp_rust::wacore::appstate::hash::HashState;
use whatsapp_rust::wacore::appstate::processor::AppStateMutationMAC;
use whatsapp_rust::wacore::store::error::Result;

use super::{KeyStore, encode, put};
use frontdesk_channels::contract::KeyChange;

const SYNC_KEYS: &str = "sync_key";
const LATEST: &str = "sync_key_latest";
const VERSIONS: &str = "sync_version";
const CHECKSUMS: &str = "sync_mac";

/// A collection's checksums stand together by key, so that all of them can be found.
fn checksum(collection: &str, index: &[u8]) -> String {
    let mut key = format!("{collection}\n");
    hex_into(&mut key, index);
    key
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    hex_into(&mut text, bytes);
    text
}

fn hex_into(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
}

#[async_trait]
impl AppSyncStore for KeyStore {
    async fn get_sync_key(&self, key_id: &[u8]) -> Result<Option<AppStateSyncKey>> {
        self.record(SYNC_KEYS, &hex(key_id)).await
    }

    async fn set_sync_key(&self, key_id: &[u8], key: AppStateSyncKey) -> Result<()> {
        self.apply(vec![put(SYNC_KEYS, hex(key_id), encode(&key)?), put(LATEST, "id", key_id)]).await
    }

    async fn get_version(&self, name: &str) -> Result<HashState> {
        Ok(self.record(VERSIONS, name).await?.unwrap_or_default())
    }

    async fn set_version(&self, name: &str, state: HashState) -> Result<()> {
        self.put_record(VERSIONS, name, &state).await
    }

    async fn put_mutation_macs(
        &self,
        name: &str,
        _version: u64,
        mutations: &[AppStateMutationMAC],
    ) -> Result<()> {
        let one =
            |m: &AppStateMutationMAC| put(CHECKSUMS, checksum(name, &m.index_mac), m.value_mac.as_slice());
        self.apply(mutations.iter().map(one).collect()).await
    }

    async fn get_mutation_mac(&self, name: &str, index_mac: &[u8]) -> Result<Option<Vec<u8>>> {
        self.bytes(CHECKSUMS, &checksum(name, index_mac)).await
    }

    async fn delete_mutation_macs(&self, name: &str, index_macs: &[Vec<u8>]) -> Result<()> {
        let one = |mac: &Vec<u8>| KeyChange::Delete { space: CHECKSUMS, key: checksum(name, mac) };
        self.apply(index_macs.iter().map(one).collect()).await
    }

    async fn clear_mutation_macs(&self, name: &str) -> Result<()> {
        let prefix = checksum(name, &[]);
        let all = self.all(CHECKSUMS).await?.into_iter().filter(|(key, _)| key.starts_with(&prefix));
        self.apply(all.map(|(key, _)| KeyChange::Delete { space: CHECKSUMS, key }).collect()).await
    }

    async fn get_latest_sync_key_id(&self) -> Result<Option<Vec<u8>>> {
        self.bytes(LATEST, "id").await
    }
}
