//! Connections: one inbox at its provider, what it sends and fetches, and powers that not every network has.

use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_model::contact::Identity;
use frontdesk_model::content::MediaRef;
use frontdesk_model::inbox::{ConnectionState, InboxSettings};
use frontdesk_model::message::MessageKind;
use frontdesk_model::outbound::{OutboundMessage, Recipient};
use frontdesk_model::template::ApprovedTemplate;
use frontdesk_model::{RemoteId, Timestamp};

use super::Field;

/// One connected account: it sends, fetches media and tells whether it works.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Asks the provider whether the credentials work.
    async fn check(&self) -> ConnectionState;

    /// Sends one message: exactly one request.
    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError>;

    /// Downloads a file of a message to `path`, at most `max_bytes`.
    async fn fetch_media(
        &self,
        media: &MediaRef,
        path: &Path,
        max_bytes: u64,
    ) -> Result<FetchedMedia, MediaError>;

    /// How fast it may send, where that is less than the settings of the outbox allow.
    fn pace(&self) -> Option<SendPace> {
        None
    }

    /// How a message is tried again that certainly did not go out.
    fn retry_plan(&self) -> RetryPlan {
        RetryPlan::Patient
    }

    /// Read marks and typing, where the network has them.
    fn receipts(&self) -> Option<&dyn Receipts> {
        None
    }

    /// Names and pictures of customers, where the network tells them on request.
    fn profiles(&self) -> Option<&dyn Profiles> {
        None
    }

    /// Signing in with a phone, where the network is reached through one.
    fn linking(&self) -> Option<&dyn Linking> {
        None
    }

    /// Telling the provider where to deliver, where it can be told.
    fn delivery(&self) -> Option<&dyn Delivery> {
        None
    }

    /// Fetching what came in, where the inbox is set to that in place of webhooks.
    fn polling(&self) -> Option<&dyn Polling> {
        None
    }

    /// Looking up numbers, where the network tells who is on it.
    fn directory(&self) -> Option<&dyn Directory> {
        None
    }

    /// Approved templates, where the network has them.
    fn templates(&self) -> Option<&dyn Templates> {
        None
    }

    /// Looking up what was sent, where the provider keeps a journal of it.
    fn journal(&self) -> Option<&dyn Journal> {
        None
    }
}

/// How many messages may go out in any second and in any minute; 0 for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendPace {
    /// In any second.
    pub per_second: u32,
    /// In any minute.
    pub per_minute: u32,
}

/// How often and when a message is tried again that certainly did not go out. Waits that the provider asks for, for a person
/// or for an outage to end come on top and are not counted.
#[derive(Debug, Clone, PartialEq)]
pub enum RetryPlan {
    /// By the ladder of the server's settings: a second, doubling to a minute, then every five minutes up to a day.
    Patient,
    /// So often and no more. Then it failed, and people are told.
    Limited(LimitedRetry),
}

impl RetryPlan {
    /// The field by which an inbox chooses, of channels that try [briefly](LimitedRetry::brief) unless told otherwise.
    pub const FIELD: Field = Field {
        key: "retry",
        label: "When a message does not go out",
        help: "brief: it is tried again after 10, 30 and 60 seconds; then it has failed. patient: for a day. Left empty: brief.",
        secret: false,
        required: false,
        pattern: Some("^(patient|brief)$"),
    };

    /// Whether that field can have this value.
    pub fn is_word(value: &str) -> bool {
        matches!(value, "patient" | "brief")
    }

    /// What an inbox chose by that field.
    pub fn chosen(settings: &InboxSettings) -> Self {
        match settings.get(Self::FIELD.key).map(|word| word.trim()) {
            Some("patient") => Self::Patient,
            _ => Self::Limited(LimitedRetry::brief()),
        }
    }
}

/// The waits of a message that is tried again so often and no more.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitedRetry {
    /// The wait before each try, in milliseconds.
    pub waits_ms: Vec<u64>,
    /// How far each may vary, as a share: 0.5 is half as long to one and a half times.
    pub jitter: f64,
}

impl LimitedRetry {
    /// After 10, 30 and 60 seconds: the preset of channels whose phones are linked by a code.
    pub fn brief() -> Self {
        Self { waits_ms: vec![10_000, 30_000, 60_000], jitter: 0.0 }
    }

    /// Waits that double, from `first_ms` up to `longest_ms`.
    pub fn doubling(first_ms: u64, longest_ms: u64, retries: usize, jitter: f64) -> Self {
        let doubled = std::iter::successors(Some(first_ms), |wait_ms| Some(wait_ms.saturating_mul(2)));
        let waits_ms = doubled.map(|wait_ms| wait_ms.min(longest_ms)).take(retries).collect();
        Self { waits_ms, jitter }
    }
}

/// Telling the customer that we read or type.
#[async_trait]
pub trait Receipts: Send + Sync {
    /// Marks everything up to `last_inbound` as read.
    async fn mark_read(&self, to: &Recipient, last_inbound: &RemoteId) -> Result<(), SendError>;

    /// Shows that we are typing.
    async fn typing(&self, to: &Recipient, last_inbound: &RemoteId) -> Result<(), SendError>;
}

/// Looking up who a customer is.
#[async_trait]
pub trait Profiles: Send + Sync {
    /// The customer's profile; `None` when the network will not tell (never an error worth retrying at once).
    async fn profile(&self, of: &Recipient) -> Result<Option<Profile>, SendError>;
}

/// What a network tells about a customer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The name shown.
    pub name: Option<String>,
    /// A picture, by an address that expires.
    pub picture: Option<MediaAddress>,
    /// More names of theirs: the number behind a hidden id.
    pub identities: Vec<Identity>,
}

