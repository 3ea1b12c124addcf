//! A client that speaks the protocol by hand.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::node::{Agent, Node};

/// Long enough for a busy machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long is waited for what must not come.
const SILENCE: Duration = Duration::from_millis(300);

pub struct Client {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub socket_id: String,
}

impl Client {
    /// Connects with the node's own key and reads the greeting.
    pub async fn connect(node: &Node) -> Self {
        let mut client = Self::open(node, node.signer.key(), None).await;
        let greeting = client.next().await;
        assert_eq!(greeting["event"], "pusher:connection_established");
        let data: Value = serde_json::from_str(greeting["data"].as_str().unwrap()).unwrap();
        assert_eq!(data["activity_timeout"], node.engine.settings.realtime.limits.activity_timeout_secs);
        client.socket_id = data["socket_id"].as_str().unwrap().to_owned();
        client
    }

    /// Connects with any key.
    pub async fn open(node: &Node, key: &str, origin: Option<&str>) -> Self {
        let url = format!("ws://{}/app/{key}?protocol=7&client=js&version=8.4.0&flash=false", node.address);
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let (stream, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Self { stream, socket_id: String::new() }
    }

    pub async fn send(&mut self, frame: Value) {
        self.stream.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame that is text.
    pub async fn next(&mut self) -> Value {
        match self.next_or_close().await {
            Ok(frame) => frame,
            Err(code) => panic!("the server closed with {code}"),
        }
    }

    /// The next text frame, or the code of the close frame.
    pub async fn next_or_close(&mut self) -> Result<Value, u16> {
        let waiting = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                    Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |f| u16::from(f.code))),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(1006),
                }
            }
        };
        timeout(PATIENCE, waiting).await.expect("a frame in time")
    }

    /// The code the server closes with; frames before it are passed over.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next_or_close().await {
                return code;
            }
        }
    }

    /// The data (a string of JSON) of the next frame, which must be this event.
    pub async fn data_of(&mut self, event: &str) -> Value {
        let frame = self.next().await;
        assert_eq!(frame["event"], event, "{frame}");
        serde_json::from_str(frame["data"].as_str().unwrap()).unwrap()
    }

    /// Fails when anything comes.
    pub async fn expect_silence(&mut self) {
        if let Ok(frame) = timeout(SILENCE, self.stream.next()).await {
            panic!("unexpected: {frame:?}");
        }
    }

    pub async fn subscribe(&mut self, channel: &str, auth: &str, channel_data: Option<&str>) -> Value {
        let data = json!({ "channel": channel, "auth": auth, "channel_data": channel_data });
        self.send(json!({ "event": "pusher:subscribe", "data": data })).await;
        self.next().await
    }

    /// Subscribes with permission from the server's own endpoint.
    pub async fn listen(&mut self, node: &Node, agent: &Agent, channel: &str) -> Value {
        let form = [("socket_id", self.socket_id.as_str()), ("channel_name", channel)];
        let (status, permission) = node.call(Method::POST, "/broadcasting/auth", &agent.token, &form).await;
        assert_eq!(status, 200, "{permission}");
        let auth = permission["auth"].as_str().unwrap();
        let frame = self.subscribe(channel, auth, permission["channel_data"].as_str()).await;
        assert_eq!(frame["event"], "pusher_internal:subscription_succeeded", "{frame}");
        assert_eq!(frame["channel"], channel);
        serde_json::from_str(frame["data"].as_str().unwrap()).unwrap()
    }

    /// Joins a presence channel as any user, signed with the application's secret.
    pub async fn join(&mut self, node: &Node, channel: &str, user: &str) -> Value {
        let data = json!({ "user_id": user, "user_info": { "name": format!("User {user}") } }).to_string();
        let auth = node.signer.sign_channel(&self.socket_id, channel, Some(&data));
        let frame = self.subscribe(channel, &auth, Some(&data)).await;
        assert_eq!(frame["event"], "pusher_internal:subscription_succeeded", "{frame}");
        serde_json::from_str::<Value>(frame["data"].as_str().unwrap()).unwrap()["presence"].clone()
    }

    /// Listens on any private channel, signed with the application's secret.
    pub async fn listen_signed(&mut self, node: &Node, channel: &str) {
        let auth = node.signer.sign_channel(&self.socket_id, channel, None);
        let frame = self.subscribe(channel, &auth, None).await;
        assert_eq!(frame["event"], "pusher_internal:subscription_succeeded", "{frame}");
    }
}
