//! Inboxes of the other program that are shown here: each pulled one has an inbox of ours, made when it is first met.

use std::collections::HashMap;

use frontdesk_channels::chatwoot::{self, Mirrored};
use frontdesk_channels::contract::Channel;
use frontdesk_channels::registry::find_channel;
use frontdesk_chatwoot_client::{ChatwootClient, Inbox};
use frontdesk_model::sync::SyncConnectionStatus;
use frontdesk_model::{AccountId, BridgeId, InboxId, Timestamp};
use frontdesk_store::bridges::{self, BridgeRow};
use frontdesk_store::sync_connections::{self, SyncConnectionRow};
use frontdesk_store::{StoreError, Tx};
use secrecy::ExposeSecret;

use super::claim::{Claim, Stop};
use super::clients::Secrets;
use crate::inboxes::mirror::{self, Mirror, Stands};
use crate::inboxes::{self, InboxError};
use crate::vault::Vault;
use crate::{Engine, bridge};

/// More bridges than an account has.
const MAX_BRIDGES: i64 = 10_000;

/// Our inboxes by the ids of theirs. What is not in it is not pulled.
pub(super) type Mirrors = HashMap<i64, InboxId>;

/// Why inboxes could not be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum Obstacle {
    /// The run does not go on for now.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// It never will; why, for people.
    #[error("{0}")]
    Never(String),
}

/// Finds or makes an inbox here for each inbox there, except those that show one of ours there: what is in them came from
/// here, and would go round.
pub(super) async fn ensure(
    engine: &Engine,
    claim: &Claim,
    client: &ChatwootClient,
    row: &SyncConnectionRow,
) -> Result<Mirrors, Obstacle> {
    let theirs = claim.waiting(client.list_inboxes()).await?.map_err(Stop::from)?;
    let secrets = Secrets::open(&engine.vault, row).map_err(|error| Obstacle::Never(error.to_string()))?;
    let (vault, row, now) = (engine.clone(), row.clone(), engine.clock.now());
    let made = engine
        .store
        .write(move |tx| -> Result<Mirrors, InboxError> {
            let ours = bridges::list(tx, row.account_id, BridgeId(0), MAX_BRIDGES)?;
            let mut mirrors = Mirrors::new();
            for inbox in &theirs {
                if is_bridged(tx, &row, &ours, inbox)? {
                    continue;
                }
                let Some(mirror) = mirror_of(&row, &secrets, inbox.id, &inbox.name) else { continue };
                if let Stands::Here(id) = mirror::keep(tx, &vault.vault, &mirror, now)? {
                    mirrors.insert(inbox.id, id);
                }
            }
            Ok(mirrors)
        })
        .await;
    made.map_err(|error| match error {
        InboxError::Store(error) => Obstacle::Stop(Stop::Store(error)),
        error => Obstacle::Never(error.to_string()),
    })
}

/// An inbox there that shows one of ours: of this account, of another, of another server.
fn is_bridged(
    tx: &mut Tx<'_>,
    row: &SyncConnectionRow,
    ours: &[BridgeRow],
    inbox: &Inbox,
) -> Result<bool, StoreError> {
    if inbox.webhook_url.as_deref().is_some_and(|url| url.contains(bridge::door::PATH)) {
        return Ok(true);
    }
    for bridge in ours.iter().filter(|bridge| bridge.remote_inbox_id == Some(inbox.id)) {
        let over = sync_connections::find(tx, row.account_id, bridge.connection_id)?;
        // A connection that is gone may have led anywhere.
        let leads_here = |over: SyncConnectionRow| {
            over.api_url == row.api_url && over.remote_account == row.remote_account
        };
        if over.is_none_or(leads_here) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Our inbox of one there, when it is shown here and switched on.
pub(super) async fn known(
    engine: &Engine,
    row: &SyncConnectionRow,
    remote: i64,
) -> Result<Option<InboxId>, StoreError> {
    let book = inboxes::book(engine).await?;
    let found = book.find_by_route(chatwoot::NAME, &place(row, remote)).first();
    let ours = found.filter(|inbox| inbox.enabled && inbox.config.account_id == row.account_id);
    Ok(ours.map(|inbox| inbox.config.id))
}

/// Gives the inboxes of a connection its credentials, after these changed.
pub(super) fn renew(
    tx: &mut Tx<'_>,
    vault: &Vault,
    row: &SyncConnectionRow,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<(), InboxError> {
    // A key that does not work replaces none that may.
    if row.status == SyncConnectionStatus::Error {
        return Ok(());
    }
    let Some(channel) = channel() else { return Ok(()) };
    let all = places(row);
    for known in mirror::of_place(tx, row.account_id, channel, &all)? {
        let remote = known.route_key.strip_prefix(all.as_str()).and_then(|id| id.parse().ok());
        let Some(mirror) = remote.and_then(|remote| mirror_of(row, secrets, remote, &known.name)) else {
            continue;
        };
        mirror::keep(tx, vault, &mirror, now)?;
    }
    Ok(())
}

/// Takes the credentials from the inboxes of a connection that is removed, or leads elsewhere now.
pub(super) fn cut_off(
    tx: &mut Tx<'_>,
    vault: &Vault,
    row: &SyncConnectionRow,
    now: Timestamp,
) -> Result<(), InboxError> {
    let Some(channel) = channel() else { return Ok(()) };
    mirror::cut_off(tx, vault, row.account_id, channel, &places(row), now)
}

fn channel() -> Option<&'static dyn Channel> {
    find_channel(chatwoot::NAME)
}

fn mirror_of(row: &SyncConnectionRow, secrets: &Secrets, remote: i64, name: &str) -> Option<Mirror> {
    let place = place(row, remote);
    let mirrored = Mirrored {
        place: &place,
        api_url: &row.api_url,
        account_id: &row.remote_account,
        inbox_id: remote,
        api_token: Some(secrets.api_key.expose_secret()),
    };
    let settings = mirrored.settings();
    Some(Mirror { account: row.account_id, channel: channel()?, name: name.to_owned(), settings })
}

/// What tells an inbox apart: two accounts here may show the same one.
fn place(row: &SyncConnectionRow, remote: i64) -> String {
    format!("{}{remote}", places(row))
}

/// What the places of all inboxes of a connection begin with.
fn places(row: &SyncConnectionRow) -> String {
    places_of(row.account_id, &row.api_url, &row.remote_account)
}

fn places_of(account: AccountId, api_url: &str, remote_account: &str) -> String {
    let host = api_url.split("://").last().unwrap_or_default();
    format!("{account}:{host}/{remote_account}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_one_account_are_no_beginning_of_anothers() {
        let all = [(1, "1"), (1, "12"), (11, "1"), (11, "12")]
            .map(|(ours, theirs)| places_of(AccountId(ours), "https://cw.test", theirs));
        for (n, one) in all.iter().enumerate() {
            assert!(
                all.iter().enumerate().all(|(m, other)| n == m || !other.starts_with(one.as_str())),
                "{one}"
            );
        }
    }
}
