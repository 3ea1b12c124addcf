//! A phone, what links it to a server, and what it keeps for that one; and servers that wait for a phone.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::clock::TimeMs;
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;

/// Events that a phone keeps for its server; the oldest go first.
const KEPT: usize = 10_000;
/// Frames that may wait for a server that does not read.
pub(crate) const FRAMES: usize = 1_024;

/// What the sandbox knows of linked phones.
#[derive(Debug, Default)]
pub struct LinkedWorld {
    /// Phones by inbox id.
    pub phones: HashMap<String, LinkedPhone>,
    /// Servers that show a code, by the number of their connection.
    pub(crate) waiting: BTreeMap<u64, Waiting>,
    last_socket: u64,
}

/// A phone.
#[derive(Debug, Default)]
pub struct LinkedPhone {
    /// The key of the server that is linked to it.
    pub(crate) device: Option<String>,
    /// What its server calls itself.
    pub session: Option<String>,
    /// The connection of its server.
    pub(crate) line: Option<Line>,
    /// Out of reach: its server's connection is cut, and none is taken.
    pub offline: bool,
    /// Banned until then, in milliseconds since 1970.
    pub banned_until_ms: Option<TimeMs>,
    /// Asks for a proof before it is linked.
    pub wants_proof: bool,
    /// Sends that are refused from now on.
    pub(crate) refuse_sends: u32,
    pub(crate) events: VecDeque<(u64, Value)>,
    last_seq: u64,
    /// Events that were acknowledged.
    pub acknowledged: u64,
}

/// A connection.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) socket: u64,
    pub(crate) out: mpsc::Sender<Frame>,
}

/// What goes out over a connection.
#[derive(Debug)]
pub(crate) enum Frame {
    /// This text.
    Text(String),
    /// The end.
    Cut,
}

/// A server that shows a code.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) session: String,
    /// What it shows to be scanned.
    pub(crate) code: Option<String>,
    /// What it shows to be typed, and on which phone.
    pub(crate) pairing: Option<(String, String)>,
    /// The phone that scanned it and wants a proof.
    pub(crate) proof_of: Option<String>,
    pub(crate) out: mpsc::Sender<Frame>,
}

impl Line {
    pub(crate) fn send(&self, frame: &Value) {
        // A server that does not read loses its connection, and hears everything again on the next.
        if self.out.try_send(Frame::Text(frame.to_string())).is_err() {
            self.cut();
        }
    }

    pub(crate) fn cut(&self) {
        let _full = self.out.try_send(Frame::Cut);
    }
}

impl LinkedWorld {
    /// A number for a new connection.
    pub(crate) fn next_socket(&mut self) -> u64 {
        self.last_socket += 1;
        self.last_socket
    }

    /// The phone that a key is for.
    pub(crate) fn phone_of(&self, device: &str) -> Option<String> {
        let found = self.phones.iter().find(|(_, phone)| phone.device.as_deref() == Some(device));
        found.map(|(inbox_id, _)| inbox_id.clone())
    }

    /// Forgets what happened; what is linked stays so.
    pub(crate) fn start_over(&mut self) {
        for phone in self.phones.values_mut() {
            phone.events.clear();
            phone.refuse_sends = 0;
        }
    }
}

impl LinkedPhone {
    /// True while its server is connected.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.line.is_some()
    }

    /// True when a server is linked to it.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        self.device.is_some()
    }

    /// Events that wait to be acknowledged.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        self.events.len()
    }

    /// Keeps an event for its server, and tells it if it is there.
    pub(crate) fn tell(&mut self, event: Value) {
        if self.device.is_none() {
            return;
        }
        self.last_seq += 1;
        let seq = self.last_seq;
        if self.events.len() >= KEPT {
            self.events.pop_front();
        }
        if let Some(line) = &self.line {
            line.send(&json!({ "t": "event", "seq": seq, "event": event }));
        }
        self.events.push_back((seq, event));
    }

    /// Unlinks its server, which is told why if it is there.
    pub(crate) fn unlink(&mut self, reason: &str) {
        self.device = None;
        self.session = None;
        self.events.clear();
        if let Some(line) = self.line.take() {
            line.send(&json!({ "t": "logged_out", "reason": reason }));
            line.cut();
        }
    }

    /// Cuts the connection of its server.
    pub(crate) fn cut(&mut self) {
        if let Some(line) = self.line.take() {
            line.cut();
        }
    }
}

/// Why a code was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefusal {
    /// No server shows this code.
    #[error("no server shows this code")]
    NoCode,
    /// The phone is off or banned.
    #[error("the phone is offline or banned")]
    NotNow,
}

/// Scans a code: the given one, or the newest that any server of this name shows. The server is linked at once, unless the
/// phone wants a proof first.
///
/// Errors: [`LinkRefusal`]; nothing is changed then.
pub fn scan(
    sandbox: &Sandbox,
    inbox: &Inbox,
    code: Option<&str>,
    session: Option<&str>,
) -> Result<(), LinkRefusal> {
    let is_meant = |waiting: &Waiting| {
        waiting.code.as_deref().is_some_and(|shown| code.is_none_or(|code| code == shown))
            && session.is_none_or(|session| session == waiting.session)
    };
    link(sandbox, inbox, is_meant)
}

