//! A fake provider on loopback whose every answer is scripted.

#![expect(clippy::unwrap_used, reason = "test support")]

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use frontdesk_provider_http::{
    AddressPolicy, CallLabel, CallRecord, CallRecorder, Outcome, ProviderHttp, ProviderSettings, RetryPolicy,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// What the fake does with one request, as raw bytes: nothing between the test and the wire.
#[derive(Clone)]
pub enum Script {
    /// Writes this and closes.
    Say(String),
    /// Reads the request and never answers.
    Hang,
    /// Writes this, then 1 kB pieces until the other side has had enough.
    Endless(String),
}

/// A 200, 4xx or 5xx with a body.
pub fn answer(status: u16, headers: &str, body: &str) -> Script {
    Script::Say(format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    ))
}

/// The fake: it plays the scripts in turn, the last one for ever.
pub struct Fake {
    pub address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Fake {
    pub async fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let turn = seen.fetch_add(1, Ordering::SeqCst);
                let script = scripts[turn.min(scripts.len() - 1)].clone();
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let _read = socket.read(&mut request).await;
                    match script {
                        Script::Say(text) => {
                            let _written = socket.write_all(text.as_bytes()).await;
                        }
                        Script::Hang => std::future::pending().await,
                        Script::Endless(head) => {
                            let _written = socket.write_all(head.as_bytes()).await;
                            let piece = format!("400\r\n{}\r\n", "x".repeat(0x400));
                            while socket.write_all(piece.as_bytes()).await.is_ok() {}
                        }
                    }
                });
            }
        });
        Self { address, requests }
    }

    /// Requests (connections) seen so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Settings that reach the fake, with short times.
    pub fn settings(&self) -> ProviderSettings {
        settings(&format!("http://{}/api", self.address))
    }

    pub fn http(&self) -> ProviderHttp {
        ProviderHttp::new(self.settings()).unwrap()
    }
}

pub fn settings(base_url: &str) -> ProviderSettings {
    frontdesk_provider_http::install_crypto();
    let mut settings = ProviderSettings::new("fake", base_url.parse().unwrap());
    settings.addresses = AddressPolicy::with_loopback();
    settings.timeout = Duration::from_millis(300);
    settings.max_response_bytes = 10_000;
    settings.retry = RetryPolicy { first: Duration::from_millis(5), ..RetryPolicy::default() };
    settings
}

pub const LABEL: CallLabel<'static> =
    CallLabel { key: "account-1", operation: "test", class: "", limits: None, base_url: None };

/// Keeps every record.
#[derive(Default)]
pub struct Ledger(pub Mutex<Vec<(Outcome, Option<u16>)>>, pub Mutex<Vec<(u32, bool)>>);

impl CallRecorder for Ledger {
    fn record(&self, record: &CallRecord<'_>) {
        assert_eq!((record.provider, record.key, record.operation), ("fake", "account-1", "test"));
        self.0.lock().unwrap().push((record.outcome, record.status));
        self.1.lock().unwrap().push((record.attempt, record.limited));
    }
}
