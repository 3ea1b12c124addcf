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

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_model::InboxId;
use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::contact::Identity;
use frontdesk_model::content::MediaRef;
use frontdesk_model::inbound::InboundEvent;
use frontdesk_model::inbox::{ConnectionState, InboxConfig, InboxSettings};
use frontdesk_model::message::MessageKind;
use frontdesk_model::outbound::{OutboundMessage, Recipient};
use frontdesk_model::{RemoteId, SharedClock, Timestamp};
use frontdesk_provider_http::{ProviderHttp, SetupError};
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

    /// What its door checks webhooks of this inbox against, beside the keys of the settings file.
    fn own_keys(&self, _settings: &InboxSettings) -> OwnKeys {
        OwnKeys::default()
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
    /// Behind each inbox stands a phone, which has to be linked ([`Linking`]).
    pub phone: bool,
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
    /// What inboxes of one provider share: connections, limits, breakers.
    pub stacks: Arc<HttpStacks>,
}

/// The HTTP stacks of this process by name: opened by the first inbox that needs one, shared by the others.
#[derive(Default)]
pub struct HttpStacks(Mutex<HashMap<&'static str, ProviderHttp>>);

impl HttpStacks {
    /// The stack of this name, made if there is none yet.
    ///
    /// Errors: what `make` says.
    pub fn get_or_make(
        &self,
        name: &'static str,
        make: impl FnOnce() -> Result<ProviderHttp, SetupError>,
    ) -> Result<ProviderHttp, SetupError> {
        let mut stacks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stack) = stacks.get(name) {
            return Ok(stack.clone());
        }
        let stack = make()?;
        stacks.insert(name, stack.clone());
        Ok(stack)
    }
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
    /// Green API.
    pub green_api: GreenApiSettings,
    /// Time-out of one call.
    pub timeout_ms: u64,
    /// How long the calls of an inbox are refused after its provider kept failing.
    pub breaker_open_ms: u64,
}

/// What holds for all instances of Green API that say nothing else.
#[derive(Debug, Clone)]
pub struct GreenApiSettings {
    /// `GREEN_API_BASE_URL`: where instances are reached whose own address is not known.
    pub base_url: String,
    /// `GREEN_API_TIMEOUT`: time-out of one call.
    pub timeout_ms: u64,
    /// `GREEN_API_MAX_RETRIES`: how often a call that only asks is repeated. Sends are tried again by the outbox.
    pub max_retries: usize,
    /// `GREEN_API_RATE_LIMIT_PER_SECOND`: messages of one instance in any second; 0 for no limit.
    pub per_second: u32,
    /// `GREEN_API_RATE_LIMIT_PER_MINUTE`: messages of one instance in any minute; 0 for no limit.
    pub per_minute: u32,
}

impl Default for GreenApiSettings {
    fn default() -> Self {
        Self {
            base_url: "https://api.green-api.com".to_owned(),
            timeout_ms: 30_000,
            max_retries: 3,
            per_second: 2,
            per_minute: 60,
        }
    }
}

impl ProviderSettings {
    /// The longest a single call of any channel may take.
    pub fn longest_timeout_ms(&self) -> u64 {
        self.timeout_ms.max(self.green_api.timeout_ms)
    }
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

    /// What the settings file says for this door, before the keys of single inboxes are added.
    fn server_keys(&self, settings: &DoorSettings) -> DoorKeys;

    /// True where a provider delivers what is not answered with 200 again and again, and everything else only behind
    /// it: a genuine body that cannot be read is then kept and answered with 200 all the same.
    fn takes_unreadable(&self) -> bool {
        false
    }

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
    /// Only a signature will do.
    pub signature_required: bool,
    /// A key of the settings file, where the door takes it, is good for inboxes with a secret of their own too.
    pub server_vouches_for_all: bool,
}

impl DoorKeys {
    /// True when a request that `verified_by` vouched for may change `inbox`.
    ///
    /// An inbox with a secret of its own hears only what that secret signed; two inboxes on one app may share one.
    /// All others hear what a key of the settings file signed; where [`DoorKeys::server_vouches_for_all`], these do too.
    pub fn vouch_for(&self, verified_by: VerifiedBy, inbox: InboxId) -> bool {
        let own = |id: InboxId| self.secrets.iter().filter(move |s| s.inbox == Some(id));
        let has_own = own(inbox).next().is_some();
        match verified_by {
            VerifiedBy::Settings => !has_own || self.server_vouches_for_all,
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
    /// How webhooks name that inbox ([`Channel::route_key`]); empty for a secret of the settings file.
    pub route: String,
}

impl DoorSecret {
    /// A secret of the settings file.
    pub fn of_server(secret: impl Into<String>) -> Self {
        Self { secret: secret.into(), inbox: None, route: String::new() }
    }

    /// A secret of one inbox.
    pub fn of_inbox(secret: impl Into<String>, inbox: InboxId, route: impl Into<String>) -> Self {
        Self { secret: secret.into(), inbox: Some(inbox), route: route.into() }
    }
}

/// What the door checks the webhooks of one inbox against.
#[derive(Default)]
pub struct OwnKeys {
    /// Signs them, or comes with them: then nothing else is believed.
    pub secret: Option<String>,
    /// Repeated by the provider when the webhook is set up.
    pub verify_token: Option<String>,
}

/// Keys of the webhook doors from the settings file. Secrets: never logged.
#[derive(Clone, Default)]
pub struct DoorSettings {
    /// `META_APP_SECRET`: signatures may be made with any of these.
    pub meta_app_secrets: Vec<String>,
    /// `META_VERIFY_TOKEN`.
    pub meta_verify_tokens: Vec<String>,
    /// `WHATSAPP_WEBHOOK_TOKEN`: bearer for relays that cannot sign; off when absent.
    pub whatsapp_webhook_token: Option<String>,
    /// `GREEN_API_WEBHOOK_SECRET`: token of instances without one, and key of signatures.
    pub green_api_webhook_secret: Option<String>,
    /// Webhooks of Green API count only when signed.
    pub green_api_signature_required: bool,
}

impl std::fmt::Debug for DoorSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DoorSettings { .. }")
    }
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
    /// The token that comes with a webhook lacks, or is not this inbox's.
    #[error("Invalid webhook token")]
    BadToken,
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

    /// How fast it may send, where that is less than the settings of the outbox allow.
    fn pace(&self) -> Option<SendPace> {
        None
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

/// Looking up what was sent.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The provider's ids of messages that this one, whose answer was lost, may have become; the oldest first. Empty:
    /// none is (yet) known there.
    async fn find_sent(&self, message: &SentOnce) -> Result<Vec<RemoteId>, SendError>;
}

/// A message that may have been sent.
#[derive(Debug, Clone)]
pub struct SentOnce {
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
