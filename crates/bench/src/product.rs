//! The finished program: set up with its own commands, reached over HTTP, known in no other way.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::load::http::{self, Connection};
use crate::postgres::Postgres;
use crate::process::{self, Process};
use crate::webhook::{self, Message};

/// The Pusher application of the product and of everything that is compared with its live updates.
pub const APP_ID: &str = "bench-app";
/// In the address of sockets.
pub const APP_KEY: &str = "bench-key";
/// Signs events and permissions.
pub const APP_SECRET: &str = "bench-secret";

const EMAIL: &str = "ada@example.org";
/// What was acknowledged must be applied at the latest after this.
const APPLIED: Duration = Duration::from_secs(60);

/// Which database a product works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file in its data folder.
    Sqlite,
    /// One on the server that `scripts/with-postgres` names.
    Postgres,
}

impl Database {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A program with a database of its own, not necessarily running.
pub struct Product {
    binary: PathBuf,
    folder: TempDir,
    database_url: Option<String>,
    address: String,
    extra: Vec<(String, String)>,
    token: String,
}

impl Product {
    /// Sets up an administrator with a token and the inbox that webhooks are for. `extra` are settings by their
    /// names in the environment.
    pub async fn set_up(
        binary: &Path,
        parent: &Path,
        postgres: Option<&Postgres>,
        extra: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let database_url = match postgres {
            Some(server) => Some(server.create().await?),
            None => None,
        };
        let mut product = Self {
            binary: binary.to_owned(),
            folder: TempDir::with_prefix_in("product-", parent)?,
            database_url,
            address: process::free_address()?,
            extra: extra.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            token: String::new(),
        };
        let user =
            ["user", "create", "--email", EMAIL, "--name", "Ada", "--role", "admin", "--password-stdin"];
        product.command(&user, "a password of the benchmark")?;
        let number = format!("phone_number_id={}", webhook::PHONE_NUMBER_ID);
        let business = format!("business_account_id={}", webhook::BUSINESS_ID);
        let add = ["inbox", "add", "whatsapp_cloud", "--name", "Bench", "--set", &number, "--set", &business];
        product.command(&[&add[..], &["--set", "access_token=-"]].concat(), "bench-access-token")?;
        product.token = product.command(&["token", "create", "--email", EMAIL], "")?;
        Ok(product)
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Starts it and waits until it is ready.
    pub async fn start(&self) -> anyhow::Result<Process> {
        let mut process = self.spawn()?;
        process.ready(&self.address, "/readyz").await?;
        Ok(process)
    }

    /// Starts it and does not wait.
    pub fn spawn(&self) -> anyhow::Result<Process> {
        Process::start(self.invocation(&["serve"]), "frontdesk", self.folder.path())
    }

    /// Removes its database; its folder goes by itself.
    pub async fn remove(self, postgres: Option<&Postgres>) -> anyhow::Result<()> {
        match (postgres, &self.database_url) {
            (Some(server), Some(url)) => server.remove(url).await,
            _ => Ok(()),
        }
    }

    fn invocation(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).current_dir(self.folder.path()).args(arguments);
        command.envs([
            ("FRONTDESK_LISTEN", self.address.as_str()),
            ("FRONTDESK_DATA_DIR", "data"),
            ("FRONTDESK_LOG", "warn"),
            ("META_APP_SECRET", webhook::SECRET),
            ("META_VERIFY_TOKEN", "bench"),
            // Nobody outside is asked for anything.
            ("META_GRAPH_URL", "http://127.0.0.1:9"),
            ("FRONTDESK_PROVIDERS_ALLOW_PRIVATE_HOSTS", "127.0.0.1"),
            ("PUSHER_APP_ID", APP_ID),
            ("PUSHER_APP_KEY", APP_KEY),
            ("PUSHER_APP_SECRET", APP_SECRET),
            // Limits for one person at a page, where a program asks as fast as it can.
            ("FRONTDESK_LIMITS_LIST_PER_MINUTE", "1000000"),
            ("FRONTDESK_LIMITS_SEND_PER_MINUTE", "1000000"),
        ]);
        if let Some(url) = &self.database_url {
            command.env("DATABASE_URL", url);
        }
        command.envs(self.extra.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end with `input` on stdin; returns what it printed.
    fn command(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        let mut command = self.invocation(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("{} cannot be started", self.binary.display()))?;
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(input.as_bytes()); // one that ended before it read says why itself
        }
        let done = child.wait_with_output()?;
        if !done.status.success() {
            bail!(
                "{} {}: {}",
                self.binary.display(),
                arguments[0],
                String::from_utf8_lossy(&done.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
    }

    /// A request for `path` with the administrator's token.
    pub fn get_request(&self, path: &str) -> Vec<u8> {
        let (address, token) = (&self.address, &self.token);
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n")
            .into_bytes()
    }

    /// Asks the API.
    pub async fn get(&self, connection: &mut Connection, path: &str) -> anyhow::Result<Value> {
        read(path, connection.send(&self.get_request(path)).await?)
    }

    /// Posts to the API.
    pub async fn post(&self, connection: &mut Connection, path: &str, body: &Value) -> anyhow::Result<Value> {
        let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", self.token);
        let request = http::post(&self.address, path, &headers, body.to_string().as_bytes());
        read(path, connection.send(&request).await?)
    }

    /// A client of this program.
    pub fn connection(&self) -> Connection {
        Connection::new(&self.address)
    }

    /// Brings in `messages` through the front door, many to a body, and waits until the last one is acknowledged.
    pub async fn deliver(&self, connection: &mut Connection, messages: &[Message]) -> anyhow::Result<()> {
        self.deliver_body(connection, &webhook::body(messages)).await
    }

    /// The same with what one of ours answered on the phone.
    pub async fn deliver_echoes(
        &self,
        connection: &mut Connection,
        messages: &[Message],
    ) -> anyhow::Result<()> {
        self.deliver_body(connection, &webhook::echoes(messages)).await
    }

    async fn deliver_body(&self, connection: &mut Connection, body: &str) -> anyhow::Result<()> {
        let request = webhook::request(&self.address, webhook::PATH, body);
        let (status, said) = connection.send(&request).await?;
        if status != 200 {
            bail!("a webhook was answered {status}: {}", String::from_utf8_lossy(&said));
        }
        Ok(())
    }

    /// How many messages of customers have been applied, by the API's own account: none is ever read here, so each
    /// counts as unread.
    pub async fn applied(&self) -> anyhow::Result<u64> {
        let mut connection = self.connection();
        let (mut applied, mut cursor) = (0, String::new());
        loop {
            let path = format!("/api/v1/conversations?limit=200{cursor}");
            let page = self.get(&mut connection, &path).await?;
            let rows = page["data"].as_array().context("a page without data")?;
            applied += rows.iter().filter_map(|row| row["unread_count"].as_u64()).sum::<u64>();
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(applied),
            }
        }
    }

    /// Waits until `expected` messages have been applied; returns how many are, more or fewer, when that does not come.
    pub async fn settled(&self, expected: u64) -> anyhow::Result<u64> {
        let begun = Instant::now();
        loop {
            let applied = self.applied().await?;
            if applied >= expected || begun.elapsed() > APPLIED {
                return Ok(applied);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// How long the search index may take to follow a fill.
const FINDABLE: Duration = Duration::from_secs(300);

impl Product {
    /// Waits until search finds every message.
    pub async fn findable(&self) -> anyhow::Result<()> {
        let mut connection = self.connection();
        let request = self.get_request("/metrics");
        let begun = Instant::now();
        loop {
            let (_, text) = connection.send(&request).await?;
            let text = String::from_utf8_lossy(&text);
            if text.lines().any(|line| line == "frontdesk_search_waiting_messages 0") {
                return Ok(());
            }
            anyhow::ensure!(begun.elapsed() < FINDABLE, "the search index does not catch up");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn read(path: &str, (status, body): (u16, Vec<u8>)) -> anyhow::Result<Value> {
    if !(200..300).contains(&status) {
        bail!("{path} was answered {status}: {}", String::from_utf8_lossy(&body));
    }
    serde_json::from_slice(&body).with_context(|| format!("the answer of {path} is no JSON"))
}
