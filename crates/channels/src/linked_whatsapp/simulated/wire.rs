//! The frames between a driver and the sandbox, each a JSON text on a websocket.
//!
//! The sandbox numbers its events; each comes again on the next connection until it is acknowledged by its number. What is
//! asked has an id, and its answer the same.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Our frames.
#[derive(Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub(super) enum ToPhone<'a> {
    /// The first frame of a connection.
    Hello {
        /// What links us to a phone; `null` asks for one.
        device: Option<&'a str>,
        /// The name of the session, for people.
        session: &'a str,
    },
    /// Something asked.
    Call {
        /// Comes back with the answer.
        id: u64,
        /// What.
        what: &'a str,
        /// With what.
        args: &'a Value,
    },
    /// An event is on disk.
    Ack {
        /// Its number.
        seq: u64,
    },
}

/// The sandbox's frames.
#[derive(Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub(super) enum FromPhone {
    /// Show this.
    Qr { code: String, ttl_ms: i64, attempt: i64 },
    /// No more codes.
    QrExhausted,
    /// To be typed on the phone.
    PairingCode { code: String, ttl_ms: i64 },
    /// A proof is asked for.
    Challenge { challenge: Value },
    /// A phone was linked.
    Paired { device: String, owner: Owner },
    /// Connect anew.
    Restart,
    /// The phone hands over what it has.
    Syncing,
    /// It works.
    Ready { owner: Owner },
    /// The phone unlinked us.
    LoggedOut { reason: String },
    /// The number is banned.
    Banned { until_ms: i64, reason: String },
    /// It will never work.
    Refused { reason: String },
    /// Something happened.
    Event { seq: u64, event: Value },
    /// An answer.
    Result {
        id: u64,
        #[serde(default)]
        ok: Value,
        #[serde(default)]
        error: Option<Refusal>,
    },
    /// A frame of another version.
    #[serde(other)]
    Unknown,
}

/// Whose phone it is.
#[derive(Deserialize)]
pub(super) struct Owner {
    /// Digits.
    pub(super) phone: String,
    #[serde(default)]
    pub(super) lid: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// Why something was not done.
#[derive(Deserialize)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
    /// Worth another try after so long.
    #[serde(default)]
    pub(super) retry_after_ms: Option<u64>,
    /// It will not work for this message, however often it is tried.
    #[serde(default)]
    pub(super) lasting: bool,
}
