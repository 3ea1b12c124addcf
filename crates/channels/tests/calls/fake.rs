//! A Graph API that records what it is asked and answers as told.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use frontdesk_channels::contract::{
    ChannelContext, Connection, GreenApiSettings, LinkedSettings, NoSessions, OpenError, ProviderSettings,
    SendError, Sent,
};
use frontdesk_channels::registry::find_channel;
use frontdesk_model::clock::ManualClock;
use frontdesk_model::contact::{Identity, IdentityKind};
use frontdesk_model::content::MediaKind;
use frontdesk_model::inbox::InboxConfig;
use frontdesk_model::outbound::{OutboundBody, OutboundMedia, OutboundMessage, Recipient};
use frontdesk_model::{AccountId, InboxId, Timestamp};
use frontdesk_provider_http::{CallRecord, CallRecorder};
use serde_json::{Value, json};

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Call {
    /// `POST /v26.0/108/messages`, with the query.
    pub line: String,
    pub authorization: String,
    /// The JSON body, or the text of a form.
    pub body: Value,
}

#[derive(Default)]
struct Script {
    calls: Vec<Call>,
    answers: VecDeque<(u16, Vec<u8>)>,
}

/// A running fake.
#[derive(Clone)]
pub struct Fake {
    script: Arc<Mutex<Script>>,
    pub url: String,
}

impl Fake {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let fake = Self { script: Arc::default(), url };
        let router = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    /// The next request gets this answer; later ones the usual.
    pub fn then(&self, status: u16, body: Value) -> &Self {
        self.then_bytes(status, body.to_string().as_bytes())
    }

    pub fn then_bytes(&self, status: u16, body: &[u8]) -> &Self {
        self.script.lock().expect("lock").answers.push_back((status, body.to_vec()));
        self
    }

    /// The next request is refused with a code of Meta's.
    pub fn then_error(&self, code: i64, subcode: Option<i64>) -> &Self {
        self.then(
            400,
            json!({"error": {"message": format!("(#{code}) no"), "code": code, "error_subcode": subcode}}),
        )
    }

    /// What was asked since the last time.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.script.lock().expect("lock").calls)
    }

    /// The bodies of what was asked since the last time.
    pub fn bodies(&self) -> Vec<Value> {
        self.calls().into_iter().map(|call| call.body).collect()
    }

    /// An inbox of a channel, connected to this fake.
    pub fn open(&self, channel: &str, settings: &[(&str, &str)]) -> Arc<dyn Connection> {
        open_at(channel, settings, &self.url, &["127.0.0.1"]).expect("the settings open")
    }
}

pub fn open_at(
    channel: &str,
    settings: &[(&str, &str)],
    url: &str,
    allowed: &[&str],
) -> Result<Arc<dyn Connection>, OpenError> {
    frontdesk_provider_http::install_crypto();
    let context = ChannelContext {
        clock: Arc::new(ManualClock::default()),
        providers: Arc::new(ProviderSettings {
            meta_graph_url: format!("{url}/graph"),
            meta_instagram_url: format!("{url}/instagram"),
            meta_graph_version: "v26.0".to_owned(),
            green_api: GreenApiSettings::default(),
            linked: LinkedSettings::default(),
            allow_private_hosts: allowed.iter().map(|&host| host.to_owned()).collect(),
            timeout_ms: 10_000,
            breaker_open_ms: 30_000,
        }),
        recorder: Arc::new(NobodyListens),
        stacks: Arc::default(),
        sessions: Arc::new(NoSessions),
    };
    let settings = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let inbox =
        InboxConfig { id: InboxId(7), account_id: AccountId(1), channel: channel.to_owned(), settings };
    find_channel(channel).expect("a channel").open(&context, &inbox)
}

struct NobodyListens;

impl CallRecorder for NobodyListens {
    fn record(&self, _record: &CallRecord<'_>) {}
}

async fn answer(State(fake): State<Fake>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let (authorization, content_type) = (header(&request, "authorization"), header(&request, "content-type"));
    let bytes = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
    let mut script = fake.script.lock().expect("lock");
    script.calls.push(Call { line: line.clone(), authorization, body: read(&bytes, &content_type) });
    let (status, body) =
        script.answers.pop_front().unwrap_or_else(|| (200, usual(&line).to_string().into_bytes()));
    (StatusCode::from_u16(status).expect("a status"), body).into_response()
}

fn header(request: &Request, name: &str) -> String {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// The body as JSON; a form as its lines, with the boundary named.
fn read(bytes: &Bytes, content_type: &str) -> Value {
    if let Some((_, boundary)) = content_type.split_once("boundary=") {
        let text = String::from_utf8_lossy(bytes).replace(boundary, "BOUNDARY");
        return text.split("\r\n").filter(|line| !line.is_empty()).collect();
    }
    serde_json::from_slice(bytes).unwrap_or(Value::Null)
}

fn usual(line: &str) -> Value {
    if line.ends_with("/media") {
        json!({"id": "media-1"})
    } else if line.ends_with("/message_attachments") {
        json!({"attachment_id": "att-1"})
    } else {
        json!({"success": true, "messages": [{"id": "wamid.sent"}], "message_id": "m_sent", "recipient_id": "784"})
    }
}

pub const NOW: Timestamp = Timestamp::from_millis(1_793_260_800_000);

/// A message to a customer who wrote a minute ago.
pub fn message(to: Recipient, body: OutboundBody) -> OutboundMessage {
    OutboundMessage {
        client_ref: "7f7d4c1e".to_owned(),
        to,
        body,
        reply_to: None,
        last_inbound_at: Some(NOW.plus_ms(-60_000)),
        now: NOW,
        attempt: 1,
    }
}

pub fn customer(thread: &str, identities: &[(IdentityKind, &str)]) -> Recipient {
    let identities = identities.iter().map(|(kind, value)| Identity::new(*kind, *value)).collect();
    Recipient { thread: thread.to_owned(), identities }
}

/// A file on disk that lives as long as the folder.
pub fn file(folder: &tempfile::TempDir, kind: MediaKind, name: &str, mime_type: &str) -> OutboundMedia {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, b"the bytes").expect("written");
    OutboundMedia {
        kind,
        path,
        url: None,
        mime_type: mime_type.to_owned(),
        file_name: name.to_owned(),
        size_bytes: 9,
        caption: None,
    }
}

pub async fn refused(connection: &dyn Connection, message: &OutboundMessage) -> SendError {
    match connection.send(message).await {
        Ok(Sent { remote_id }) => panic!("sent as {remote_id}"),
        Err(error) => error,
    }
}
