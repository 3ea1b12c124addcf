//! Sessions: networks that are reached through a phone which is linked to this server itself.
//!
//! A [`SessionDriver`] holds one session open and speaks the network's own protocol. The engine keeps it: starts it, hears
//! its events through one bounded channel, writes down what they say, brings it back when it drops, and sees to it that no
//! two nodes ever hold the same session. What came in is acknowledged to the network with the [`Ack`] that comes with it:
//! after the commit, never before, so that nothing is lost when a process dies in between. Repeats change nothing.
//!
//! What a driver has to remember (keys of the encryption, devices, mappings) it keeps in a [`SessionKeys`]: names in the
//! open, values sealed.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::content::MediaRef;
use frontdesk_model::inbound::InboundEvent;
use frontdesk_model::inbox::{InboxConfig, InboxSettings};
use frontdesk_model::linked::{LinkedPhone, SessionState};
use frontdesk_model::outbound::{OutboundMessage, Recipient};
use frontdesk_model::{InboxId, RemoteId, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::{ChannelContext, FetchedMedia, MediaError, OpenError, SendError, Sent, SentOnce};

/// How many events of a session wait for the engine; a driver that has more waits.
pub const EVENTS_WAITING: usize = 64;

/// The power of a channel to hold sessions.
pub trait Sessions: Send + Sync {
    /// What people call the session of an inbox; unique within its account. `None` when it is not filled in.
    fn session_id<'s>(&self, settings: &'s InboxSettings) -> Option<&'s str>;

    /// The settings of a new inbox for a session of this name.
    fn settings_for(&self, session_id: &str, driver: Option<&str>) -> InboxSettings;

    /// The driver that an inbox asks for, of those in this build.
    ///
    /// Errors: this build has none of that name.
    fn driver(
        &self,
        context: &ChannelContext,
        settings: &InboxSettings,
    ) -> Result<&'static DriverInfo, OpenError>;

    /// Makes the driver of a session. Connects nothing.
    fn open(
        &self,
        context: &ChannelContext,
        opening: SessionOpening,
    ) -> Result<Arc<dyn SessionDriver>, OpenError>;
}

/// What needs to be known of a driver before one is made.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct DriverInfo {
    /// Its stable name: `simulated`.
    pub name: &'static str,
    /// The name for people.
    pub label: &'static str,
    /// It reaches people: a number may be banned for what it sends.
    pub is_real: bool,
}

/// What a driver is made of.
pub struct SessionOpening {
    /// The inbox.
    pub inbox: InboxConfig,
    /// Where it keeps what it has to remember.
    pub keys: Arc<dyn SessionKeys>,
    /// Where it tells what happens.
    pub events: mpsc::Sender<SessionNews>,
}

/// One session. All of its calls may be made at the same time.
#[async_trait]
pub trait SessionDriver: Send + Sync {
    /// What it can send.
    fn capabilities(&self) -> &'static Capabilities;

    /// Begins to connect, with the phone that is linked or by asking for one. Comes back at once; what follows is told as
    /// events. A driver that told [`SessionEvent::Dropped`] (or worse) may be started again.
    async fn start(&self) -> Result<(), SendError>;

    /// Closes the connection and keeps the phone linked. Tells nothing any more.
    async fn stop(&self);

    /// Unlinks the phone and forgets everything.
    async fn logout(&self) -> Result<(), SendError>;

    /// Asks for a code to be typed on the phone of this number (digits), in place of scanning.
    /// [`SessionEvent::PairingCode`] follows.
    async fn request_pairing_code(&self, phone: &str) -> Result<(), SendError>;

    /// Answers [`SessionEvent::Challenge`].
    async fn answer_challenge(&self, answer: &serde_json::Value) -> Result<(), SendError>;

    /// Sends one message, reactions among them: exactly once. `Ok` when the network took it.
    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError>;

    /// What the phone sent of a message whose answer was lost: its id, or nothing when it never came. `None` where the phone cannot
    /// be asked that.
    async fn find_sent(&self, _message: &SentOnce) -> Result<Option<Vec<RemoteId>>, SendError> {
        Ok(None)
    }

    /// Changes the words of a message of ours.
    async fn edit(&self, to: &Recipient, target: &RemoteId, text: &str) -> Result<(), SendError>;

    /// Takes a message of ours back.
    async fn revoke(&self, to: &Recipient, target: &RemoteId) -> Result<(), SendError>;

    /// Marks messages of theirs as read.
    async fn mark_read(&self, to: &Recipient, messages: &[RemoteId]) -> Result<(), SendError>;

    /// Shows that we type, or no longer do.
    async fn chatstate(&self, to: &Recipient, state: ChatState) -> Result<(), SendError>;

