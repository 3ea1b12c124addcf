//! Sync: connections to programs that hold the same people, and what keeps both in step.
//!
//! A connection is one account of a provider (Chatwoot): its key is tried when it is made and kept sealed
//! ([`connections`]). Whoever calls there asks [`clients`] for the client of the connection.

pub mod clients;
pub mod connections;
mod probe;
pub mod schedule;

pub use frontdesk_model::sync::{SyncConnectionStatus, SyncProvider};
pub use frontdesk_store::sync_connections::SyncConnectionRow;
