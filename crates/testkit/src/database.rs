//! Fresh databases for tests: SQLite in a temporary folder always, PostgreSQL when `TEST_DATABASE_URL` names a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use frontdesk_model::SharedClock;
use frontdesk_model::clock::{Clock, SystemClock};
use frontdesk_store::{Store, StoreSettings};

/// A migrated, empty database that goes away with this value.
pub struct TestDatabase {
    /// `sqlite` or `postgres`, for messages of failing tests.
    pub kind: &'static str,
    /// The address, for a second node or another process.
    pub url: String,
    /// The store on it.
    pub store: Store,
    _folder: Option<tempfile::TempDir>,
}

impl TestDatabase {
    /// Runs statements beside the store, on a connection of their own: to provoke faults.
    ///
    /// # Panics
    /// When the database refuses them.
    #[expect(clippy::expect_used, reason = "a mistake of the test")]
    pub async fn script(&self, sql: &str) {
        match self.sqlite_file() {
            Some(path) => {
                let connection = rusqlite::Connection::open(path).expect("the file can be opened");
                connection.execute_batch(sql).expect("SQLite takes the statements");
            }
            None => {
                let (client, driver) = self.postgres_client().await;
                client.batch_execute(sql).await.expect("PostgreSQL takes the statements");
                drop(client);
                let _ = driver.await;
            }
        }
    }

    /// The one number a query finds, once all events have theirs.
    ///
    /// # Panics
    /// When the query finds none.
    #[expect(clippy::expect_used, reason = "a mistake of the test")]
    pub async fn number(&self, sql: &str) -> i64 {
        match self.sqlite_file() {
            Some(path) => {
                let connection = rusqlite::Connection::open(path).expect("the file can be opened");
                connection.query_row(sql, [], |row| row.get(0)).expect("the query finds a number")
            }
            None => {
                let (client, driver) = self.postgres_client().await;
                // Fails where a test has made a schema of long ago, which numbers at once.
                while let Ok(row) = client.query_one("SELECT COUNT(*) FROM events_to_number", &[]).await
                    && row.get::<_, i64>(0) > 0
                {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                let found = client.query_one(sql, &[]).await.expect("the query finds a row").get(0);
                drop(client);
                let _ = driver.await;
                found
            }
        }
    }

    /// Every row of every table as text, with the tables behind the full-text index; bytes that are no text in hex on
    /// PostgreSQL. To look for what must not be there.
    ///
    /// # Panics
    /// When the database cannot be read.
    #[expect(clippy::expect_used, reason = "a mistake of the test")]
    pub async fn dump(&self) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        if let Some(path) = self.sqlite_file() {
            let connection = rusqlite::Connection::open(path).expect("the file can be opened");
            let names =
                "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')";
            let mut names = connection.prepare(names).expect("SQLite lists its tables");
            let names = names.query_map([], |row| row.get::<_, String>(0)).expect("SQLite lists its tables");
            for table in names.map(|name| name.expect("a name")) {
                let mut all = connection.prepare(&format!("SELECT * FROM \"{table}\"")).expect("a table");
                let width = all.column_count();
                let mut found = all.query([]).expect("rows");
                while let Some(row) = found.next().expect("a row") {
                    let cells = (0..width).map(|column| match row.get_ref(column).expect("a value") {
                        rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => {
                            String::from_utf8_lossy(bytes).into_owned()
                        }
                        other => format!("{other:?}"),
                    });
                    rows.push((table.clone(), cells.collect::<Vec<_>>().join("|")));
                }
            }
            return rows;
        }
        let (client, driver) = self.postgres_client().await;
        let names =
            "SELECT table_name::TEXT FROM information_schema.tables WHERE table_schema = current_schema()";
        for name in client.query(names, &[]).await.expect("PostgreSQL lists its tables") {
            let table: String = name.get(0);
            let all = format!("SELECT t::TEXT FROM \"{table}\" t");
            let found = client.query(&all, &[]).await.expect("rows");
            rows.extend(found.iter().map(|row| (table.clone(), row.get::<_, String>(0))));
        }
        drop(client);
        let _ = driver.await;
        rows
    }

    fn sqlite_file(&self) -> Option<&str> {
        self.url.strip_prefix("sqlite://")
    }

    #[expect(clippy::expect_used, reason = "a test cannot go on without its database")]
    async fn postgres_client(&self) -> (tokio_postgres::Client, tokio::task::JoinHandle<()>) {
        let config: tokio_postgres::Config = self.url.parse().expect("a PostgreSQL address");
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("PostgreSQL answers");
        let driver = tokio::spawn(async move {
            let _ = connection.await; // ends with the client
        });
        (client, driver)
    }
}

/// Makes one fresh database of every kind available: SQLite always; PostgreSQL when `TEST_DATABASE_URL` is set.
///
/// # Panics
/// When a database cannot be made, and in CI when `TEST_DATABASE_URL` is not set.
#[expect(clippy::expect_used, reason = "a test cannot go on without its database")]
pub async fn databases() -> Vec<TestDatabase> {
    let all = databases_without_schema().await;
    for database in &all {
        database.store.migrate().await.expect("a fresh database can be migrated");
    }
    all
}

/// The same, before any migration.
///
/// # Panics
/// As [`databases`].
pub async fn databases_without_schema() -> Vec<TestDatabase> {
    let mut all = vec![sqlite().await];
    match std::env::var("TEST_DATABASE_URL") {
        Ok(server) => all.push(postgres(&server).await),
        Err(_) => assert!(std::env::var_os("CI").is_none(), "TEST_DATABASE_URL must be set in CI"),
    }
    all
}

/// Makes one fresh SQLite database.
///
/// # Panics
/// When it cannot be made.
#[expect(clippy::expect_used, reason = "a test cannot go on without its database")]
pub async fn sqlite_database() -> TestDatabase {
    let database = sqlite().await;
    database.store.migrate().await.expect("a fresh database can be migrated");
    database
}

#[expect(clippy::expect_used, reason = "a test cannot go on without its database")]
async fn sqlite() -> TestDatabase {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let url = format!("sqlite://{}", folder.path().join("frontdesk.db").display());
    let store = open(&url).await;
    TestDatabase { kind: "sqlite", url, store, _folder: Some(folder) }
}

/// A schema of its own on the server: as good as a database of its own, and made in a millisecond.
#[expect(clippy::expect_used, reason = "a test cannot go on without its database")]
async fn postgres(server: &str) -> TestDatabase {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let started = SystemClock.now().as_millis();
    let schema = format!("t{}_{}_{}", std::process::id(), started, COUNT.fetch_add(1, Ordering::SeqCst));
    let config: tokio_postgres::Config = server.parse().expect("TEST_DATABASE_URL is a PostgreSQL address");
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("PostgreSQL answers");
    let driver = tokio::spawn(connection);
    client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.expect("a schema can be made");
    drop(client);
    let _ = driver.await;
    let separator = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{separator}options=-csearch_path%3D{schema}");
    let store = open(&url).await;
    TestDatabase { kind: "postgres", url, store, _folder: None }
}

#[expect(clippy::expect_used, reason = "a test cannot go on without its database")]
async fn open(url: &str) -> Store {
    let clock: SharedClock = Arc::new(SystemClock);
    let settings = StoreSettings { url: url.to_owned(), postgres_connections: 8 };
    Store::open(&settings, clock).await.expect("the database can be opened")
}
