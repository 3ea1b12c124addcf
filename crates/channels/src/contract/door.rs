//! Doors: where webhooks come in, how they are known to be genuine, and what they say.

#[expect(unused_imports, reason = "named in the documentation")]
use super::Channel;
use bytes::Bytes;
use frontdesk_model::inbound::InboundEvent;
use frontdesk_model::{InboxId, Timestamp};

/// Where webhooks of one or several channels come in.
pub trait Door: Send + Sync {
    /// The address: `/api/webhooks/messages`.
    fn path(&self) -> &'static str;

    /// More addresses of the same door, which its provider's own documents name.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    /// What it takes, for the description of the API.
    fn info(&self) -> &'static DoorInfo;

    /// Bodies above this are refused with 413.
    fn max_body_bytes(&self, settings: &DoorSettings) -> usize;

    /// What the settings file says for this door, before the keys of single inboxes are added.
    fn server_keys(&self, settings: &DoorSettings) -> DoorKeys;

    /// True where a provider delivers what is not answered with 200 again and again, and everything else only behind
    /// it: a genuine body that cannot be read is then kept and answered with 200 all the same.
    fn takes_unreadable(&self) -> bool {
        false
    }

    /// What the provider calls this delivery, the same at every attempt: two with the same body and different names are two.
    fn delivery_id<'r>(&self, request: &'r WebhookRequest<'_>) -> Option<&'r str> {
        let _ = request;
        None
    }

    /// The provider's own word for what a genuine body is, where it has one and it is known: bodies are counted by it.
    fn kind_of(&self, body: &[u8]) -> Option<&'static str> {
        let _ = body;
        None
    }

    /// Whom a body claims to be for, as channel and route, where it says so in plain sight. Nothing vouches for it: good for
    /// telling people where to look, and for nothing else.
    fn claimed(&self, body: &[u8]) -> Option<(&'static str, String)> {
        let _ = body;
        None
    }

    /// Answers the provider's set-up question (Meta's GET challenge) with the text to return.
    /// Only a door that [`Door::asks`] is asked.
    fn challenge(&self, query: &[(String, String)], keys: &DoorKeys) -> Result<String, Refusal> {
        let _ = (query, keys);
        Err(Refusal::BadChallenge)
    }

    /// True when the provider asks a question while the webhook is set up.
    fn asks(&self) -> bool {
        !self.info().question.is_empty()
    }

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
    /// When it arrived: signatures that say when they were made hold for minutes.
    pub now: Timestamp,
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
    /// `WEBHOOK_MAX_PAYLOAD_SIZE`: the largest webhook of Green API; the door's own limit when absent.
    pub green_api_max_body_bytes: Option<usize>,
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
    /// [`Channel::shared_route_key`]. Empty when it names none: then it is for the one inbox that its key vouches for.
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
