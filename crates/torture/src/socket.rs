//! A browser's socket: connects, listens on the agents' channel, and remembers the numbers of the events it saw.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::agent::Agent;
use crate::program::PUSHER_KEY;

/// Where agents hear of everything, each event once; the first account has the number 1.
const CHANNEL: &str = "private-account.1";
const PATIENCE: Duration = Duration::from_secs(10);

/// A connected socket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    id: String,
}

impl Socket {
    /// Connects and reads the greeting.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let address = url.replacen("http", "ws", 1);
        let (stream, _) = connect_async(format!("{address}/app/{PUSHER_KEY}?protocol=7")).await?;
        let mut socket = Self { stream, id: String::new() };
        let greeting = tokio::time::timeout(PATIENCE, socket.frame()).await??;
        ensure!(greeting["event"] == "pusher:connection_established", "greeted with {greeting}");
        let data: Value = serde_json::from_str(greeting["data"].as_str().context("data")?)?;
        data["socket_id"].as_str().context("a socket has an id")?.clone_into(&mut socket.id);
        Ok(socket)
    }

    /// Connects and listens on the agents' channel.
    pub async fn listen(agent: &Agent) -> anyhow::Result<Self> {
        let mut socket = Self::connect(agent.url()).await?;
        let permission = agent.permit(&socket.id, CHANNEL).await?;
        let data = json!({"channel": CHANNEL, "auth": permission["auth"]});
        let frame = json!({"event": "pusher:subscribe", "data": data});
        socket.stream.send(Message::text(frame.to_string())).await?;
        loop {
            let frame = tokio::time::timeout(PATIENCE, socket.frame()).await??;
            match frame["event"].as_str() {
                Some("pusher_internal:subscription_succeeded") => return Ok(socket),
                Some("pusher:error" | "pusher:subscription_error") => bail!("not subscribed: {frame}"),
                _ => {}
            }
        }
    }

    /// The number of the next event; an error when the socket ended.
    pub async fn next_number(&mut self) -> anyhow::Result<i64> {
        loop {
            let frame = self.frame().await?;
            if frame["event"] == "pusher:ping" {
                self.stream
                    .send(Message::text(json!({"event": "pusher:pong", "data": {}}).to_string()))
                    .await?;
            }
            let data = frame["data"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            if let Some(number) = data.and_then(|data| data["seq"].as_i64()) {
                return Ok(number);
            }
        }
    }

    async fn frame(&mut self) -> anyhow::Result<Value> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text)?),
                Some(Ok(Message::Close(frame))) => bail!("closed: {frame:?}"),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => bail!("the socket ended"),
            }
        }
    }
}
