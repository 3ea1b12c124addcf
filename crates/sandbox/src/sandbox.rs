//! The handle of a running sandbox: shared by all fakes, the control API and the phones page.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use serde::Serialize;
use tokio::sync::broadcast;
use utoipa::ToSchema;

use crate::channel::Channel;
use crate::clock::Clock;
use crate::faults::{self, Fault, FaultRule, FaultScope, FaultStage};
use crate::green::GreenInstance;
use crate::settings::SandboxSettings;
use crate::webhooks::{Event, EventClass, WebhookSender};
use crate::world::World;
use crate::{chatwoot, control, gateway, graph, green, linked, openai, page};

/// Changes that a slow reader of the live stream may lag behind before it misses some.
const CHANGES_KEPT: usize = 256;
/// A held-back event goes out after this long.
const REORDER_DELAY: Duration = Duration::from_millis(750);

/// Why a sandbox could not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The webhook sender's HTTP client could not be built.
    #[error("the HTTP client could not be built")]
    HttpClient(#[source] reqwest::Error),
    /// The address could not be listened on, or serving failed.
    #[error("serving on {address} failed")]
    Serve {
        /// Address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Something changed; readers of the live stream ask again.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Change {
    /// `chat`, `customer`, `webhook`, `faults` or `reset`.
    pub what: &'static str,
    /// Customer concerned.
    pub customer_id: Option<String>,
    /// Inbox concerned.
    pub inbox_id: Option<String>,
}

/// A running sandbox. Clones share everything.
#[derive(Debug, Clone)]
pub struct Sandbox(Arc<Inner>);

/// A [`Sandbox`] that does not keep it alive.
#[derive(Debug, Clone)]
pub(crate) struct WeakSandbox(Weak<Inner>);

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    clock: Clock,
    seed: Option<u64>,
    kept: usize,
    public_url: RwLock<String>,
    webhooks: WebhookSender,
    http: reqwest::Client,
    changes: broadcast::Sender<Change>,
}

impl Sandbox {
    /// Makes a sandbox: the router to serve and the handle to steer it in-process.
    ///
    /// Errors: [`SandboxError::HttpClient`] when the system's TLS roots cannot be read.
    pub fn new(settings: SandboxSettings) -> Result<(Router, Self), SandboxError> {
        // Fails only if a provider is installed already, which serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(SandboxError::HttpClient)?;
        let sandbox = Self(Arc::new(Inner {
            world: Mutex::new(World::new(settings.live, settings.seed, settings.kept)),
            clock: settings.clock,
            seed: settings.seed,
            kept: settings.kept,
            public_url: RwLock::new(settings.public_url),
            webhooks: WebhookSender::default(),
            http,
            changes: broadcast::channel(CHANGES_KEPT).0,
        }));
        let router = Router::new()
            .nest("/graph", graph::router(sandbox.clone()))
            .nest("/green", green::router(sandbox.clone()))
            .nest("/gateway", gateway::router(sandbox.clone()))
            .nest("/phones", linked::router(sandbox.clone()))
            .nest("/chatwoot", chatwoot::router(sandbox.clone()))
            .nest("/openai", openai::router(sandbox.clone()))
            .nest("/control", control::router(sandbox.clone()))
            .merge(page::router())
            .layer(DefaultBodyLimit::max(graph::BODY_MAX_BYTES));
        Ok((router, sandbox))
    }

    /// The fake world. Never hold it across an `await`.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What Green API knows of an instance. Not within a use of [`Self::world`].
    pub fn green<T>(&self, inbox_id: &str, act: impl FnOnce(&mut GreenInstance) -> T) -> T {
        act(self.world().green.entry(inbox_id.to_owned()).or_default())
    }

    /// The fake world's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The webhook sender.
    #[must_use]
    pub fn webhooks(&self) -> &WebhookSender {
        &self.0.webhooks
    }

