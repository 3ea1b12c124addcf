//! Making, changing and ending bridges.

use std::net::IpAddr;

use frontdesk_chatwoot_client::{ChatwootClient, ChatwootError, Inbox, NewApiInbox};
use frontdesk_model::{AccountId, BridgeId, InboxId, SyncConnectionId, Timestamp};
use frontdesk_store::bridges::{self, BridgeRow, BridgeStatus, NewBridge};
use frontdesk_store::{StoreError, Tx, bridge_jobs, bridge_links, events};
use secrecy::ExposeSecret;
use serde_json::json;
use url::Url;

use super::door;
use super::settings::BridgeSettings;
use super::trouble::said;
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::sync::connections::ConnectionError;
use crate::vault::{self, Vault, VaultError};
use crate::{Engine, inboxes, sync};

/// The most bridges of an account that are listed.
const MAX_BRIDGES: i64 = 1_000;
/// What a bridge is told to lack until it was set up.
const NOT_SET_UP: &str = "The inbox in Chatwoot could not be made yet: switch the bridge on again.";

/// A bridge to be made.
#[derive(Debug, Clone)]
pub struct NewBridgeOf {
    /// The Chatwoot.
    pub connection: SyncConnectionId,
    /// Our inbox.
    pub inbox: InboxId,
    /// What the API inbox there is called; the name of ours if not given.
    pub name: Option<String>,
    /// What people choose.
    pub settings: BridgeSettings,
}

/// A bridge as shown.
#[derive(Clone)]
pub struct BridgeView {
    /// As stored.
    pub row: BridgeRow,
    /// What people chose.
    pub settings: BridgeSettings,
    /// Where its inbox delivers.
    pub webhook_url: String,
    /// What may go wrong.
    pub warnings: Vec<&'static str>,
    /// How much waits, both ways.
    pub waiting: i64,
    /// How much was given up.
    pub failed: i64,
    /// Since when the oldest waits.
    pub oldest_waiting_at: Option<Timestamp>,
}

/// A bridge could not be made, changed or ended.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// There is no such bridge in this account.
    #[error("there is no such bridge")]
    NotFound,
    /// A field and what is wrong with it.
    #[error("the bridge's data are not valid")]
    Invalid(&'static str, String),
    /// The inbox has one.
    #[error("This inbox has a bridge already.")]
    Taken(BridgeId),
    /// Its connection cannot be used.
    #[error(transparent)]
    Connection(ConnectionError),
    /// Chatwoot refused or failed.
    #[error("{}", said(.0))]
    Chatwoot(Box<ChatwootError>),
    /// A secret could not be sealed or opened.
    #[error("the secret of the bridge cannot be used")]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error("the bridge could not be stored")]
    Store(#[from] StoreError),
}

impl From<ChatwootError> for BridgeError {
    fn from(error: ChatwootError) -> Self {
        Self::Chatwoot(Box::new(error))
    }
}

impl From<ConnectionError> for BridgeError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::NotFound => {
                Self::Invalid("connectionId", "There is no such connection.".to_owned())
            }
            error => Self::Connection(error),
        }
    }
}

/// Makes a bridge: the API inbox there is made, or taken over when it delivers to this bridge already.
pub async fn create(engine: &Engine, actor: Actor, new: NewBridgeOf) -> Result<BridgeView, BridgeError> {
    let account = actor.account_id;
    let book = inboxes::book(engine).await?;
    let inbox = book.find(new.inbox).filter(|inbox| inbox.config.account_id == account);
    let inbox = inbox.ok_or_else(|| BridgeError::Invalid("inboxId", "There is no such inbox.".to_owned()))?;
    if inbox.channel.info().mirrored {
        let sentence = "This inbox shows one of Chatwoot: what is in it is there already.";
        return Err(BridgeError::Invalid("inboxId", sentence.to_owned()));
    }
    let name = new.name.clone().unwrap_or_else(|| inbox.name.clone());
    let client = sync::clients::of(engine, account, new.connection).await?;
    let row = insert(engine, actor, &new).await?;
    let set_up = set_up(engine, &row, &client, &name, new.settings).await;
    if let Err(BridgeError::Chatwoot(error)) = &set_up
        && error.certain()
    {
        // Nothing was made there, so that nothing needs to be remembered here.
        let id = row.id;
        engine.store.write(move |tx| bridges::delete(tx, account, id)).await?;
    }
    set_up?;
    get(engine, account, row.id).await
}

