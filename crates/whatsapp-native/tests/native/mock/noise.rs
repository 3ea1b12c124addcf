//! The server's side of the encrypted line: a handshake in two forms (a new acquaintance, and one that knows our key), then frames.

use std::collections::VecDeque;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Ws;
use whatsapp_rust::prelude::MessageField;
use whatsapp_rust::wacore::framing;
use whatsapp_rust::wacore::handshake::NoiseHandshake;
use whatsapp_rust::wacore::libsignal::protocol::KeyPair;
use whatsapp_rust::wacore::noise::NoiseCipher;
use whatsapp_rust::wacore_binary::consts::{NOISE_PATTERN_IK, NOISE_PATTERN_XX, WA_CONN_HEADER};
use whatsapp_rust::wacore_binary::{Node, OwnedNodeRef, marshal};
use whatsapp_rust::waproto::buffa::Message as _;
use whatsapp_rust::waproto::whatsapp::{self as wa, cert_chain::noise_certificate};

use super::signal::{key_of, new_key_pair};

/// A line that is encrypted.
pub struct Line {
    socket: WebSocketStream<TcpStream>,
    received: Vec<u8>,
    frames: VecDeque<Vec<u8>>,
    write: NoiseCipher,
    read: NoiseCipher,
    written: u32,
    taken: u32,
}

/// Who calls.
pub struct Caller {
    /// The key it is known by.
    pub noise_key: [u8; 32],
    /// What it says of itself.
    pub payload: wa::ClientPayload,
    /// It knew our key already.
    pub resumed: bool,
}

/// Frames before there is a cipher.
struct Plain {
    socket: WebSocketStream<TcpStream>,
    received: Vec<u8>,
    frames: VecDeque<Vec<u8>>,
}

fn cut(received: &mut Vec<u8>, frames: &mut VecDeque<Vec<u8>>) {
    while received.len() >= 3 {
        let length =
            usize::from(received[0]) << 16 | usize::from(received[1]) << 8 | usize::from(received[2]);
        if received.len() < 3 + length {
            return;
        }
        frames.push_back(received[3..3 + length].to_vec());
        received.drain(..3 + length);
    }
}

async fn receive(socket: &mut WebSocketStream<TcpStream>) -> Option<Vec<u8>> {
    loop {
        match socket.next().await?.ok()? {
            Ws::Binary(bytes) => return Some(bytes.to_vec()),
            Ws::Close(_) => return None,
            _ => {}
        }
    }
}

impl Plain {
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            let bytes = receive(&mut self.socket).await?;
            self.received.extend(bytes);
            if self.received.starts_with(&WA_CONN_HEADER) {
                self.received.drain(..WA_CONN_HEADER.len());
            }
            cut(&mut self.received, &mut self.frames);
        }
    }

    async fn send(&mut self, message: &wa::HandshakeMessage) -> Option<()> {
        let framed = framing::encode_frame(&message.encode_to_vec(), None).ok()?;
        self.socket.send(Ws::Binary(framed.into())).await.ok()
    }
}

/// Two certificates that nobody signed: the test build of the library looks at their times alone.
fn certificates(key: &[u8; 32]) -> Vec<u8> {
    let one = |serial, issuer, key: Vec<u8>| {
        let details = noise_certificate::Details {
            serial: Some(serial),
            issuer_serial: Some(issuer),
            key: Some(key),
            not_before: Some(1_700_000_000),
            not_after: Some(4_000_000_000),
        };
        MessageField::some(wa::cert_chain::NoiseCertificate {
            details: Some(details.encode_to_vec()),
            signature: Some(vec![0; 64]),
        })
    };
    wa::CertChain { leaf: one(2, 1, key.to_vec()), intermediate: one(1, 0, vec![0xCC; 32]) }.encode_to_vec()
}

