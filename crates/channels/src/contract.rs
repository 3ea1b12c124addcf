//! The channel contract: what a network must offer to become a channel of Frontdesk.
//!
//! Two levels. A [`Channel`] is a kind of network: stateless, one value for the whole program. A [`Connection`] is
//! one inbox on it: it holds credentials and calls the provider. Webhooks come in through a [`Door`], which several
//! channels may share (Meta delivers three products to one address). Powers beyond the required core are optional
//! traits a connection hands out ([`Receipts`], [`Profiles`]).
//!
//! The rules every implementation keeps, checked for all of them in `tests/contract.rs`:
//! - [`Door::verify`] sees the raw bytes and decides before anything is parsed;
//! - [`Door::parse`] is pure: the same bytes give the same events; a batch gives all of them; an unknown kind becomes
//!   `Unsupported` content, `Ignored` or `Unreadable`, never silence; strange bytes are an error, never a panic;
//! - [`Connection::send`] makes exactly one request at the provider and says whether its outcome is certain.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_model::InboxId;
use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::content::MediaRef;
use frontdesk_model::inbound::InboundEvent;
use frontdesk_model::inbox::{ConnectionState, InboxConfig, InboxSettings};
use frontdesk_model::outbound::{OutboundMessage, Recipient};
use frontdesk_model::{RemoteId, SharedClock};
use serde::Serialize;

/// A kind of network. One static value per channel, listed in [`crate::registry`].
pub trait Channel: Send + Sync {
    /// Name, fields and links, as data.
    fn info(&self) -> &'static ChannelInfo;

    /// What its inboxes can send.
    fn capabilities(&self) -> &'static Capabilities;

    /// The door its webhooks come through; `None` when it has no webhooks.
    fn door(&self) -> Option<&'static dyn Door>;

    /// The key under which the provider's webhooks name this inbox: a phone number id, a page id.
    /// `None` when a required field is missing.
    fn route_key(&self, settings: &InboxSettings) -> Option<String>;

    /// The key under which webhooks name what this inbox shares with others (a WhatsApp Business Account): an event
    /// with this route is for every inbox that has it.
    fn shared_route_key(&self, _settings: &InboxSettings) -> Option<String> {
        None
    }

    /// Checks the settings without asking the provider. One sentence per wrong field.
    fn check_settings(&self, settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
        let missing: Vec<FieldError> = self
            .info()
            .fields
            .iter()
            .filter(|f| f.required && settings.get(f.key).is_none_or(|v| v.trim().is_empty()))
            .map(|f| FieldError {
                key: f.key.to_owned(),
                message: format!("The {} field is required.", f.key),
            })
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    }

    /// Opens the connection of one inbox. Makes no request.
    fn open(&self, context: &ChannelContext, inbox: &InboxConfig) -> Result<Arc<dyn Connection>, OpenError>;
}

/// What people and programs need to know about a channel.
#[derive(Debug, Serialize)]
pub struct ChannelInfo {
    /// The stable name: `whatsapp_cloud`.
    pub name: &'static str,
    /// The name for people: `WhatsApp Cloud API`.
    pub label: &'static str,
    /// The platform word of the API: `whatsapp`, `facebook`, `instagram`.
    pub platform: &'static str,
    /// What has to be filled in to connect.
    pub fields: &'static [Field],
    /// Its page in the documentation.
    pub docs: &'static str,
}

/// One field of the set-up form.
#[derive(Debug, Serialize)]
pub struct Field {
    /// The settings key.
    pub key: &'static str,
    /// The name for people.
    pub label: &'static str,
    /// Where to find the value.
    pub help: &'static str,
    /// Never shown again once stored.
    pub secret: bool,
    /// The inbox cannot work without it.
    pub required: bool,
    /// What its value looks like, as a regular expression; `None` for any line of text.
    pub pattern: Option<&'static str>,
}

/// A wrong field of the set-up form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The settings key.
    pub key: String,
    /// What is wrong, for people.
    pub message: String,
}

/// Why a connection could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("the settings of this inbox cannot be used: {reason}")]
pub struct OpenError {
    /// What is wrong, for people.
    pub reason: String,
}

/// What a channel needs from the engine.
#[derive(Clone)]
pub struct ChannelContext {
    /// Tells the time.
    pub clock: SharedClock,
    /// Addresses and limits of the providers.
    pub providers: Arc<ProviderSettings>,
    /// Hears of every call of the inbox that is opened. A stack that inboxes share is handed on with
    /// [`frontdesk_provider_http::ProviderHttp::heard_by`].
    pub recorder: Arc<dyn frontdesk_provider_http::CallRecorder>,
}

/// Addresses and secrets of providers that hold for all inboxes, from the settings file.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// `META_GRAPH_URL`: the Graph API.
    pub meta_graph_url: String,
    /// `META_INSTAGRAM_URL`: the Graph API of the Instagram-Login product.
    pub meta_instagram_url: String,
    /// `META_GRAPH_VERSION`: `v26.0`.
    pub meta_graph_version: String,
    /// Hosts that may be fetched from although they are private or loopback, for self-hosted providers and tests.
    pub allow_private_hosts: Vec<String>,
    /// Time-out of one call.
    pub timeout_ms: u64,
    /// How long the calls of an inbox are refused after its provider kept failing.
    pub breaker_open_ms: u64,
}

// ---------------------------------------------------------------------------------------------------------------
// webhooks

/// Where webhooks of one or several channels come in.
pub trait Door: Send + Sync {
    /// The address: `/api/webhooks/messages`.
    fn path(&self) -> &'static str;