/// The row of a new bridge, or of one that could not be set up before.
async fn insert(engine: &Engine, actor: Actor, new: &NewBridgeOf) -> Result<BridgeRow, BridgeError> {
    let key = hex::encode(vault::random::<32>()?);
    let (new, now, account) = (new.clone(), engine.clock.now(), actor.account_id);
    engine
        .store
        .write(move |tx| {
            let settings = new.settings.to_json();
            let row = NewBridge {
                account_id: account,
                connection_id: new.connection,
                inbox_id: new.inbox,
                webhook_key: &key,
                settings: &settings,
                last_error: NOT_SET_UP,
            };
            match bridges::insert(tx, row, now)? {
                Some(id) => {
                    let details = json!({ "inbox_id": new.inbox, "connection_id": new.connection });
                    note(tx, actor, "bridge.created", id, &details, now)?;
                }
                None => {
                    let other =
                        bridges::find_of_inbox(tx, account, new.inbox)?.ok_or(BridgeError::NotFound)?;
                    if other.remote_inbox_id.is_some() || other.connection_id != new.connection {
                        return Err(BridgeError::Taken(other.id));
                    }
                    bridges::set_settings(tx, account, other.id, &settings, now)?;
                }
            }
            bridges::find_of_inbox(tx, account, new.inbox)?.ok_or(BridgeError::NotFound)
        })
        .await
}

/// Makes the inbox there, or takes over the one that delivers to this bridge, and keeps what it is signed with.
async fn set_up(
    engine: &Engine,
    row: &BridgeRow,
    client: &ChatwootClient,
    name: &str,
    settings: BridgeSettings,
) -> Result<(), BridgeError> {
    let url = webhook_url(engine, row);
    let ours = |inbox: &Inbox| {
        row.remote_inbox_id == Some(inbox.id) || inbox.webhook_url.as_deref() == Some(url.as_str())
    };
    let found = client.list_inboxes().await?.into_iter().find(ours);
    let changes =
        json!({ "lock_to_single_conversation": settings.locks(), "channel": { "webhook_url": url } });
    let inbox = match found {
        Some(found) => client.update_inbox(found.id, &changes).await?,
        None => {
            let new = NewApiInbox {
                name: name.to_owned(),
                webhook_url: Some(url.clone()),
                lock_to_single_conversation: settings.locks(),
            };
            match client.create_api_inbox(&new).await {
                Ok(made) => made,
                Err(error) if error.certain() => return Err(error.into()),
                // Its answer was lost: it may be there.
                Err(error) => client.list_inboxes().await?.into_iter().find(ours).ok_or(error)?,
            }
        }
    };
    let inbox = if inbox.secret.is_some() { inbox } else { client.get_inbox(inbox.id).await? };
    let secret = inbox.secret.as_ref().map(|secret| secret.expose_secret().as_bytes());
    let secret = secret.filter(|secret| !secret.is_empty());
    let sealed = secret.map(|secret| engine.vault.seal(&purpose(row.account_id), secret)).transpose()?;
    let (account, id, remote, now) = (row.account_id, row.id, inbox.id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let head = events::last_seq(tx, account)?;
            bridges::set_up(tx, account, id, remote, sealed.as_deref(), head, now)
        })
        .await?;
    Ok(())
}

/// The bridges of an account.
pub async fn list(engine: &Engine, account: AccountId) -> Result<Vec<BridgeView>, BridgeError> {
    let read = move |tx: &mut Tx<'_>| {
        let rows = bridges::list(tx, account, BridgeId(0), MAX_BRIDGES)?;
        rows.into_iter().map(|row| Ok((bridge_jobs::depth(tx, account, row.id)?, row))).collect()
    };
    let rows: Vec<_> = engine.store.read(read).await.map_err(|error: StoreError| error)?;
    Ok(rows.into_iter().map(|(depth, row)| show(engine, row, depth)).collect())
}

/// One bridge.
pub async fn get(engine: &Engine, account: AccountId, id: BridgeId) -> Result<BridgeView, BridgeError> {
    let read = move |tx: &mut Tx<'_>| {
        let Some(row) = bridges::find(tx, account, id)? else { return Ok(None) };
        Ok::<_, StoreError>(Some((bridge_jobs::depth(tx, account, id)?, row)))
    };
    let (depth, row) = engine.store.read(read).await?.ok_or(BridgeError::NotFound)?;
    Ok(show(engine, row, depth))
}

fn show(engine: &Engine, row: BridgeRow, depth: (i64, i64, Option<Timestamp>)) -> BridgeView {
    let (waiting, failed, oldest_waiting_at) = depth;
    let mut warnings = Vec::new();
    if is_private(&engine.settings.public_url) {
        warnings.push(
            "The public address of Frontdesk is a private one. Chatwoot 4.14 and later deliver nothing there: set \
             FRONTDESK_PUBLIC_URL to an address that Chatwoot reaches over the internet, or SAFE_FETCH_ALLOW_PRIVATE_NETWORK=true \
             in Chatwoot (4.14.1 and later).",
        );
    }
    if row.remote_inbox_id.is_some() && row.secret.is_none() {
        warnings.push(
            "Chatwoot signs nothing for this inbox, as versions before 4.13 do: what it delivers is read from Chatwoot again.",
        );
    }
    BridgeView {
        settings: BridgeSettings::parse(&row.settings),
        webhook_url: webhook_url(engine, &row),
        row,
        warnings,
        waiting,
        failed,
        oldest_waiting_at,
    }
}