/// An address a picture can be fetched from for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaAddress(pub String);

/// Signing in with a phone. The state of such an inbox is asked for now and then ([`Connection::check`]), and nothing is
/// sent while it says that nobody is signed in.
#[async_trait]
pub trait Linking: Send + Sync {
    /// What has to be done now.
    async fn step(&self) -> Result<LinkStep, SendError>;

    /// Signs the phone out.
    async fn sign_out(&self) -> Result<(), SendError>;

    /// Starts the provider's side anew.
    async fn restart(&self) -> Result<(), SendError>;
}

/// What has to be done to sign in with a phone. A code is as good as a password: never logged.
#[derive(Clone, PartialEq, Eq)]
pub enum LinkStep {
    /// Scan this picture, PNG.
    Scan(Vec<u8>),
    /// Nothing: the phone is linked.
    Linked,
    /// Wait; why, for people.
    Wait(String),
}

/// Telling the provider where to deliver.
#[async_trait]
pub trait Delivery: Send + Sync {
    /// Makes the provider deliver to `target` (or hand out, for inboxes that are polled) everything this channel
    /// reads, and looks whether it took that. Changes nothing where all is so already. `Err`: what is not so.
    async fn arrange(&self, target: &DeliveryTarget) -> Result<(), ConnectionState>;

    /// Looks whether it does, and changes nothing. `Err`: what is not so.
    async fn inspect(&self, target: &DeliveryTarget) -> Result<(), ConnectionState>;
}

/// Where webhooks are to go.
#[derive(Clone)]
pub struct DeliveryTarget {
    /// The public address of the door.
    pub url: String,
    /// What has to come with each webhook. Never logged.
    pub token: Option<String>,
}

/// Fetching what came in, one body after the other.
#[async_trait]
pub trait Polling: Send + Sync {
    /// The next body; waits for one, at most half a minute. The same one comes again until it is [`Polling::done`].
    async fn next(&self) -> Result<Option<Polled>, SendError>;

    /// A body is stored: the provider may forget it.
    async fn done(&self, receipt: &str) -> Result<(), SendError>;
}

/// A body as a webhook would have brought it.
pub struct Polled {
    /// What the provider calls it.
    pub receipt: String,
    /// The body.
    pub body: Bytes,
}

/// Looking up numbers.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Whether a number can be written to on this network. Providers count such questions.
    async fn is_reachable(&self, phone: &str) -> Result<bool, SendError>;
}

/// Templates that may be sent outside the reply window.
#[async_trait]
pub trait Templates: Send + Sync {
    /// Those that can be sent at present, at most a thousand.
    async fn approved(&self) -> Result<Vec<ApprovedTemplate>, SendError>;
}

/// Looking up what was sent.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The provider's ids of messages that this one, whose answer was lost, may have become; the oldest first. Empty:
    /// none is (yet) known there.
    async fn find_sent(&self, message: &SentOnce) -> Result<Vec<RemoteId>, SendError>;

    /// True when the provider keeps our references and takes a message with one it knows no second time: then what it does not
    /// list is sent again, and goes out once however often that is.
    async fn takes_once(&self) -> bool {
        false
    }
}

/// A message that may have been sent.
#[derive(Debug, Clone)]
pub struct SentOnce {
    /// Our reference.
    pub client_ref: String,
    /// To whom.
    pub to: Recipient,
    /// What it was.
    pub kind: MessageKind,
    /// Its words, or the caption.
    pub text: Option<String>,
    /// When it was tried.
    pub at: Timestamp,
    /// The present moment.
    pub now: Timestamp,
}

/// The provider accepted a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The provider's id; later statuses name it.
    pub remote_id: RemoteId,
}

/// Code of a send during which this process stood still: how it ended says nothing about the provider.
pub const STOOD_STILL: &str = "STOOD_STILL";

/// A message the provider did not accept, or of which we do not know.
#[derive(Debug, thiserror::Error)]
#[error("{shown}")]
pub struct SendError {
    /// False when the request may have been carried out although no answer came: never sent again blindly.
    pub certain: bool,
    /// Whether and when to try again.
    pub retry: Retry,
    /// How much is affected.
    pub scope: Scope,
    /// The credentials no longer work: hold the inbox until someone signs in again.
    pub reconnect: bool,
    /// What the provider allows the inbox is used up: raises an alert.
    pub used_up: bool,
    /// The provider's code, or ours (`TIMEOUT`, `UNREACHABLE`, [`STOOD_STILL`]).
    pub code: String,
    /// The HTTP status, when there was an answer.
    pub http_status: Option<u16>,
    /// A sentence for people.
    pub shown: String,
    /// What helps: `template`, `reconnect`, `scan` (a code, with the phone), `retry`.
    pub action: Option<&'static str>,
    /// What happened underneath, for the log.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Whether and when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It will never work as it is.
    Never,
    /// Not before this many milliseconds.
    AfterMs(u64),
    /// By the retry ladder of the settings.
    OnSchedule,
}

/// How much a failure affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This message only.
    Message,
    /// Everything to this customer.
    Conversation,
    /// The whole inbox.
    Inbox,
}

/// A file that was fetched to disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedMedia {
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
    /// The type the provider claims.
    pub mime_type: Option<String>,
}

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// Larger than allowed.
    #[error("the file is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// It is gone, refused or at an address we do not fetch from; trying again will not help.
    #[error("the file cannot be had: {0}")]
    Gone(String),
    /// The provider did not answer properly; try again later.
    #[error("the file could not be fetched: {0}")]
    Unavailable(String),
}
