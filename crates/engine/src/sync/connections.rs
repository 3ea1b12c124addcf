//! Connections: made, changed, paused, tried and taken away. What does not work is kept as such, never silently.

use frontdesk_model::sync::{SyncConnectionStatus, SyncProvider};
use frontdesk_model::{AccountId, SyncConnectionId, Timestamp};
use frontdesk_store::sync_connections::{self, SyncConnectionRow};
use frontdesk_store::{StoreError, Topic, Tx};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::clients::{Access, Secrets};
use super::{mirrors, probe, schedule};
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::inboxes::InboxError;
use crate::vault::VaultError;

/// Where Chatwoot is unless said otherwise.
pub const DEFAULT_API_URL: &str = "https://app.chatwoot.com";
/// Connections of an account at most.
const MAX_CONNECTIONS: usize = 50;
const MAX_NAME: usize = 120;
const MAX_SECRET: usize = 500;
const MAX_WEBHOOK_SECRETS: usize = 20;
const MAX_URL: usize = 500;

/// A connection to make.
pub struct NewConnection {
    /// The program.
    pub provider: SyncProvider,
    /// What people call it; made of provider and account when absent.
    pub name: Option<String>,
    /// An access token there.
    pub api_key: SecretString,
    /// The account there, a number.
    pub remote_account: String,
    /// Where it is; [`DEFAULT_API_URL`] when absent.
    pub api_url: Option<String>,
    /// What its webhooks may be signed with.
    pub webhook_secrets: Vec<SecretString>,
    /// When it runs by itself.
    pub schedule: Option<String>,
}

/// What to change; `None` leaves it.
#[derive(Default)]
pub struct ConnectionChanges {
    /// Another name.
    pub name: Option<String>,
    /// Another key.
    pub api_key: Option<SecretString>,
    /// Another account there.
    pub remote_account: Option<String>,
    /// Another address.
    pub api_url: Option<String>,
    /// In place of all those known.
    pub webhook_secrets: Option<Vec<SecretString>>,
    /// `Some(None)`: no longer by itself.
    pub schedule: Option<Option<String>>,
}

/// A connection could not be made, changed or used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// A field and what is wrong with it.
    #[error("the connection's data are not valid")]
    Invalid(Vec<(String, String)>),
    /// There is no such connection in this account.
    #[error("there is no such connection")]
    NotFound,
    /// The account has another connection to the same account there.
    #[error("This account is connected already, as {0}.")]
    Taken(SyncConnectionId),
    /// The account has as many as it may have.
    #[error("An account has {MAX_CONNECTIONS} connections at most. Remove one first.")]
    TooMany,
    /// It can never be called.
    #[error("the connection cannot be called: {0}")]
    Unusable(String),
    /// Its secrets could not be sealed or opened.
    #[error("the secrets of the connection cannot be used")]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error("the connection could not be stored")]
    Store(#[from] StoreError),
}

impl From<InboxError> for ConnectionError {
    fn from(error: InboxError) -> Self {
        match error {
            InboxError::Invalid(wrong) => {
                let first = wrong.into_iter().next().map(|field| field.message);
                Self::Unusable(first.unwrap_or_else(|| "its inboxes cannot be shown".to_owned()))
            }
            InboxError::NotFound => Self::NotFound,
            InboxError::Vault(error) => Self::Vault(error),
            InboxError::Store(error) => Self::Store(error),
        }
    }
}

/// A connection, and whether it was made just now.
pub struct Made {
    /// The connection; its status says whether it works.
    pub row: SyncConnectionRow,
    /// False when the account was connected to the same account there already: its credentials are the new ones now.
    pub is_new: bool,
}

