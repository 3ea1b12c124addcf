//! The whole play: nodes of Frontdesk on one database, customers with phones, and the providers between them.
//!
//! `customers.rs`, `chatwoot.rs`, `replies.rs`, `providers.rs` and `instances.rs` say what can be done on it.
//! Everything speaks HTTP over the loopback address. Time runs as on the machine and can be moved forward.
#![expect(clippy::expect_used, reason = "a test cannot go on without its stage")]

mod chatwoot;
mod customers;
mod instances;
mod providers;
mod replies;

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use frontdesk_channels::contract::{
    ChannelContext, GreenApiSettings, LinkedSettings, NoSessions, ProviderSettings,
};
use frontdesk_engine::caller::Actor;
use frontdesk_engine::inboxes::{self, NewInbox};
use frontdesk_engine::media::MediaStore;
use frontdesk_engine::settings::EngineSettings;
use frontdesk_engine::tokens::NewToken;
use frontdesk_engine::users::NewUser;
use frontdesk_engine::vault::Vault;
use frontdesk_engine::workers::{self, Workers};
use frontdesk_engine::{Engine, EngineParts, accounts, tokens, users};
use frontdesk_http::HttpSettings;
use frontdesk_model::clock::{Clock, SystemClock};
use frontdesk_model::user::{Ability, Role};
use frontdesk_model::{AccountId, InboxId, MessageId, SharedClock, Timestamp};
use frontdesk_provider_http::{CallRecord, CallRecorder};
use frontdesk_sandbox::{Sandbox, SandboxSettings};
use frontdesk_store::{Store, StoreError, StoreSettings, Tx};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::chatwoot::chatwoot_signature;
pub use self::customers::Thread;
use crate::database::{TestDatabase, databases};

/// What webhooks are signed with.
pub const APP_SECRET: &str = "the-apps-secret";
/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// The sandbox's inboxes by name, with the fields our inbox needs.
const INBOXES: [(&str, &str, &str); 3] = [
    ("whatsapp", "whatsapp_cloud", "phone_number_id"),
    ("messenger", "messenger", "page_id"),
    ("instagram", "instagram", "instagram_id"),
];

/// The machine's clock, moved forward when told to.
#[derive(Debug, Default)]
pub struct ShiftedClock(AtomicI64);

impl ShiftedClock {
    /// Moves the clock forward by `ms` milliseconds.
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_ms(self.0.load(Ordering::SeqCst))
    }
}

/// How a stage differs from the usual one.
#[derive(Clone)]
pub struct StageSettings {
    /// Settings of every node: by default those of the product with a fast retry ladder.
    pub engine: EngineSettings,
    /// False: nobody answers at the provider's address until [`Stage::open_provider`].
    pub provider_open: bool,
    /// Time-out of one call at the provider.
    pub timeout_ms: u64,
    /// True: the sandbox's Chatwoot is connected.
    pub chatwoot: bool,
}

impl Default for StageSettings {
    fn default() -> Self {
        let mut engine = EngineSettings::default();
        engine.doors.meta_app_secrets = vec![APP_SECRET.to_owned()];
        engine.outbox.retry_ladder_ms = vec![50, 100, 200, 400];
        engine.outbox.breaker_open_ms = 300;
        engine.outbox.unknown_settle_ms = 1000;
        engine.outbox.per_inbox_per_second = 1000;
        engine.limits.send_per_minute = 1_000_000;
        engine.limits.list_per_minute = 1_000_000;
        Self { engine, provider_open: true, timeout_ms: 5000, chatwoot: false }
    }
}

/// One process, as far as it matters here: an engine with workers and a door of its own.
pub struct Node {
    /// The flow.
    pub engine: Engine,
    /// Where its door is.
    pub url: String,
    workers: Option<Workers>,
    _data: tempfile::TempDir,
}

impl Node {
    /// Stops it as a signal would, and waits until its workers are done.
    pub async fn stop(&mut self) {
        self.engine.shutdown.cancel();
        if let Some(workers) = self.workers.take() {
            tokio::time::timeout(PATIENCE, workers.stopped()).await.expect("the workers end");
        }
    }
}

/// Nodes, providers and customers.
pub struct Stage {
    /// The fake providers.
    pub sandbox: Sandbox,
    /// Everyone's clock.
    pub clock: Arc<ShiftedClock>,
    /// The database of all nodes.
    pub database: TestDatabase,
    /// The nodes; webhooks go to the first.
    pub nodes: Vec<Node>,
    /// The account of everything.
    pub account: AccountId,
    /// An admin's API token.
    pub token: String,
    settings: StageSettings,
    provider: SocketAddr,
    provider_router: Router,
    http: reqwest::Client,
}

impl Stage {
    /// A stage with one node on every kind of database available.
    pub async fn on_all(settings: StageSettings) -> Vec<Self> {
        let mut stages = Vec::new();
        for database in databases().await {
            stages.push(Self::on(database, settings.clone()).await);
        }
        stages
    }

