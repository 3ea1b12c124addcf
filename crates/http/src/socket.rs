//! The live socket: `GET /app/{key}`, upgraded to a WebSocket that speaks the Pusher protocol.
//!
//! One task per socket moves bytes: what the client sends goes to its [`Session`], what waits in its queue is written
//! as a whole and flushed once. What is said is decided in `engine::realtime`. They run on
//! [threads of their own](crate::socket_threads).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::response::Response;
use axum::routing::get;
use frontdesk_engine::realtime::apps::{self, App};
use frontdesk_engine::realtime::protocol::{self, CloseCode, Frame};
use frontdesk_engine::realtime::queue::Close;
use frontdesk_engine::realtime::session::Session;
use frontdesk_engine::realtime::settings::{PublicInbox, RealtimeLimits};
use frontdesk_engine::{Engine, sessions};
use futures_util::SinkExt;
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use crate::auth::session_token;
use crate::error::ApiError;
use crate::input::Query;
use crate::state::HttpState;

/// tungstenite's own 128 KiB per socket would be nearly all the memory a socket needs.
const READ_BUFFER_BYTES: usize = 4096;
/// What is gathered before it is handed to the system without waiting for the rest of the queue.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;
/// Versions of the protocol that differ in nothing we say.
const VERSIONS: std::ops::RangeInclusive<u32> = 5..=protocol::VERSION;
/// How long a client that reads too slowly has to take what is under way and the close frame.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long a client has to answer a close frame.
const CLOSING: Duration = Duration::from_secs(1);

pub(crate) fn routes() -> Router<HttpState> {
    Router::new().route("/app/{key}", get(connect))
}

#[derive(Deserialize)]
struct Greeting {
    /// Absent from hand-made clients.
    protocol: Option<u32>,
}

/// Upgrades. A client that may not stay is told so over the socket, as Pusher does: browsers hide from a page why an
/// upgrade failed, and it would try for ever.
async fn connect(
    State(state): State<HttpState>,
    Path(key): Path<String>,
    Query(greeting): Query<Greeting>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let engine = &state.engine;
    let limits = engine.realtime().settings.limits.clone();
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_frame_size(limits.max_frame_bytes)
        .max_message_size(limits.max_frame_bytes);
    Ok(match admit(engine, &key, &greeting, &headers).await? {
        Ok(session) => {
            let threads = state.socket_threads.start().map_err(ApiError::internal)?;
            upgrade.on_upgrade(async move |socket| {
                threads.spawn(async move {
                    serve(socket, session, limits).await;
                    drop(state); // which owns these threads
                });
            })
        }
        Err(refusal) => upgrade.on_upgrade(move |socket| refuse(socket, refusal)),
    })
}

async fn admit(
    engine: &Engine,
    key: &str,
    greeting: &Greeting,
    headers: &HeaderMap,
) -> Result<Result<Session, Close>, ApiError> {
    let refuse = |code, reason| Ok(Err(Close { code, reason }));
    let Some(app) = apps::find_by_key(engine, key).await.map_err(ApiError::internal)? else {
        return refuse(CloseCode::UnknownApp, "There is no application with this key");
    };
    if greeting.protocol.is_some_and(|version| !VERSIONS.contains(&version)) {
        return refuse(CloseCode::OtherVersion, "The server speaks version 7 of the protocol");
    }
    let realtime = engine.realtime();
    if !may_connect(headers, &engine.settings.public_url, &realtime.settings.allowed_origins) {
        return refuse(CloseCode::Unauthorized, "Pages of this origin may not connect");
    }
    let started = engine.shutdown.run_until_cancelled(realtime.started()).await;
    if started.is_none() {
        return refuse(CloseCode::GoingAway, "The server is going away");
    }
    let has_login = has_login(engine, &app, headers).await?;
    match Session::open(realtime, app, has_login) {
        Ok(session) => Ok(Ok(session)),
        Err(_) => refuse(CloseCode::OverCapacity, "The account has too many connections"),
    }
}