/// Makes a connection and tries it. One that does not work is kept as `error`, with what to put right.
pub async fn create(engine: &Engine, actor: Actor, new: NewConnection) -> Result<Made, ConnectionError> {
    let filled = check(&new, engine.clock.now()).map_err(ConnectionError::Invalid)?;
    let secrets = Secrets { api_key: new.api_key.clone(), webhook_secrets: new.webhook_secrets.clone() };
    let access = Access {
        api_url: filled.api_url.clone(),
        remote_account: new.remote_account.clone(),
        secrets: secrets.clone(),
    };
    let tested = probe::test(engine, &access).await;
    let (cloned, now, account) = (engine.clone(), engine.clock.now(), actor.account_id);
    let (status, error) = outcome(tested);
    engine
        .store
        .write(move |tx| -> Result<_, ConnectionError> {
            let known = sync_connections::find_remote(
                tx,
                account,
                new.provider,
                &filled.api_url,
                &new.remote_account,
            )?;
            let is_new = known.is_none();
            let mut row = match known {
                Some(row) => row,
                None if sync_connections::list(tx, account)?.len() >= MAX_CONNECTIONS => {
                    return Err(ConnectionError::TooMany);
                }
                None => blank(account, new.provider, now),
            };
            row.name.clone_from(&filled.name);
            row.api_url.clone_from(&filled.api_url);
            row.remote_account.clone_from(&new.remote_account);
            if is_new || new.schedule.is_some() {
                (row.schedule, row.next_run_at) = (new.schedule.clone(), filled.next_run_at);
            }
            (row.status, row.error) = (status, error.clone());
            if is_new {
                row.id = sync_connections::insert(tx, &row, now)?;
            }
            row.sealed_secrets = secrets.seal(&cloned.vault, row.id)?;
            sync_connections::update(tx, &row, now)?;
            let action = if is_new { "sync_connection.created" } else { "sync_connection.updated" };
            record(tx, actor, action, row.id, now)?;
            settle(tx, &row)?;
            mirrors::renew(tx, &cloned.vault, &row, &secrets, now)?;
            let row = sync_connections::find(tx, account, row.id)?.ok_or(ConnectionError::NotFound)?;
            Ok(Made { row, is_new })
        })
        .await
}

/// Changes a connection of the actor's account, and tries it unless it is paused.
pub async fn update(
    engine: &Engine,
    actor: Actor,
    id: SyncConnectionId,
    changes: ConnectionChanges,
) -> Result<SyncConnectionRow, ConnectionError> {
    let before = get(engine, actor.account_id, id).await?;
    let mut secrets = Secrets::open(&engine.vault, &before);
    if let Some(api_key) = &changes.api_key {
        // A key that cannot be opened any more may be given anew.
        let webhook_secrets = secrets.map(|known| known.webhook_secrets).unwrap_or_default();
        secrets = Ok(Secrets { api_key: api_key.clone(), webhook_secrets });
    }
    let mut secrets = secrets?;
    if let Some(given) = &changes.webhook_secrets {
        secrets.webhook_secrets.clone_from(given);
    }
    let (old_schedule, schedule) = (before.schedule.clone(), changes.schedule.clone());
    let new = NewConnection {
        provider: before.provider,
        name: Some(changes.name.unwrap_or(before.name.clone())),
        api_key: secrets.api_key.clone(),
        remote_account: changes.remote_account.unwrap_or(before.remote_account.clone()),
        api_url: Some(changes.api_url.unwrap_or(before.api_url.clone())),
        webhook_secrets: secrets.webhook_secrets.clone(),
        schedule: schedule.unwrap_or(old_schedule),
    };
    let filled = check(&new, engine.clock.now()).map_err(ConnectionError::Invalid)?;
    let access = Access {
        api_url: filled.api_url.clone(),
        remote_account: new.remote_account.clone(),
        secrets: secrets.clone(),
    };
    let tested = match before.status {
        SyncConnectionStatus::Paused => None,
        _ => Some(outcome(probe::test(engine, &access).await)),
    };
    let (cloned, now) = (engine.clone(), engine.clock.now());
    engine
        .store
        .write(move |tx| -> Result<_, ConnectionError> {
            let row = sync_connections::find(tx, actor.account_id, id)?.ok_or(ConnectionError::NotFound)?;
            let mut row = row;
            let moved = row.api_url != filled.api_url || row.remote_account != new.remote_account;
            if moved {
                let (url, remote) = (&filled.api_url, &new.remote_account);
                let other = sync_connections::find_remote(tx, row.account_id, row.provider, url, remote)?;
                if let Some(other) = other {
                    return Err(ConnectionError::Taken(other.id));
                }
                row.scope = None;
                mirrors::cut_off(tx, &cloned.vault, &row, now)?;
            }
            row.name.clone_from(&filled.name);
            row.api_url.clone_from(&filled.api_url);
            row.remote_account.clone_from(&new.remote_account);
            if row.schedule != new.schedule {
                row.schedule.clone_from(&new.schedule);
                row.next_run_at = filled.next_run_at;
            }
            row.sealed_secrets = secrets.seal(&cloned.vault, row.id)?;
            if let Some((status, error)) = &tested {
                (row.status, row.error) = (*status, error.clone());
            }
            sync_connections::update(tx, &row, now)?;
            record(tx, actor, "sync_connection.updated", id, now)?;
            settle(tx, &row)?;
            mirrors::renew(tx, &cloned.vault, &row, &secrets, now)?;
            sync_connections::find(tx, actor.account_id, id)?.ok_or(ConnectionError::NotFound)
        })
        .await
}

