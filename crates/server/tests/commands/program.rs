//! Runs the built program in a folder of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a test waits for something that is sure to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A place to run the program in: a data folder and the variables it gets, and none of the tester's.
pub struct Place {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// Sets a variable of the program's environment.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.retain(|(n, _)| n != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a variable away.
    pub fn unset(&mut self, name: &str) {
        self.variables.retain(|(n, _)| n != name);
    }

    /// A path in this place.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn database(&self) -> PathBuf {
        self.data().join("frontdesk.db")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        // A free port, whatever else runs on this machine.
        command.env("FRONTDESK_DATA_DIR", self.data()).env("FRONTDESK_LISTEN", "127.0.0.1:0");
        command.envs(self.variables.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "")
    }

    /// Runs a command with something on stdin.
    pub fn run_with(&self, arguments: &[&str], stdin: &str) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // A command that reads no stdin may have closed it.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command that must succeed; returns what it printed.
    pub fn get(&self, arguments: &[&str]) -> String {
        self.get_with(arguments, "")
    }

    pub fn get_with(&self, arguments: &[&str], stdin: &str) -> String {
        let ended = self.run_with(arguments, stdin);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended.stdout
    }

    pub fn get_json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.get(arguments)).unwrap()
    }

    /// Adds Ada, who may do everything.
    pub fn add_admin(&self) {
        self.get_with(
            &[
                "user",
                "create",
                "--email",
                "ada@example.org",
                "--name",
                "Ada",
                "--role",
                "admin",
                "--password-stdin",
            ],
            "correct horse battery",
        );
    }

    /// Starts the server on a free port and waits until it is ready.
    pub fn serve(&mut self) -> Serving {
        self.set("FRONTDESK_LISTEN", "127.0.0.1:0");
        self.start(&["serve"])
    }

    /// Starts a command that serves, and waits until it is ready.
    pub fn start(&mut self, arguments: &[&str]) -> Serving {
        self.set("FRONTDESK_LOG_FORMAT", "json").set("FRONTDESK_LOG", "info,frontdesk_server=info");
        let mut child = self.command(arguments).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut serving = Serving { child, log, address: ([127, 0, 0, 1], 0).into(), seen: Vec::new() };
        let ready = serving.wait_for_log("Ready");
        serving.address = ready["address"].as_str().unwrap().parse().unwrap();
        serving
    }
}

/// A server that runs until it is dropped.
pub struct Serving {
    child: Child,
    log: mpsc::Receiver<String>,
    pub address: SocketAddr,
    seen: Vec<String>,
}

impl Serving {
    /// Waits for a line of the log with this message.
    pub fn wait_for_log(&mut self, message: &str) -> Value {
        loop {
            let Ok(line) = self.log.recv_timeout(PATIENCE) else {
                panic!("the log never said {message:?}: {:#?}", self.seen);
            };
            self.seen.push(line);
            let parsed: Option<Value> = self.seen.last().and_then(|line| serde_json::from_str(line).ok());
            if let Some(parsed) = parsed
                && parsed["message"].as_str().is_some_and(|text| text.starts_with(message))
            {
                return parsed;
            }
        }
    }

    /// Reads lines of stdout until one begins with this label; returns what follows.
    pub fn wait_for_line(&mut self, label: &str) -> String {
        let mut lines = BufReader::new(self.child.stdout.as_mut().unwrap()).lines().map_while(Result::ok);
        let found = lines.find_map(|line| line.trim().strip_prefix(label).map(|rest| rest.trim().to_owned()));
        found.unwrap_or_else(|| panic!("stdout never said {label}"))
    }

    /// Looks until it is so.
    pub fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < deadline, "it never came to this: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends raw bytes on a new connection and reads until the server closes it.
    pub fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned() // it may be a picture
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end of the process; returns its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server did not end: {:#?}", self.seen);
    }

    /// Asks it to end and waits.
    pub fn stop(&mut self) {
        self.signal("TERM");
        assert_eq!(self.wait(), Some(0));
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended already
        let _ = self.child.wait();
    }
}

/// One request with a cookie; returns head and body.
pub fn request(serving: &Serving, method: &str, path: &str, cookie: &str, body: &str) -> (String, String) {
    let answer = serving.exchange(&format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The session's cookie of an answer.
pub fn cookie_of(head: &str) -> String {
    let cookie = head.lines().find(|line| line.to_lowercase().starts_with("set-cookie:")).unwrap();
    cookie[11..].split(';').next().unwrap().trim().to_owned()
}

/// Every file in a folder, by its path below it.
pub fn files(folder: &Path) -> Vec<String> {
    let mut found: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    found
}
