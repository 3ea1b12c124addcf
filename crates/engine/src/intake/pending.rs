//! News about a message that is not here yet waits for it.

use frontdesk_model::inbound::{DeleteNews, EditNews, StatusNews};
use frontdesk_model::{MessageId, RemoteId};
use frontdesk_store::{StoreError, Tx, messages, pending_updates};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::apply::News;
use super::{changes, status};

/// News that waits, as kept in the database.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Pending {
    Status(StatusNews),
    Reaction(PendingReaction),
    Edit(EditNews),
    Delete(DeleteNews),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PendingReaction {
    pub(super) by_us: bool,
    pub(super) emoji: Option<String>,
    pub(super) at_ms: i64,
}

/// Keeps news until the message `target` arrives.
pub(super) fn keep(tx: &mut Tx<'_>, news: News, target: &str, pending: &Pending) -> Result<(), StoreError> {
    let Ok(data) = serde_json::to_string(pending) else { return Ok(()) };
    // Repeated news are told apart from new ones by all they say.
    let key = hex::encode(Sha256::digest(data.as_bytes()));
    pending_updates::keep(tx, news.account, news.inbox, target, &key, &data, news.now)
}

/// Applies everything that waited for a message which has just got its remote id.
pub(crate) fn settle_pending(
    tx: &mut Tx<'_>,
    news: News,
    remote_id: &RemoteId,
    message: MessageId,
) -> Result<(), StoreError> {
    for data in pending_updates::take(tx, news.account, news.inbox, remote_id.as_str())? {
        let Ok(pending) = serde_json::from_str::<Pending>(&data) else { continue };
        let Some(message) = messages::find(tx, news.account, message)? else { return Ok(()) };
        match pending {
            Pending::Status(s) => status::apply_to(tx, news, message, &s)?,
            Pending::Reaction(r) => changes::react_to(tx, news, &message, &r)?,
            Pending::Edit(e) => changes::edit_message(tx, news, &message, &e)?,
            Pending::Delete(d) => changes::delete_message(tx, news, &message, &d)?,
        }
    }
    Ok(())
}
