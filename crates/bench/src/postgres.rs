//! The PostgreSQL server that is measured on: a fresh database for everyone who is measured.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use tokio_postgres::{Client, NoTls};

/// A server where databases may be made.
pub struct Postgres {
    url: String,
}

impl Postgres {
    /// The server of this address; its user must be allowed to make databases.
    pub fn new(url: String) -> Self {
        Self { url }
    }

    /// Makes an empty database and returns its address.
    pub async fn create(&self) -> anyhow::Result<String> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let name = format!("bench_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let client = connect(&self.url).await?;
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.context("no database can be made")?;
        Ok(of_database(&self.url, &name))
    }

    /// Removes a database that [`create`](Self::create) made.
    pub async fn remove(&self, url: &str) -> anyhow::Result<()> {
        let name = url.split('?').next().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
        let client = connect(&self.url).await?;
        Ok(client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?)
    }

    /// Its version, and whether a commit is on disk when it is answered.
    pub async fn describe(&self) -> anyhow::Result<String> {
        let client = connect(&self.url).await?;
        let setting = async |name: &str| -> anyhow::Result<String> {
            Ok(client.query_one(&format!("SHOW {name}"), &[]).await?.try_get(0)?)
        };
        let version = setting("server_version").await?;
        let version = version.split(' ').next().unwrap_or_default();
        let durable = setting("fsync").await? == "on" && setting("synchronous_commit").await? == "on";
        let note = if durable { "fsync on" } else { "**commits are not durable: its figures mean nothing**" };
        Ok(format!("PostgreSQL {version} ({note})"))
    }
}

/// Connects, and drives the connection as long as the client lives.
pub async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.context("PostgreSQL does not answer")?;
    tokio::spawn(connection);
    Ok(client)
}

/// The same server's address with another database.
fn of_database(url: &str, name: &str) -> String {
    let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let server = path.rsplit_once('/').map_or(path, |(server, _)| server);
    query.map_or_else(|| format!("{server}/{name}"), |query| format!("{server}/{name}?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_databases_name_changes() {
        let cases = [
            ("postgres://me@%2Ftmp%2Fa/postgres", "postgres://me@%2Ftmp%2Fa/x"),
            ("postgres://me:pw@host:1/postgres?sslmode=disable", "postgres://me:pw@host:1/x?sslmode=disable"),
        ];
        for (url, expected) in cases {
            assert_eq!(of_database(url, "x"), expected);
        }
    }
}
