//! Messenger and Instagram: one language, two networks.
//!
//! | file | what it is for |
//! |---|---|
//! | [`inbound`], [`content`] | their events and messages in our words |
//! | [`outbound`], [`compose`] | one connected account, and our messages as Meta wants them written |

mod compose;
mod content;
pub(crate) mod inbound;
pub(crate) mod outbound;

use frontdesk_model::capabilities::{ReplyWindow, TextLimit};
use frontdesk_model::contact::IdentityKind;

const HOUR_MS: i64 = 3_600_000;

/// A day for everyone; up to seven days for a person, under the tag `HUMAN_AGENT`.
pub(crate) const WINDOW: ReplyWindow =
    ReplyWindow { duration_ms: 24 * HOUR_MS, extended_ms: Some(7 * 24 * HOUR_MS) };

/// What differs between the two.
#[derive(Debug)]
pub(crate) struct Network {
    /// Which of the two.
    pub(crate) kind: Kind,
    /// The channel's name.
    pub(crate) channel: &'static str,
    /// Its name for people.
    pub(crate) label: &'static str,
    /// How it calls a customer.
    pub(crate) identity: IdentityKind,
    /// Where an echo was written that names no app.
    pub(crate) own_app: &'static str,
    /// The longest text.
    pub(crate) text_max: TextLimit,
    /// The only reaction is a heart.
    pub(crate) hearts_only: bool,
}

/// Which of the two networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A Page.
    Messenger,
    /// An Instagram account.
    Instagram,
}
