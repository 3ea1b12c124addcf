//! A connection to the server that is driven by whoever waits for it.

use std::ops::Deref;
use std::pin::{Pin, pin};
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use futures_util::future::poll_immediate;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::StoreError;

/// How long a statement waits for a lock that someone else holds. Without an end, a few waiting transactions would take
/// all connections, and reading would stop too. Less than on SQLite, because waits add up: a reply waits for its
/// conversation, which a batch of webhooks holds that itself waits, and then once more. And how long the server keeps
/// the locks of a node that stands still in the middle of a transaction, which all others wait for.
const TIMEOUTS: &str = "SET lock_timeout = '3s'; SET idle_in_transaction_session_timeout = '5s'";
/// Every statement finds its rows by an index. A plan is kept for long: one made while the tables were empty would go
/// through all rows of theirs once they are full. Compiling plans takes longer than the longest of our questions.
const PLANS: &str =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";
/// How long connecting may take.
const CONNECTING: Duration = Duration::from_secs(10);
/// A link that has rested for so long may have been closed by the server.
const RESTED: Duration = Duration::from_millis(20);

/// A connection with a runtime of its own. Nothing else moves its bytes but the thread that waits for an answer, so
/// that each answer wakes one thread. Through a task of the server's runtime it would wake three, and wait for its
/// turn behind whatever else is ready there.
pub(super) struct Link {
    client: ClientWrapper,
    /// There until dropped.
    runtime: Option<Runtime>,
    has_rested: bool,
}

impl Link {
    /// Connects. To be called on a thread that may block.
    fn open(config: &Config, tls: MakeRustlsConnect) -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Unreachable(error.to_string()))?;
        let client = runtime.block_on(async {
            let connecting = tokio::time::timeout(CONNECTING, config.connect(tls));
            let late = |_| StoreError::Unreachable("it did not answer in time".to_owned());
            let (client, connection) = connecting.await.map_err(late)?.map_err(unreachable)?;
            let moving = tokio::spawn(async {
                if let Err(error) = connection.await {
                    tracing::warn!(%error, "a connection to PostgreSQL was lost");
                }
            });
            client.batch_execute(&format!("{TIMEOUTS}; {PLANS}")).await.map_err(unreachable)?;
            Ok::<_, StoreError>(ClientWrapper::new(client, moving))
        })?;
        Ok(Self { client, runtime: Some(runtime), has_rested: false })
    }

    /// Waits for an answer on this thread, which may block.
    #[expect(
        clippy::expect_used,
        reason = "the runtime is taken only by drop, and what is waited for is done"
    )]
    pub fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        let mut answered = None;
        {
            // Without its type: the program holds one such loop and not one for each statement.
            let waiting: Pin<&mut dyn Future<Output = ()>> = pin!(async { answered = Some(answer.await) });
            self.runtime.as_ref().expect("the runtime is there until the end").block_on(waiting);
        }
        answered.expect("what was waited for is done")
    }

    /// Sends statements without waiting for what becomes of them.
    pub fn send(&self, sql: &str) {
        self.wait(async {
            let _ = poll_immediate(pin!(self.batch_execute(sql))).await; // the first poll hands it over
            yield_now().await; // and now it is written
        });
    }

    /// True when it has not been used for a while.
    pub fn has_rested(&self) -> bool {
        self.has_rested
    }

    /// Whether the server is still there, as far as its last words tell. On a thread that may block.
    pub fn is_alive(&self) -> bool {
        self.wait(async {
            yield_now().await; // looks what has come
            yield_now().await; // reads it
        });
        !self.is_closed()
    }
}

impl Deref for Link {
    type Target = ClientWrapper;
    fn deref(&self) -> &ClientWrapper {
        &self.client
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background(); // may be dropped by a task, which must not wait
        }
    }
}

/// Makes links.
pub(super) struct Linker {
    pub config: Config,
    pub tls: MakeRustlsConnect,
}

impl Manager for Linker {
    type Type = Link;
    type Error = StoreError;

    async fn create(&self) -> Result<Link, StoreError> {
        let (config, tls) = (self.config.clone(), self.tls.clone());
        let opened = tokio::task::spawn_blocking(move || Link::open(&config, tls));
        opened.await.map_err(|_| StoreError::Panicked)?
    }

    async fn recycle(&self, link: &mut Link, metrics: &Metrics) -> RecycleResult<StoreError> {
        link.has_rested = metrics.last_used() > RESTED;
        if link.is_closed() { Err(RecycleError::message("it was closed")) } else { Ok(()) }
    }
}

fn unreachable(error: tokio_postgres::Error) -> StoreError {
    let reason =
        std::error::Error::source(&error).map_or_else(|| error.to_string(), |s| format!("{error}: {s}"));
    StoreError::Unreachable(reason)
}
