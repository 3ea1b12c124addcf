//! One connection after the other, from start to stop.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_model::Timestamp;
use frontdesk_model::linked::LinkedPhone;
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::calls::WAITING;
use super::wire::{FromPhone, Owner, ToPhone};
use super::{Core, DEVICE, inbound};
use crate::contract::{Ack, KeyChange, SessionEvent, SessionNews};
use crate::linked_whatsapp::address;

/// A connection is waited for so long.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// A phone that says nothing for so long is asked whether it is there; twice as long, and it is gone.
const SILENCE: Duration = Duration::from_secs(25);
/// The largest frame.
const MAX_FRAME_BYTES: usize = 1 << 20;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What links a session to a phone.
#[derive(Serialize, Deserialize)]
struct Device {
    device: String,
    phone: LinkedPhone,
}

/// How a connection ended.
enum Ending {
    /// Connect anew at once, as right after pairing.
    Again,
    /// What to tell; nothing more happens.
    Over(SessionEvent),
}

/// Runs a session until it ends or is stopped. Tells the end as its last event.
pub(super) async fn run(core: Arc<Core>) {
    let last = loop {
        let ended = converse(&core).await;
        core.calls.hang_up();
        match ended {
            Ok(Ending::Again) => {}
            Ok(Ending::Over(event)) => break event,
            Err(reason) => break SessionEvent::Dropped { reason },
        }
    };
    tell(&core, last).await;
}

/// Tells an event. Nobody hears it when the session is being closed.
async fn tell(core: &Core, event: SessionEvent) {
    let _closed = core.events.send(SessionNews::plain(event)).await;
}

async fn converse(core: &Core) -> Result<Ending, String> {
    let known = core.keys.get(DEVICE.0, DEVICE.1).await.map_err(|error| error.to_string())?;
    let known: Option<Device> = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut socket = connect(core).await?;
    let hello = ToPhone::Hello {
        device: known.as_ref().map(|device| device.device.as_str()),
        session: &core.session,
    };
    write(&mut socket, &frame(&hello)).await?;
    let (out, mut outgoing) = mpsc::channel::<String>(WAITING);
    core.calls.connect(out);
    let (acked, mut acks) = mpsc::channel::<u64>(WAITING);
    let mut asked = false;
    loop {
        tokio::select! {
            Some(text) = outgoing.recv() => write(&mut socket, &text).await?,
            Some(seq) = acks.recv() => write(&mut socket, &frame(&ToPhone::Ack { seq })).await?,
            heard = tokio::time::timeout(SILENCE, socket.next()) => match heard {
                Ok(Some(Ok(Message::Text(text)))) => {
                    asked = false;
                    if let Some(ending) = take(core, &text, &acked).await? {
                        return Ok(ending);
                    }
                }
                Ok(Some(Ok(Message::Close(_))) | None) => return Err("The phone closed the connection.".to_owned()),
                Ok(Some(Ok(_))) => asked = false,
                Ok(Some(Err(error))) => return Err(broken(&error)),
                Err(_) if asked => return Err("The phone no longer answers.".to_owned()),
                Err(_) => {
                    asked = true;
                    socket.send(Message::Ping(Vec::new().into())).await.map_err(|error| broken(&error))?;
                }
            },
        }
    }
}

async fn connect(core: &Core) -> Result<Socket, String> {
    let mut url = core.url.clone();
    url.set_path("/phones/socket");
    let address = url.as_str().replacen("http", "ws", 1);
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(MAX_FRAME_BYTES);
    config.max_frame_size = Some(MAX_FRAME_BYTES);
    // A session that rests costs little.
    config.read_buffer_size = 4 * 1024;
    config.write_buffer_size = 0;
    let connecting = connect_async_with_config(address, Some(config), true);
    match tokio::time::timeout(CONNECT_PATIENCE, connecting).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(broken(&error)),
        Err(_) => Err("The phones could not be reached in time.".to_owned()),
    }
}

fn broken(error: &Error) -> String {
    format!("The connection to the phone broke: {error}.")
}

fn frame(frame: &ToPhone<'_>) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

async fn write(socket: &mut Socket, text: &str) -> Result<(), String> {
    socket.send(Message::text(text)).await.map_err(|error| broken(&error))
}

/// Takes one frame; tells how the connection ends, if it does.
async fn take(core: &Core, text: &str, acked: &mpsc::Sender<u64>) -> Result<Option<Ending>, String> {
    let Ok(frame) = serde_json::from_str::<FromPhone>(text) else { return Ok(None) };
    let event = match frame {
        FromPhone::Qr { code, ttl_ms, attempt } => SessionEvent::Qr { code, expires_in_ms: ttl_ms, attempt },
        FromPhone::QrExhausted => return Ok(Some(Ending::Over(SessionEvent::QrExhausted))),
        FromPhone::PairingCode { code, ttl_ms } => SessionEvent::PairingCode { code, expires_in_ms: ttl_ms },
        FromPhone::Challenge { challenge } => SessionEvent::Challenge(challenge),
        FromPhone::Paired { device, owner } => {
            let phone = owner_of(owner);
            let device = Device { device, phone: phone.clone() };
            let value = serde_json::to_vec(&device).map_err(|error| error.to_string())?;
            let (space, key) = (DEVICE.0, DEVICE.1.to_owned());
            let put = KeyChange::Put { space, key, value, numbers: (None, None) };
            core.keys.write(vec![put]).await.map_err(|error| error.to_string())?;
            SessionEvent::Paired(phone)
        }
        FromPhone::Restart => return Ok(Some(Ending::Again)),
        FromPhone::Syncing => SessionEvent::Syncing,
        FromPhone::Ready { owner } => SessionEvent::Connected(owner_of(owner)),
        FromPhone::LoggedOut { reason } => {
            core.keys.write(vec![KeyChange::Clear]).await.map_err(|error| error.to_string())?;
            return Ok(Some(Ending::Over(SessionEvent::LoggedOut { reason })));
        }
        FromPhone::Banned { until_ms, reason } => {
            let until = Timestamp::from_millis(until_ms);
            return Ok(Some(Ending::Over(SessionEvent::Banned { until, reason })));
        }
        FromPhone::Refused { reason } => return Ok(Some(Ending::Over(SessionEvent::Failed { reason }))),
        FromPhone::Event { seq, event } => {
            hand_on(core, seq, &event, acked).await;
            return Ok(None);
        }
        FromPhone::Result { id, ok, error } => {
            core.calls.answer(id, error.map_or(Ok(ok), Err));
            return Ok(None);
        }
        FromPhone::Unknown => return Ok(None),
    };
    tell(core, event).await;
    Ok(None)
}

/// Hands an event to the engine; its number goes back once it is stored.
async fn hand_on(core: &Core, seq: u64, event: &serde_json::Value, acked: &mpsc::Sender<u64>) {
    let (ack, stored) = Ack::pair();
    let news = SessionNews { event: inbound::read(event, core.clock.now()), ack: Some(ack) };
    if core.events.send(news).await.is_err() {
        return; // not stored: it comes again
    }
    let acked = acked.clone();
    tokio::spawn(async move {
        if stored.await.is_ok() {
            let _cut = acked.send(seq).await; // then it comes again, and changes nothing
        }
    });
}

fn owner_of(owner: Owner) -> LinkedPhone {
    let phone = address::identities(Some(&owner.phone), None).pop().map(|identity| identity.value);
    LinkedPhone { phone, lid: owner.lid, name: owner.name }
}