    /// Which of these numbers (digits) are on the network.
    async fn check_numbers(&self, phones: &[String]) -> Result<Vec<NumberCheck>, SendError>;

    /// An address of somebody's picture, good for a while; `None` when there is none or it is hidden.
    async fn profile_picture(&self, of: &Recipient) -> Result<Option<String>, SendError>;

    /// What the network tells about somebody; `None` for a number that is not on it.
    async fn contact(&self, of: &Recipient) -> Result<Option<SessionContact>, SendError>;

    /// Downloads a file of a message to `path`, at most `max_bytes`.
    async fn fetch_media(
        &self,
        media: &MediaRef,
        path: &Path,
        max_bytes: u64,
    ) -> Result<FetchedMedia, MediaError>;
}

/// Whether we type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatState {
    /// Typing.
    Composing,
    /// Recording a voice note.
    Recording,
    /// Neither any more.
    Paused,
}

/// Whether a number is on the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberCheck {
    /// As it was asked for.
    pub phone: String,
    /// It is.
    pub registered: bool,
    /// The network's own id of it, where it tells one.
    pub lid: Option<String>,
}

/// What the network tells about somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SessionContact {
    /// The name they gave themselves.
    pub name: Option<String>,
    /// What they say of themselves.
    pub about: Option<String>,
    /// Their number in E.164, where it is known.
    pub phone: Option<String>,
    /// The network's own id, `…@lid`.
    pub lid: Option<String>,
    /// They are a business.
    pub is_business: bool,
}

/// An event of a session, with what to do once it is written down.
pub struct SessionNews {
    /// What happened.
    pub event: SessionEvent,
    /// To be told after the commit; `None` where the network waits for nothing.
    pub ack: Option<Ack>,
}

impl SessionNews {
    /// An event that the network wants no word about.
    pub fn plain(event: SessionEvent) -> Self {
        Self { event, ack: None }
    }
}

/// What the network waits for. Dropped without a word it means: not stored, deliver it again.
pub struct Ack(oneshot::Sender<()>);

impl Ack {
    /// An ack, and the end on which a driver waits for it. That ends with an error when the event was not stored.
    pub fn pair() -> (Self, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }

    /// It is on disk.
    pub fn stored(self) {
        let _nobody_waits = self.0.send(());
    }
}

/// What happens in a session. A code is as good as a password: this has no `Debug`.
pub enum SessionEvent {
    /// Scan this. Each code ends after a while and is followed by another.
    Qr {
        /// What the picture says.
        code: String,
        /// How long it holds, in milliseconds.
        expires_in_ms: i64,
        /// Which one it is, from 1.
        attempt: i64,
    },
    /// Nobody scanned any of the codes. The driver has stopped.
    QrExhausted,
    /// Type this on the phone.
    PairingCode {
        /// The code.
        code: String,
        /// How long it holds, in milliseconds.
        expires_in_ms: i64,
    },
    /// The network asks for a proof; what it says of it, to be handed to the phone or browser that can give it.
    Challenge(serde_json::Value),
    /// A phone was linked. The driver goes on by itself.
    Paired(LinkedPhone),
    /// It is connected and takes over what the phone has.
    Syncing,
    /// It works.
    Connected(LinkedPhone),
    /// The connection is gone. The driver has stopped; it may be started again.
    Dropped {
        /// Why, for people.
        reason: String,
    },
    /// The phone unlinked us. The driver has stopped and has forgotten the phone.
    LoggedOut {
        /// Why, for people.
        reason: String,
    },
    /// The network wants to hear nothing until then. The driver has stopped.
    Banned {
        /// Until when.
        until: Timestamp,
        /// Why, for people.
        reason: String,
    },
    /// It will not work however often it is tried. The driver has stopped.
    Failed {
        /// Why, for people.
        reason: String,
    },
    /// Messages, statuses and the like, in order.
    Inbound(Vec<InboundEvent>),
    /// The number behind an id of the network became known: one person, whatever was written under either.
    Mapping {
        /// The id, `…@lid`.
        lid: String,
        /// The number in E.164.
        phone: String,
    },
}

/// Where a driver keeps what it has to remember: values by namespace and key, of one session.
#[async_trait]
pub trait SessionKeys: Send + Sync {
    /// One value.
    async fn get(&self, space: &str, key: &str) -> Result<Option<Vec<u8>>, KeysError>;

    /// Values after a key (`""`: from the first), by key.
    async fn list(&self, space: &str, after: &str, limit: u32) -> Result<Vec<(String, Vec<u8>)>, KeysError>;

