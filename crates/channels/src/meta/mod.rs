//! What WhatsApp Cloud, Messenger and Instagram share: one Meta app delivers all three to one address.
//!
//! | file | what it is for |
//! |---|---|
//! | [`door`] | the address, the set-up question, whether a request is genuine |
//! | `parse` | which part of a body is for which channel |
//! | `surrogates` | halves of an emoji, which no JSON reader takes |
//! | `messaging` | Messenger and Instagram, which speak one language |
//! | `fields`, `account` | what has to be filled in; the client opened from it |
//! | `files` | files between our disk and Meta |
//! | `errors` | what Meta's errors mean for a message |

pub(crate) mod account;
pub mod door;
pub(crate) mod errors;
pub(crate) mod fields;
pub(crate) mod files;
#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod messaging;
pub(crate) mod parse;
mod surrogates;

use frontdesk_meta_graph_client::webhook::UnixMillis;
use frontdesk_model::Timestamp;

/// The one door of the three channels.
pub static DOOR: door::MetaDoor = door::MetaDoor;

/// A moment of a webhook; 0 (1970) when the provider told none or none that can be read.
pub(crate) fn moment(at: Option<UnixMillis>) -> Timestamp {
    at.map(|at| Timestamp::from_millis(at.0)).unwrap_or_default()
}