    /// Where the sandbox is reached, without a final slash.
    #[must_use]
    pub fn public_url(&self) -> String {
        self.0.public_url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says where the sandbox is reached: after binding to port 0.
    pub fn set_public_url(&self, url: &str) {
        let mut public_url = self.0.public_url.write().unwrap_or_else(PoisonError::into_inner);
        url.trim_end_matches('/').clone_into(&mut public_url);
    }

    /// Forgets customers, chats, files, faults, records, load runs and clock shift; settings and inboxes stay.
    pub fn reset(&self) {
        let mut world = self.world();
        let fresh = World::new(world.settings.clone(), self.0.seed, self.0.kept);
        world.start_over(fresh);
        drop(world);
        self.0.clock.reset();
        self.changed("reset", None, None);
    }

    /// Has this share of a channel's calls, 0 to 1, answered with HTTP 500 and not carried out, in place of all its rules; 0
    /// lets everything through again.
    pub fn set_failure_rate(&self, channel: Channel, rate: f64) {
        let failing =
            FaultRule { fault: Fault::InternalError, rate, next: 0, scope: FaultScope::All, hits: 0 };
        let rules = if rate > 0.0 { vec![failing] } else { Vec::new() };
        self.world().faults.insert(channel, rules);
        self.changed("faults", None, None);
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    pub(crate) fn downgrade(&self) -> WeakSandbox {
        WeakSandbox(Arc::downgrade(&self.0))
    }

    pub(crate) fn changes(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    /// Tells readers of the live stream; nobody listening is fine.
    pub(crate) fn changed(&self, what: &'static str, customer_id: Option<&str>, inbox_id: Option<&str>) {
        let change = Change {
            what,
            customer_id: customer_id.map(ToOwned::to_owned),
            inbox_id: inbox_id.map(ToOwned::to_owned),
        };
        drop(self.0.changes.send(change));
    }

    /// Draws a fault of this channel.
    pub(crate) fn draw_fault(&self, channel: Channel, stage: FaultStage, scope: FaultScope) -> Option<Fault> {
        let mut world = self.world();
        let World { faults, ids, .. } = &mut *world;
        faults::draw(faults.get_mut(&channel)?, stage, scope, ids)
    }

    /// Sends an event to the business, through the webhook faults of its channel.
    pub(crate) fn tell(&self, event: Event) {
        let channel = event.channel;
        let draw = |stage| self.draw_fault(channel, stage, FaultScope::All).is_some();
        if event.class == EventClass::Status && draw(FaultStage::Drop) {
            return;
        }
        if draw(FaultStage::Duplicate) {
            self.queue(event.clone());
        }
        if draw(FaultStage::Reorder) {
            let pending = self.webhooks().pending();
            let sandbox = self.downgrade();
            tokio::spawn(async move {
                tokio::time::sleep(REORDER_DELAY).await;
                if let Some(sandbox) = sandbox.upgrade() {
                    sandbox.queue(event);
                }
                drop(pending);
            });
            return;
        }
        self.queue(event);
    }

    fn queue(&self, event: Event) {
        if event.channel == Channel::GreenApi {
            return green::delivery::queue(self, event);
        }
        if event.channel == Channel::LinkedWhatsapp {
            if let Some(phone) = self.world().linked.phones.get_mut(&event.inbox_id) {
                phone.tell(event.content);
            }
            return;
        }
        let batching = self.world().settings.batch.max_events > 1;
        self.webhooks().queue(self, event, batching);
    }
}

impl WeakSandbox {
    pub(crate) fn upgrade(&self) -> Option<Sandbox> {
        self.0.upgrade().map(Sandbox)
    }
}

/// Serves a sandbox on `listen` until the future is dropped; `public_url` of the settings is replaced by the bound
/// address.
///
/// Errors: [`SandboxError`] when it cannot be built or bound.
pub async fn serve(listen: SocketAddr, settings: SandboxSettings) -> Result<(), SandboxError> {
    let failed = |source| SandboxError::Serve { address: listen, source };
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let (router, sandbox) = Sandbox::new(settings)?;
    sandbox.set_public_url(&format!("http://{bound}"));
    tracing::info!(address = %bound, "the sandbox listens: phones at /sandbox/, control API at /control/openapi.json");
    axum::serve(listener, router).await.map_err(failed)
}
