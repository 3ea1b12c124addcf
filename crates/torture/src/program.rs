//! The real program as a child process.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::database::Database;
use crate::trial::{Size, Trial};

/// A planted secret: none of them may be found anywhere afterwards.
pub const ACCESS_TOKEN: &str = "EAAplantedAccessToken4711";
/// Planted as well.
pub const APP_SECRET: &str = "plantedAppSecret4711";
/// Planted as well.
pub const VERIFY_TOKEN: &str = "plantedVerifyToken4711";
/// Planted as well.
pub const PASSWORD: &str = "planted password 4711";
/// Planted as well.
pub const PUSHER_SECRET: &str = "plantedPusherSecret4711";
/// Everyone's sign-in.
pub const EMAIL: &str = "ana@example.org";
/// The key of the realtime application.
pub const PUSHER_KEY: &str = "key";

/// It has to be ready this soon, or something is wrong beyond measuring.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Every part of the program tells everything.
const CHATTY: &str = "info,frontdesk_engine=trace,frontdesk_http=trace,frontdesk_channels=trace,frontdesk_store=trace,frontdesk_server=trace";

/// One node of the program and where it lives.
pub struct Program {
    binary: PathBuf,
    folder: PathBuf,
    port: u16,
    environment: BTreeMap<String, String>,
    child: Option<Child>,
    http: reqwest::Client,
}

impl Program {
    /// A node with a folder of its own; nothing is started.
    pub fn new(trial: &Trial, folder: &Path, database: &Database, graph_url: &str) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut program = Self {
            binary: trial.binary.clone(),
            folder: folder.to_owned(),
            port,
            environment: BTreeMap::new(),
            child: None,
            http: reqwest::Client::new(),
        };
        let data = program.data().display().to_string();
        let log = if trial.size == Size::Quick { CHATTY } else { "info" };
        for (name, value) in [
            ("FRONTDESK_LISTEN", format!("127.0.0.1:{port}").as_str()),
            ("DATABASE_URL", &database.url()),
            ("FRONTDESK_DATA_DIR", &data),
            ("FRONTDESK_LOG", log),
            ("FRONTDESK_PROVIDERS_ALLOW_PRIVATE_HOSTS", "127.0.0.1"),
            ("FRONTDESK_PROVIDERS_TIMEOUT_MS", "1000"),
            ("FRONTDESK_OUTBOX_LEASE_MS", "3000"),
            ("FRONTDESK_LIMITS_SEND_PER_MINUTE", "1000000"),
            ("META_GRAPH_URL", graph_url),
            ("META_APP_SECRET", APP_SECRET),
            ("META_VERIFY_TOKEN", VERIFY_TOKEN),
            ("PUSHER_APP_ID", "1"),
            ("PUSHER_APP_KEY", PUSHER_KEY),
            ("PUSHER_APP_SECRET", PUSHER_SECRET),
        ] {
            program.set(name, value);
        }
        Ok(program)
    }

    /// Sets a variable of its environment, from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// Takes a variable away again, from the next start on.
    pub fn unset(&mut self, name: &str) {
        self.environment.remove(name);
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it listens, as a port of the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its log, of all starts.
    pub fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).envs(&self.environment);
        command.current_dir(&self.folder).args(arguments);
        command
    }

    /// Runs a command to its end with `input` on stdin; returns what it printed.
    pub fn run(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        let mut command = self.command(arguments);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().with_context(|| format!("{} cannot be run", self.binary.display()))?;
        child.stdin.take().context("a pipe")?.write_all(input.as_bytes())?;
        let done = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "{arguments:?}: {said}");
        ensure!(
            ![ACCESS_TOKEN, PASSWORD].iter().any(|secret| said.contains(secret)),
            "a secret is shown: {said}"
        );
        Ok(String::from_utf8(done.stdout)?.trim().to_owned())
    }

    /// Starts the server; returns how long it took until it was ready.
    pub async fn start(&mut self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        self.launch()?;
        self.ready().await?;
        Ok(started.elapsed())
    }

    /// From the next start on it is another program.
    pub fn replace_by(&mut self, binary: &Path) {
        self.binary = binary.to_owned();
    }

    /// Starts the server and does not wait.
    pub fn launch(&mut self) -> anyhow::Result<()> {
        self.spawn(&["serve"])
    }

    /// Starts a command and does not wait.
    pub fn spawn(&mut self, arguments: &[&str]) -> anyhow::Result<()> {
        let log = std::fs::File::options().create(true).append(true).open(self.log())?;
        let mut command = self.command(arguments);
        self.child = Some(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?);
        Ok(())
    }

    /// Waits until it is ready.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + READY_WITHIN;
        while !self.is_ready().await {
            let gone = self.ended()?;
            ensure!(gone.is_none(), "it ended by itself: {gone:?}, see {}", self.log().display());
            ensure!(Instant::now() < end, "it is never ready, see {}", self.log().display());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Whether it says now that it is ready.
    pub async fn is_ready(&self) -> bool {
        let answer =
            self.http.get(format!("{}/readyz", self.url())).timeout(Duration::from_secs(2)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// How it ended, if it did by itself.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.as_mut().context("it was not started")?.try_wait()?)
    }

    /// `kill -9`.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("it was not started")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Waits for an end that it was brought to in another way.
    pub async fn wait(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended()? {
                self.child = None;
                return Ok(status);
            }
            if Instant::now() > end {
                bail!("it does not stop");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// `kill -TERM`, and waits for its end.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.wait(Duration::from_secs(30)).await
    }

    /// `kill -STOP`: it stands still and does not know.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// `kill -CONT`.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = self.child.as_ref().context("it was not started")?.id();
        let process = Pid::from_raw(i32::try_from(id)?).context("a process has a number")?;
        Ok(kill_process(process, signal)?)
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> anyhow::Result<u64> {
        let id = self.child.as_ref().context("it was not started")?.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// Open files and sockets.
    pub fn handles(&self) -> anyhow::Result<usize> {
        let id = self.child.as_ref().context("it was not started")?.id();
        Ok(std::fs::read_dir(format!("/proc/{id}/fd"))?.count())
    }

    /// How often a line of its log holds `text`.
    pub fn logged(&self, text: &str) -> anyhow::Result<usize> {
        let log = std::fs::read(self.log())?;
        Ok(String::from_utf8_lossy(&log).lines().filter(|line| line.contains(text)).count())
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