/// Pauses a connection: it neither runs nor takes webhooks.
pub async fn pause(
    engine: &Engine,
    actor: Actor,
    id: SyncConnectionId,
) -> Result<SyncConnectionRow, ConnectionError> {
    set_status(engine, actor, id, "sync_connection.paused", (SyncConnectionStatus::Paused, None)).await
}

/// Tries a connection anew, and thereby switches a paused one on.
pub async fn resume(
    engine: &Engine,
    actor: Actor,
    id: SyncConnectionId,
) -> Result<SyncConnectionRow, ConnectionError> {
    let row = get(engine, actor.account_id, id).await?;
    let secrets = Secrets::open(&engine.vault, &row)?;
    let access = Access { api_url: row.api_url, remote_account: row.remote_account, secrets };
    let tested = outcome(probe::test(engine, &access).await);
    let action = match row.status {
        SyncConnectionStatus::Paused => "sync_connection.resumed",
        _ => "sync_connection.tested",
    };
    set_status(engine, actor, id, action, tested).await
}

async fn set_status(
    engine: &Engine,
    actor: Actor,
    id: SyncConnectionId,
    action: &'static str,
    (status, error): (SyncConnectionStatus, Option<String>),
) -> Result<SyncConnectionRow, ConnectionError> {
    let (now, account) = (engine.clock.now(), actor.account_id);
    engine
        .store
        .write(move |tx| -> Result<_, ConnectionError> {
            sync_connections::find(tx, account, id)?.ok_or(ConnectionError::NotFound)?;
            sync_connections::set_status(tx, account, id, status, error.as_deref(), now)?;
            record(tx, actor, action, id, now)?;
            let row = sync_connections::find(tx, account, id)?.ok_or(ConnectionError::NotFound)?;
            settle(tx, &row)?;
            tx.signal(Topic::Sync);
            sync_connections::find(tx, account, id)?.ok_or(ConnectionError::NotFound)
        })
        .await
}

/// Takes a connection away. What it brought stays; connected again, nothing is there twice.
pub async fn delete(engine: &Engine, actor: Actor, id: SyncConnectionId) -> Result<(), ConnectionError> {
    let (cloned, now) = (engine.clone(), engine.clock.now());
    engine
        .store
        .write(move |tx| -> Result<_, ConnectionError> {
            let row = sync_connections::find(tx, actor.account_id, id)?.ok_or(ConnectionError::NotFound)?;
            if !sync_connections::remove(tx, actor.account_id, id, now)? {
                return Err(ConnectionError::NotFound);
            }
            mirrors::cut_off(tx, &cloned.vault, &row, now)?;
            record(tx, actor, "sync_connection.deleted", id, now)?;
            tx.signal(Topic::Sync);
            Ok(())
        })
        .await
}

/// The connections of an account, the oldest first.
pub async fn list(engine: &Engine, account: AccountId) -> Result<Vec<SyncConnectionRow>, StoreError> {
    engine.store.read(move |tx| sync_connections::list(tx, account)).await
}

/// How many secrets of webhooks a connection knows; none when they do not open.
pub fn count_webhook_secrets(engine: &Engine, row: &SyncConnectionRow) -> usize {
    Secrets::open(&engine.vault, row).map_or(0, |secrets| secrets.webhook_secrets.len())
}

/// One connection.
pub async fn get(
    engine: &Engine,
    account: AccountId,
    id: SyncConnectionId,
) -> Result<SyncConnectionRow, ConnectionError> {
    let row = engine.store.read(move |tx| sync_connections::find(tx, account, id)).await?;
    row.ok_or(ConnectionError::NotFound)
}

/// What was given, made complete.
#[derive(Clone)]
struct Filled {
    name: String,
    api_url: String,
    next_run_at: Option<Timestamp>,
}

