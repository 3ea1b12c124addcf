//! The connection of a server: hello, then codes to scan or events, and calls.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::calls;
use super::phone::{FRAMES, Frame, Line, Waiting, banned, owner};
use crate::channel::Channel;
use crate::sandbox::Sandbox;

/// A server that does not say hello for so long is let go.
const HELLO_PATIENCE: Duration = Duration::from_secs(10);
/// The largest frame.
const MAX_FRAME_BYTES: usize = 1 << 20;
/// Connections that may wait for a phone.
const MAX_WAITING: usize = 2_000;

/// `GET /phones/socket`
pub(super) async fn open(State(sandbox): State<Sandbox>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(MAX_FRAME_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .write_buffer_size(0)
        .read_buffer_size(4 * 1024)
        .on_upgrade(|socket| async move {
            // A server that went away is no fault.
            let _gone = serve(sandbox, socket).await;
        })
}

/// The server went away.
struct Gone;

impl From<axum::Error> for Gone {
    fn from(_error: axum::Error) -> Self {
        Self
    }
}

async fn serve(sandbox: Sandbox, mut socket: WebSocket) -> Result<(), Gone> {
    let hello = tokio::time::timeout(HELLO_PATIENCE, next(&mut socket)).await.map_err(|_late| Gone)??;
    let session = hello["session"].as_str().unwrap_or("server").to_owned();
    match hello["device"].as_str() {
        Some(device) => work(sandbox, socket, device).await,
        None => wait_for_phone(sandbox, socket, session).await,
    }
}

/// The next JSON frame.
async fn next(socket: &mut WebSocket) -> Result<Value, Gone> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap_or_default()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
            Some(Ok(_)) => {}
        }
    }
}

async fn send(socket: &mut WebSocket, frame: &Value) -> Result<(), Gone> {
    Ok(socket.send(Message::Text(frame.to_string().into())).await?)
}

async fn pass_on(socket: &mut WebSocket, frame: Option<Frame>) -> Result<(), Gone> {
    match frame {
        Some(Frame::Text(text)) => Ok(socket.send(Message::Text(text.into())).await?),
        Some(Frame::Cut) | None => Err(Gone),
    }
}

/// Shows codes until one is scanned, or none are left.
async fn wait_for_phone(sandbox: Sandbox, mut socket: WebSocket, session: String) -> Result<(), Gone> {
    let (out, mut frames) = mpsc::channel(FRAMES);
    let Some(number) = enter(&sandbox, session, out) else {
        return send(&mut socket, &json!({ "t": "refused", "reason": "Too many wait for a phone." })).await;
    };
    let ended = show_codes(&sandbox, &mut socket, number, &mut frames).await;
    sandbox.world().linked.waiting.remove(&number);
    sandbox.changed("linked", None, None);
    ended
}

/// Puts a server among those that wait; `None` when there are too many.
fn enter(sandbox: &Sandbox, session: String, out: mpsc::Sender<Frame>) -> Option<u64> {
    let mut world = sandbox.world();
    if world.linked.waiting.len() >= MAX_WAITING {
        return None;
    }
    let number = world.linked.next_socket();
    let waiting = Waiting { session, code: None, pairing: None, proof_of: None, out };
    world.linked.waiting.insert(number, waiting);
    Some(number)
}

async fn show_codes(
    sandbox: &Sandbox,
    socket: &mut WebSocket,
    number: u64,
    frames: &mut mpsc::Receiver<Frame>,
) -> Result<(), Gone> {
    let codes = sandbox.world().settings.linked_phones.clone();
    for attempt in 1..=codes.count {
        let ttl_ms = if attempt == 1 { codes.first_ms } else { codes.next_ms };
        let code = {
            let mut world = sandbox.world();
            let code = format!(
                "2@{}{},{},{},{attempt}",
                world.ids.word(),
                world.ids.decimal(40),
                world.ids.decimal(43),
                world.ids.decimal(43)
            );
            match world.linked.waiting.get_mut(&number) {
                Some(waiting) if waiting.proof_of.is_none() && waiting.pairing.is_none() => {
                    waiting.code = Some(code.clone());
                    Some(code)
                }
                _ => None,
            }
        };
        if let Some(code) = code {
            send(socket, &json!({ "t": "qr", "code": code, "ttl_ms": ttl_ms, "attempt": attempt })).await?;
            sandbox.changed("linked", None, None);
        }
        let until = tokio::time::Instant::now() + Duration::from_millis(ttl_ms);
        loop {
            tokio::select! {
                frame = frames.recv() => pass_on(socket, frame).await?,
                asked = next(socket) => ask_before_pairing(sandbox, socket, number, &asked?).await?,
                () = tokio::time::sleep_until(until) => break,
            }
        }
    }
    send(socket, &json!({ "t": "qr_exhausted" })).await
}

