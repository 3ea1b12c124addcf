//! The real binary as a child process.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::database::Database;

/// Planted secrets: none of them may be found anywhere afterwards.
pub const ACCESS_TOKEN: &str = "EAAplantedAccessToken4711";
pub const APP_SECRET: &str = "plantedAppSecret4711";
pub const VERIFY_TOKEN: &str = "plantedVerifyToken4711";
pub const PASSWORD: &str = "planted password 4711";
pub const PUSHER_SECRET: &str = "plantedPusherSecret4711";

/// The program and where it lives.
pub struct Program {
    folder: PathBuf,
    database_url: String,
    provider_url: String,
    port: u16,
    child: Option<Child>,
}

impl Program {
    pub fn new(folder: &Path, database: &Database, provider_url: &str) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        Self {
            folder: folder.to_owned(),
            database_url: database.url(),
            provider_url: provider_url.to_owned(),
            port,
            child: None,
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).current_dir(&self.folder).args(arguments);
        command.envs([
            ("FRONTDESK_LISTEN", format!("127.0.0.1:{}", self.port)),
            ("DATABASE_URL", self.database_url.clone()),
            ("FRONTDESK_DATA_DIR", self.data().display().to_string()),
            ("FRONTDESK_LOG", "info,frontdesk_engine=trace,frontdesk_http=trace,frontdesk_channels=trace,frontdesk_store=trace,frontdesk_server=trace".to_owned()),
            ("FRONTDESK_PROVIDERS_ALLOW_PRIVATE_HOSTS", "127.0.0.1".to_owned()),
            ("FRONTDESK_PROVIDERS_TIMEOUT_MS", "1000".to_owned()),
            ("FRONTDESK_OUTBOX_LEASE_MS", "3000".to_owned()),
            ("FRONTDESK_LIMITS_SEND_PER_MINUTE", "100000".to_owned()),
            ("META_GRAPH_URL", self.provider_url.clone()),
            ("META_APP_SECRET", APP_SECRET.to_owned()),
            ("META_VERIFY_TOKEN", VERIFY_TOKEN.to_owned()),
            ("PUSHER_APP_ID", "1".to_owned()),
            ("PUSHER_APP_KEY", "key".to_owned()),
            ("PUSHER_APP_SECRET", PUSHER_SECRET.to_owned()),
        ]);
        command
    }

    /// Runs a command to its end with `input` on stdin; returns what it printed.
    pub fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut command = self.command(arguments);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{arguments:?}: {said}");
        assert!(![ACCESS_TOKEN, PASSWORD].iter().any(|secret| said.contains(secret)), "{said}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// Starts the server; returns how long it took until it was ready.
    pub async fn start(&mut self) -> Duration {
        let started = Instant::now();
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = self.command(&["serve"]);
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn();
        self.child = Some(child.unwrap());
        let (http, ready) = (reqwest::Client::new(), format!("{}/readyz", self.url()));
        loop {
            if http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return started.elapsed();
            }
            let gone = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(gone.is_none(), "it ended by itself: {gone:?}");
            assert!(started.elapsed() < Duration::from_secs(20), "it is never ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// `kill -TERM`, and waits for its end.
    pub async fn terminate(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it does not stop");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
