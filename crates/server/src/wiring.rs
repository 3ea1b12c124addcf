//! Builds a server of its settings, runs it and stops it.
//!
//! Order of building: key, database, schema, engine, workers, routes, listener. Order of stopping: no new connections,
//! no new work (both by [`Engine`]'s `shutdown`), answer what was asked, finish what was claimed, close the database.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use frontdesk_channels::contract::{ChannelContext, NoSessions};
use frontdesk_engine::media::MediaStore;
use frontdesk_engine::vault::Vault;
use frontdesk_engine::workers::{self, Workers};
use frontdesk_engine::{Engine, EngineParts, accounts};
use frontdesk_model::SharedClock;
use frontdesk_store::{Store, server_settings};
use rand::RngCore;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::body_pace::{BodyPace, keep_pace};
use crate::data_lock::DataLock;
use crate::listener::{Connections, listen};
use crate::metrics::ProviderCalls;
use crate::secret_key::SecretKey;
use crate::settings::Settings;
use crate::{first_inbox, metrics, secret_key};

/// Where the database remembers which key its secrets were sealed with: a signature made with it, not the key.
const KEY_CHECK: &str = "secret_key_check";

/// The database was made with another key.
#[derive(Debug, thiserror::Error)]
#[error(
    "the secret key is not the one this database was made with: give that one in FRONTDESK_SECRET_KEY or as the key file"
)]
pub struct OtherKey;

/// A running server.
pub struct Server {
    address: SocketAddr,
    engine: Engine,
    connections: Arc<Connections>,
    workers: Workers,
    patience: Duration,
    _folder: DataLock,
}

/// Opens the database, without looking at its schema.
pub async fn open_store(settings: &Settings, clock: SharedClock) -> anyhow::Result<Store> {
    Store::open(&settings.for_store(), clock).await.context("the database could not be opened")
}

/// Opens the database, brings its schema up to date and makes the engine. Starts nothing.
pub async fn build_engine(settings: &Settings, clock: SharedClock) -> anyhow::Result<Engine> {
    let key = secret_key::load_or_make(settings)?;
    let store = open_store(settings, clock.clone()).await?;
    if let Some((setting, variable)) = settings.chatwoot.missing() {
        tracing::warn!(
            missing = setting,
            "Chatwoot is not connected: set {variable}, or unset the rest of it"
        );
    }
    let done = store.migrate().await.context("the database's schema could not be brought up to date")?;
    if !done.applied.is_empty() {
        tracing::info!(from = done.from, to = done.to, "Brought the database's schema up to date");
    }
    check_key(&store, &key).await?;
    let media = open_media(settings, &store)?;
    Ok(Engine::new(EngineParts {
        store,
        media,
        settings: settings.for_engine(),
        vault: Vault::new(key),
        channels: ChannelContext {
            clock: clock.clone(),
            providers: Arc::new(settings.for_channels()),
            recorder: Arc::new(ProviderCalls),
            stacks: Arc::default(),
            sessions: Arc::new(NoSessions),
        },
        clock,
        node_id: node_id(),
        shutdown: CancellationToken::new(),
    }))
}

/// Opens the media store of a database.
pub fn open_media(settings: &Settings, store: &Store) -> anyhow::Result<MediaStore> {
    let media = MediaStore::open(&settings.storage.data_dir, &settings.media, store);
    media.context("the bucket of media.s3 cannot be used")
}

/// Refuses a key that the database's secrets were not sealed with. The first key to come is remembered.
async fn check_key(store: &Store, key: &SecretKey) -> anyhow::Result<()> {
    let check = key_check(key);
    let remembered = store.read(|tx| server_settings::find(tx, KEY_CHECK)).await?;
    if remembered.is_none() {
        let check = check.clone();
        store.write(move |tx| server_settings::set_if_absent(tx, KEY_CHECK, &check)).await?;
    }
    fits(store, &check).await
}

/// Whether the database's secrets were sealed with `key`, as far as it remembers.
pub async fn key_fits(store: &Store, key: &SecretKey) -> anyhow::Result<()> {
    fits(store, &key_check(key)).await
}

/// Whether secrets of the database have been sealed with some key.
pub async fn has_key(store: &Store) -> anyhow::Result<bool> {
    Ok(store.read(|tx| server_settings::find(tx, KEY_CHECK)).await?.is_some())
}

async fn fits(store: &Store, check: &str) -> anyhow::Result<()> {
    let remembered = store.read(|tx| server_settings::find(tx, KEY_CHECK)).await?;
    if remembered.is_some_and(|remembered| remembered != check) {
        return Err(OtherKey.into());
    }
    Ok(())
}

fn key_check(key: &SecretKey) -> String {
    Vault::new(*key).sign(KEY_CHECK, "")
}

fn node_id() -> String {
    let mut bytes = [0; 8];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

impl Server {
    /// Starts a server on `settings.server.listen`; port 0 takes a free one, see [`Server::address`].
    pub async fn start(settings: Settings, clock: SharedClock) -> anyhow::Result<Self> {
        let listener = bind(settings.server.listen).await?;
        Self::start_on(listener, settings, clock, Router::new()).await
    }

    /// Starts a server on `listener`, with `more` routes beside its own.
    pub async fn start_on(
        listener: TcpListener,
        mut settings: Settings,
        clock: SharedClock,
        more: Router,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        settings.server.listen = address;
        let folder = DataLock::share(&settings.storage.data_dir)?;
        let recorder = metrics::recorder()?;
        let engine = build_engine(&settings, clock).await?;
        // Makes the first account with its realtime application, or follows what the settings now say of it.
        let account = accounts::bootstrap(&engine).await?;
        first_inbox::connect(&engine, account.id, &settings.whatsapp_gateway).await?;
        let stop = engine.shutdown.clone();
        let render = recorder.clone();
        let pace = BodyPace {
            grace: Duration::from_millis(settings.server.body_timeout_ms),
            bytes_per_second: settings.server.body_bytes_per_second,
        };
        let router = frontdesk_http::router(engine.clone(), settings.for_http(move || render.render()))
            .merge(more)
            .layer(axum::middleware::from_fn_with_state(pace, keep_pace));
        let workers = workers::spawn(&engine);
        tokio::spawn(metrics::keep_up(recorder, stop.clone()));
        let connections = listen(listener, router, &settings.server, stop);
        tracing::info!(address = %address, public_url = settings.public_url(), "Ready");
        let patience = Duration::from_millis(settings.server.shutdown_ms);
        Ok(Self { address, engine, connections, workers, patience, _folder: folder })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The engine it runs.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Cancelled to stop it.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.engine.shutdown
    }

    /// Stops taking work, waits for what was begun as long as the settings allow, and closes the database.
    pub async fn stop(self) {
        self.engine.shutdown.cancel();
        let finished = async {
            self.connections.closed().await;
            self.workers.stopped().await;
        };
        if tokio::time::timeout(self.patience, finished).await.is_err() {
            tracing::warn!(
                connections = self.connections.open(),
                patience_ms = u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX),
                "Stopped before everything was finished; what was claimed is taken up again after its lease"
            );
        }
        self.engine.store.close().await;
        tracing::info!("Stopped");
    }
}

/// Takes the address.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{address} cannot be listened on"))
}
