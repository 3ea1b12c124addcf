//! What the program left in its database, read beside it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;
use rusqlite::OpenFlags;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// A schema of its own on the server that `TEST_DATABASE_URL` names.
    Postgres,
}

impl Kind {
    /// `sqlite` or `postgres`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// A database of the program.
#[derive(Debug, Clone)]
pub enum Database {
    /// The file.
    Sqlite(PathBuf),
    /// The address, and the schema it leads to.
    Postgres {
        /// For `DATABASE_URL`.
        url: String,
        /// Where our tables are.
        schema: String,
    },
}

/// A message as stored.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct Stored {
    pub id: i64,
    pub inbound: bool,
    pub status: String,
    pub remote_id: Option<String>,
    pub content: Option<String>,
}

impl Database {
    /// A new one: SQLite in `folder`, or an empty schema.
    pub async fn make(kind: Kind, folder: &Path) -> anyhow::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if kind == Kind::Sqlite {
            return Ok(Self::Sqlite(folder.join("frontdesk.db")));
        }
        let server = std::env::var("TEST_DATABASE_URL").context("TEST_DATABASE_URL names no PostgreSQL")?;
        let schema = format!("tortured_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        connect(&server).await?.batch_execute(&format!("CREATE SCHEMA {schema}")).await?;
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-csearch_path%3D{schema}&application_name={schema}");
        Ok(Self::Postgres { url, schema })
    }

    /// For `DATABASE_URL`.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres { url, .. } => url.clone(),
        }
    }

    /// The file, when it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres { .. } => None,
        }
    }

    /// Every message.
    pub async fn messages(&self) -> anyhow::Result<Vec<Stored>> {
        let sql = "SELECT id, direction, status, remote_id, content FROM messages ORDER BY id";
        let rows = self.rows(sql).await?.into_iter();
        let read = |row: Vec<Option<String>>| {
            let [id, direction, status, remote_id, content] = row.try_into().ok()?;
            let inbound = direction.as_deref() == Some("inbound");
            Some(Stored { id: id?.parse().ok()?, inbound, status: status?, remote_id, content })
        };
        rows.map(|row| read(row).context("a message that cannot be read")).collect()
    }

    /// A number.
    pub async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        let rows = self.rows(sql).await?;
        let value = rows.first().and_then(|row| row.first()).and_then(Option::as_deref);
        Ok(value.with_context(|| format!("{sql}: no answer"))?.parse()?)
    }

    /// Every value of every table as text, for a search; blobs as they are and in hex.
    pub async fn everything(&self) -> anyhow::Result<String> {
        let tables = match self {
            Self::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table'".to_owned(),
            Self::Postgres { schema, .. } => {
                format!("SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")
            }
        };
        let mut all = String::new();
        for table in self.rows(&tables).await?.into_iter().flatten().flatten() {
            for value in self.rows(&format!("SELECT * FROM {table}")).await?.into_iter().flatten().flatten() {
                all.push_str(&value);
                all.push('\n');
            }
        }
        Ok(all)
    }

    /// What SQLite says of the file when asked whether it is whole; nothing when it is. PostgreSQL looks after its own.
    pub async fn faults(&self) -> anyhow::Result<Vec<String>> {
        match self {
            Self::Sqlite(path) => {
                let rows = sqlite_rows(path, "PRAGMA integrity_check(10)")?;
                Ok(rows.into_iter().flatten().flatten().filter(|line| line != "ok").collect())
            }
            Self::Postgres { .. } => Ok(Vec::new()),
        }
    }

    /// Carries out statements beside the program.
    pub async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(path) => Ok(rusqlite::Connection::open(path)?.execute_batch(sql)?),
            Self::Postgres { url, .. } => Ok(connect(url).await?.batch_execute(sql).await?),
        }
    }

    async fn rows(&self, sql: &str) -> anyhow::Result<Vec<Vec<Option<String>>>> {
        match self {
            Self::Sqlite(path) => sqlite_rows(path, sql),
            Self::Postgres { url, .. } => {
                let answer = connect(url).await?.simple_query(sql).await?;
                let rows = answer.iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                });
                Ok(rows.map(|row| (0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect()).collect())
            }
        }
    }
}

/// A connection beside the program's.
pub async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn sqlite_rows(path: &Path, sql: &str) -> anyhow::Result<Vec<Vec<Option<String>>>> {
    use rusqlite::types::ValueRef;
    let connection = rusqlite::Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Some(format!("{} {}", String::from_utf8_lossy(bytes), hex::encode(bytes))),
    };
    let rows = statement.query_map([], |row| {
        (0..columns).map(|i| Ok(text(row.get_ref(i)?))).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(rows.collect::<Result<_, rusqlite::Error>>()?)
}
