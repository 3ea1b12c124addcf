//! A WhatsApp of our own: the socket, the handshake, one phone for each number, and what the server answers. Written from the form of the
//! stanzas, with the library's public parts for bytes and keys; what it imitates of the server's manners is listed in [`answers`].

mod answers;
mod noise;
mod signal;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify, mpsc};
use whatsapp_rust::Jid;
use whatsapp_rust::NodeBuilder;
use whatsapp_rust::wacore::libsignal::protocol::{IdentityKey, KeyPair, PreKeyBundle, ProtocolAddress};
use whatsapp_rust::wacore::store::Device;
use whatsapp_rust::wacore_binary::Node;
use whatsapp_rust::waproto::buffa::Message as _;
use whatsapp_rust::waproto::whatsapp as wa;

use self::noise::{Caller, Line};
use self::signal::{Signal, key_from, key_of, rng};

type Key = [u8; 32];

/// How long a test waits for something to happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A WhatsApp.
#[derive(Clone)]
pub struct Mock {
    pub url: String,
    hall: Arc<Hall>,
}

struct Hall {
    state: Mutex<State>,
    news: Notify,
    server_key: KeyPair,
}

/// What the mock knows.
#[derive(Default)]
pub struct State {
    people: HashMap<String, Person>,
    devices: HashMap<Key, Linked>,
    lines: HashMap<Key, mpsc::UnboundedSender<Out>>,
    codes_given: u64,
    /// What linked devices sent.
    pub heard: Vec<Heard>,
    /// How it treats them.
    pub mood: Mood,
    /// How often a device came back with our key known.
    pub resumed: u32,
}

