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

mod connection;
mod door;
mod session;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use frontdesk_model::SharedClock;
use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::contact::Identity;
use frontdesk_model::inbox::{InboxConfig, InboxSettings};
use frontdesk_provider_http::{CallLog, ProviderHttp, SetupError};
use serde::Serialize;

pub use self::connection::*;
pub use self::door::*;
pub use self::session::*;

/// A kind of network. One static value per channel, listed in [`crate::registry`].
pub trait Channel: Send + Sync {
    /// Name, fields and links, as data.
    fn info(&self) -> &'static ChannelInfo;

    /// What its inboxes can send.
    fn capabilities(&self) -> &'static Capabilities;

    /// How its texts are marked up.
    fn markup(&self) -> Markup {
        Markup::Plain
    }

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

    /// What people and programs call an inbox, where that is not its route key: the name of a session.
    fn called<'s>(&self, _settings: &'s InboxSettings) -> Option<&'s str> {
        None
    }

    /// What its door checks webhooks of this inbox against, beside the keys of the settings file.
    fn own_keys(&self, _settings: &InboxSettings) -> OwnKeys {
        OwnKeys::default()
    }

    /// How to write first to somebody of whom a phone number is known, digits with the country code and nothing else;
    /// `None` where customers have to write first.
    fn stranger(&self, _digits: &str) -> Option<Stranger> {
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

    /// Behind each inbox stands a session of our own, which a driver keeps open; `None` for everything else.
    fn sessions(&self) -> Option<&dyn Sessions> {
        None
    }

    /// Opens the connection of one inbox. Makes no request.
    fn open(&self, context: &ChannelContext, inbox: &InboxConfig) -> Result<Arc<dyn Connection>, OpenError>;
}

/// How a network's texts are marked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// Not at all.
    Plain,
    /// `*bold*`, `_italic_`, `~struck out~` and code between backticks.
    Stars,
}

/// Somebody who has not written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// What the provider calls the thread.
    pub thread: String,
    /// Their names on the network.
    pub identities: Vec<Identity>,
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
    /// Its inboxes mirror those of a program that an account keeps in step with: a sync makes them, no form does, and nothing
    /// is shown there a second time.
    pub mirrored: bool,
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
    /// The sessions of this server, for channels that have some.
    pub sessions: Arc<dyn SessionDesk>,
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
    /// Phones that are linked to this server itself.
    pub linked: LinkedSettings,
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
    /// `GREEN_API_MAX_RETRIES`: how often a call that only asks is repeated, and a message by the plan of that name.
    pub max_retries: usize,
    /// Messages of instances that say nothing else are tried again as often, and no more.
    pub brief_retries: bool,
    /// `GREEN_API_RATE_LIMIT_PER_SECOND`: messages of one instance in any second; 0 for no limit.
    pub per_second: u32,
    /// `GREEN_API_RATE_LIMIT_PER_MINUTE`: messages of one instance in any minute; 0 for no limit.
    pub per_minute: u32,
    /// `GREEN_API_ENABLE_DETAILED_LOGGING`, `GREEN_API_LOG_REQUEST_BODY`, `GREEN_API_LOG_RESPONSE_BODY`: what is logged
    /// of each call.
    pub log: CallLog,
}

impl Default for GreenApiSettings {
    fn default() -> Self {
        Self {
            base_url: "https://api.green-api.com".to_owned(),
            timeout_ms: 30_000,
            max_retries: 3,
            brief_retries: false,
            per_second: 2,
            per_minute: 60,
            log: CallLog::default(),
        }
    }
}

/// What holds for all linked phones.
#[derive(Debug, Clone, Default)]
pub struct LinkedSettings {
    /// `WHATSAPP_SIMULATOR_URL`: the phones of a sandbox, as `http://127.0.0.1:9090`; empty: there are none.
    pub simulator_url: String,
    /// The driver of inboxes that name none; empty: the first of this build.
    pub driver: String,
    /// Drivers of this build that are no part of this crate.
    pub drivers: Vec<&'static dyn DriverKind>,
}

impl ProviderSettings {
    /// The longest a single call of any channel may take.
    pub fn longest_timeout_ms(&self) -> u64 {
        self.timeout_ms.max(self.green_api.timeout_ms)
    }
}