/// Answers a call; `None` when the caller hangs up in between.
pub async fn answer(socket: WebSocketStream<TcpStream>, own: &KeyPair) -> Option<(Line, Caller)> {
    let mut plain = Plain { socket, received: Vec::new(), frames: VecDeque::new() };
    let hello = wa::HandshakeMessage::decode_from_slice(&plain.next().await?).ok()?;
    let hello = hello.client_hello.into_option()?;
    let theirs: [u8; 32] = hello.ephemeral?.try_into().ok()?;
    let ephemeral = new_key_pair();
    let (own_public, own_secret) = (key_of(&own.public_key), own.private_key.serialize());
    let resumed = hello.r#static.is_some();
    let pattern = if resumed { NOISE_PATTERN_IK } else { NOISE_PATTERN_XX };
    let mut noise = NoiseHandshake::new(pattern, &WA_CONN_HEADER).ok()?;
    let mut reply = wa::handshake_message::ServerHello {
        ephemeral: Some(key_of(&ephemeral.public_key).to_vec()),
        ..Default::default()
    };
    let (noise_key, payload): ([u8; 32], Vec<u8>);
    if resumed {
        noise.authenticate(&own_public);
        noise.authenticate(&theirs);
        noise.mix_shared_secret(own_secret, &theirs).ok()?;
        noise_key = noise.decrypt(&hello.r#static?).ok()?.try_into().ok()?;
        noise.mix_shared_secret(own_secret, &noise_key).ok()?;
        payload = noise.decrypt(&hello.payload?).ok()?;
        noise.authenticate(&key_of(&ephemeral.public_key));
        noise.mix_shared_secret(ephemeral.private_key.serialize(), &theirs).ok()?;
        noise.mix_shared_secret(ephemeral.private_key.serialize(), &noise_key).ok()?;
        reply.payload = Some(noise.encrypt(&certificates(&own_public)).ok()?);
        plain
            .send(&wa::HandshakeMessage { server_hello: MessageField::some(reply), ..Default::default() })
            .await?;
    } else {
        noise.authenticate(&theirs);
        noise.authenticate(&key_of(&ephemeral.public_key));
        noise.mix_shared_secret(ephemeral.private_key.serialize(), &theirs).ok()?;
        reply.r#static = Some(noise.encrypt(&own_public).ok()?);
        noise.mix_shared_secret(own_secret, &theirs).ok()?;
        reply.payload = Some(noise.encrypt(&certificates(&own_public)).ok()?);
        plain
            .send(&wa::HandshakeMessage { server_hello: MessageField::some(reply), ..Default::default() })
            .await?;
        let finish = wa::HandshakeMessage::decode_from_slice(&plain.next().await?)
            .ok()?
            .client_finish
            .into_option()?;
        noise_key = noise.decrypt(&finish.r#static?).ok()?.try_into().ok()?;
        noise.mix_shared_secret(ephemeral.private_key.serialize(), &noise_key).ok()?;
        payload = noise.decrypt(&finish.payload?).ok()?;
    }
    // The first of the two is what the caller writes with.
    let (read, write) = noise.finish().ok()?;
    let payload = wa::ClientPayload::decode_from_slice(&payload).ok()?;
    let Plain { socket, received, frames } = plain;
    Some((
        Line { socket, received, frames, write, read, written: 0, taken: 0 },
        Caller { noise_key, payload, resumed },
    ))
}

impl Line {
    /// The next stanza; `None` at the end of the line.
    pub async fn next(&mut self) -> Option<Node> {
        loop {
            if let Some(mut frame) = self.frames.pop_front() {
                self.read.decrypt_in_place_with_counter(self.taken, &mut frame).ok()?;
                self.taken += 1;
                let plain = whatsapp_rust::wacore_binary::util::unpack(&frame).ok()?.into_owned();
                return Some(OwnedNodeRef::new(plain).ok()?.to_owned_node());
            }
            let bytes = receive(&mut self.socket).await?;
            self.received.extend(bytes);
            cut(&mut self.received, &mut self.frames);
        }
    }

    /// Sends a stanza.
    pub async fn send(&mut self, node: &Node) -> Option<()> {
        let mut frame = marshal(node).ok()?;
        self.write.encrypt_in_place_with_counter(self.written, &mut frame).ok()?;
        self.written += 1;
        let framed = framing::encode_frame(&frame, None).ok()?;
        self.socket.send(Ws::Binary(framed.into())).await.ok()
    }

    /// Hangs up.
    pub async fn close(mut self) {
        let _gone = self.socket.close(None).await;
    }
}
