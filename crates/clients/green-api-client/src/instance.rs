//! One instance: which one, its token, where it is reached, how fast it may be called.

use std::{fmt, time::Duration};

use frontdesk_provider_http::RateLimits;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::method::Class;

/// Sends allowed in a second and in a minute unless set otherwise: far below Green API's own limit, because
/// WhatsApp bans numbers that write too fast.
const SENDS: (u32, u32) = (2, 60);
/// A call that would wait longer than this for its turn is refused instead, with the length of the wait.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Calls reach Green API closer together than they left.
const MARGIN: Duration = Duration::from_millis(100);

/// One instance. Clones share nothing but are cheap.
#[derive(Clone)]
pub struct Instance {
    /// `idInstance`: 10 to 12 digits.
    pub id: u64,
    /// `apiTokenInstance`. Part of every address.
    pub token: SecretString,
    /// `apiUrl` of the console, as `https://7105.api.greenapi.com`; `None` = the base URL of the HTTP stack.
    pub api_url: Option<Url>,
    /// `mediaUrl` of the console, for uploads; `None` = as `api_url`.
    pub media_url: Option<Url>,
    /// How fast it may be called.
    pub limits: InstanceLimits,
    key: String,
}

impl Instance {
    /// An instance on the hosts of the HTTP stack, with the usual limits.
    pub fn new(id: u64, token: SecretString) -> Self {
        let limits = InstanceLimits::default();
        Self { id, token, api_url: None, media_url: None, limits, key: id.to_string() }
    }

    /// The same instance, reached at its own hosts.
    #[must_use]
    pub fn at(self, api_url: Option<Url>, media_url: Option<Url>) -> Self {
        Self { api_url, media_url, ..self }
    }

    /// The same instance, with limits of its own.
    #[must_use]
    pub fn with_limits(self, limits: InstanceLimits) -> Self {
        Self { limits, ..self }
    }

    /// Under which its limits, its breaker and its figures are kept: the id.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Without the token; addresses by their host alone.
impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("id", &self.id)
            .field("api_host", &self.api_url.as_ref().and_then(Url::host_str))
            .field("media_host", &self.media_url.as_ref().and_then(Url::host_str))
            .finish_non_exhaustive()
    }
}

/// How fast an instance may be called, per class of methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceLimits {
    /// Messages: 2 a second and 60 a minute.
    pub sends: RateLimits,
    /// Polling: Green API's own 100 a second.
    pub polling: RateLimits,
    /// Marks, look-ups, group members: Green API's own 10 a second.
    pub marks: RateLimits,
    /// Files: Green API's own 5 a second.
    pub files: RateLimits,
    /// The QR code: Green API's own 3 a second.
    pub qr: RateLimits,
    /// Everything else: Green API's own 1 a second.
    pub account: RateLimits,
}

impl Default for InstanceLimits {
    fn default() -> Self {
        Self {
            sends: limits(SENDS.0, SENDS.1),
            polling: limits(100, 0),
            marks: limits(10, 0),
            files: limits(5, 0),
            qr: limits(3, 0),
            account: limits(1, 0),
        }
    }
}

impl InstanceLimits {
    /// The usual limits, but for sends so many a second and a minute; 0 = no limit.
    pub fn sends(per_second: u32, per_minute: u32) -> Self {
        Self { sends: limits(per_second, per_minute), ..Self::default() }
    }

    /// Those of a class.
    pub fn of(&self, class: Class) -> &RateLimits {
        match class {
            Class::Sends => &self.sends,
            Class::Polling => &self.polling,
            Class::Marks => &self.marks,
            Class::Files => &self.files,
            Class::Qr => &self.qr,
            Class::Account => &self.account,
        }
    }
}

fn limits(per_second: u32, per_minute: u32) -> RateLimits {
    RateLimits {
        longest_wait: LONGEST_WAIT,
        margin: MARGIN,
        hold_after_429: true,
        ..RateLimits::per_second_and_minute(per_second, per_minute)
    }
}

/// `stateInstance`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum InstanceState {
    /// Nobody is signed in: a QR code or a code has to be entered on the phone.
    NotAuthorized,
    /// Works.
    Authorized,
    /// WhatsApp banned the number.
    Blocked,
    /// The phone is switched off or long unreachable.
    SleepMode,
    /// Being started, up to five minutes.
    Starting,
    /// WhatsApp restricted sending for a while, because of suspected spam.
    YellowCard,
    /// Any other, among them `suspended` and `pendingPassword` of sister services.
    Other(String),
}

impl InstanceState {
    /// As Green API writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::NotAuthorized => "notAuthorized",
            Self::Authorized => "authorized",
            Self::Blocked => "blocked",
            Self::SleepMode => "sleepMode",
            Self::Starting => "starting",
            Self::YellowCard => "yellowCard",
            Self::Other(name) => name,
        }
    }
}

impl From<String> for InstanceState {
    fn from(name: String) -> Self {
        match name.as_str() {
            "notAuthorized" => Self::NotAuthorized,
            "authorized" => Self::Authorized,
            "blocked" => Self::Blocked,
            "sleepMode" => Self::SleepMode,
            "starting" => Self::Starting,
            "yellowCard" => Self::YellowCard,
            _ => Self::Other(name),
        }
    }
}

impl From<InstanceState> for String {
    fn from(state: InstanceState) -> Self {
        state.as_str().to_owned()
    }
}