    /// A stage with one node on this database, and an inbox on each channel.
    pub async fn on(database: TestDatabase, settings: StageSettings) -> Self {
        let clock = Arc::new(ShiftedClock::default());
        let ours = clock.clone();
        let mut sandbox_settings = SandboxSettings {
            clock: frontdesk_sandbox::Clock::from_source(move || ours.now().as_millis()),
            ..SandboxSettings::default()
        };
        sandbox_settings.live.timing.sent_after_ms = 5;
        sandbox_settings.live.timing.delivered_after_ms = 5;
        sandbox_settings.live.retry.base_ms = 100;
        sandbox_settings.live.limits.pair_burst = None;
        sandbox_settings.live.limits.messages_per_second = None;
        let (router, sandbox) = Sandbox::new(sandbox_settings).expect("the sandbox can be made");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let provider = listener.local_addr().expect("the listener has an address");
        sandbox.set_public_url(&format!("http://{provider}"));
        drop(listener);
        let mut stage = Self {
            sandbox,
            clock,
            database,
            nodes: Vec::new(),
            account: AccountId(0),
            token: String::new(),
            provider,
            provider_router: router,
            http: reqwest::Client::new(),
            settings,
        };
        if stage.settings.provider_open {
            stage.open_provider().await;
        }
        stage.add_node().await;
        stage.furnish().await;
        stage
    }

    /// Lets the providers answer at their address.
    pub async fn open_provider(&self) {
        let listener = TcpListener::bind(self.provider).await.expect("the port is still free");
        let router = self.provider_router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
    }

    /// The engine of one more process on the same database; it works nothing by itself.
    pub async fn engine(&self, settings: EngineSettings, data: &Path) -> Engine {
        self.engine_with_key(settings, data, [7; 32]).await
    }

    /// The same with another key, which opens none of the stored secrets.
    pub async fn stranger(&self, data: &Path) -> Engine {
        self.engine_with_key(self.settings.engine.clone(), data, [8; 32]).await
    }

    async fn engine_with_key(&self, settings: EngineSettings, data: &Path, key: [u8; 32]) -> Engine {
        let clock: SharedClock = self.clock.clone();
        let store_settings = StoreSettings { url: self.database.url.clone(), postgres_connections: 12 };
        let store = Store::open(&store_settings, clock.clone()).await.expect("the database can be opened");
        let graph = format!("http://{}/graph", self.provider);
        let providers = ProviderSettings {
            meta_graph_url: graph.clone(),
            meta_instagram_url: graph,
            meta_graph_version: "v26.0".to_owned(),
            green_api: GreenApiSettings {
                base_url: format!("http://{}/green", self.provider),
                timeout_ms: self.settings.timeout_ms.max(15_000), // a poll waits five seconds
                ..GreenApiSettings::default()
            },
            linked: LinkedSettings {
                simulator_url: format!("http://{}", self.provider),
                ..LinkedSettings::default()
            },
            allow_private_hosts: vec!["127.0.0.1".to_owned()],
            timeout_ms: self.settings.timeout_ms,
            breaker_open_ms: self.settings.engine.outbox.breaker_open_ms,
        };
        let media = MediaStore::open(data, &settings.media, &store).expect("the media store can be opened");
        Engine::new(EngineParts {
            store,
            media,
            settings: EngineSettings {
                data_dir: data.to_owned(),
                chatwoot: self.settings.chatwoot.then(|| self.chatwoot_settings()),
                ..settings
            },
            vault: Vault::new(key),
            channels: ChannelContext {
                clock: clock.clone(),
                providers: Arc::new(providers),
                recorder: Arc::new(Unrecorded),
                stacks: Arc::default(),
                sessions: Arc::new(NoSessions),
            },
            clock,
            node_id: format!("node-{}-{}", self.nodes.len(), fresh_number()),
            shutdown: CancellationToken::new(),
        })
    }

