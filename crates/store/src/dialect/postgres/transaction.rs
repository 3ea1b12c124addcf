//! The statements of one transaction.

use std::cell::{Cell, RefCell};
use std::pin::Pin;

use futures_util::TryStreamExt;
use futures_util::future::{poll_immediate, try_join};
use postgres_types::ToSql;
use tokio_postgres::Row;

use super::link::Link;
use crate::StoreError;

/// One connection during a transaction, on a thread that may block.
pub struct PgConnection<'a> {
    link: &'a Link,
    /// What begins the transaction: sent together with its first statement, so that it costs no round trip.
    begin: Cell<Option<&'static str>>,
    /// Statements that were sent and whose answers nobody has looked at yet.
    under_way: RefCell<Vec<UnderWay<'a>>>,
}

/// A statement that was sent.
type UnderWay<'a> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + 'a>>;

impl<'a> PgConnection<'a> {
    pub(super) fn new(link: &'a Link, begin: &'static str) -> Self {
        Self { link, begin: Cell::new(Some(begin)), under_way: RefCell::default() }
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
        self.link.wait(async {
            let done = match self.begin.take() {
                // Both are under way at once; the server takes them in the order in which they were first polled.
                Some(begin) => {
                    try_join(self.link.batch_execute(begin), statement).await.map(|((), done)| done)
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
        let link = self.link;
        self.link.wait(async {
            let statement = link.prepare_cached(sql).await?; // is here already, but for the first time
            if let Some(begin) = self.begin.take() {
                self.send(async move { link.batch_execute(begin).await.map(|()| 0) }).await?;
            }
            self.send(async move { link.execute_raw(&statement, &params).await }).await
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
        if self.has_begun() { self.run(self.link.batch_execute("COMMIT")) } else { Ok(()) }
    }

    pub(crate) fn execute<P>(&self, sql: &str, params: &[P]) -> Result<u64, tokio_postgres::Error>
    where
        P: ToSql + Sync,
    {
        self.run(async {
            let statement = self.link.prepare_cached(sql).await?;
            self.link.execute_raw(&statement, params).await
        })
    }

    pub(crate) fn query<P>(&self, sql: &str, params: &[P]) -> Result<Vec<Row>, tokio_postgres::Error>
    where
        P: ToSql + Sync,
    {
        self.run(async {
            let statement = self.link.prepare_cached(sql).await?;
            let references: Vec<&(dyn ToSql + Sync)> = params.iter().map(|p| p as _).collect();
            self.link.query(&statement, &references).await
        })
    }

    /// The rows come as they are wanted: the server is not asked for more while `each` works.
    pub(crate) fn stream(
        &self,
        sql: &str,
        mut each: impl FnMut(&Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.link.wait(async {
            let none: [&(dyn ToSql + Sync); 0] = [];
            let mut rows = std::pin::pin!(self.link.query_raw(sql, none).await?);
            while let Some(row) = rows.try_next().await? {
                each(&row)?;
            }
            Ok(())
        })
    }

    pub(crate) fn prepare(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.run(self.link.prepare(sql)).map(drop)
    }

    pub(crate) fn execute_script(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.run(self.link.batch_execute(sql))
    }
}
