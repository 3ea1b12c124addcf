//! The Pusher application of each account, with its secret opened.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_model::AccountId;
use frontdesk_store::accounts::{self, AccountRow};
use frontdesk_store::{StoreError, Tx};
use moka::future::Cache;

use super::auth::Signer;
use crate::Engine;
use crate::accounts::realtime_secret;
use crate::vault::VaultError;

/// How long an application is remembered.
const REMEMBER: Duration = Duration::from_secs(60);
const MAX_REMEMBERED: u64 = 10_000;

/// One account's application.
#[derive(Debug)]
pub struct App {
    /// Whose it is.
    pub account_id: AccountId,
    /// In the paths of the HTTP API.
    pub app_id: String,
    /// Its key and secret.
    pub signer: Signer,
}

/// Why an application cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database does not answer.
    #[error("the application of the account cannot be read")]
    Store(#[from] StoreError),
    /// Its secret does not open.
    #[error("the secret of the application cannot be opened")]
    Vault(#[from] VaultError),
}

/// Applications used lately, by key and by id.
pub(super) struct Apps {
    by_key: Cache<String, Arc<App>>,
    by_id: Cache<String, Arc<App>>,
}

impl Apps {
    pub(super) fn new() -> Self {
        let cache = || Cache::builder().max_capacity(MAX_REMEMBERED).time_to_live(REMEMBER).build();
        Self { by_key: cache(), by_id: cache() }
    }
}

/// The application with this public key.
pub async fn find_by_key(engine: &Engine, key: &str) -> Result<Option<Arc<App>>, AppError> {
    find(engine, &engine.realtime().apps.by_key, key, accounts::find_by_realtime_key).await
}

/// The application with this id.
pub async fn find_by_id(engine: &Engine, app_id: &str) -> Result<Option<Arc<App>>, AppError> {
    find(engine, &engine.realtime().apps.by_id, app_id, accounts::find_by_realtime_app_id).await
}

/// The application of an account.
pub async fn find_by_account(engine: &Engine, account: AccountId) -> Result<Option<Arc<App>>, AppError> {
    let found = engine.store.read(move |tx| accounts::find(tx, account)).await?;
    found.map(|row| open(engine, row)).transpose()
}

async fn find(
    engine: &Engine,
    cache: &Cache<String, Arc<App>>,
    name: &str,
    look_up: fn(&mut Tx<'_>, &str) -> Result<Option<AccountRow>, StoreError>,
) -> Result<Option<Arc<App>>, AppError> {
    if let Some(app) = cache.get(name).await {
        return Ok(Some(app));
    }
    let wanted = name.to_owned();
    let Some(found) = engine.store.read(move |tx| look_up(tx, &wanted)).await? else { return Ok(None) };
    let app = open(engine, found)?;
    cache.insert(name.to_owned(), app.clone()).await;
    Ok(Some(app))
}

fn open(engine: &Engine, account: AccountRow) -> Result<Arc<App>, AppError> {
    let secret = realtime_secret(&engine.vault, &account)?;
    Ok(Arc::new(App {
        account_id: account.id,
        app_id: account.realtime_app_id,
        signer: Signer::new(account.realtime_key, secret),
    }))
}
