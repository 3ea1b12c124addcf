//! News about a message that is not here yet waits for it.

use frontdesk_model::inbound::{DeleteNews, EditNews, StatusNews};
use frontdesk_model::{MessageId, RemoteId};
use frontdesk_store::{StoreError, Tx, messages, pending_updates};
use serde::{Deserialize, Serialize};

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

impl Pending {
    /// Tells repeated news apart from new ones.
    fn key(&self) -> String {
        match self {
            Self::Status(s) => format!("status:{}", s.status),
            Self::Reaction(r) => {
                format!("reaction:{}:{}:{}", r.by_us, r.at_ms, r.emoji.as_deref().unwrap_or(""))
            }
            Self::Edit(e) => format!("edit:{}:{}", e.version, e.at.as_millis()),
            Self::Delete(_) => "delete".to_owned(),
        }
    }
}

/// Keeps news until the message `target` arrives.
pub(super) fn keep(tx: &mut Tx<'_>, news: News, target: &str, pending: &Pending) -> Result<(), StoreError> {
    let Ok(data) = serde_json::to_string(pending) else { return Ok(()) };
    pending_updates::keep(tx, news.account, news.inbox, target, &pending.key(), &data, news.now)
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
            Pending::Status(s) => status::raise(tx, news, &message, &s)?,
            Pending::Reaction(r) => changes::react_to(tx, news, &message, &r)?,
            Pending::Edit(e) => changes::edit_message(tx, news, &message, &e)?,
            Pending::Delete(d) => changes::delete_message(tx, news, &message, &d)?,
        }
    }
    Ok(())
}
