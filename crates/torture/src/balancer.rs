//! What stands before several nodes: each connection goes to the next node that takes it, as a plain TCP proxy would.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A proxy. It passes over a node that takes no connection; that a node stands still it is told, as by a health check.
pub struct Balancer {
    url: String,
    resting: Arc<Vec<AtomicBool>>,
    task: JoinHandle<()>,
}

impl Balancer {
    /// Starts one before these ports of the loopback address.
    pub async fn open(ports: Vec<u16>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let next = Arc::new(AtomicUsize::new(0));
        let resting: Arc<Vec<AtomicBool>> = Arc::new(ports.iter().map(|_| AtomicBool::new(false)).collect());
        let passed_over = resting.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (ports, next, resting) = (ports.clone(), next.clone(), passed_over.clone());
                tokio::spawn(async move {
                    for _ in 0..ports.len() {
                        let node = next.fetch_add(1, Ordering::Relaxed) % ports.len();
                        if resting[node].load(Ordering::Relaxed) {
                            continue;
                        }
                        let port = ports[node];
                        if let Ok(mut node) = TcpStream::connect(("127.0.0.1", port)).await {
                            // Either side may break off; the other notices by itself.
                            let _ = copy_bidirectional(&mut client, &mut node).await;
                            return;
                        }
                    }
                });
            }
        });
        Ok(Self { url, resting, task })
    }

    /// Gives a node no new connections, or gives it its share again.
    pub fn rest(&self, node: usize, rests: bool) {
        if let Some(resting) = self.resting.get(node) {
            resting.store(rests, Ordering::Relaxed);
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.url.clone()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
