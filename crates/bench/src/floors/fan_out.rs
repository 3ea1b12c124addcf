//! The floor of live updates: the least a server of the Pusher protocol over axum's WebSocket does. One serialisation per
//! event, shared by all sockets; what waits for a socket goes out in one flush. No signatures, no presence, no limits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// As the product has them.
const READ_BUFFER_BYTES: usize = 4 * 1024;
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// Who listens on which channel.
type Channels = Arc<Mutex<HashMap<String, Vec<UnboundedSender<Message>>>>>;

/// The server.
pub fn router() -> Router {
    Router::new()
        .route("/app/{key}", get(connect))
        .route("/apps/{id}/events", post(pass_on))
        .route("/healthz", get(async || "ok"))
        .with_state(Channels::default())
}

async fn connect(State(channels): State<Channels>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .on_upgrade(|socket| serve(socket, channels))
}

async fn serve(socket: WebSocket, channels: Channels) {
    let (writer, mut reader) = socket.split();
    let (queue, waiting) = unbounded_channel();
    let greeting = json!({ "socket_id": "1.1", "activity_timeout": 120 }).to_string();
    let _ = queue.send(frame(&"pusher:connection_established".into(), &Value::Null, &greeting.into())); // its reader is ours
    let writing = tokio::spawn(write(writer, waiting));
    while let Some(Ok(Message::Text(text))) = reader.next().await {
        let said: Value = serde_json::from_str(&text).unwrap_or_default();
        if said["event"] == "pusher:subscribe" {
            let channel = &said["data"]["channel"];
            let joined = frame(&"pusher_internal:subscription_succeeded".into(), channel, &"{}".into());
            let _ = queue.send(joined);
            let mut channels = channels.lock().unwrap_or_else(PoisonError::into_inner);
            let name = channel.as_str().unwrap_or_default().to_owned();
            channels.entry(name).or_default().push(queue.clone());
        }
    }
    writing.abort();
}

/// A frame, its parts in the order in which all servers of the protocol write them.
fn frame(event: &Value, channel: &Value, data: &Value) -> Message {
    Message::text(format!(r#"{{"event":{event},"channel":{channel},"data":{data}}}"#))
}

async fn write(mut writer: impl SinkExt<Message> + Unpin, mut waiting: UnboundedReceiver<Message>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, 256).await > 0 {
        for message in batch.drain(..) {
            if writer.feed(message).await.is_err() {
                return;
            }
        }
        if writer.flush().await.is_err() {
            return;
        }
    }
}

async fn pass_on(State(channels): State<Channels>, body: Bytes) -> (StatusCode, &'static str) {
    let Ok(event) = serde_json::from_slice::<Value>(&body) else { return (StatusCode::BAD_REQUEST, "") };
    let channel = event["channels"][0].as_str().unwrap_or_default();
    let message = frame(&event["name"], &event["channels"][0], &event["data"]);
    let mut channels = channels.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(listeners) = channels.get_mut(channel) {
        listeners.retain(|queue| queue.send(message.clone()).is_ok());
    }
    (StatusCode::OK, "{}")
}
