//! The client of each connection: made when first needed, and again when the connection's credentials change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use frontdesk_chatwoot_client::{ChatwootClient, ChatwootSettings};
use frontdesk_model::{AccountId, SyncConnectionId, Timestamp};
use frontdesk_provider_http::{AddressPolicy, SetupError};
use frontdesk_store::sync_connections::{self, SyncConnectionRow};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::connections::ConnectionError;
use crate::Engine;
use crate::chatwoot::calls::{self, ChatwootCalls};
use crate::monitoring::CHATWOOT;
use crate::vault::{Vault, VaultError};

/// A client that nobody asked for this long is in no use: its breaker may stand as it is for ever.
const IN_USE_MS: i64 = 150_000;

/// What it takes to call there.
pub(super) struct Access {
    pub api_url: String,
    pub remote_account: String,
    pub secrets: Secrets,
}

/// What is sealed of a connection.
#[derive(Clone, Default)]
pub(super) struct Secrets {
    pub api_key: SecretString,
    pub webhook_secrets: Vec<SecretString>,
}

/// The same as it is written down before it is sealed.
#[derive(Serialize, Deserialize)]
struct Written {
    api_key: String,
    webhook_secrets: Vec<String>,
}

impl Secrets {
    pub(super) fn seal(&self, vault: &Vault, id: SyncConnectionId) -> Result<Vec<u8>, VaultError> {
        let written = Written {
            api_key: self.api_key.expose_secret().to_owned(),
            webhook_secrets: self.webhook_secrets.iter().map(|one| one.expose_secret().to_owned()).collect(),
        };
        let text = serde_json::to_vec(&written).map_err(|_| VaultError::Damaged)?;
        vault.seal(&purpose(id), &text)
    }

    pub(super) fn open(vault: &Vault, row: &SyncConnectionRow) -> Result<Self, VaultError> {
        let text = vault.open(&purpose(row.id), &row.sealed_secrets)?;
        let written: Written = serde_json::from_slice(&text).map_err(|_| VaultError::Damaged)?;
        Ok(Self {
            api_key: written.api_key.into(),
            webhook_secrets: written.webhook_secrets.into_iter().map(SecretString::from).collect(),
        })
    }
}

fn purpose(id: SyncConnectionId) -> String {
    format!("sync_connections.secrets:{id}")
}

/// The clients of this node.
#[derive(Default)]
pub(crate) struct Clients {
    open: Mutex<HashMap<SyncConnectionId, Open>>,
}

struct Open {
    account: AccountId,
    /// Of the connection that it was made of.
    version: i64,
    client: ChatwootClient,
    used_at: Timestamp,
}

impl Clients {
    /// Until when the breakers of the clients in use are open.
    pub(crate) fn breakers(&self, now: Timestamp) -> Vec<(AccountId, Option<Timestamp>)> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let in_use = open.values().filter(|open| now.millis_since(open.used_at) < IN_USE_MS);
        in_use.map(|open| (open.account, calls::open_until(open.client.breaker_state(), now))).collect()
    }
}

/// The client of a connection, for whatever is done there: sync, bridge. Clones share limit and breaker.
///
/// Errors: [`ConnectionError::NotFound`] when the account has no such connection; [`ConnectionError::Unusable`] when it can
/// never be called.
pub async fn of(
    engine: &Engine,
    account: AccountId,
    id: SyncConnectionId,
) -> Result<ChatwootClient, ConnectionError> {
    let row = engine.store.read(move |tx| sync_connections::find(tx, account, id)).await?;
    for_row(engine, &row.ok_or(ConnectionError::NotFound)?)
}

/// The same for a row that was read already.
///
/// Errors: as [`of`].
pub fn for_row(engine: &Engine, row: &SyncConnectionRow) -> Result<ChatwootClient, ConnectionError> {
    let clients = engine.sync_clients();
    let mut open = clients.open.lock().unwrap_or_else(PoisonError::into_inner);
    let now = engine.clock.now();
    if let Some(known) = open.get_mut(&row.id)
        && known.version == row.version
    {
        known.used_at = now;
        return Ok(known.client.clone());
    }
    let secrets = Secrets::open(&engine.vault, row)?;
    let access = Access { api_url: row.api_url.clone(), remote_account: row.remote_account.clone(), secrets };
    let settings = settings(engine, &access).map_err(ConnectionError::Unusable)?;
    let calls = ChatwootCalls::new(engine.clock.clone(), engine.channels.recorder.clone());
    calls.count_into(engine.monitoring().meter(row.account_id, CHATWOOT));
    let client = ChatwootClient::with_recorder(settings, Arc::new(calls))
        .map_err(|error| ConnectionError::Unusable(reason(error)))?;
    let made = Open { account: row.account_id, version: row.version, client: client.clone(), used_at: now };
    open.insert(row.id, made);
    Ok(client)
}

/// What its webhooks may be signed with.
///
/// Errors: [`ConnectionError::NotFound`]; [`ConnectionError::Vault`] when they do not open.
pub async fn webhook_secrets(
    engine: &Engine,
    account: AccountId,
    id: SyncConnectionId,
) -> Result<Vec<SecretString>, ConnectionError> {
    let row = engine.store.read(move |tx| sync_connections::find(tx, account, id)).await?;
    Ok(Secrets::open(&engine.vault, &row.ok_or(ConnectionError::NotFound)?)?.webhook_secrets)
}

/// What the client of a connection is told. Errors: why it can never be called.
pub(super) fn settings(engine: &Engine, access: &Access) -> Result<ChatwootSettings, String> {
    let url = access.api_url.parse().map_err(|_| "its address cannot be read".to_owned())?;
    let number = access.remote_account.parse().map_err(|_| "its Account ID is no number".to_owned())?;
    let mut settings = ChatwootSettings::new(url, access.secrets.api_key.clone(), number);
    settings.breaker_open = Duration::from_millis(engine.channels.providers.breaker_open_ms);
    settings.addresses = AddressPolicy::allowing_hosts(&engine.channels.providers.allow_private_hosts);
    Ok(settings)
}

pub(super) fn reason(error: SetupError) -> String {
    match error {
        SetupError::BaseUrl { source, .. } => format!(
            "its address cannot be used: {source}; a private address has to be listed under \
             providers.allow_private_hosts"
        ),
        error @ SetupError::Client { .. } => error.to_string(),
    }
}
