//! Accounts: the tenants of this server.

use frontdesk_model::AccountId;
use frontdesk_store::accounts::{self, AccountRow, RealtimeApp};
use frontdesk_store::{StoreError, Tx};

use crate::Engine;
use crate::settings::RealtimeAppSettings;
use crate::vault::{self, Vault, VaultError};

/// The account made on first start.
pub const DEFAULT_NAME: &str = "Frontdesk";
const PURPOSE: &str = "accounts.realtime_secret";

/// An account could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The database failed.
    #[error("the account could not be stored")]
    Store(#[from] StoreError),
    /// Its realtime secret could not be sealed or opened.
    #[error("the realtime secret of the account cannot be used")]
    Vault(#[from] VaultError),
    /// The key or id of its realtime application belongs to another account.
    #[error("PUSHER_APP_ID or PUSHER_APP_KEY is already used by another account of this database")]
    RealtimeAppTaken,
}

/// The account everything belongs to unless told otherwise: made on first start, its realtime application kept in
/// step with the settings. Several nodes may start at once.
pub async fn bootstrap(engine: &Engine) -> Result<AccountRow, AccountError> {
    get_or_create(engine, DEFAULT_NAME, engine.settings.realtime_app.clone()).await
}

/// The account of this name, made when there is none.
pub async fn get_or_create_by_name(engine: &Engine, name: &str) -> Result<AccountRow, AccountError> {
    if name == DEFAULT_NAME {
        return bootstrap(engine).await;
    }
    get_or_create(engine, name, RealtimeAppSettings::default()).await
}

/// The secret that signs an account's realtime subscriptions.
pub fn realtime_secret(vault: &Vault, account: &AccountRow) -> Result<String, VaultError> {
    let secret = vault.open(PURPOSE, &account.realtime_secret)?;
    String::from_utf8(secret).map_err(|_| VaultError::Damaged)
}

async fn get_or_create(
    engine: &Engine,
    name: &str,
    wanted: RealtimeAppSettings,
) -> Result<AccountRow, AccountError> {
    let name = name.to_owned();
    let (cloned, now) = (engine.clone(), engine.clock.now());
    let result = engine
        .store
        .write(move |tx| -> Result<AccountRow, AccountError> {
            let vault = &cloned.vault;
            if let Some(account) = accounts::find_by_name(tx, &name)? {
                return follow_settings(tx, vault, account, &wanted);
            }
            let secret = wanted.secret.clone().map_or_else(|| vault::random::<20>().map(hex::encode), Ok)?;
            let app = RealtimeApp {
                id: wanted.id.clone().map_or_else(random_app_id, Ok)?,
                key: wanted.key.clone().map_or_else(|| vault::random::<10>().map(hex::encode), Ok)?,
                sealed_secret: vault.seal(PURPOSE, secret.as_bytes())?,
            };
            accounts::insert(tx, &name, &app, now)?; // `None` when another node was quicker
            let account = accounts::find_by_name(tx, &name)?;
            Ok(account.ok_or(StoreError::Column { column: 0, expected: "the new account" })?)
        })
        .await;
    match result {
        Err(AccountError::Store(error)) if error.is_unique_violation() => Err(AccountError::RealtimeAppTaken),
        other => other,
    }
}

/// Takes over what the settings say about the realtime application; what they leave open stays.
fn follow_settings(
    tx: &mut Tx<'_>,
    vault: &Vault,
    mut account: AccountRow,
    wanted: &RealtimeAppSettings,
) -> Result<AccountRow, AccountError> {
    let mut changed = false;
    if let Some(id) = wanted.id.as_ref().filter(|id| **id != account.realtime_app_id) {
        account.realtime_app_id.clone_from(id);
        changed = true;
    }
    if let Some(key) = wanted.key.as_ref().filter(|key| **key != account.realtime_key) {
        account.realtime_key.clone_from(key);
        changed = true;
    }
    if let Some(secret) = &wanted.secret
        && realtime_secret(vault, &account)? != *secret
    {
        account.realtime_secret = vault.seal(PURPOSE, secret.as_bytes())?;
        changed = true;
    }
    if changed {
        let app = RealtimeApp {
            id: account.realtime_app_id.clone(),
            key: account.realtime_key.clone(),
            sealed_secret: account.realtime_secret.clone(),
        };
        accounts::set_realtime(tx, account.id, &app)?;
    }
    Ok(account)
}

/// Application ids are numbers in Pusher's world; this one has ten digits.
fn random_app_id() -> Result<String, VaultError> {
    let number = u64::from_le_bytes(vault::random()?);
    Ok((1_000_000_000 + number % 9_000_000_000).to_string())
}

/// One account.
pub async fn find(engine: &Engine, account: AccountId) -> Result<Option<AccountRow>, StoreError> {
    engine.store.read(move |tx| accounts::find(tx, account)).await
}
