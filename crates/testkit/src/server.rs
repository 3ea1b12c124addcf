//! The whole engine and HTTP door over a test database.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::http::Method;
use frontdesk_channels::contract::{
    ChannelContext, GreenApiSettings, LinkedSettings, NoSessions, ProviderSettings,
};
use frontdesk_engine::caller::Actor;
use frontdesk_engine::media::MediaStore;
use frontdesk_engine::settings::EngineSettings;
use frontdesk_engine::tokens::NewToken;
use frontdesk_engine::users::NewUser;
use frontdesk_engine::vault::Vault;
use frontdesk_engine::{Engine, EngineParts, accounts, tokens, users};
use frontdesk_http::HttpSettings;
use frontdesk_model::clock::ManualClock;
use frontdesk_model::user::{Ability, Role};
use frontdesk_model::{AccountId, SharedClock, Timestamp};
use frontdesk_provider_http::{CallRecord, CallRecorder};
use frontdesk_store::users::UserRow;
use frontdesk_store::{Store, StoreSettings};
use tokio_util::sync::CancellationToken;

use crate::call::Call;
use crate::database::{TestDatabase, databases, sqlite_database};

/// Everyone's password.
pub const PASSWORD: &str = "a long password";
/// When the clock of a test server starts: 2026-01-15T08:00:00Z.
pub const START: Timestamp = Timestamp::from_secs(1_768_464_000);

/// A server under test. Its clock moves only when told to.
pub struct TestServer {
    /// The database it stands on.
    pub database: TestDatabase,
    /// The flow.
    pub engine: Engine,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// The account everyone belongs to who is not said to belong elsewhere.
    pub account: AccountId,
    router: Router,
    url: Option<String>,
    _data: tempfile::TempDir,
}

/// How a test server differs from the product.
#[derive(Clone, Default)]
pub struct TestSettings {
    /// Settings of the engine.
    pub engine: EngineSettings,
    /// Settings of the door.
    pub http: HttpSettings,
    /// Where the Graph API is; nowhere by default.
    pub graph_url: Option<String>,
}

impl TestServer {
    /// A server on SQLite that works its queues and listens on a free port of the loopback address.
    pub async fn start() -> Self {
        let mut server = Self::on(sqlite_database().await, TestSettings::default()).await;
        frontdesk_engine::workers::spawn(&server.engine); // they end with the engine's shutdown
        server.listen().await;
        server
    }

    /// A server on every kind of database available, reached without a network.
    pub async fn on_all(settings: TestSettings) -> Vec<Self> {
        let mut servers = Vec::new();
        for database in databases().await {
            servers.push(Self::on(database, settings.clone()).await);
        }
        servers
    }

    /// A server on this database, reached without a network.
    ///
    /// # Panics
    /// When the first account cannot be made.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its server")]
    pub async fn on(database: TestDatabase, mut settings: TestSettings) -> Self {
        frontdesk_provider_http::install_crypto();
        let data = tempfile::tempdir().expect("a temporary folder can be made");
        settings.engine.data_dir = data.path().to_owned();
        let clock = Arc::new(ManualClock::starting_at(START));
        let engine = engine(open(&database.url, clock.clone()).await, clock.clone(), &settings);
        let account = accounts::bootstrap(&engine).await.expect("the first account can be made").id;
        let router = frontdesk_http::router(engine.clone(), settings.http);
        Self { database, engine, clock, account, router, url: None, _data: data }
    }

    /// A second node on the same database, with its own caches.
    pub async fn second_engine(&self) -> Engine {
        let settings = TestSettings { engine: self.engine.settings.clone(), ..TestSettings::default() };
        engine(open(&self.database.url, self.clock.clone()).await, self.clock.clone(), &settings)
    }

    /// The address of a server that listens.
    ///
    /// # Panics
    /// When it does not.
    #[expect(clippy::expect_used, reason = "a mistake of the test")]
    pub fn url(&self) -> &str {
        self.url.as_deref().expect("only TestServer::start listens")
    }

    /// Its routes.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The time by its clock, in seconds since 1970.
    pub fn clock_seconds(&self) -> i64 {
        use frontdesk_model::clock::Clock;
        self.clock.now().as_millis() / 1000
    }

