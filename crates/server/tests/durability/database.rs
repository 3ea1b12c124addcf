//! What the program left in its database, read beside it.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::OpenFlags;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A database of the program.
pub enum Database {
    Sqlite(String),
    Postgres { url: String, schema: String },
}

/// A message as stored.
#[derive(Debug)]
pub struct Stored {
    pub id: i64,
    pub inbound: bool,
    pub status: String,
    pub remote_id: Option<String>,
    pub content: Option<String>,
}

impl Database {
    /// SQLite in `folder`, and a schema of PostgreSQL when `TEST_DATABASE_URL` names a server.
    pub async fn sqlite(folder: &Path) -> Self {
        Self::Sqlite(folder.join("frontdesk.db").display().to_string())
    }

    pub async fn postgres() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("TEST_DATABASE_URL").ok()?;
        let schema = format!("killed_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let client = connect(&server).await;
        client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        let separator = if server.contains('?') { '&' } else { '?' };
        Some(Self::Postgres { url: format!("{server}{separator}options=-csearch_path%3D{schema}"), schema })
    }

    /// For `DATABASE_URL`.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{path}"),
            Self::Postgres { url, .. } => url.clone(),
        }
    }

    /// `sqlite` or `postgres`.
    pub fn kind(&self) -> &'static str {
        if matches!(self, Self::Sqlite(_)) { "sqlite" } else { "postgres" }
    }

    /// Every message.
    pub async fn messages(&self) -> Vec<Stored> {
        let rows =
            self.rows("SELECT id, direction, status, remote_id, content FROM messages ORDER BY id").await;
        let stored = rows.into_iter().map(|row| {
            let [id, direction, status, remote_id, content] = row.try_into().unwrap();
            Stored {
                id: id.unwrap().parse().unwrap(),
                inbound: direction.as_deref() == Some("inbound"),
                status: status.unwrap(),
                remote_id,
                content,
            }
        });
        stored.collect()
    }

    /// A number.
    pub async fn number(&self, sql: &str) -> i64 {
        self.rows(sql).await[0][0].as_deref().unwrap().parse().unwrap()
    }

    /// Every value of every table as text, for a search; blobs as they are and in hex.
    pub async fn everything(&self) -> String {
        let tables = match self {
            Self::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table'".to_owned(),
            Self::Postgres { schema, .. } => {
                format!("SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")
            }
        };
        let mut all = String::new();
        for table in self.rows(&tables).await.into_iter().flatten().flatten() {
            for value in self.rows(&format!("SELECT * FROM {table}")).await.into_iter().flatten().flatten() {
                all.push_str(&value);
                all.push('\n');
            }
        }
        all
    }

    async fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        match self {
            Self::Sqlite(path) => sqlite_rows(path, sql),
            Self::Postgres { url, .. } => {
                let answer = connect(url).await.simple_query(sql).await.unwrap();
                let rows = answer.iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                });
                rows.map(|row| (0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect()).collect()
            }
        }
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn sqlite_rows(path: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    use rusqlite::types::ValueRef;
    let connection = rusqlite::Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Some(format!("{} {}", String::from_utf8_lossy(bytes), hex::encode(bytes))),
    };
    let rows = statement.query_map([], |row| {
        (0..columns).map(|i| Ok(text(row.get_ref(i)?))).collect::<Result<Vec<_>, rusqlite::Error>>()
    });
    rows.unwrap().map(Result::unwrap).collect()
}
