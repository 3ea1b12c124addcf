//! News about a message that is not here yet waits for it.

use frontdesk_model::inbound::{DeleteNews, EditNews, StatusNews};
use frontdesk_model::{MessageId, RemoteId, Timestamp};
use frontdesk_store::{StoreError, Tx, messages, pending_updates};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::apply::News;
use super::{changes, status};
use crate::Engine;

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

/// How many left-behind messages are looked after in one transaction.
const BATCH: i64 = 500;

/// Applies news kept since `since` whose message came at the same moment, in a transaction that could not see them.
/// Whichever of the two ends last finds both.
pub(crate) async fn settle_left_behind(engine: &Engine, since: Timestamp) -> Result<(), StoreError> {
    let find = move |tx: &mut Tx<'_>| pending_updates::list_left_behind(tx, since, BATCH);
    let mut found = engine.store.read(find).await?;
    while !found.is_empty() {
        let now = engine.clock.now();
        engine
            .store
            .write(move |tx| {
                for (account, inbox, message, remote_id) in &found {
                    let news = News { account: *account, inbox: *inbox, now };
                    settle_pending(tx, &[Arrived { news, remote_id, message: *message }])?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
        found = engine.store.read(find).await?;
    }
    Ok(())
}

/// A message that has just got its remote id.
#[derive(Clone, Copy)]
pub(crate) struct Arrived<'a> {
    /// Where and when.
    pub(crate) news: News,
    /// Its id at the provider.
    pub(crate) remote_id: &'a RemoteId,
    /// Its id here.
    pub(crate) message: MessageId,
}

/// Applies everything that waited for messages which have just got their remote ids.
pub(crate) fn settle_pending(tx: &mut Tx<'_>, arrived: &[Arrived<'_>]) -> Result<(), StoreError> {
    let targets: Vec<_> =
        arrived.iter().map(|a| (a.news.account, a.news.inbox, a.remote_id.as_str())).collect();
    for waited in pending_updates::take_many(tx, &targets)? {
        let Ok(pending) = serde_json::from_str::<Pending>(&waited.data) else { continue };
        let about = |a: &&Arrived<'_>| a.news.inbox == waited.inbox && a.remote_id.as_str() == waited.target;
        let Some(Arrived { news, message, .. }) = arrived.iter().copied().find(|a| about(&a)) else {
            continue;
        };
        let Some(message) = messages::find(tx, news.account, message)? else { continue };
        match pending {
            Pending::Status(s) => status::apply_to(tx, news, message, &s)?,
            Pending::Reaction(r) => changes::react_to(tx, news, &message, &r)?,
            Pending::Edit(e) => changes::edit_message(tx, news, &message, &e)?,
            Pending::Delete(d) => changes::delete_message(tx, news, &message, &d)?,
        }
    }
    Ok(())
}