/// How the server treats linked devices.
#[derive(Default)]
pub struct Mood {
    /// The code it refuses messages with.
    pub nack: Option<&'static str>,
    /// It says nothing to messages.
    pub silent: bool,
    /// How it greets who signs in: the attributes of a failure.
    pub failure: Option<Vec<(&'static str, String)>>,
    /// Numbers that are not on WhatsApp.
    pub unknown: HashSet<String>,
}

/// Something a linked device sent.
#[derive(Clone)]
pub enum Heard {
    /// A message that the phone of `to` has decrypted.
    Message {
        /// Whose phone.
        to: String,
        id: String,
        message: Box<wa::Message>,
    },
    /// A receipt, typing, presence.
    Node(Node),
}

enum Out {
    Send(Box<Node>),
    Close,
}

/// Somebody with a phone.
struct Person {
    number: String,
    lid: String,
    signal: Signal,
}

/// A device that was linked to somebody's phone.
struct Linked {
    number: String,
    lid: String,
    identity: Vec<u8>,
    bundle: Option<Upload>,
    /// What it has not acknowledged.
    owed: Vec<(String, Node)>,
    ready: bool,
}

struct Upload {
    registration_id: u32,
    signed: (u32, Vec<u8>, Vec<u8>),
    prekeys: Vec<(u32, Vec<u8>)>,
}

impl Linked {
    fn bundle(&mut self) -> Option<PreKeyBundle> {
        let upload = self.bundle.as_mut()?;
        let prekey = upload.prekeys.pop().map(|(id, key)| (id.into(), key_from(&key)));
        let (id, key, signature) = &upload.signed;
        let identity = IdentityKey::new(key_from(&self.identity));
        PreKeyBundle::new(
            upload.registration_id,
            0_u32.into(),
            prekey,
            (*id).into(),
            key_from(key),
            signature.clone(),
            identity,
        )
        .ok()
    }
}

/// The address by which phones here know a linked device.
fn address(key: &Key) -> ProtocolAddress {
    ProtocolAddress::new(STANDARD.encode(key).as_str(), 0_u32.into())
}

impl Mock {
    /// Opens one on a free port of this machine.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/ws/chat", listener.local_addr().unwrap());
        let hall = Arc::new(Hall {
            state: Mutex::default(),
            news: Notify::new(),
            server_key: Device::new().noise_key,
        });
        let open = hall.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(open.clone(), stream));
            }
        });
        Self { url, hall }
    }

    /// Somebody gets a phone.
    pub async fn person(&self, number: &str) {
        let lid = format!("9{number}");
        let person = Person { number: number.to_owned(), lid, signal: Signal::new() };
        self.hall.state.lock().await.people.insert(number.to_owned(), person);
    }

    /// Changes how devices are treated.
    pub async fn treat(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.hall.state.lock().await.mood);
    }

    /// Waits until something is so.
    pub async fn wait<T>(&self, what: &str, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let news = self.hall.news.notified();
                tokio::pin!(news);
                news.as_mut().enable();
                if let Some(found) = look(&mut *self.hall.state.lock().await) {
                    return found;
                }
                news.await;
            }
        });
        found.await.unwrap_or_else(|_| panic!("nobody saw {what}"))
    }

    /// Waits for a message that a phone gets, by what it says.
    pub async fn message<T>(
        &self,
        what: &str,
        mut read: impl FnMut(&str, &str, &wa::Message) -> Option<T>,
    ) -> T {
        self.wait(what, |state| {
            state.heard.iter().find_map(|heard| match heard {
                Heard::Message { to, id, message, .. } => read(to, id, message),
                Heard::Node(_) => None,
            })
        })
        .await
    }

    /// Waits for a stanza of another kind.
    pub async fn node(&self, what: &str, is: impl Fn(&Node) -> bool) -> Node {
        self.wait(what, |state| {
            state.heard.iter().find_map(|heard| match heard {
                Heard::Node(node) if is(node) => Some(node.clone()),
                _ => None,
            })
        })
        .await
    }

    /// The phone of a number scans a code.
    pub async fn scan(&self, code: &str, number: &str) {
        let parts: Vec<&str> = code.rsplit('#').next().unwrap().split(',').collect();
        let key = |i: usize| STANDARD.decode(parts[i]).unwrap();
        let (noise_key, identity, secret) = (key(1), key(2), key(3));
        let noise_key: Key = noise_key.try_into().unwrap();
        let mut state = self.hall.state.lock().await;
        let person = state.people.get(number).unwrap();
        let details = wa::ADVDeviceIdentity {
            raw_id: Some(7),
            timestamp: Some(1_790_000_000),
            key_index: Some(1),
            ..Default::default()
        };
        let details = details.encode_to_vec();
        let said = [&[6, 0], details.as_slice(), identity.as_slice()].concat();
        let signature = person.signal.identity.private_key.calculate_signature(&said, &mut rng()).unwrap();
        let signed = wa::ADVSignedDeviceIdentity {
            details: Some(details),
            account_signature_key: Some(key_of(&person.signal.identity.public_key).to_vec()),
            account_signature: Some(signature.to_vec()),
            device_signature: None,
        };
        let signed = signed.encode_to_vec();
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
        mac.update(&signed);
        let sealed = wa::ADVSignedDeviceIdentityHMAC {
            hmac: Some(mac.finalize().into_bytes().to_vec()),
            details: Some(signed),
            account_type: None,
        };
        let (jid, lid) = (format!("{}:1@s.whatsapp.net", person.number), format!("{}:1@lid", person.lid));
        let linked = Linked {
            number: person.number.clone(),
            lid: person.lid.clone(),
            identity,
            bundle: None,
            owed: Vec::new(),
            ready: false,
        };
        state.devices.insert(noise_key, linked);
        let success = NodeBuilder::new("pair-success")
            .children([
                NodeBuilder::new("device-identity").bytes(sealed.encode_to_vec()).build(),
                NodeBuilder::new("platform").attr("name", "android").build(),
                NodeBuilder::new("device").attr("jid", jid.as_str()).attr("lid", lid.as_str()).build(),
            ])
            .build();
        let node = NodeBuilder::new("iq")
            .attr("from", "s.whatsapp.net")
            .attr("type", "set")
            .attr("id", "pair")
            .children([success])
            .build();
        state.send(&noise_key, node);
    }

    /// Somebody writes to the linked device of a number. Returns the id.
    pub async fn write(&self, from: &str, to: &str, message: &wa::Message) -> String {
        self.write_as(from, to, message, false).await
    }

    /// The same under the private id of who writes.
    pub async fn write_as(&self, from: &str, to: &str, message: &wa::Message, hidden: bool) -> String {
        let mut state = self.hall.state.lock().await;
        let key = state.key_of(to).unwrap();
        state.codes_given += 1;
        let id = format!("3A{:020X}", state.codes_given);
        let bundle = state.devices.get_mut(&key).unwrap().bundle().unwrap();
        let person = state.people.get_mut(from).unwrap();
        let (kind, bytes) = person.signal.encrypt(&address(&key), &bundle, message).await;
        let (number, lid) = (format!("{}@s.whatsapp.net", person.number), format!("{}@lid", person.lid));
        let sealed = NodeBuilder::new("enc").attr("v", "2").attr("type", kind).bytes(bytes).build();
        let node = NodeBuilder::new("message")
            .attr("id", id.as_str())
            .attr("t", "1790000100")
            .attr("type", "text")
            .attr("notify", "Sari");
        let node = if hidden {
            node.attr("from", lid.as_str()).attr("sender_pn", number.as_str())
        } else {
            node.attr("from", number.as_str())
        };
        let node = node.children([sealed]).build();
        let device = state.devices.get_mut(&key).unwrap();
        device.owed.push((id.clone(), node.clone()));
        state.send(&key, node);
        id
    }

    /// Sends a stanza to the linked device of a number.
    pub async fn push(&self, to: &str, node: Node) {
        let mut state = self.hall.state.lock().await;
        let key = state.key_of(to).unwrap();
        state.send(&key, node);
    }

    /// Hangs up on the linked device of a number.
    pub async fn hang_up(&self, to: &str) {
        let mut state = self.hall.state.lock().await;
        let key = state.key_of(to).unwrap();
        if let Some(line) = state.lines.remove(&key) {
            let _gone = line.send(Out::Close);
        }
    }
}

