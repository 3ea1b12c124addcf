//! What every handler can reach.

use std::sync::Arc;

use frontdesk_engine::Engine;
use ipnet::IpNet;

use crate::socket_threads::SocketThreads;
use crate::totals::Totals;

/// Settings of the door.
#[derive(Clone)]
pub struct HttpSettings {
    /// The largest body of a request in bytes; uploads and webhooks have limits of their own.
    pub max_body_bytes: usize,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Writes the figures for Prometheus.
    pub render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            max_body_bytes: 1024 * 1024,
            trusted_proxies: Vec::new(),
            render_metrics: Arc::new(String::new),
        }
    }
}

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct HttpState {
    parts: Arc<HttpParts>,
}

/// What [`HttpState`] is made of.
pub struct HttpParts {
    /// The flow.
    pub engine: Engine,
    /// Settings of the door.
    pub settings: HttpSettings,
    /// How long the lists are.
    pub(crate) totals: Totals,
    /// Where the live sockets run.
    pub(crate) socket_threads: SocketThreads,
}

impl HttpState {
    /// Puts the parts together.
    pub fn new(engine: Engine, settings: HttpSettings) -> Self {
        let (totals, socket_threads) = (Totals::default(), SocketThreads::default());
        Self { parts: Arc::new(HttpParts { engine, settings, totals, socket_threads }) }
    }
}

impl std::ops::Deref for HttpState {
    type Target = HttpParts;
    fn deref(&self) -> &HttpParts {
        &self.parts
    }
}
