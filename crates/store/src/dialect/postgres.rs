//! PostgreSQL: a pool of links, one per running transaction, and a listener for NOTIFY.

mod bells;
mod link;
mod transaction;

use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{Object, Pool, PoolError, QueueMode};
use frontdesk_model::SharedClock;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::sync::Notify;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::sync::CancellationToken;

use self::bells::Bells;
use self::link::{Link, Linker};
pub use self::transaction::PgConnection;
use super::job::{Done, Job};
use crate::db::tx::{Tx, TxBackend};
use crate::signals::{Signals, TopicSet};
use crate::{StoreError, events};

/// After so many transactions a connection makes its plans anew, for tables that have grown meanwhile.
const PLANS_LAST: usize = 64;
/// How long a transaction waits for a link.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a transaction is run again after a deadlock.
const MAX_TRIES: usize = 8;

/// The PostgreSQL side of a store.
pub struct Postgres {
    pool: Pool<Linker>,
    clock: SharedClock,
    signals: Signals,
    bells: Arc<Bells>,
    /// Rung when a transaction has left events without numbers.
    unnumbered: Notify,
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
        let pool = Pool::builder(Linker { config: config.clone(), tls: tls.clone() })
            .max_size(connections)
            // The link used last is the one whose plans and caches are there: a few do nearly all the work.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(PATIENCE))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|e| StoreError::Unreachable(e.to_string()))?;
        drop(pool.get().await.map_err(unreachable)?);
        let (bells, closed) = (Arc::<Bells>::default(), CancellationToken::new());
        tokio::spawn({
            let (bells, signals, closed) = (bells.clone(), signals.clone(), closed.clone());
            async move { closed.run_until_cancelled(bells.run(config, tls, signals)).await }
        });
        Ok(Self { pool, clock, signals, bells, unnumbered: Notify::new(), closed })
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

    /// A link to a server that is still there, as far as can be told.
    async fn link(&self) -> Result<Object<Linker>, StoreError> {
        loop {
            let link = self.pool.get().await.map_err(unreachable)?;
            if !link.has_rested() {
                return Ok(link);
            }
            let asked = tokio::task::spawn_blocking(move || (link.is_alive(), link));
            match asked.await.map_err(|_| StoreError::Panicked)? {
                (true, link) => return Ok(link),
                (false, link) => drop(Object::take(link)),
            }
        }
    }

    /// Runs a reading transaction.
    pub fn read(&self, mut job: Box<dyn Job>) -> Done<'_> {
        Box::pin(async move {
            let link = self.link().await?;
            let done = tokio::task::spawn_blocking(move || {
                let guard = RollbackOnDrop { link: Some(link) };
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                let mut tx = Tx::new(TxBackend::Postgres(PgConnection::new(guard.link(), begin)));
                job.run(&mut tx);
                if tx.has_begun() {
                    guard.link().send("ROLLBACK"); // whoever has the link next comes behind it
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
            let link = self.link().await?;
            let clock = self.clock.clone();
            let done = tokio::task::spawn_blocking(move || {
                let guard = RollbackOnDrop { link: Some(link) };
                let mut tries = 0;
                loop {
                    tries += 1;
                    match write_once(guard.link(), &mut *job, &clock) {
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
        self.bells.ring(news.woken);
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
fn write_once(link: &Object<Linker>, job: &mut dyn Job, clock: &SharedClock) -> Outcome {
    let is_due = Object::metrics(link).recycle_count % PLANS_LAST == PLANS_LAST - 1;
    let begin = if is_due { "BEGIN; DISCARD PLANS" } else { "BEGIN" };
    let mut tx = Tx::new(TxBackend::Postgres(PgConnection::new(link, begin)));
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
        && let Err(error) = batch(link, "ROLLBACK")
    {
        job.fail(error);
        return Outcome::Undone;
    }
    ended(tx.conflict)
}

/// A link whose transaction was left open by a panic or a broken link never returns to the pool.
struct RollbackOnDrop {
    link: Option<Object<Linker>>,
}

impl RollbackOnDrop {
    #[expect(clippy::expect_used, reason = "the link is taken only by finish and drop")]
    fn link(&self) -> &Object<Linker> {
        self.link.as_ref().expect("the link is held until the end")
    }

    fn finish(mut self) {
        self.link = None; // dropped unharmed: returns to the pool
    }
}

impl Drop for RollbackOnDrop {
    fn drop(&mut self) {
        if let Some(link) = self.link.take()
            && (std::thread::panicking() || batch(&link, "ROLLBACK").is_err())
        {
            drop(Object::take(link));
        }
    }
}

fn batch(link: &Link, sql: &str) -> Result<(), StoreError> {
    Ok(link.wait(link.batch_execute(sql))?)
}

fn unreachable(error: PoolError<StoreError>) -> StoreError {
    match error {
        PoolError::Backend(error) => error,
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