    /// A request.
    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        Call::new(self, Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET), path)
    }

    /// A GET request.
    pub fn get(&self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    /// A POST request.
    pub fn post(&self, path: &str) -> Call<'_> {
        self.call("POST", path)
    }

    /// A PATCH request.
    pub fn patch(&self, path: &str) -> Call<'_> {
        self.call("PATCH", path)
    }

    /// A DELETE request.
    pub fn delete(&self, path: &str) -> Call<'_> {
        self.call("DELETE", path)
    }

    /// Adds a user named after the part of the address before `@`, with [`PASSWORD`].
    pub async fn user(&self, email: &str, role: Role) -> UserRow {
        self.user_of(self.account, email, role).await
    }

    /// Adds a user of another account.
    ///
    /// # Panics
    /// When the user cannot be added.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its user")]
    pub async fn user_of(&self, account: AccountId, email: &str, role: Role) -> UserRow {
        let name = email.split('@').next().unwrap_or(email).to_owned();
        let new = NewUser { email: email.to_owned(), name, role, password: PASSWORD.to_owned() };
        users::create(&self.engine, Actor::server(account), new).await.expect("the user can be added")
    }

    /// Makes another account.
    ///
    /// # Panics
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its account")]
    pub async fn other_account(&self, name: &str) -> AccountId {
        accounts::get_or_create_by_name(&self.engine, name).await.expect("the account can be made").id
    }

    /// Makes a token of a user, `id|secret`.
    ///
    /// # Panics
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its token")]
    pub async fn token(&self, user: &UserRow, abilities: &[Ability]) -> String {
        let new = NewToken {
            user_id: user.id,
            name: "test".to_owned(),
            abilities: abilities.to_vec(),
            expires_at: None,
        };
        let issued = tokens::create(&self.engine, Actor::server(user.account_id), new).await;
        issued.expect("the token can be made").token
    }

    /// A token of a new admin that may do everything.
    pub async fn admin_token(&self) -> String {
        let admin = self.user("admin@example.org", Role::Admin).await;
        self.token(&admin, &[Ability::All]).await
    }

    /// A token of a new agent that may do everything agents may.
    pub async fn agent_token(&self) -> String {
        let agent = self.user("agent@example.org", Role::Agent).await;
        self.token(&agent, &[Ability::All]).await
    }

    #[expect(clippy::expect_used, reason = "a test cannot go on without its server")]
    async fn listen(&mut self) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("the listener has an address");
        let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        let stop = self.engine.shutdown.clone();
        tokio::spawn(async move {
            let served = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned());
            served.await.expect("the listener stays open");
        });
        self.url = Some(format!("http://{address}"));
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.engine.shutdown.cancel();
    }
}

#[expect(clippy::expect_used, reason = "a test that cannot go on fails")]
fn engine(store: Store, clock: SharedClock, settings: &TestSettings) -> Engine {
    let nowhere = "http://127.0.0.1:9".to_owned(); // the discard port: nothing answers
    let graph_url = settings.graph_url.clone().unwrap_or(nowhere);
    let providers = ProviderSettings {
        meta_graph_url: graph_url.clone(),
        meta_instagram_url: graph_url,
        meta_graph_version: "v26.0".to_owned(),
        green_api: GreenApiSettings::default(),
        linked: LinkedSettings::default(),
        allow_private_hosts: vec!["127.0.0.1".to_owned()],
        timeout_ms: 2000,
        breaker_open_ms: 30_000,
    };
    let EngineSettings { data_dir, media, .. } = &settings.engine;
    let media = MediaStore::open(data_dir, media, &store).expect("the media store can be opened");
    Engine::new(EngineParts {
        store,
        media,
        clock: clock.clone(),
        settings: settings.engine.clone(),
        vault: Vault::new([7; 32]),
        channels: ChannelContext {
            clock,
            providers: Arc::new(providers),
            recorder: Arc::new(Unrecorded),
            stacks: Arc::default(),
            sessions: Arc::new(NoSessions),
        },
        node_id: fresh_node_id(),
        shutdown: CancellationToken::new(),
    })
}

/// Two nodes on one database have names of their own, as in the product.
fn fresh_node_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

#[expect(clippy::expect_used, reason = "a test cannot go on without its database")]
async fn open(url: &str, clock: SharedClock) -> Store {
    let settings = StoreSettings { url: url.to_owned(), postgres_connections: 8 };
    Store::open(&settings, clock).await.expect("the database can be opened")
}

/// Tests count no calls.
struct Unrecorded;

impl CallRecorder for Unrecorded {
    fn record(&self, _: &CallRecord<'_>) {}
}
