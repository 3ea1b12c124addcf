//! The floor of taking webhooks: signature, one row under a unique index, 200 after the commit. The message's id is cut
//! out by a search for its first letters: nothing is parsed, no conversation is kept, nobody is told.

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use hmac::Mac;
use tokio::sync::{mpsc, oneshot};

use crate::load::http::find;
use crate::{postgres, webhook};

/// Rows of one commit at most.
pub const BATCH: usize = 512;

/// A row that waits for its commit.
pub struct Row {
    /// The provider's id.
    pub id: String,
    /// The raw body.
    pub body: Bytes,
    /// Told after the commit.
    pub kept: oneshot::Sender<()>,
}

/// What becomes of a webhook.
#[derive(Clone)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// A writer commits it.
    Queue(mpsc::UnboundedSender<Row>),
}

/// The server.
pub fn router(keep: Keep) -> Router {
    Router::new().route(super::Floor::PATH, post(take)).route("/healthz", get(async || "ok")).with_state(keep)
}

async fn take(State(keep): State<Keep>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !is_signed(&headers, &body) {
        return StatusCode::FORBIDDEN;
    }
    let Keep::Queue(queue) = keep else { return StatusCode::OK };
    let Some(id) = message_id(&body) else { return StatusCode::BAD_REQUEST };
    let (kept, committed) = oneshot::channel();
    if queue.send(Row { id, body, kept }).is_err() || committed.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::OK
}

fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let header = headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok());
    let signature = header.and_then(|value| hex::decode(value.strip_prefix("sha256=")?).ok());
    signature.is_some_and(|signature| webhook::mac(body).verify_slice(&signature).is_ok())
}

fn message_id(body: &[u8]) -> Option<String> {
    let start = find(body, b"wamid.")?;
    let length = body[start..].iter().position(|byte| *byte == b'"')?;
    String::from_utf8(body[start..start + length].to_vec()).ok()
}

/// One connection; each statement takes what has come while the last one ran.
pub async fn postgres_writer(url: &str) -> anyhow::Result<mpsc::UnboundedSender<Row>> {
    let client = postgres::connect(url).await?;
    client
        .batch_execute(
            "CREATE TABLE hook (id BIGSERIAL PRIMARY KEY, at BIGINT NOT NULL, provider TEXT NOT NULL,
                                remote_id TEXT NOT NULL, body BYTEA NOT NULL);
             CREATE UNIQUE INDEX hook_remote_id ON hook (provider, remote_id)",
        )
        .await?;
    let insert = client
        .prepare(
            "INSERT INTO hook (at, provider, remote_id, body)
             SELECT 1700000000, 'meta', id, body FROM UNNEST($1::text[], $2::bytea[]) AS row (id, body)
             ON CONFLICT DO NOTHING",
        )
        .await?;
    let (queue, mut waiting) = mpsc::unbounded_channel::<Row>();
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let ids: Vec<&str> = batch.iter().map(|row| row.id.as_str()).collect();
            let bodies: Vec<&[u8]> = batch.iter().map(|row| row.body.as_ref()).collect();
            client.execute(&insert, &[&ids, &bodies]).await.context("the rows cannot be kept")?;
            for row in batch.drain(..) {
                let _ = row.kept.send(()); // a client that is gone needs no answer
            }
        }
        anyhow::Ok(())
    });
    Ok(queue)
}