/// True when the page that opens the socket is one of ours or of those allowed. Programs send no origin.
fn may_connect(headers: &HeaderMap, public_url: &str, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if allowed.iter().any(|one| one == "*" || one.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    let Ok(origin) = url::Url::parse(origin) else { return false };
    if url::Url::parse(public_url).is_ok_and(|ours| ours.origin() == origin.origin()) {
        return true;
    }
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let here = url::Url::parse(&format!("{}://{host}", origin.scheme()));
    here.is_ok_and(|here| origin.has_host() && here.origin() == origin.origin())
}

/// Whether a user of the account is signed in on the page; asked only when it decides something.
async fn has_login(engine: &Engine, app: &Arc<App>, headers: &HeaderMap) -> Result<bool, ApiError> {
    if engine.realtime().settings.public_inbox != PublicInbox::SignedIn {
        return Ok(false);
    }
    let Some(cookie) = session_token(headers) else { return Ok(false) };
    let caller = sessions::find_caller(engine, cookie).await?;
    Ok(caller.is_some_and(|caller| caller.account_id == app.account_id))
}

async fn refuse(mut socket: WebSocket, close: Close) {
    let error = protocol::error(Some(close.code as u16), close.reason);
    if socket.send(text(error)).await.is_ok() {
        say_good_bye(socket, &close).await;
    }
}

async fn serve(mut socket: WebSocket, mut session: Session, limits: RealtimeLimits) {
    let place = session.socket.clone();
    let close = converse(&mut socket, &mut session, &limits).await;
    drop(session); // leaves its channels before the client has answered
    if let Some(close) = close {
        tracing::debug!(socket.id = place.id, code = close.code as u16, "closing a socket");
        say_good_bye(socket, &close).await;
    }
}

/// Moves frames both ways. Returns why the server closes; `None` when the client did or is gone.
async fn converse(socket: &mut WebSocket, session: &mut Session, limits: &RealtimeLimits) -> Option<Close> {
    let place = session.socket.clone();
    let activity = Duration::from_secs(limits.activity_timeout_secs);
    let patience = Duration::from_secs(limits.pong_timeout_secs);
    let mut batch: Vec<Frame> = Vec::new();
    let sent = metrics::counter!("frontdesk_realtime_messages_sent_total");
    let mut pinged = false;
    let silence = sleep(activity);
    tokio::pin!(silence);
    loop {
        tokio::select! {
            received = socket.recv() => {
                match received? {
                    Ok(Message::Text(frame)) => session.receive(&frame),
                    Ok(Message::Binary(_)) => drop(place.queue.push(protocol::error(None, "Frames must be text"))),
                    Ok(Message::Ping(_) | Message::Pong(_)) => {}
                    Ok(Message::Close(_)) => {
                        let _ = timeout(CLOSING, socket.flush()).await; // the library's answer to it
                        return None;
                    }
                    Err(error) => {
                        tracing::debug!(%error, socket.id = place.id, "a socket broke or sent too large a frame");
                        return None;
                    }
                }
                silence.as_mut().reset(Instant::now() + activity);
                pinged = false;
            }
            close = place.queue.drain(&mut batch) => {
                if close.is_some() {
                    return close;
                }
                let count = batch.len() as u64;
                let writing = write(socket, &mut batch);
                tokio::pin!(writing);
                let written = tokio::select! {
                    biased;
                    written = &mut writing => written,
                    // The client is slow to take this, and is to go: it gets a moment for what is under way.
                    _ = place.queue.closed() => timeout(LAST_WORDS, writing).await.ok()?,
                };
                written.ok()?;
                sent.increment(count);
            }
            () = &mut silence => {
                if pinged {
                    return Some(Close { code: CloseCode::Silent, reason: "The client did not answer a ping" });
                }
                pinged = true;
                silence.as_mut().reset(Instant::now() + patience);
                // The browser answers the first by itself, also for a page that sleeps; pusher-js the second.
                socket.send(Message::Ping(bytes::Bytes::new())).await.ok()?;
                place.queue.push(protocol::ping());
            }
        }
    }
}

/// Writes all of a batch, then flushes once.
async fn write(socket: &mut WebSocket, batch: &mut Vec<Frame>) -> Result<(), axum::Error> {
    for frame in batch.drain(..) {
        socket.feed(text(frame)).await?;
    }
    socket.flush().await
}

/// Sends the close frame and waits for the client's, so that the last words are not lost in a reset.
async fn say_good_bye(mut socket: WebSocket, close: &Close) {
    let frame = CloseFrame { code: close.code as u16, reason: Utf8Bytes::from_static(close.reason) };
    let closing = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    let _ = timeout(CLOSING, closing).await; // a client that does not answer is let go
}

/// Frames are made of text; anything else would be a bug, and an empty frame is what clients ignore.
fn text(frame: Frame) -> Message {
    Message::Text(Utf8Bytes::try_from(frame).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(pairs: &[(&'static str, &str)], list: &[&str]) -> bool {
        let headers =
            pairs.iter().map(|(n, v)| (axum::http::HeaderName::from_static(n), v.parse().unwrap())).collect();
        let list: Vec<String> = list.iter().map(|o| (*o).to_owned()).collect();
        may_connect(&headers, "https://desk.example.org", &list)
    }

    #[test]
    fn our_own_pages_and_programs_may_connect() {
        assert!(allowed(&[], &[]));
        assert!(allowed(&[("origin", "https://desk.example.org"), ("host", "internal:8080")], &[]));
        assert!(allowed(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")], &[]));
        assert!(allowed(&[("origin", "https://other.example"), ("host", "other.example")], &[]));
        assert!(allowed(&[("origin", "https://other.example"), ("host", "other.example:443")], &[]));
    }

    #[test]
    fn pages_of_others_need_the_list() {
        let evil = [("origin", "https://evil.example"), ("host", "desk.example.org")];
        assert!(!allowed(&evil, &[]));
        assert!(!allowed(&evil, &["https://good.example"]));
        assert!(allowed(&evil, &["https://EVIL.example/"]));
        assert!(allowed(&evil, &["*"]));
        for origin in ["null", "https://desk.example.org.evil.example", "http://desk.example.org:8080", "x"] {
            assert!(!allowed(&[("origin", origin), ("host", "desk.example.org")], &[]), "{origin}");
        }
    }
}