impl State {
    fn key_of(&self, number: &str) -> Option<Key> {
        self.devices.iter().find(|(_, linked)| linked.number == number).map(|(key, _)| *key)
    }

    fn send(&mut self, key: &Key, node: Node) {
        if let Some(line) = self.lines.get(key) {
            let _gone = line.send(Out::Send(Box::new(node)));
        }
    }

    /// How many messages the linked device of a number has not acknowledged.
    pub fn owed(&self, number: &str) -> usize {
        self.key_of(number).map_or(0, |key| self.devices[&key].owed.len())
    }

    /// True when it has said that it takes messages.
    pub fn is_ready(&self, number: &str) -> bool {
        self.key_of(number).is_some_and(|key| self.devices[&key].ready && self.lines.contains_key(&key))
    }

    /// Somebody by number or private id.
    fn person_mut(&mut self, jid: &Jid) -> Option<&mut Person> {
        let user = jid.user_base().to_owned();
        self.people.values_mut().find(|person| person.number == user || person.lid == user)
    }
}

async fn serve(hall: Arc<Hall>, stream: TcpStream) {
    let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let Some((line, caller)) = noise::answer(socket, &hall.server_key).await else { return };
    let key = caller.noise_key;
    let (sender, receiver) = mpsc::unbounded_channel();
    {
        let mut state = hall.state.lock().await;
        state.resumed += u32::from(caller.resumed);
        state.lines.insert(key, sender.clone());
    }
    greet(&hall, &caller, &sender).await;
    talk(&hall, line, &key, receiver, &sender).await;
    let mut state = hall.state.lock().await;
    if state.lines.get(&key).is_some_and(|current| current.same_channel(&sender)) {
        state.lines.remove(&key);
    }
    drop(state);
    hall.news.notify_waiters();
}

/// The first word: codes for who is not linked, a welcome or a failure for who is.
async fn greet(hall: &Hall, caller: &Caller, line: &mpsc::UnboundedSender<Out>) {
    let mut state = hall.state.lock().await;
    let node = if caller.payload.device_pairing_data.is_set() {
        state.codes_given += 1;
        let given = state.codes_given;
        let refs =
            (0..6).map(|i| NodeBuilder::new("ref").bytes(format!("2@ref{given}x{i}").into_bytes()).build());
        let device = NodeBuilder::new("pair-device").children(refs).build();
        NodeBuilder::new("iq")
            .attr("from", "s.whatsapp.net")
            .attr("type", "set")
            .attr("id", "codes")
            .children([device])
            .build()
    } else if let Some(attrs) = &state.mood.failure {
        let attrs = attrs.clone();
        attrs
            .into_iter()
            .fold(NodeBuilder::new("failure"), |node, (key, value)| node.attr(key, value.as_str()))
            .build()
    } else if let Some(linked) = state.devices.get_mut(&caller.noise_key) {
        linked.ready = false;
        let lid = format!("{}:1@lid", linked.lid);
        NodeBuilder::new("success").attr("t", "1790000000").attr("lid", lid.as_str()).build()
    } else {
        NodeBuilder::new("failure").attr("reason", "401").build()
    };
    let ends = node.tag == "failure";
    let _gone = line.send(Out::Send(Box::new(node)));
    if ends {
        let _gone = line.send(Out::Close);
    }
}

async fn talk(
    hall: &Hall,
    mut line: Line,
    key: &Key,
    mut out: mpsc::UnboundedReceiver<Out>,
    own: &mpsc::UnboundedSender<Out>,
) {
    loop {
        tokio::select! {
            node = line.next() => {
                let Some(node) = node else { return };
                let mut state = hall.state.lock().await;
                for answer in answers::answer(&mut state, key, &node).await {
                    let _gone = own.send(answer);
                }
                drop(state);
                hall.news.notify_waiters();
            }
            said = out.recv() => match said {
                Some(Out::Send(node)) => {
                    if line.send(&node).await.is_none() {
                        return;
                    }
                }
                Some(Out::Close) | None => return line.close().await,
            },
        }
    }
}
