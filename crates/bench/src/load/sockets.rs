//! Many sockets on one channel of a server that speaks the Pusher protocol.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::frames;
use super::http::find;
use super::mark::{self, Epoch};
use crate::figures::Latencies;
use crate::product::{APP_KEY, APP_SECRET};

/// Sockets that connect at the same time.
const CONNECTING: usize = 64;
const CONNECTED: Duration = Duration::from_secs(60);
/// An event's name is looked for in the beginning of a frame.
const NAME_WITHIN: usize = 96;

/// Sockets that listen.
pub struct Sockets {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

/// What they listen for.
#[derive(Debug, Clone)]
pub struct Listening {
    /// As `127.0.0.1:8080`.
    pub address: String,
    /// A private channel.
    pub channel: &'static str,
    /// The event that counts.
    pub event: &'static str,
}

/// What they have in common.
struct Shared {
    listening: Listening,
    epoch: Epoch,
    /// From and until when a message must have been due to count.
    window: Mutex<(Duration, Duration)>,
    latencies: Mutex<Latencies>,
    joined: AtomicUsize,
    closing: AtomicBool,
    first_failure: Mutex<Option<String>>,
}

impl Sockets {
    /// Connects `count` sockets and waits until all have joined the channel.
    pub async fn connect(listening: Listening, count: usize) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            listening,
            epoch: Epoch::now(),
            window: Mutex::default(),
            latencies: Mutex::default(),
            joined: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            first_failure: Mutex::default(),
        });
        let gate = Arc::new(Semaphore::new(CONNECTING));
        let tasks = (0..count).map(|_| tokio::spawn(listen(shared.clone(), gate.clone()))).collect();
        let sockets = Self { shared, tasks };
        let begun = Instant::now();
        while sockets.shared.joined.load(Ordering::Relaxed) < count {
            sockets.check()?;
            if begun.elapsed() > CONNECTED {
                bail!("only {} of {count} sockets joined", sockets.shared.joined.load(Ordering::Relaxed));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(sockets)
    }

    /// The beginning that marks count from.
    pub fn epoch(&self) -> Epoch {
        self.shared.epoch
    }

    /// Counts messages that were due in this time.
    pub fn count_between(&self, from: Duration, until: Duration) {
        *lock(&self.shared.window) = (from, until);
    }

    /// How many have been counted.
    pub fn counted(&self) -> usize {
        lock(&self.shared.latencies).count()
    }

    /// Fails when a socket has failed.
    pub fn check(&self) -> anyhow::Result<()> {
        match &*lock(&self.shared.first_failure) {
            Some(failure) => bail!("a socket failed: {failure}"),
            None => Ok(()),
        }
    }

    /// Closes all of them; returns the times.
    pub fn close(self) -> Latencies {
        self.shared.closing.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.abort();
        }
        std::mem::take(&mut *lock(&self.shared.latencies))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(shared: Arc<Shared>, gate: Arc<Semaphore>) {
    if let Err(error) = follow(&shared, &gate).await
        && !shared.closing.load(Ordering::Relaxed)
    {
        lock(&shared.first_failure).get_or_insert(format!("{error:#}"));
    }
}

async fn follow(shared: &Shared, gate: &Semaphore) -> anyhow::Result<()> {
    let turn = gate.acquire().await?;
    let mut buffer = Vec::with_capacity(8 * 1024);
    let mut stream = upgrade(&shared.listening.address, &mut buffer).await?;
    let mut turn = Some(turn);
    let mut due = Vec::new();
    let mut said = Vec::new();
    loop {
        let mut answer = Vec::new();
        let mut closed = false;
        let used = frames::each(&buffer, |kind, payload| match kind {
            frames::TEXT if counts(payload, shared.listening.event) => due.extend(mark::read(payload)),
            frames::TEXT if counts(payload, "\"pusher") => said.push(payload.to_vec()),
            frames::PING => answer.extend(frames::masked(frames::PONG, payload)),
            frames::CLOSE => closed = true,
            _ => {}
        });
        buffer.drain(..used);
        if !due.is_empty() {
            shared.record(&mut due);
        }
        for frame in said.drain(..) {
            if shared.converse(&frame, &mut answer)? {
                turn = None;
            }
        }
        if closed {
            bail!("the server closed it");
        }
        if !answer.is_empty() {
            stream.write_all(&answer).await?;
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            bail!("the server broke it off{}", if turn.is_some() { " before it joined" } else { "" });
        }
    }
}

/// Whether a frame is of this event. Nothing is parsed: most frames are only counted, or not even that.
fn counts(payload: &[u8], event: &str) -> bool {
    find(&payload[..payload.len().min(NAME_WITHIN)], event.as_bytes()).is_some()
}

async fn upgrade(address: &str, buffer: &mut Vec<u8>) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET /app/{APP_KEY}?protocol=7&client=bench&version=1.0&flash=false HTTP/1.1\r\nHost: {address}\r\n\
         Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            if !buffer.starts_with(b"HTTP/1.1 101") {
                bail!("no upgrade: {}", String::from_utf8_lossy(&buffer[..buffer.len().min(200)]));
            }
            buffer.drain(..end + 4);
            return Ok(stream);
        }
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed it before the upgrade");
        }
    }
}

impl Shared {
    fn record(&self, due: &mut Vec<Duration>) {
        let now = self.epoch.elapsed();
        let (from, until) = *lock(&self.window);
        let mut latencies = lock(&self.latencies);
        for at in due.drain(..).filter(|at| (from..until).contains(at)) {
            latencies.add(now.saturating_sub(at));
        }
    }

    /// Joins the channel when greeted. True: it has joined.
    fn converse(&self, frame: &[u8], answer: &mut Vec<u8>) -> anyhow::Result<bool> {
        let frame: Value = serde_json::from_slice(frame).context("a frame that is no JSON")?;
        match frame["event"].as_str().unwrap_or_default() {
            "pusher:connection_established" => {
                let data: Value = serde_json::from_str(frame["data"].as_str().unwrap_or_default())?;
                let id = data["socket_id"].as_str().context("a greeting without a socket id")?;
                let channel = self.listening.channel;
                let auth = format!("{APP_KEY}:{}", signed(&format!("{id}:{channel}")));
                let data = json!({ "channel": channel, "auth": auth });
                let subscribe = json!({ "event": "pusher:subscribe", "data": data }).to_string();
                answer.extend(frames::masked(frames::TEXT, subscribe.as_bytes()));
            }
            "pusher_internal:subscription_succeeded" => {
                self.joined.fetch_add(1, Ordering::Relaxed);
                return Ok(true);
            }
            "pusher:ping" => {
                answer.extend(frames::masked(frames::TEXT, br#"{"event":"pusher:pong","data":{}}"#));
            }
            refusal @ ("pusher:error" | "pusher:subscription_error") => {
                bail!("{refusal}: {}", frame["data"]);
            }
            _ => {}
        }
        Ok(false)
    }
}

/// The application's signature, in hex.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub fn signed(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).expect("a key of any length");
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}
