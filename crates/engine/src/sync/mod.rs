//! Sync: connections to programs that hold the same people, and what keeps both in step.
//!
//! A connection is one account of a provider (Chatwoot): its key is tried when it is made and kept sealed
//! ([`connections`]). Whoever calls there asks [`clients`] for the client of the connection. [`runs`] are asked for by people
//! and [`schedule`]s and carried out by a node that is free ([`worker`]): `pull.rs` and `push.rs` go through all people, `apply.rs`
//! takes over a batch of them in one transaction, `decide.rs` says which side's value of a field stands, and `fields.rs` which
//! field becomes which. Conversations are pulled into inboxes of their own (`mirrors.rs`): `threads.rs` goes through all of
//! them, `thread.rs` takes over one. [`pairs`] tells others who is known on both sides. [`webhook`] takes what Chatwoot tells
//! meanwhile.

pub(crate) mod apply;
pub(crate) mod claim;
pub mod clients;
pub mod connections;
mod decide;
pub(crate) mod fields;
mod mirrors;
mod news;
pub(crate) mod pairs;
mod probe;
pub mod progress;
mod pull;
mod push;
pub mod runs;
pub mod schedule;
mod thread;
mod threads;
pub(crate) mod webhook;
pub mod worker;

pub(crate) use fields::is_of_chatwoot;

pub use frontdesk_model::sync::{
    SyncConnectionStatus, SyncDirection, SyncEntity, SyncProvider, SyncRunStatus,
};
pub use frontdesk_store::sync_connections::SyncConnectionRow;
pub use frontdesk_store::sync_runs::SyncRunRow;
