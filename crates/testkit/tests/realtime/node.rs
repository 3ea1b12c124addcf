//! Nodes of the product on one database, listening on the loopback address, with the machine's clock.

use std::net::SocketAddr;
use std::sync::Arc;

use frontdesk_channels::contract::{
    ChannelContext, GreenApiSettings, LinkedSettings, NoSessions, ProviderSettings,
};
use frontdesk_engine::caller::Actor;
use frontdesk_engine::media::MediaStore;
use frontdesk_engine::realtime::auth::Signer;
use frontdesk_engine::settings::EngineSettings;
use frontdesk_engine::tokens::NewToken;
use frontdesk_engine::users::NewUser;
use frontdesk_engine::vault::Vault;
use frontdesk_engine::workers::{self, Workers};
use frontdesk_engine::{Engine, EngineParts, accounts, tokens, users};
use frontdesk_http::HttpSettings;
use frontdesk_model::clock::SystemClock;
use frontdesk_model::user::{Ability, Role};
use frontdesk_model::{AccountId, Clock, SharedClock, UserId};
use frontdesk_provider_http::{CallRecord, CallRecorder};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::{Store, StoreError, StoreSettings};
use reqwest::Method;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// One running node.
pub struct Node {
    pub engine: Engine,
    pub account: AccountId,
    pub address: SocketAddr,
    pub signer: Signer,
    pub app_id: String,
    workers: Workers,
    client: reqwest::Client,
    _data: tempfile::TempDir,
}

/// A user and how they sign in.
pub struct Agent {
    pub id: UserId,
    pub token: String,
}

impl Node {
    /// Starts a node on the database at `url`.
    pub async fn start(url: &str, id: &str, change: impl FnOnce(&mut EngineSettings)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut settings = EngineSettings { data_dir: data.path().to_owned(), ..EngineSettings::default() };
        change(&mut settings);
        let engine = engine(url, id, settings).await;
        let account = accounts::bootstrap(&engine).await.unwrap();
        let signer =
            Signer::new(&account.realtime_key, accounts::realtime_secret(&engine.vault, &account).unwrap());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = frontdesk_http::router(engine.clone(), HttpSettings::default())
            .into_make_service_with_connect_info::<SocketAddr>();
        let stop = engine.shutdown.clone();
        tokio::spawn(async move {
            axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await.unwrap();
        });
        Self {
            workers: workers::spawn(&engine),
            account: account.id,
            address,
            signer,
            app_id: account.realtime_app_id,
            engine,
            client: web_client(),
            _data: data,
        }
    }

    /// Stops the node as a signal would.
    pub async fn stop(self) {
        self.engine.shutdown.cancel();
        self.workers.stopped().await;
    }

    pub async fn agent(&self, name: &str) -> Agent {
        self.agent_of(self.account, name).await
    }

    pub async fn agent_of(&self, account: AccountId, name: &str) -> Agent {
        let new = NewUser {
            email: format!("{name}@example.org"),
            name: name.to_owned(),
            role: Role::Agent,
            password: "a long password".to_owned(),
        };
        let user = users::create(&self.engine, Actor::server(account), new).await.unwrap();
        let new = NewToken {
            user_id: user.id,
            name: "test".to_owned(),
            abilities: vec![Ability::All],
            expires_at: None,
        };
        let issued = tokens::create(&self.engine, Actor::server(account), new).await.unwrap();
        Agent { id: user.id, token: issued.token }
    }

    /// Appends events of the simplest kind in one transaction.
    pub async fn happen(&self, account: AccountId, count: usize) {
        let event = NewEvent {
            account_id: account,
            kind: EventKind::ContactUpdated,
            conversation_id: None,
            message_id: None,
            data: Some("7".to_owned()),
        };
        let happened = self.engine.store.write(move |tx| {
            (0..count).for_each(|_| tx.emit(event.clone()));
            Ok::<_, StoreError>(())
        });
        happened.await.unwrap();
    }

    /// A request with a bearer token.
    pub async fn call(&self, method: Method, path: &str, token: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let mut request =
            self.client.request(method, format!("http://{}{path}", self.address)).bearer_auth(token);
        if !form.is_empty() {
            request = request.form(form);
        }
        answer(request).await
    }

    /// A request signed as Pusher's libraries do.
    pub async fn signed(&self, method: &str, path: &str, query: &str, body: &str) -> (u16, Value) {
        let path = format!("/apps/{}{path}", self.app_id);
        let now = SystemClock.now().as_secs();
        let url = crate::signing::signed_path(
            method,
            &path,
            query,
            body,
            self.signer.key(),
            &self.secret().await,
            now,
        );
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("http://{}{url}", self.address));
        let request = request.header("content-type", "application/json").body(body.to_owned());
        answer(request).await
    }

    pub async fn secret(&self) -> String {
        let account = self.account;
        let row =
            self.engine.store.read(move |tx| frontdesk_store::accounts::find(tx, account)).await.unwrap();
        accounts::realtime_secret(&self.engine.vault, &row.unwrap()).unwrap()
    }
}

/// A client for plain HTTP.
pub fn web_client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default(); // another test of the process was first
    reqwest::Client::builder().build().unwrap()
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn engine(url: &str, id: &str, settings: EngineSettings) -> Engine {
    let clock: SharedClock = Arc::new(SystemClock);
    let store = StoreSettings { url: url.to_owned(), postgres_connections: 8 };
    let providers = ProviderSettings {
        meta_graph_url: "http://127.0.0.1:9".to_owned(),
        meta_instagram_url: "http://127.0.0.1:9".to_owned(),
        meta_graph_version: "v26.0".to_owned(),
        green_api: GreenApiSettings::default(),
        linked: LinkedSettings::default(),
        allow_private_hosts: Vec::new(),
        timeout_ms: 2000,
        breaker_open_ms: 30_000,
    };
    let store = Store::open(&store, clock.clone()).await.unwrap();
    let media = MediaStore::open(&settings.data_dir, &settings.media, &store).unwrap();
    Engine::new(EngineParts {
        store,
        media,
        clock: clock.clone(),
        settings,
        vault: Vault::new([7; 32]),
        channels: ChannelContext {
            clock,
            providers: Arc::new(providers),
            recorder: Arc::new(Unrecorded),
            stacks: Arc::default(),
            sessions: Arc::new(NoSessions),
        },
        node_id: id.to_owned(),
        shutdown: CancellationToken::new(),
    })
}

struct Unrecorded;

impl CallRecorder for Unrecorded {
    fn record(&self, _: &CallRecord<'_>) {}
}