    /// Starts one more node on the same database, with a data folder of its own.
    pub async fn add_node(&mut self) {
        let data = tempfile::tempdir().expect("a temporary folder can be made");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("the listener has an address"));
        let settings = EngineSettings { public_url: url.clone(), ..self.settings.engine.clone() };
        let engine = self.engine(settings, data.path()).await;
        let router = frontdesk_http::router(engine.clone(), HttpSettings::default());
        let (service, stop) =
            (router.into_make_service_with_connect_info::<SocketAddr>(), engine.shutdown.clone());
        tokio::spawn(async move {
            axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await
        });
        let workers = Some(workers::spawn(&engine));
        if self.nodes.is_empty() {
            let mut world = self.sandbox.world();
            world.settings.webhook.url = Some(format!("{url}/api/webhooks/messages"));
            world.settings.webhook.app_secret = Some(APP_SECRET.to_owned());
        }
        self.nodes.push(Node { engine, url, workers, _data: data });
    }

    /// The account, an admin with a token, and an inbox on each channel.
    async fn furnish(&mut self) {
        let engine = &self.nodes[0].engine;
        let account = accounts::bootstrap(engine).await.expect("the account can be made").id;
        let actor = Actor::server(account);
        let new = NewUser {
            email: "admin@example.org".to_owned(),
            name: "Ana".to_owned(),
            role: Role::Admin,
            password: "a long password".to_owned(),
        };
        let user = users::create(engine, actor, new).await.expect("the user can be added");
        let new = NewToken {
            user_id: user.id,
            name: "test".to_owned(),
            abilities: vec![Ability::All],
            expires_at: None,
        };
        let token = tokens::create(engine, actor, new).await.expect("the token can be made").token;
        for (name, channel, key) in INBOXES {
            let token = format!("token-of-{name}");
            let (account_id, business) = {
                let mut world = self.sandbox.world();
                let inbox = world.inboxes.get_mut(name).expect("the sandbox has this inbox");
                inbox.access_token = Some(token.clone());
                (inbox.account_id.clone(), inbox.business_account_id.clone())
            };
            let mut settings = frontdesk_model::inbox::InboxSettings::new();
            settings.insert(key.to_owned(), account_id);
            settings.insert("access_token".to_owned(), token);
            if let Some(business) = business {
                settings.insert("business_account_id".to_owned(), business);
            }
            let new = NewInbox { channel: channel.to_owned(), name: name.to_owned(), settings };
            inboxes::create(engine, actor, new).await.expect("the inbox can be connected");
        }
        (self.account, self.token) = (account, token);
    }

    /// The engine of the first node.
    pub fn first(&self) -> &Engine {
        &self.nodes[0].engine
    }

    /// The id of our inbox for one of the sandbox's.
    pub async fn inbox(&self, name: &str) -> InboxId {
        let rows =
            inboxes::list(self.first(), self.account, InboxId(0), 100).await.expect("inboxes can be read");
        let found = rows.iter().find(|row| row.config.name == name);
        found.expect("there is an inbox of this name").config.id
    }

    /// Asks the first node, as the admin.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.call_on(0, method, path, body).await
    }

    /// Asks one of the nodes, as the admin.
    pub async fn call_on(&self, node: usize, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.call_as(&self.token, node, method, path, body).await
    }

    /// Asks one of the nodes, as whoever holds this token.
    pub async fn call_as(
        &self,
        token: &str,
        node: usize,
        method: &str,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let request = self.http.request(method, format!("{}{path}", self.nodes[node].url)).bearer_auth(token);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.expect("the node answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Fetches a path of a node without any sign-in: status, headers, bytes.
    pub async fn fetch(&self, node: usize, path: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.nodes[node].url));
        request.send().await.expect("the node answers")
    }

    /// Uploads a file and returns what the API says about it.
    pub async fn upload(&self, name: &str, mime: &str, bytes: Vec<u8>) -> Value {
        let (status, answer) = self.send_form("/api/v1/media", &[], &[(name, mime, bytes)]).await;
        assert_eq!(status, 201, "{answer}");
        answer
    }

    /// Sends a form with fields and files (name, type, bytes) to the first node, as the admin.
    pub async fn send_form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, Vec<u8>)],
    ) -> (u16, Value) {
        let boundary = "7d7d7d7d7d";
        let mut form = Vec::new();
        for (name, value) in fields {
            let part =
                format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            form.extend(part.into_bytes());
        }
        for (name, mime, bytes) in files {
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {mime}\r\n\r\n"
            );
            form.extend(head.into_bytes());
            form.extend(bytes);
            form.extend(b"\r\n");
        }
        form.extend(format!("--{boundary}--\r\n").into_bytes());
        let request = self.http.post(format!("{}{path}", self.nodes[0].url)).bearer_auth(&self.token);
        let request =
            request.header("content-type", format!("multipart/form-data; boundary={boundary}")).body(form);
        let answer = request.send().await.expect("the node answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Reads the database, beside the nodes.
    pub async fn read<T, F>(&self, body: F) -> T
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.database.store.read(body).await.expect("the database can be read")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for node in &self.nodes {
            node.engine.shutdown.cancel();
        }
    }
}

/// The id in an answer of the API.
pub fn id_of(message: &Value) -> MessageId {
    MessageId(message["id"].as_i64().expect("the answer has an id"))
}

/// Waits until `look` finds something.
///
/// # Panics
/// When it takes too long.
pub async fn until<T, Fut>(what: &str, mut look: impl FnMut() -> Fut) -> T
where
    Fut: Future<Output = Option<T>>,
{
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < end, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A small file of the sandbox: `photo.jpg`, `voice.ogg`, `invoice.pdf`…
pub fn sample(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../sandbox/samples");
    std::fs::read(format!("{folder}/{name}")).expect("there is such a sample")
}

/// A number no other call of this process gets.
fn fresh_number() -> i64 {
    static COUNT: AtomicI64 = AtomicI64::new(0);
    COUNT.fetch_add(1, Ordering::SeqCst)
}

/// Tests count no calls.
struct Unrecorded;

impl CallRecorder for Unrecorded {
    fn record(&self, _: &CallRecord<'_>) {}
}
