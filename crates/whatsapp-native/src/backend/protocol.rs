//! What the protocol wants remembered: which devices somebody has, which number hides behind a LID, what was sent and may be asked for
//! again, and what came in and is not committed yet.

use std::collections::BTreeMap;

use async_trait::async_trait;
use whatsapp_rust::traits::{
    DeviceListRecord, LidPnMappingEntry, PendingInboundKey, PendingInboundRow, ProtocolStore, TcTokenEntry,
};
use whatsapp_rust::wacore::store::error::Result;
use whatsapp_rust::wacore::time::now_secs;

use super::{KeyStore, decode, encode, joined, put};
use frontdesk_channels::contract::KeyChange;

const GROUP_DEVICES: &str = "group_devices";
const LIDS: &str = "lid";
const NUMBERS: &str = "lid_of_number";
const BASE_KEYS: &str = "base_key";
const DEVICE_LISTS: &str = "device_list";
const GROUPS: &str = "group";
const TOKENS: &str = "contact_token";
const SENT: &str = "sent";
const PENDING: &str = "pending_inbound";

/// Which devices of a group have its key.
type Holders = BTreeMap<String, bool>;

#[async_trait]
impl ProtocolStore for KeyStore {
    async fn get_sender_key_devices(&self, group_jid: &str) -> Result<Vec<(String, bool)>> {
        let holders: Option<Holders> = self.record(GROUP_DEVICES, group_jid).await?;
        Ok(holders.unwrap_or_default().into_iter().collect())
    }

    async fn set_sender_key_status(&self, group_jid: &str, entries: &[(&str, bool)]) -> Result<()> {
        let _turn = self.turn.lock().await;
        let mut holders: Holders = self.record(GROUP_DEVICES, group_jid).await?.unwrap_or_default();
        holders.extend(entries.iter().map(|(device, has_key)| ((*device).to_owned(), *has_key)));
        self.put_record(GROUP_DEVICES, group_jid, &holders).await
    }

    async fn clear_sender_key_devices(&self, group_jid: &str) -> Result<()> {
        self.delete(GROUP_DEVICES, group_jid).await
    }

    async fn delete_sender_key_device_rows(&self, device_jids: &[&str]) -> Result<()> {
        if device_jids.is_empty() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        let mut changes = Vec::new();
        for (group, bytes) in self.all(GROUP_DEVICES).await? {
            let mut holders: Holders = decode(&bytes)?;
            let before = holders.len();
            holders.retain(|device, _| !device_jids.contains(&device.as_str()));
            if holders.len() < before {
                changes.push(put(GROUP_DEVICES, group, encode(&holders)?));
            }
        }
        self.apply(changes).await
    }

    async fn clear_all_sender_key_devices(&self) -> Result<()> {
        self.apply(vec![KeyChange::ClearSpace(GROUP_DEVICES)]).await
    }

    async fn get_lid_mapping(&self, lid: &str) -> Result<Option<LidPnMappingEntry>> {
        self.record(LIDS, lid).await
    }

    async fn get_pn_mapping(&self, phone: &str) -> Result<Option<LidPnMappingEntry>> {
        let Some(lid) = self.bytes(NUMBERS, phone).await? else { return Ok(None) };
        self.record(LIDS, &String::from_utf8_lossy(&lid)).await
    }

    async fn put_lid_mapping(&self, entry: &LidPnMappingEntry) -> Result<()> {
        self.put_lid_mappings(std::slice::from_ref(entry)).await
    }

    async fn put_lid_mappings(&self, entries: &[LidPnMappingEntry]) -> Result<()> {
        let _turn = self.turn.lock().await;
        let mut changes = Vec::with_capacity(entries.len() * 2);
        for entry in entries {
            let known: Option<LidPnMappingEntry> = self.record(LIDS, &entry.lid).await?;
            if let Some(old) = known.filter(|old| old.phone_number != entry.phone_number) {
                changes.push(KeyChange::Delete { space: NUMBERS, key: old.phone_number });
            }
            changes.push(put(LIDS, entry.lid.as_str(), encode(entry)?));
            changes.push(put(NUMBERS, entry.phone_number.as_str(), entry.lid.as_bytes()));
        }
        self.apply(changes).await
    }

    async fn get_all_lid_mappings(&self) -> Result<Vec<LidPnMappingEntry>> {
        self.all(LIDS).await?.iter().map(|(_, bytes)| decode(bytes)).collect()
    }

    async fn save_base_key(&self, address: &str, message_id: &str, base_key: &[u8]) -> Result<()> {
        self.put(BASE_KEYS, joined(&[address, message_id]), base_key).await
    }

    async fn has_same_base_key(
        &self,
        address: &str,
        message_id: &str,
        current_base_key: &[u8],
    ) -> Result<bool> {
        let kept = self.bytes(BASE_KEYS, &joined(&[address, message_id])).await?;
        Ok(kept.is_some_and(|kept| kept == current_base_key))
    }

    async fn delete_base_key(&self, address: &str, message_id: &str) -> Result<()> {
        self.delete(BASE_KEYS, joined(&[address, message_id])).await
    }

    async fn update_device_list(&self, record: DeviceListRecord) -> Result<()> {
        self.update_device_lists(vec![record]).await
    }

    async fn update_device_lists(&self, records: Vec<DeviceListRecord>) -> Result<()> {
        let changes: Result<Vec<KeyChange>> = records
            .iter()
            .map(|record| Ok(put(DEVICE_LISTS, record.user.as_str(), encode(record)?)))
            .collect();
        self.apply(changes?).await
    }

