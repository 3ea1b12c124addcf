//! One run: what is measured, how long and how often, and on what.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::floors::{Floor, Running};
use crate::postgres::Postgres;
use crate::product::{Database, Product};
use crate::progress;
use crate::table::{Reading, Table};

/// What all scenarios work with.
pub struct Bench {
    /// The program that is measured.
    pub binary: PathBuf,
    /// Where databases are put.
    pub folder: PathBuf,
    /// Where the peers were installed.
    pub peers: Option<PathBuf>,
    /// How often each is measured.
    pub rounds: usize,
    /// How long each load counts.
    pub measured: Duration,
    /// How long each load runs before it counts.
    pub warm_up: Duration,
    /// How many messages and sockets there are.
    pub sizes: Sizes,
    /// The server for what runs on PostgreSQL.
    pub postgres: Option<Postgres>,
}

/// How big things are.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// Customers of the shape "many customers".
    pub customers: u64,
    /// Messages that are there when the flow of webhooks is measured again; rising.
    pub history: Vec<u64>,
    /// Conversations of the inbox page.
    pub conversations: u64,
    /// Messages of the inbox page.
    pub messages: u64,
    /// Sockets that listen.
    pub sockets: usize,
    /// Conversations that are answered.
    pub answered: u64,
    /// Replies to each of them.
    pub replies: u64,
    /// Questions with their answers that replies are suggested from.
    pub pairs: u64,
    /// Messages that are there when a start is measured.
    pub restarted: u64,
}

impl Sizes {
    /// Those of `docs/benchmarks.md`.
    pub fn full() -> Self {
        Self {
            customers: 10_000,
            history: vec![0, 100_000, 1_000_000],
            conversations: 100_000,
            messages: 1_000_000,
            sockets: 1_000,
            answered: 1_000,
            replies: 10,
            pairs: 100_000,
            restarted: 100_000,
        }
    }

    /// Those that only show that everything works.
    pub fn quick() -> Self {
        Self {
            customers: 100,
            history: vec![0, 2_000],
            conversations: 500,
            messages: 2_000,
            sockets: 50,
            answered: 20,
            replies: 5,
            pairs: 500,
            restarted: 1_000,
        }
    }
}

impl Bench {
    /// The PostgreSQL server; without one, nothing runs on it.
    pub fn postgres(&self) -> anyhow::Result<&Postgres> {
        self.postgres.as_ref().context("there is no PostgreSQL server: TEST_DATABASE_URL is not set")
    }

    /// The databases a product can be measured on here.
    pub fn databases(&self) -> Vec<Database> {
        let postgres = self.postgres.as_ref().map(|_| Database::Postgres);
        std::iter::once(Database::Sqlite).chain(postgres).collect()
    }

    /// A product on a fresh database.
    pub async fn product(&self, database: Database, extra: &[(&str, String)]) -> anyhow::Result<Product> {
        Product::set_up(&self.binary, &self.folder, self.server(database)?, extra).await
    }

    /// Takes a product away again.
    pub async fn remove(&self, product: Product, database: Database) -> anyhow::Result<()> {
        product.remove(self.server(database)?).await
    }

    fn server(&self, database: Database) -> anyhow::Result<Option<&Postgres>> {
        match database {
            Database::Sqlite => Ok(None),
            Database::Postgres => self.postgres().map(Some),
        }
    }

    /// Starts a floor.
    pub async fn floor(&self, floor: Floor) -> anyhow::Result<Running> {
        Running::start(self, floor).await
    }

    /// Measures everyone in turn, as often as there are rounds, so that what changes on the machine meanwhile strikes
    /// all of them alike. One that fails leaves its place empty and its reason below the table.
    pub async fn alternate<C>(
        &self,
        table: &mut Table,
        contestants: &[(String, C)],
        measure: impl AsyncFn(&C) -> anyhow::Result<Reading>,
    ) -> anyhow::Result<()> {
        if contestants.is_empty() {
            bail!("nobody to measure");
        }
        for round in 1..=self.rounds {
            for (name, contestant) in contestants {
                match measure(contestant).await {
                    Ok(reading) => {
                        progress::note(format_args!("{round}/{} {name}: {reading}", self.rounds));
                        table.add(name, reading);
                    }
                    Err(error) => {
                        progress::note(format_args!("{round}/{} {name}: {error:#}", self.rounds));
                        table.fail(name, &error);
                    }
                }
            }
        }
        Ok(())
    }
}