    /// What it takes, for the description of the API.
    fn info(&self) -> &'static DoorInfo;

    /// Bodies above this are refused with 413.
    fn max_body_bytes(&self) -> usize;

    /// Answers the provider's set-up question (Meta's GET challenge) with the text to return.
    fn challenge(&self, query: &[(String, String)], keys: &DoorKeys) -> Result<String, Refusal>;

    /// Decides from the raw bytes whether the request is genuine.
    fn verify(&self, request: &WebhookRequest<'_>, keys: &DoorKeys) -> Result<VerifiedBy, Refusal>;

    /// Turns a body into events, each with the inbox it is for. Pure.
    fn parse(&self, body: &[u8]) -> Result<Vec<RoutedEvent>, ParseError>;
}

/// What integrators need to know about a door.
#[derive(Debug)]
pub struct DoorInfo {
    /// The stable name: `meta`.
    pub name: &'static str,
    /// Who delivers, for people.
    pub provider: &'static str,
    /// What is delivered, and how it is known to be genuine.
    pub about: &'static str,
    /// The parameters of the set-up question.
    pub question: &'static [DoorField],
    /// The headers of a delivery.
    pub headers: &'static [DoorField],
    /// A body, as JSON.
    pub example: &'static str,
}

/// A parameter or header a door reads.
#[derive(Debug)]
pub struct DoorField {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it holds.
    pub help: &'static str,
    /// The door refuses a request without it.
    pub required: bool,
    /// What it looks like, as a regular expression.
    pub pattern: Option<&'static str>,
    /// An example.
    pub example: &'static str,
}

/// A webhook request as it arrived.
#[derive(Debug)]
pub struct WebhookRequest<'a> {
    /// Looks a header up by lower-case name; the first value when repeated.
    pub headers: &'a [(String, String)],
    /// The bytes as received.
    pub body: &'a Bytes,
}

impl WebhookRequest<'_> {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// How often a header was sent.
    pub fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(n, _)| n == name).count()
    }
}

/// What a door checks requests against. Never logged.
#[derive(Default)]
pub struct DoorKeys {
    /// Secrets of signatures: those of the settings file, then those of single inboxes.
    pub secrets: Vec<DoorSecret>,
    /// Tokens the provider repeats when the webhook is set up.
    pub verify_tokens: Vec<String>,
    /// A bearer token for relays that cannot sign.
    pub bearer: Option<String>,
}

impl DoorKeys {
    /// True when a request that `verified_by` vouched for may change `inbox`.
    ///
    /// An inbox with a secret of its own hears only what that secret signed; two inboxes on one app may share one.
    /// All others hear what a key of the settings file signed.
    pub fn vouch_for(&self, verified_by: VerifiedBy, inbox: InboxId) -> bool {
        let own = |id: InboxId| self.secrets.iter().filter(move |s| s.inbox == Some(id));
        let has_own = own(inbox).next().is_some();
        match verified_by {
            VerifiedBy::Settings => !has_own,
            VerifiedBy::Inbox(id) if id == inbox => true,
            VerifiedBy::Inbox(id) => own(id).any(|used| {
                let reach = if has_own { Some(inbox) } else { None };
                self.secrets.iter().any(|s| s.inbox == reach && s.secret == used.secret)
            }),
        }
    }
}

/// One secret and how far it reaches.
pub struct DoorSecret {
    /// The secret.
    pub secret: String,
    /// Set when the secret belongs to one inbox: it then vouches for that inbox alone, and nothing else does.
    pub inbox: Option<InboxId>,
}

/// Which key vouched for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifiedBy {
    /// A key of the settings file, and of no inbox: good for every inbox without a key of its own.
    Settings,
    /// The key of one inbox. Ask [`DoorKeys::vouch_for`] which others have the same.
    Inbox(InboxId),
}

/// A request that is not genuine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The signature or token is wrong, or none is configured.
    #[error("Invalid webhook signature")]
    BadSignature,
    /// The verify token is wrong, or none is configured.
    #[error("Invalid verification token")]
    BadVerifyToken,
    /// The set-up question itself is malformed.
    #[error("Invalid verification request")]
    BadChallenge,
}

/// One event and the inbox it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutedEvent {
    /// The channel's name; empty when the body is of a product that is no channel here (then the event is ignored).
    pub channel: &'static str,
    /// What the provider calls the inbox: compared with [`Channel::route_key`], then with
    /// [`Channel::shared_route_key`]. Empty when it names none.
    pub route: String,
    /// What happened.
    pub event: InboundEvent,
}

/// A body that cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not JSON, or without the parts every body of this provider has: answered 422.
    #[error("Invalid webhook format: {0}")]
    Malformed(String),
}

// ---------------------------------------------------------------------------------------------------------------
// connections

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

    /// Read marks and typing, where the network has them.
    fn receipts(&self) -> Option<&dyn Receipts> {
        None
    }

    /// Names and pictures of customers, where the network tells them on request.
    fn profiles(&self) -> Option<&dyn Profiles> {
        None
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
}

/// An address a picture can be fetched from for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaAddress(pub String);

/// The provider accepted a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The provider's id; later statuses name it.
    pub remote_id: RemoteId,
}

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
    /// The provider's code, or ours (`TIMEOUT`, `UNREACHABLE`).
    pub code: String,
    /// The HTTP status, when there was an answer.
    pub http_status: Option<u16>,
    /// A sentence for people.
    pub shown: String,
    /// What helps: `template`, `reconnect`, `retry`.
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