    async fn get_devices(&self, user: &str) -> Result<Option<DeviceListRecord>> {
        self.record(DEVICE_LISTS, user).await
    }

    async fn delete_devices(&self, user: &str) -> Result<()> {
        self.delete(DEVICE_LISTS, user).await
    }

    async fn get_group_metadata(&self, group_jid: &str) -> Result<Option<Vec<u8>>> {
        self.bytes(GROUPS, group_jid).await
    }

    async fn put_group_metadata(&self, group_jid: &str, blob: &[u8]) -> Result<()> {
        self.put(GROUPS, group_jid, blob).await
    }

    async fn delete_group_metadata(&self, group_jid: &str) -> Result<()> {
        self.delete(GROUPS, group_jid).await
    }

    async fn get_tc_token(&self, jid: &str) -> Result<Option<TcTokenEntry>> {
        self.record(TOKENS, jid).await
    }

    async fn put_tc_token(&self, jid: &str, entry: &TcTokenEntry) -> Result<()> {
        let _turn = self.turn.lock().await;
        self.put_record(TOKENS, jid, entry).await
    }

    async fn delete_tc_token(&self, jid: &str) -> Result<()> {
        self.delete(TOKENS, jid).await
    }

    async fn get_all_tc_token_jids(&self) -> Result<Vec<String>> {
        Ok(self.all(TOKENS).await?.into_iter().map(|(jid, _)| jid).collect())
    }

    async fn delete_expired_tc_tokens(&self, token_cutoff: i64, sender_cutoff: i64) -> Result<u32> {
        let _turn = self.turn.lock().await;
        let mut changes = Vec::new();
        for (key, bytes) in self.all(TOKENS).await? {
            let entry: TcTokenEntry = decode(&bytes)?;
            let has_token = !entry.token.is_empty() && entry.token_timestamp >= token_cutoff;
            if !has_token && entry.sender_timestamp.is_none_or(|at| at < sender_cutoff) {
                changes.push(KeyChange::Delete { space: TOKENS, key });
            }
        }
        let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        self.apply(changes).await?;
        Ok(count)
    }

    async fn touch_tc_token_sender_timestamp(&self, jid: &str, sender_timestamp: i64) -> Result<()> {
        let _turn = self.turn.lock().await;
        let mut entry = self.get_tc_token(jid).await?.unwrap_or(TcTokenEntry {
            token: Vec::new(),
            token_timestamp: sender_timestamp,
            sender_timestamp: None,
        });
        entry.sender_timestamp = entry.sender_timestamp.max(Some(sender_timestamp));
        self.put_record(TOKENS, jid, &entry).await
    }

    async fn store_received_tc_token(&self, jid: &str, token: &[u8], token_timestamp: i64) -> Result<()> {
        let _turn = self.turn.lock().await;
        let known = self.get_tc_token(jid).await?;
        if known
            .as_ref()
            .is_some_and(|known| !known.token.is_empty() && token_timestamp < known.token_timestamp)
        {
            return Ok(());
        }
        let sender_timestamp = known.and_then(|known| known.sender_timestamp);
        self.put_record(
            TOKENS,
            jid,
            &TcTokenEntry { token: token.to_vec(), token_timestamp, sender_timestamp },
        )
        .await
    }

    async fn store_sent_message(&self, chat_jid: &str, message_id: &str, payload: &[u8]) -> Result<()> {
        let key = joined(&[chat_jid, message_id]);
        self.apply(vec![KeyChange::Put {
            space: SENT,
            key,
            value: payload.to_vec(),
            numbers: (Some(now_secs()), None),
        }])
        .await
    }

    async fn take_sent_message(&self, chat_jid: &str, message_id: &str) -> Result<Option<Vec<u8>>> {
        let _turn = self.turn.lock().await;
        let key = joined(&[chat_jid, message_id]);
        let kept = self.bytes(SENT, &key).await?;
        if kept.is_some() {
            self.delete(SENT, key).await?;
        }
        Ok(kept)
    }

    // Of these counts only lines of the log are made.
    async fn delete_expired_sent_messages(&self, cutoff_timestamp: i64) -> Result<u32> {
        self.delete_below(SENT, cutoff_timestamp).await?;
        Ok(0)
    }

    async fn store_pending_inbound(&self, chat: &str, sender: &str, id: &str, message: &[u8]) -> Result<()> {
        self.store_pending_inbound_batch(&[PendingInboundRow { chat, sender, id, message }]).await
    }

    async fn get_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Result<Option<Vec<u8>>> {
        self.bytes(PENDING, &joined(&[chat, sender, id])).await
    }

    async fn delete_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Result<()> {
        self.delete(PENDING, joined(&[chat, sender, id])).await
    }

    async fn delete_expired_pending_inbound(&self, cutoff_timestamp: i64) -> Result<u32> {
        self.delete_below(PENDING, cutoff_timestamp).await?;
        Ok(0)
    }

    async fn store_pending_inbound_batch(&self, rows: &[PendingInboundRow<'_>]) -> Result<()> {
        let numbers = (Some(now_secs()), None);
        let one = |row: &PendingInboundRow<'_>| KeyChange::Put {
            space: PENDING,
            key: joined(&[row.chat, row.sender, row.id]),
            value: row.message.to_vec(),
            numbers,
        };
        self.apply(rows.iter().map(one).collect()).await
    }

    async fn delete_pending_inbound_batch(&self, keys: &[PendingInboundKey<'_>]) -> Result<()> {
        let one = |row: &PendingInboundKey<'_>| KeyChange::Delete {
            space: PENDING,
            key: joined(&[row.chat, row.sender, row.id]),
        };
        self.apply(keys.iter().map(one).collect()).await
    }
}
