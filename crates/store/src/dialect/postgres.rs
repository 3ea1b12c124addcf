//! PostgreSQL: a pool of connections, one per running transaction, and a listener for NOTIFY.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, QueueMode, RecyclingMethod};
use frontdesk_model::SharedClock;
use futures_util::TryStreamExt;
use futures_util::future::{poll_immediate, try_join};
use postgres_types::ToSql;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Config, Row};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::sync::CancellationToken;

use super::job::{Done, Job};
use crate::db::tx::{Tx, TxBackend};
use crate::signals::{Signals, TopicSet};
use crate::{StoreError, events};

/// The NOTIFY channel all nodes listen on; the payload is `{process}:{TopicSet as a number}`.
const CHANNEL: &str = "frontdesk";
/// How long a statement waits for a lock that someone else holds. Without an end, a few waiting transactions would take
/// all connections, and reading would stop too. Less than on SQLite, because waits add up: a reply waits for its
/// conversation, which a batch of webhooks holds that itself waits, and then once more. And how long the server keeps
/// the locks of a node that stands still in the middle of a transaction, which all others wait for.
const TIMEOUTS: &str = "SET lock_timeout = '3s'; SET idle_in_transaction_session_timeout = '5s'";
/// Every statement finds its rows by an index. A plan is kept for long: one made while the tables were empty would go
/// through all rows of theirs once they are full. Compiling plans takes longer than the longest of our questions.
const PLANS: &str =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";
/// After so many transactions a connection makes its plans anew, for tables that have grown meanwhile.
const PLANS_LAST: usize = 64;
/// How often the other nodes are told at most; what is committed meanwhile is told all at once.
const BELL_PACE: Duration = Duration::from_millis(5);
/// How often a transaction is run again after a deadlock.
const MAX_TRIES: usize = 8;

/// The PostgreSQL side of a store.
pub struct Postgres {
    pool: Pool,
    clock: SharedClock,
    signals: Signals,
    bell: Arc<Bell>,
    /// Rung when a transaction has left events without numbers.
    unnumbered: Notify,
    closed: CancellationToken,
}

/// Rings the bells of the other nodes after commits. `NOTIFY` within a transaction would make all commits of all nodes
/// wait for each other, each with its sync; so it comes afterwards, once for all commits of a moment. A bell that is
/// lost with its node costs the others their safety interval.
struct Bell {
    waiting: AtomicU8,
    pulled: Notify,
    /// Tells our own bells from others'.
    process: String,
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
            // The connection used last is the one whose plans and caches are there: a few do nearly all the work.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(Duration::from_secs(10)))
            .create_timeout(Some(Duration::from_secs(10)))
            .runtime(deadpool_postgres::Runtime::Tokio1)
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move {
                    client.batch_execute(&format!("{TIMEOUTS}; {PLANS}")).await.map_err(HookError::Backend)
                })
            }))
            .build()
            .map_err(|e| StoreError::Unreachable(e.to_string()))?;
        drop(pool.get().await.map_err(unreachable)?);
        let closed = CancellationToken::new();
        let bell = Arc::new(Bell {
            waiting: AtomicU8::new(0),
            pulled: Notify::new(),
            process: format!("{:016x}", rand::random::<u64>()),
        });
        tokio::spawn(listen(config, tls, signals.clone(), bell.clone(), closed.clone()));
        tokio::spawn(ring(pool.clone(), bell.clone(), closed.clone()));
        Ok(Self { pool, clock, signals, bell, unnumbered: Notify::new(), closed })
    }

    /// Stops listening and closes the pool.
    pub fn close(&self) {
        self.closed.cancel();
        self.pool.close();
    }

    /// True once [`Postgres::close`] was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Returns when a transaction has left events without numbers.
    pub(crate) async fn unnumbered(&self) {
        self.unnumbered.notified().await;
    }

    /// Runs a reading transaction.
    pub fn read(&self, mut job: Box<dyn Job>) -> Done<'_> {
        Box::pin(async move {
            let client = self.pool.get().await.map_err(unreachable)?;
            let handle = Handle::current();
            let done = tokio::task::spawn_blocking(move || {
                let guard = RollbackOnDrop { client: Some(client), handle: handle.clone() };
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                let connection = PgConnection::new(guard.client(), &handle, begin);
                let mut tx = Tx::new(TxBackend::Postgres(connection));
                job.run(&mut tx);
                if tx.has_begun() {
                    forget(guard.client(), &handle);
                }
                drop(tx);
                guard.finish();
                job
            });
            done.await.map_err(|_| StoreError::Panicked)
        })
    }

    /// Runs a writing transaction; again when it met a deadlock.
    pub fn write(&self, mut job: Box<dyn Job>) -> Done<'_> {
        Box::pin(async move {
            let client = self.pool.get().await.map_err(unreachable)?;
            let handle = Handle::current();
            let clock = self.clock.clone();
            let done = tokio::task::spawn_blocking(move || {
                let guard = RollbackOnDrop { client: Some(client), handle: handle.clone() };
                let mut tries = 0;
                loop {
                    tries += 1;
                    match write_once(guard.client(), &handle, &mut *job, &clock) {
                        Outcome::Conflict if tries < MAX_TRIES => {
                            metrics::counter!("frontdesk_transactions_repeated_total").increment(1);
                            tracing::info!(tries, "a transaction met a deadlock and is run again");
                        }
                        Outcome::Conflict | Outcome::Undone => break (job, None),
                        Outcome::Committed(news) => {
                            guard.finish();
                            break (job, Some(news));
                        }
                    }
                }
            });
            let (job, committed) = done.await.map_err(|_| StoreError::Panicked)?;
            if let Some(news) = committed {
                self.tell(&news);
            }
            Ok(job)
        })
    }

    /// Wakes whoever waits for what was committed.
    fn tell(&self, news: &News) {
        if news.leaves_unnumbered {
            self.unnumbered.notify_one();
        }
        self.signals.ring(news.woken);
        if !news.woken.is_empty() {
            self.bell.waiting.fetch_or(news.woken.bits(), Ordering::Relaxed);
            self.bell.pulled.notify_one();
        }
    }
}

