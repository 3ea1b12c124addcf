//! A provider that hangs: takes every connection and answers nothing.
#![expect(clippy::expect_used, reason = "a test cannot go on without it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpListener;

/// An address that takes whatever comes and answers nothing, as long as the test runs.
pub struct Abyss {
    /// Where it is.
    pub url: String,
    held: Arc<AtomicUsize>,
}

impl Abyss {
    /// Opens one on a free port of the loopback address.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("the listener has an address"));
        let held = Arc::new(AtomicUsize::new(0));
        let count = held.clone();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                open.push(connection);
                count.store(open.len(), Ordering::SeqCst);
            }
        });
        Self { url, held }
    }

    /// How many have come, and wait.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }
}
