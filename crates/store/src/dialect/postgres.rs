//! PostgreSQL: a pool of connections, one per running transaction, and a listener for NOTIFY.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use frontdesk_model::SharedClock;
use futures_util::TryStreamExt;
use postgres_types::ToSql;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::runtime::Handle;
use tokio_postgres::{AsyncMessage, Config, Row};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::sync::CancellationToken;

use crate::db::tx::{Tx, TxBackend};
use crate::signals::{Signals, TopicSet};
use crate::{StoreError, events};

/// The NOTIFY channel all nodes listen on; the payload is a [`TopicSet`] as a number.
const CHANNEL: &str = "frontdesk";
/// How long a statement waits for a lock that someone else holds. Without an end, a few waiting transactions would take
/// all connections, and reading would stop too. Less than on SQLite, because waits add up: a reply waits for its
/// conversation, which a batch of webhooks holds that itself waits, and then once more. And how long the server keeps
/// the locks of a node that stands still in the middle of a transaction, which all others wait for.
const TIMEOUTS: &str = "SET lock_timeout = '3s'; SET idle_in_transaction_session_timeout = '5s'";
/// How often a transaction is run again after a deadlock.
const MAX_TRIES: usize = 8;

/// The PostgreSQL side of a store.
pub struct Postgres {
    pool: Pool,
    clock: SharedClock,
    signals: Signals,
    closed: CancellationToken,
}

impl Postgres {
    /// Connects and starts listening.
    pub async fn open(
        config: Config,
        connections: usize,
        clock: SharedClock,
        signals: Signals,
    ) -> Result<Self, StoreError> {
        let tls = tls()?;
        let manager = Manager::from_config(
            config.clone(),
            tls.clone(),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(connections)
            .wait_timeout(Some(Duration::from_secs(10)))
            .create_timeout(Some(Duration::from_secs(10)))
            .runtime(deadpool_postgres::Runtime::Tokio1)
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move { client.batch_execute(TIMEOUTS).await.map_err(HookError::Backend) })
            }))
            .build()
            .map_err(|e| StoreError::Unreachable(e.to_string()))?;
        drop(pool.get().await.map_err(unreachable)?);
        let closed = CancellationToken::new();
        tokio::spawn(listen(config, tls, signals.clone(), closed.clone()));
        Ok(Self { pool, clock, signals, closed })
    }

    /// Stops listening and closes the pool.
    pub fn close(&self) {
        self.closed.cancel();
        self.pool.close();
    }

    /// Runs a reading transaction.
    pub async fn read<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let client = self.pool.get().await.map_err(unreachable)?;
        let handle = Handle::current();
        let done = tokio::task::spawn_blocking(move || {
            let guard = RollbackOnDrop { client: Some(client), handle: handle.clone() };
            let mut tx =
                Tx::new(TxBackend::Postgres(PgConnection { client: guard.client(), handle: &handle }));
            batch(guard.client(), &handle, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            let result = body(&mut tx);
            batch(guard.client(), &handle, "ROLLBACK")?;
            guard.finish();
            result
        });
        done.await.map_err(|_| E::from(StoreError::Panicked))?
    }

    /// Runs a writing transaction; again when it met a deadlock.
    pub async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let client = self.pool.get().await.map_err(unreachable)?;
        let handle = Handle::current();
        let clock = self.clock.clone();
        let done = tokio::task::spawn_blocking(move || {
            let guard = RollbackOnDrop { client: Some(client), handle: handle.clone() };
            let mut tries = 0;
            loop {
                tries += 1;
                match write_once(guard.client(), &handle, &body, &clock) {
                    Err((_, true)) if tries < MAX_TRIES => {}
                    Err((error, _)) => break Err(error),
                    Ok(done) => {
                        guard.finish();
                        break Ok(done);
                    }
                }
            }
        });
        let (result, woken) = done.await.map_err(|_| E::from(StoreError::Panicked))??;
        self.signals.ring(woken);
        Ok(result)
    }
}

