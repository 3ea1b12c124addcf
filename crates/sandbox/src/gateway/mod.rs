//! A WhatsApp session gateway at `/gateway/api/v1`: sign-in, sessions, sending, chats and messages, with webhooks signed as Standard
//! Webhooks has it.
//!
//! Steered in-process by [`Sandbox::gateway`]: sessions are made and linked, customers write, and the next sends fail as told. Files
//! that came in are below `/gateway/files`.

mod answers;
mod delivery;

use std::collections::{BTreeMap, VecDeque};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::Value;

use crate::faults::Fault;
use crate::graph::BODY_MAX_BYTES;
use crate::graph::call::Call;
use crate::misbehaviour;
use crate::sandbox::Sandbox;

/// Everything the gateway knows.
#[derive(Debug, Default)]
pub struct Gateway {
    /// Accounts that may sign in: e-mail and password.
    pub accounts: BTreeMap<String, String>,
    /// Tokens that are taken.
    pub tokens: Vec<String>,
    /// Sessions by name.
    pub sessions: BTreeMap<String, GatewaySession>,
    /// What becomes of the next sends, one after the other.
    pub faults: VecDeque<Fault>,
    /// Calls so far, as `POST sessions/cs/messages/text`.
    pub calls: Vec<String>,
    files: BTreeMap<String, (String, Bytes)>,
    numbers: u64,
}

/// A session.
#[derive(Debug, Clone, Default)]
pub struct GatewaySession {
    /// `connected`, `connecting` or `disconnected`.
    pub status: String,
    /// Where its webhooks go.
    pub webhook_url: Option<String>,
    /// What they are signed with; without one they are not.
    pub webhook_secret: Option<String>,
    /// A key it knows is sent no second time, and it says so.
    pub takes_keys: bool,
    /// Statuses of messages are not told.
    pub keeps_quiet: bool,
    /// Everything written, both ways.
    pub messages: Vec<GatewayMessage>,
    /// Chats marked as read.
    pub read: Vec<String>,
}

/// A message of a session.
#[derive(Debug, Clone)]
pub struct GatewayMessage {
    /// Its id.
    pub id: String,
    /// The customer's number.
    pub phone: String,
    /// The session's side wrote it.
    pub from_me: bool,
    /// `text`, `image`.
    pub kind: String,
    /// Words or caption.
    pub text: Option<String>,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The `Idempotency-Key` it came with.
    pub key: Option<String>,
    /// The request, as it was read.
    pub request: Value,
    /// Size of the file that came with it.
    pub file_bytes: Option<usize>,
}

impl Gateway {
    fn next_id(&mut self, prefix: &str) -> String {
        self.numbers += 1;
        format!("{prefix}{:06}", self.numbers)
    }
}

/// Everything below `/gateway`.
pub fn router(sandbox: Sandbox) -> Router {
    Router::new().fallback(handle).with_state(sandbox)
}

impl Sandbox {
    /// What the gateway knows. Not within a use of [`Self::world`].
    pub fn gateway<T>(&self, act: impl FnOnce(&mut Gateway) -> T) -> T {
        act(&mut self.world().gateway)
    }

    /// Where the gateway's API begins.
    #[must_use]
    pub fn gateway_url(&self) -> String {
        format!("{}/gateway/api/v1", self.public_url())
    }

    /// A customer writes to a session; the message's id.
    pub fn write_to_gateway(&self, session: &str, phone: &str, name: &str, text: &str) -> String {
        self.write_file_to_gateway(session, phone, name, text, None)
    }

    /// A customer sends a file, of this kind and type.
    pub fn write_file_to_gateway(
        &self,
        session: &str,
        phone: &str,
        name: &str,
        text: &str,
        file: Option<(&str, &str, Bytes)>,
    ) -> String {
        let at_ms = self.clock().now();
        let id = self.gateway(|gateway| gateway.next_id("3EB0"));
        let (kind, media) = match file {
            Some((kind, mime, bytes)) => {
                self.gateway(|gateway| gateway.files.insert(id.clone(), (mime.to_owned(), bytes)));
                (kind, Some(format!("{}/gateway/files/{id}", self.public_url())))
            }
            None => ("text", None),
        };
        let data = serde_json::json!({ "sessionId": session, "from": phone, "pushName": name, "message": text, "type": kind,
            "id": id, "timestamp": at_ms / 1000, "mediaUrl": media });
        let message = GatewayMessage {
            id: id.clone(),
            phone: phone.to_owned(),
            from_me: false,
            kind: kind.to_owned(),
            text: Some(text.to_owned()),
            at_ms,
            key: None,
            request: Value::Null,
            file_bytes: None,
        };
        self.gateway(|gateway| {
            if let Some(session) = gateway.sessions.get_mut(session) {
                session.messages.push(message);
            }
        });
        delivery::tell(self, session, vec![("message.received", data)]);
        id
    }

    /// A session is in another state from now on, and says so.
    pub fn set_gateway_status(&self, session: &str, status: &str) {
        self.gateway(|gateway| {
            if let Some(session) = gateway.sessions.get_mut(session) {
                status.clone_into(&mut session.status);
            }
        });
        let at_ms = self.clock().now();
        let data = serde_json::json!({ "sessionId": session, "status": status, "timestamp": at_ms });
        delivery::tell(self, session, vec![("session.status", data)]);
    }
}

async fn handle(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_MAX_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let key = parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    let Ok(call) = Call::read(parts, bytes).await else { return StatusCode::BAD_REQUEST.into_response() };
    let path: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    if let ["files", id] = path.as_slice() {
        let file = sandbox.gateway(|gateway| gateway.files.get(*id).cloned());
        return match file {
            Some((mime, bytes)) => ([("content-type", mime)], bytes).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    let ["api", "v1", path @ ..] = path.as_slice() else { return StatusCode::NOT_FOUND.into_response() };
    let is_send = call.method == "POST" && path.get(2) == Some(&"messages");
    let fault = sandbox.gateway(|gateway| {
        gateway.calls.push(format!("{} {}", call.method, path.join("/")));
        if is_send { gateway.faults.pop_front() } else { None }
    });
    match fault {
        None => answers::answer(&sandbox, &call, path, key),
        Some(Fault::CutAfter) => misbehaviour::cut_when_done(answers::answer(&sandbox, &call, path, key)),
        Some(Fault::InternalError) => answers::refuse(500, "Something went wrong."),
        Some(Fault::Unavailable) => answers::refuse(503, "Try again later."),
        Some(Fault::TooManyRequests { retry_after_s }) => {
            let refusal = answers::refuse(429, "Too many messages. Please wait.");
            ([("retry-after", retry_after_s.to_string())], refusal).into_response()
        }
        Some(other) => misbehaviour::answer(&other),
    }
}
