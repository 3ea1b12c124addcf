//! Secrets of single messages: edits, votes and reactions to them are encrypted with those.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use whatsapp_rust::traits::{
    MessageSecret, MsgSecretEntry, MsgSecretStore, merge_msg_secret_expiry, merge_msg_secret_message_ts,
};
use whatsapp_rust::wacore::store::error::Result;

use super::{KeyStore, encode, joined};
use frontdesk_channels::contract::KeyChange;

const SECRETS: &str = "message_secret";

#[derive(Serialize, Deserialize)]
struct Kept {
    secret: MessageSecret,
    /// Second since 1970; 0 is never.
    expires_at: i64,
    /// When the message was sent; 0 where nobody knows.
    message_at: i64,
}

#[async_trait]
impl MsgSecretStore for KeyStore {
    async fn put_msg_secrets(&self, entries: Vec<MsgSecretEntry>) -> Result<usize> {
        let _turn = self.turn.lock().await;
        let count = entries.len();
        let mut changes = Vec::with_capacity(count);
        for entry in entries {
            let key = joined(&[&entry.chat, &entry.sender, &entry.msg_id]);
            let (mut expires_at, mut message_at) = (entry.expires_at, entry.message_ts);
            if let Some(known) = self.record::<Kept>(SECRETS, &key).await? {
                expires_at = merge_msg_secret_expiry(known.expires_at, expires_at);
                message_at = merge_msg_secret_message_ts(known.message_at, message_at);
            }
            let value = encode(&Kept { secret: entry.secret, expires_at, message_at })?;
            let numbers = ((expires_at != 0).then_some(expires_at), None);
            changes.push(KeyChange::Put { space: SECRETS, key, value, numbers });
        }
        self.apply(changes).await?;
        Ok(count)
    }

    async fn get_msg_secret(&self, chat: &str, sender: &str, msg_id: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.get_msg_secret_with_ts(chat, sender, msg_id).await?.map(|(secret, _)| secret))
    }

    async fn get_msg_secret_with_ts(
        &self,
        chat: &str,
        sender: &str,
        msg_id: &str,
    ) -> Result<Option<(Vec<u8>, i64)>> {
        let kept: Option<Kept> = self.record(SECRETS, &joined(&[chat, sender, msg_id])).await?;
        Ok(kept.map(|kept| (kept.secret.to_vec(), kept.message_at)))
    }

    // The number is only read for a line of the log.
    async fn delete_expired_msg_secrets(&self, cutoff_timestamp: i64) -> Result<u32> {
        self.delete_below(SECRETS, cutoff_timestamp.saturating_add(1)).await?;
        Ok(0)
    }
}