/// What changes about a bridge; what is `None` stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct BridgeChanges {
    /// What people choose.
    pub settings: Option<BridgeSettings>,
    /// On (also: try again what was given up) or off.
    pub is_on: Option<bool>,
}

/// Changes a bridge. What is switched on is set up anew: address, lock and secret are right afterwards.
pub async fn update(
    engine: &Engine,
    actor: Actor,
    id: BridgeId,
    changes: BridgeChanges,
) -> Result<BridgeView, BridgeError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    let before = get(engine, account, id).await?;
    let settings = changes.settings.unwrap_or(before.settings);
    let is_locked_anew = settings.locks() != before.settings.locks();
    if changes.is_on == Some(true) || is_locked_anew && changes.is_on != Some(false) {
        let client = sync::clients::of(engine, account, before.row.connection_id).await?;
        let book = inboxes::book(engine).await?;
        let name = book.find(before.row.inbox_id).map_or("Frontdesk", |inbox| inbox.name.as_str());
        set_up(engine, &before.row, &client, name, settings).await?;
    }
    engine
        .store
        .write(move |tx| {
            bridges::set_settings(tx, account, id, &settings.to_json(), now)?;
            match changes.is_on {
                Some(true) => {
                    bridges::set_status(tx, account, id, BridgeStatus::Enabled, None, now)?;
                    bridge_jobs::revive(tx, account, id, now)?;
                    bridge_jobs::wake(tx, account, id, now)?;
                }
                Some(false) => bridges::set_status(tx, account, id, BridgeStatus::Paused, None, now)?,
                None => {}
            }
            let details = json!({ "settings": settings, "is_on": changes.is_on });
            note(tx, actor, "bridge.updated", id, &details, now)
        })
        .await?;
    engine.bridges().work.notify_one();
    get(engine, account, id).await
}

/// Ends a bridge; `with_inbox`: the inbox there goes too, with its conversations.
pub async fn delete(
    engine: &Engine,
    actor: Actor,
    id: BridgeId,
    with_inbox: bool,
) -> Result<(), BridgeError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    let row = get(engine, account, id).await?.row;
    if with_inbox && let Some(remote) = row.remote_inbox_id {
        sync::clients::of(engine, account, row.connection_id).await?.delete_inbox(remote).await?;
    }
    engine
        .store
        .write(move |tx| {
            forget(tx, account, id)?;
            note(tx, actor, "bridge.deleted", id, &json!({ "with_inbox": with_inbox }), now)
        })
        .await?;
    Ok(())
}

/// Takes a bridge away with all that it knows and has to do.
pub(crate) fn forget(tx: &mut Tx<'_>, account: AccountId, id: BridgeId) -> Result<(), StoreError> {
    bridge_jobs::forget(tx, account, id)?;
    bridge_links::forget(tx, account, id)?;
    bridges::delete(tx, account, id).map(drop)
}

fn note(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &str,
    id: BridgeId,
    details: &serde_json::Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    let deed = Deed { action, subject_type: "bridge", subject_id: id.0 };
    audit::record(tx, actor, deed, Some(details), now)
}

fn webhook_url(engine: &Engine, row: &BridgeRow) -> String {
    format!("{}{}{}", engine.settings.public_url, door::PATH, row.webhook_key)
}

/// What the webhooks of a bridge are signed with.
pub(super) fn open_secret(vault: &Vault, account: AccountId, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    vault.open(&purpose(account), sealed)
}

fn purpose(account: AccountId) -> String {
    format!("bridges.secret:{account}")
}

/// True for addresses that are reached from within a network alone.
fn is_private(url: &str) -> bool {
    let Ok(url) = url.parse::<Url>() else { return false };
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
        }
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => !host.contains('.') || host.ends_with(".local") || host.ends_with(".internal"),
    }
}

#[cfg(test)]
mod tests {
    use super::is_private;

    #[test]
    fn addresses_that_chatwoot_will_not_call_are_known() {
        for url in [
            "http://127.0.0.1:8080",
            "http://frontdesk:8080",
            "https://10.1.2.3",
            "http://[::1]:80",
            "https://x.local",
        ] {
            assert!(is_private(url), "{url}");
        }
        for url in ["https://inbox.example.org", "https://8.8.8.8", "https://[2606:4700::1111]"] {
            assert!(!is_private(url), "{url}");
        }
    }
}
