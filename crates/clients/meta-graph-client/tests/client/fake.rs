//! A fake Graph API on loopback: plays scripted answers in turn and keeps every request.

#![expect(clippy::unwrap_used, reason = "test support")]

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Response, StatusCode},
};
use frontdesk_meta_graph_client::{GraphAccount, GraphClient, client};
use frontdesk_provider_http::{AddressPolicy, ProviderHttp, RetryPolicy, install_crypto};

/// One answer.
pub enum Script {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Takes the request and never answers.
    Hang,
    /// Announces a body and breaks off.
    Cut,
    /// A body without end.
    Endless,
}

pub fn ok(body: impl Into<String>) -> Script {
    answer(200, body)
}

pub fn answer(status: u16, body: impl Into<String>) -> Script {
    Script::Answer { status, headers: Vec::new(), body: body.into() }
}

pub fn answer_with(status: u16, name: &'static str, value: impl Into<String>, body: &str) -> Script {
    Script::Answer { status, headers: vec![(name, value.into())], body: body.to_owned() }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `POST /graph/v26.0/1/messages?x=y`
    pub line: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

#[derive(Clone, Default)]
struct Shared {
    scripts: Arc<Mutex<VecDeque<Script>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

pub struct Fake {
    pub address: SocketAddr,
    shared: Shared,
}

impl Fake {
    pub async fn start(scripts: impl IntoIterator<Item = Script>) -> Self {
        let shared = Shared::default();
        shared.scripts.lock().unwrap().extend(scripts);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(play).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared }
    }

    /// Adds an answer that needs the fake's own address.
    pub fn then(&self, script: Script) {
        self.shared.scripts.lock().unwrap().push_back(script);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The lines of all requests.
    pub fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    pub fn client(&self) -> GraphClient {
        self.client_for(GraphAccount::new("inbox-1", "TOKEN".into()))
    }

    pub fn client_for(&self, account: GraphAccount) -> GraphClient {
        install_crypto();
        let mut settings = client::provider_settings(self.url("/graph").parse().unwrap());
        settings.addresses = AddressPolicy::with_loopback();
        settings.timeout = Duration::from_millis(300);
        settings.max_response_bytes = 100_000;
        settings.retry = RetryPolicy { first: Duration::from_millis(5), ..RetryPolicy::default() };
        GraphClient::new(ProviderHttp::new(settings).unwrap(), account)
    }
}

async fn play(State(shared): State<Shared>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let line = format!("{} {}", parts.method, parts.uri);
    shared.seen.lock().unwrap().push(Seen { line, headers: parts.headers, body });
    let script = shared.scripts.lock().unwrap().pop_front();
    match script {
        None => Response::builder().status(StatusCode::IM_A_TEAPOT).body(Body::empty()).unwrap(),
        Some(Script::Answer { status, headers, body }) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(body.into()).unwrap()
        }
        Some(Script::Hang) => std::future::pending().await,
        Some(Script::Cut) => {
            let pieces = [Ok("{\"messages\":"), Err(std::io::Error::other("cut off"))];
            Response::new(Body::from_stream(Pieces(pieces.into_iter().collect())))
        }
        Some(Script::Endless) => Response::new(Body::from_stream(Endless)),
    }
}

struct Pieces(VecDeque<Result<&'static str, std::io::Error>>);

impl futures_util::Stream for Pieces {
    type Item = Result<&'static str, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop_front())
    }
}

struct Endless;

impl futures_util::Stream for Endless {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; 8192]))))
    }
}
