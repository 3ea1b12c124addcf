//! In: from a raw webhook to stored messages.
//!
//! [`receive`] checks that a request is genuine, parses it and hands it to [`queue`], which applies whatever has come
//! together in one durable transaction: the raw body into the webhook log, its events into contacts, conversations and
//! messages, and news for the browsers into the event log. Only then is the provider answered. A body that cannot be
//! applied stays in the log and can be replayed ([`replay`]).
//!
//! Applying commutes: whatever the order and however often bodies arrive, the final state is the same.
//! [`message`], [`status`] and [`changes`] hold the rules, one kind of news each.

mod apply;
mod changes;
mod limits;
mod message;
mod pending;
mod queue;
mod receive;
pub mod replay;
pub(crate) mod status;

pub use queue::{IntakeQueue, Receipt};
pub(crate) use receive::take_polled;
pub use receive::{ReceiveError, challenge, receive};

pub(crate) use apply::{News, apply_asked};
pub(crate) use pending::{Arrived, settle_pending};
pub(crate) use queue::{error_chain, spawn};