fn check(new: &NewConnection, now: Timestamp) -> Result<Filled, Vec<(String, String)>> {
    let mut wrong = Vec::new();
    let mut refuse = |field: &str, sentence: &str| wrong.push((field.to_owned(), sentence.to_owned()));
    let key = new.api_key.expose_secret();
    if key.trim().is_empty() {
        refuse("apiKey", "The apiKey field is required.");
    } else if key.len() > MAX_SECRET || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        refuse("apiKey", "The apiKey field must be an access token: letters and digits without spaces.");
    }
    let remote = &new.remote_account;
    let is_number =
        remote.len() <= 18 && remote.parse::<i64>().is_ok_and(|id| id > 0 && id.to_string() == *remote);
    if !is_number {
        refuse(
            "config.accountId",
            "The config.accountId field must be the number in the addresses of Chatwoot's pages, /app/accounts/….",
        );
    }
    let api_url = tidy_url(new.api_url.as_deref().map_or(DEFAULT_API_URL, str::trim));
    if api_url.is_none() {
        refuse(
            "config.apiUrl",
            "The config.apiUrl field must be an address as https://chatwoot.example.com.",
        );
    }
    let fits = |secret: &SecretString| (1..=MAX_SECRET).contains(&secret.expose_secret().trim().len());
    if new.webhook_secrets.len() > MAX_WEBHOOK_SECRETS || !new.webhook_secrets.iter().all(fits) {
        refuse(
            "config.webhookSecrets",
            "The config.webhookSecrets field must be a list of at most 20 secrets, none of them empty.",
        );
    }
    let default_name = || format!("Chatwoot {remote}");
    let name = new.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let name = name.map_or_else(default_name, str::to_owned);
    if name.chars().count() > MAX_NAME {
        refuse("name", "The name field must not be greater than 120 characters.");
    }
    let next = new.schedule.as_deref().map(|expression| schedule::next_after(expression, now)).transpose();
    if let Err(error) = &next {
        refuse("schedule", &error.to_string());
    }
    match (api_url, next) {
        (Some(api_url), Ok(next_run_at)) if wrong.is_empty() => Ok(Filled { name, api_url, next_run_at }),
        _ => Err(wrong),
    }
}

/// An address without what does not belong to it, always written the same way.
fn tidy_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= MAX_URL)?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !is_plain || !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn blank(account: AccountId, provider: SyncProvider, now: Timestamp) -> SyncConnectionRow {
    SyncConnectionRow {
        id: SyncConnectionId(0),
        account_id: account,
        provider,
        name: String::new(),
        remote_account: String::new(),
        api_url: String::new(),
        sealed_secrets: Vec::new(),
        schedule: None,
        next_run_at: None,
        status: SyncConnectionStatus::Error,
        error: None,
        scope: None,
        last_sync_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

fn outcome(tested: Result<(), String>) -> (SyncConnectionStatus, Option<String>) {
    match tested {
        Ok(()) => (SyncConnectionStatus::Connected, None),
        Err(sentence) => (SyncConnectionStatus::Error, Some(sentence)),
    }
}

/// A connection that works has a scope from then on.
fn settle(tx: &mut Tx<'_>, row: &SyncConnectionRow) -> Result<(), StoreError> {
    if row.status == SyncConnectionStatus::Connected {
        sync_connections::settle_scope(tx, row)?;
    }
    Ok(())
}

fn record(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &str,
    id: SyncConnectionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let deed = Deed { action, subject_type: "sync_connection", subject_id: id.0 };
    audit::record(tx, actor, deed, None, now)
}

#[cfg(test)]
mod tests {
    use super::tidy_url;

    #[test]
    fn an_address_is_written_in_one_way_alone() {
        for text in ["https://cw.example.org", "https://cw.example.org/", "https://CW.example.org:443//"] {
            assert_eq!(tidy_url(text).as_deref(), Some("https://cw.example.org"), "{text}");
        }
        assert_eq!(tidy_url("http://10.0.0.1:3000/chat/").as_deref(), Some("http://10.0.0.1:3000/chat"));
        for text in
            ["", "cw.example.org", "ftp://cw.example.org", "https://u:p@cw.example.org", "https://cw?x=1"]
        {
            assert_eq!(tidy_url(text), None, "{text}");
        }
    }
}