    /// Makes all changes or none. They are on disk when this comes back.
    async fn write(&self, changes: Vec<KeyChange>) -> Result<(), KeysError>;
}

/// One change of [`SessionKeys`].
pub enum KeyChange {
    /// Stores a value.
    Put {
        /// The namespace.
        space: &'static str,
        /// The key. Not sealed: a name, no secret.
        key: String,
        /// The value. Sealed.
        value: Vec<u8>,
        /// Numbers to delete by, not sealed.
        numbers: (Option<i64>, Option<i64>),
    },
    /// Forgets a value.
    Delete {
        /// The namespace.
        space: &'static str,
        /// The key.
        key: String,
    },
    /// Forgets the values whose first number is below this.
    DeleteBelow {
        /// The namespace.
        space: &'static str,
        /// The number.
        below: i64,
    },
    /// Forgets a namespace.
    ClearSpace(&'static str),
    /// Forgets everything.
    Clear,
}

/// What a driver keeps could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("what the session keeps could not be read or written: {0}")]
pub struct KeysError(pub String);

/// The sessions of this server, whichever node holds them.
#[async_trait]
pub trait SessionDesk: Send + Sync {
    /// The driver of a session that is connected on this node.
    fn driver(&self, inbox: InboxId) -> Option<Arc<dyn SessionDriver>>;

    /// How far a session is, and the code that waits.
    async fn sight(&self, inbox: &InboxConfig) -> Result<SessionSight, SendError>;

    /// Asks a session something, on whatever node it is.
    async fn ask(&self, inbox: &InboxConfig, question: SessionQuestion) -> Result<SessionAnswer, SendError>;
}

/// How far a session is.
pub struct SessionSight {
    /// The state.
    pub state: SessionState,
    /// What is told beside it, for people.
    pub reason: Option<String>,
    /// The code that waits, where the state says so.
    pub code: Option<String>,
}

/// Something to ask of a session. Codes and numbers stand in it: this has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionQuestion {
    /// Ask for new codes, or bring it back at once.
    Start,
    /// Close it and open it again.
    Restart,
    /// Unlink the phone.
    Logout,
    /// A code to type on the phone of this number, digits.
    PairingCode(String),
    /// The answer to a challenge.
    Challenge(serde_json::Value),
    /// Which numbers, digits, are on the network.
    Check(Vec<String>),
    /// An address of somebody's picture.
    Picture(Recipient),
    /// Who somebody is.
    Contact(Recipient),
    /// Mark messages of theirs as read.
    MarkRead(Recipient, Vec<RemoteId>),
    /// Show that we type.
    ChatState(Recipient, ChatState),
    /// Change the words of a message of ours.
    Edit(Recipient, RemoteId, String),
    /// Take a message of ours back.
    Revoke(Recipient, RemoteId),
}

/// What a session answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionAnswer {
    /// It was done.
    Done,
    /// To [`SessionQuestion::Check`].
    Numbers(Vec<NumberCheck>),
    /// To [`SessionQuestion::Picture`].
    Picture(Option<String>),
    /// To [`SessionQuestion::Contact`].
    Contact(Option<SessionContact>),
}

/// For programs without sessions.
#[derive(Debug)]
pub struct NoSessions;

#[async_trait]
impl SessionDesk for NoSessions {
    fn driver(&self, _inbox: InboxId) -> Option<Arc<dyn SessionDriver>> {
        None
    }

    async fn sight(&self, _inbox: &InboxConfig) -> Result<SessionSight, SendError> {
        Ok(SessionSight { state: SessionState::Created, reason: None, code: None })
    }

    async fn ask(
        &self,
        _inbox: &InboxConfig,
        _question: SessionQuestion,
    ) -> Result<SessionAnswer, SendError> {
        Err(SendError::not_connected())
    }
}

impl SendError {
    /// The session does not work at present; nothing was sent.
    pub fn not_connected() -> Self {
        Self {
            certain: true,
            retry: super::Retry::OnSchedule,
            scope: super::Scope::Inbox,
            reconnect: false,
            used_up: false,
            code: "NOT_CONNECTED".to_owned(),
            http_status: None,
            shown: "The session is not connected.".to_owned(),
            action: Some("scan"),
            source: None,
        }
    }
}

/// A kind of driver: a program that speaks to the network of a session. One static value each.
pub trait DriverKind: Send + Sync {
    /// What it is.
    fn info(&self) -> &'static DriverInfo;

    /// Makes the driver of one session. Connects nothing.
    fn open(
        &self,
        context: &ChannelContext,
        opening: SessionOpening,
    ) -> Result<Arc<dyn SessionDriver>, OpenError>;
}

impl std::fmt::Debug for dyn DriverKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.info().name)
    }
}