/// What has to be told after a commit.
struct News {
    woken: TopicSet,
    leaves_unnumbered: bool,
}

/// How one try to run a transaction ended.
enum Outcome {
    Committed(News),
    /// The job holds the error.
    Undone,
    /// The same, but another try may succeed.
    Conflict,
}

/// Runs the closure once.
fn write_once(client: &Object, handle: &Handle, job: &mut dyn Job, clock: &SharedClock) -> Outcome {
    let is_due = Object::metrics(client).recycle_count % PLANS_LAST == PLANS_LAST - 1;
    let begin = if is_due { "BEGIN; DISCARD PLANS" } else { "BEGIN" };
    let mut tx = Tx::new(TxBackend::Postgres(PgConnection::new(client, handle, begin)));
    let ended = |conflict| if conflict { Outcome::Conflict } else { Outcome::Undone };
    let is_kept = job.run(&mut tx)
        && match events::flush(&mut tx, clock.now()) {
            Ok(()) => true,
            Err(error) => {
                job.fail(error);
                false
            }
        };
    if is_kept {
        return match tx.commit() {
            Ok(()) => Outcome::Committed(News { woken: tx.signals, leaves_unnumbered: tx.leaves_unnumbered }),
            Err(error) => {
                job.fail(error);
                ended(tx.conflict)
            }
        };
    }
    if tx.has_begun()
        && let Err(error) = batch(client, handle, "ROLLBACK")
    {
        job.fail(error);
        return Outcome::Undone;
    }
    ended(tx.conflict)
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

/// Ends a reading transaction without waiting until it ended: whoever has the connection next comes behind.
fn forget(client: &Object, handle: &Handle) {
    let _ = handle.block_on(poll_immediate(pin!(client.batch_execute("ROLLBACK")))); // the first poll sends it
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

/// Tells the other nodes what has been committed here.
async fn ring(pool: Pool, bell: Arc<Bell>, closed: CancellationToken) {
    while closed.run_until_cancelled(bell.pulled.notified()).await.is_some() {
        let topics = bell.waiting.swap(0, Ordering::Relaxed);
        let told = async {
            let client = pool.get().await.map_err(unreachable)?;
            Ok::<_, StoreError>(
                // Nobody waits for the disk: a bell need not outlive a crash.
                client
                    .batch_execute(&format!(
                        "BEGIN; SET LOCAL synchronous_commit = off; NOTIFY {CHANNEL}, '{}:{topics}'; COMMIT",
                        bell.process
                    ))
                    .await?,
            )
        };
        if let Err(error) = told.await {
            tracing::debug!(error = %error, "the other nodes could not be told; they look by themselves");
        }
        tokio::time::sleep(BELL_PACE).await;
    }
}

/// Rings this node's bells for commits of other nodes. Reconnects for ever; rings all bells after every (re)connect.
async fn listen(
    config: Config,
    tls: MakeRustlsConnect,
    signals: Signals,
    bell: Arc<Bell>,
    closed: CancellationToken,
) {
    let mut pause = Duration::from_millis(100);
    while !closed.is_cancelled() {
        let listening = listen_once(&config, tls.clone(), &signals, &bell);
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
    bell: &Bell,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(tls).await?;
    let drive = async {
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(note) = message? {
                let (process, topics) = note.payload().split_once(':').unwrap_or_default();
                if process != bell.process {
                    signals.ring(TopicSet::from_bits(topics.parse().unwrap_or(u8::MAX)));
                }
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
    /// What begins the transaction: sent together with its first statement, so that it costs no round trip.
    begin: Cell<Option<&'static str>>,
    /// Statements that were sent and whose answers nobody has looked at yet.
    under_way: RefCell<Vec<UnderWay<'a>>>,
}

/// A statement that was sent.
type UnderWay<'a> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + 'a>>;

impl<'a> PgConnection<'a> {
    fn new(client: &'a Object, handle: &'a Handle, begin: &'static str) -> Self {
        Self { client, handle, begin: Cell::new(Some(begin)), under_way: RefCell::default() }
    }

    /// True once anything was asked of the database.
    pub(crate) fn has_begun(&self) -> bool {
        self.begin.get().is_none()
    }

    /// Runs `statement`, after the beginning of the transaction when it is the first.
    fn run<T>(
        &self,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, tokio_postgres::Error> {
        self.handle.block_on(async {
            let done = match self.begin.take() {
                // Both are under way at once; the server takes them in the order in which they were first polled.
                Some(begin) => {
                    try_join(self.client.batch_execute(begin), statement).await.map(|((), done)| done)
                }
                None => statement.await,
            };
            // These were answered before it. If one failed, the server refused whatever came after.
            for earlier in self.under_way.take() {
                earlier.await?;
            }
            done
        })
    }

    /// Sends a statement without waiting for its answer: whether it failed is told by the next one that is waited for,
    /// at the latest by the end of the transaction.
    pub(crate) fn execute_later<P>(&self, sql: &str, params: Vec<P>) -> Result<(), tokio_postgres::Error>
    where
        P: ToSql + Sync + 'a,
    {
        let client = self.client;
        self.handle.block_on(async {
            let statement = client.prepare_cached(sql).await?; // is here already, but for the first time
            if let Some(begin) = self.begin.take() {
                self.send(async move { client.batch_execute(begin).await.map(|()| 0) }).await?;
            }
            self.send(async move { client.execute_raw(&statement, &params).await }).await
        })
    }

    async fn send(
        &self,
        statement: impl Future<Output = Result<u64, tokio_postgres::Error>> + 'a,
    ) -> Result<(), tokio_postgres::Error> {
        let mut sent: UnderWay<'a> = Box::pin(statement);
        // The first poll sends it. What is answered then could not even be sent.
        match poll_immediate(&mut sent).await {
            Some(done) => done.map(drop),
            None => {
                self.under_way.borrow_mut().push(sent);
                Ok(())
            }
        }
    }

    /// Ends the transaction and waits until all of it is durable.
    pub(crate) fn commit(&self) -> Result<(), tokio_postgres::Error> {
        if self.has_begun() { self.run(self.client.batch_execute("COMMIT")) } else { Ok(()) }
    }

    pub(crate) fn execute<P>(&self, sql: &str, params: &[P]) -> Result<u64, tokio_postgres::Error>
    where
        P: ToSql + Sync,
    {
        self.run(async {
            let statement = self.client.prepare_cached(sql).await?;
            self.client.execute_raw(&statement, params).await
        })
    }

    pub(crate) fn query<P>(&self, sql: &str, params: &[P]) -> Result<Vec<Row>, tokio_postgres::Error>
    where
        P: ToSql + Sync,
    {
        self.run(async {
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
        self.run(self.client.prepare(sql)).map(drop)
    }

    pub(crate) fn execute_script(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.run(self.client.batch_execute(sql))
    }
}
