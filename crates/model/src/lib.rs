//! The nouns of Frontdesk and their rules. No I/O: everything here is plain data and pure functions.
//!
//! Read [`message`] and [`inbound`] first: a provider's notification becomes an [`inbound::InboundEvent`],
//! which the engine turns into rows described by the other modules.

pub mod alert;
pub mod capabilities;
pub mod clock;
pub mod contact;
pub mod content;
pub mod conversation;
pub mod crm;
pub mod ids;
pub mod inbound;
pub mod inbox;
pub mod linked;
pub mod message;
pub mod outbound;
pub mod sync;
pub mod template;
pub mod text;
pub mod user;

pub use clock::{Clock, SharedClock, Timestamp};
pub use ids::*;
/// Reached by [`words!`] in whatever crate it stands.
#[doc(hidden)]
pub use utoipa;