/// Types a pairing code.
///
/// Errors: [`LinkRefusal`]; nothing is changed then.
pub fn type_code(sandbox: &Sandbox, inbox: &Inbox, code: &str) -> Result<(), LinkRefusal> {
    let plain = |code: &str| code.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let is_meant = |waiting: &Waiting| {
        waiting.pairing.as_ref().is_some_and(|(phone, shown)| {
            plain(shown).eq_ignore_ascii_case(&plain(code)) && *phone == inbox.account_id
        })
    };
    link(sandbox, inbox, is_meant)
}

fn link(sandbox: &Sandbox, inbox: &Inbox, is_meant: impl Fn(&Waiting) -> bool) -> Result<(), LinkRefusal> {
    let now = sandbox.clock().now();
    let mut world = sandbox.world();
    let phone = world.linked.phones.entry(inbox.id.clone()).or_default();
    if phone.offline || phone.banned_until_ms.is_some_and(|until| until > now) {
        return Err(LinkRefusal::NotNow);
    }
    let wants_proof = phone.wants_proof;
    let found = world.linked.waiting.iter_mut().rev().find(|(_, waiting)| is_meant(waiting));
    let (socket, waiting) = found.ok_or(LinkRefusal::NoCode)?;
    let socket = *socket;
    if wants_proof {
        waiting.proof_of = Some(inbox.id.clone());
        waiting.code = None;
        let challenge = json!({ "type": "passkey", "rpId": "web.whatsapp.com", "number": socket });
        let frame = json!({ "t": "challenge", "challenge": challenge });
        let _full = waiting.out.try_send(Frame::Text(frame.to_string()));
        return Ok(());
    }
    drop(world);
    pair(sandbox, inbox, socket);
    Ok(())
}

/// Links a waiting server to a phone. One that was linked before is logged out.
pub(crate) fn pair(sandbox: &Sandbox, inbox: &Inbox, socket: u64) {
    let mut world = sandbox.world();
    let Some(waiting) = world.linked.waiting.remove(&socket) else { return };
    let device = format!("{}{}", world.ids.word(), world.ids.decimal(24));
    let phone = world.linked.phones.entry(inbox.id.clone()).or_default();
    phone.unlink("Another device was linked in its place.");
    phone.device = Some(device.clone());
    phone.session = Some(waiting.session);
    let frames = [
        json!({ "t": "paired", "device": device, "owner": owner(inbox) }),
        // As the real one: the server has to connect anew, with what it was just given.
        json!({ "t": "restart" }),
    ];
    for frame in frames {
        let _full = waiting.out.try_send(Frame::Text(frame.to_string()));
    }
    let _full = waiting.out.try_send(Frame::Cut);
    drop(world);
    sandbox.changed("linked", None, Some(&inbox.id));
}

/// Whose phone it is.
pub(crate) fn owner(inbox: &Inbox) -> Value {
    json!({ "phone": inbox.account_id, "lid": format!("{}01@lid", inbox.account_id), "name": inbox.name })
}

/// Takes a phone out of reach, or brings it back; its server comes back by itself.
pub fn set_offline(sandbox: &Sandbox, inbox_id: &str, offline: bool) {
    let mut world = sandbox.world();
    let phone = world.linked.phones.entry(inbox_id.to_owned()).or_default();
    phone.offline = offline;
    if offline {
        phone.cut();
    }
    drop(world);
    sandbox.changed("linked", None, Some(inbox_id));
}

/// Bans a number for so long; its server is told.
pub fn ban(sandbox: &Sandbox, inbox_id: &str, for_ms: TimeMs) {
    let until = sandbox.clock().now() + for_ms;
    let mut world = sandbox.world();
    let phone = world.linked.phones.entry(inbox_id.to_owned()).or_default();
    phone.banned_until_ms = (for_ms > 0).then_some(until);
    if for_ms > 0
        && let Some(line) = phone.line.take()
    {
        line.send(&banned(until));
        line.cut();
    }
    drop(world);
    sandbox.changed("linked", None, Some(inbox_id));
}

/// What the server of a banned number is told.
pub(crate) fn banned(until_ms: TimeMs) -> Value {
    json!({ "t": "banned", "until_ms": until_ms, "reason": "Too many people were written to who did not know the number." })
}

/// Logs the linked server out, as its owner does on the phone.
pub fn log_out(sandbox: &Sandbox, inbox_id: &str) {
    if let Some(phone) = sandbox.world().linked.phones.get_mut(inbox_id) {
        phone.unlink("It was logged out on the phone.");
    }
    sandbox.changed("linked", None, Some(inbox_id));
}

/// Cuts the connection of the linked server once; it comes back by itself.
pub fn drop_connection(sandbox: &Sandbox, inbox_id: &str) {
    if let Some(phone) = sandbox.world().linked.phones.get_mut(inbox_id) {
        phone.cut();
    }
}