/// Before a phone is linked a server may ask for a pairing code, and answer a proof.
async fn ask_before_pairing(
    sandbox: &Sandbox,
    socket: &mut WebSocket,
    number: u64,
    asked: &Value,
) -> Result<(), Gone> {
    let id = &asked["id"];
    let refuse = |code: &str, message: &str| json!({ "t": "result", "id": id, "error": { "code": code, "message": message, "lasting": true } });
    match asked["what"].as_str() {
        Some("pair_code") => {
            let digits = asked["args"]["phone"].as_str().unwrap_or_default().to_owned();
            let code = {
                let mut world = sandbox.world();
                let drawn = world.ids.decimal(8);
                let code = format!("{}-{}", &drawn[..4], &drawn[4..]);
                if let Some(waiting) = world.linked.waiting.get_mut(&number) {
                    waiting.pairing = Some((digits, code.clone()));
                    waiting.code = None;
                }
                code
            };
            send(socket, &json!({ "t": "result", "id": id, "ok": {} })).await?;
            send(socket, &json!({ "t": "pairing_code", "code": code, "ttl_ms": 120_000 })).await?;
            sandbox.changed("linked", None, None);
            Ok(())
        }
        Some("challenge") => {
            let proof_of = sandbox.world().linked.waiting.get(&number).and_then(|w| w.proof_of.clone());
            let inbox = proof_of.and_then(|inbox_id| sandbox.world().inboxes.get(&inbox_id).cloned());
            match inbox {
                None => send(socket, &refuse("NO_CHALLENGE", "No proof is waited for.")).await,
                Some(_) if asked["args"]["answer"]["proof"] != json!("ok") => {
                    send(socket, &refuse("BAD_PROOF", "The proof is wrong.")).await
                }
                Some(inbox) => {
                    send(socket, &json!({ "t": "result", "id": id, "ok": {} })).await?;
                    super::phone::pair(sandbox, &inbox, number);
                    Ok(())
                }
            }
        }
        Some("logout") => send(socket, &json!({ "t": "result", "id": id, "ok": {} })).await,
        Some(_) => send(socket, &refuse("NOT_LINKED", "No phone is linked.")).await,
        None => Ok(()),
    }
}

/// Serves a linked server.
async fn work(sandbox: Sandbox, mut socket: WebSocket, device: &str) -> Result<(), Gone> {
    let (out, mut frames) = mpsc::channel(FRAMES);
    let now = sandbox.clock().now();
    let found = {
        let world = sandbox.world();
        let inbox_id = world.linked.phone_of(device);
        let inbox = inbox_id.and_then(|id| world.inboxes.get(&id).cloned());
        inbox.filter(|inbox| inbox.channel == Channel::LinkedWhatsapp)
    };
    let Some(inbox) = found else {
        return send(
            &mut socket,
            &json!({ "t": "logged_out", "reason": "The phone does not know this device." }),
        )
        .await;
    };
    let (offline, ban) = {
        let mut world = sandbox.world();
        let phone = world.linked.phones.entry(inbox.id.clone()).or_default();
        (phone.offline, phone.banned_until_ms.filter(|until| *until > now))
    };
    if let Some(until) = ban {
        return send(&mut socket, &banned(until)).await;
    }
    if offline {
        return Err(Gone);
    }
    send(&mut socket, &json!({ "t": "syncing" })).await?;
    let number = {
        let mut world = sandbox.world();
        let number = world.linked.next_socket();
        let phone = world.linked.phones.entry(inbox.id.clone()).or_default();
        // Never two at once: the older one goes.
        phone.cut();
        let line = Line { socket: number, out };
        line.send(&json!({ "t": "ready", "owner": owner(&inbox) }));
        for (seq, event) in &phone.events {
            line.send(&json!({ "t": "event", "seq": seq, "event": event }));
        }
        phone.line = Some(line);
        number
    };
    sandbox.changed("linked", None, Some(&inbox.id));
    let ended = loop {
        let turn = tokio::select! {
            frame = frames.recv() => pass_on(&mut socket, frame).await,
            asked = next(&mut socket) => match asked {
                Ok(asked) => answer(&sandbox, &mut socket, &inbox.id, &asked).await,
                Err(gone) => Err(gone),
            },
        };
        if turn.is_err() {
            break turn;
        }
    };
    if let Some(phone) = sandbox.world().linked.phones.get_mut(&inbox.id)
        && phone.line.as_ref().is_some_and(|line| line.socket == number)
    {
        phone.line = None;
    }
    sandbox.changed("linked", None, Some(&inbox.id));
    ended
}

async fn answer(
    sandbox: &Sandbox,
    socket: &mut WebSocket,
    inbox_id: &str,
    asked: &Value,
) -> Result<(), Gone> {
    if asked["t"] == "ack" {
        let seq = asked["seq"].as_u64().unwrap_or_default();
        if let Some(phone) = sandbox.world().linked.phones.get_mut(inbox_id) {
            let before = phone.events.len();
            phone.events.retain(|(kept, _)| *kept != seq);
            phone.acknowledged += (before - phone.events.len()) as u64;
        }
        return Ok(());
    }
    let Some(inbox) = sandbox.world().inboxes.get(inbox_id).cloned() else { return Err(Gone) };
    let answered =
        calls::answer(sandbox, &inbox, asked["what"].as_str().unwrap_or_default(), &asked["args"]).await;
    let frame = match answered {
        Ok(ok) => json!({ "t": "result", "id": asked["id"], "ok": ok }),
        Err(calls::Unanswered::Refused(error)) => json!({ "t": "result", "id": asked["id"], "error": error }),
        Err(calls::Unanswered::Cut) => return Err(Gone),
    };
    send(socket, &frame).await?;
    if asked["what"] == "logout" {
        super::phone::log_out(sandbox, inbox_id);
    }
    Ok(())
}