/// Runs the closure once. The flag beside the error tells that another try may succeed.
fn write_once<T, E: From<StoreError>>(
    client: &Object,
    handle: &Handle,
    body: &impl Fn(&mut Tx<'_>) -> Result<T, E>,
    clock: &SharedClock,
) -> Result<(T, TopicSet), (E, bool)> {
    let mut tx = Tx::new(TxBackend::Postgres(PgConnection { client, handle }));
    batch(client, handle, "BEGIN").map_err(|e| (e.into(), false))?;
    let result = body(&mut tx).and_then(|value| {
        events::flush(&mut tx, clock.now())?;
        Ok(value)
    });
    match result {
        Ok(value) => {
            let woken = tx.signals;
            let commit = if woken.is_empty() {
                "COMMIT".to_owned()
            } else {
                format!("NOTIFY {CHANNEL}, '{}'; COMMIT", woken.bits())
            };
            batch(client, handle, &commit).map_err(|e| (e.into(), false))?;
            Ok((value, woken))
        }
        Err(error) => {
            let conflict = tx.conflict;
            batch(client, handle, "ROLLBACK").map_err(|e| (e.into(), false))?;
            Err((error, conflict))
        }
    }
}

/// A connection whose transaction was left open by a panic or a broken link never returns to the pool.
struct RollbackOnDrop {
    client: Option<Object>,
    handle: Handle,
}

impl RollbackOnDrop {
    #[expect(clippy::expect_used, reason = "the client is taken only by finish and drop")]
    fn client(&self) -> &Object {
        self.client.as_ref().expect("the connection is held until the end")
    }

    fn finish(mut self) {
        self.client = None; // dropped unharmed: returns to the pool
    }
}

impl Drop for RollbackOnDrop {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && (std::thread::panicking() || batch(&client, &self.handle, "ROLLBACK").is_err())
        {
            drop(Object::take(client));
        }
    }
}

fn batch(client: &Object, handle: &Handle, sql: &str) -> Result<(), StoreError> {
    Ok(handle.block_on(client.batch_execute(sql))?)
}

fn unreachable(error: deadpool_postgres::PoolError) -> StoreError {
    match error {
        deadpool_postgres::PoolError::Backend(e) => {
            let reason = std::error::Error::source(&e).map_or_else(|| e.to_string(), |s| format!("{e}: {s}"));
            StoreError::Unreachable(reason)
        }
        other => StoreError::Unreachable(other.to_string()),
    }
}

fn tls() -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| StoreError::Unreachable(e.to_string()))?
        .with_platform_verifier()
        .map_err(|e| StoreError::Unreachable(e.to_string()))?
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Rings this node's bells for commits of other nodes. Reconnects for ever; rings all bells after every (re)connect.
async fn listen(config: Config, tls: MakeRustlsConnect, signals: Signals, closed: CancellationToken) {
    let mut pause = Duration::from_millis(100);
    while !closed.is_cancelled() {
        let listening = listen_once(&config, tls.clone(), &signals);
        tokio::select! {
            () = closed.cancelled() => return,
            result = listening => match result {
                Ok(()) => pause = Duration::from_millis(100),
                Err(error) => tracing::warn!(error = %error, "the notification connection to PostgreSQL was lost"),
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

async fn listen_once(
    config: &Config,
    tls: MakeRustlsConnect,
    signals: &Signals,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(tls).await?;
    let drive = async {
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(note) = message? {
                let bits = note.payload().parse().unwrap_or(u8::MAX);
                signals.ring(TopicSet::from_bits(bits));
            }
        }
        Ok(())
    };
    let subscribe = async {
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        signals.ring(TopicSet::all());
        std::future::pending::<()>().await;
        Ok(())
    };
    tokio::select! {
        result = drive => result,
        result = subscribe => result,
    }
}

/// One connection, driven from a thread that may block.
pub struct PgConnection<'a> {
    client: &'a Object,
    handle: &'a Handle,
}

impl PgConnection<'_> {
    pub(crate) fn execute<P>(&self, sql: &str, params: &[P]) -> Result<u64, tokio_postgres::Error>
    where
        P: ToSql + Sync,
    {
        self.handle.block_on(async {
            let statement = self.client.prepare_cached(sql).await?;
            self.client.execute_raw(&statement, params).await
        })
    }

    pub(crate) fn query<P>(&self, sql: &str, params: &[P]) -> Result<Vec<Row>, tokio_postgres::Error>
    where
        P: ToSql + Sync,
    {
        self.handle.block_on(async {
            let statement = self.client.prepare_cached(sql).await?;
            let references: Vec<&(dyn ToSql + Sync)> = params.iter().map(|p| p as _).collect();
            self.client.query(&statement, &references).await
        })
    }

    /// The rows come as they are wanted: the server is not asked for more while `each` works.
    pub(crate) fn stream(
        &self,
        sql: &str,
        mut each: impl FnMut(&Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.handle.block_on(async {
            let none: [&(dyn ToSql + Sync); 0] = [];
            let mut rows = std::pin::pin!(self.client.query_raw(sql, none).await?);
            while let Some(row) = rows.try_next().await? {
                each(&row)?;
            }
            Ok(())
        })
    }

    pub(crate) fn prepare(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.handle.block_on(self.client.prepare(sql)).map(drop)
    }

    pub(crate) fn execute_script(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.handle.block_on(self.client.batch_execute(sql))
    }
}
